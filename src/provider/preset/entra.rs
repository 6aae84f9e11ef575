//! Microsoft Entra ID (Azure AD).

use secrecy::SecretString;

use crate::provider::{
    IssuerRule, Provider, TokenEndpointAuth,
    email::Vouches,
    issuer::{CONSUMERS_TENANT_ID, is_guid},
    prompt::Prompts,
    provider::Home,
    scope_names::ScopeRule,
};

/// Accounts of Microsoft Entra ID, through the v2.0 endpoints.
///
/// Register an app at <https://entra.microsoft.com> (App registrations) with a platform "Web" and
/// the redirect URI `{base_url}/oauth/callback`. `tenant` is the directory's id, or its domain, or
/// `organizations` (any work account), `common` (personal ones too), `consumers` (only those).
/// With the last three anybody with such an account can log in: allow tenants by the claim `tid`
/// in the login hook, and people by `oid`, never by `email`, which their own administrator sets.
///
/// Scopes unless set: `openid profile email`; `offline_access` is always added. A scope of your own
/// API (Expose an API) is written bare, `mcp.read`, and becomes `api://{client_id}/mcp.read` towards
/// Entra; another Application ID URI is set with [`Provider::identifier_uri`]. A scope of another
/// API is written as its URI, `https://graph.microsoft.com/User.Read`. Entra refuses `resource`,
/// so `forward_resource` cannot be turned on.
///
/// Other clouds: `.authority("https://login.microsoftonline.us")` (US Government),
/// `.authority("https://login.partner.microsoftonline.cn")` (China). External ID:
/// `.authority("https://{name}.ciamlogin.com").issuer("https://{tenant id}.ciamlogin.com/{tenant id}/v2.0")`.
/// Azure AD B2C has a policy in its URLs and a slash behind its issuer, so it is a
/// [`generic`](crate::provider::generic()) provider:
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let entra = provider::azure("contoso.onmicrosoft.com", "client-id", "client-secret")
///     .scopes(["openid", "email", "mcp.read"]);
/// assert!(entra.check().is_ok());
///
/// let policy = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/oauth2/v2.0";
/// let b2c = provider::generic(
///     &format!("{policy}/authorize"),
///     &format!("{policy}/token"),
///     "client-id",
///     "client-secret",
/// )
/// .issuer("https://contoso.b2clogin.com/11111111-2222-3333-4444-555555555555/v2.0/")
/// .scopes(["openid", "offline_access"]);
/// assert!(b2c.check().is_ok());
/// ```
#[must_use]
pub fn azure(
    tenant: impl Into<String>,
    client_id: impl Into<String>,
    client_secret: impl Into<SecretString>,
) -> Provider {
    let tenant = tenant.into();
    let mut provider = Provider::new("entra", "Microsoft", "", "", client_id, client_secret)
        .token_endpoint_auth_method(TokenEndpointAuth::Post)
        .scopes(["openid", "profile", "email"])
        .upstream_scopes(["offline_access"])
        .sends_scope_on_refresh(true);
    provider.refuses_resource = true;
    provider.vouches = Vouches::Never;
    provider.open_to_all = matches!(tenant.as_str(), "common" | "organizations" | "consumers");
    provider.prompts = Prompts::One(&["login", "consent", "select_account"]);
    provider.scope_rule = ScopeRule::prefixed(&format!("api://{}", provider.client_id));
    provider.home = Home::Entra {
        tenant: tenant.clone(),
    };
    at(provider, "https://login.microsoftonline.com", &tenant)
}

/// Puts every URL and the issuer below `authority`.
pub(in crate::provider) fn at(mut provider: Provider, authority: &str, tenant: &str) -> Provider {
    provider.authorize_url = format!("{authority}/{tenant}/oauth2/v2.0/authorize");
    provider.token_url = format!("{authority}/{tenant}/oauth2/v2.0/token");
    provider.issuer = if tenant == "consumers" {
        IssuerRule::Exact(format!("{authority}/{CONSUMERS_TENANT_ID}/v2.0"))
    } else if is_guid(tenant) {
        IssuerRule::Exact(format!("{authority}/{}/v2.0", tenant.to_ascii_lowercase()))
    } else {
        IssuerRule::Entra {
            authority: authority.to_owned(),
            personal_accounts: tenant != "organizations",
        }
    };
    provider
}

/// A tenant's id or domain, or one of the three words: nothing that could leave its path segment.
pub(in crate::provider) fn is_tenant(tenant: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match tenant {
        "common" | "organizations" | "consumers" => true,
        _ => {
            is_guid(tenant)
                || (tenant.len() <= 253 && tenant.contains('.') && tenant.split('.').all(is_label))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn a_scope_of_ones_own_api_is_prefixed_both_ways_and_oidc_scopes_are_not() {
        let entra = azure(TID, "app", "s");
        assert_eq!(
            entra.scopes_to_upstream([
                "openid",
                "mcp.read",
                "https://graph.microsoft.com/User.Read"
            ]),
            [
                "openid",
                "api://app/mcp.read",
                "https://graph.microsoft.com/User.Read",
                "offline_access"
            ]
        );
        assert_eq!(
            entra
                .scopes_from_upstream("api://app/mcp.read openid api://other/mcp.write")
                .to_string(),
            "mcp.read openid api://other/mcp.write"
        );
        let own = azure(TID, "app", "s").identifier_uri("https://api.contoso.example/");
        assert_eq!(
            own.scopes_to_upstream(["mcp.read"]),
            ["https://api.contoso.example/mcp.read", "offline_access"]
        );
        assert_eq!(
            own.scopes_from_upstream("https://api.contoso.example/mcp.read")
                .to_string(),
            "mcp.read"
        );
    }

    #[test]
    fn resource_cannot_be_forwarded() {
        let error = azure(TID, "app", "s")
            .forward_resource(true)
            .check()
            .unwrap_err();
        assert!(error.to_string().contains("resource"), "{error}");
    }

    #[test]
    fn a_tenant_cannot_leave_its_path_segment() {
        for good in [
            TID,
            "contoso.onmicrosoft.com",
            "common",
            "organizations",
            "consumers",
        ] {
            assert_eq!(azure(good, "app", "s").check(), Ok(()), "{good}");
        }
        for bad in [
            "", "contoso", "..", "a..b", "a.b/../c", "a.b/x", "a.b?x", "a.b#", "a b.c", "é.fr",
        ] {
            assert!(azure(bad, "app", "s").check().is_err(), "{bad}");
        }
    }

    #[test]
    fn another_cloud_moves_urls_and_issuer() {
        let gov = azure(TID, "app", "s").authority("https://login.microsoftonline.us");
        assert_eq!(
            gov.token_url,
            format!("https://login.microsoftonline.us/{TID}/oauth2/v2.0/token")
        );
        assert!(gov.issuer.admits(
            &format!("https://login.microsoftonline.us/{TID}/v2.0"),
            None
        ));
        assert!(!gov.issuer.admits(
            &format!("https://login.microsoftonline.com/{TID}/v2.0"),
            None
        ));
    }

    #[test]
    fn a_tenant_given_by_its_id_admits_no_other_tenant() {
        let rule = azure(TID, "app", "s").issuer;
        let other = "99999999-2222-3333-4444-555555555555";
        assert!(rule.admits(
            &format!("https://login.microsoftonline.com/{TID}/v2.0"),
            Some(TID)
        ));
        assert!(!rule.admits(
            &format!("https://login.microsoftonline.com/{other}/v2.0"),
            Some(other)
        ));
    }
}

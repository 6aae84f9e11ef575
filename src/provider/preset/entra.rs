//! Microsoft Entra ID (Azure AD).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::provider::{
    client_key::KeyWay,
    dialect::{Dialect, Home, Names, Organizations, Vouches},
    endpoints::Endpoints,
    prompt::Prompts,
    provider::{Provider, TokenEndpointAuth},
    target::TokenTarget,
};

/// Accounts of Microsoft Entra ID, through the v2.0 endpoints.
///
/// Register an app at <https://entra.microsoft.com> (App registrations) with a platform "Web" and
/// the redirect URI `{base_url}/oauth/callback`. `tenant` is the directory's id, or its domain, or
/// `organizations` (any work account), `common` (personal ones too), `consumers` (only those).
/// With the last three anyone with such an account can log in: name the tenants by their ids in
/// [`Provider::allowed_organizations`], and people by `oid`, never by `email`, which their own administrator
/// sets.
///
/// `allowed_groups` compares the ids of groups, where "Token configuration" adds the claim `groups` to the ID
/// token. A person in more than 200 groups has none in the token, and does not come in: let Entra name only the
/// groups that are assigned to the app.
///
/// Scopes unless set: `openid profile email`; `offline_access` is always added. A scope of your own
/// API (Expose an API) is written bare, `mcp.read`, and becomes `api://{client_id}/mcp.read` towards
/// Entra; another Application ID URI is set with [`Provider::identifier_uri`]. A scope of another
/// API is written as its URI, `https://graph.microsoft.com/User.Read`. Entra refuses `resource`,
/// so `forward_resource` cannot be turned on.
///
/// ID tokens are verified by keys. Where those are stands in the tenant's document,
/// `{authority}/{tenant}/v2.0/.well-known/openid-configuration`, which is read at the first login: a
/// network that lets only the token endpoint through has to let this one and the keys through, too.
///
/// | | |
/// |---|---|
/// | the person | `sub`, which stays, and which is this app's own; `oid` and `tid` together are the same in all apps |
/// | the address | never vouched for |
/// | refresh | 90 days, and a new refresh token each time; the old one stays good. Where a policy wants a second factor, the answer is `interaction_required`, and the person comes again |
/// | revocation | none |
///
/// Other clouds: `.authority("https://login.microsoftonline.us")` (US Government),
/// `.authority("https://login.partner.microsoftonline.cn")` (China). Customers have presets of their own:
/// [`azure_external`](super::azure_external) (External ID) and [`azure_b2c`](super::azure_b2c).
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let entra = provider::azure("contoso.onmicrosoft.com", "client-id", "client-secret")
///     .scopes(["openid", "email", "mcp.read"]);
/// assert!(entra.check().is_ok());
///
/// let china = provider::azure("contoso.partner.onmschina.cn", "client-id", "client-secret")
///     .authority("https://login.partner.microsoftonline.cn");
/// assert!(china.check().is_ok());
/// ```
#[must_use]
pub fn azure(
    tenant: impl Into<String>,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let home = at("https://login.microsoftonline.com", &tenant.into());
    let issuer = home.issuer.unwrap_or_default();
    let client_id = client_id.into();
    let identifier_uri = format!("api://{client_id}");
    Provider::new(
        "entra",
        "Microsoft",
        home.endpoints,
        home.dialect,
        client_id,
        client_secret,
    )
    .keys_discovered(issuer)
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["offline_access"])
    .sends_scope_on_refresh(true)
    .identifier_uri(&identifier_uri)
}

/// Every URL holds the tenant.
fn at(authority: &str, tenant: &str) -> Home {
    let url = |last: &str| format!("{authority}/{tenant}/oauth2/v2.0/{last}");
    Home {
        endpoints: Endpoints::new(url("authorize"), url("token")),
        issuer: Some(format!("{authority}/{tenant}/v2.0")),
        dialect: Arc::new(Entra {
            authority: authority.to_owned(),
            tenant: tenant.to_owned(),
        }),
    }
}

/// The on-behalf-of flow: the person's token for this app's own API is the assertion. A token has one API,
/// so scopes of the target stand below its name.
fn on_behalf_of(access_token: &str, target: &TokenTarget) -> Vec<(&'static str, String)> {
    let api = target.api().trim_end_matches('/');
    let of_api = |scope: &String| match scope.contains("://") {
        true => scope.clone(),
        false => format!("{api}/{scope}"),
    };
    // A refresh token of the other API is of no use here.
    let named = target.scope_names().iter();
    let named = named.filter(|scope| *scope != "offline_access");
    let mut scopes: Vec<String> = named.map(of_api).collect();
    if scopes.is_empty() {
        scopes.push(format!("{api}/.default"));
    }
    vec![
        ("grant_type", JWT_BEARER.to_owned()),
        ("assertion", access_token.to_owned()),
        ("requested_token_use", "on_behalf_of".to_owned()),
        ("scope", scopes.join(" ")),
    ]
}

/// <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>
const KEY_WAY: KeyWay = KeyWay {
    audience_is_token_endpoint: true,
    prefers_pss: true,
    knows_certificates: true,
};

/// The grant type of RFC 7523 section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The consumer tenant, in which all personal Microsoft accounts live.
const CONSUMERS_TENANT_ID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

#[derive(Debug)]
struct Entra {
    authority: String,
    tenant: String,
}

impl Dialect for Entra {
    fn on_behalf_of(
        &self,
        access_token: &str,
        target: &TokenTarget,
    ) -> Option<Vec<(&'static str, String)>> {
        Some(on_behalf_of(access_token, target))
    }

    fn prompts(&self) -> Prompts {
        Prompts::One(&["login", "consent", "select_account"])
    }

    /// A tenant's administrator sets any address.
    fn vouches(&self) -> Vouches {
        Vouches::Never("the claims `tid` and `oid`")
    }

    /// `{authority}/{tenant id}/v2.0`. An app that names its tenant by the id admits no other. By a
    /// domain, `common` or `organizations` the tenant is whose the token says that it is: its `tid`.
    fn admits_issuer(&self, iss: &str, id_token: Option<&Map<String, Value>>) -> bool {
        let Some(tenant) = self.tenant_in(iss) else {
            return false;
        };
        match self.tenant.as_str() {
            "consumers" => tenant == CONSUMERS_TENANT_ID,
            own if is_guid(own) => tenant == own.to_ascii_lowercase(),
            named => {
                let is_shut_out = named == "organizations" && tenant == CONSUMERS_TENANT_ID;
                let is_its_own = id_token
                    .is_none_or(|claims| claims.get("tid").and_then(Value::as_str) == Some(tenant));
                !is_shut_out && is_its_own
            }
        }
    }

    /// The document of a tenant that is named by its domain names itself by the id, and that of all tenants
    /// by a template.
    fn admits_document(&self, _asked: &str, issuer: &str) -> bool {
        let is_template = issuer == format!("{}/{{tenantid}}/v2.0", self.authority);
        match (self.tenant.as_str(), self.tenant_in(issuer)) {
            ("common" | "organizations" | "consumers", None) => is_template,
            ("common" | "organizations", Some(_)) => false,
            ("consumers", Some(tenant)) => tenant == CONSUMERS_TENANT_ID,
            (own, Some(tenant)) if is_guid(own) => tenant == own.to_ascii_lowercase(),
            (_domain, tenant) => tenant.is_some(),
        }
    }

    /// A tenant: whose account it is.
    fn organizations(&self) -> Option<Organizations> {
        Some(Organizations {
            claim: "tid",
            entry: |entry| match is_guid(entry) {
                true => Ok(entry.to_ascii_lowercase()),
                false => Err("is not the id of a tenant (8-4-4-4-12 hexadecimal digits)"),
            },
            memberships: None,
        })
    }

    /// `oid` is the same in all apps, so it wants a scope.
    fn names(&self, claim: &str) -> Names {
        match claim {
            "oid" => Names::WithScope("profile"),
            _ => Names::Perhaps,
        }
    }

    /// Some tokens say of groups that are too many for them no more than that there are some.
    fn standard_claims(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        if claims.remove("hasgroups").is_some() {
            let elsewhere = claims.entry("_claim_names").or_insert_with(|| json!({}));
            if let Value::Object(elsewhere) = elsewhere {
                elsewhere.insert("groups".to_owned(), "".into());
            }
        }
        claims
    }

    fn relocate(&self, host: &str) -> Option<Home> {
        Some(at(host, &self.tenant))
    }

    fn is_open_to_all(&self) -> bool {
        is_word(&self.tenant)
    }

    fn refuses_resource(&self) -> bool {
        true
    }

    fn key_way(&self) -> KeyWay {
        KEY_WAY
    }

    fn check(&self) -> Result<(), String> {
        match is_tenant(&self.tenant) {
            true => Ok(()),
            false => Err(format!(
                "`{}` is not a tenant: use its ID, its domain, or `organizations`, `common` or \
                 `consumers`",
                self.tenant
            )),
        }
    }
}

impl Entra {
    /// The tenant's id in an issuer of this authority.
    fn tenant_in<'a>(&self, iss: &'a str) -> Option<&'a str> {
        let tenant = iss
            .strip_prefix(self.authority.as_str())?
            .strip_prefix('/')?
            .strip_suffix("/v2.0")?;
        is_guid(tenant).then_some(tenant)
    }
}

/// A tenant's id or domain, or one of the three words: nothing that could leave its path segment.
fn is_tenant(tenant: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    is_word(tenant)
        || is_guid(tenant)
        || (tenant.len() <= 253 && tenant.contains('.') && tenant.split('.').all(is_label))
}

/// What stands for every tenant of a kind.
fn is_word(tenant: &str) -> bool {
    matches!(tenant, "common" | "organizations" | "consumers")
}

/// `8-4-4-4-12` hexadecimal digits.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::ScopeSet;

    fn upstream(entra: &Provider, scopes: &str) -> Vec<String> {
        let scopes = ScopeSet::parse(scopes).unwrap();
        entra.scopes_to_upstream(&scopes, &ScopeSet::default())
    }

    const TID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn a_scope_of_ones_own_api_is_prefixed_both_ways_and_oidc_scopes_are_not() {
        let entra = azure(TID, "app", "s");
        assert_eq!(
            upstream(
                &entra,
                "openid mcp.read https://graph.microsoft.com/User.Read"
            ),
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
            upstream(&own, "mcp.read"),
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

    fn claims(tid: &str) -> Map<String, Value> {
        [("tid".to_owned(), tid.into())].into_iter().collect()
    }

    #[test]
    fn another_cloud_moves_urls_and_issuer() {
        let gov = azure(TID, "app", "s").authority("https://login.microsoftonline.us");
        assert_eq!(
            gov.endpoints.token.as_deref(),
            Some(&*format!(
                "https://login.microsoftonline.us/{TID}/oauth2/v2.0/token"
            ))
        );
        let at = |host: &str| format!("https://{host}/{TID}/v2.0");
        assert!(gov.admits_issuer(&at("login.microsoftonline.us"), None));
        assert!(!gov.admits_issuer(&at("login.microsoftonline.com"), None));
        let china = azure(TID, "app", "s").authority("https://login.partner.microsoftonline.cn/");
        assert!(china.admits_issuer(&at("login.partner.microsoftonline.cn"), None));
        assert!(!china.admits_issuer(&at("login.microsoftonline.us"), None));
        let external = gov.issuer("https://own.example/v2.0");
        assert!(external.admits_issuer("https://own.example/v2.0", None));
        assert!(!external.admits_issuer(&at("login.microsoftonline.us"), None));
    }

    #[test]
    fn a_tenant_given_by_its_id_admits_no_other_tenant() {
        let iss = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let other = "99999999-2222-3333-4444-555555555555";
        for tenant in [TID.to_owned(), TID.to_ascii_uppercase()] {
            let own = azure(tenant, "app", "s");
            assert!(own.admits_issuer(&iss(TID), Some(&claims(TID))));
            assert!(!own.admits_issuer(&iss(other), Some(&claims(other))));
            assert!(!own.admits_issuer(&iss(other), None));
        }
        let consumers = azure("consumers", "app", "s");
        assert!(consumers.admits_issuer(&iss(CONSUMERS_TENANT_ID), None));
        assert!(!consumers.admits_issuer(&iss(TID), Some(&claims(TID))));
    }

    #[test]
    fn a_multi_tenant_issuer_must_name_the_tenant_of_the_token() {
        for named in ["common", "contoso.example"] {
            let entra = azure(named, "app", "s");
            let iss = format!("https://login.microsoftonline.com/{TID}/v2.0");
            assert!(entra.admits_issuer(&iss, Some(&claims(TID))));
            assert!(entra.admits_issuer(&iss, None));
            assert!(!entra.admits_issuer(&iss, Some(&claims(CONSUMERS_TENANT_ID))));
            assert!(!entra.admits_issuer(&iss, Some(&Map::new())));
            for forged in [
                format!("https://login.microsoftonline.com.evil.example/{TID}/v2.0"),
                format!("https://login.microsoftonline.com/{TID}/v2.0/"),
                format!("https://login.microsoftonline.com/{TID}/../{TID}/v2.0"),
                format!("https://sts.windows.net/{TID}/"),
                "https://login.microsoftonline.com/common/v2.0".to_owned(),
            ] {
                assert!(
                    !entra.admits_issuer(&forged, Some(&claims(TID))),
                    "{forged}"
                );
                let common = claims("common");
                assert!(!entra.admits_issuer(&forged, Some(&common)), "{forged}");
                assert!(!entra.admits_issuer(&forged, None), "{forged}");
            }
        }
    }

    #[test]
    fn organizations_shuts_personal_accounts_out() {
        let iss = format!("https://login.microsoftonline.com/{CONSUMERS_TENANT_ID}/v2.0");
        let personal = claims(CONSUMERS_TENANT_ID);
        let admits = |tenant: &str| azure(tenant, "app", "s").admits_issuer(&iss, Some(&personal));
        assert!(admits("common"));
        assert!(!admits("organizations"));
        let redirect = azure("organizations", "app", "s").admits_issuer(&iss, None);
        assert!(!redirect);
    }

    #[test]
    fn entra_never_vouches_for_an_address() {
        let entra = azure("contoso.example", "id", "s");
        let all = ScopeSet::parse("openid email profile").unwrap();
        let words = entra.vouches_for_email(&all, false).unwrap_err();
        assert!(
            words.contains("insecure_trust_unverified_emails"),
            "{words}"
        );
        assert_eq!(entra.vouches_for_email(&all, true), Ok(()));
        let none = ScopeSet::parse("openid").unwrap();
        assert!(
            entra.vouches_for_email(&none, true).is_err(),
            "no address at all"
        );
    }

    #[test]
    fn a_tenant_of_everybody_is_told_from_one_of_ones_own() {
        for open in ["common", "organizations", "consumers"] {
            assert!(azure(open, "id", "s").is_open_to_all(), "{open}");
        }
        for own in [TID, "contoso.example"] {
            assert!(!azure(own, "id", "s").is_open_to_all(), "{own}");
        }
    }

    #[test]
    fn another_api_is_asked_for_on_behalf_of_the_person_by_scopes_alone() {
        let entra = azure("contoso.example", "id", "s");
        let graph = || TokenTarget::audience("https://graph.microsoft.com");
        let asked = |target: TokenTarget| entra.dialect.on_behalf_of("at", &target).unwrap();
        let sent = asked(graph());
        assert_eq!(
            sent[..3],
            [
                ("grant_type", JWT_BEARER.to_owned()),
                ("assertion", "at".to_owned()),
                ("requested_token_use", "on_behalf_of".to_owned()),
            ]
        );
        for (target, scope) in [
            (graph(), "https://graph.microsoft.com/.default"),
            (
                graph().scopes(["User.Read", "Mail.Read"]),
                "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read",
            ),
            (
                TokenTarget::resource("api://files/"),
                "api://files/.default",
            ),
            (
                TokenTarget::audience("api://files").scopes(["api://files/read", "offline_access"]),
                "api://files/read",
            ),
        ] {
            let sent = asked(target);
            assert_eq!(sent[3..], [("scope", scope.to_owned())]);
        }
    }
}

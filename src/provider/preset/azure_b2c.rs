//! Azure AD B2C.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::provider::{
    client_key::KeyWay,
    dialect::{Dialect, Home, Vouches},
    endpoints::Endpoints,
    origin::is_segment,
    prompt::Prompts,
    provider::{Provider, TokenEndpointAuth},
};

/// Customers of an Azure AD B2C tenant. (New tenants are made with External ID:
/// [`azure_external`](super::azure_external).)
///
/// In the B2C tenant, under App registrations, register a web app for "Accounts in any identity provider",
/// with the redirect URI `{base_url}/oauth/callback`. `name` is what stands before `.onmicrosoft.com`,
/// `tenant_id` the directory's ID, and `policy` the user flow or custom policy (`B2C_1_signin`). Leave the
/// user flow's "Issuer (iss) claim" on the form without `tfp`.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid`; `offline_access` is always asked for |
/// | the person | `sub`, the user's object id, which stays |
/// | the address | the first of the claim `emails`, where the user flow returns it; no token says that it was verified |
/// | refresh | a new refresh token each time, 14 days unless the policy says otherwise |
/// | revocation | none |
///
/// Customers sign themselves up, so say who may log in. Scopes of an API are written as URIs,
/// `https://contoso.onmicrosoft.com/api/read`, or bare with [`identifier_uri`](Provider::identifier_uri).
/// B2C gives an access token only if at least one is asked for. `resource` is refused. A custom domain:
/// `.authority("https://login.contoso.example")`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let tenant_id = "11111111-2222-3333-4444-555555555555";
/// let b2c = provider::azure_b2c("contoso", tenant_id, "B2C_1_signin", "client-id", "client-secret")
///     .identifier_uri("https://contoso.onmicrosoft.com/api")
///     .scopes(["openid", "read"]);
/// assert!(b2c.check().is_ok());
/// ```
#[must_use]
pub fn azure_b2c(
    name: &str,
    tenant_id: &str,
    policy: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let tenant = B2c {
        name: name.to_owned(),
        tenant_id: tenant_id.to_owned(),
        policy: policy.to_owned(),
        host: format!("https://{name}.b2clogin.com"),
    };
    Provider::new(
        "entra-b2c",
        "Microsoft",
        tenant.endpoints(),
        Arc::new(tenant),
        client_id,
        client_secret,
    )
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid"])
    .upstream_scopes(["offline_access"])
    .sends_scope_on_refresh(true)
}

#[derive(Debug, Clone)]
struct B2c {
    name: String,
    tenant_id: String,
    policy: String,
    host: String,
}

impl B2c {
    fn endpoints(&self) -> Endpoints {
        let url = |last: &str| {
            let (host, name, policy) = (&self.host, &self.name, &self.policy);
            format!("{host}/{name}.onmicrosoft.com/{policy}/{last}")
        };
        Endpoints {
            jwks: Some(url("discovery/v2.0/keys")),
            ..Endpoints::new(url("oauth2/v2.0/authorize"), url("oauth2/v2.0/token"))
        }
    }
}

impl Dialect for B2c {
    fn standard_claims(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let first = claims
            .get("emails")
            .and_then(|emails| emails.get(0))
            .cloned();
        if let (false, Some(first)) = (claims.contains_key("email"), first) {
            claims.insert("email".to_owned(), first);
        }
        claims
    }

    /// With a slash at its end, and without the policy.
    fn admits_issuer(&self, iss: &str, _: Option<&Map<String, Value>>) -> bool {
        iss == format!("{}/{}/v2.0/", self.host, self.tenant_id)
    }

    fn prompts(&self) -> Prompts {
        Prompts::One(&["login"])
    }

    fn vouches(&self) -> Vouches {
        Vouches::Never("the claim `sub`")
    }

    fn relocate(&self, host: &str) -> Option<Home> {
        let moved = Self {
            host: host.to_owned(),
            ..self.clone()
        };
        Some(Home {
            endpoints: moved.endpoints(),
            issuer: None,
            dialect: Arc::new(moved),
        })
    }

    fn is_open_to_all(&self) -> bool {
        true
    }

    fn refuses_resource(&self) -> bool {
        true
    }

    /// As every app registration.
    fn key_way(&self) -> KeyWay {
        KeyWay {
            audience_is_token_endpoint: true,
            prefers_pss: true,
            knows_certificates: true,
        }
    }

    fn check(&self) -> Result<(), String> {
        let is_label = |text: &str| is_segment(text) && !text.contains('.');
        for (what, text, fits) in [
            ("tenant's name", &self.name, is_label(&self.name)),
            (
                "tenant's ID",
                &self.tenant_id,
                is_label(&self.tenant_id) && self.tenant_id.len() == 36,
            ),
            ("user flow or policy", &self.policy, is_label(&self.policy)),
        ] {
            if !fits {
                return Err(format!("`{text}` is not a {what}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{fake::map, identity::Identity};

    const TID: &str = "11111111-2222-3333-4444-555555555555";

    fn b2c() -> Provider {
        azure_b2c("contoso", TID, "B2C_1_signin", "app", "s")
    }

    #[test]
    fn the_policy_stands_in_the_urls_and_not_in_the_issuer() {
        let url = b2c().authorization_url(&[], &[]);
        let expected = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin/oauth2/v2.0/authorize?";
        assert!(url.starts_with(expected), "{url}");
        assert!(b2c().admits_issuer(&format!("https://contoso.b2clogin.com/{TID}/v2.0/"), None));
        for other in [
            format!("https://contoso.b2clogin.com/{TID}/v2.0"),
            format!("https://contoso.b2clogin.com/tfp/{TID}/B2C_1_signin/v2.0/"),
            format!("https://login.microsoftonline.com/{TID}/v2.0/"),
        ] {
            assert!(!b2c().admits_issuer(&other, None), "{other}");
        }
        let moved = b2c().authority("https://login.contoso.example");
        assert!(moved.admits_issuer(&format!("https://login.contoso.example/{TID}/v2.0/"), None));
        assert!(!moved.admits_issuer(&format!("https://contoso.b2clogin.com/{TID}/v2.0/"), None));
        assert_eq!(moved.check(), Ok(()));
    }

    #[test]
    fn nothing_leaves_its_place_in_a_url() {
        for (name, id, policy) in [
            ("contoso.b2clogin.com", TID, "B2C_1_signin"),
            ("evil.example/", TID, "B2C_1_signin"),
            ("contoso", "common", "B2C_1_signin"),
            ("contoso", TID, "../x"),
            ("contoso", TID, ""),
        ] {
            let b2c = azure_b2c(name, id, policy, "app", "s");
            assert!(b2c.check().is_err(), "{name} {id} {policy}");
        }
        assert!(b2c().forward_resource(true).check().is_err());
    }

    #[test]
    fn the_first_address_is_the_address_and_never_a_proof() {
        let claims = json!({
            "exp": 2, "nbf": 1, "ver": "1.0", "iss": format!("https://contoso.b2clogin.com/{TID}/v2.0/"),
            "sub": "884408e1-2918-4cz0-b12d-3aa027d7563b", "aud": "app", "nonce": "n", "iat": 1, "auth_time": 1,
            "name": "Ada", "emails": ["ada@acme.example", "other@acme.example"], "tfp": "B2C_1_signin",
        });
        let person = Identity::from_claims(b2c().dialect.standard_claims(map(claims)));
        assert_eq!(person.email.as_deref(), Some("ada@acme.example"));
        assert_eq!(person.verified_email(), None);
        let none = Identity::from_claims(
            b2c()
                .dialect
                .standard_claims(map(json!({"sub": "1", "emails": []}))),
        );
        assert_eq!(none.email, None);
    }
}

//! WorkOS AuthKit.

use std::sync::Arc;

use crate::provider::{
    dialect::{Dialect, Nonce, Organizations},
    origin::origin,
    provider::{Provider, TokenEndpointAuth},
};

/// Users of a WorkOS environment, through AuthKit and a Connect application.
///
/// In the dashboard, under "Connect", create an "OAuth application" with the redirect URI
/// `{base_url}/oauth/callback`, first-party if it is your own service. `domain` is the AuthKit domain of the
/// environment (Domains): `acme.authkit.app`, or your own.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `offline_access` is always asked for |
/// | the person | `sub` (`user_…`), which stays |
/// | the address | with `email_verified` |
/// | refresh | with `offline_access` alone |
/// | revocation | none is documented |
///
/// WorkOS asks for a nonce with every request, so one is sent without `openid` as well. The organization
/// that the person chose is the claim `org_id`: name them in `allowed_organizations` where sign-up is open.
///
/// WorkOS can register MCP clients by itself. Where it does, no proxy is needed, and a resource server that
/// names it is enough.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let workos = provider::workos("acme.authkit.app", "client_01JP8BD0CZ401TDF9X54NT5ZEK", "client-secret");
/// assert!(workos.check().is_ok());
/// ```
#[must_use]
pub fn workos(
    domain: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    Provider::discovered(
        "workos",
        "AuthKit",
        origin(domain),
        Arc::new(WorkOs),
        client_id,
        client_secret,
    )
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["offline_access"])
}

#[derive(Debug)]
struct WorkOs;

impl Dialect for WorkOs {
    fn nonce(&self) -> Nonce {
        Nonce::Always
    }

    fn organizations(&self) -> Option<Organizations> {
        Some(Organizations::in_claim("org_id"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{
        fake::{map, tokens},
        identity::Identity,
        upstream_error::Finality,
    };

    #[test]
    fn a_nonce_goes_with_every_request() {
        let workos = workos("acme.authkit.app", "id", "s");
        assert!(workos.wants_nonce("openid profile") && workos.wants_nonce(""));
        assert!(workos.admits_issuer("https://acme.authkit.app", None));
        assert!(!workos.admits_issuer("https://acme.authkit.app/", None));
    }

    #[test]
    fn tokens_and_refusals_are_the_rfcs() {
        let workos = workos("acme.authkit.app", "id", "s");
        let answer = tokens(
            &workos,
            200,
            &json!({
                "access_token": "eyJh.e30.c2ln", "expires_in": 300, "id_token": "eyJh.e30.c2ln",
                "refresh_token": "WtAbLOQkuNz91eJAGSpWEY8qf", "token_type": "bearer",
            }),
        )
        .unwrap();
        assert!(answer.refresh_token.is_some() && answer.scope.is_none());
        let dead =
            json!({"error": "invalid_grant", "error_description": "Session has already ended."});
        assert_eq!(
            tokens(&workos, 400, &dead).unwrap_err().finality(),
            Finality::Ends
        );
    }

    #[test]
    fn a_person_is_a_user_and_says_their_organization() {
        let person = Identity::from_claims(map(json!({
            "iss": "https://acme.authkit.app", "aud": "client_01JP8BD0CZ401TDF9X54NT5ZEK",
            "sub": "user_01HBEQKA6K4QJAS93VPE39W1JT", "email": "ada@acme.example", "email_verified": true,
            "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
            "org_id": "org_01HRDMC6CM357W30QMHMQ96Q0S", "exp": 2, "iat": 1, "nonce": "n",
        })));
        assert_eq!(
            person.subject.as_deref(),
            Some("user_01HBEQKA6K4QJAS93VPE39W1JT")
        );
        assert_eq!(person.verified_email(), Some("ada@acme.example"));
        assert_eq!(person.claims["org_id"], "org_01HRDMC6CM357W30QMHMQ96Q0S");
    }
}

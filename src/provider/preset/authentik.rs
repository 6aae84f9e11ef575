//! authentik.

use std::sync::Arc;

use crate::provider::{
    dialect::Dialect,
    origin::{is_segment, origin},
    provider::Provider,
};

/// Users of an authentik server.
///
/// In the Admin interface, under Applications, "Create with provider": an OAuth2/OpenID provider, client
/// type "Confidential", with the strict redirect URI `{base_url}/oauth/callback`. Choose a signing key, or
/// ID tokens cannot be verified. Under "Advanced protocol settings", select the scope mapping
/// `offline_access` besides the usual three. `slug` is the application's.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `offline_access` is always asked for, and needed since 2024.2 |
/// | the person | `sub`. What it is, the provider's "Subject mode" says: leave it on the hashed id or the UUID, for names and addresses can change hands |
/// | the address | `email_verified` is what the mapping of scope `email` says, and in newer versions that is `false` unless you write one of your own |
/// | refresh | with `offline_access`; each refresh token is replaced |
/// | revocation | the refresh token |
///
/// An allow list of addresses admits no one while `email_verified` is false: write the mapping, allow people
/// by `groups` in the login hook, or trust the administrators with `insecure_trust_unverified_emails`.
/// Groups are the claim `groups` (scope `profile`): `role_claims(["groups"])`.
///
/// The issuer has a slash at its end and the application's slug in it ("Issuer mode: each provider has a
/// different issuer"). With "same issuer", say `.issuer("https://auth.example/")`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let authentik = provider::authentik("https://auth.acme.example", "mcp", "client-id", "client-secret");
/// assert!(authentik.check().is_ok());
/// ```
#[must_use]
pub fn authentik(
    server: &str,
    slug: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let dialect = Authentik {
        slug: slug.to_owned(),
    };
    Provider::discovered(
        "authentik",
        "authentik",
        format!("{}/application/o/{slug}/", origin(server)),
        Arc::new(dialect),
        client_id,
        client_secret,
    )
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["offline_access"])
}

#[derive(Debug)]
struct Authentik {
    slug: String,
}

impl Dialect for Authentik {
    fn check(&self) -> Result<(), String> {
        match is_segment(&self.slug) {
            true => Ok(()),
            false => Err(format!(
                "`{}` is not an application's slug: use the one that stands in its URLs",
                self.slug
            )),
        }
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
    fn the_issuer_has_the_slug_and_a_slash() {
        let own = authentik("auth.acme.example/", "mcp", "id", "s");
        assert!(own.admits_issuer("https://auth.acme.example/application/o/mcp/", None));
        assert!(!own.admits_issuer("https://auth.acme.example/application/o/mcp", None));
        for bad in ["", "a/b", "..", "mcp/"] {
            assert!(
                authentik("auth.acme.example", bad, "id", "s")
                    .check()
                    .is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_address_counts_only_where_the_mapping_says_so() {
        let claims = |verified: bool| {
            map(json!({
                "iss": "https://auth.acme.example/application/o/mcp/", "aud": "id", "exp": 2, "iat": 1,
                "sub": "2b3c1f8b7d0a4c6f9e1d", "auth_time": 1, "acr": "goauthentik.io/providers/oauth2/default",
                "nonce": "n", "email": "ada@acme.example", "email_verified": verified, "name": "Ada",
                "given_name": "Ada", "preferred_username": "ada", "nickname": "ada",
                "groups": ["authentik Admins", "staff"],
            }))
        };
        assert_eq!(Identity::from_claims(claims(false)).verified_email(), None);
        let verified = Identity::from_claims(claims(true));
        assert_eq!(verified.verified_email(), Some("ada@acme.example"));
    }

    #[test]
    fn tokens_rotate_and_a_dead_one_ends_the_grant() {
        let own = authentik("auth.acme.example", "mcp", "id", "s");
        let answer = tokens(&own, 200, &json!({
            "access_token": "eyJh.e30.c2ln", "token_type": "Bearer", "scope": "openid profile email offline_access",
            "expires_in": 300, "refresh_token": "eyJh.e30.c2ln", "id_token": "eyJh.e30.c2ln",
        }))
        .unwrap();
        assert!(answer.refresh_token.is_some());
        let dead = json!({"error": "invalid_grant", "error_description": "The provided authorization grant or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client", "request_id": "f1"});
        assert_eq!(
            tokens(&own, 400, &dead).unwrap_err().finality(),
            Finality::Ends
        );
    }
}

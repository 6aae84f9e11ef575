//! Keycloak.

use std::sync::Arc;

use crate::provider::{
    dialect::Dialect,
    origin::{is_segment, origin},
    provider::Provider,
};

/// Users of a Keycloak realm.
///
/// In the Admin Console, choose the realm, then Clients, "Create client": OpenID Connect, "Client
/// authentication" on, "Standard flow" alone, and the valid redirect URI `{base_url}/oauth/callback`. The
/// secret is on the page "Credentials". `server` is what stands before `/realms/`: `https://sso.example`,
/// or `https://sso.example/auth` with an old server.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `offline_access` is always asked for |
/// | the person | `sub`, the user's id, which stays. It needs the scope `openid`, or the client scope `basic` |
/// | the address | with `email_verified`: it says what the realm's administrator or its e-mail flow says |
/// | refresh | with `offline_access` (an optional scope of every new client, and a role of every new user) independent of the browser session and, unless the realm limits it, without an end. Without it, 30 minutes after the last use: `.upstream_scopes([""; 0])`. Rotation is a setting of the realm |
/// | revocation | the refresh token |
/// | what cannot be done | `resource` is ignored, or refused with `invalid_target` where the realm's feature `resource-indicators` is on |
///
/// Roles: those of the realm are read from `realm_access` without more. Those of a client are a path,
/// `/resource_access/{client}/roles`. Both stand in the access token, whose `aud` is `account` unless the
/// client scope has a mapper "Audience": add one for this client, or turn on "Add to ID token" in the
/// mappers of the client scope `roles`.
///
/// ```
/// use tower_oauth_proxy::{OAuthProxyConfig, provider};
///
/// let keycloak = provider::keycloak("https://sso.acme.example", "staff", "mcp", "client-secret");
/// assert!(keycloak.check().is_ok());
///
/// let builder = OAuthProxyConfig::builder(keycloak, "https://mcp.acme.example")
///     .role_claims(["realm_access", "/resource_access/mcp/roles"]);
/// # let _ = builder;
/// ```
#[must_use]
pub fn keycloak(
    server: &str,
    realm: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let dialect = Keycloak {
        realm: realm.to_owned(),
    };
    Provider::discovered(
        "keycloak",
        "Keycloak",
        format!("{}/realms/{realm}", origin(server)),
        Arc::new(dialect),
        client_id,
        client_secret,
    )
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["offline_access"])
}

#[derive(Debug)]
struct Keycloak {
    realm: String,
}

impl Dialect for Keycloak {
    fn check(&self) -> Result<(), String> {
        match is_segment(&self.realm) {
            true => Ok(()),
            false => Err(format!(
                "`{}` is not a realm: use the name that stands in its URLs",
                self.realm
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
    fn the_issuer_is_the_realm_below_the_server() {
        for (server, issuer) in [
            ("https://sso.example", "https://sso.example/realms/staff"),
            ("sso.example/", "https://sso.example/realms/staff"),
            (
                "https://sso.example/auth/",
                "https://sso.example/auth/realms/staff",
            ),
            (
                "http://localhost:8080",
                "http://localhost:8080/realms/staff",
            ),
        ] {
            let keycloak = keycloak(server, "staff", "id", "s");
            assert!(keycloak.admits_issuer(issuer, None), "{server}");
            assert_eq!(keycloak.check(), Ok(()), "{server}");
        }
        for bad in ["", "a/b", "..", "a b", "a?b"] {
            assert!(
                keycloak("sso.example", bad, "id", "s").check().is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_refresh_token_without_an_end_says_so_by_zero() {
        let keycloak = keycloak("sso.example", "staff", "mcp", "s");
        let answer = tokens(&keycloak, 200, &json!({
            "access_token": "eyJh.e30.c2ln", "expires_in": 300, "refresh_expires_in": 0,
            "refresh_token": "eyJh.e30.c2ln", "token_type": "Bearer", "id_token": "eyJh.e30.c2ln",
            "not-before-policy": 0, "session_state": "1c6d", "scope": "openid email profile offline_access",
        }))
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 300);
        assert!(answer.refresh_token.is_some());
        for (code, words, expected) in [
            (
                "invalid_grant",
                "Offline user session not found",
                Finality::Ends,
            ),
            ("invalid_grant", "Token is not active", Finality::Ends),
            ("invalid_grant", "Session not active", Finality::Ends),
            (
                "unauthorized_client",
                "Invalid client or Invalid client credentials",
                Finality::Bounded,
            ),
            (
                "invalid_target",
                "The specified resource is invalid",
                Finality::Bounded,
            ),
        ] {
            let body = json!({"error": code, "error_description": words});
            assert_eq!(
                tokens(&keycloak, 400, &body).unwrap_err().finality(),
                expected,
                "{words}"
            );
        }
    }

    #[test]
    fn a_person_is_a_sub_and_the_address_says_whether_it_is_verified() {
        let claims = json!({
            "exp": 2, "iat": 1, "auth_time": 1, "jti": "a3", "iss": "https://sso.example/realms/staff",
            "aud": "mcp", "sub": "f3e1c9a0-5c6e-4c51-8f1b-2e6b7d1d9a10", "typ": "ID", "azp": "mcp",
            "nonce": "n", "sid": "1c6d", "email_verified": false, "name": "Ada Lovelace",
            "preferred_username": "ada", "given_name": "Ada", "family_name": "Lovelace",
            "email": "ada@acme.example",
        });
        let person = Identity::from_claims(map(claims));
        assert_eq!(
            person.subject.as_deref(),
            Some("f3e1c9a0-5c6e-4c51-8f1b-2e6b7d1d9a10")
        );
        assert_eq!(
            (person.email.is_some(), person.verified_email()),
            (true, None)
        );
    }
}

//! Amazon Cognito.

use std::sync::Arc;

use crate::provider::{
    dialect::{Dialect, Home},
    endpoints::Endpoints,
    provider::Provider,
};

/// Users of an Amazon Cognito user pool.
///
/// In the console, open the user pool. Under "Domain" there has to be one. Under "App clients" create a
/// "Traditional web application", which has a secret; on its page "Login pages" set the allowed callback URL
/// `{base_url}/oauth/callback`, the grant type "Authorization code grant", and the scopes `openid`, `email`
/// and `profile`. `user_pool_id` stands on the overview: `eu-west-1_AbCdEfGhI`.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid email profile`. Those of your API are written bare with [`identifier_uri`](Provider::identifier_uri), the resource server's identifier |
/// | the person | `sub`, a UUID, which stays; `cognito:username` can be chosen by the person |
/// | the address | with `email_verified`; from another identity provider only what its mapping says |
/// | refresh | always: 30 days unless set, 60 minutes to 10 years. Rotation is a setting of the app client, and the new token keeps the old one's remaining life |
/// | revocation | the refresh token, and with it the access tokens that came from it |
/// | what cannot be done | `offline_access`, which Cognito refuses as a scope |
///
/// Groups are in `cognito:groups`, in the ID token: name it with `role_claims(["cognito:groups"])`. An
/// access token has no `aud` (but with resource binding), so its claims do not count.
///
/// A new pool lets anyone sign up: turn "Self-service sign-up" off, or say who may log in. The endpoints
/// come from the pool's own document. With several domains name the one to use,
/// `.authority("https://login.acme.example")`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let cognito = provider::cognito("eu-west-1_AbCdEfGhI", "client-id", "client-secret")
///     .identifier_uri("https://api.acme.example")
///     .scopes(["openid", "email", "reports.read"]);
/// assert!(cognito.check().is_ok());
/// ```
#[must_use]
pub fn cognito(
    user_pool_id: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let (region, _) = user_pool_id.split_once('_').unwrap_or_default();
    // The partition of China has a domain of its own.
    let end = match region.starts_with("cn-") {
        true => ".cn",
        false => "",
    };
    let dialect = Cognito {
        user_pool_id: user_pool_id.to_owned(),
    };
    Provider::discovered(
        "cognito",
        "Amazon Cognito",
        format!("https://cognito-idp.{region}.amazonaws.com{end}/{user_pool_id}"),
        Arc::new(dialect),
        client_id,
        client_secret,
    )
    .scopes(["openid", "email", "profile"])
    .upstream_scopes([""; 0])
}

#[derive(Debug, Clone)]
struct Cognito {
    user_pool_id: String,
}

impl Dialect for Cognito {
    /// The user pool's domain: tokens and keys stay the pool's.
    fn relocate(&self, host: &str) -> Option<Home> {
        let url = |last: &str| format!("{host}/oauth2/{last}");
        Some(Home {
            endpoints: Endpoints {
                revocation: Some(url("revoke")),
                userinfo: Some(url("userInfo")),
                ..Endpoints::new(url("authorize"), url("token"))
            },
            issuer: None,
            dialect: Arc::new(self.clone()),
        })
    }

    fn check(&self) -> Result<(), String> {
        let is_label = |text: &str| !text.is_empty() && text.bytes().all(is_label_byte);
        match self.user_pool_id.split_once('_') {
            Some((region, id)) if is_label(region) && is_label(id) => Ok(()),
            _ => Err(format!(
                "`{}` is not a user pool's ID: it begins with the region, as in `eu-west-1_AbCdEfGhI`",
                self.user_pool_id
            )),
        }
    }
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::{
            fake::{map, tokens},
            identity::Identity,
            upstream_error::Finality,
        },
    };

    const POOL: &str = "eu-west-1_AbCdEfGhI";

    #[test]
    fn the_region_and_the_issuer_follow_from_the_pools_id() {
        let issuer = format!("https://cognito-idp.eu-west-1.amazonaws.com/{POOL}");
        assert!(cognito(POOL, "id", "s").admits_issuer(&issuer, None));
        let china = cognito("cn-north-1_x", "id", "s");
        assert!(china.admits_issuer(
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x",
            None
        ));
        for bad in [
            "",
            "AbCdEfGhI",
            "_x",
            "eu-west-1_",
            "eu-west-1_a/b",
            "evil.example/_x",
            "a_b_c",
        ] {
            assert!(cognito(bad, "id", "s").check().is_err(), "{bad}");
        }
    }

    #[test]
    fn spaces_between_scopes_are_percent_20_and_offline_access_is_never_sent() {
        let own = cognito(POOL, "id", "s")
            .authority("https://acme.auth.eu-west-1.amazoncognito.com/")
            .identifier_uri("https://api.acme.example");
        let set = |text: &str| ScopeSet::parse(text).unwrap();
        let scope = own.scope_param(
            &set("openid reports.read offline_access"),
            &set("openid reports.read"),
        );
        let url = own.authorization_url(&[("scope", &scope)], &[]);
        let asked = "scope=openid%20https%3A%2F%2Fapi.acme.example%2Freports.read";
        assert!(url.contains(asked) && !url.contains('+'), "{url}");
        assert!(url.starts_with("https://acme.auth.eu-west-1.amazoncognito.com/oauth2/authorize?"));
        assert_eq!(own.check(), Ok(()));
        // The domain is not the issuer.
        assert!(!own.admits_issuer("https://acme.auth.eu-west-1.amazoncognito.com", None));
    }

    #[test]
    fn a_refresh_without_rotation_brings_no_refresh_token() {
        let cognito = cognito(POOL, "id", "s");
        let answer = tokens(
            &cognito,
            200,
            &json!({
                "id_token": "eyJh.e30.c2ln", "access_token": "eyJh.e30.c2ln", "expires_in": 3_600,
                "token_type": "Bearer",
            }),
        )
        .unwrap();
        assert!(answer.refresh_token.is_none() && answer.scope.is_none());
        for (code, expected) in [
            ("invalid_grant", Finality::Ends),
            ("invalid_client", Finality::Trouble),
            ("unauthorized_client", Finality::Bounded),
        ] {
            let error = tokens(&cognito, 400, &json!({ "error": code })).unwrap_err();
            assert_eq!(error.finality(), expected, "{code}");
        }
    }

    #[test]
    fn a_person_is_a_sub_and_userinfo_writes_truth_as_a_string() {
        let id_token = json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["test-group-a"],
            "email_verified": true, "cognito:username": "my-test-user", "email": "my-test-user@example.com",
            "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI", "token_use": "id",
            "aud": "xxxxxxxxxxxxexample", "event_id": "64f5", "auth_time": 1, "exp": 2, "iat": 1,
            "origin_jti": "aa", "jti": "bb", "nonce": "n",
        });
        let userinfo = json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "email_verified": "true",
            "email": "my-test-user@example.com", "username": "my-test-user",
        });
        for said in [id_token, userinfo] {
            let person = Identity::from_claims(map(said));
            assert_eq!(person.verified_email(), Some("my-test-user@example.com"));
        }
    }
}

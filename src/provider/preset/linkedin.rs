//! LinkedIn.

use std::sync::Arc;

use crate::provider::{
    dialect::{Dialect, Nonce},
    endpoints::Endpoints,
    prompt::Prompts,
    provider::{Provider, TokenEndpointAuth},
};

/// LinkedIn members, by "Sign In with LinkedIn using OpenID Connect".
///
/// Create an app at <https://www.linkedin.com/developers/apps>, which has to belong to a company page.
/// Under "Products" add "Sign In with LinkedIn using OpenID Connect". Under "Auth" add the authorized
/// redirect URL `{base_url}/oauth/callback`; client ID and secret stand there too.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email` |
/// | the person | `sub`, which stays, and which is another one in another app |
/// | the address | with `email_verified`; a member may have none. LinkedIn itself says that it "does not verify user identities" |
/// | refresh | none but for approved partners: a token lives for 60 days, then the person logs in again |
/// | revocation | none |
/// | what cannot be done | PKCE, which makes LinkedIn answer `invalid_client`; a nonce, which it does not repeat. What binds a login to its browser is `state` alone |
///
/// Anyone can open an account, so say who may log in.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let linkedin = provider::linkedin("86abcdefgh", "client-secret");
/// assert!(linkedin.check().is_ok());
/// ```
#[must_use]
pub fn linkedin(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "linkedin",
        "LinkedIn",
        Endpoints::new(
            "https://www.linkedin.com/oauth/v2/authorization",
            "https://www.linkedin.com/oauth/v2/accessToken",
        ),
        Arc::new(LinkedIn),
        client_id,
        client_secret,
    )
    .userinfo_url("https://api.linkedin.com/v2/userinfo")
    .issuer("https://www.linkedin.com/oauth")
    .jwks_url("https://www.linkedin.com/oauth/openid/jwks")
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "profile", "email"])
    .uses_pkce(false)
}

#[derive(Debug)]
struct LinkedIn;

impl Dialect for LinkedIn {
    fn nonce(&self) -> Nonce {
        Nonce::Never
    }

    /// It documents none.
    fn prompts(&self) -> Prompts {
        Prompts::List(&[])
    }

    fn is_open_to_all(&self) -> bool {
        true
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
    fn neither_pkce_nor_a_nonce_is_sent_and_the_secret_stands_in_the_body() {
        let linkedin = linkedin("id", "s");
        assert!(!linkedin.uses_pkce);
        assert!(!linkedin.wants_nonce("openid profile email"));
        assert_eq!(linkedin.token_endpoint_auth, TokenEndpointAuth::Post);
    }

    #[test]
    fn its_issuer_is_the_one_below_oauth_since_2024() {
        let linkedin = linkedin("id", "s");
        assert!(linkedin.admits_issuer("https://www.linkedin.com/oauth", None));
        for other in [
            "https://www.linkedin.com",
            "https://www.linkedin.com/oauth/",
        ] {
            assert!(!linkedin.admits_issuer(other, None), "{other}");
        }
    }

    #[test]
    fn an_answer_lasts_sixty_days_and_has_no_refresh_token() {
        let linkedin = linkedin("id", "s");
        let answer = tokens(&linkedin, 200, &json!({
            "access_token": "AQUvlL_DYEzvT2wz1QJiEPeLioeA", "expires_in": 5_184_000,
            "scope": "email,openid,profile", "token_type": "Bearer", "id_token": "eyJh.e30.c2ln",
        }))
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 60 * 86_400);
        assert!(answer.refresh_token.is_none() && answer.id_token.is_some());
        assert_eq!(answer.scope.unwrap().to_string(), "email openid profile");
        for (body, expected) in [
            (
                json!({"error": "invalid_client", "error_description": "Client authentication failed"}),
                Finality::Trouble,
            ),
            (
                json!({"error": "invalid_request", "error_description": "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code."}),
                Finality::Bounded,
            ),
        ] {
            let error = tokens(&linkedin, 400, &body).unwrap_err();
            assert_eq!(error.finality(), expected, "{body}");
        }
    }

    #[test]
    fn a_member_is_a_sub_and_may_have_no_address() {
        let claims = map(json!({
            "sub": "782bbtaQ", "name": "John Doe", "given_name": "John", "family_name": "Doe",
            "picture": "https://media.licdn-ei.example/dms/image/C5F03AQHqK8v7tB1HCQ/profile-displayphoto",
            "locale": {"country": "US", "language": "en"}, "email": "doe@email.example", "email_verified": true,
        }));
        let person = Identity::from_claims(claims);
        assert_eq!(person.verified_email(), Some("doe@email.example"));
        let hidden = Identity::from_claims(map(json!({"sub": "782bbtaQ", "name": "John Doe"})));
        assert_eq!(
            (hidden.subject.as_deref(), hidden.email),
            (Some("782bbtaQ"), None)
        );
    }
}

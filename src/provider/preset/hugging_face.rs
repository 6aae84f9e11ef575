//! Hugging Face.

use std::sync::Arc;

use crate::provider::{dialect::Dialect, provider::Provider};

/// Accounts of the Hugging Face Hub.
///
/// Create a connected app at <https://huggingface.co/settings/applications/new> with the redirect URL
/// `{base_url}/oauth/callback` and the scopes that you ask for. A public app has no secret:
/// [`without_client_secret`](Provider::without_client_secret), and PKCE, which is used in any case.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email` |
/// | the person | `sub`, an id that stays when the user renames. The claim `preferred_username` can change hands |
/// | the address | with `email_verified`: the Hub lets no one in without |
/// | refresh | where the token answer has a refresh token; otherwise the person logs in again when the token ends |
/// | revocation | none is documented |
///
/// Anyone can open an account. A person's organizations are the claim `orgs`: each has a `sub`, a
/// `preferred_username` and, where the person lets you see it, a `roleInOrg`. To ask for access to one:
/// `.authorization_param("orgIds", "ORGANIZATION-ID")`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let hub = provider::hugging_face("client-id", "client-secret")
///     .scopes(["openid", "profile", "email", "inference-api"]);
/// assert!(hub.check().is_ok());
/// ```
#[must_use]
pub fn hugging_face(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::discovered(
        "hugging-face",
        "Hugging Face",
        "https://huggingface.co",
        Arc::new(HuggingFace),
        client_id,
        client_secret,
    )
    .scopes(["openid", "profile", "email"])
    .upstream_scopes([""; 0])
}

#[derive(Debug)]
struct HuggingFace;

impl Dialect for HuggingFace {
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
    fn a_person_keeps_their_sub_and_shows_their_organizations() {
        let person = Identity::from_claims(map(json!({
            "sub": "62c5fdf1f8a8d7a1c0b2d3e4", "name": "Ada Lovelace", "preferred_username": "ada",
            "profile": "https://huggingface.co/ada", "picture": "https://huggingface.co/avatars/ada.svg",
            "email": "ada@acme.example", "email_verified": true, "isPro": false,
            "orgs": [{"sub": "5e67bdd61009063689407479", "name": "Acme", "preferred_username": "acme",
                "picture": "https://huggingface.co/avatars/acme.png", "isEnterprise": true,
                "roleInOrg": "admin"}],
        })));
        assert_eq!(person.subject.as_deref(), Some("62c5fdf1f8a8d7a1c0b2d3e4"));
        assert_eq!(person.verified_email(), Some("ada@acme.example"));
        assert_eq!(person.claims["orgs"][0]["sub"], "5e67bdd61009063689407479");
    }

    #[test]
    fn tokens_come_with_and_without_a_refresh_token() {
        let hub = hugging_face("id", "s");
        let answer = tokens(
            &hub,
            200,
            &json!({
                "access_token": "hf_oauth_eyJh", "token_type": "bearer", "expires_in": 28_800,
                "id_token": "eyJh.e30.c2ln", "scope": "openid profile email",
            }),
        )
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 28_800);
        assert!(answer.refresh_token.is_none());
        let dead = json!({"error": "invalid_grant", "error_description": "Invalid code"});
        assert_eq!(
            tokens(&hub, 400, &dead).unwrap_err().finality(),
            Finality::Ends
        );
    }
}

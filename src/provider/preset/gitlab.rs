//! GitLab: gitlab.com, and instances of one's own.

use std::sync::Arc;

use crate::provider::{dialect::Dialect, origin::origin, provider::Provider};

/// Accounts of gitlab.com or of a GitLab instance.
///
/// Create an application (for yourself: Preferences, Applications; for a group: its Settings; for an
/// instance: Admin, Applications), "Confidential", with the redirect URI `{base_url}/oauth/callback` and the
/// scopes that you ask for. `host` is `https://gitlab.com` or your own.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`. An application gives no scope that it was not made with |
/// | the person | `sub`, the account's number, which stays. The claim `preferred_username` can change hands |
/// | the address | with scope `email` the primary one, with `email_verified`; without it the public one, if any |
/// | refresh | always: a token lives for 2 hours, and a refresh ends both old tokens |
/// | revocation | either token |
///
/// Groups are the claims `groups_direct` in the ID token, and `groups` in userinfo
/// (`.always_userinfo(true)`): name one with `role_claims`. At gitlab.com anyone can open an account, so
/// say who may log in.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let gitlab = provider::gitlab("https://gitlab.acme.example", "client-id", "client-secret")
///     .scopes(["openid", "email", "read_api"]);
/// assert!(gitlab.check().is_ok());
/// ```
#[must_use]
pub fn gitlab(
    host: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let host = origin(host);
    let dialect = GitLab {
        is_public: host == "https://gitlab.com",
    };
    Provider::discovered(
        "gitlab",
        "GitLab",
        host,
        Arc::new(dialect),
        client_id,
        client_secret,
    )
    .scopes(["openid", "profile", "email"])
    .upstream_scopes([""; 0])
}

#[derive(Debug)]
struct GitLab {
    is_public: bool,
}

impl Dialect for GitLab {
    fn is_open_to_all(&self) -> bool {
        self.is_public
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
    fn gitlab_com_is_open_to_all_and_an_instance_is_not() {
        for public in ["https://gitlab.com", "gitlab.com", "https://gitlab.com/"] {
            let gitlab = gitlab(public, "id", "s");
            assert!(gitlab.is_open_to_all(), "{public}");
            assert!(gitlab.admits_issuer("https://gitlab.com", None));
        }
        let own = gitlab("https://gitlab.acme.example/gitlab/", "id", "s");
        assert!(!own.is_open_to_all());
        assert!(own.admits_issuer("https://gitlab.acme.example/gitlab", None));
    }

    #[test]
    fn a_token_lives_two_hours_or_does_not_say() {
        let gitlab = gitlab("gitlab.com", "id", "s");
        let mut body = json!({
            "access_token": "de6780bc506a0446309bd9362820ba8aed28aa506c71eedbe1c5c4f9dd350e54",
            "token_type": "Bearer", "expires_in": 7_200, "scope": "openid profile email",
            "refresh_token": "8257e65c97202ed1726cf9571600918f3bffb2544b26e00a61df9897668c33a1",
            "created_at": 1_607_635_748, "id_token": "eyJh.e30.c2ln",
        });
        let answer = tokens(&gitlab, 200, &body).unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 7_200);
        body.as_object_mut().unwrap().remove("expires_in");
        let answer = tokens(&gitlab, 200, &body).unwrap();
        assert!(answer.expires_in.is_none() && answer.refresh_token.is_some());
        let dead = json!({"error": "invalid_grant", "error_description": "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."});
        assert_eq!(
            tokens(&gitlab, 400, &dead).unwrap_err().finality(),
            Finality::Ends
        );
    }

    #[test]
    fn a_person_is_the_accounts_number() {
        let person = Identity::from_claims(map(json!({
            "iss": "https://gitlab.com", "sub": "5302", "aud": "id", "exp": 2, "iat": 1, "nonce": "n",
            "auth_time": 1, "sub_legacy": "68c2b9", "name": "Ada Lovelace", "nickname": "ada",
            "preferred_username": "ada", "email": "ada@acme.example", "email_verified": true,
            "profile": "https://gitlab.com/ada", "groups_direct": ["acme", "acme/platform"],
        })));
        assert_eq!(person.subject.as_deref(), Some("5302"));
        assert_eq!(person.verified_email(), Some("ada@acme.example"));
    }
}

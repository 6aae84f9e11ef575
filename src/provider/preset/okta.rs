//! Okta.

use std::sync::Arc;

use crate::provider::{
    client_key::KeyWay,
    dialect::{Dialect, Names},
    origin::origin,
    provider::Provider,
};

/// Users of an Okta organization.
///
/// In the Admin Console, under Applications, create an app integration "OIDC - OpenID Connect", "Web
/// Application", with the grant type "Refresh Token" and the sign-in redirect URI
/// `{base_url}/oauth/callback`, and assign people to it. `server` is the issuer that the application gets its
/// tokens from:
///
/// - the org server, `https://acme.okta.com`: tokens for logging in and for Okta's own API;
/// - a custom server, `https://acme.okta.com/oauth2/default` (Security, API): with scopes and claims of
///   your own, and access tokens for your API. It needs an access policy that covers the application.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `offline_access` is always asked for. At most 1,024 characters in all |
/// | the person | `sub` of the ID token, the user's id (`00u…`), which stays. In access tokens `sub` is the login name, and `uid` the id |
/// | the address | with `email_verified`; an administrator sets it |
/// | refresh | a web application keeps one token, unless "Rotate token after every use" is chosen: then the reuse of an old one, past a grace of 0 to 60 seconds, ends all that came from it. Org server: 90 days. Custom server: unused for 7 days |
/// | revocation | the refresh token |
///
/// Groups: add a groups claim to the ID token (org server: the application's "Sign On" page; custom server:
/// "Claims"), ask for the scope `groups` where the claim belongs to it, and name it with
/// `role_claims(["groups"])`, or say with `allowed_groups` who may log in. Only people whom an administrator made or let in have an account.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let org = provider::okta("https://acme.okta.com", "0oa1", "client-secret");
/// assert!(org.check().is_ok());
///
/// let custom = provider::okta("https://acme.okta.com/oauth2/default", "0oa1", "client-secret")
///     .scopes(["openid", "email", "groups", "mcp.read"]);
/// assert!(custom.check().is_ok());
///
/// let console = provider::okta("https://acme-admin.okta.com", "0oa1", "client-secret");
/// assert!(console.check().is_err());
/// ```
#[must_use]
pub fn okta(
    server: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let issuer = origin(server);
    let dialect = Okta {
        issuer: issuer.clone(),
    };
    Provider::discovered(
        "okta",
        "Okta",
        issuer,
        Arc::new(dialect),
        client_id,
        client_secret,
    )
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["offline_access"])
}

#[derive(Debug)]
struct Okta {
    issuer: String,
}

impl Dialect for Okta {
    /// <https://developer.okta.com/docs/guides/build-self-signed-jwt/main/>
    fn key_way(&self) -> KeyWay {
        KeyWay {
            audience_is_token_endpoint: true,
            ..KeyWay::default()
        }
    }

    /// A custom server's claim may belong to any scope.
    fn names(&self, claim: &str) -> Names {
        match claim == "groups" && !self.issuer.contains("/oauth2/") {
            true => Names::WithScope("groups"),
            false => Names::Perhaps,
        }
    }

    fn check(&self) -> Result<(), String> {
        let (host, path) = match self.issuer.strip_prefix("https://") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => return Ok(()),
        };
        let tenant = host.split('.').next().unwrap_or_default();
        if host.ends_with(".okta.com") && tenant.ends_with("-admin") {
            return Err(format!(
                "`{host}` is the Admin Console: leave `-admin` out of the server's URL"
            ));
        }
        match path.split_once('/') {
            None if path.is_empty() => Ok(()),
            Some(("oauth2", id)) if !id.is_empty() && !id.contains('/') => Ok(()),
            _ => Err(format!(
                "`{}` is not an issuer: use `https://{host}` for the org server, or \
                 `https://{host}/oauth2/default` (or another id) for a custom one",
                self.issuer
            )),
        }
    }
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

    #[test]
    fn both_kinds_of_server_are_issuers_and_their_endpoints_are_not() {
        for good in [
            "https://acme.okta.com",
            "acme.okta.com",
            "https://acme.okta.com/",
            "https://acme.oktapreview.com/oauth2/default",
            "https://login.acme.example/oauth2/aus9o8wzkhckw9TLa0h7z",
        ] {
            assert_eq!(okta(good, "id", "s").check(), Ok(()), "{good}");
        }
        for bad in [
            "https://acme-admin.okta.com",
            "https://acme.okta.com/oauth2",
            "https://acme.okta.com/oauth2/v1/authorize",
            "https://acme.okta.com/.well-known/openid-configuration",
            "http://acme.okta.com",
        ] {
            assert!(okta(bad, "id", "s").check().is_err(), "{bad}");
        }
        let custom = okta("https://acme.okta.com/oauth2/default/", "id", "s");
        assert!(custom.admits_issuer("https://acme.okta.com/oauth2/default", None));
        assert!(!custom.admits_issuer("https://acme.okta.com", None));
    }

    #[test]
    fn offline_access_goes_with_the_authorization_request() {
        let okta = okta("acme.okta.com", "id", "s");
        let openid = ScopeSet::parse("openid").unwrap();
        assert_eq!(okta.scope_param(&openid, &openid), "openid offline_access");
    }

    #[test]
    fn a_token_answer_and_its_refusals_are_the_rfcs() {
        let okta = okta("acme.okta.com", "id", "s");
        let answer = tokens(
            &okta,
            200,
            &json!({
                "token_type": "Bearer", "expires_in": 3_600, "access_token": "eyJraWQiOi",
                "scope": "offline_access openid email profile", "refresh_token": "GqLNbhDv6mcC",
                "id_token": "eyJh.e30.c2ln",
            }),
        )
        .unwrap();
        assert!(answer.refresh_token.is_some());
        for (status, code, words, expected) in [
            (
                400,
                "invalid_grant",
                "The refresh token is invalid or expired.",
                Finality::Ends,
            ),
            (
                401,
                "invalid_client",
                "The client secret supplied for a confidential client is invalid.",
                Finality::Trouble,
            ),
            (
                400,
                "invalid_scope",
                "One or more scopes are not configured for the authorization server resource.",
                Finality::Bounded,
            ),
        ] {
            let body = json!({"error": code, "error_description": words});
            assert_eq!(
                tokens(&okta, status, &body).unwrap_err().finality(),
                expected,
                "{code}"
            );
        }
        let limited = json!({"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests."});
        assert_eq!(
            tokens(&okta, 429, &limited).unwrap_err().finality(),
            Finality::Trouble
        );
    }

    #[test]
    fn a_person_is_the_users_id() {
        let person = Identity::from_claims(map(json!({
            "sub": "00uid4BxXw6I6TV4m0g3", "name": "Ada Lovelace", "email": "ada@acme.example", "ver": 1,
            "iss": "https://acme.okta.com", "aud": "0oa1", "iat": 1, "exp": 2, "jti": "ID.4eAWJ",
            "amr": ["pwd"], "idp": "00oid1r7", "nonce": "n", "preferred_username": "ada@acme.example",
            "auth_time": 1, "at_hash": "mV3o", "email_verified": true, "groups": ["Everyone", "Staff"],
        })));
        assert_eq!(person.subject.as_deref(), Some("00uid4BxXw6I6TV4m0g3"));
        assert_eq!(person.verified_email(), Some("ada@acme.example"));
    }
}

//! Atlassian Cloud: Jira, Confluence and the rest.

use std::sync::Arc;

use serde_json::Value;

use crate::provider::{
    dialect::{Dialect, Document, IdentityApi, Vouches},
    endpoints::Endpoints,
    identity::Identity,
    prompt::Prompts,
    provider::{Provider, TokenEndpointAuth},
    upstream_error::UpstreamError,
};

/// Atlassian accounts, through an OAuth 2.0 (3LO) app.
///
/// Create an app at <https://developer.atlassian.com/console/myapps> ("OAuth 2.0 integration"). Under
/// "Authorization" set the callback URL `{base_url}/oauth/callback`: an app has one. Under "Permissions"
/// add the "User identity API" with `read:me`, and the APIs whose scopes you ask for. Under
/// "Distribution" share the app, or only you can log in. Client ID and secret are under "Settings".
///
/// | | |
/// |---|---|
/// | scopes unless set | `read:me`; `read:me` and `offline_access` are always asked for |
/// | the person | `account_id`, which stays; it is the claim `sub` |
/// | the address | what the person's privacy settings show, and never vouched for |
/// | refresh | a token lives for an hour; each refresh token works once |
/// | revocation | none is documented: a token lives until its end |
///
/// Anyone can open an account. An address here is no proof, so an allow list of addresses needs
/// `insecure_trust_unverified_emails`; better, ask the API which sites (`accessible-resources`) the person
/// has, in the login hook.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let atlassian = provider::atlassian("client-id", "client-secret")
///     .scopes(["read:me", "read:jira-work", "write:jira-work"]);
/// assert!(atlassian.check().is_ok());
/// ```
#[must_use]
pub fn atlassian(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "atlassian",
        "Atlassian",
        Endpoints::new(
            "https://auth.atlassian.com/authorize",
            "https://auth.atlassian.com/oauth/token",
        ),
        Arc::new(Atlassian),
        client_id,
        client_secret,
    )
    .userinfo_url("https://api.atlassian.com/me")
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["read:me"])
    .upstream_scopes(["read:me", "offline_access"])
    .authorization_param("audience", "api.atlassian.com")
    .authorization_param("prompt", "consent")
}

#[derive(Debug)]
struct Atlassian;

impl Dialect for Atlassian {
    fn identity(&self) -> Option<IdentityApi> {
        Some(IdentityApi {
            documents: &[Document {
                path: "",
                is_needed: true,
            }],
            read: person,
        })
    }

    /// Its guide asks for `prompt=consent` and names no other.
    fn prompts(&self) -> Prompts {
        Prompts::One(&["consent"])
    }

    fn vouches(&self) -> Vouches {
        Vouches::Never("the claim `sub`")
    }

    fn is_open_to_all(&self) -> bool {
        true
    }
}

fn person(documents: &[Value]) -> Result<Identity, UpstreamError> {
    let malformed = |why: &str| UpstreamError::Malformed(why.to_owned());
    let [Value::Object(profile)] = documents else {
        return Err(malformed("the document is not an object"));
    };
    let id = match profile.get("account_id") {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        _ => return Err(malformed("Atlassian's profile has no `account_id`")),
    };
    let mut claims = profile.clone();
    claims.insert("sub".to_owned(), id.into());
    // An address is the person's to choose, whatever a profile may say of it one day.
    claims.insert("email_verified".to_owned(), false.into());
    Identity::of_answer(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::{fake::tokens, upstream_error::Finality},
    };

    #[test]
    fn a_person_is_an_account_and_an_address_is_never_verified() {
        let profile = json!({
            "account_type": "atlassian", "account_id": "112233aa-bb11-cc22-33dd-445566abcabc",
            "email": "mia@example.com", "name": "Mia Krystof", "email_verified": true,
            "picture": "https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/112233aa",
            "account_status": "active", "nickname": "mkrystof", "zoneinfo": "Australia/Sydney",
            "locale": "en-US", "extended_profile": {"job_title": "Designer", "team_type": "Software"},
        });
        let person = person(&[profile]).unwrap();
        assert_eq!(
            person.subject.as_deref(),
            Some("112233aa-bb11-cc22-33dd-445566abcabc")
        );
        assert_eq!(person.email.as_deref(), Some("mia@example.com"));
        assert_eq!(person.verified_email(), None);
        assert_eq!(person.name.as_deref(), Some("Mia Krystof"));
    }

    #[test]
    fn the_address_may_be_hidden_and_the_account_may_not() {
        let hidden = person(&[json!({"account_id": "557058:a", "name": "Mia"})]).unwrap();
        assert_eq!(
            (hidden.subject.as_deref(), hidden.email),
            (Some("557058:a"), None)
        );
        for nobody in [
            json!({"sub": "x", "name": "Mia"}),
            json!({"account_id": ""}),
            json!({"account_id": 7}),
            json!([]),
        ] {
            assert!(person(std::slice::from_ref(&nobody)).is_err(), "{nobody}");
        }
    }

    #[test]
    fn the_audience_is_fixed_and_a_refresh_token_is_always_asked_for() {
        let provider = atlassian("id", "s");
        let url = provider.authorization_url(&[], &[]);
        assert!(
            url.contains("audience=api.atlassian.com") && url.contains("prompt=consent"),
            "{url}"
        );
        let scopes = |text: &str| ScopeSet::parse(text).unwrap();
        let asked = provider.scope_param(&scopes("read:jira-work"), &scopes("read:jira-work"));
        assert_eq!(asked, "read:jira-work read:me offline_access");
        let words = provider
            .vouches_for_email(&scopes("read:me"), false)
            .unwrap_err();
        assert!(words.contains("`sub`"), "{words}");
        assert_eq!(provider.vouches_for_email(&scopes("read:me"), true), Ok(()));
    }

    #[test]
    fn a_dead_refresh_token_ends_the_grant_in_both_of_its_forms() {
        let provider = atlassian("id", "s");
        let answer = tokens(
            &provider,
            200,
            &json!({
                "access_token": "eyJhbGciOi", "expires_in": 3_600, "token_type": "Bearer",
                "refresh_token": "eyJraWQiOi", "scope": "read:me offline_access",
            }),
        )
        .unwrap();
        assert!(answer.refresh_token.is_some());
        for dead in [
            json!({"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}),
            json!({"error": "unauthorized_client", "error_description": "refresh_token is invalid"}),
        ] {
            let error = tokens(&provider, 403, &dead).unwrap_err();
            assert_eq!(error.finality(), Finality::Ends, "{dead}");
        }
        let own = json!({"error": "access_denied", "error_description": "Unauthorized"});
        let error = tokens(&provider, 401, &own).unwrap_err();
        assert_eq!(
            error.finality(),
            Finality::Bounded,
            "a wrong secret is the operator's"
        );
    }
}

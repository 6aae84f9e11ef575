//! GitHub Apps, which log people in as OAuth Apps do and differ in what their tokens may do.

use std::sync::Arc;

use super::github::{self, github};
use crate::provider::{
    audience_proof::AudienceProof,
    dialect::{Dialect, Home, IdentityApi, Names, Organizations, Revocation, Vouches},
    prompt::Prompts,
    provider::Provider,
    upstream_error::Finality,
};

/// GitHub accounts, through a GitHub App.
///
/// Create an app at <https://github.com/settings/apps> with the callback URL
/// `{base_url}/oauth/callback`. Leave "Expire user authorization tokens" on. Under "Account permissions"
/// set "Email addresses" to read-only, or no address is known. The client ID begins with `Iv`; it is not
/// the App ID.
///
/// | | |
/// |---|---|
/// | scopes | none: what a token may do are the app's permissions, and where it is installed. Scopes of this layer are your own; every client gets what it asks for |
/// | the person | as with [`github`]: the numeric `id`, which stays. The same person has the same `sub` with both |
/// | the address | the primary one that GitHub verified |
/// | refresh | a token lives for 8 hours, its refresh token for 6 months, and works once: both old tokens end with it |
/// | revocation | the access token, and with it what renews it |
///
/// GitHub Enterprise Server: `.authority("https://github.example.com")`. To let members
/// of an organization or a team in and no others, say `.allowed_organizations(["acme", "acme/platform"])`, give the
/// app the organization permission "Members" (read-only), and install it there.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let github = provider::github_app("Iv23liAbCdEf", "client-secret");
/// assert!(github.check().is_ok());
/// ```
#[must_use]
pub fn github_app(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    let provider = github(client_id, client_secret);
    Provider {
        id: "github-app".to_owned(),
        scopes: Vec::new(),
        dialect: Arc::new(GitHubApp {
            github: Arc::clone(&provider.dialect),
        }),
        ..provider
    }
}

/// What it does as an OAuth App does is that preset's.
#[derive(Debug)]
struct GitHubApp {
    github: Arc<dyn Dialect>,
}

impl Dialect for GitHubApp {
    fn has_scopes(&self) -> bool {
        false
    }

    fn vouches(&self) -> Vouches {
        Vouches::ByPermission
    }

    fn organizations(&self) -> Option<Organizations> {
        Some(github::organizations(None))
    }

    fn names(&self, claim: &str) -> Names {
        self.github.names(claim)
    }

    fn relocate(&self, host: &str) -> Option<Home> {
        let home = self.github.relocate(host)?;
        Some(Home {
            dialect: Arc::new(Self {
                github: home.dialect,
            }),
            ..home
        })
    }

    fn finality(&self, code: &str) -> Option<Finality> {
        self.github.finality(code)
    }

    fn identity(&self) -> Option<IdentityApi> {
        self.github.identity()
    }

    fn audience_proof(&self) -> Option<AudienceProof> {
        self.github.audience_proof()
    }

    fn revoke(&self, token: &str, hint: &str) -> Revocation {
        self.github.revoke(token, hint)
    }

    fn prompts(&self) -> Prompts {
        self.github.prompts()
    }

    fn is_open_to_all(&self) -> bool {
        self.github.is_open_to_all()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::fake::{FakeProvider, PATIENT, Script, client, tokens},
    };

    #[test]
    fn a_token_comes_with_a_single_use_refresh_token_and_an_empty_scope() {
        let app = github_app("Iv1", "s");
        let answer = tokens(&app, 200, &json!({
            "access_token": "ghu_16C7e42F292c6912E7710c838347Ae178B4a", "expires_in": 28_800,
            "refresh_token": "ghr_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B",
            "refresh_token_expires_in": 15_897_600, "scope": "", "token_type": "bearer",
        }))
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 28_800);
        assert!(answer.refresh_token.is_some() && answer.scope.is_none());
        let dead = json!({"error": "bad_refresh_token",
            "error_description": "The refresh token passed is incorrect or expired."});
        let error = tokens(&app, 200, &dead).unwrap_err();
        assert_eq!(error.finality(), Finality::Ends);
    }

    #[test]
    fn scopes_are_the_operators_and_github_hears_of_none() {
        let app = github_app("Iv1", "s").scopes(["read"]);
        let read = ScopeSet::parse("read").unwrap();
        assert_eq!(app.scope_param(&read, &read), "");
        assert_eq!(app.vouches_for_email(&read, false), Ok(()));
        assert_eq!(app.email_scope(&read), None);
        assert!(app.is_open_to_all());
    }

    #[tokio::test]
    async fn a_server_of_ones_own_is_asked_as_github_is_and_the_address_may_be_withheld() {
        let idp = FakeProvider::with(
            |line| match line.split(' ').take(2).collect::<Vec<_>>()[..] {
                ["GET", "/api/v3/user"] => Script::json("200 OK", r#"{"id":7,"login":"octocat"}"#),
                ["DELETE", "/api/v3/applications/Iv1/token"] => Script::json("204 No Content", ""),
                _ => Script::json(
                    "403 Forbidden",
                    r#"{"message":"Resource not accessible by integration"}"#,
                ),
            },
        )
        .await;
        let app = github_app("Iv1", "s").authority(&format!("http://{}", idp.address));
        assert!(!app.is_open_to_all() && !app.dialect.has_scopes());
        let client = client(app, PATIENT);
        let person = client.identity_again("ghu_x", None, None).await;
        let person = person.unwrap().unwrap();
        assert_eq!((person.subject.as_deref(), person.email), (Some("7"), None));
        assert_eq!(client.revoke("ghu_x", "access_token").await, Ok(true));
        assert_eq!(client.revoke("ghr_x", "refresh_token").await, Ok(false));
    }
}

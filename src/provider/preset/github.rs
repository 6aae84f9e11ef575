//! GitHub and GitHub Enterprise Server.

use secrecy::SecretString;

use crate::provider::{
    Provider, TokenEndpointAuth,
    email::Vouches,
    prompt::Prompts,
    provider::{Home, Revocation, Who},
    scope_names::ScopeRule,
};

/// GitHub accounts, through an OAuth App or a GitHub App.
///
/// Create an OAuth App at <https://github.com/settings/developers> with the authorization callback
/// URL `{base_url}/oauth/callback`. For GitHub Enterprise Server add
/// `.authority("https://github.example.com")`; for GHE.com also
/// `.userinfo_url("https://api.{subdomain}.ghe.com/user")`.
///
/// Scopes unless set: `read:user user:email`. The subject is the account's numeric id, which stays
/// when the login name changes hands; the login name is the claim `login`. The e-mail address is
/// the primary one that GitHub verified. OAuth Apps give tokens without expiry and without refresh
/// tokens.
///
/// ```
/// let github = tower_oauth_proxy::provider::github("client-id", "client-secret");
/// assert!(github.check().is_ok());
/// ```
#[must_use]
pub fn github(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Provider {
    let mut provider = Provider::new("github", "GitHub", "", "", client_id, client_secret)
        .token_endpoint_auth_method(TokenEndpointAuth::Post)
        .scopes(["read:user", "user:email"]);
    provider.who = Who::GitHub;
    provider.vouches = Vouches::ByScope(&["user:email", "user"]);
    provider.revocation = Revocation::GitHub;
    provider.prompts = Prompts::List(&["select_account"]);
    provider.home = Home::GitHub;
    provider.scope_rule = ScopeRule::Implies(implied);
    at(provider, WEB)
}

const WEB: &str = "https://github.com";
const API: &str = "https://api.github.com";

/// Puts every URL below `web`; an Enterprise Server has its API at `/api/v3`.
pub(in crate::provider) fn at(mut provider: Provider, web: &str) -> Provider {
    let api = if web == WEB {
        API.to_owned()
    } else {
        format!("{web}/api/v3")
    };
    provider.open_to_all = web == WEB;
    provider.authorize_url = format!("{web}/login/oauth/authorize");
    provider.token_url = format!("{web}/login/oauth/access_token");
    provider.userinfo_url = Some(format!("{api}/user"));
    // Percent-encoded because the operator's client id lands in a path.
    let client_id: String =
        url::form_urlencoded::byte_serialize(provider.client_id.as_bytes()).collect();
    provider.revocation_url = Some(format!("{api}/applications/{client_id}/token"));
    provider
}

/// What a scope includes. GitHub leaves the included ones out of its answers: a client that asked
/// for `repo public_repo` reads `repo`.
fn implied(scope: &str) -> &'static [&'static str] {
    match scope {
        "repo" => &[
            "repo:status",
            "repo_deployment",
            "public_repo",
            "repo:invite",
            "security_events",
        ],
        "user" => &["read:user", "user:email", "user:follow"],
        "admin:org" => &["write:org", "read:org"],
        "write:org" => &["read:org"],
        "admin:public_key" => &["write:public_key", "read:public_key"],
        "write:public_key" => &["read:public_key"],
        "admin:repo_hook" => &["write:repo_hook", "read:repo_hook"],
        "write:repo_hook" => &["read:repo_hook"],
        "admin:gpg_key" => &["write:gpg_key", "read:gpg_key"],
        "write:gpg_key" => &["read:gpg_key"],
        "admin:ssh_signing_key" => &["write:ssh_signing_key", "read:ssh_signing_key"],
        "write:ssh_signing_key" => &["read:ssh_signing_key"],
        "admin:enterprise" => &[
            "manage_runners:enterprise",
            "manage_billing:enterprise",
            "read:enterprise",
        ],
        "write:packages" => &["read:packages"],
        "project" => &["read:project"],
        "write:discussion" => &["read:discussion"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broader_scope_stands_for_the_narrower_ones_that_github_leaves_out() {
        let github = github("id", "s");
        let granted = github.scopes_from_upstream("repo,admin:org,user:email");
        for scope in [
            "repo",
            "public_repo",
            "repo:status",
            "write:org",
            "read:org",
            "user:email",
        ] {
            assert!(granted.contains(scope), "{scope}");
        }
        for scope in ["user", "read:user", "delete_repo", "admin:org_hook"] {
            assert!(!granted.contains(scope), "{scope}");
        }
        let narrow = github.scopes_from_upstream("read:org,public_repo");
        assert_eq!(narrow.to_string(), "read:org public_repo");
    }

    #[test]
    fn an_enterprise_server_moves_every_url() {
        let github = github("id", "s").authority("https://git.example/");
        assert_eq!(
            github.authorize_url,
            "https://git.example/login/oauth/authorize"
        );
        assert_eq!(
            github.token_url,
            "https://git.example/login/oauth/access_token"
        );
        assert_eq!(
            github.userinfo_url.as_deref(),
            Some("https://git.example/api/v3/user")
        );
        assert_eq!(
            github.revocation_url.as_deref(),
            Some("https://git.example/api/v3/applications/id/token")
        );
        assert_eq!(github.check(), Ok(()));
    }
}

//! Google.

use secrecy::SecretString;

use crate::provider::{
    IssuerRule, Provider, TokenEndpointAuth, prompt::Prompts, scope_names::ScopeRule,
};

/// Google's reference gives both, the second for old integrations.
const ISSUERS: &[&str] = &["https://accounts.google.com", "accounts.google.com"];

/// What Google calls two of the scopes in its answers.
const ALIASES: &[(&str, &str)] = &[
    ("email", "https://www.googleapis.com/auth/userinfo.email"),
    (
        "profile",
        "https://www.googleapis.com/auth/userinfo.profile",
    ),
];

/// Google accounts, personal and Workspace.
///
/// Create an OAuth client of type "Web application" at <https://console.cloud.google.com/auth/clients>
/// with the authorized redirect URI `{base_url}/oauth/callback`. For one Workspace only, make the
/// app internal or check the claim `hd` in the login hook; a `hd` authorization parameter is only a
/// hint to Google's account chooser.
///
/// Scopes unless set: `openid email profile`. `access_type=offline` and `prompt=consent` are sent,
/// without which Google gives no refresh token (a peer's users lost their sessions hourly).
///
/// ```
/// let google = tower_oauth_proxy::provider::google("id.apps.googleusercontent.com", "secret");
/// assert!(google.check().is_ok());
/// ```
#[must_use]
pub fn google(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Provider {
    let mut provider = Provider::new(
        "google",
        "Google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        client_id,
        client_secret,
    )
    .revocation_url("https://oauth2.googleapis.com/revoke")
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "email", "profile"])
    .authorization_param("access_type", "offline")
    .authorization_param("prompt", "consent");
    provider.open_to_all = true;
    provider.issuer = IssuerRule::OneOf(ISSUERS);
    provider.scope_rule = ScopeRule::Aliases(ALIASES);
    provider.prompts = Prompts::List(&["consent", "select_account"]);
    provider
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_gives_a_refresh_token_only_when_asked_twice() {
        let url = google("id", "s").authorization_url(&[], &[]);
        assert!(
            url.contains("access_type=offline") && url.contains("prompt=consent"),
            "{url}"
        );
    }

    #[test]
    fn googles_long_scope_names_come_back_as_the_short_ones() {
        let provider = google("id", "s");
        let granted = "openid https://www.googleapis.com/auth/userinfo.email \
                       https://www.googleapis.com/auth/userinfo.profile \
                       https://www.googleapis.com/auth/drive";
        assert_eq!(
            provider.scopes_from_upstream(granted).to_string(),
            "openid email profile https://www.googleapis.com/auth/drive"
        );
        assert_eq!(
            provider.scopes_to_upstream(["openid", "email"]),
            ["openid", "email"]
        );
    }

    #[test]
    fn both_of_googles_issuers_are_admitted_and_no_other() {
        let rule = google("id", "s").issuer;
        assert!(rule.admits("https://accounts.google.com", None));
        assert!(rule.admits("accounts.google.com", None));
        assert!(!rule.admits("https://accounts.google.com/", None));
        assert!(!rule.admits("https://accounts.google.com.evil.example", None));
    }
}

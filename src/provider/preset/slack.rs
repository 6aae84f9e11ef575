//! Slack: who a person is ("Sign in with Slack"), and their own token for its API.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::provider::{
    dialect::{Dialect, Document, IdentityApi, Organizations, Revocation, Vouches},
    endpoints::Endpoints,
    identity::Identity,
    provider::Provider,
    upstream_error::UpstreamError,
};

/// People of a Slack workspace, by "Sign in with Slack" (OpenID Connect).
///
/// Create an app at <https://api.slack.com/apps> ("From scratch"). Under "OAuth & Permissions" add the
/// redirect URL `{base_url}/oauth/callback`. Client ID and secret are under "Basic Information". For
/// people of other workspaces, activate "Manage Distribution".
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid email profile`; Slack mixes no others with these |
/// | the person | workspace and user together, `T0RR/U0JM`, as the claim `sub`: a user id alone is not unique. Slack's own claims `https://slack.com/team_id` and `https://slack.com/user_id` are there as well |
/// | the address | with `email_verified` |
/// | refresh | none: the token has no end, and userinfo is asked while the grant lives (`identity_max_age`) |
/// | revocation | the access token |
/// | what cannot be done | PKCE, unless your app has turned it on (`.uses_pkce(true)`); asking for consent again |
///
/// With a distributed app anyone with a Slack account can log in: compare `https://slack.com/team_id` in
/// the login hook. `.authorization_param("team", "T0RR")` only preselects the workspace. To call Slack's
/// API as the person, use [`slack_user`].
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let slack = provider::slack("25259531569.1115229246291", "client-secret")
///     .authorization_param("team", "T0RR");
/// assert!(slack.check().is_ok());
/// ```
#[must_use]
pub fn slack(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "slack",
        "Slack",
        Endpoints::new(
            "https://slack.com/openid/connect/authorize",
            "https://slack.com/api/openid.connect.token",
        ),
        Arc::new(SignIn),
        client_id,
        client_secret,
    )
    .revocation_url("https://slack.com/api/auth.revoke")
    .userinfo_url("https://slack.com/api/openid.connect.userInfo")
    .issuer("https://slack.com")
    .jwks_url("https://slack.com/openid/connect/keys")
    .scopes(["openid", "email", "profile"])
    .uses_pkce(false)
}

/// People of a Slack workspace, each with a token of their own for Slack's API.
///
/// The app is made as for [`slack`]. Under "OAuth & Permissions" add the "User Token Scopes" that you
/// name here: there is no default, and at least one is needed.
///
/// | | |
/// |---|---|
/// | the person | as with [`slack`], by the API method `auth.test`, which needs no scope. The same person has the same `sub` with both |
/// | the address | none: allow people by the claims, or by an API call in the login hook |
/// | refresh | where the app has token rotation on: 12 hours, each refresh token works once. Rotation cannot be turned off again. Without it the token has no end |
/// | revocation | the access token |
/// | what cannot be done | PKCE, unless your app has turned it on (`.uses_pkce(true)`) |
///
/// Handlers read the token from the session. Slack lists scopes with commas, which is understood.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let slack = provider::slack_user("25259531569.1115229246291", "client-secret")
///     .scopes(["channels:history", "chat:write"]);
/// assert!(slack.check().is_ok());
/// ```
#[must_use]
pub fn slack_user(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "slack-user",
        "Slack",
        Endpoints::new(
            "https://slack.com/oauth/v2_user/authorize",
            "https://slack.com/api/oauth.v2.user.access",
        ),
        Arc::new(UserToken),
        client_id,
        client_secret,
    )
    .revocation_url("https://slack.com/api/auth.revoke")
    .userinfo_url("https://slack.com/api/auth.test")
    .uses_pkce(false)
}

const TEAM: &str = "https://slack.com/team_id";
const USER: &str = "https://slack.com/user_id";

#[derive(Debug)]
struct SignIn;

impl Dialect for SignIn {
    fn standard_claims(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let id = |name: &str| claims.get(name)?.as_str().filter(|id| !id.is_empty());
        match (id(TEAM), id(USER)) {
            (Some(team), Some(user)) => {
                let sub = subject(team, user);
                claims.insert("sub".to_owned(), sub.into());
            }
            _ => {
                claims.remove("sub");
            }
        }
        claims
    }

    fn organizations(&self) -> Option<Organizations> {
        Some(Organizations::in_claim(TEAM))
    }

    fn revoke(&self, _: &str, hint: &str) -> Revocation {
        revoke(hint)
    }

    fn is_open_to_all(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct UserToken;

impl Dialect for UserToken {
    fn identity(&self) -> Option<IdentityApi> {
        Some(IdentityApi {
            documents: &[Document {
                path: "",
                is_needed: true,
            }],
            read: person,
        })
    }

    fn revoke(&self, _: &str, hint: &str) -> Revocation {
        revoke(hint)
    }

    fn vouches(&self) -> Vouches {
        Vouches::NoAddress("the claim `https://slack.com/team_id`")
    }

    fn is_open_to_all(&self) -> bool {
        true
    }
}

/// A user id is unique in its workspace alone.
fn subject(team: &str, user: &str) -> String {
    format!("{team}/{user}")
}

/// `auth.revoke` takes the token that it is called with.
fn revoke(hint: &str) -> Revocation {
    match hint {
        "access_token" => Revocation::ByToken,
        _ => Revocation::Impossible,
    }
}

/// The answer of `auth.test`. One with `ok: false` does not come here.
fn person(documents: &[Value]) -> Result<Identity, UpstreamError> {
    let test = documents.first();
    let text = |name: &str| test?.get(name)?.as_str().filter(|text| !text.is_empty());
    let (Some(team), Some(user), None) = (text("team_id"), text("user_id"), text("bot_id")) else {
        return Err(UpstreamError::Malformed(
            "Slack's `auth.test` names no person: ask for scopes of a user, not of a bot"
                .to_owned(),
        ));
    };
    let found = [
        ("sub", Some(&*subject(team, user))),
        (TEAM, Some(team)),
        (USER, Some(user)),
        ("name", text("user")),
        ("https://slack.com/team_name", text("team")),
        ("https://slack.com/enterprise_id", text("enterprise_id")),
    ];
    let claims: Map<String, Value> = found
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    Identity::of_answer(claims)
}

#[cfg(test)]
mod tests;

//! The report as data.

use serde::Serialize;
use serde_json::Value;

use crate::oauth::ScopeSet;

/// What a configuration comes to; made by [`OAuthProxyConfig::report`](crate::OAuthProxyConfig::report).
///
/// `Display` is text for the log at start, a line for each thing. [`to_json`](Self::to_json) and `Serialize` are the
/// same as data. Neither has a secret; addresses of people are counted, not named.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The version of this crate.
    pub version: &'static str,
    /// The name that people read.
    pub service_name: String,
    /// The URL of the service, and the issuer of its tokens.
    pub base_url: String,
    /// The name of this instance in its events: the one that was given, or a random one of this start.
    pub instance: Option<String>,
    /// Whose tokens clients hold.
    pub mode: ReportedMode,
    /// The issuers that the resource's metadata names.
    pub authorization_servers: Vec<String>,
    /// Every URL that is answered here. All else needs a token, but the public paths.
    pub urls: Vec<ReportedUrl>,
    /// Paths that go to the service without a token.
    pub public_paths: Vec<String>,
    /// Whether a request without a token reaches the service too.
    pub is_optional: bool,
    /// Where people log in. None at a resource server.
    pub providers: Vec<ReportedProvider>,
    /// What clients may ask for.
    pub scopes: ScopeSet,
    /// What every request needs.
    pub required_scopes: ScopeSet,
    /// Which scopes are good for others.
    pub implied_scopes: Vec<ReportedImplication>,
    /// What is good as a bearer token, in the order in which it is asked.
    pub bearer_sources: Vec<ReportedSource>,
    /// Whether people are asked before a client gets access. None at a resource server.
    pub consent: Option<&'static str>,
    /// Whether people see their account before a client gets access.
    pub shows_account_page: bool,
    /// What clients may bring to the token endpoint.
    pub grant_types: Vec<&'static str>,
    /// Which clients there can be.
    pub clients: Vec<ReportedClients>,
    /// What signs access tokens, and where keys come from.
    pub keys: Vec<String>,
    /// Where grants are kept. None at a resource server.
    pub store: Option<ReportedStore>,
    /// Every time that the operator can set.
    pub times: Vec<ReportedTime>,
    /// Every limit that the operator can set. None at a resource server.
    pub limits: Vec<ReportedLimit>,
    /// What the operator should look at, the worst first.
    pub findings: Vec<Finding>,
}

/// A scope, and what it implies.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ReportedImplication {
    /// What a token names.
    pub scope: String,
    /// What it is good for besides.
    pub implies: ScopeSet,
}

/// Whose tokens clients hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum ReportedMode {
    /// Tokens of this proxy.
    Proxy,
    /// The provider's own, which this proxy passes on.
    Passthrough,
    /// Those of another authorization server.
    ResourceServer,
}

/// A URL that is answered here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedUrl {
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// The URL, as the world has it.
    pub url: String,
}

/// A provider, and what has to be known of it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ReportedProvider {
    /// Its [`id`](crate::Provider::id).
    pub id: String,
    /// The name that people read.
    pub name: String,
    /// The redirect URI that the app has to have at the provider, to the byte.
    pub callback_url: String,
    /// The id of the app.
    pub client_id: String,
    /// How the app proves itself: "client secret", "signed assertion", "its id alone".
    pub proof: &'static str,
    /// What `iss` must be, where that is known.
    pub issuer: Option<String>,
    /// What people are asked for there.
    pub scopes: ScopeSet,
    /// Whether everybody who has an account there, or can make one, may log in.
    pub is_open: bool,
    /// Who may log in: each of these has to be met.
    pub who_may_log_in: Vec<String>,
}

/// A kind of bearer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedSource {
    /// As [`TokenSource::as_str`](crate::TokenSource::as_str).
    pub source: &'static str,
    /// Whose they are, and who comes in with one.
    pub words: String,
}

/// A kind of client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedClients {
    /// "registered", "metadata document" or "configured".
    pub kind: &'static str,
    /// Which of them there can be; "off" where there are none.
    pub words: String,
}

/// Where grants are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedStore {
    /// The name of its type.
    pub kind: String,
    /// Whether its records are encrypted.
    pub is_encrypted: bool,
    /// Whether instances on other hosts can have the same one; `None` where that is not known.
    pub is_shared: Option<bool>,
}

/// A time that the operator can set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReportedTime {
    /// The option.
    pub option: &'static str,
    /// How long, in seconds; `None` where it has no end.
    pub seconds: Option<f64>,
    /// What it is the time of.
    pub of: &'static str,
}

/// A limit that the operator can set, for each process by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportedLimit {
    /// The option.
    pub option: &'static str,
    /// How many; `None` where there is no such limit.
    pub most: Option<usize>,
    /// What it is the limit of.
    pub of: &'static str,
}

/// What the operator should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub level: FindingLevel,
    /// What it is about, and what to do. Begins with the option where there is one.
    pub words: String,
}

/// How bad a [`Finding`] is. The worse is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum FindingLevel {
    /// Good to know.
    Note,
    /// May not mean what it says; an event of [`Reason::OddOption`](crate::Reason::OddOption) said so too, where the
    /// option was given.
    Odd,
    /// Weaker than it could be; an event of [`Reason::WeakOption`](crate::Reason::WeakOption) said so too.
    Weak,
    /// Will not work.
    Broken,
}

impl Report {
    /// The same as JSON.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, provider};
    ///
    /// let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com").build()?;
    /// let report = config.report().to_json();
    /// assert_eq!(report["providers"][0]["callback_url"], "https://mcp.example.com/oauth/callback");
    /// assert_eq!(report["findings"][0]["level"], "weak");
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether something will not work.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        let mut levels = self.findings.iter().map(|finding| finding.level);
        levels.any(|level| level == FindingLevel::Broken)
    }
}

//! Checking the provider's own access tokens, in passthrough mode.

use std::{future::Future, pin::Pin, time::SystemTime};

use serde_json::{Map, Value};

use crate::{error::BoxError, oauth::ScopeSet};

/// What a verifier returns.
pub type VerifyFuture<'a> =
    Pin<Box<dyn Future<Output = Result<VerifiedToken, VerifyError>> + Send + 'a>>;

/// Checks an access token of the provider, when clients hold it themselves
/// ([`passthrough`](crate::OAuthProxyConfigBuilder::passthrough)).
///
/// **Check the audience.** A token that the provider issued to any other app is a valid token of
/// the provider; accepting it lets that app act as its users here. A userinfo call alone proves no
/// audience; introspection (RFC 7662), a JWT's `aud`, or a token-info endpoint does.
///
/// Asked at the first sight of a token and then once in each session cache period; bounded by
/// `upstream_request_timeout`.
///
/// ```
/// use tower_oauth_proxy::{ScopeSet, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture};
///
/// struct Fixed;
/// impl TokenVerifier for Fixed {
///     fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
///         Box::pin(async move {
///             match token {
///                 "right" => Ok(VerifiedToken::new("ada")),
///                 _ => Err(VerifyError::Invalid("unknown token".into())),
///             }
///         })
///     }
/// }
/// ```
pub trait TokenVerifier: Send + Sync + 'static {
    /// Whether the token is good for this service, and whose it is.
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a>;
}

/// A good token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// The person.
    pub subject: String,
    /// The app that the token was issued to, where known.
    pub client_id: Option<String>,
    /// What it may do, by this service's names.
    pub scopes: ScopeSet,
    /// What handlers may read.
    pub claims: Map<String, Value>,
    /// When it ends, where known.
    pub expires_at: Option<SystemTime>,
}

impl VerifiedToken {
    /// A token of this person, without scopes, claims or a known end.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            client_id: None,
            scopes: ScopeSet::default(),
            claims: Map::new(),
            expires_at: None,
        }
    }
}

/// Why a token is not good, or cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is not good; the words go to the operator.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// Nobody can say just now: answered 503, never 401.
    #[error("the token cannot be verified just now: {0}")]
    Unavailable(#[source] BoxError),
}

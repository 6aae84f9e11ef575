//! The provider's own tokens, for handlers that call the provider's API in the person's name.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::SystemTime};

use super::AuthSession;
use crate::time::Unix;

/// The provider's tokens behind a session, fresh at the time of the request.
///
/// The provider's refresh token is not here: using it would break the proxy's own renewal.
#[derive(Clone)]
pub struct UpstreamTokens {
    pub(crate) access_token: String,
    pub(crate) id_token: Option<String>,
    pub(crate) expires_at: Option<Unix>,
}

impl UpstreamTokens {
    /// The provider's access token.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The provider's ID token, where it gave one.
    #[must_use]
    pub fn id_token(&self) -> Option<&str> {
        self.id_token.as_deref()
    }

    /// When the provider's access token ends; `None` when it does not, or the provider did not say.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.map(SystemTime::from)
    }
}

impl fmt::Debug for UpstreamTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamTokens")
            .field("access_token", &"[redacted]")
            .field("id_token", &self.id_token.as_ref().map(|_| "[redacted]"))
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// Why there is no other token of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamTokenError {
    /// The grant has ended: the provider refused it, or it was revoked. The person has to log in
    /// again; the next request with this access token is answered 401.
    #[error("the login behind this session has ended")]
    Ended,
    /// The provider or the store cannot answer right now, or the token was renewed within the last
    /// half minute and is refused all the same. Try again later.
    #[error("the provider's token cannot be renewed right now")]
    Unavailable,
    /// The provider gave nothing to renew it with.
    #[error("the provider's token cannot be renewed")]
    NotRenewable,
}

/// Renews the provider's tokens of a login.
pub(crate) trait RenewsUpstream: Send + Sync {
    /// Another access token for this grant than the one that the provider's API refused.
    fn another<'a>(self: Arc<Self>, grant_id: &'a str, refused: &'a str) -> Another<'a>;
}

/// The future of [`RenewsUpstream::another`].
pub(crate) type Another<'a> =
    Pin<Box<dyn Future<Output = Result<UpstreamTokens, UpstreamTokenError>> + Send + 'a>>;

impl AuthSession {
    /// Reports that the provider's API refused (401) the access token of
    /// [`upstream`](AuthSession::upstream), and returns another one.
    ///
    /// The provider is asked for a new token once, however many requests and instances report the
    /// same one, and at most once in 30 seconds for one login. A token that was already replaced gets
    /// the new one without asking. Where the provider gave no refresh token, it is asked whether it
    /// still accepts the old one; if not, the login ends. Later requests see the new token in their
    /// sessions; this session does not change.
    ///
    /// Dropping the future does not interrupt what it began.
    ///
    /// ```
    /// use tower_oauth_proxy::{AuthSession, UpstreamTokenError};
    ///
    /// async fn files(session: &AuthSession) -> Result<String, UpstreamTokenError> {
    ///     match call_api(session.upstream().access_token()).await {
    ///         Some(files) => Ok(files),
    ///         // 401: once more, with another token.
    ///         None => {
    ///             let tokens = session.upstream_token_refused().await?;
    ///             Ok(call_api(tokens.access_token()).await.unwrap_or_default())
    ///         }
    ///     }
    /// }
    /// # async fn call_api(_: &str) -> Option<String> { None }
    /// # let _ = files;
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpstreamTokenError::Ended`] when the person has to log in again,
    /// [`Unavailable`](UpstreamTokenError::Unavailable) when a later try may help,
    /// [`NotRenewable`](UpstreamTokenError::NotRenewable) when none does: always so in passthrough
    /// mode, where the client holds the token.
    pub async fn upstream_token_refused(&self) -> Result<UpstreamTokens, UpstreamTokenError> {
        let (Some(renewal), Some(grant_id)) = (&self.inner.renewal, self.grant_id()) else {
            return Err(UpstreamTokenError::NotRenewable);
        };
        let refused = self.upstream().access_token();
        Arc::clone(renewal).another(grant_id, refused).await
    }
}

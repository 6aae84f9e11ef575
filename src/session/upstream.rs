//! The provider's own tokens, for handlers that call the provider's API in the person's name.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::SystemTime};

use super::AuthSession;
use crate::{
    grant::{ExchangedToken, TokenForError, UpstreamGrant},
    oauth::SharedText,
    provider::TokenTarget,
    time::Unix,
};

/// The provider's tokens behind a session, fresh at the time of the request.
///
/// The provider's refresh token is not here: using it would break the proxy's own renewal.
#[derive(Clone)]
pub struct UpstreamTokens {
    pub(crate) access_token: SharedText,
    pub(crate) id_token: Option<SharedText>,
    pub(crate) expires_at: Option<Unix>,
    /// What they keep in memory beside themselves, in bytes: the end of the grant's record.
    pub(super) beside: usize,
}

impl UpstreamTokens {
    /// An access token that no grant stands behind.
    pub(crate) fn alone(access_token: impl Into<SharedText>, expires_at: Option<Unix>) -> Self {
        Self {
            access_token: access_token.into(),
            id_token: None,
            expires_at,
            beside: 0,
        }
    }

    /// Behind a session that no provider's token stands behind.
    pub(crate) fn none() -> Self {
        Self::alone(String::new(), None)
    }

    /// What they take in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let id_token = self.id_token.as_ref().map_or(0, SharedText::len);
        self.access_token.len() + id_token + self.beside
    }

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

impl From<UpstreamGrant> for UpstreamTokens {
    fn from(upstream: UpstreamGrant) -> Self {
        Self {
            access_token: upstream.access_token,
            id_token: upstream.id_token,
            expires_at: upstream.expires_at,
            beside: upstream.refresh_token.map_or(0, |token| token.len()),
        }
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

/// What stands behind a session at the provider: renews its tokens, and trades them for others.
pub(crate) trait RenewsUpstream: Send + Sync {
    /// Another access token for this grant than the one that the provider's API refused.
    fn another<'a>(self: Arc<Self>, grant_id: &'a str, refused: &'a str) -> Another<'a>;

    /// A token for another API, and another one than the one that it refused.
    fn token_for<'a>(
        self: Arc<Self>,
        of: TokenOf<'a>,
        target: &'a TokenTarget,
        refused: Option<&'a str>,
    ) -> ForAnotherApi<'a>;
}

/// Whose token is traded.
pub(crate) enum TokenOf<'a> {
    /// The person's of this grant.
    Grant(&'a str),
    /// The one that the client presented, in passthrough mode.
    Client(&'a UpstreamTokens),
}

/// The future of [`RenewsUpstream::token_for`].
pub(crate) type ForAnotherApi<'a> =
    Pin<Box<dyn Future<Output = Result<ExchangedToken, TokenForError>> + Send + 'a>>;

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
    /// mode, where the client holds the token, and where
    /// [no provider's tokens](AuthSession::has_upstream) stand behind the session.
    pub async fn upstream_token_refused(&self) -> Result<UpstreamTokens, UpstreamTokenError> {
        let (Some(renewal), Some(grant_id), true) =
            (&self.inner.renewal, self.grant_id(), self.has_upstream())
        else {
            return Err(UpstreamTokenError::NotRenewable);
        };
        let refused = self.upstream().access_token();
        Arc::clone(renewal).another(grant_id, refused).await
    }

    /// A token of the provider for another API, in the name of the person: *on behalf of*.
    ///
    /// The provider's own token is for this service, or for the provider's API. An API of yours behind the
    /// same provider wants a token of its own audience. This trades one for the other: by token exchange
    /// ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)) where the provider's discovery document names
    /// it or [`Provider::token_exchange`](crate::Provider::token_exchange) says so, and with Entra ID by
    /// its on-behalf-of flow, where an API without named scopes is asked for as `{api}/.default`.
    ///
    /// The provider's token is renewed first if need be. What comes is kept in this process until a minute
    /// before its end (a tenth of its life where that is shorter; 60 seconds where the provider names no
    /// end), and is never stored. Those who want the same at the same time share one request, and dropping
    /// the future does not interrupt it. After a failure the provider is left alone for five seconds. When
    /// the login ends, so do these calls, whatever was kept. Each exchange and each refusal is an event of
    /// [`Step::TokenExchange`](crate::Step::TokenExchange) that names the API, never a token.
    ///
    /// In passthrough mode the token that the client presented is traded.
    ///
    /// ```
    /// use tower_oauth_proxy::{AuthSession, TokenForError, TokenTarget};
    ///
    /// async fn invoices(session: &AuthSession) -> Result<String, TokenForError> {
    ///     let billing = TokenTarget::audience("api://billing").scopes(["invoices.read"]);
    ///     let token = session.token_for(billing.clone()).await?;
    ///     match call_billing(token.access_token()).await {
    ///         Some(invoices) => Ok(invoices),
    ///         // 401: once more, with another token.
    ///         None => {
    ///             let other = session.exchanged_token_refused(billing, &token).await?;
    ///             Ok(call_billing(other.access_token()).await.unwrap_or_default())
    ///         }
    ///     }
    /// }
    /// # async fn call_billing(_: &str) -> Option<String> { None }
    /// # let _ = invoices;
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenForError::NotOffered`] names the provider that has no such way,
    /// [`Refused`](TokenForError::Refused) has the provider's code,
    /// [`Unavailable`](TokenForError::Unavailable) when a later try may help,
    /// [`Ended`](TokenForError::Ended) when the person has to log in again,
    /// [`Target`](TokenForError::Target) when the target cannot be asked for.
    pub async fn token_for(
        &self,
        target: impl Into<TokenTarget>,
    ) -> Result<ExchangedToken, TokenForError> {
        self.exchanged(&target.into(), None).await
    }

    /// Reports that the other API refused (401) a token of [`token_for`](Self::token_for), and returns
    /// another one.
    ///
    /// A token that was already replaced gets the new one at once. The provider is asked at most once in
    /// 30 seconds for one login and one API.
    ///
    /// # Errors
    ///
    /// As [`token_for`](Self::token_for); [`TokenForError::Unavailable`] also where the token is younger
    /// than 30 seconds, or the provider gives the same one again.
    pub async fn exchanged_token_refused(
        &self,
        target: impl Into<TokenTarget>,
        refused: &ExchangedToken,
    ) -> Result<ExchangedToken, TokenForError> {
        let refused = refused.access_token();
        self.exchanged(&target.into(), Some(refused)).await
    }

    async fn exchanged(
        &self,
        target: &TokenTarget,
        refused: Option<&str>,
    ) -> Result<ExchangedToken, TokenForError> {
        if !self.has_upstream() {
            let words = format!(
                "this session comes from another source ({}), and no token of a provider stands behind it: only \
                 a login's can be traded",
                self.source()
            );
            return Err(TokenForError::NotOffered(words));
        }
        let Some(upstream) = &self.inner.renewal else {
            let words = "nothing stands behind this session that could trade its token";
            return Err(TokenForError::NotOffered(words.to_owned()));
        };
        let of = match self.grant_id() {
            Some(grant_id) => TokenOf::Grant(grant_id),
            None => TokenOf::Client(self.upstream()),
        };
        Arc::clone(upstream).token_for(of, target, refused).await
    }
}

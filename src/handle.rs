//! The operator's hand on the running proxy.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    clock::from_unix,
    error::StorageError,
    grant::{GrantId, Loaded, Owner, Phase},
    oauth::ScopeSet,
    proxy::Proxy,
    session::AuthSession,
};

/// Lists and ends grants, and denies clients; made by
/// [`OAuthProxyLayer::handle`](crate::OAuthProxyLayer::handle).
///
/// What is ended here is refused at once by this process, and by other instances within the session
/// cache's life. The provider's tokens are revoked where the provider can.
///
/// ```
/// # async fn administer(layer: &tower_oauth_proxy::OAuthProxyLayer)
/// # -> Result<(), tower_oauth_proxy::StorageError> {
/// let handle = layer.handle();
/// for grant in handle.grants_of_subject("248289761001").await? {
///     println!("{} may {} since {:?}", grant.client_id, grant.scopes, grant.refreshed_at);
/// }
/// let ended = handle.revoke_subject("248289761001").await?;
/// println!("{ended} grants ended");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct OAuthProxyHandle {
    proxy: Arc<Proxy>,
}

/// A live grant: one person's login for one client.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GrantInfo {
    /// Its opaque name, the same as in events and [`AuthSession::grant_id`].
    pub id: String,
    /// The person, as [`AuthSession::subject`].
    pub subject: String,
    /// The client that holds the tokens.
    pub client_id: String,
    /// What was granted.
    pub scopes: ScopeSet,
    /// The protected resource that it is for.
    pub resource: String,
    /// When the client last redeemed or refreshed; `None` while its code waits to be redeemed.
    pub refreshed_at: Option<SystemTime>,
}

impl OAuthProxyHandle {
    pub(crate) fn new(proxy: Arc<Proxy>) -> Self {
        Self { proxy }
    }

    /// The live grants of a person, from an index (some tens of reads, never the whole store). In
    /// passthrough mode nothing is kept and nothing is listed.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not be reached.
    pub async fn grants_of_subject(&self, subject: &str) -> Result<Vec<GrantInfo>, StorageError> {
        self.list(Owner::Subject(subject)).await
    }

    /// The live grants of a client, from an index; of more than some 32,000 the least recently used
    /// are left out.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not be reached.
    pub async fn grants_of_client(&self, client_id: &str) -> Result<Vec<GrantInfo>, StorageError> {
        self.list(Owner::Client(client_id)).await
    }

    /// Ends every grant of a person and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store failed on the way; what was ended until then stays ended.
    pub async fn revoke_subject(&self, subject: &str) -> Result<usize, StorageError> {
        self.end_all(Owner::Subject(subject)).await
    }

    /// Ends every grant of a client and returns how many there were. To keep it from logging people
    /// in again, [`deny_client`](Self::deny_client) first.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store failed on the way; what was ended until then stays ended.
    pub async fn revoke_client(&self, client_id: &str) -> Result<usize, StorageError> {
        self.end_all(Owner::Client(client_id)).await
    }

    /// Ends one grant by its name; `false` when there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store did not answer: the grant may or may not have ended, ask again.
    pub async fn revoke_grant(&self, id: &str) -> Result<bool, StorageError> {
        match GrantId::parse(id) {
            Some(id) => crate::endpoint::end_grant(&self.proxy, id).await,
            None => Ok(false),
        }
    }

    /// Ends the login behind a session. In passthrough mode only this process's cached session is
    /// forgotten.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store did not answer: the grant may or may not have ended, ask again.
    pub async fn revoke(&self, session: &AuthSession) -> Result<(), StorageError> {
        match session.grant_id().and_then(GrantId::parse) {
            Some(id) => crate::endpoint::end_grant(&self.proxy, id).await.map(drop),
            None => {
                let token = session.upstream().access_token();
                self.proxy.sessions.forget(token.as_bytes());
                Ok(())
            }
        }
    }

    /// Denies a client from now on: it can neither log anybody in nor redeem, refresh or revoke.
    /// Registrations live in the `client_id` itself, so this is how one is deleted. Access tokens that
    /// it holds end at their own expiry, or with [`revoke_client`](Self::revoke_client).
    ///
    /// **It denies one registration, not the app behind it.** Anybody may register, so the same app is
    /// back with another `client_id` after one anonymous request. Against an app, and not a
    /// registration, use what every registration has to pass:
    ///
    /// - the [redirect policy](crate::OAuthProxyConfigBuilder::redirect_policy): a host that it no
    ///   longer permits gets no codes, whenever the client registered;
    /// - [`on_register`](crate::OAuthProxyConfigBuilder::on_register) for new registrations, by name,
    ///   redirect URI or scope;
    /// - [`on_login`](crate::OAuthProxyConfigBuilder::on_login) and the allow lists for the person.
    ///
    /// What identifies an app is where its answers go: a name is anybody's to claim, and an app on
    /// loopback cannot be told from another one.
    ///
    /// The denial lives in the store: in the memory store it is forgotten at restart.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store did not answer: the client may or may not be denied, ask again.
    pub async fn deny_client(&self, client_id: &str) -> Result<(), StorageError> {
        self.proxy.grants.deny(client_id).await
    }

    /// Waits until no work is left that goes on behind requests, or until the deadline has passed, and
    /// returns how much is left: renewals of the provider's tokens (an answer that is not heard ends
    /// the grant at a provider that rotates its refresh tokens), logins that came back from the
    /// provider, revocations at the provider, and what the store has to be told.
    ///
    /// Call it at shutdown, after the server has answered its last request, and before the runtime
    /// ends. New work is still accepted, and waited for. An answer of the provider is awaited for
    /// [`upstream_request_timeout`](crate::OAuthProxyConfigBuilder::upstream_request_timeout) and a
    /// minute, and a store that is down for 10 minutes; 15 seconds are enough when both are well.
    ///
    /// ```
    /// # async fn stop(layer: &tower_oauth_proxy::OAuthProxyLayer) {
    /// use std::time::Duration;
    ///
    /// let left = layer.handle().drain(Duration::from_secs(15)).await;
    /// if left > 0 {
    ///     eprintln!("{left} tasks did not finish: some people may have to log in again");
    /// }
    /// # }
    /// ```
    pub async fn drain(&self, deadline: Duration) -> usize {
        self.proxy.tasks.drained(deadline).await
    }

    async fn list(&self, owner: Owner<'_>) -> Result<Vec<GrantInfo>, StorageError> {
        let mut found = Vec::new();
        for id in self.proxy.grants.listed(owner).await? {
            if let Some(Loaded { grant, .. }) = self.proxy.grants.load(&id).await? {
                let refreshed_at = match grant.phase {
                    Phase::Active { rotated_at, .. } => Some(from_unix(rotated_at)),
                    Phase::Pending(_) => None,
                    // Passthrough: the client's tokens are not ours to end.
                    Phase::Spent(_) => continue,
                };
                found.push(GrantInfo {
                    id: id.to_string(),
                    subject: grant.subject,
                    client_id: grant.client_id,
                    scopes: grant.scopes,
                    resource: grant.resource.as_str().to_owned(),
                    refreshed_at,
                });
            }
        }
        Ok(found)
    }

    async fn end_all(&self, owner: Owner<'_>) -> Result<usize, StorageError> {
        let ids = self.proxy.grants.listed(owner).await?;
        crate::endpoint::end_grants(&self.proxy, ids).await
    }
}

impl fmt::Debug for OAuthProxyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyHandle").finish_non_exhaustive()
    }
}

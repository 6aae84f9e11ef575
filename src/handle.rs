//! The operator's hand on the running proxy.

use std::{fmt, sync::Arc};

use crate::{error::StorageError, grant::GrantId, proxy::Proxy, session::AuthSession};

/// Acts on grants and clients; made by [`OAuthProxyLayer::handle`](crate::OAuthProxyLayer::handle).
#[derive(Clone)]
pub struct OAuthProxyHandle {
    proxy: Arc<Proxy>,
}

impl OAuthProxyHandle {
    pub(crate) fn new(proxy: Arc<Proxy>) -> Self {
        Self { proxy }
    }

    /// Denies a client from now on: it can neither log anybody in nor refresh. Registrations live
    /// in the `client_id` itself, so this is how one is deleted. Access tokens that it holds end
    /// at their own expiry, or with [`revoke`](Self::revoke).
    ///
    /// The denial lives in the store: in the memory store it is forgotten at restart.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not take the denial; the client is then not denied.
    pub async fn deny_client(&self, client_id: &str) -> Result<(), StorageError> {
        self.proxy.grants.deny(client_id).await
    }

    /// Ends the login behind a session: its access and refresh tokens are refused at once here, and
    /// on other instances within the session cache's life. The provider's token is revoked where
    /// the provider can. In passthrough mode only this process's cached session is forgotten.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not be reached; nothing has changed then.
    pub async fn revoke(&self, session: &AuthSession) -> Result<(), StorageError> {
        match session.grant_id().and_then(GrantId::parse) {
            Some(id) => crate::endpoint::end_grant(&self.proxy, id).await,
            None => {
                self.proxy
                    .sessions
                    .forget(session.upstream().access_token());
                Ok(())
            }
        }
    }
}

impl fmt::Debug for OAuthProxyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyHandle").finish_non_exhaustive()
    }
}

//! How a request came, for the one that sends it on.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use hyper::upgrade::OnUpgrade;
use tokio::sync::OwnedSemaphorePermit;

use super::upload::UploadState;
use crate::{headers::Peer, numbers::Counted};

/// A connection's place among those that are allowed. Who holds it keeps the connection open: a request that became a
/// tunnel too.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    _held: Arc<(OwnedSemaphorePermit, Counted)>,
}

impl Place {
    pub(crate) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self {
            _held: Arc::new((permit, Counted::connection())),
        }
    }
}

/// In the extensions of each request that comes through the layer.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) peer: Peer,
    pub(crate) upload: Arc<UploadState>,
    pub(crate) takes_trailers: bool,
    /// Where the client wants to speak WebSocket: its side of the tunnel.
    pub(crate) tunnel: Option<ClientSide>,
}

/// The client's side of a tunnel that may be opened. Taken once, though extensions are cloned.
#[derive(Clone)]
pub(crate) struct ClientSide(Arc<Mutex<Option<(OnUpgrade, Place)>>>);

impl From<(OnUpgrade, Place)> for ClientSide {
    fn from(side: (OnUpgrade, Place)) -> Self {
        Self(Arc::new(Mutex::new(Some(side))))
    }
}

impl ClientSide {
    pub(crate) fn take(&self) -> Option<(OnUpgrade, Place)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for ClientSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSide").finish_non_exhaustive()
    }
}

//! Names are looked up here, and what they lead to is judged before a connection is made.
//!
//! The HTTP client connects to the very addresses that this returns. So there is no moment between the
//! check and the connection in which a name could come to lead elsewhere.

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{net::lookup_host, sync::Semaphore};

use super::{
    address::{NamedBy, judge},
    destination::Refusal,
    networks::Networks,
};
use crate::limits::MAX_STRANGERS_ADDRESSES;

/// The addresses of a name, to come.
pub(crate) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Who knows the addresses of a name.
pub(crate) trait Lookup: Send + Sync + 'static {
    fn lookup(&self, name: &str) -> Found;
}

/// The operating system.
#[derive(Debug)]
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> Found {
        let name = name.to_owned();
        Box::pin(async move { Ok(lookup_host((name, 0)).await?.collect()) })
    }
}

/// A lookup that returns what a request may go to, or refuses.
pub(super) struct Judged {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) named_by: NamedBy,
    pub(super) open: Networks,
    /// Each lookup takes a thread of the runtime's for as long as the operating system likes, also when
    /// nobody waits for it any more.
    pub(super) at_once: Option<Arc<Semaphore>>,
}

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.lookup(name.as_str());
        let at_once = self.at_once.clone();
        let (named_by, open) = (self.named_by, self.open.clone());
        Box::pin(async move {
            let found = match at_once {
                None => found.await?,
                Some(at_once) => {
                    let permit = at_once.acquire_owned().await?;
                    let bounded = tokio::spawn(async move {
                        let found = found.await;
                        drop(permit);
                        found
                    });
                    bounded.await??
                }
            };
            for address in &found {
                let address = address.ip();
                let name = name.as_str();
                // One bad address refuses the name: which one is connected to is chance.
                judge(address, named_by, &open).map_err(|what| Refusal::Leads {
                    name: name.to_owned(),
                    address,
                    what,
                })?;
            }
            let most = match named_by {
                NamedBy::Operator => usize::MAX,
                NamedBy::Stranger => MAX_STRANGERS_ADDRESSES,
            };
            let addresses: Addrs = Box::new(found.into_iter().take(most));
            Ok(addresses)
        })
    }
}

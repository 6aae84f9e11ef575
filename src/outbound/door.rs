//! The door itself: every document is asked for here.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use http::header::ACCEPT;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use url::Url;

use super::{
    address::NamedBy,
    destination::{Bounds, Refusal, destination},
    http_client::{WayOut, client},
    send::{OutboundError, Reply, describe, send},
};
use crate::{error::ConfigError, event::Events, limits::MAX_STRANGERS_TIME, metrics::Peer};

/// The way to other servers, as the operator set it up; clones share their connections.
#[derive(Clone)]
pub(crate) struct Outbound(Arc<Clients>);

struct Clients {
    operators: Client,
    /// Built when it is needed first: to read the machine's root certificates takes milliseconds.
    strangers: OnceLock<Result<Client, String>>,
    to_build: Mutex<Option<ClientBuilder>>,
    bounds: Bounds,
    timeout: Duration,
    events: Arc<Events>,
}

impl Outbound {
    pub(crate) fn new(way: &WayOut) -> Result<Self, ConfigError> {
        let operators = client(way, NamedBy::Operator).build();
        let operators = operators.map_err(|error| ConfigError::new("provider", describe(error)))?;
        Ok(Self(Arc::new(Clients {
            operators,
            strangers: OnceLock::new(),
            to_build: Mutex::new(Some(client(way, NamedBy::Stranger))),
            bounds: Bounds {
                open: way.open.clone(),
                is_proxied: way.proxy.is_some(),
            },
            timeout: way.timeout,
            events: Arc::clone(&way.events),
        })))
    }

    /// The client for requests to servers that the operator named.
    pub(crate) fn client(&self) -> &Client {
        &self.0.operators
    }

    /// Fetches a document of at most `limit` bytes. What its status and its media type mean is the
    /// caller's; a redirect is an answer like any other.
    pub(crate) async fn get(
        &self,
        url: &str,
        named_by: NamedBy,
        limit: usize,
        accept: &'static str,
    ) -> Result<Reply, OutboundError> {
        // An address in the URL never comes to the resolver: it is judged here, each time.
        let url = self
            .destination(url, named_by)
            .map_err(OutboundError::Refused)?;
        let (client, to) = match named_by {
            NamedBy::Operator => (&self.0.operators, Peer::Document),
            NamedBy::Stranger => (self.0.strangers()?, Peer::ClientDocument),
        };
        let request = client.get(url).header(ACCEPT, accept);
        send(request, to, self.patience(named_by), limit).await
    }

    /// The URL as it would be sent, by what it says itself.
    pub(super) fn destination(&self, url: &str, named_by: NamedBy) -> Result<Url, Refusal> {
        destination(url, named_by, &self.0.bounds)
    }

    /// Where the operator hears of what no answer says.
    pub(super) fn events(&self) -> &Events {
        &self.0.events
    }

    /// Sends a request of [`client`](Self::client), within the time that the operator set; reads at most
    /// `limit` bytes.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        to: Peer<'_>,
        limit: usize,
    ) -> Result<Reply, OutboundError> {
        send(request, to, self.patience(NamedBy::Operator), limit).await
    }

    /// How long one exchange may take.
    pub(crate) fn patience(&self, named_by: NamedBy) -> Duration {
        match named_by {
            NamedBy::Operator => self.0.timeout,
            NamedBy::Stranger => self.0.timeout.min(MAX_STRANGERS_TIME),
        }
    }
}

impl Clients {
    fn strangers(&self) -> Result<&Client, OutboundError> {
        let built = self.strangers.get_or_init(|| {
            let mut builder = self.to_build.lock().unwrap_or_else(PoisonError::into_inner);
            let builder = builder.take().ok_or("it was not built")?;
            builder.build().map_err(describe)
        });
        let failed = |words: &String| OutboundError::Transport(words.clone());
        built.as_ref().map_err(failed)
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Outbound");
        debug
            .field("bounds", &self.0.bounds)
            .finish_non_exhaustive()
    }
}

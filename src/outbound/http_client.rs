//! The HTTP clients behind every request that the proxy sends.

use std::{sync::Arc, time::Duration};

use reqwest::{ClientBuilder, Proxy, redirect};
use tokio::sync::Semaphore;

use super::{
    address::NamedBy,
    lookup::{Judged, Lookup, SystemLookup},
    networks::Networks,
};
use crate::{
    event::Events,
    limits::{MAX_CONNECT_TIME, MAX_STRANGERS_LOOKUPS, POOL_IDLE_CONNECTIONS, POOL_IDLE_TIME},
};

/// What is said about TLS: root certificates.
pub(crate) type Customize = Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>;

/// What the operator says about the way out.
pub(crate) struct WayOut {
    pub(crate) customize: Option<Customize>,
    /// For everything. Without one, the operator's own requests follow the environment, and those that
    /// strangers cause go straight.
    pub(crate) proxy: Option<Proxy>,
    /// Private networks that strangers may name.
    pub(crate) open: Networks,
    /// One exchange, from the first byte to the last.
    pub(crate) timeout: Duration,
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) events: Arc<Events>,
}

impl Default for WayOut {
    fn default() -> Self {
        Self {
            customize: None,
            proxy: None,
            open: Networks::default(),
            timeout: Duration::from_secs(10),
            lookup: Arc::new(SystemLookup),
            events: Arc::default(),
        }
    }
}

/// A client for URLs that these named, to be built. The two never share a connection: what one may reach,
/// the other may not.
pub(super) fn client(way: &WayOut, named_by: NamedBy) -> ClientBuilder {
    let builder = ClientBuilder::new();
    let builder = match &way.customize {
        Some(customize) => customize(builder),
        None => builder,
    };
    let builder = match (&way.proxy, named_by) {
        (Some(proxy), _) => builder.proxy(proxy.clone()),
        (None, NamedBy::Operator) => builder,
        // The environment's proxy was set for other programs too. Its names would go unseen.
        (None, NamedBy::Stranger) => builder.no_proxy(),
    };
    // With a proxy, the one name that is looked up is the proxy's, and the operator named it.
    let judged_as = match way.proxy {
        Some(_) => NamedBy::Operator,
        None => named_by,
    };
    let at_once = || Arc::new(Semaphore::new(MAX_STRANGERS_LOOKUPS));
    let builder = builder.dns_resolver(Judged {
        lookup: Arc::clone(&way.lookup),
        named_by: judged_as,
        open: way.open.clone(),
        at_once: (judged_as == NamedBy::Stranger).then(at_once),
    });
    let builder = match named_by {
        NamedBy::Operator => builder.pool_max_idle_per_host(POOL_IDLE_CONNECTIONS),
        // Strangers can name any number of hosts, and each idle connection would take a descriptor. So
        // every request looks its name up anew.
        NamedBy::Stranger => builder.https_only(true).pool_max_idle_per_host(0),
    };
    // Redirects are never followed: a token request would carry its secrets to another host, and a
    // stranger's document would lead inside.
    builder
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(way.timeout.min(MAX_CONNECT_TIME))
        .pool_idle_timeout(POOL_IDLE_TIME)
        // GitHub's API refuses requests without one.
        .user_agent(concat!("tower-oauth-proxy/", env!("CARGO_PKG_VERSION")))
}

//! The HTTP client behind every request that the proxy sends.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};

use super::send::describe;
use crate::{
    error::ConfigError,
    limits::{MAX_CONNECT_TIME, POOL_IDLE_CONNECTIONS, POOL_IDLE_TIME},
};

/// What an operator may change about the HTTP client: proxies, root certificates, DNS.
pub(crate) type Customize = Box<dyn FnOnce(ClientBuilder) -> ClientBuilder + Send>;

/// Redirects are never followed, whatever `customize` says: a token request would carry its secrets
/// to another host.
pub(crate) fn http_client(
    customize: Option<Customize>,
    timeout: Duration,
) -> Result<Client, ConfigError> {
    let builder = Client::builder()
        .connect_timeout(timeout.min(MAX_CONNECT_TIME))
        .pool_idle_timeout(POOL_IDLE_TIME)
        .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS)
        // GitHub's API refuses requests without one.
        .user_agent(concat!("tower-oauth-proxy/", env!("CARGO_PKG_VERSION")));
    let builder = match customize {
        Some(customize) => customize(builder),
        None => builder,
    };
    builder
        .redirect(redirect::Policy::none())
        .referer(false)
        .build()
        .map_err(|error| ConfigError::new("provider", describe(error)))
}

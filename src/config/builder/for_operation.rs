//! Operation: events, time, and the way to the provider.

use std::{sync::Arc, time::Duration};

use super::said::OAuthProxyConfigBuilder;
use crate::{clock::Clock, event::Event};

/// # Operation
impl OAuthProxyConfigBuilder {
    /// Told of each step and refusal; must not block.
    pub fn on_event(mut self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(callback));
        self
    }

    /// The limit on one request to the provider. Default: 10 seconds. The answer to a renewal is
    /// awaited for a minute more, while callers are told to come back: a provider that rotates its
    /// refresh tokens says the new one only once.
    pub fn upstream_request_timeout(mut self, timeout: Duration) -> Self {
        self.plain.upstream_request_timeout = timeout;
        self
    }

    /// Adjusts the HTTP client towards the provider: a corporate proxy, a private root
    /// certificate. Redirects and timeouts stay as this crate sets them.
    pub fn http_client<F>(mut self, customize: F) -> Self
    where
        F: FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    {
        self.http_client = Some(Box::new(customize));
        self
    }

    /// The source of time, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

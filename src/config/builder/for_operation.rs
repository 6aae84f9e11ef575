//! Operation: events, time, and the way to the provider.

use std::{sync::Arc, time::Duration};

use super::said::OAuthProxyConfigBuilder;
use crate::{
    clock::Clock,
    event::{Detail, Event},
};

/// # Operation
impl OAuthProxyConfigBuilder {
    /// Calls this closure with each event: every step and every refusal. It must not block. Default: events
    /// go to `tracing` only.
    ///
    /// ```
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, Reason};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.on_event(|event| {
    ///     if event.reason == Some(Reason::RefreshReuse) {
    ///         eprintln!("a refresh token came back: {:?} has ended", event.grant);
    ///     }
    /// })
    /// # }
    /// ```
    pub fn on_event(mut self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(callback));
        self
    }

    /// The name of this process in each event, such as a host's or a pod's. Default: a random one of 8 letters,
    /// which changes with each start.
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// let pod = std::env::var("HOSTNAME").unwrap_or_else(|_| "local".to_owned());
    /// builder.instance_name(pod)
    /// # }
    /// ```
    pub fn instance_name(mut self, name: impl Into<String>) -> Self {
        self.plain.instance_name = Some(name.into());
        self
    }

    /// How much of a person leaves in an event, to `tracing` and to [`on_event`](Self::on_event). Default:
    /// [`Detail::Full`], so that "why can she not log in?" is answered by the log alone.
    ///
    /// ```
    /// # use tower_oauth_proxy::{Detail, OAuthProxyConfigBuilder};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.event_detail(Detail::NoPersons)
    /// # }
    /// ```
    pub fn event_detail(mut self, detail: Detail) -> Self {
        self.plain.event_detail = detail;
        self
    }

    /// The limit on one request to the provider, from 10 milliseconds to an hour. Default: 10 seconds.
    ///
    /// The answer to a renewal is awaited for a minute more, while callers are asked to come back: a provider
    /// that rotates its refresh tokens says the new one only once.
    pub fn upstream_request_timeout(mut self, timeout: Duration) -> Self {
        self.plain.upstream_request_timeout = timeout;
        self
    }

    /// The HTTP proxy for everything that goes to other servers, `http://` or `https://` with an optional
    /// name and password. Default: what the environment says (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) for
    /// the provider and all else that the operator names; none for documents that strangers name.
    ///
    /// The proxy looks names up. So it has to refuse those that lead inside: see
    /// [the way out](crate::docs::network#what-you-can-open).
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.outbound_proxy("http://proxy.corp.example:3128")
    /// # }
    /// ```
    #[doc(alias = "http_client")]
    pub fn outbound_proxy(mut self, url: impl Into<String>) -> Self {
        self.plain.outbound_proxy = Some(url.into());
        self
    }

    /// Root certificates that those of other servers may come from, beside the usual ones: PEM texts, each with
    /// one certificate or more. Default: none. Needs the feature `rustls` or `native-tls`.
    ///
    /// ```no_run
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> std::io::Result<OAuthProxyConfigBuilder> {
    /// let corporate = std::fs::read_to_string("/etc/ssl/corp-root.pem")?;
    /// Ok(builder.outbound_root_certificates([corporate]))
    /// # }
    /// ```
    #[doc(alias = "http_client")]
    pub fn outbound_root_certificates<I: IntoIterator<Item: Into<String>>>(
        mut self,
        pem: I,
    ) -> Self {
        let pem = pem.into_iter().map(Into::into);
        self.plain.outbound_root_certificates.extend(pem);
        self
    }

    /// Private networks that documents may come from which strangers name, such as `10.0.0.0/8` or
    /// `fd00:1234::/32`; a single address is a network too. Default: none.
    ///
    /// What the operator names may be inside in any case: the provider, its issuer, its keys. A document
    /// that a stranger names is fetched from the public internet alone, and a name of which one address
    /// is inside is refused. This opens the named networks to it, and names such as `idp.internal`. Metadata
    /// services of clouds (169.254.169.254 and its like) stay closed. All of it stands in
    /// [the way out](crate::docs::network).
    ///
    /// An entry that is no network, that has bits beyond its prefix, or that opens every address makes
    /// [`build`](Self::build) fail.
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.outbound_private_networks(["10.20.0.0/16"])
    /// # }
    /// ```
    pub fn outbound_private_networks<I: IntoIterator<Item: Into<String>>>(
        mut self,
        networks: I,
    ) -> Self {
        let networks = networks.into_iter().map(Into::into);
        self.plain.outbound_private_networks.extend(networks);
        self
    }

    /// The source of time, for tests. Default: [`SystemClock`](crate::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

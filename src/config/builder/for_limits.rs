//! Limits: how much this process takes on.

use super::said::OAuthProxyConfigBuilder;

/// # Limits for the open internet
///
/// Fuses, all of them off by default, and counted by each process for itself. What is refused is told to come again
/// (`Retry-After`), keeps what it has, and is an event of [`Reason::OverLimit`](crate::Reason::OverLimit) or
/// [`Reason::Busy`](crate::Reason::Busy). How to choose them, and what belongs in front of them:
/// [`docs::limits`](crate::docs::limits).
///
/// ```
/// use tower_oauth_proxy::{OAuthProxyConfig, provider};
///
/// let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
/// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
///     .registrations_per_minute(120)
///     .logins_per_minute(300)
///     .callbacks_at_once(500)
///     .token_requests_per_minute(30)
///     .build()?;
/// let limits = config.report().limits;
/// assert_eq!(limits[0].option, "registrations_per_minute");
/// assert_eq!(limits[0].most, Some(120));
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
impl OAuthProxyConfigBuilder {
    /// How many clients may register in a minute, of all that there are. Default: no limit.
    ///
    /// So many at once, and then one more each part of a minute. Only registrations that break no rule count; the
    /// others are refused anyway. Beyond it: 503 with `temporarily_unavailable`, before
    /// [`on_register`](Self::on_register) is asked.
    ///
    /// From 1 to 100,000; to have none at all is [`dynamic_registration(false)`](Self::dynamic_registration).
    pub fn registrations_per_minute(mut self, most: u32) -> Self {
        self.plain.quotas.registrations_per_minute = Some(most);
        self
    }

    /// How many logins may begin in a minute, of all people. Default: no limit.
    ///
    /// So many at once, and then one more each part of a minute. Only requests that break no rule count. Beyond it
    /// the person sees a page (503) on which they can try again.
    ///
    /// From 1 to 100,000.
    pub fn logins_per_minute(mut self, most: u32) -> Self {
        self.plain.quotas.logins_per_minute = Some(most);
        self
    }

    /// How many people who come back from the provider are answered at once: each waits for the provider's answer to
    /// a code. Default: 8,192, of which 256 are at the provider.
    ///
    /// Beyond it the person sees a page (503) on which they can try again; nothing is lost by it.
    ///
    /// From 1 to 8,192.
    pub fn callbacks_at_once(mut self, most: usize) -> Self {
        self.plain.quotas.callbacks_at_once = Some(most);
        self
    }

    /// How many tokens one grant may ask for in a minute, by its refresh token. Default: no limit.
    ///
    /// So many at once, and then one more each part of a minute. The same holds for a machine
    /// ([`StaticClient::machine`](crate::StaticClient::machine)), and for a person or workload that a trusted issuer
    /// vouches for. Beyond it: 429 with `temporarily_unavailable`. Nothing is spent by that: neither the refresh token
    /// nor an assertion. A refresh token that was used before ends its grant all the same.
    ///
    /// From 1 to 100,000. Clients refresh once in [`access_token_ttl`](Self::access_token_ttl); several processes of
    /// one client, and lost answers, are some more. Some clients take a refusal for the end of their login, and send
    /// the person to log in again: give rather ten times as many as are needed.
    pub fn token_requests_per_minute(mut self, most: u32) -> Self {
        self.plain.quotas.token_requests_per_minute = Some(most);
        self
    }
}

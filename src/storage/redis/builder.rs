//! What the operator says about Redis.

use std::{fmt, sync::Arc, time::Duration};

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    cluster::ClusterClientBuilder,
};
use url::Url;

use super::{
    RedisStorage,
    link::{Link, Target, Timeouts},
};
use crate::{
    error::{ConfigError, StorageError},
    oauth::printable,
};

const OPTION: &str = "token_storage";
const DEFAULT_PREFIX: &str = "oauth-proxy:";
/// Keys stay short: the longest of the proxy's own is 200 bytes.
const MAX_PREFIX: usize = 64;
/// TCP, TLS and the greeting within one data centre take milliseconds. Together with the next this
/// stays below the 3 seconds after which the proxy gives up on any store.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Below this a busy network looks like an outage.
const MIN_TIMEOUT: Duration = Duration::from_millis(10);

/// A [`RedisStorage`] to be connected.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::{ConfigError, storage::RedisStorage};
///
/// # fn example() -> Result<(), ConfigError> {
/// // Needs no Redis yet: the first verb connects.
/// let store = RedisStorage::builder("redis://:password@127.0.0.1:6379/3")
///     .prefix("my-service:")
///     .connect_timeout(Duration::from_millis(500))
///     .response_timeout(Duration::from_millis(500))
///     .lazy()?;
/// assert!(!format!("{store:?}").contains("password"));
///
/// let error = RedisStorage::builder("http://127.0.0.1").lazy().unwrap_err();
/// assert_eq!(error.option(), "token_storage");
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[must_use = "nothing is connected before `connect` or `lazy`"]
pub struct RedisStorageBuilder {
    urls: Vec<String>,
    is_cluster: bool,
    prefix: String,
    timeouts: Timeouts,
    ca_certificate: Option<Vec<u8>>,
}

impl RedisStorageBuilder {
    pub(super) fn single(url: &str) -> Self {
        Self::new(vec![url.to_owned()], false)
    }

    pub(super) fn cluster(urls: Vec<String>) -> Self {
        Self::new(urls, true)
    }

    fn new(urls: Vec<String>, is_cluster: bool) -> Self {
        Self {
            urls,
            is_cluster,
            prefix: DEFAULT_PREFIX.to_owned(),
            timeouts: Timeouts {
                connect: CONNECT_TIMEOUT,
                response: RESPONSE_TIMEOUT,
            },
            ca_certificate: None,
        }
    }

    /// What every key begins with: 1 to 64 printable ASCII characters, without spaces and braces.
    /// `oauth-proxy:` unless set. Services that share a Redis need one each, none of which begins
    /// with another; the instances of one service need the same.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The time to connect in: 1 second unless set, at least 10 milliseconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout.max(MIN_TIMEOUT);
        self
    }

    /// The time to answer in: 1 second unless set, at least 10 milliseconds. The proxy waits 3
    /// seconds for any store, so more than that in both together has no effect.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.response = timeout.max(MIN_TIMEOUT);
        self
    }

    /// The authority that signed Redis's certificate, in PEM, for `rediss://`; trusted instead of
    /// the operating system's.
    #[cfg(feature = "rustls")]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// Connects, and tries on a record that is not there what the proxy will do.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `token_storage` when a URL or the prefix is not valid, or Redis cannot
    /// be reached, refuses the password, is a replica, or does not let this user work.
    pub async fn connect(self) -> Result<RedisStorage, ConfigError> {
        let store = self.lazy()?;
        let unusable = |error: &dyn fmt::Display| {
            let addresses = store.link.addresses();
            invalid(format!("Redis at {addresses} cannot be used: {error}"))
        };
        store.link.open().await.map_err(|error| unusable(&error))?;
        match store.probe().await {
            Ok(()) => Ok(store),
            Err(StorageError::Unavailable(error)) => Err(unusable(&error)),
            Err(error) => Err(unusable(&error)),
        }
    }

    /// The store without a connection: the first verb connects. For services that must start while
    /// Redis is down; they then answer 503 until it is there.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `token_storage` when a URL or the prefix is not valid.
    pub fn lazy(self) -> Result<RedisStorage, ConfigError> {
        let prefix = check_prefix(self.prefix)?;
        let ca = self.ca_certificate.as_deref();
        if !ca.is_none_or(holds_certificate) {
            // Silently, no server would be trusted.
            return Err(invalid("the CA certificate for Redis is not PEM"));
        }
        let servers = self.urls.iter().map(|url| server(url, self.is_cluster));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        let is_tls = |info: &ConnectionInfo| matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if ca.is_some() && !servers.iter().all(is_tls) {
            return Err(invalid("a CA certificate is for rediss:// only"));
        }
        let names: Vec<_> = servers.iter().map(|info| info.addr().to_string()).collect();
        let target = if self.is_cluster {
            cluster(servers, self.timeouts, ca)
        } else {
            single(servers, ca)
        };
        let target = target.map_err(|error| {
            let text = printable(&error.to_string(), super::MAX_DETAIL);
            invalid(format!("the Redis URL cannot be used: {text}"))
        })?;
        let link = Link::new(target, self.timeouts, names.join(", "));
        Ok(RedisStorage {
            link: Arc::new(link),
            prefix: prefix.into(),
        })
    }
}

fn check_prefix(prefix: String) -> Result<String, ConfigError> {
    let is_good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
    if prefix.is_empty() || prefix.len() > MAX_PREFIX || !prefix.bytes().all(is_good) {
        // Braces would put every record on one node of a cluster.
        return Err(invalid(format!(
            "a Redis key prefix has 1 to {MAX_PREFIX} printable ASCII characters without spaces and \
             braces"
        )));
    }
    Ok(prefix)
}

fn holds_certificate(pem: &[u8]) -> bool {
    let begin = b"-----BEGIN CERTIFICATE-----";
    pem.windows(begin.len()).any(|run| run == begin)
}

/// Errors never repeat the URL: it holds the password.
fn server(url: &str, is_cluster: bool) -> Result<ConnectionInfo, ConfigError> {
    let parsed = Url::parse(url).map_err(|_| {
        invalid(
            "a Redis URL looks like redis://user:password@host:6379/0; special characters in the \
             password must be percent-encoded",
        )
    })?;
    if matches!(parsed.scheme(), "rediss" | "valkeys") && !cfg!(feature = "rustls") {
        return Err(invalid("TLS towards Redis needs the feature `rustls`"));
    }
    if parsed.fragment().is_some() {
        // `#insecure` would turn certificates off.
        return Err(invalid("a Redis URL has no fragment"));
    }
    let info = url.into_connection_info().map_err(|error| {
        let text = printable(&error.to_string(), super::MAX_DETAIL);
        invalid(format!("the Redis URL is not valid: {text}"))
    })?;
    let settings = info.redis_settings().clone();
    if is_cluster && settings.db() != 0 {
        return Err(invalid("a Redis Cluster has only the database 0"));
    }
    // RESP3 reports a closed connection at once, not with the next verb.
    let is_chosen = parsed.query_pairs().any(|(name, _)| name == "protocol");
    Ok(if is_chosen {
        info
    } else {
        info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3))
    })
}

fn single(servers: Vec<ConnectionInfo>, ca: Option<&[u8]>) -> redis::RedisResult<Target> {
    let Some(server) = servers.into_iter().next() else {
        return Err((redis::ErrorKind::InvalidClientConfig, "no URL").into());
    };
    #[cfg(feature = "rustls")]
    if let Some(ca) = ca {
        let client = redis::Client::build_with_tls(server, certificates(ca))?;
        return Ok(Target::Single(Box::new(client)));
    }
    let _ = ca;
    redis::Client::open(server)
        .map(Box::new)
        .map(Target::Single)
}

fn cluster(
    servers: Vec<ConnectionInfo>,
    timeouts: Timeouts,
    ca: Option<&[u8]>,
) -> redis::RedisResult<Target> {
    let builder = ClusterClientBuilder::new(servers)
        // The client would repeat a verb that timed out, or whose connection broke: see
        // [`RedisStorage`] for what a second `take` answers.
        .retries(0)
        .connection_timeout(timeouts.connect)
        .response_timeout(timeouts.response);
    #[cfg(feature = "rustls")]
    let builder = match ca {
        Some(ca) => builder.certs(certificates(ca)),
        None => builder,
    };
    #[cfg(not(feature = "rustls"))]
    let _ = ca;
    builder.build().map(Box::new).map(Target::Cluster)
}

#[cfg(feature = "rustls")]
fn certificates(ca: &[u8]) -> redis::TlsCertificates {
    redis::TlsCertificates {
        client_tls: None,
        root_cert: Some(ca.to_vec()),
    }
}

fn invalid(message: impl Into<String>) -> ConfigError {
    ConfigError::new(OPTION, message)
}

impl fmt::Debug for RedisStorageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStorageBuilder")
            .field("is_cluster", &self.is_cluster)
            .field("prefix", &self.prefix)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

//! What the operator says about PostgreSQL.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

#[cfg(feature = "rustls")]
use super::encryption::{Encryption, Own};
use super::{
    PostgresStorage,
    connection_url::{self, Target},
    dialing::{self, Dialer},
    pool::{Pool, Timeouts},
    statements::Statements,
    tables::Tables,
};
use crate::error::{ConfigError, StorageError, with_causes};

const OPTION: &str = "token_storage";
const DEFAULT_PREFIX: &str = "oauth_proxy_";
/// A verb has a connection for about a millisecond: eight do thousands in a second. A server has 100 for
/// all who use it, unless told otherwise.
const DEFAULT_CONNECTIONS: usize = 8;
/// More would be of no use to a server, and each is a process of it.
const MAX_CONNECTIONS: usize = 1_000;
/// TCP, TLS and the login within one data centre take tens of milliseconds. Together with the next this
/// stays below the 3 seconds after which the proxy gives up on any store.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Below this a busy network looks like an outage.
const MIN_TIMEOUT: Duration = Duration::from_millis(10);
/// To make the tables, or to wait for another process that makes them.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// A [`PostgresStorage`] to be connected.
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::{ConfigError, storage::PostgresStorage};
///
/// # fn example() -> Result<(), ConfigError> {
/// // Needs no PostgreSQL yet: the first verb connects.
/// let store = PostgresStorage::builder("postgres://app:password@127.0.0.1/app")
///     .schema("auth")
///     .table_prefix("my_service_")
///     .max_connections(4)
///     .connect_timeout(Duration::from_millis(500))
///     .response_timeout(Duration::from_millis(500))
///     .lazy()?;
/// assert!(!format!("{store:?}").contains("password"));
///
/// // Never in plain text by accident.
/// let error = PostgresStorage::builder("postgres://db.internal/app?sslmode=prefer")
///     .lazy()
///     .unwrap_err();
/// assert_eq!(error.option(), "token_storage");
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[must_use = "nothing is connected before `connect` or `lazy`"]
pub struct PostgresStorageBuilder {
    url: String,
    schema: Option<String>,
    table_prefix: String,
    max_connections: usize,
    timeouts: Timeouts,
    #[cfg(feature = "rustls")]
    ca_certificate: Option<Vec<u8>>,
    #[cfg(feature = "rustls")]
    own: Option<Own>,
}

impl PostgresStorageBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            schema: None,
            table_prefix: DEFAULT_PREFIX.to_owned(),
            max_connections: DEFAULT_CONNECTIONS,
            timeouts: Timeouts {
                connect: CONNECT_TIMEOUT,
                response: RESPONSE_TIMEOUT,
            },
            #[cfg(feature = "rustls")]
            ca_certificate: None,
            #[cfg(feature = "rustls")]
            own: None,
        }
    }

    /// The schema of the tables, which is made where it is missing: 1 to 63 lower-case letters, digits and
    /// underscores. Unless set, the first of the connection's `search_path`, `public` as a rule.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// What the tables' names begin with: 1 to 40 lower-case letters, digits and underscores.
    /// `oauth_proxy_` unless set. Services that share a schema need one each; the instances of one service
    /// need the same.
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.table_prefix = prefix.into();
        self
    }

    /// The most connections of this process at once: 8 unless set, 1 to 1,000. All instances together must
    /// stay below the server's `max_connections`. Verbs that find none free wait for one.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// The time to connect in, or to wait for a connection that is free: 1 second unless set, at least 10
    /// milliseconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout.max(MIN_TIMEOUT);
        self
    }

    /// The time to answer in: 1 second unless set, at least 10 milliseconds. The server gives a statement up
    /// after nine tenths of it. The proxy waits 3 seconds for any store, so more than that in both together
    /// has no effect.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.response = timeout.max(MIN_TIMEOUT);
        self
    }

    /// The authority that signed the server's certificate, in PEM, one or more; trusted instead of the
    /// operating system's. `sslrootcert` in the URL names a file of it.
    #[cfg(feature = "rustls")]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// A certificate of this service's and its private key, in PEM, for a server that asks for one.
    #[cfg(feature = "rustls")]
    pub fn client_certificate(
        mut self,
        chain: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.own = Some(Own {
            chain: chain.into(),
            key: key.into(),
        });
        self
    }

    /// Connects, makes the tables where they are missing, and tries on a record that is not there what the
    /// proxy will do.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `token_storage` when an option is not valid, or PostgreSQL cannot be reached,
    /// refuses the login, takes no writes, does not let this role work, or has tables of a newer version.
    pub async fn connect(self) -> Result<PostgresStorage, ConfigError> {
        let store = self.lazy()?;
        let begun = async {
            store.pool.make_ready().await?;
            store.probe().await
        };
        let begun = tokio::time::timeout(START_PATIENCE, begun).await;
        let begun = begun.unwrap_or_else(|_| {
            Err(StorageError::unavailable(
                "it was not ready in time; another process may keep its tables locked",
            ))
        });
        match begun {
            Ok(()) => Ok(store),
            Err(error) => {
                let why = match &error {
                    StorageError::Unavailable(why) => why.to_string(),
                    other => with_causes(other),
                };
                let addresses = &store.addresses;
                Err(invalid(format!(
                    "PostgreSQL at {addresses} cannot be used: {why}"
                )))
            }
        }
    }

    /// The store without a connection: the first verb connects, and makes the tables. For services that
    /// must start while PostgreSQL is down; they then answer 503 until it is there. Reads the file that
    /// `sslrootcert` names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `token_storage` when an option is not valid.
    pub fn lazy(self) -> Result<PostgresStorage, ConfigError> {
        if !(1..=MAX_CONNECTIONS).contains(&self.max_connections) {
            return Err(invalid(format!(
                "a PostgreSQL store has 1 to {MAX_CONNECTIONS} connections, not {}",
                self.max_connections
            )));
        }
        let target = connection_url::parse(&self.url).map_err(invalid)?;
        if target.is_encrypted && !cfg!(feature = "rustls") {
            return Err(invalid(
                "TLS towards PostgreSQL needs the feature `rustls`; where the network is yours, say \
                 sslmode=disable in the URL",
            ));
        }
        let dialer = self.dialer(&target)?;
        let tables = Tables::named(self.schema, self.table_prefix).map_err(invalid)?;
        let statements = Statements::on(&tables);
        let (timeouts, connections) = (self.timeouts, self.max_connections);
        let pool = Pool::new(dialer, timeouts, connections, tables)?;
        Ok(PostgresStorage {
            pool: Arc::new(pool),
            statements: Arc::new(statements),
            sweeper: Arc::default(),
            addresses: target.addresses.into(),
        })
    }

    fn dialer(&self, target: &Target) -> Result<Dialer, ConfigError> {
        let has_certificate = self.has_certificate();
        if has_certificate && !target.is_encrypted {
            return Err(invalid(
                "a certificate is for TLS, and the connection has none: say sslmode=verify-full",
            ));
        }
        let hosts = u32::try_from(target.hosts.len()).unwrap_or(u32::MAX);
        Ok(Dialer {
            hosts: target.hosts.clone(),
            #[cfg(feature = "rustls")]
            encryption: self.encryption(target)?,
            session: dialing::session(self.timeouts.response.mul_f32(0.9)),
            patience: self.timeouts.connect / hosts,
            first: AtomicUsize::new(0),
        })
    }

    #[cfg(feature = "rustls")]
    fn has_certificate(&self) -> bool {
        self.ca_certificate.is_some() || self.own.is_some()
    }

    #[cfg(feature = "rustls")]
    fn encryption(&self, target: &Target) -> Result<Option<Encryption>, ConfigError> {
        if !target.is_encrypted {
            return Ok(None);
        }
        let file = match &target.root_file {
            Some(_) if self.ca_certificate.is_some() => {
                return Err(invalid(
                    "`ca_certificate` and sslrootcert in the URL both name an authority: keep one",
                ));
            }
            Some(path) => {
                let read = std::fs::read(path);
                Some(
                    read.map_err(|error| {
                        invalid(format!("sslrootcert {}: {error}", path.display()))
                    })?,
                )
            }
            None => None,
        };
        let roots = self.ca_certificate.as_deref().or(file.as_deref());
        let encryption = Encryption::new(roots, self.own.as_ref()).map_err(invalid)?;
        Ok(Some(encryption))
    }

    #[cfg(not(feature = "rustls"))]
    fn has_certificate(&self) -> bool {
        false
    }
}

fn invalid(message: impl Into<String>) -> ConfigError {
    ConfigError::new(OPTION, message)
}

impl fmt::Debug for PostgresStorageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStorageBuilder")
            .field("schema", &self.schema)
            .field("table_prefix", &self.table_prefix)
            .field("max_connections", &self.max_connections)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

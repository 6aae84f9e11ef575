//! The connections: lent to one verb each, bounded in number and in time, thrown away in doubt.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use deadpool_postgres::{
    ClientWrapper, HookError, Manager, ManagerConfig, Object, Pool as Connections, PoolError,
    RecyclingMethod, Runtime, TimeoutType,
};
use tokio::{sync::Mutex, time::Instant};
use tokio_postgres::{Config, Error, error::SqlState};

use super::{
    dialing::Dialer,
    migration::{self, Unfit},
    tables::Tables,
};
use crate::{
    error::{ConfigError, StorageError, with_causes},
    oauth::printable,
};

/// PostgreSQL's own words in an error, in characters.
pub(super) const MAX_DETAIL: usize = 200;

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) response: Duration,
}

pub(super) struct Pool {
    connections: Connections,
    timeouts: Timeouts,
    max_connections: usize,
    tables: Tables,
    /// Whether the tables are known to be there.
    is_ready: AtomicBool,
    /// One of this process looks or makes them at a time.
    making: Mutex<()>,
}

impl Pool {
    pub(super) fn new(
        dialer: Dialer,
        timeouts: Timeouts,
        max_connections: usize,
        tables: Tables,
    ) -> Result<Self, ConfigError> {
        let recycling_method = RecyclingMethod::Fast;
        let manager =
            Manager::from_connect(Config::new(), dialer, ManagerConfig { recycling_method });
        let connections = Connections::builder(manager)
            .max_size(max_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(timeouts.connect))
            .create_timeout(Some(timeouts.connect))
            // The last one that worked: what the network forgot stays at the bottom.
            .queue_mode(deadpool_postgres::QueueMode::Lifo)
            .build()
            .map_err(|error| ConfigError::new("token_storage", error.to_string()))?;
        Ok(Self {
            connections,
            timeouts,
            max_connections,
            tables,
            is_ready: AtomicBool::new(false),
            making: Mutex::new(()),
        })
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Lends a connection to `verb`, which it may use once: an error does not say whether it was carried
    /// out. All in all it takes no longer than the two timeouts together.
    pub(super) async fn run<T>(
        &self,
        verb: impl AsyncFnOnce(&ClientWrapper) -> Result<T, Error>,
    ) -> Result<T, StorageError> {
        let end = Instant::now() + self.timeouts.connect + self.timeouts.response;
        let lent = async {
            self.make_ready().await?;
            self.lend().await
        };
        let connection = tokio::time::timeout_at(end, lent).await;
        let connection = connection.unwrap_or_else(|_| Err(late("a connection")))?;
        let end = end.min(Instant::now() + self.timeouts.response);
        match tokio::time::timeout_at(end, verb(&connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.judge(connection, &error);
                Err(failure(&error))
            }
            Err(_) => {
                self.abandon(connection);
                Err(late("an answer"))
            }
        }
    }

    /// Makes the tables where they are missing, or says why they cannot be used.
    pub(super) async fn make_ready(&self) -> Result<(), StorageError> {
        if self.is_ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let _turn = self.making.lock().await;
        if self.is_ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut connection = self.lend().await?;
        match migration::bring_up(&mut connection, &self.tables).await {
            Ok(()) => self.is_ready.store(true, Ordering::Release),
            Err(Unfit::Failed(error)) => {
                self.judge(connection, &error);
                return Err(failure(&error));
            }
            Err(Unfit::Refused(why)) => return Err(StorageError::unavailable(why)),
        }
        if let Ok(Some(setting)) = migration::loses_commits(&connection).await {
            tracing::warn!(
                target: "tower_oauth_proxy",
                %setting,
                "PostgreSQL may lose what it confirmed when it crashes: a revoked grant or a redeemed \
                 code can come back; set {setting} to on"
            );
        }
        Ok(())
    }

    async fn lend(&self) -> Result<Object, StorageError> {
        let lent = self.connections.get().await;
        lent.map_err(|error| match &error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                failure(error)
            }
            PoolError::Timeout(TimeoutType::Wait) => StorageError::unavailable(format!(
                "all {} connections to PostgreSQL are at work, and none became free in time",
                self.max_connections
            )),
            PoolError::Timeout(_) => late("a new connection"),
            other => StorageError::unavailable(printable(&other.to_string(), MAX_DETAIL)),
        })
    }

    /// What an error says about the connection it came over, and about the others.
    fn judge(&self, connection: Object, error: &Error) {
        let Some(code) = error.code() else {
            // Broken, or out of step.
            return drop(Object::take(connection));
        };
        if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code) {
            // An empty database was put in the place of ours. The next verb makes the tables.
            self.is_ready.store(false, Ordering::Release);
        } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            // Demoted. Of several hosts another one may take writes now.
            self.abandon(connection);
        } else if *code == SqlState::INVALID_SQL_STATEMENT_NAME {
            // Something in between gave the statements that we had prepared to another server.
            drop(Object::take(connection));
        }
    }

    /// A server that stopped answering will not answer the connections that lie idle either; each would
    /// cost one verb the whole wait.
    fn abandon(&self, connection: Object) {
        drop(Object::take(connection));
        self.connections.retain(|_, _| false);
    }
}

fn late(what: &str) -> StorageError {
    StorageError::unavailable(format!("PostgreSQL did not give {what} in time"))
}

/// In the trait's words. No text of ours has a key or a value in it: they are all bound, and the server's
/// details, which may repeat them, are left out.
fn failure(error: &Error) -> StorageError {
    let text = match error.as_db_error() {
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => with_causes(error),
    };
    let text = printable(&text, MAX_DETAIL);
    let is_foreign = |code: &SqlState| {
        let foreign = [
            SqlState::DATA_CORRUPTED,
            SqlState::INDEX_CORRUPTED,
            SqlState::DATATYPE_MISMATCH,
            SqlState::UNDEFINED_COLUMN,
        ];
        foreign.contains(code)
    };
    if error.code().is_some_and(is_foreign) {
        return StorageError::Corrupt(format!("PostgreSQL: {text}"));
    }
    StorageError::unavailable(format!("PostgreSQL: {text}"))
}

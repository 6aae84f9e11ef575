//! One new connection: dialled, greeted, set up.

use std::{
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls, Socket, tls::MakeTlsConnect};

#[cfg(feature = "rustls")]
use super::encryption::Encryption;

/// What a database or a role may have set otherwise, and the verbs rely on.
///
/// A statement that the server gives up in time is told apart from a server that does not answer, and holds
/// no lock when its caller has long gone.
pub(super) fn session(statement_timeout: Duration) -> String {
    let limit = statement_timeout.as_millis().max(1);
    format!(
        "SET statement_timeout = {limit}; \
         SET default_transaction_isolation = 'read committed'; \
         SET client_min_messages = warning"
    )
}

/// How connections are made.
pub(super) struct Dialer {
    /// One at least.
    pub(super) hosts: Vec<Config>,
    #[cfg(feature = "rustls")]
    pub(super) encryption: Option<Encryption>,
    pub(super) session: String,
    /// For each host: one that is frozen, or whose packets are lost, must leave time for the next.
    pub(super) patience: Duration,
    /// The host that took writes the last time is asked first.
    pub(super) first: AtomicUsize,
}

impl Dialer {
    async fn dial_each(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let first = self.first.load(Ordering::Relaxed);
        let mut refused = None;
        for turn in 0..self.hosts.len() {
            let at = (first + turn) % self.hosts.len();
            let Some(config) = self.hosts.get(at) else {
                continue;
            };
            match tokio::time::timeout(self.patience, self.dial_one(config)).await {
                Ok(Ok(connection)) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error)) => refused = Some(error),
                Err(_) => {}
            }
        }
        match refused {
            Some(error) => Err(error),
            // None has answered, which the pool tells in its own words in a moment.
            None => std::future::pending().await,
        }
    }

    async fn dial_one(&self, config: &Config) -> Result<(Client, JoinHandle<()>), Error> {
        #[cfg(feature = "rustls")]
        if let Some(encryption) = &self.encryption {
            return self.dial(config, encryption.clone()).await;
        }
        // Where TLS was asked for, the driver's mode is `Require`: it refuses to go on without.
        self.dial(config, NoTls).await
    }

    async fn dial<T>(&self, config: &Config, tls: T) -> Result<(Client, JoinHandle<()>), Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let (client, connection) = config.connect(tls).await?;
        let mut task = Task(Some(tokio::spawn(async move {
            // Each verb that was on its way hears of it, and the next dials again.
            let _ = connection.await;
        })));
        client.batch_execute(&self.session).await?;
        // Nothing took it before.
        let task = task.0.take().unwrap_or_else(|| tokio::spawn(async {}));
        Ok((client, task))
    }
}

impl Connect for Dialer {
    /// The pool knows one configuration; there is one for each host here.
    fn connect(
        &self,
        _: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(self.dial_each())
    }
}

/// Ends with who dialled, until somebody else has it: a server that accepts and then says nothing would
/// keep the socket open.
struct Task(Option<JoinHandle<()>>);

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

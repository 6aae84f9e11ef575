//! One new connection: dialled, greeted, set up.

use std::{pin::Pin, time::Duration};

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
    #[cfg(feature = "rustls")]
    pub(super) encryption: Option<Encryption>,
    pub(super) session: String,
}

impl Dialer {
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
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            #[cfg(feature = "rustls")]
            if let Some(encryption) = &self.encryption {
                return self.dial(&config, encryption.clone()).await;
            }
            // Where TLS was asked for, the driver's mode is `Require`: it refuses to go on without.
            self.dial(&config, NoTls).await
        })
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

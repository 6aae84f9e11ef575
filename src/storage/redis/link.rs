//! The one connection of a store: made when needed, shared by all verbs, made anew when it fails.
//!
//! The `redis` crate's own connection manager is not used: it keeps a connection whose server stopped
//! answering without closing it (a host that vanished), for as long as TCP does.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, PushInfo, PushKind, RedisError,
    RedisResult, ServerErrorKind, aio::MultiplexedConnection, cluster::ClusterClient,
    cluster_async::ClusterConnection,
};
use tokio::{sync::watch, time::Instant};

use super::{cluster, greeting};

/// A cluster's connection is not made anew more often than this: one frozen shard must not keep
/// the others from working.
const CLUSTER_RENEWAL: Duration = Duration::from_secs(3);
/// A cluster is reached by its seeds, then asked for its nodes, then those are connected to.
const CLUSTER_STEPS: u32 = 4;

/// Where Redis is.
pub(super) enum Target {
    Single(Box<redis::Client>),
    Cluster(Box<ClusterClient>),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) response: Duration,
}

/// See the module.
pub(super) struct Link {
    target: Target,
    timeouts: Timeouts,
    /// Without user and password.
    addresses: String,
    state: Mutex<State>,
    was_examined: AtomicBool,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    dialing: Option<Dialing>,
    dials: u64,
}

/// What a dial came to, once it has.
type Dialing = watch::Receiver<Option<RedisResult<Live>>>;

#[derive(Clone)]
struct Live {
    connection: Connection,
    /// Which dial made it.
    number: u64,
    since: Instant,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) fn new(target: Target, timeouts: Timeouts, addresses: String) -> Self {
        Self {
            target,
            timeouts,
            addresses,
            state: Mutex::default(),
            was_examined: AtomicBool::new(false),
        }
    }

    pub(super) fn addresses(&self) -> &str {
        &self.addresses
    }

    /// Connects, however long that takes within its own limits.
    pub(super) async fn open(self: &Arc<Self>) -> RedisResult<()> {
        self.live().await.map(drop)
    }

    /// Bounds a whole verb: waiting for a connection, redirections, the answer.
    pub(super) async fn within_time<T>(
        &self,
        verb: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<T> {
        in_time(self.timeouts.connect + self.timeouts.response, verb).await
    }

    /// Sends a command once; an error does not say whether it was carried out.
    pub(super) async fn send<T: FromRedisValue>(self: &Arc<Self>, command: &Cmd) -> RedisResult<T> {
        let live = self.live().await?;
        let answer = match live.connection.clone() {
            Connection::Single(mut connection) => command.query_async(&mut connection).await,
            Connection::Cluster(connection) => cluster::send(connection, command).await,
        };
        if let Err(error) = &answer {
            self.judge(&live, error);
        }
        answer
    }

    /// The connection, or what came of the dial that is in progress or begins now.
    async fn live(self: &Arc<Self>) -> RedisResult<Live> {
        let mut dialing = {
            let mut state = self.lock();
            match &state.live {
                Some(live) => return Ok(live.clone()),
                None => self.dial(&mut state),
            }
        };
        let outcome = dialing.wait_for(Option::is_some).await;
        match outcome.ok().and_then(|outcome| outcome.clone()) {
            Some(outcome) => outcome,
            None => Err((ErrorKind::Io, "the runtime that was connecting ended").into()),
        }
    }

    /// In a task of its own: callers come and go, and a cluster takes longer than one verb may.
    fn dial(self: &Arc<Self>, state: &mut State) -> Dialing {
        if let Some(dialing) = &state.dialing
            && dialing.has_changed().is_ok()
        {
            return dialing.clone();
        }
        let (outcome, dialing) = watch::channel(None);
        state.dials += 1;
        let (link, number) = (Arc::clone(self), state.dials);
        tokio::spawn(async move {
            let live = link.connect(number).await.map(|connection| Live {
                connection,
                number,
                since: Instant::now(),
            });
            link.dialed(&live);
            outcome.send_replace(Some(live.clone()));
            if let Ok(live) = live {
                link.examine(live.connection).await;
            }
        });
        state.dialing = Some(dialing.clone());
        dialing
    }

    fn dialed(&self, live: &RedisResult<Live>) {
        let mut state = self.lock();
        state.dialing = None;
        if let Ok(live) = live {
            state.live = Some(live.clone());
        }
    }

    async fn connect(self: &Arc<Self>, number: u64) -> RedisResult<Connection> {
        #[cfg(feature = "rustls")]
        choose_cryptography();
        let limit = self.timeouts.connect;
        match &self.target {
            Target::Single(client) => in_time(limit, self.connect_single(client, number)).await,
            Target::Cluster(client) => {
                let connecting = client.get_async_connection();
                let connection = in_time(limit * CLUSTER_STEPS, connecting).await?;
                Ok(Connection::Cluster(connection))
            }
        }
    }

    async fn connect_single(
        self: &Arc<Self>,
        client: &redis::Client,
        number: u64,
    ) -> RedisResult<Connection> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeouts.connect))
            .set_response_timeout(Some(self.timeouts.response));
        let settings = client.get_connection_info().redis_settings();
        if settings.protocol().supports_resp3() {
            let link = Arc::downgrade(self);
            config = config.set_push_sender(move |push: PushInfo| -> Result<(), ()> {
                if push.kind == PushKind::Disconnection
                    && let Some(link) = link.upgrade()
                {
                    link.drop_connection(number);
                }
                Ok(())
            });
        }
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        greeting::refuse_what_cannot_serve(&mut connection).await?;
        Ok(Connection::Single(connection))
    }

    /// What an error says about the connection.
    fn judge(self: &Arc<Self>, live: &Live, error: &RedisError) {
        // A server that refuses to write was demoted; the new primary is elsewhere.
        let is_replica = error.kind() == ServerErrorKind::ReadOnly.into();
        if !error.is_timeout() && !error.is_unrecoverable_error() && !is_replica {
            return;
        }
        match self.target {
            Target::Single(_) => self.drop_connection(live.number),
            // It mends itself when a node goes, but does not look for another when one freezes. The
            // old one serves the other shards until the new one is there.
            Target::Cluster(_) if live.since.elapsed() >= CLUSTER_RENEWAL => {
                let mut state = self.lock();
                if is_current(&state, live.number) {
                    drop(self.dial(&mut state));
                }
            }
            Target::Cluster(_) => {}
        }
    }

    /// The next verb connects anew.
    fn drop_connection(&self, number: u64) {
        let mut state = self.lock();
        let dropped = if is_current(&state, number) {
            state.live.take()
        } else {
            None
        };
        drop(state);
        drop(dropped);
    }

    /// Once, after the first connection.
    async fn examine(&self, connection: Connection) {
        if self.was_examined.swap(true, Ordering::Relaxed) {
            return;
        }
        let memory = match connection {
            Connection::Single(mut connection) => greeting::memory(&mut connection).await,
            Connection::Cluster(connection) => cluster::memory(connection).await,
        };
        if let Some(policy) = memory.ok().and_then(|memory| greeting::evicts(&memory)) {
            tracing::warn!(
                target: "tower_oauth_proxy",
                redis = %self.addresses,
                %policy,
                "Redis drops live records when it is full, and their owners have to log in again; \
                 set maxmemory-policy to noeviction"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_current(state: &State, number: u64) -> bool {
    state
        .live
        .as_ref()
        .is_some_and(|live| live.number == number)
}

async fn in_time<T>(limit: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err((ErrorKind::Io, "Redis did not answer in time").into()),
    }
}

/// `redis` takes the process's choice, and panics where features brought two providers and none was
/// chosen. With one, this is what it would do itself.
#[cfg(feature = "rustls")]
fn choose_cryptography() {
    use rustls::crypto::{CryptoProvider, aws_lc_rs};
    if CryptoProvider::get_default().is_none() {
        // Another thread may choose at the same moment; its choice is as good.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

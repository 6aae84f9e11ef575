//! Everything that a test needs: a store, a provider, processes, and the real time.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{Mutex, MutexGuard};

use crate::{
    fleet::{BASE, Fleet},
    front::Front,
};
use testkit::redis::Server;
use testkit::{
    Auth, Browser, Client, FakeClock, Pkce, Provider, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

/// The store of a deployment.
pub(crate) enum Backend {
    Sqlite(PathBuf),
    Redis(Server),
    Postgres(testkit::postgres::Server),
}

impl Backend {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(testkit::redis::fresh_dir())
    }

    /// One that has written to the disk what it says it has.
    pub(crate) fn redis() -> Self {
        Self::Redis(Server::with(&[
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--rdbcompression",
            "no",
        ]))
    }

    /// What it has confirmed it has; here only processes die, so that nothing waits for the disk.
    pub(crate) fn postgres() -> Self {
        Self::Postgres(testkit::postgres::Server::start())
    }

    pub(crate) fn dir(&self) -> &Path {
        match self {
            Self::Sqlite(dir) => dir,
            Self::Redis(server) => &server.dir,
            Self::Postgres(server) => &server.dir,
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(dir) => format!("sqlite:{}", dir.join("grants.db").display()),
            Self::Redis(server) => server.url(),
            Self::Postgres(server) => server.url(),
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Self::Sqlite(dir) = self {
            let _ = fs::remove_dir_all(dir);
        }
    }
}

pub(crate) struct World {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) front: Front,
    pub(crate) provider: Arc<Provider>,
    pub(crate) clock: FakeClock,
    pub(crate) backend: Backend,
    /// Tests that measure time must not run beside others.
    _turn: MutexGuard<'static, ()>,
}

impl World {
    pub(crate) async fn start(
        processes: usize,
        backend: Backend,
        environment: &[(&str, &str)],
    ) -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        let turn = TURN.lock().await;
        let clock = ticking();
        let provider = Arc::new(Provider::start(clock.clone()).await);
        let front = Front::start(provider.clone()).await;
        let url = backend.url();
        let mut variables = vec![("STORAGE", url.as_str())];
        variables.extend_from_slice(environment);
        let logs = testkit::redis::fresh_dir();
        let fleet = Fleet::start(processes, &front, logs, &variables).await;
        Self {
            fleet,
            front,
            provider,
            clock,
            backend,
            _turn: turn,
        }
    }

    /// A browser that knows processes and provider.
    pub(crate) fn browser(&self) -> Browser {
        self.browser_at(self.fleet.wire())
    }

    pub(crate) fn browser_at(&self, wire: Wire) -> Browser {
        Browser::new(&self.clock)
            .knowing(wire)
            .knowing(self.provider.wire())
    }

    /// A registered client.
    pub(crate) async fn client(&self) -> Client {
        Client::register(&self.fleet.wire(), "", &native_metadata(CALLBACK)).await
    }

    /// Authorize, consent, login; the callback URL that the client receives.
    pub(crate) async fn login(&self, client: &Client, pkce: &Pkce) -> String {
        let mut browser = self.browser();
        let url = client.authorize(pkce, "client-state").url();
        browser.open(&url).await.page().reply.expect(200);
        let callback = browser.press("approve").await.left();
        assert_eq!(query_param(&callback, "error"), None, "{callback}");
        callback
    }

    /// Register, authorize, consent, login, redeem.
    pub(crate) async fn logged_in(&self) -> (Client, Tokens) {
        let (client, pkce) = (self.client().await, Pkce::new());
        let callback = self.login(&client, &pkce).await;
        let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
        (client, tokens)
    }

    /// What must hold after every test. Keeps the logs when it does not.
    pub(crate) fn close(self) {
        let logged = self.fleet.logged();
        let panicked = logged.lines().find(|line| line.contains("panicked at"));
        assert_eq!(panicked, None, "see {}", self.fleet.logs.display());
        fs::remove_dir_all(&self.fleet.logs).unwrap();
    }
}

impl Drop for World {
    /// A hook at the provider may hold the processes, which hold the provider: they would outlive us.
    fn drop(&mut self) {
        self.front.no_more();
    }
}

/// The same client, asking one process.
pub(crate) fn at(client: &Client, wire: &Wire) -> Client {
    Client {
        wire: wire.clone(),
        ..client.clone()
    }
}

/// A client from a registration's answer, whoever gave it.
pub(crate) fn public_client(wire: &Wire, id: &str) -> Client {
    Client {
        wire: wire.clone(),
        base_path: String::new(),
        id: id.to_owned(),
        secret: None,
        auth: Auth::None,
        redirect_uri: CALLBACK.to_owned(),
    }
}

/// The kit's clock, going: processes have the real one.
fn ticking() -> FakeClock {
    let clock = FakeClock::default();
    clock.set_unix(unix_now());
    let kept = clock.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            kept.set_unix(unix_now());
        }
    });
    clock
}

pub(crate) fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// Numbers that look random, the same for the same seed (SplitMix64).
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// From `SEED`, or of this moment; printed.
    pub(crate) fn from_environment() -> Self {
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = match std::env::var("SEED") {
            Ok(seed) => seed.parse().expect("SEED is a number"),
            Err(_) => u64::from(moment.subsec_nanos()),
        };
        println!("SEED={seed}");
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `below` - 1.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.roll() % below
    }

    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// The URL of the base, for browsers.
pub(crate) fn url(path: &str) -> String {
    format!("{BASE}{path}")
}

//! Processes of the example, and a client that asks them in turn.

use std::{
    convert::Infallible,
    path::PathBuf,
    process::Stdio,
    sync::{
        Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::front::Front;
use testkit::Wire;

/// The base URL that all processes share. Nobody listens there.
pub(crate) const BASE: &str = "http://localhost:4999";

/// What a process needs that nobody logs in at.
pub(crate) const ALONE: [(&str, &str); 7] = [
    ("LISTEN", "127.0.0.1:0"),
    ("BASE_URL", BASE),
    ("UPSTREAM_AUTHORIZE_URL", "http://127.0.0.1:9/authorize"),
    ("UPSTREAM_TOKEN_URL", "http://127.0.0.1:9/token"),
    ("UPSTREAM_CLIENT_ID", "app"),
    ("UPSTREAM_CLIENT_SECRET", "c1f4a96e2b7d58033e9d6ab84f7520ce"),
    ("SCOPES", "openid"),
];

/// What the client sees when a connection breaks before the answer is complete.
pub(crate) const BROKEN: u16 = 599;

/// An answer that takes longer than this counts as none.
const GIVE_UP: Duration = Duration::from_secs(30);

/// A process that runs, or ran.
struct Process {
    child: Child,
    /// Different at each start; part of the provider's URL that this process is told.
    incarnation: u32,
}

/// Processes behind one base URL.
pub(crate) struct Fleet {
    slots: Vec<tokio::sync::Mutex<Option<Process>>>,
    ports: Vec<Mutex<Option<u16>>>,
    environment: Mutex<Vec<(String, String)>>,
    front: Front,
    http: reqwest::Client,
    next: AtomicUsize,
    incarnations: AtomicU32,
    deaths: Mutex<Vec<(u32, Instant)>>,
    slowest: Mutex<Duration>,
    pub(crate) logs: PathBuf,
}

impl Fleet {
    /// Starts this many. `environment` is added to what a journey needs.
    pub(crate) async fn start(
        count: usize,
        front: &Front,
        logs: PathBuf,
        environment: &[(&str, &str)],
    ) -> Arc<Self> {
        let mut variables = vec![
            ("BASE_URL", BASE),
            ("LISTEN", "127.0.0.1:0"),
            ("SCOPES", "openid read write"),
            ("SECRET_KEY", "Vq3tY8sLr1ZpK6wXb0NfUe7JmGh2Dc5A"),
        ];
        variables.extend_from_slice(environment);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let fleet = Arc::new(Self {
            slots: (0..count).map(|_| tokio::sync::Mutex::default()).collect(),
            ports: (0..count).map(|_| Mutex::default()).collect(),
            environment: Mutex::new(variables.into_iter().map(owned).collect()),
            front: front.clone(),
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(GIVE_UP)
                .build()
                .unwrap(),
            next: AtomicUsize::new(0),
            incarnations: AtomicU32::new(0),
            deaths: Mutex::default(),
            slowest: Mutex::default(),
            logs,
        });
        for slot in 0..count {
            fleet.restart(slot).await;
        }
        fleet
    }

    /// What a process is told when it is started the next time.
    pub(crate) fn tell(&self, name: &str, value: &str) {
        let mut environment = self.environment.lock().unwrap();
        environment.retain(|(old, _)| old != name);
        environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// `kill -9` for the process that has this number, if it still runs.
    pub(crate) async fn kill_incarnation(&self, incarnation: u32) -> Option<usize> {
        for (at, slot) in self.slots.iter().enumerate() {
            let mut process = slot.lock().await;
            if process.as_ref().map(|p| p.incarnation) == Some(incarnation) {
                let process = process.take().unwrap();
                self.end(at, process).await;
                return Some(at);
            }
        }
        None
    }

    /// Asks it to stop, by SIGINT or by SIGTERM, and starts it anew.
    pub(crate) async fn roll(&self, slot: usize) {
        let mut process = self.slots[slot].lock().await;
        let mut old = process.take().expect("a process");
        *self.ports[slot].lock().unwrap() = None;
        let id = old.child.id().expect("it runs").to_string();
        let signal = ["-INT", "-TERM"][slot % 2];
        let mut kill = Command::new("kill");
        assert!(kill.args([signal, &id]).status().await.unwrap().success());
        if tokio::time::timeout(Duration::from_secs(5), old.child.wait())
            .await
            .is_err()
        {
            self.end(slot, old).await;
        }
        self.begin(slot, &mut process).await;
    }

    async fn end(&self, slot: usize, mut process: Process) {
        *self.ports[slot].lock().unwrap() = None;
        process.child.kill().await.expect("it can be killed");
        let mut deaths = self.deaths.lock().unwrap();
        deaths.push((process.incarnation, Instant::now()));
    }

    /// Kills it if it runs, and starts it.
    pub(crate) async fn restart(&self, slot: usize) {
        let mut process = self.slots[slot].lock().await;
        if let Some(old) = process.take() {
            self.end(slot, old).await;
        }
        self.begin(slot, &mut process).await;
    }

    async fn begin(&self, slot: usize, process: &mut Option<Process>) {
        let incarnation = self.incarnations.fetch_add(1, Ordering::Relaxed);
        let log = std::fs::File::create(self.logs.join(format!("{incarnation}.log"))).unwrap();
        let mut child = Command::new(example())
            .env_clear()
            .envs(self.environment.lock().unwrap().iter().cloned())
            .envs(self.front.environment(incarnation))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the example starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(GIVE_UP, lines.next_line()).await;
        let line = line.expect("it listens in time").unwrap();
        let port = line.as_deref().and_then(|line| line.rsplit(':').next());
        let port = port.and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| {
            panic!(
                "{line:?} instead of an address: see {}",
                self.logs.display()
            )
        });
        *process = Some(Process { child, incarnation });
        *self.ports[slot].lock().unwrap() = Some(port);
    }

    /// The processes in turn, as behind a balancer that passes over those that are down.
    pub(crate) fn wire(self: &Arc<Self>) -> Wire {
        self.wire_by(|fleet| fleet.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The processes in turn, beginning with this one, for nobody else.
    pub(crate) fn wire_from(self: &Arc<Self>, slot: usize) -> Wire {
        let next = Arc::new(AtomicUsize::new(slot));
        self.wire_by(move |_| next.fetch_add(1, Ordering::Relaxed))
    }

    /// Always this process.
    pub(crate) fn wire_to(self: &Arc<Self>, slot: usize) -> Wire {
        self.wire_by(move |_| slot)
    }

    fn wire_by(
        self: &Arc<Self>,
        choose: impl Fn(&Self) -> usize + Clone + Send + Sync + 'static,
    ) -> Wire {
        let fleet = self.clone();
        let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
            let (fleet, choose) = (fleet.clone(), choose.clone());
            async move {
                let slot = choose(&fleet) % fleet.len();
                Ok::<_, Infallible>(fleet.ask(slot, request).await)
            }
        });
        Wire::new(BASE, service)
    }

    async fn ask(&self, first: usize, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        for slot in (first..first + self.len()).map(|slot| slot % self.len()) {
            let Some(port) = *self.ports[slot].lock().unwrap() else {
                continue;
            };
            let sent = self
                .http
                .request(
                    parts.method.clone(),
                    format!("http://127.0.0.1:{port}{}", parts.uri),
                )
                .headers(parts.headers.clone())
                .body(body.clone())
                .send()
                .await;
            let answer = match sent {
                Err(error) if error.is_connect() => continue,
                Err(error) => Err(error),
                Ok(answer) => whole(answer, slot).await,
            };
            let took = started.elapsed();
            let mut slowest = self.slowest.lock().unwrap();
            *slowest = took.max(*slowest);
            return answer.unwrap_or_else(|error| broken(&error.to_string()));
        }
        broken("no process is up")
    }

    /// The longest time that an answer took since this was asked last.
    pub(crate) fn slowest(&self) -> Duration {
        std::mem::take(&mut *self.slowest.lock().unwrap())
    }

    /// Which processes were killed, and when.
    pub(crate) fn deaths(&self) -> MutexGuard<'_, Vec<(u32, Instant)>> {
        self.deaths.lock().unwrap()
    }

    /// What all processes that ever ran have logged.
    pub(crate) fn logged(&self) -> String {
        let entries = std::fs::read_dir(&self.logs).unwrap();
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        entries.map(read).collect()
    }
}

async fn whole(answer: reqwest::Response, slot: usize) -> reqwest::Result<Response<Full<Bytes>>> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut whole = Response::new(Full::from(answer.bytes().await?));
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    whole.headers_mut().insert(SERVED_BY, slot.into());
    Ok(whole)
}

/// Added by the client: which process answered.
pub(crate) const SERVED_BY: &str = "x-served-by";

fn broken(why: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(why.to_owned()));
    *answer.status_mut() = StatusCode::from_u16(BROKEN).unwrap();
    answer
}

/// Builds the example once, with the features of this test: then the library is not built again. `CUSTOM_PROVIDER`
/// names one that is built.
pub(crate) fn example() -> &'static PathBuf {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        if let Some(built) = std::env::var_os("CUSTOM_PROVIDER") {
            return built.into();
        }
        let features = [
            ("axum", cfg!(feature = "axum")),
            ("native-tls", cfg!(feature = "native-tls")),
            ("postgres", cfg!(feature = "postgres")),
            ("redis", cfg!(feature = "redis")),
            ("rustls", cfg!(feature = "rustls")),
            ("sqlite", cfg!(feature = "sqlite")),
            ("storage-contract", cfg!(feature = "storage-contract")),
        ];
        let chosen = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
        // target/debug/deps/processes-…
        let here = std::env::current_exe().unwrap();
        let profile = here.parent().unwrap().parent().unwrap();
        let is_release = profile.ends_with("release");
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "custom_provider"])
            .args(["--no-default-features", "--features"])
            .arg(chosen.collect::<Vec<_>>().join(","))
            .args(is_release.then_some("--release"))
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(
            built.success(),
            "the example custom_provider does not build"
        );
        profile.join("examples/custom_provider")
    })
}

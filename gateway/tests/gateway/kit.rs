//! A gateway as its own process, and a client that speaks HTTP/1 or HTTP/2 to it.

use std::{
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};
use tower_oauth_proxy::{ApiKey, BoxError};

/// A provider that nobody asks here.
pub(crate) const PROVIDER: [(&str, &str); 3] = [
    ("GATEWAY_PROVIDER_PRESET", "github"),
    ("GATEWAY_PROVIDER_CLIENT_ID", "client-id"),
    (
        "GATEWAY_PROVIDER_CLIENT_SECRET",
        "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8",
    ),
];

/// More than anything here takes on a busy machine, and less than a test's patience.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Whom the key stands for.
pub(crate) const KEY_SUBJECT: &str = "key|nightly-report";

/// What has to happen, within a bound.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LONG, what)
        .await
        .expect("it did not happen in time")
}

/// Asks again until it holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = tokio::time::Instant::now() + LONG;
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A running gateway, until dropped.
pub(crate) struct Gateway {
    child: Child,
    /// Where it listens, as it says it.
    pub(crate) place: String,
    pub(crate) admin: SocketAddr,
    /// An API key that is let in.
    pub(crate) key: String,
    log: Arc<Mutex<String>>,
    _folder: Folder,
}

/// A folder of its own, gone with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gateway-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Gateway {
    /// In front of this server, with these settings besides.
    pub(crate) async fn before(upstream: &str, settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let key = ApiKey::generate();
        let keys = folder.0.join("keys.jsonl");
        std::fs::write(&keys, key.line("nightly-report")).unwrap();
        // One that was built to be fast, for a bench.
        let built = std::env::var_os("GATEWAY");
        let built = built.unwrap_or_else(|| env!("CARGO_BIN_EXE_tower-oauth-gateway").into());
        let mut command = Command::new(built);
        command
            .env_clear()
            .env("GATEWAY_LISTEN", "127.0.0.1:0")
            .env("GATEWAY_ADMIN_LISTEN", "127.0.0.1:0")
            .env("GATEWAY_BASE_URL", "https://mcp.example.com")
            .env("GATEWAY_MACHINES_API_KEYS_FILE", &keys)
            .env("GATEWAY_UPSTREAM_URL", upstream)
            .envs(PROVIDER)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in settings {
            let name = name.to_uppercase().replace('.', "_");
            command.env(format!("GATEWAY_{name}"), value);
        }
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        tokio::spawn(keep(child.stderr.take().unwrap(), Arc::clone(&log)));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut place, mut admin) = (None, None);
        while place.is_none() || admin.is_none() {
            let line = soon(lines.next_line()).await.unwrap();
            let Some(line) = line else {
                panic!("it ended: {}", log.lock().unwrap());
            };
            if let Some(said) = line.strip_prefix("listening on ") {
                place = Some(said.to_owned());
            }
            if let Some(said) = line.strip_prefix("admin on ") {
                admin = Some(said.parse().unwrap());
            }
        }
        Self {
            child,
            place: place.unwrap(),
            admin: admin.unwrap(),
            key: key.reveal().to_owned(),
            log,
            _folder: folder,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.place.parse().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// SIGTERM.
    pub(crate) fn stop(&self) {
        let id = i32::try_from(self.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    }

    /// Its end, which has to be a good one.
    pub(crate) async fn ended(&mut self) {
        let status = soon(self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// A request with the key.
    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "mcp.example.com")
            .header("authorization", format!("Bearer {}", self.key))
    }

    /// A connection of HTTP/1.
    pub(crate) async fn connect(&self) -> Client {
        Client::one(TcpStream::connect(self.address()).await.unwrap()).await
    }

    /// A connection of HTTP/2.
    pub(crate) async fn connect_two(&self) -> Client {
        Client::two(TcpStream::connect(self.address()).await.unwrap()).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: Request<impl Into<Bytes>>) -> Reply {
        let mut client = self.connect().await;
        let request = request.map(|body| Full::new(body.into()));
        Reply::of(client.send(request).await).await
    }

    /// A page of the operator's.
    pub(crate) async fn page(&self, path: &str) -> Reply {
        let stream = TcpStream::connect(self.admin).await.unwrap();
        let request = Request::get(path).header("host", "admin");
        let request = request.body(Empty::new()).unwrap();
        Reply::of(Client::one(stream).await.send(request).await).await
    }
}

async fn keep(stderr: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}

type SentBody = UnsyncBoxBody<Bytes, BoxError>;

/// One connection.
pub(crate) enum Client {
    One(hyper::client::conn::http1::SendRequest<SentBody>),
    Two(hyper::client::conn::http2::SendRequest<SentBody>),
}

impl Client {
    async fn one(stream: TcpStream) -> Self {
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (sender, connection) = shaken.await.unwrap();
        tokio::spawn(connection.with_upgrades());
        Self::One(sender)
    }

    async fn two(stream: TcpStream) -> Self {
        let shaken =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = shaken.await.unwrap();
        tokio::spawn(connection);
        Self::Two(sender)
    }

    pub(crate) async fn send<B>(&mut self, request: Request<B>) -> Response<Incoming>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        let answer = match self {
            Self::One(sender) => soon(sender.send_request(request)).await,
            Self::Two(sender) => {
                let (mut parts, body) = request.into_parts();
                parts.headers.remove("host");
                let uri = format!("http://mcp.example.com{}", parts.uri);
                parts.uri = uri.parse().unwrap();
                let request = Request::from_parts(parts, body);
                soon(sender.send_request(request)).await
            }
        };
        answer.unwrap()
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Reply {
    pub(crate) async fn of(answer: Response<Incoming>) -> Self {
        let (parts, body) = answer.into_parts();
        let body = soon(body.collect()).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            trailers: body.trailers().cloned(),
            body: body.to_bytes(),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

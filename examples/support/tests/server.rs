//! A server of the examples on loopback, and strangers at its door.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use super::super::serve::{Limits, serve};

/// Longer than anything here takes; shorter than [`NEVER`].
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// A deadline that no test reaches.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);
/// A deadline that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// No deadline; each test sets the one that it is about.
pub(crate) fn patient() -> Limits {
    Limits {
        connections: 100,
        first_request: NEVER,
        idle: NEVER,
        age: NEVER,
        finish: NEVER,
    }
}

/// Serves `/` at once, and `/slow` when it is let.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) running: JoinHandle<()>,
    stop: watch::Sender<u32>,
    /// One for each request that has arrived at `/slow`.
    arrived: mpsc::UnboundedReceiver<()>,
    let_go: watch::Sender<bool>,
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(0);
        let (arrives, arrived) = mpsc::unbounded_channel();
        let (let_go, gate) = watch::channel(false);
        let slow = async move || {
            arrives.send(()).unwrap();
            gate.clone().wait_for(|open| *open).await.unwrap();
            "done"
        };
        let app = Router::new()
            .route("/", get(async || "hello"))
            .route("/slow", get(slow));
        Self {
            address,
            running: tokio::spawn(serve(listener, app, limits, stopped)),
            stop,
            arrived,
            let_go,
        }
    }

    pub(crate) async fn connect(&self) -> Stranger {
        Stranger(TcpStream::connect(self.address).await.unwrap())
    }

    /// A request that is at work when this returns.
    pub(crate) async fn busy(&mut self) -> Stranger {
        let mut stranger = self.connect().await;
        stranger.asks("/slow").await;
        let arrived = timeout(SOON, self.arrived.recv()).await;
        arrived.expect("it is served").unwrap();
        stranger
    }

    pub(crate) fn let_go(&self) {
        self.let_go.send_replace(true);
    }

    pub(crate) fn stop(&self) {
        self.stop.send_modify(|count| *count += 1);
    }

    pub(crate) async fn ends(self) {
        let ended = timeout(SOON, self.running).await;
        ended.expect("the server ends").unwrap();
    }
}

/// A connection, by hand.
pub(crate) struct Stranger(TcpStream);

impl Stranger {
    pub(crate) async fn says(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    pub(crate) async fn asks(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.says(&request).await;
    }

    /// Asks and asks, reads nothing, and is cut off.
    pub(crate) async fn asks_until_the_end(mut self) {
        let many = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
        let asking = async { while self.0.write_all(many.as_bytes()).await.is_ok() {} };
        let end = timeout(SOON, asking).await;
        end.expect("the server closes the connection");
    }

    /// Reads until these words have come.
    pub(crate) async fn hears(&mut self, end: &str) -> String {
        let mut heard = String::new();
        while !heard.ends_with(end) {
            let mut byte = [0];
            let read = timeout(SOON, self.0.read(&mut byte)).await;
            let read = read.unwrap_or_else(|_| panic!("waits after {heard:?}"));
            assert_eq!(read.unwrap(), 1, "closed after {heard:?}");
            heard.push(byte[0].into());
        }
        heard
    }

    /// Reads to the end; a reset is one, too.
    pub(crate) async fn sees_the_end(mut self) {
        let mut rest = Vec::new();
        let end = timeout(SOON, self.0.read_to_end(&mut rest)).await;
        let _ = end.expect("the server closes the connection");
    }
}

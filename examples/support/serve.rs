//! The server loop of the examples: what a layer cannot do for its server.
//!
//! A layer sees requests. Connections that send none, or stop in the middle of a header, are the
//! server's: each of them holds a file descriptor, and without deadlines a stranger takes them all.
//! `axum::serve` sets none. Behind a reverse proxy, that proxy has to have such limits.
//!
//! HTTP/1 only. In HTTP/2 a client can hold a stream open without ever taking its answer, and from
//! outside it looks like a stream of events; only the server's own library can tell the two apart.

use std::{
    future::{Future, pending},
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};
use tower::ServiceExt;
use tower_oauth_proxy::OAuthProxyAdmin;

/// What a server grants to connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many at once. Each takes a file descriptor; the process needs about a hundred besides, for
    /// its store and its provider.
    pub connections: u32,
    /// From the first byte of the connection, or the lack of it, to the end of the first request's
    /// header.
    pub first_request: Duration,
    /// From one request to the end of the next one's header; and for a client to take the next part
    /// of an answer that waits for it.
    pub idle: Duration,
    /// A connection that is older closes after the request at work. Clients open another.
    pub age: Duration,
    /// For requests at work when the server is told to stop.
    pub finish: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            first_request: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            age: Duration::from_secs(300),
            // Streams of events never end by themselves, so this is how long a stop takes then.
            finish: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// For a second server in the same process.
    pub fn small() -> Self {
        Self {
            connections: 64,
            ..Self::default()
        }
    }
}

/// The largest header of a request, and the memory that a connection may take for it.
const MAX_HEAD: usize = 64 * 1024;

/// After an error of the listener: nearly always, no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a new connection may take to ask even when others want its place: a request comes a round
/// trip after its connection.
const MOMENT: Duration = Duration::from_millis(500);

/// For work that goes on behind requests. systemd waits for 90 seconds before it kills, Kubernetes for
/// 30, `docker stop` for 10: give it `-t 30`.
const DRAIN: Duration = Duration::from_secs(20);

/// How many stop signals have come.
pub type Stop = watch::Receiver<u32>;

/// Counts SIGTERM and SIGINT (Ctrl-C) from now on.
///
/// Without this, a process that is the first of its container (PID 1) ignores SIGTERM.
///
/// # Errors
///
/// When the operating system takes no handler.
pub fn stop_signals() -> io::Result<Stop> {
    let mut signals = Signals::new()?;
    let (count, stop) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            signals.next().await;
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(stop)
}

/// For a server that runs as long as its process.
pub fn never() -> Stop {
    watch::channel(0).1
}

/// Serves until a stop signal; then answers the requests in progress, within a bound. A second signal
/// ends it at once.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, mut stop: Stop) {
    let permits = Arc::new(Semaphore::new(limits.connections as usize));
    // Asks every open connection to make room.
    let (leave, _) = watch::channel(());
    tokio::select! {
        never = accept(&listener, &app, limits, &permits, &leave) => never,
        () = told(&mut stop, 1) => {}
    }
    drop((listener, leave));
    let all = permits.acquire_many(limits.connections);
    tokio::select! {
        _ = timeout(limits.finish, all) => {}
        () = told(&mut stop, 2) => {}
    }
}

/// After the last request: waits for exchanges with the provider, within a bound. A lost answer can
/// cost a login.
pub async fn drain(handles: &[OAuthProxyAdmin], mut stop: Stop) {
    let end = Instant::now() + DRAIN;
    let all = async {
        let mut left = 0;
        for admin in handles {
            left += admin
                .drain(end.saturating_duration_since(Instant::now()))
                .await;
        }
        left
    };
    tokio::select! {
        left = all => if left > 0 {
            eprintln!("{left} tasks did not end in time: some people may have to log in again");
        },
        () = told(&mut stop, 2) => {}
    }
}

async fn accept(
    listener: &TcpListener,
    app: &Router,
    limits: Limits,
    permits: &Arc<Semaphore>,
    leave: &watch::Sender<()>,
) {
    loop {
        let accepted = listener.accept().await;
        if accepted.as_ref().is_err_and(is_of_one_connection) {
            continue;
        }
        if accepted.is_err() || permits.available_permits() == 0 {
            // Full. Those with a request at work finish it; the others go now.
            leave.send_replace(());
        }
        let Ok((stream, _)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = permits.clone().acquire_owned().await else {
            return;
        };
        tokio::spawn(converse(
            stream,
            app.clone(),
            limits,
            leave.subscribe(),
            permit,
        ));
    }
}

/// It was gone before it was accepted: no reason for the others to make room.
pub fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn converse(
    stream: TcpStream,
    app: Router,
    limits: Limits,
    mut leave: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
) {
    let came = Instant::now();
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&has_asked);
    let service = service_fn(move |request: Request<Incoming>| {
        asks.store(true, Ordering::Relaxed);
        app.clone().oneshot(request)
    });
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(MAX_HEAD);
    let stream = Patient::new(stream, limits.idle);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));

    let silence = async {
        sleep(limits.first_request).await;
        if has_asked.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    };
    let wanted = async {
        // Or the server stops: then the sender is gone.
        let has_to_go = leave.changed().await.is_err();
        if !has_to_go && !has_asked.load(Ordering::Relaxed) {
            sleep_until(came + MOMENT).await;
        }
    };
    tokio::select! {
        _ = connection.as_mut() => return,
        () = silence => {}
        () = sleep(limits.age) => {}
        () = wanted => {}
    }
    // hyper would keep waiting for a first request that has come in part.
    if has_asked.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// A connection whose client has to take what it asked for: one that only asks, and never reads,
/// would hold it for ever.
struct Patient {
    stream: TcpStream,
    patience: Duration,
    /// Since a write found no room.
    waits: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            waits: None,
        }
    }

    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let patience = self.patience;
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waits.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Waits until this many stop signals have come.
async fn told(stop: &mut Stop, times: u32) {
    if stop.wait_for(|count| *count >= times).await.is_err() {
        // No sender is left, so no signal will come.
        pending::<()>().await;
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
        let [terminate, interrupt] = kinds.map(signal);
        Ok(Self([terminate?, interrupt?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}

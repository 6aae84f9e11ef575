//! The servers that are measured, on a loopback port.

use std::{error::Error, future::Future};

use axum::{
    Router,
    routing::{any, get},
};
use bytes::Bytes;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpListener, runtime};
use tower::Service;

/// Runs on this many worker threads; the calling thread only waits, or accepts.
pub fn block_on<T>(workers: usize, work: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// A free port, and its address in words.
pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// What stands behind the layer: as little as possible, so that the layer's share is at its largest.
pub fn app() -> Router {
    Router::new()
        .route("/mcp", any(async || "inside"))
        .route("/health", get(async || "ok"))
}

/// Plain hyper, without a framework.
pub async fn serve_hyper<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(service.clone());
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        tokio::spawn(async move {
            // The client hangs up at the end.
            let _ = connection.await;
        });
    }
}

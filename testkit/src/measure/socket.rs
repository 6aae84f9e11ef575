//! The test kit's clients over a socket: one keep-alive connection that takes one request at a time.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Mutex};

use super::login::BASE;
use crate::Wire;

/// Connects. The connection lives as long as the runtime.
pub async fn connect(address: &str) -> Wire {
    let socket = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let sender = Arc::new(Mutex::new(sender));
    let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let sender = Arc::clone(&sender);
        async move {
            let mut sender = sender.lock().await;
            sender.ready().await?;
            sender.send_request(request).await
        }
    });
    Wire::new(BASE, service)
}

//! Bytes to a gateway, and bytes back.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::kit::{Gateway, LONG, soon};

/// A connection without a library of HTTP.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn to(gateway: &Gateway) -> Self {
        Self(TcpStream::connect(gateway.address()).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.0.write_all(bytes.as_ref())).await.unwrap();
    }

    /// All until the other side closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut all = Vec::new();
        // A reset is an end too.
        let _ = timeout(LONG, self.0.read_to_end(&mut all))
            .await
            .expect("it stays open");
        String::from_utf8_lossy(&all).into_owned()
    }

    /// All until this stands in it.
    pub(crate) async fn until(&mut self, what: &str) -> String {
        let mut all = Vec::new();
        while !String::from_utf8_lossy(&all).contains(what) {
            let mut part = [0; 4096];
            let length = soon(self.0.read(&mut part)).await.unwrap();
            let so_far = String::from_utf8_lossy(&all);
            assert!(length > 0, "it closed before {what}: {so_far}");
            all.extend_from_slice(&part[..length]);
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// One request in bytes, on a connection of its own that it closes; the answers in bytes.
pub(crate) async fn exchange(gateway: &Gateway, request: &str) -> String {
    let mut raw = Raw::to(gateway).await;
    raw.send(request).await;
    raw.rest().await
}

/// The status of the first answer.
pub(crate) fn status(answer: &str) -> u16 {
    let line = answer.lines().next().unwrap_or_default();
    let code = line.split(' ').nth(1).unwrap_or_default();
    code.parse()
        .unwrap_or_else(|_| panic!("no answer: {answer:?}"))
}

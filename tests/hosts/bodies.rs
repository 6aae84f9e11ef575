//! Bodies that a stranger sends to our endpoints: too long, too slow, broken.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tower::{Layer, ServiceExt};
use tower_oauth_proxy::{Reason, Step};

use crate::inside::{Frames, Witness, bind};
use testkit::{Proxy, Reply};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The endpoints that read a body, each with its content type.
const ENDPOINTS: [(&str, &str); 4] = [
    ("/oauth/register", JSON),
    ("/oauth/token", FORM),
    ("/oauth/revoke", FORM),
    ("/oauth/consent", FORM),
];

/// Posts a body of any kind.
async fn post<B>(proxy: &Proxy, path: &str, content_type: &str, body: B) -> Reply
where
    B: Body<Data = Bytes, Error: Into<tower_oauth_proxy::BoxError>> + Send + 'static,
{
    let witness = Witness::default();
    let service = proxy.layer.layer(witness.service());
    let request = Request::post(path).header("content-type", content_type);
    let response = service.oneshot(request.body(body).unwrap()).await.unwrap();
    assert_eq!(witness.calls(), 0);
    let (parts, body) = response.into_parts();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// A body without an end, of frames of one kibibyte.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let kibibyte = Bytes::from_static(&[b'x'; 1024]);
        Poll::Ready(Some(Ok(Frame::data(kibibyte))))
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_up_to_the_limit_and_no_further() {
    let proxy = Proxy::start().await;
    for (path, content_type) in ENDPOINTS {
        let frames = Arc::new(AtomicUsize::new(0));
        let reply = post(&proxy, path, content_type, Endless(frames.clone())).await;
        assert_eq!(reply.status, 413, "{path}");
        // 64 KiB, and the frame that was too much.
        assert_eq!(frames.load(Ordering::SeqCst), 65, "{path}");
        if path != "/oauth/consent" {
            reply.refused(413, "invalid_request");
        }
    }
}

#[tokio::test]
async fn a_chunked_request_over_a_socket_is_cut_off_the_same() {
    let (proxy, listener) = bind(|builder| builder).await;
    let app = axum::Router::new().layer(proxy.layer.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let address = proxy.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: {address}\r\ncontent-type: {FORM}\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    for _ in 0..80 {
        // The server may hang up first.
        let _ = stream.write_all(chunk.as_bytes()).await;
    }
    let mut answer = vec![0; 12];
    let reading = stream.read_exact(&mut answer);
    timeout(Duration::from_secs(5), reading)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_ten_seconds() {
    let proxy = Proxy::start().await;
    for (path, content_type) in ENDPOINTS {
        let (sender, body) = Frames::new();
        // A byte a second keeps nobody waiting longer.
        let drip = tokio::spawn(async move {
            while sender.send(Ok("x".into())).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let start = Instant::now();
        let reply = post(&proxy, path, content_type, body).await;
        assert_eq!(reply.status, 408, "{path}");
        assert_eq!(start.elapsed().as_secs(), 10, "{path}");
        if path != "/oauth/consent" {
            reply.refused(408, "invalid_request");
        }
        drip.await.unwrap();
    }
    proxy.told(Step::Consent, Reason::Malformed);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_request() {
    let proxy = Proxy::start().await;
    for (path, content_type) in ENDPOINTS {
        let (sender, body) = Frames::new();
        tokio::spawn(async move {
            sender.send(Ok("grant_type=".into())).await.unwrap();
            sender.send(Err("hung up")).await.unwrap();
        });
        let reply = post(&proxy, path, content_type, body).await;
        assert_eq!(reply.status, 400, "{path}");
        assert!(!reply.everything().contains("hung up"), "{reply:?}");
    }
}

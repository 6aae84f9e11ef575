//! Answers that do not end: each frame passes when it is there.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, response::Response, routing::any};
use http_body_util::BodyExt;
use tokio::{sync::mpsc, time::timeout};
use tower::{Layer, ServiceExt};

use crate::inside::{Frames, bearer, bind, request};
use testkit::{Proxy, Tokens};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_stream_of_events_flows_frame_by_frame() {
    let (proxy, listener) = bind(|builder| builder).await;
    let (hand_over, mut senders) = mpsc::unbounded_channel();
    let handler = move || {
        let (sender, frames) = Frames::new();
        hand_over.send(sender).unwrap();
        let response = Response::builder().header("content-type", "text/event-stream");
        std::future::ready(response.body(Body::new(FramesOf(frames))).unwrap())
    };
    let app = Router::new()
        .route("/mcp", any(handler))
        .layer(proxy.layer.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });

    let client = proxy.client().await;
    let tokens: Tokens = proxy.journey(&client).await;
    // The first time the token is looked up, the second time it comes from the cache.
    for round in ["looked up", "cached"] {
        let asking = reqwest::Client::new()
            .get(format!("{}/mcp", proxy.base))
            .header("authorization", bearer(&tokens))
            .send();
        let mut response = timeout(SOON, asking).await.expect(round).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let sender = senders.recv().await.unwrap();
        for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
            // Sent only after the one before has arrived.
            sender.send(Ok(event.into())).await.unwrap();
            let chunk = timeout(SOON, response.chunk()).await.expect(event);
            assert_eq!(chunk.unwrap().unwrap(), event, "{round}");
        }
        drop(sender);
        let end = timeout(SOON, response.chunk()).await.expect("an end");
        assert_eq!(end.unwrap(), None);
    }
}

/// `Frames` with the error type that axum wants.
struct FramesOf(Frames);

impl http_body::Body for FramesOf {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::pin::Pin::new(&mut self.0)
            .poll_frame(cx)
            .map_err(std::io::Error::other)
    }
}

#[tokio::test]
async fn an_error_in_the_inner_body_stays_that_error() {
    let proxy = Proxy::with(|builder| builder.public_paths(["/open"])).await;
    let (sender, body) = Frames::new();
    let body = Arc::new(Mutex::new(Some(body)));
    let inner = tower::service_fn(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        std::future::ready(Ok::<_, Infallible>(http::Response::new(body)))
    });
    let service = proxy.layer.layer(inner);
    let response = service.oneshot(request("/open", None)).await.unwrap();
    sender.send(Err("broken on purpose")).await.unwrap();
    let error: &'static str = response.into_body().collect().await.unwrap_err();
    assert_eq!(error, "broken on purpose");
}

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use crate::{
    behind::{Behind, Sent, whole},
    kit::{Gateway, KEY_SUBJECT, soon},
    raw::{Raw, status},
};

const ASKS: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A server that agrees to WebSocket and gives its side of the tunnel away; who asks without that is told so.
async fn agreeing() -> (
    Behind,
    mpsc::UnboundedReceiver<TokioIo<hyper::upgrade::Upgraded>>,
) {
    let (hand, taken) = mpsc::unbounded_channel();
    let behind = Behind::answering(move |mut request: Request<Incoming>| {
        let hand = hand.clone();
        async move {
            let headers = request.headers();
            if headers
                .get("upgrade")
                .is_none_or(|protocol| protocol != "websocket")
            {
                return whole("no upgrade");
            }
            assert_eq!(headers["x-auth-subject"], KEY_SUBJECT);
            assert!(!headers.contains_key("authorization"));
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let _ = hand.send(TokioIo::new(upgrade.await.unwrap()));
            });
            switching("websocket")
        }
    })
    .await;
    (behind, taken)
}

fn switching(protocol: &str) -> Sent {
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", protocol)
        .header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        .body(
            Empty::<Bytes>::new()
                .map_err(|never| match never {})
                .boxed_unsync(),
        )
        .unwrap()
}

fn ask(gateway: &Gateway) -> String {
    let key = &gateway.key;
    format!("GET /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n{ASKS}\r\n")
}

#[tokio::test]
async fn a_websocket_is_passed_on_both_ways() {
    let (behind, mut taken) = agreeing().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = Raw::to(&gateway).await;
    client.send(ask(&gateway)).await;
    let head = client.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("sec-websocket-accept"), "{head}");
    let mut server = soon(taken.recv()).await.unwrap();
    client.send("ping").await;
    let mut four = [0; 4];
    soon(server.read_exact(&mut four)).await.unwrap();
    assert_eq!(&four, b"ping");
    soon(server.write_all(b"pong")).await.unwrap();
    client.until("pong").await;
    drop(server);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_leaves_a_tunnel_ends_it_for_the_server() {
    let (behind, mut taken) = agreeing().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = Raw::to(&gateway).await;
    client.send(ask(&gateway)).await;
    client.until("\r\n\r\n").await;
    let mut server = soon(taken.recv()).await.unwrap();
    drop(client);
    let mut rest = Vec::new();
    let _ = soon(server.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_tunnel_needs_a_session_at_its_handshake() {
    let (behind, _taken) = agreeing().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = Raw::to(&gateway).await;
    client
        .send(format!("GET /mcp HTTP/1.1\r\nhost: a\r\n{ASKS}\r\n"))
        .await;
    let answer = client.until("\r\n\r\n").await;
    assert_eq!(status(&answer), 401);
}

#[tokio::test]
async fn a_server_that_does_not_agree_keeps_the_connection_to_requests() {
    // It says no; what the client sends next is a request that is looked at like any other.
    let behind = Behind::answering(async |_| {
        let mut answer = whole("no");
        *answer.status_mut() = StatusCode::UPGRADE_REQUIRED;
        answer
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = Raw::to(&gateway).await;
    client.send(ask(&gateway)).await;
    let answer = client.until("no").await;
    assert_eq!(status(&answer), 426, "{answer}");
    client
        .send("GET /internal HTTP/1.1\r\nhost: a\r\nx-auth-subject: root\r\n\r\n")
        .await;
    let answer = client.until("\r\n\r\n").await;
    assert_eq!(status(&answer), 401, "{answer}");
}

#[tokio::test]
async fn a_protocol_that_was_not_asked_for_is_502() {
    for (protocol, asks) in [("h2c", true), ("websocket", false)] {
        let behind = Behind::answering(async move |_| switching(protocol)).await;
        let gateway = Gateway::before(&behind.url(), &[]).await;
        let mut client = Raw::to(&gateway).await;
        let request = match asks {
            true => ask(&gateway),
            false => format!(
                "GET /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n",
                gateway.key
            ),
        };
        client.send(request).await;
        let answer = client.until("\r\n\r\n").await;
        assert_eq!(status(&answer), 502, "{answer}");
    }
}

#[tokio::test]
async fn tunnels_count_as_requests_and_connections_and_end_with_the_gateway() {
    let (behind, mut taken) = agreeing().await;
    let settings = [("limits.requests", "1"), ("limits.finish", "1")];
    let mut gateway = Gateway::before(&behind.url(), &settings).await;
    let mut client = Raw::to(&gateway).await;
    client.send(ask(&gateway)).await;
    client.until("\r\n\r\n").await;
    let mut server = soon(taken.recv()).await.unwrap();
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 503);
    gateway.stop();
    assert_eq!(client.rest().await, "");
    let mut rest = Vec::new();
    let _ = soon(server.read_to_end(&mut rest)).await;
    gateway.ended().await;
}

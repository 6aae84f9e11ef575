use std::{process::Stdio, time::Duration};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Empty};
use tokio::{
    net::{TcpStream, UnixStream},
    sync::mpsc,
};

use crate::{
    behind::{self, Behind},
    kit::{Folder, Gateway, PROVIDER, Reply, soon, until},
};

/// A server whose answers are bodies in a test's hand.
async fn by_hand(
    kind: &'static str,
) -> (
    Behind,
    mpsc::UnboundedReceiver<mpsc::UnboundedSender<Frame<Bytes>>>,
) {
    let (hand, taken) = mpsc::unbounded_channel();
    let behind = Behind::answering(move |_| {
        let (sender, frames) = behind::streamed();
        hand.send(sender).unwrap();
        async move { frames.answer(kind) }
    })
    .await;
    (behind, taken)
}

#[tokio::test]
async fn what_is_at_work_may_end_and_nothing_new_begins() {
    let (behind, mut taken) = by_hand("text/plain").await;
    let mut gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = gateway.connect().await;
    let idle = TcpStream::connect(gateway.address()).await.unwrap();
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    let answer = client.send(request).await;
    let sender = soon(taken.recv()).await.unwrap();
    assert_eq!(gateway.page("/readyz").await.status, 200);
    gateway.stop();
    until("it stops", || gateway.log().contains("stopping")).await;
    soon(async {
        while TcpStream::connect(gateway.address()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    // The operator still sees it, and that it is not ready.
    assert_eq!(gateway.page("/healthz").await.status, 200);
    assert_eq!(gateway.page("/readyz").await.status, 503);
    sender
        .send(Frame::data(Bytes::from_static(b"all of it")))
        .unwrap();
    drop(sender);
    assert_eq!(Reply::of(answer).await.text(), "all of it");
    gateway.ended().await;
    drop(idle);
}

#[tokio::test]
async fn streams_of_events_end_in_order_and_others_break() {
    for (kind, two) in [
        ("text/event-stream", false),
        ("text/event-stream", true),
        ("application/octet-stream", false),
        ("application/octet-stream", true),
    ] {
        let (behind, mut taken) = by_hand(kind).await;
        let mut gateway = Gateway::before(&behind.url(), &[("limits.finish", "1")]).await;
        let mut client = if two {
            gateway.connect_two().await
        } else {
            gateway.connect().await
        };
        let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
        let mut answer = client.send(request).await;
        let sender = soon(taken.recv()).await.unwrap();
        sender
            .send(Frame::data(Bytes::from_static(b"data: x\n\n")))
            .unwrap();
        soon(answer.body_mut().frame()).await.unwrap().unwrap();
        gateway.stop();
        match soon(answer.body_mut().collect()).await {
            Ok(rest) => assert!(kind == "text/event-stream" && rest.to_bytes().is_empty()),
            Err(_) => assert_eq!(kind, "application/octet-stream"),
        }
        gateway.ended().await;
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (behind, mut taken) = by_hand("text/plain").await;
    let mut gateway = Gateway::before(&behind.url(), &[("limits.finish", "3600")]).await;
    let mut client = gateway.connect().await;
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    let _answer = client.send(request).await;
    let _sender = soon(taken.recv()).await.unwrap();
    gateway.stop();
    until("it stops", || gateway.log().contains("stopping")).await;
    gateway.stop();
    gateway.ended().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_sentence_and_status_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_tower-oauth-gateway"))
        .env_clear()
        .env("GATEWAY_LISTEN", &address)
        .env("GATEWAY_BASE_URL", "https://mcp.example.com")
        .env("GATEWAY_UPSTREAM_URL", "http://127.0.0.1:1")
        .env("GATEWAY_ADMIN_LISTEN", "off")
        .envs(PROVIDER)
        .output();
    let output = soon(output).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains(&format!("cannot listen at {address}")),
        "{said}"
    );
}

/// What reads the log may end first: a pipe to a program that was stopped too.
#[tokio::test]
async fn it_stops_in_order_when_no_one_reads_what_it_says() {
    let folder = Folder::new();
    let socket = folder.0.join("gateway.sock");
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_tower-oauth-gateway"))
        .env_clear()
        .env("GATEWAY_LISTEN", format!("unix:{}", socket.display()))
        .env("GATEWAY_BASE_URL", "https://mcp.example.com")
        .env("GATEWAY_UPSTREAM_URL", "http://127.0.0.1:1")
        .env("GATEWAY_ADMIN_LISTEN", "127.0.0.1:0")
        .envs(PROVIDER)
        .stdin(Stdio::null())
        .stdout(closed())
        .stderr(closed())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    soon(async {
        while UnixStream::connect(&socket).await.is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "it ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let id = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let status = soon(child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

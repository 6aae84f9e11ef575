//! Clients that hold connections and do nothing with them.

use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::Empty;

use crate::{
    behind::{self, Behind},
    kit::{Gateway, Reply, soon},
    raw::{Raw, status},
};

/// Enough to see that nothing happens.
const MOMENT: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[("limits.header_time", "1")]).await;
    let mut silent = Raw::to(&gateway).await;
    let mut half = Raw::to(&gateway).await;
    half.send("GET /mcp HTTP/1.1\r\nhost: a\r\n").await;
    let mut preface = Raw::to(&gateway).await;
    preface.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    // Neither a word nor a long wait.
    silent.rest().await;
    half.rest().await;
    preface.rest().await;
}

#[tokio::test]
async fn a_connection_that_asks_no_more_is_closed() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[("limits.idle", "1")]).await;
    let ask = format!(
        "GET /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n",
        gateway.key
    );
    let mut quiet = Raw::to(&gateway).await;
    quiet.send(&ask).await;
    assert_eq!(status(&quiet.rest().await), 200);
    let mut slow = Raw::to(&gateway).await;
    slow.send(format!("{ask}GET /mcp HTTP/1.1\r\nhost:")).await;
    assert_eq!(status(&slow.rest().await), 200);
    let mut two = gateway.connect_two().await;
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    Reply::of(two.send(request).await).await;
    let crate::kit::Client::Two(sender) = &mut two else {
        unreachable!()
    };
    soon(async {
        while !sender.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_stream_is_no_idle_connection() {
    let (sender, frames) = behind::streamed();
    let frames = std::sync::Arc::new(std::sync::Mutex::new(Some(frames)));
    let behind = Behind::answering(move |_| {
        let frames = frames.lock().unwrap().take().unwrap();
        async move { frames.answer("text/event-stream") }
    })
    .await;
    let settings = [
        ("limits.idle", "1"),
        ("limits.stall", "1"),
        ("limits.header_time", "1"),
    ];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    let mut client = gateway.connect().await;
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    let answer = client.send(request).await;
    tokio::time::sleep(MOMENT * 2).await;
    sender
        .send(Frame::data(Bytes::from_static(b"data: x\n\n")))
        .unwrap();
    drop(sender);
    assert_eq!(Reply::of(answer).await.text(), "data: x\n\n");
}

#[tokio::test]
async fn a_client_that_sends_no_more_of_its_body_is_told_408() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[("limits.stall", "1")]).await;
    let mut raw = Raw::to(&gateway).await;
    let key = &gateway.key;
    raw.send(format!(
        "POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\ncontent-length: 10\r\n\r\nabc"
    ))
    .await;
    let answer = raw.rest().await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert_eq!(behind.count(), 0);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_left() {
    let gone = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = gone.clone();
    let behind = Behind::answering(move |_| {
        let (sender, frames) = behind::streamed();
        notes.lock().unwrap().push(frames.gone());
        // More than all buffers on the way.
        for _ in 0..1024 {
            sender
                .send(Frame::data(vec![b'x'; 64 * 1024].into()))
                .unwrap();
        }
        async move { frames.answer("application/octet-stream") }
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[("limits.stall", "1")]).await;
    // HTTP/1: it never reads. HTTP/2: it never gives the stream room.
    let mut raw = Raw::to(&gateway).await;
    raw.send(format!(
        "GET /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n",
        gateway.key
    ))
    .await;
    let mut two = gateway.connect_two().await;
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    let _never_read = two.send(request).await;
    soon(async {
        while gone.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let all = gone.lock().unwrap().clone();
    for mut gone in all {
        soon(gone.wait_for(|gone| *gone)).await.unwrap();
    }
    drop(raw);
}

#[tokio::test]
async fn when_all_places_are_taken_those_that_wait_make_room() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[("limits.connections", "4")]).await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut client = gateway.connect().await;
        let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
        assert_eq!(Reply::of(client.send(request).await).await.status, 200);
        idle.push(client);
    }
    for _ in 0..8 {
        let request = gateway.request("GET", "/mcp").body("").unwrap();
        assert_eq!(gateway.ask(request).await.status, 200);
    }
}

#[tokio::test]
async fn a_header_has_its_limits() {
    let behind = Behind::echo().await;
    let settings = [("limits.header", "16384"), ("limits.header_lines", "20")];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    for two in [false, true] {
        let ask = || gateway.request("GET", "/mcp");
        let many = (0..30).fold(ask(), |ask, number| ask.header(format!("x-{number}"), "1"));
        let large = ask().header("x-large", "x".repeat(20_000));
        for request in [many, large] {
            let request = request.body(Empty::new()).unwrap();
            let mut client = if two {
                gateway.connect_two().await
            } else {
                gateway.connect().await
            };
            let reply = Reply::of(client.send(request).await).await;
            assert_eq!(reply.status, 431, "{two}");
        }
    }
    assert_eq!(behind.count(), 0);
}

//! A hundred streams at once, whose server dies and comes back.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Empty};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    behind::{self, Behind},
    kit::{Gateway, soon},
};

const STREAMS: usize = 100;

/// Of each stream, before its server dies and after.
const EVENTS: usize = 40;

/// For one stream, of the gateway's memory: buffers of both sides, and no event that is kept. A build for tests, with
/// room for the allocator's habits.
const MOST_KIB: usize = 256;

/// Numbered events without end.
async fn events(address: SocketAddr) -> Behind {
    Behind::at(address, async |_| {
        let (sender, frames) = behind::streamed();
        tokio::spawn(async move {
            for number in 0.. {
                let event = Bytes::from(format!("data: {number}\n\n"));
                if sender.send(Frame::data(event)).is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        frames.answer("text/event-stream")
    })
    .await
}

/// In KiB.
fn memory(gateway: &Gateway) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

type Open = http::Response<hyper::body::Incoming>;

/// Reads this many more events, none missing and none twice.
async fn read(answer: &mut Open, text: &mut String, upto: usize) {
    let expected: String = (0..upto).map(|n| format!("data: {n}\n\n")).collect();
    while text.len() < expected.len() {
        let frame = soon(answer.body_mut().frame()).await.unwrap().unwrap();
        let data = frame.into_data().unwrap();
        text.push_str(std::str::from_utf8(&data).unwrap());
    }
    assert!(text.starts_with(&expected), "{text}");
}

/// Streams of as many clients, each of which has had its events.
async fn crowd(gateway: &Arc<Gateway>) -> Vec<Open> {
    let mut all = JoinSet::new();
    for _ in 0..STREAMS {
        let gateway = Arc::clone(gateway);
        all.spawn(async move {
            let mut client = gateway.connect().await;
            let request = gateway.request("GET", "/mcp");
            let mut answer = client.send(request.body(Empty::new()).unwrap()).await;
            assert_eq!(answer.status(), 200);
            read(&mut answer, &mut String::new(), EVENTS).await;
            answer
        });
    }
    all.join_all().await
}

#[tokio::test]
async fn a_hundred_streams_get_each_event_and_end_when_their_server_dies() {
    let server = events(([127, 0, 0, 1], 0).into()).await;
    let address = server.address;
    let gateway = Arc::new(Gateway::before(&server.url(), &[]).await);
    let before = memory(&gateway);
    let mut open = crowd(&gateway).await;
    let taken = memory(&gateway).saturating_sub(before);
    assert!(taken < STREAMS * MOST_KIB, "{taken} KiB");

    drop(server);
    for answer in &mut open {
        // What was on its way still comes; then the end, in order or not.
        while let Some(Ok(_)) = soon(answer.body_mut().frame()).await {}
    }
    drop(open);
    // Until the old listener is gone.
    soon(async {
        while TcpListener::bind(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 502);
    let _server = events(address).await;
    crowd(&gateway).await;
    let taken = memory(&gateway).saturating_sub(before);
    assert!(taken < STREAMS * MOST_KIB, "{taken} KiB");
}

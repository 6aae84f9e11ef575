//! Many streams of events at once, each on a connection of its own, for as long as is said.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Empty};

use crate::{
    behind::{self, Behind},
    kit::Gateway,
    process,
};

async fn events(address: std::net::SocketAddr) -> Behind {
    Behind::at(address, async |_| {
        let (sender, frames) = behind::streamed();
        tokio::spawn(async move {
            let event = Frame::data(Bytes::from_static(b"data: {\"jsonrpc\":\"2.0\"}\n\n"));
            while sender.send(event_of(&event)).is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        frames.answer("text/event-stream")
    })
    .await
}

fn event_of(event: &Frame<Bytes>) -> Frame<Bytes> {
    Frame::data(event.data_ref().unwrap().clone())
}

pub(crate) async fn run(streams: usize, seconds: usize) {
    let server = events(([127, 0, 0, 1], 0).into()).await;
    let address = server.address;
    let gateway = Arc::new(Gateway::before(&server.url(), &[]).await);
    let id = gateway.id();
    warm(&gateway).await;
    let before = process::memory(id);
    let came = Arc::new(AtomicUsize::new(0));
    let open = Arc::new(AtomicUsize::new(0));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..streams {
        let mut client = gateway.connect().await;
        let (gateway, came, open) = (Arc::clone(&gateway), Arc::clone(&came), Arc::clone(&open));
        all.spawn(async move {
            loop {
                let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
                let mut answer = client.send(request).await;
                if answer.status() == 200 {
                    open.fetch_add(1, Ordering::Relaxed);
                    while let Some(Ok(_)) = answer.body_mut().frame().await {
                        came.fetch_add(1, Ordering::Relaxed);
                    }
                    open.fetch_sub(1, Ordering::Relaxed);
                }
                // It broke, or the server is away: as clients do.
                tokio::time::sleep(Duration::from_millis(500)).await;
                client = gateway.connect().await;
            }
        });
    }
    let half = Duration::from_secs(seconds as u64 / 2);
    let (cpu, seen_before) = (process::cpu(id), came.load(Ordering::Relaxed));
    tokio::time::sleep(half).await;
    let cpu = process::cpu(id) - cpu;
    let seen = came.load(Ordering::Relaxed) - seen_before;
    let memory = process::memory(id);
    let each = (memory - before) as f64 / streams as f64;
    println!(
        "{streams} streams of events, {} open:",
        open.load(Ordering::Relaxed)
    );
    println!("  memory {before} KiB before, {memory} KiB with them: {each:.1} KiB each");
    let event = cpu.as_secs_f64() * 1e6 / seen as f64;
    println!("  {seen} events in {half:?}: {event:.1} µs of CPU each");

    drop(server);
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!(
        "  the server is killed: {} open",
        open.load(Ordering::Relaxed)
    );
    let _server = events_again(address).await;
    tokio::time::sleep(half).await;
    let memory = process::memory(id);
    println!(
        "  it is back: {} open, {memory} KiB",
        open.load(Ordering::Relaxed)
    );
    all.shutdown().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("  all have left: {} KiB", process::memory(id));
}

/// The port is free again as soon as the old listener is gone.
async fn events_again(address: std::net::SocketAddr) -> Behind {
    events(address).await
}

/// What is made once does not count for streams.
async fn warm(gateway: &Gateway) {
    for _ in 0..4 {
        let mut client = gateway.connect().await;
        let request = gateway
            .request("GET", "/mcp")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let mut answer = client.send(request).await;
        answer.body_mut().frame().await.unwrap().unwrap();
    }
}

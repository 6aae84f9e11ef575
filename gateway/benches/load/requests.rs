//! CPU time of one request, beside nginx.
//!
//! All proxies live the whole time and take turns, another one first in each round: so they have the same neighbours.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{
    behind::{Behind, whole},
    kit::Gateway,
    nginx::Nginx,
    process,
};

/// Enough for a median, after one to warm up.
const ROUNDS: usize = 9;

/// A tool call as clients send it, of some 200 bytes.
const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"report","arguments":{"from":"2026-01-01","to":"2026-06-30","kind":"summary","columns":["name","sum","mean","count"]},"_meta":{"progressToken":7}}}"#;

/// A proxy, and what it took in each round.
struct Contender {
    name: &'static str,
    address: SocketAddr,
    id: u32,
    key: String,
    cpu: Vec<f64>,
    rate: Vec<f64>,
}

/// So many to each proxy in a round, over so many connections.
pub(crate) async fn run(requests: usize, connections: usize) {
    let server = Behind::answering(async |request: Request<hyper::body::Incoming>| {
        let _ = request.into_body().collect().await;
        whole(CALL)
    })
    .await;
    let auth = Behind::answering(async |_| whole("")).await;
    let gateway = Gateway::before(&server.url(), &[]).await;
    let tools = [("tools", r#"{ report = {} }"#)];
    let with_tools = Gateway::before(&server.url(), &tools).await;
    let nginx = Nginx::before(server.address, None).await;
    let asking = Nginx::before(server.address, Some(auth.address)).await;

    let mut all = vec![
        Contender::gateway("gateway", &gateway),
        Contender::gateway("gateway, rules by tool", &with_tools),
    ];
    all.extend(nginx.iter().map(|nginx| Contender::nginx("nginx", nginx)));
    let asking = asking.iter();
    all.extend(asking.map(|nginx| Contender::nginx("nginx, auth_request", nginx)));
    for round in 0..=ROUNDS {
        for turn in 0..all.len() {
            let place = (turn + round) % all.len();
            let contender = &mut all[place];
            let (cpu, took) = contender.asked(requests, connections).await;
            // The first one has only warmed up.
            if round > 0 {
                contender
                    .cpu
                    .push(cpu.as_secs_f64() * 1e6 / requests as f64);
                contender.rate.push(requests as f64 / took.as_secs_f64());
            }
        }
    }

    println!("{ROUNDS} rounds of {requests} requests over {connections} connections:\n");
    println!("| | CPU µs/request | × nginx, auth_request | requests/s |\n|---|---:|---:|---:|");
    let last = all.last().map(|last| last.cpu.clone()).unwrap_or_default();
    for one in &all {
        let ratio = one.cpu.iter().zip(&last).map(|(one, last)| one / last);
        println!(
            "| {} | {} | {:.2} | {:.0} |",
            one.name,
            spread(&one.cpu),
            median(ratio.collect()),
            median(one.rate.clone())
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::MAX, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{:.0} ({least:.0}–{most:.0})", median(values.to_vec()))
}

impl Contender {
    fn gateway(name: &'static str, gateway: &Gateway) -> Self {
        Self::new(name, gateway.address(), gateway.id(), &gateway.key)
    }

    fn nginx(name: &'static str, nginx: &Nginx) -> Self {
        // As long as a real one.
        Self::new(name, nginx.address, nginx.worker, &"k".repeat(60))
    }

    fn new(name: &'static str, address: SocketAddr, id: u32, key: &str) -> Self {
        let key = key.to_owned();
        let (cpu, rate) = Default::default();
        Self {
            name,
            address,
            id,
            key,
            cpu,
            rate,
        }
    }

    async fn asked(&self, requests: usize, connections: usize) -> (Duration, Duration) {
        let (cpu, began) = (process::cpu(self.id), Instant::now());
        ask(self.address, &self.key, requests, connections).await;
        (process::cpu(self.id) - cpu, began.elapsed())
    }
}

async fn ask(address: SocketAddr, key: &str, requests: usize, connections: usize) {
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        let bearer = format!("Bearer {key}");
        all.spawn(async move {
            for _ in 0..requests / connections {
                let request = Request::post("/mcp")
                    .header("host", "mcp.example.com")
                    .header("authorization", &bearer)
                    .header("content-type", "application/json")
                    .header("accept", "application/json, text/event-stream")
                    .header("mcp-session-id", "1d2f6f1e")
                    .header("mcp-protocol-version", "2025-11-25");
                let request = request.body(Full::new(Bytes::from_static(CALL.as_bytes())));
                let answer = sender.send_request(request.unwrap()).await.unwrap();
                assert_eq!(answer.status(), 200);
                answer.into_body().collect().await.unwrap();
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

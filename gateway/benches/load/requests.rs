//! CPU time of one request, beside nginx.

use std::time::Instant;

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

const CONNECTIONS: usize = 8;

/// A tool call as clients send it, of some 200 bytes.
const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"report","arguments":{"from":"2026-01-01","to":"2026-06-30","kind":"summary","columns":["name","sum","mean","count"]},"_meta":{"progressToken":7}}}"#;

pub(crate) async fn run(requests: usize) {
    let server = Behind::answering(async |request: Request<hyper::body::Incoming>| {
        let _ = request.into_body().collect().await;
        whole(CALL)
    })
    .await;
    let auth = Behind::answering(async |_| whole("")).await;
    println!(
        "CPU time of the proxy for each of {requests} requests over {CONNECTIONS} connections:"
    );
    let gateway = Gateway::before(&server.url(), &[]).await;
    let id = gateway.id();
    row("gateway", gateway.address(), id, &gateway.key, requests).await;
    let tools = [("tools", r#"{ report = {} }"#)];
    let gateway = Gateway::before(&server.url(), &tools).await;
    let id = gateway.id();
    row(
        "gateway, rules by tool",
        gateway.address(),
        id,
        &gateway.key,
        requests,
    )
    .await;
    if let Some(nginx) = Nginx::before(server.address, None).await {
        row("nginx", nginx.address, nginx.worker, "key", requests).await;
    }
    if let Some(nginx) = Nginx::before(server.address, Some(auth.address)).await {
        row(
            "nginx, auth_request",
            nginx.address,
            nginx.worker,
            "key",
            requests,
        )
        .await;
    }
}

async fn row(name: &str, address: std::net::SocketAddr, id: u32, key: &str, requests: usize) {
    ask(address, key, requests / 10).await;
    let (cpu, began) = (process::cpu(id), Instant::now());
    ask(address, key, requests).await;
    let (cpu, took) = (process::cpu(id) - cpu, began.elapsed());
    let each = cpu.as_secs_f64() * 1e6 / requests as f64;
    let rate = requests as f64 / took.as_secs_f64();
    println!("  {name:24} {each:6.1} µs   ({rate:.0} requests a second)");
}

async fn ask(address: std::net::SocketAddr, key: &str, requests: usize) {
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        let bearer = format!("Bearer {key}");
        all.spawn(async move {
            for _ in 0..requests / CONNECTIONS {
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

//! Rules by tool, before the server behind.

use bytes::Bytes;
use http_body::Frame;

use crate::{
    behind::{self, Behind},
    kit::{Gateway, Reply, until},
};

const RULES: [(&str, &str); 2] = [
    (
        "tools",
        r#"{ "report" = {}, "delete_*" = { deny = true } }"#,
    ),
    ("limits.body", "100000"),
];

fn call(tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
}

#[tokio::test]
async fn a_call_that_is_not_allowed_does_not_reach_the_server_behind() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &RULES).await;
    for (tool, expected) in [("report", 200), ("delete_all", 403)] {
        let request = gateway
            .request("POST", "/mcp")
            .header("content-type", "application/json");
        let reply = gateway.ask(request.body(call(tool)).unwrap()).await;
        assert_eq!(reply.status.as_u16(), expected, "{}", reply.text());
    }
    assert_eq!(behind.came().body, call("report"));
    let told = "deny for `tools/call` of `delete_all`";
    until("the log says by which rule", || {
        gateway.log().contains(told)
    })
    .await;
}

#[tokio::test]
async fn a_client_cannot_have_a_header_removed_that_a_rule_relied_on() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &RULES).await;
    let request = gateway
        .request("POST", "/mcp")
        .header("content-type", "application/json")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "report")
        .header("connection", "mcp-method, mcp-name");
    let reply = gateway.ask(request.body(call("delete_all")).unwrap()).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(behind.count(), 0);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_behind_rules_too() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &RULES).await;
    let mut client = gateway.connect().await;
    let (sender, body) = behind::streamed();
    let request = gateway
        .request("POST", "/mcp")
        .header("content-type", "application/json");
    let head = call("report");
    let head = head.trim_end_matches('}').to_owned() + r#","arguments":{"x":""#;
    sender.send(Frame::data(Bytes::from(head))).unwrap();
    for _ in 0..200 {
        sender
            .send(Frame::data(Bytes::from(vec![b'x'; 1000])))
            .unwrap();
    }
    let reply = Reply::of(client.send(request.body(body).unwrap()).await).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert_eq!(behind.count(), 0);
}

//! Rules by tool before rmcp and before axum, over real sockets.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{any, any_service},
};
use rmcp::{
    ServerHandler, ServiceExt as _,
    handler::server::{router::tool::ToolRouter, tool::Extension},
    model::{CallToolRequestParams, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::StreamableHttpClientTransportConfig,
        streamable_http_server::{
            StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
        },
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tower_oauth_proxy::{
    AuthSession, Reason, Step,
    guard::{
        mcp::{McpError, McpRules, McpRulesLayer},
        require_role, require_scopes,
    },
};

use crate::inside::{bearer, bind};
use testkit::{Proxy, Tokens};

const SOON: Duration = Duration::from_secs(20);

#[derive(Clone)]
struct Tools {
    tool_router: ToolRouter<Self>,
    published: Arc<AtomicUsize>,
}

#[tool_router]
impl Tools {
    #[tool(description = "Tells who is logged in")]
    async fn whoami(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        let session = AuthSession::from_extensions(&parts.extensions);
        session.map_or("nobody", AuthSession::subject).to_owned()
    }

    #[tool(description = "Publishes")]
    async fn publish(&self) -> String {
        self.published.fetch_add(1, Ordering::SeqCst);
        "published".to_owned()
    }

    #[tool(description = "Asks the rules by itself")]
    fn plan(
        &self,
        Extension(parts): Extension<http::request::Parts>,
    ) -> Result<String, rmcp::ErrorData> {
        let session = AuthSession::from_extensions(&parts.extensions);
        rules().check_tool("publish", session).map_err(|denied| {
            let McpError {
                code,
                message,
                data,
                ..
            } = denied.into();
            rmcp::ErrorData::new(rmcp::model::ErrorCode(code), message, Some(data))
        })?;
        Ok("planned".to_owned())
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

fn rules() -> McpRules {
    McpRules::new()
        .tool("publish", require_scopes(["write"]).unwrap())
        .tool("delete_*", require_role("admin"))
}

/// rmcp behind the rules behind the proxy; a token without `write`; how often something was published.
async fn rmcp_behind(rules: McpRules) -> (Proxy, Tokens, Arc<AtomicUsize>) {
    let (proxy, listener) = bind(|builder| builder.scopes(["openid", "read"])).await;
    let published = Arc::new(AtomicUsize::new(0));
    let counted = published.clone();
    let tools = move || {
        Ok(Tools {
            tool_router: Tools::tool_router(),
            published: counted.clone(),
        })
    };
    let mcp = StreamableHttpService::new(
        tools,
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    let mcp = tower::Layer::layer(&McpRulesLayer::new(rules).unwrap(), mcp);
    let app = Router::new()
        .route("/mcp", any_service(mcp))
        .layer(proxy.layer.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    (proxy, tokens, published)
}

#[tokio::test]
async fn an_rmcp_client_calls_what_it_may_and_no_more() {
    for rules in [rules(), rules().headers_are_checked_behind()] {
        let (proxy, tokens, published) = rmcp_behind(rules).await;
        let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", proxy.base));
        let config = config.auth_header(tokens.access.clone());
        let transport = StreamableHttpClientTransport::from_config(config);
        let client = timeout(SOON, ().serve(transport)).await.unwrap().unwrap();
        let call = |name: &'static str| {
            let called = client.call_tool(CallToolRequestParams::new(name));
            async { timeout(SOON, called).await.unwrap() }
        };
        let answer = call("whoami").await.unwrap();
        let text = answer.content.first().and_then(|block| block.as_text());
        assert_eq!(text.unwrap().text, "person-1");
        assert_eq!(client.list_all_tools().await.unwrap().len(), 3);
        // Inside of the message the tool says itself what is missing, and no challenge.
        let said = format!("{:?}", call("plan").await.unwrap_err());
        assert!(said.contains("insufficient_scope"), "{said}");
        proxy.forget_events();
        let said = format!("{:?}", call("publish").await.unwrap_err());
        assert!(said.contains("scope"), "{said}");
        assert_eq!(proxy.refusals(), [(Step::Guard, Reason::Scope)]);
        assert_eq!(published.load(Ordering::SeqCst), 0);
        let _ = client.cancel().await;
    }
}

#[tokio::test]
async fn rmcp_refuses_what_headers_and_body_say_differently_so_headers_may_decide_before_it() {
    let (proxy, tokens, published) = rmcp_behind(rules().headers_are_checked_behind()).await;
    let ask = async |header: &str, name: &str, version: &str| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": name, "arguments": {}, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let headers = [
            ("authorization", &*bearer(&tokens)),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", version),
            ("mcp-method", "tools/call"),
            ("mcp-name", header),
        ];
        proxy.wire.json("/mcp", &body, &headers).await
    };
    let honest = ask("whoami", "whoami", "2026-07-28").await.expect(200);
    assert!(honest.text().contains("person-1"), "{honest:?}");
    let lie = ask("whoami", "publish", "2026-07-28").await.expect(400);
    assert!(lie.text().contains("-32020"), "{lie:?}");
    // The header is not believed where rmcp does not compare it.
    let old = ask("whoami", "publish", "2025-11-25").await.expect(400);
    assert_eq!(old.json()["error"]["code"], -32020, "{old:?}");
    let needed = ask("publish", "publish", "2026-07-28").await.expect(403);
    assert!(
        needed
            .header("www-authenticate")
            .unwrap()
            .contains("scope=\"write\"")
    );
    // Nor does it find two calls in one body, whichever of them the header says.
    let publish = json!({"name": "publish", "arguments": {}});
    let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": publish}]);
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","name":"publish","arguments":{}}}"#;
    for body in [batch.to_string(), twice.to_owned()] {
        let request = http::Request::post("/mcp")
            .header("authorization", bearer(&tokens))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "whoami");
        let reply = proxy.wire.send(request.body(body.into()).unwrap()).await;
        assert!(reply.status.is_client_error(), "{reply:?}");
    }
    assert_eq!(published.load(Ordering::SeqCst), 0);
}

/// What an axum handler received, or that its body broke.
type Received = Arc<Mutex<Vec<Result<String, String>>>>;

/// An axum handler that reads all and answers with an event stream.
async fn axum_behind(rules: McpRules) -> (Proxy, String, Received) {
    let (proxy, listener) = bind(|builder| builder.scopes(["openid", "read"])).await;
    let received = Received::default();
    let kept = received.clone();
    let handler = async move |body: Body| {
        let read = axum::body::to_bytes(body, usize::MAX).await;
        let read = read.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        kept.lock()
            .unwrap()
            .push(read.map_err(|error| error.to_string()));
        Response::new(Body::from("data: done\n\n"))
    };
    let layer = McpRulesLayer::new(rules).unwrap();
    let app = Router::new()
        .route("/mcp", any(handler).layer(layer))
        .layer(proxy.layer.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    (proxy, token, received)
}

/// A connection on which bytes are written as they are.
struct Raw(TcpStream);

impl Raw {
    async fn to(proxy: &Proxy) -> Self {
        let address = proxy.base.strip_prefix("http://").unwrap();
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Writes each part when the server had time to read the one before.
    async fn write(&mut self, parts: &[&str]) {
        for part in parts {
            // The server may have answered and closed already.
            if self.0.write_all(part.as_bytes()).await.is_err() {
                return;
            }
            self.0.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    /// The status of the next answer, and its body, which has a length.
    async fn answer(&mut self) -> (u16, String) {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let mut some = [0; 4096];
            let count = timeout(SOON, self.0.read(&mut some))
                .await
                .unwrap()
                .unwrap();
            assert_ne!(count, 0, "closed: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&some[..count]);
        };
        let text = String::from_utf8(bytes[..head].to_vec())
            .unwrap()
            .to_lowercase();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        let length = text.split("content-length: ").nth(1).map_or(0, |rest| {
            rest.split("\r\n").next().unwrap().parse().unwrap()
        });
        let mut body = bytes[head..].to_vec();
        while body.len() < length {
            let mut some = [0; 4096];
            let count = timeout(SOON, self.0.read(&mut some))
                .await
                .unwrap()
                .unwrap();
            assert_ne!(count, 0);
            body.extend_from_slice(&some[..count]);
        }
        assert_eq!(body.len(), length, "more than one answer at once");
        (status, String::from_utf8(body).unwrap())
    }
}

fn head(token: &str, more: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: application/json\r\n{more}\r\n"
    )
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list""#;

#[tokio::test]
async fn a_body_in_chunks_and_one_of_a_length_arrive_as_they_were_sent() {
    let (proxy, token, received) = axum_behind(rules()).await;
    let mut raw = Raw::to(&proxy).await;
    let body = format!("{LIST},\"params\":{{\"cursor\":\"{}\"}}}}", "é".repeat(100));
    let length = format!("content-length: {}\r\n", body.len());
    let pieces: Vec<String> = body.chars().map(String::from).collect();
    let mut with_length = vec![head(&token, &length)];
    with_length.extend(pieces.iter().cloned());
    let mut in_chunks = vec![head(&token, "transfer-encoding: chunked\r\n")];
    in_chunks.extend(pieces.iter().map(|piece| chunk(piece)));
    in_chunks.push(chunk(""));
    // On one connection, one after the other: what is judged ends where the server says it ends.
    for parts in [&with_length, &in_chunks, &with_length] {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        raw.write(&parts).await;
        assert_eq!(raw.answer().await, (200, "data: done\n\n".to_owned()));
        assert_eq!(received.lock().unwrap().pop(), Some(Ok(body.clone())));
    }
    // A refusal leaves the connection where the next request begins.
    let refused = r#"{"method":"tools/call","params":{"name":"publish"}}"#;
    let length = format!("content-length: {}\r\n", refused.len());
    raw.write(&[&head(&token, &length), refused]).await;
    assert_eq!(raw.answer().await.0, 403);
    let parts: Vec<&str> = with_length.iter().map(String::as_str).collect();
    raw.write(&parts).await;
    assert_eq!(raw.answer().await.0, 200);
    assert_eq!(received.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_call_on_the_way_breaks_the_servers_body_and_is_answered_400() {
    let (proxy, token, received) = axum_behind(rules()).await;
    for second in [
        r#","method":"tools/call","params":{"name":"publish"}}"#,
        r#"}{"method":"tools/call","params":{"name":"publish"}}"#,
        "}\n{}",
    ] {
        proxy.forget_events();
        let mut raw = Raw::to(&proxy).await;
        let chunked = head(&token, "transfer-encoding: chunked\r\n");
        raw.write(&[&chunked, &chunk(LIST)]).await;
        raw.write(&[&chunk(second), &chunk("")]).await;
        let (status, body) = raw.answer().await;
        assert_eq!(status, 400, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["jsonrpc"], "2.0");
        // Where both came in one packet, the server was not asked at all.
        let received = std::mem::take(&mut *received.lock().unwrap());
        assert!(received.iter().all(Result::is_err), "{received:?}");
        assert_eq!(proxy.refusals(), [(Step::Guard, Reason::Ambiguous)]);
    }
}

#[tokio::test]
async fn a_server_that_takes_any_method_is_not_reached_around_the_rules() {
    let (proxy, token, received) = axum_behind(rules()).await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"publish"}}"#;
    for method in [
        "GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH", "QUERY", "M-SEARCH",
    ] {
        for more in [
            format!("content-length: {}\r\n\r\n{call}", call.len()),
            format!(
                "transfer-encoding: chunked\r\n\r\n{}{}",
                chunk(call),
                chunk("")
            ),
        ] {
            let mut raw = Raw::to(&proxy).await;
            let head = format!(
                "{method} /mcp HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: application/json\r\n{more}"
            );
            raw.write(&[&head]).await;
            let mut start = [0; 12];
            timeout(SOON, raw.0.read_exact(&mut start))
                .await
                .unwrap()
                .unwrap();
            let start = std::str::from_utf8(&start).unwrap();
            assert!(matches!(&start[9..], "400" | "403"), "{method}: {start}");
        }
    }
    assert_eq!(received.lock().unwrap().len(), 0);
}

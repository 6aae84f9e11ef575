//! A server's lists behind the rules by tool: filtered where the operator wants it, in JSON and in events, however the
//! answer is cut.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Collected};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_oauth_proxy::{
    AuthSession, Reason, Step,
    guard::{
        deny,
        mcp::{Listed, McpBody, McpRules, McpRulesLayer},
        require_role, require_scopes,
    },
    testing,
};

use crate::{
    inside::real_session,
    mcp_rules::{Part, Script},
};
use testkit::Proxy;

/// `open`: anyone; `report`: after a step-up; `delete_all`: admins.
fn rules(listed: Listed) -> McpRules {
    McpRules::new()
        .tool("report", require_scopes(["reports"]).unwrap())
        .tool("delete_*", require_role("admin"))
        .prompt("secret", deny())
        .resource("file:///secret/*", deny())
        .list(listed)
}

fn tools(names: &[&str]) -> Value {
    let tool =
        |name: &&str| json!({"name": name, "inputSchema": {"type": "object", "default": 1.5}});
    let tools: Vec<_> = names.iter().map(tool).collect();
    json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools, "nextCursor": "c"}})
}

const ALL: [&str; 4] = ["open", "report", "delete_all", "delete_"];

/// What a server answers.
#[derive(Clone)]
struct Server {
    status: StatusCode,
    headers: HeaderMap,
    body: Script,
}

impl Server {
    fn says(kind: &str, body: &str, size: usize) -> Self {
        let data = |piece: &[u8]| Part::Data(Bytes::copy_from_slice(piece));
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        headers.insert(header::CONTENT_LENGTH, body.len().into());
        headers.insert(header::ETAG, "\"a\"".parse().unwrap());
        Self {
            status: StatusCode::OK,
            headers,
            body: Script::of(body.as_bytes().chunks(size).map(data)),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// What the client sees, and what the server was asked.
    async fn answer(
        self,
        rules: McpRules,
        request: Request<Body>,
    ) -> (Response<Result<Bytes, String>>, HeaderMap) {
        let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
        let server = service_fn(move |request: Request<McpBody<Body>>| {
            let (asked, server) = (asked.clone(), self.clone());
            async move {
                asked.send(request.headers().clone()).unwrap();
                let mut response = Response::new(server.body);
                *response.status_mut() = server.status;
                *response.headers_mut() = server.headers;
                Ok::<_, Infallible>(response)
            }
        });
        let layer = McpRulesLayer::new(rules).unwrap();
        let (head, body) = layer
            .layer(server)
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = body
            .collect()
            .await
            .map(Collected::to_bytes)
            .map_err(|error| error.to_string());
        (
            Response::from_parts(head, body),
            was_asked.recv().await.unwrap_or_default(),
        )
    }
}

fn request(session: &AuthSession, body: &Value) -> Request<Body> {
    let request = Request::post("/mcp")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_ENCODING, "gzip, br");
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    request.extensions_mut().insert(session.clone());
    request
}

fn call(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}})
}

fn names(answer: &Value, list: &str, key: &str) -> Vec<String> {
    let entries = answer["result"][list].as_array().unwrap().iter();
    entries
        .map(|entry| entry[key].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_list_shows_what_the_session_may_call() {
    let plain = testing::session("ada").scopes(["read"]).build();
    let more = testing::session("ada")
        .scopes(["reports"])
        .roles(["admin"])
        .build();
    for (session, listed, expected) in [
        (&plain, Listed::All, &ALL[..]),
        (&plain, Listed::Reachable, &["open", "report"]),
        (&plain, Listed::Callable, &["open"]),
        (&more, Listed::Callable, &ALL),
        (&more, Listed::Reachable, &ALL),
    ] {
        let body = tools(&ALL).to_string();
        for size in [1, 10, 10_000] {
            let server = Server::says("application/json; charset=utf-8", &body, size);
            let (answer, asked) = server
                .answer(rules(listed), request(session, &call("tools/list")))
                .await;
            assert_eq!(answer.status(), StatusCode::OK);
            let is_filtered = listed != Listed::All;
            // What is not filtered is not touched.
            let coding = if is_filtered { "identity" } else { "gzip, br" };
            assert_eq!(asked[header::ACCEPT_ENCODING], coding);
            for name in [header::CONTENT_LENGTH, header::ETAG] {
                assert_eq!(answer.headers().contains_key(&name), !is_filtered, "{name}");
            }
            let seen: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
            assert_eq!(names(&seen, "tools", "name"), expected);
            assert_eq!(seen["result"]["nextCursor"], "c");
            assert_eq!(seen, tools(expected));
        }
    }
}

#[tokio::test]
async fn prompts_and_resources_are_filtered_too() {
    let session = testing::session("ada").build();
    let prompts =
        json!({"result": {"prompts": [{"name": "secret"}, {"name": "open"}]}}).to_string();
    let server = Server::says("application/json", &prompts, 9);
    let (answer, _) = server
        .answer(
            rules(Listed::Callable),
            request(&session, &call("prompts/list")),
        )
        .await;
    let seen: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
    assert_eq!(names(&seen, "prompts", "name"), ["open"]);

    let resources = json!({"result": {"resources": [
        {"uri": "file:///secret/a", "name": "a"}, {"uri": "file:///a/../secret/b", "name": "b"}, {"uri": "file:///c", "name": "secret"},
    ]}}).to_string();
    let server = Server::says("application/json", &resources, 9);
    let (answer, _) = server
        .answer(
            rules(Listed::Callable),
            request(&session, &call("resources/list")),
        )
        .await;
    let seen: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
    // A URI that would be refused is not shown either.
    assert_eq!(names(&seen, "resources", "uri"), ["file:///c"]);
}

#[tokio::test]
async fn lists_in_events_are_filtered_in_the_answer_and_in_a_stream_that_repeats_it() {
    let session = testing::session("ada").build();
    let progress =
        r#"{"method":"notifications/progress","params":{"tools":[{"name":"delete_all"}]}}"#;
    let (all, open) = (tools(&ALL), tools(&["open"]));
    let events = format!(
        "id: 1\ndata: \n\n: ping\n\nevent: message\ndata: {progress}\n\nid: 2\ndata: {all}\n\n"
    );
    let expected = format!(
        "id: 1\ndata: \n\n: ping\n\nevent: message\ndata: {progress}\n\nid: 2\ndata: {open}\n\n"
    );
    for size in [1, 7, 10_000] {
        for is_stream in [false, true] {
            let request = match is_stream {
                true => {
                    let mut again = Request::get("/mcp").body(Body::empty()).unwrap();
                    again.extensions_mut().insert(session.clone());
                    again
                }
                false => request(&session, &call("tools/list")),
            };
            let server = Server::says("text/event-stream", &events, size);
            let (answer, asked) = server.answer(rules(Listed::Callable), request).await;
            assert_eq!(asked[header::ACCEPT_ENCODING], "identity");
            assert_eq!(answer.body().as_ref().unwrap(), &expected);
        }
    }
}

#[tokio::test]
async fn answers_to_other_calls_are_not_touched() {
    let session = testing::session("ada").build();
    let body = tools(&ALL).to_string();
    for method in ["tools/call", "initialize", "resources/templates/list"] {
        let mut call = call(method);
        call["params"]["name"] = "open".into();
        let server = Server::says("application/json", &body, 50);
        let (answer, asked) = server
            .answer(rules(Listed::Callable), request(&session, &call))
            .await;
        assert_eq!(answer.body().as_ref().unwrap(), &body, "{method}");
        assert_eq!(asked[header::ACCEPT_ENCODING], "gzip, br");
    }
    // Nor an error, nor what is no stream where a stream was asked for.
    let server = Server {
        status: StatusCode::NOT_FOUND,
        ..Server::says("text/plain", "gone", 50)
    };
    let (answer, _) = server
        .answer(
            rules(Listed::Callable),
            request(&session, &call("tools/list")),
        )
        .await;
    assert_eq!(
        (answer.status(), &answer.body().as_ref().unwrap()[..]),
        (StatusCode::NOT_FOUND, &b"gone"[..])
    );
    let mut page = Request::get("/mcp").body(Body::empty()).unwrap();
    page.extensions_mut().insert(session.clone());
    let (answer, _) = Server::says("application/json", &body, 50)
        .answer(rules(Listed::Callable), page)
        .await;
    assert_eq!(answer.body().as_ref().unwrap(), &body);
}

#[tokio::test]
async fn a_batch_that_asks_for_a_list_gets_it_filtered() {
    let session = testing::session("ada").build();
    let batch = json!([call("ping"), call("tools/list")]);
    let body = json!([{"id": 0, "result": {}}, tools(&ALL)]).to_string();
    let server = Server::says("application/json", &body, 50);
    let (answer, _) = server
        .answer(rules(Listed::Callable), request(&session, &batch))
        .await;
    let seen: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
    assert_eq!(seen, json!([{"id": 0, "result": {}}, tools(&["open"])]));
}

#[tokio::test]
async fn headers_that_decide_alone_have_the_list_filtered_too() {
    let session = testing::session("ada").build();
    let mut asks = request(&session, &call("tools/list"));
    for (name, value) in [
        ("mcp-method", "tools/list"),
        ("mcp-protocol-version", "2026-07-28"),
    ] {
        asks.headers_mut().insert(name, value.parse().unwrap());
    }
    let server = Server::says("application/json", &tools(&ALL).to_string(), 50);
    let rules = rules(Listed::Callable).headers_are_checked_behind();
    let (answer, _) = server.answer(rules, asks).await;
    let seen: Value = serde_json::from_slice(answer.body().as_ref().unwrap()).unwrap();
    assert_eq!(names(&seen, "tools", "name"), ["open"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_handed_on() {
    let proxy = Proxy::start().await;
    let (session, _) = real_session(&proxy).await;
    let body = tools(&["delete_all"]).to_string();
    proxy.forget_events();
    for (server, words) in [
        (
            Server::says("application/json", &body, 50).with("content-encoding", "gzip"),
            "content coding",
        ),
        (
            Server::says("text/event-stream", &body, 50).with("content-encoding", "br"),
            "content coding",
        ),
        (
            Server::says("text/plain", &body, 50),
            "neither JSON nor an event stream",
        ),
        (
            Server::says("", &body, 50),
            "neither JSON nor an event stream",
        ),
    ] {
        let (answer, _) = server
            .answer(
                rules(Listed::Callable),
                request(&session, &call("tools/list")),
            )
            .await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
        let seen = answer.body().as_ref().unwrap();
        assert!(!seen.windows(10).any(|text| text == b"delete_all"));
        let seen: Value = serde_json::from_slice(seen).unwrap();
        assert_eq!(seen["error"]["code"], -32603);
        let message = seen["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        assert_eq!(proxy.refusals(), [(Step::Guard, Reason::Unlisted)]);
        proxy.forget_events();
    }
    // Once it has begun, it ends in an error.
    for (kind, body) in [
        ("application/json", r#"{"result":{"tools":[{"name":"open"}"#),
        ("application/json", r#"<html>delete_all</html>"#),
        (
            "application/json",
            r#"{"result":{"tools":[{"name":"open"}]}} delete_all"#,
        ),
        (
            "text/event-stream",
            "data: {\"result\":{\"tools\":[{\"name\":\"delete_all\"}\n\n",
        ),
    ] {
        for size in [1, 1000] {
            let server = Server::says(kind, body, size);
            let (answer, _) = server
                .answer(
                    rules(Listed::Callable),
                    request(&session, &call("tools/list")),
                )
                .await;
            assert!(
                answer
                    .body()
                    .as_ref()
                    .unwrap_err()
                    .contains("cannot be read"),
                "{body}"
            );
            assert_eq!(
                proxy.refusals(),
                [(Step::Guard, Reason::Unlisted)],
                "{body}"
            );
            proxy.forget_events();
        }
    }
}

#[tokio::test]
async fn trailers_and_a_broken_connection_pass_through_a_filtered_list() {
    let session = testing::session("ada").build();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", "1".parse().unwrap());
    let body = tools(&ALL).to_string();
    let mut server = Server::says("application/json", &body, 50);
    server.body = Script::of([
        Part::Data(body.clone().into()),
        Part::Trailers(trailers.clone()),
    ]);
    let (asks, layer) = (
        request(&session, &call("tools/list")),
        McpRulesLayer::new(rules(Listed::Callable)).unwrap(),
    );
    let (headers, parts) = (server.headers, server.body);
    let answering = service_fn(move |_: Request<McpBody<Body>>| {
        let mut response = Response::new(parts.clone());
        *response.headers_mut() = headers.clone();
        async { Ok::<_, Infallible>(response) }
    });
    let mut answer = layer
        .layer(answering)
        .oneshot(asks)
        .await
        .unwrap()
        .into_body();
    let data = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&data).unwrap(),
        tools(&["open"])
    );
    let last: Frame<Bytes> = answer.frame().await.unwrap().unwrap();
    assert_eq!(last.into_trailers().unwrap(), trailers);
    assert!(answer.frame().await.is_none());

    let mut server = Server::says("application/json", &body, 50);
    server.body = Script::of([
        Part::Data(Bytes::from_static(b"{\"result\":")),
        Part::Breaks,
    ]);
    let (answer, _) = server
        .answer(
            rules(Listed::Callable),
            request(&session, &call("tools/list")),
        )
        .await;
    assert_eq!(answer.body().as_ref().unwrap_err(), "broken on purpose");
}

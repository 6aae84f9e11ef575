//! Rules by tool before a server: what passes, what is refused, and which bytes the server sees.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, request::Builder};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_oauth_proxy::{
    AuthSession, Event, Reason, Step,
    guard::{
        Denied, RequireLayer, deny,
        mcp::{McpBody, McpRules, McpRulesLayer},
        require_role, require_scopes,
    },
    testing,
};

use crate::inside::real_session;
use testkit::Proxy;

/// What a client sends, frame by frame, and how much of it was asked for.
#[derive(Clone, Default)]
pub(crate) struct Script {
    steps: VecDeque<Part>,
    pub(crate) handed: Arc<AtomicUsize>,
    is_ended_late: bool,
}

#[derive(Clone)]
pub(crate) enum Part {
    Data(Bytes),
    Trailers(HeaderMap),
    /// The connection breaks.
    Breaks,
    /// Nothing comes any more.
    Hangs,
}

impl Script {
    pub(crate) fn of(parts: impl IntoIterator<Item = Part>) -> Self {
        Self {
            steps: parts.into_iter().collect(),
            ..Self::default()
        }
    }

    fn whole(body: impl Into<Bytes>) -> Self {
        Self::of([Part::Data(body.into())])
    }

    /// Cut into pieces of this size.
    fn cut(body: &[u8], size: usize) -> Self {
        let data = |piece: &[u8]| Part::Data(Bytes::copy_from_slice(piece));
        Self::of(body.chunks(size).map(data))
    }

    /// One that does not know that it is over, as behind many a middleware.
    fn ended_late(mut self) -> Self {
        self.is_ended_late = true;
        self
    }

    fn handed(&self) -> usize {
        self.handed.load(Ordering::SeqCst)
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if let Some(Part::Hangs) = self.steps.front() {
            return Poll::Pending;
        }
        let step = self.steps.pop_front();
        self.handed.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(step.map(|step| match step {
            Part::Data(data) => Ok(Frame::data(data)),
            Part::Trailers(trailers) => Ok(Frame::trailers(trailers)),
            Part::Breaks | Part::Hangs => Err("broken on purpose"),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && !self.is_ended_late
    }
}

/// What the server behind saw of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    body: String,
    error: Option<String>,
    trailers: Option<HeaderMap>,
    headers: HeaderMap,
    length: Option<u64>,
}

/// A server that reads all of each request.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Vec<Seen>>>);

impl Server {
    fn behind(
        &self,
        rules: McpRules,
    ) -> impl Service<
        Request<Script>,
        Response = Response<impl Body<Data = Bytes, Error: std::fmt::Debug> + use<>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + use<> {
        let server = self.clone();
        let inner = service_fn(move |request: Request<McpBody<Script>>| {
            let server = server.clone();
            async move {
                let (parts, mut body) = request.into_parts();
                let mut seen = Seen {
                    headers: parts.headers,
                    length: body.size_hint().exact(),
                    ..Seen::default()
                };
                while let Some(frame) = body.frame().await {
                    match frame.map(Frame::into_data) {
                        Ok(Ok(data)) => seen.body.push_str(std::str::from_utf8(&data).unwrap()),
                        Ok(Err(frame)) => seen.trailers = frame.into_trailers().ok(),
                        Err(error) => {
                            seen.error = Some(error.to_string());
                            break;
                        }
                    }
                }
                server.0.lock().unwrap().push(seen);
                Ok(Response::new(Full::from("answered")))
            }
        });
        McpRulesLayer::new(rules).unwrap().layer(inner)
    }

    /// What it saw since it was last asked.
    fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The answer to a request.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn code(&self) -> Value {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["jsonrpc"], "2.0");
        assert_eq!(body["id"], Value::Null);
        assert!(body["error"]["message"].is_string());
        body["error"]["code"].clone()
    }

    fn challenge(&self) -> &str {
        let header = self.headers.get("www-authenticate");
        header.map_or("", |value| value.to_str().unwrap())
    }
}

fn post() -> Builder {
    Request::post("/mcp").header("content-type", "application/json")
}

fn with(session: &AuthSession, mut request: Request<Script>) -> Request<Script> {
    request.extensions_mut().insert(session.clone());
    request
}

async fn ask<S, B>(service: &S, request: Request<Script>) -> Answer
where
    S: Service<Request<Script>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let response = service.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn ada() -> AuthSession {
    testing::session("ada").scopes(["read"]).build()
}

fn call(name: &str) -> String {
    let params = json!({"name": name, "arguments": {"x": "y".repeat(50)}});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
}

fn rules() -> McpRules {
    McpRules::new()
        .tool("write", require_scopes(["write"]).unwrap())
        .tool("delete_*", require_role("admin"))
        .tool("closed", deny())
}

#[tokio::test]
async fn a_call_that_is_allowed_reaches_the_server_byte_for_byte_however_it_was_cut() {
    let server = Server::default();
    let service = server.behind(rules());
    let body = format!(" {}\n", call("read"));
    for size in [1, 2, 3, 7, 64, 10_000] {
        for late in [false, true] {
            let mut script = Script::cut(body.as_bytes(), size);
            if late {
                script = script.ended_late();
            }
            let request = with(&ada(), post().body(script).unwrap());
            let answer = ask(&service, request).await;
            assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "answered"));
            let seen = server.seen();
            assert_eq!(seen[0].body, body, "{size}");
            assert_eq!(seen[0].error, None);
        }
    }
    // Trailers too, before and after the call is known.
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "1".parse().unwrap())]);
    let data = Part::Data(body.clone().into());
    let script = Script::of([data, Part::Trailers(trailers.clone())]);
    ask(&service, with(&ada(), post().body(script).unwrap())).await;
    assert_eq!(server.seen()[0].trailers, Some(trailers));
}

#[tokio::test]
async fn a_call_is_refused_as_a_guard_on_a_route_refuses() {
    let server = Server::default();
    let service = server.behind(rules());
    for size in [1, 10_000] {
        let ask = |name: &str| {
            let script = Script::cut(call(name).as_bytes(), size);
            ask(&service, with(&ada(), post().body(script).unwrap()))
        };
        assert_eq!(ask("read").await.status, 200);
        let write = ask("write").await;
        assert_eq!(write.status, 403);
        assert!(
            write.challenge().contains("error=\"insufficient_scope\""),
            "{write:?}"
        );
        assert!(write.challenge().contains("scope=\"write\""), "{write:?}");
        for tool in ["delete_all", "closed"] {
            let forbidden = ask(tool).await;
            assert_eq!(
                (forbidden.status.as_u16(), forbidden.challenge()),
                (403, ""),
                "{tool}"
            );
            assert!(forbidden.body.contains("access_denied"), "{forbidden:?}");
        }
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn the_challenge_names_what_the_guards_before_needed_too() {
    let server = Server::default();
    let service = server.behind(rules());
    let service = RequireLayer::new(require_scopes(["read"]).unwrap()).layer(service);
    let request = post().body(Script::whole(call("write"))).unwrap();
    let answer = ask(&service, with(&ada(), request)).await;
    assert!(
        answer.challenge().contains("scope=\"read write\""),
        "{answer:?}"
    );
    // And a guard behind names what the rules needed.
    let inner = service_fn(async |_: Request<McpBody<Script>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let inner = RequireLayer::new(require_scopes(["more"]).unwrap()).layer(inner);
    let rules = McpRules::new().tool("*", require_scopes(["read"]).unwrap());
    let service = McpRulesLayer::new(rules).unwrap().layer(inner);
    let request = post().body(Script::whole(call("any"))).unwrap();
    let answer = ask(&service, with(&ada(), request)).await;
    assert!(
        answer.challenge().contains("scope=\"read more\""),
        "{answer:?}"
    );
}

#[tokio::test]
async fn without_a_session_nothing_is_read() {
    let server = Server::default();
    let service = server.behind(rules());
    let script = Script::whole(call("read"));
    let answer = ask(&service, post().body(script.clone()).unwrap()).await;
    assert_eq!(
        (answer.status, script.handed()),
        (StatusCode::UNAUTHORIZED, 0)
    );
    for method in ["GET", "DELETE", "HEAD", "PUT"] {
        let request = Request::builder().method(method).uri("/mcp");
        let answer = ask(&service, request.body(Script::default()).unwrap()).await;
        assert_eq!(answer.status, 401, "{method}");
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn a_header_is_a_claim_that_the_body_has_to_make() {
    let server = Server::default();
    let service = server.behind(rules());
    for (headers, is_true) in [
        (
            &[("mcp-method", "tools/call"), ("mcp-name", "read")][..],
            true,
        ),
        (&[("mcp-method", "tools/call")], true),
        (&[("mcp-name", "=?base64?cmVhZA==?=")], true),
        (&[("mcp-method", "tools/list")], false),
        (
            &[("mcp-method", "tools/call"), ("mcp-name", "write")],
            false,
        ),
        (&[("mcp-name", "=?base64?d3JpdGU=?=")], false),
        (&[("mcp-name", "read"), ("mcp-name", "read")], false),
        (&[("mcp-name", "read, read")], false),
        (&[("mcp_name", "read")], false),
        (&[("mcp-name", "=?base64?!?=")], false),
    ] {
        // The revision that has servers compare them: whether this one does, the operator has not said.
        let mut request = post().header("mcp-protocol-version", "2026-07-28");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Script::whole(call("read"))).unwrap();
        let answer = ask(&service, with(&ada(), request)).await;
        match is_true {
            true => assert_eq!(answer.status, 200, "{headers:?}: {answer:?}"),
            false => {
                assert_eq!(answer.status, 400, "{headers:?}");
                assert_eq!(answer.code(), -32020, "{headers:?}");
            }
        }
        assert_eq!(server.seen().len(), usize::from(is_true), "{headers:?}");
    }
    // The name that is allowed in the header, and the one that is not in the body: and the other way round.
    for (header, body) in [("read", "closed"), ("closed", "read")] {
        let request = post()
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", header);
        let request = request.body(Script::whole(call(body))).unwrap();
        assert_eq!(ask(&service, with(&ada(), request)).await.code(), -32020);
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn only_json_in_no_coding_is_read() {
    let server = Server::default();
    let service = server.behind(rules());
    for (headers, status) in [
        (&[("content-type", "application/json")][..], 200),
        (&[("content-type", "Application/JSON; charset=UTF-8")], 200),
        (
            &[("content-type", "application/json;charset=\"utf-8\"")],
            200,
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "identity"),
            ],
            200,
        ),
        (&[], 415),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "multipart/form-data; boundary=x")], 415),
        (
            &[("content-type", "application/x-www-form-urlencoded")],
            415,
        ),
        (&[("content-type", "application/json; charset=utf-16")], 415),
        // Express takes each of the next two for UTF-7, in which `+AGQ-` is a `d`.
        (
            &[("content-type", "application/json; charset = utf-7")],
            415,
        ),
        (
            &[("content-type", "application/json; charset =\"utf-7\"")],
            415,
        ),
        (
            &[("content-type", "application/json; charset*=utf-8''utf-7")],
            415,
        ),
        (
            &[("content-type", "application/json; a=b, charset=utf-7")],
            415,
        ),
        (
            &[(
                "content-type",
                "application/json; charset=utf-8; CHARSET=utf-7",
            )],
            415,
        ),
        (&[("content-type", "application/json; a=b")], 200),
        (
            &[
                ("content-type", "application/json"),
                ("content_type", "application/json; charset=utf-7"),
            ],
            415,
        ),
        (
            &[
                ("content-type", "application/json"),
                ("Content_Encoding", "gzip"),
            ],
            415,
        ),
        (&[("content-type", "application/json, text/plain")], 415),
        (
            &[
                ("content-type", "application/json"),
                ("content-type", "application/json"),
            ],
            415,
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "gzip"),
            ],
            415,
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "identity, br"),
            ],
            415,
        ),
        (
            &[
                ("content-type", "application/json"),
                ("content-encoding", "identity"),
                ("content-encoding", "gzip"),
            ],
            415,
        ),
    ] {
        let mut request = Request::post("/mcp");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Script::whole(call("read"))).unwrap();
        let answer = ask(&service, with(&ada(), request)).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(server.seen().len(), usize::from(status == 200));
        if status == 415 {
            assert_eq!(answer.headers["accept-encoding"], "identity");
        }
    }
}

#[tokio::test]
async fn a_request_without_a_body_calls_nothing_and_one_with_a_body_does_whatever_its_method() {
    let server = Server::default();
    let service = server.behind(rules().default(deny()));
    let request = |method: &str| {
        let request = Request::builder().method(method).uri("/mcp");
        request
            .header("content-type", "application/json")
            .header("upgrade", "websocket")
    };
    for (method, body, status) in [
        ("GET", Script::default(), 200),
        ("GET", Script::default().ended_late(), 200),
        ("GET", Script::of([Part::Data(Bytes::new())]), 200),
        ("HEAD", Script::default(), 200),
        ("DELETE", Script::default(), 200),
        ("OPTIONS", Script::default(), 200),
        ("GET", Script::whole(call("closed")), 400),
        ("GET", Script::whole("x"), 400),
        ("DELETE", Script::whole(call("closed")), 400),
        ("OPTIONS", Script::whole(call("closed")), 400),
        ("PUT", Script::whole(call("closed")), 403),
        ("PATCH", Script::whole(call("write")), 403),
        ("QUERY", Script::whole(call("write")), 403),
        ("POST", Script::default(), 400),
        ("POST", Script::default().ended_late(), 400),
        ("CONNECT", Script::default(), 400),
    ] {
        let answer = ask(&service, with(&ada(), request(method).body(body).unwrap())).await;
        assert_eq!(answer.status, status, "{method}");
        let seen = server.seen();
        assert_eq!(seen.len(), usize::from(status == 200), "{method}");
        // On another protocol nothing could be judged.
        assert!(
            seen.iter()
                .all(|seen| !seen.headers.contains_key("upgrade"))
        );
    }
    // A preflight of a browser has no token.
    let answer = ask(
        &service,
        request("OPTIONS").body(Script::default()).unwrap(),
    )
    .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_batch_passes_whole_or_not_at_all() {
    let server = Server::default();
    let service = server.behind(rules());
    let batch = |names: &[&str]| {
        let calls: Vec<_> = names.iter().map(|name| call(name)).collect();
        format!("[{}]", calls.join(","))
    };
    for (body, status) in [
        (batch(&["read"]), 200),
        (batch(&["read", "other"]), 200),
        (batch(&["read", "write"]), 400),
        (batch(&["closed", "read"]), 400),
        (batch(&[]), 400),
        (format!("[{}]", batch(&["read"])), 400),
        (format!("[{},1]", call("read")), 400),
        (
            format!(
                "[{},{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{}}}}]",
                call("read")
            ),
            200,
        ),
    ] {
        for size in [1, 10_000] {
            let script = Script::cut(body.as_bytes(), size);
            let answer = ask(&service, with(&ada(), post().body(script).unwrap())).await;
            assert_eq!(answer.status, status, "{body}");
            assert_eq!(server.seen().len(), usize::from(status == 200));
            if status == 400 {
                assert_eq!(answer.code(), -32600);
            }
        }
    }
    // No one header can speak for a batch.
    let request = post().header("mcp-method", "tools/call");
    let request = request.body(Script::whole(batch(&["read"]))).unwrap();
    assert_eq!(ask(&service, with(&ada(), request)).await.code(), -32020);
}

#[tokio::test]
async fn a_body_that_says_another_call_later_ends_in_an_error_and_is_answered_400() {
    let proxy = Proxy::start().await;
    let (session, _) = real_session(&proxy).await;
    let server = Server::default();
    let service = server.behind(rules());
    let head = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read""#;
    for (first, second) in [
        (head, r#","name":"closed"}}"#),
        (head, r#","n\u0061me":"closed"}}"#),
        (head, r#","Name":"closed"}}"#),
        (head, r#"},"params":{"name":"closed"}}"#),
        (head, r#"},"method":"tools/list"}"#),
        (head, r#"},"result":{}}"#),
        (
            head,
            r#"}}{"method":"tools/call","params":{"name":"closed"}}"#,
        ),
        (head, r#"}} x"#),
        (head, r#"}"#),
        (head, ",\"a\":\"\u{1}\"}}"),
    ] {
        proxy.forget_events();
        let part = |text: &'static str| Part::Data(text.into());
        let script = Script::of([part(first), part(second)]);
        let answer = ask(&service, with(&session, post().body(script).unwrap())).await;
        assert_eq!(answer.status, 400, "{second}");
        assert!(
            [-32600, -32700].map(Value::from).contains(&answer.code()),
            "{answer:?}"
        );
        let seen = server.seen();
        // What says so was not handed on, and the server knows that it has no whole body.
        assert_eq!(seen[0].body, first, "{second}");
        assert!(seen[0].error.is_some(), "{second}");
        assert_eq!(
            proxy.refusals(),
            [(Step::Guard, Reason::Ambiguous)],
            "{second}"
        );
        // In one piece the server never hears of it.
        let script = Script::whole(format!("{first}{second}"));
        let answer = ask(&service, with(&session, post().body(script).unwrap())).await;
        assert_eq!(
            (answer.status.as_u16(), server.seen().len()),
            (400, 0),
            "{second}"
        );
        assert_eq!(proxy.refusals().len(), 2, "{second}");
    }
}

#[tokio::test]
async fn a_call_is_known_before_its_arguments_and_they_stream() {
    let (pieces, count) = ("x".repeat(64 * 1024), 160);
    let head = r#"{"method":"tools/call","params":{"name":"read","arguments":{"file":""#;
    let mut parts = vec![Part::Data(head.into())];
    parts.extend((0..count).map(|_| Part::Data(pieces.clone().into())));
    parts.push(Part::Data("\"}}}".into()));
    let script = Script::of(parts);
    let handed = script.handed.clone();
    // A server that asks for one frame at a time: no more of ten megabytes is ever taken from the client.
    let inner = service_fn(move |request: Request<McpBody<Script>>| {
        let handed = handed.clone();
        async move {
            let mut body = request.into_body();
            let (mut frames, mut bytes) = (0, 0);
            assert_eq!(
                handed.load(Ordering::SeqCst),
                1,
                "the head alone is held back"
            );
            while let Some(frame) = body.frame().await {
                frames += 1;
                bytes += frame.unwrap().into_data().unwrap().len();
                assert_eq!(handed.load(Ordering::SeqCst), frames, "read ahead");
            }
            assert!(body.is_end_stream());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(bytes.to_string())))
        }
    });
    let service = McpRulesLayer::new(rules()).unwrap().layer(inner);
    let answer = ask(&service, with(&ada(), post().body(script).unwrap())).await;
    let length = head.len() + count * pieces.len() + 4;
    assert_eq!(answer.body, length.to_string(), "{answer:?}");
}

#[tokio::test]
async fn what_is_held_back_has_an_end_wherever_the_body_is_cut() {
    let server = Server::default();
    let service = server.behind(rules().hold_back_at_most(1024));
    for (filling, status) in [(900, 200), (980, 413), (5_000, 413)] {
        let body = format!(
            r#"{{"params":{{"arguments":"{}","name":"read"}},"method":"tools/call"}}"#,
            "x".repeat(filling)
        );
        for size in [1, 100, 1023, 1024, 1025, 100_000] {
            let script = Script::cut(body.as_bytes(), size);
            let answer = ask(&service, with(&ada(), post().body(script.clone()).unwrap())).await;
            assert_eq!(answer.status, status, "{filling} {size}");
            assert_eq!(server.seen().len(), usize::from(status == 200));
            assert!(script.handed() <= 1026 + 1, "{size}: {}", script.handed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_say_in_time_what_it_calls_is_not_waited_for() {
    let server = Server::default();
    let service = server.behind(rules());
    let head = Part::Data(r#"{"method":"tools/call","#.into());
    let script = Script::of([head, Part::Hangs]);
    let answer = ask(&service, with(&ada(), post().body(script).unwrap())).await;
    assert_eq!(
        (answer.status, server.seen().len()),
        (StatusCode::REQUEST_TIMEOUT, 0)
    );
    let script = Script::of([Part::Data(r#"{"method":"#.into()), Part::Breaks]);
    let answer = ask(&service, with(&ada(), post().body(script).unwrap())).await;
    assert_eq!(
        (answer.status, server.seen().len()),
        (StatusCode::BAD_REQUEST, 0)
    );
    // Once the call is known, the client's own trouble is the server's to see.
    let head = Part::Data(r#"{"method":"tools/list","#.into());
    let script = Script::of([head, Part::Breaks]);
    let answer = ask(&service, with(&ada(), post().body(script).unwrap())).await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.seen()[0].error.as_deref(), Some("broken on purpose"));
}

#[tokio::test]
async fn where_the_server_checks_the_headers_they_decide_and_no_body_is_read() {
    let server = Server::default();
    let inner = service_fn(async |request: Request<McpBody<Script>>| {
        // It reads nothing.
        drop(request);
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("answered")))
    });
    let layer = McpRulesLayer::new(rules().headers_are_checked_behind()).unwrap();
    let unread = layer.layer(inner);
    let new = ("mcp-protocol-version", "2026-07-28");
    let old = ("mcp-protocol-version", "2025-11-25");
    let tool = ("mcp-method", "tools/call");
    for (headers, status, is_read) in [
        (&[new, tool, ("mcp-name", "read")][..], 200, false),
        (
            &[new, tool, ("mcp-name", "=?base64?cmVhZA==?=")],
            200,
            false,
        ),
        (&[new, tool, ("mcp-name", "write")], 403, false),
        (&[new, ("mcp-method", "tools/list")], 200, false),
        (&[new, tool, ("mcp-name", "=?base64?")], 200, false),
        (
            &[new, tool, ("mcp-name", "a"), ("mcp-name", "a")],
            400,
            false,
        ),
        (
            &[new, ("mcp-method", "Tools/Call"), ("mcp-name", "a")],
            400,
            false,
        ),
        // What says less is read, and then it is the body that counts.
        (&[old, tool, ("mcp-name", "read")], 400, true),
        (&[tool, ("mcp-name", "read")], 400, true),
        (&[new, tool], 403, true),
        (&[new, new, tool, ("mcp-name", "read")], 400, true),
        (&[new], 403, true),
        (&[], 403, true),
    ] {
        let mut request = post();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let script = Script::whole(call("closed"));
        let request = request.body(script.clone()).unwrap();
        let answer = ask(&unread, with(&ada(), request)).await;
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        assert_eq!(script.handed() > 0, is_read, "{headers:?}");
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn an_operator_hears_what_was_refused_and_no_line_of_a_log_is_forged() {
    let proxy = Proxy::with(|b| b.scopes(["openid", "read"])).await;
    let (session, _) = real_session(&proxy).await;
    let server = Server::default();
    let service = server.behind(rules().resource("note:*", deny()));
    let refused = async |body: String| -> Event {
        proxy.forget_events();
        let request = post().body(Script::whole(body)).unwrap();
        assert_ne!(ask(&service, with(&session, request)).await.status, 200);
        let mut events = proxy.events();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    };
    let event = refused(call("write")).await;
    assert_eq!(
        (event.step, event.reason),
        (Step::Guard, Some(Reason::Scope))
    );
    let detail = event.detail.unwrap();
    assert!(
        detail.starts_with("require_scopes(write) for `tools/call` of `write` at /mcp:"),
        "{detail}"
    );
    assert_eq!(event.subject.as_deref(), Some("person-1"));

    let event = refused(call(&format!("delete_{}", "\u{202e}x".repeat(1_000)))).await;
    assert_eq!(event.reason, Some(Reason::Forbidden));
    let detail = event.detail.unwrap();
    assert!(
        !detail.contains('\u{202e}') && detail.chars().count() < 700,
        "{detail}"
    );

    let note = json!({"method": "resources/read", "params": {"uri": "note:ada"}}).to_string();
    let event = refused(note).await;
    assert_eq!(event.reason, Some(Reason::Forbidden));
    assert!(event.detail.unwrap().contains("note:ada"));

    let event = refused(format!("[{},{}]", call("read"), call("closed"))).await;
    assert_eq!(event.reason, Some(Reason::Forbidden));
    assert!(event.detail.unwrap().contains("(`tools/call` of `closed`)"));

    let event = refused("{\"method\":\"a\",\"method\":\"b\"}".to_owned()).await;
    assert_eq!(event.reason, Some(Reason::Ambiguous));
}

#[tokio::test]
async fn a_check_inside_of_a_handler_is_answered_as_the_layer_would() {
    let server = Server::default();
    let outside = server.behind(rules());
    let inner = service_fn(async |request: Request<Script>| {
        let session = AuthSession::from_extensions(request.extensions());
        let response = match rules().check_tool("write", session) {
            Ok(()) => Response::new(Bytes::new()),
            Err(denied) => denied.response(request.extensions()),
        };
        Ok::<_, Infallible>(response.map(Full::new))
    });
    let request = |session: Option<&AuthSession>| {
        let request = post().body(Script::whole(call("write"))).unwrap();
        match session {
            Some(session) => with(session, request),
            None => request,
        }
    };
    let proxy = Proxy::with(|b| b.scopes(["openid", "read"])).await;
    let (real, _) = real_session(&proxy).await;
    for session in [Some(&real), None] {
        let by_layer = ask(&outside, request(session)).await;
        let by_tool = ask(&inner, request(session)).await;
        assert_eq!(by_layer.status, by_tool.status);
        assert_eq!(by_layer.headers, by_tool.headers);
        assert_eq!(by_layer.body, by_tool.body);
    }
    let events = proxy.refusals();
    assert_eq!(events, [(Step::Guard, Reason::Scope); 2]);
    let details: Vec<_> = proxy
        .events()
        .into_iter()
        .map(|event| event.detail)
        .collect();
    assert!(
        details[details.len() - 1]
            .as_ref()
            .unwrap()
            .starts_with("a check inside of the handler at /mcp")
    );
    assert_eq!(
        Denied::Forbidden
            .response(&http::Extensions::new())
            .status(),
        401
    );
}

#[tokio::test]
async fn a_server_that_has_begun_to_answer_is_not_answered_for() {
    let inner = service_fn(async |request: Request<McpBody<Script>>| {
        // The answer's body is what becomes of the request's.
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let service = McpRulesLayer::new(rules()).unwrap().layer(inner);
    let part = |text: &'static str| Part::Data(text.into());
    let script = Script::of([part(r#"{"method":"tools/list""#), part(r#","method":"x"}"#)]);
    let response = service
        .oneshot(with(&ada(), post().body(script).unwrap()))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    assert!(!body.is_end_stream());
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, r#"{"method":"tools/list""#);
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.frame().await.is_none());
    assert!(body.is_end_stream());
}

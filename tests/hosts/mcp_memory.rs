//! What the rules by tool keep of long bodies: counted in bytes of the heap.

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body::Body as _;
use tower::{Layer, Service, service_fn};
use tower_oauth_proxy::{
    guard::{
        mcp::{Listed, McpBody, McpRules, McpRulesLayer},
        require_role,
    },
    testing,
};

use crate::mcp_rules::{Part, Script};

/// 160 of these are ten megabytes.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 160;

/// A head, ten megabytes that take no room of their own, and an end.
fn long(head: &'static str, filling: &Bytes, end: &'static str) -> Script {
    let mut parts = vec![Part::Data(head.into())];
    parts.extend((0..PIECES).map(|_| Part::Data(filling.clone())));
    parts.push(Part::Data(end.into()));
    Script::of(parts)
}

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// How many bytes a body has, read frame by frame.
async fn length<B: http_body::Body<Data = Bytes> + Unpin>(mut body: B) -> usize
where
    B::Error: std::fmt::Debug,
{
    let mut length = 0;
    while let Some(frame) =
        std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
    {
        length += frame.unwrap().into_data().map_or(0, |data| data.len());
    }
    length
}

fn request(body: Script) -> Request<Script> {
    let request = Request::post("/mcp").header(header::CONTENT_TYPE, "application/json");
    let mut request = request.body(body).unwrap();
    request
        .extensions_mut()
        .insert(testing::session("ada").build());
    request
}

#[test]
fn of_ten_megabytes_of_arguments_nothing_is_kept() {
    let rules = McpRules::new().tool("delete_*", require_role("admin"));
    let server = service_fn(|request: Request<McpBody<Script>>| async {
        let read = length(request.into_body()).await;
        Ok::<_, Infallible>(Response::new(Script::of([Part::Data(
            read.to_string().into(),
        )])))
    });
    let mut service = McpRulesLayer::new(rules).unwrap().layer(server);
    let filling = Bytes::from(vec![b'x'; PIECE]);
    let head = r#"{"method":"tools/call","params":{"name":"read","arguments":{"file":""#;
    let mut request = Some(request(long(head, &filling, "\"}}}")));
    let used = allocation_counter::measure(|| {
        let answer = now(service.call(request.take().unwrap())).unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.body().size_hint().lower() < 10);
    });
    assert!(used.bytes_max < 16 * 1024, "{used:?}");
}

#[test]
fn of_ten_megabytes_that_do_not_say_their_call_no_more_than_the_limit_is_kept() {
    let rules = McpRules::new().hold_back_at_most(128 * 1024);
    let server = service_fn(|_: Request<McpBody<Script>>| async {
        Ok::<_, Infallible>(Response::new(Script::default()))
    });
    let mut service = McpRulesLayer::new(rules).unwrap().layer(server);
    let filling = Bytes::from(vec![b'x'; PIECE]);
    let mut request = Some(request(long("{\"x\":\"", &filling, "\"}")));
    let used = allocation_counter::measure(|| {
        let answer = now(service.call(request.take().unwrap())).unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    });
    assert!(used.bytes_max < 300 * 1024, "{used:?}");
}

#[test]
fn of_ten_megabytes_of_a_filtered_list_one_entry_is_kept() {
    let rules = McpRules::new()
        .tool("delete_*", require_role("admin"))
        .list(Listed::Callable);
    let entry = |name: &str| {
        format!(
            r#"{{"name":"{name}","description":"{}"}},"#,
            "x".repeat(500)
        )
    };
    let mut filling = String::new();
    while filling.len() < PIECE {
        filling += &entry("delete_all");
        filling += &entry("read");
    }
    let filling = Bytes::from(filling);
    let server = service_fn(move |_: Request<McpBody<Script>>| {
        let list = long(r#"{"result":{"tools":["#, &filling, r#"{"name":"last"}]}}"#);
        let mut response = Response::new(list);
        let kind = "application/json".parse().unwrap();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        async { Ok::<_, Infallible>(response) }
    });
    let mut service = McpRulesLayer::new(rules).unwrap().layer(server);
    let body = r#"{"method":"tools/list"}"#;
    let answer = now(service.call(request(Script::of([Part::Data(body.into())])))).unwrap();
    let mut body = Some(answer.into_body());
    let used = allocation_counter::measure(|| {
        let length = now(length(body.take().unwrap()));
        // Half of the entries.
        assert!(
            (PIECE * PIECES / 2 - PIECE..PIECE * PIECES).contains(&length),
            "{length}"
        );
    });
    assert!(used.bytes_max < 300 * 1024, "{used:?}");
}

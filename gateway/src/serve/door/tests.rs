use http::{HeaderName, HeaderValue, Request};

use super::*;

const LIMITS: DoorLimits = DoorLimits {
    body: 1000,
    header_lines: 10,
};

fn parts(version: Version, target: &str, fields: &[(&str, &str)]) -> request::Parts {
    let mut request = Request::builder()
        .version(version)
        .uri(target)
        .body(())
        .unwrap();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    request.into_parts().0
}

fn refused(fields: &[(&str, &str)]) -> u16 {
    let mut parts = parts(Version::HTTP_11, "/mcp", fields);
    enter(&mut parts, LIMITS).map_or_else(|refusal| refusal.status.as_u16(), |_| 0)
}

#[test]
fn an_ordinary_request_enters() {
    assert_eq!(
        refused(&[("host", "mcp.example.com"), ("content-length", "1000")]),
        0
    );
    assert_eq!(
        refused(&[("host", "h:8080"), ("transfer-encoding", "Chunked")]),
        0
    );
    assert_eq!(
        refused(&[("host", "[::1]:80"), ("expect", "100-Continue")]),
        0
    );
}

#[test]
fn there_is_one_host_and_it_is_one() {
    assert_eq!(refused(&[]), 400);
    assert_eq!(refused(&[("host", "a"), ("host", "a")]), 400);
    assert_eq!(refused(&[("host", "a b")]), 400);
    assert_eq!(refused(&[("host", "user@a")]), 400);
    let mut old = parts(Version::HTTP_10, "/mcp", &[]);
    assert!(enter(&mut old, LIMITS).is_ok());
}

#[test]
fn where_a_request_ends_is_said_once() {
    let with = |fields: &[(&str, &str)]| {
        let all: Vec<_> = [("host", "a")].iter().chain(fields).copied().collect();
        refused(&all)
    };
    assert_eq!(
        with(&[("content-length", "3"), ("transfer-encoding", "chunked")]),
        400
    );
    assert_eq!(
        with(&[("content-length", "3"), ("content-length", "3")]),
        400
    );
    assert_eq!(with(&[("content-length", "+3")]), 400);
    assert_eq!(with(&[("content-length", "3, 3")]), 400);
    assert_eq!(with(&[("content-length", "1001")]), 413);
    assert_eq!(with(&[("content-length", "99999999999999999999999")]), 400);
    assert_eq!(with(&[("transfer-encoding", "gzip, chunked")]), 501);
    assert_eq!(with(&[("transfer-encoding", "chunked, chunked")]), 501);
    assert_eq!(
        with(&[
            ("transfer-encoding", "chunked"),
            ("transfer-encoding", "identity")
        ]),
        501
    );
    assert_eq!(with(&[("transfer-encoding", "\tchunked")]), 501);
}

#[test]
fn an_unknown_expectation_is_not_met() {
    assert_eq!(refused(&[("host", "a"), ("expect", "200-ok")]), 417);
}

#[test]
fn an_absolute_target_becomes_its_path() {
    let mut parts = parts(
        Version::HTTP_11,
        "http://evil.example/mcp?a=b",
        &[("host", "mcp.example.com")],
    );
    enter(&mut parts, LIMITS).unwrap();
    assert_eq!(parts.uri, "/mcp?a=b");
}

#[test]
fn a_path_means_the_same_to_everyone() {
    for path in [
        "/a/../b",
        "/..",
        "/a/./b",
        "/%2e%2e/b",
        "/.%2E/b",
        "/a%2f..%2fb",
        "/..;x/b",
        "/a%5c..",
        "/a%00",
        "*",
        "mcp",
        "mcp:80",
    ] {
        let mut parts = parts(Version::HTTP_11, path, &[("host", "a")]);
        assert!(enter(&mut parts, LIMITS).is_err(), "{path}");
    }
    for path in ["/a..b", "/...", "/a%2fb", "/.well-known/x", "/a;b", "/a//b"] {
        let mut parts = parts(Version::HTTP_11, path, &[("host", "a")]);
        assert!(enter(&mut parts, LIMITS).is_ok(), "{path}");
    }
}

#[test]
fn in_http_2_host_and_authority_are_one() {
    let ask = |host: &str| {
        let mut parts = parts(
            Version::HTTP_2,
            "https://mcp.example.com/mcp",
            &[("host", host)],
        );
        enter(&mut parts, LIMITS).is_ok()
    };
    assert!(ask("MCP.example.com"));
    assert!(!ask("evil.example"));
}

#[test]
fn nobody_opens_tunnels_or_asks_for_an_echo() {
    for method in [Method::CONNECT, Method::TRACE] {
        let mut parts = parts(Version::HTTP_11, "/mcp", &[("host", "a")]);
        parts.method = method;
        assert_eq!(enter(&mut parts, LIMITS).unwrap_err().status, 405);
    }
}

#[test]
fn a_header_has_so_many_lines() {
    let many: Vec<_> = (0..11).map(|_| ("host", "a")).collect();
    assert_eq!(refused(&many), 431);
}

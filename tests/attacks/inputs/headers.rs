//! `Authorization` and `Cookie`, byte by byte.

use http::Method;
use proptest::prelude::*;

use super::{Target, for_all, hostile};

fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..200),
        2 => hostile().prop_map(String::into_bytes),
        2 => "(Bearer|bearer|Basic|basic|Digest|DPoP)? {0,3}[A-Za-z0-9+/=._~:-]{0,300}"
            .prop_map(String::into_bytes),
        1 => "Bearer e[A-Za-z0-9_-]{0,200}\\.[A-Za-z0-9_-]{0,400}\\.[A-Za-z0-9_-]{0,100}"
            .prop_map(String::into_bytes),
        1 => Just([b"Bearer ".as_slice(), &[b'a'; 40_000]].concat()),
    ]
}

#[test]
fn no_authorization_header_opens_anything_or_breaks_anything() {
    let target = Target::new();
    let path = prop::sample::select(vec![
        "/mcp",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/authorize",
    ]);
    let one_or_two = prop::collection::vec(header_bytes(), 1..3);
    for_all(2_000, (one_or_two, path), |(values, path)| {
        let kind = ("content-type", &b"application/x-www-form-urlencoded"[..]);
        let mut headers = vec![kind];
        headers.extend(values.iter().map(|value| ("authorization", &value[..])));
        let body = "grant_type=refresh_token&refresh_token=x&token=x";
        let method = match path {
            "/oauth/authorize" | "/mcp" => Method::GET,
            _ => Method::POST,
        };
        let Some(reply) = target.send(method, path, &headers, body) else {
            return Ok(());
        };
        target.judge(&reply)?;
        prop_assert!([400, 401].contains(&reply.status.as_u16()), "{reply:?}");
        if path == "/mcp" {
            prop_assert_eq!(reply.status, 401, "{:?}", reply);
            prop_assert!(reply.header("www-authenticate").is_some());
        }
        Ok(())
    });
}

#[test]
fn no_cookie_header_opens_anything_or_breaks_anything() {
    let target = Target::new();
    let name = prop_oneof![
        "(__Host-)?oauth-(request|login|approved)-[0-9a-f]{6}(-[0-9a-f]{12})?",
        hostile(),
    ];
    let cookies = prop::collection::vec((name, hostile()), 0..30).prop_map(|pairs| {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join("; ").into_bytes()
    });
    let value = prop_oneof![3 => cookies, 1 => header_bytes()];
    let path = prop::sample::select(vec![
        "/oauth/consent?login=x",
        "/oauth/callback?code=x&state=x",
        "/oauth/callback?error=x&state=x",
        "/mcp",
    ]);
    for_all(1_000, (value, path), |(value, path)| {
        let Some(reply) = target.send(Method::GET, path, &[("cookie", &value)], "") else {
            return Ok(());
        };
        target.judge(&reply)?;
        prop_assert!([400, 401].contains(&reply.status.as_u16()), "{reply:?}");
        Ok(())
    });
}

use http::header;

use super::*;
use crate::key::{Rotating, SealKey};

fn key(label: &str) -> Rotating<SealKey> {
    Rotating::new(crate::key::tests::key().seal(label), [])
}

fn cookies(base: &str, prefix: &str) -> Cookies {
    let base = BaseUrl::parse(base).unwrap();
    Cookies::new(&base, prefix, CookieKeys::derived(key))
}

#[test]
fn only_names_of_exactly_our_form_are_repeated() {
    let cookies = cookies("https://mcp.example.com", "__Host-");
    let stem = cookies.name(Kind::Login, "");
    let ours = format!("{stem}0123456789ab");
    let mut headers = HeaderMap::new();
    for odd in [
        "0123456789aB",
        "0123456789a",
        "0123456789abc",
        "",
        "<script>....",
        "\u{e9}12345678ab",
        "0123456789ab,",
        "\"123456789ab",
    ] {
        let line = format!("{stem}{odd}=x; {ours}=dead");
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.append(header::COOKIE, line);
    }
    let held = cookies.held(&headers, Duration::from_secs(600), Unix::at(1_000));
    assert_eq!(held.len(), 8);
    for held in held {
        assert_eq!(cookies.name(held.kind, &held.tag), ours);
    }
}

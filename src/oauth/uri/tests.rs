use proptest::prelude::*;

use super::*;

fn fault(raw: &str) -> UriFault {
    match StrictUri::parse(raw, 1024) {
        Err(fault) => fault,
        Ok(uri) => panic!("{raw:?} is read as {uri:?}"),
    }
}

#[test]
fn the_parts_are_those_that_were_given() {
    let uri = StrictUri::parse("HTTPS://App.Example:8443/A/b%20c?x=1&y", 1024).unwrap();
    assert_eq!((uri.scheme(), uri.host()), ("https", "app.example"));
    assert_eq!(uri.port(), Some(8443));
    assert_eq!((uri.path(), uri.query()), ("/A/b%20c", Some("x=1&y")));
    let app = StrictUri::parse("com.example.app:/cb", 1024).unwrap();
    assert!(!app.has_authority() && app.path() == "/cb");
    let bare = StrictUri::parse("http://127.0.0.1", 1024).unwrap();
    assert_eq!((bare.path(), bare.path_or_root()), ("", "/"));
    assert_eq!(bare.effective_port(), Some(80));
}

#[test]
fn userinfo_is_refused_however_it_is_dressed() {
    for raw in [
        "http://localhost:80@evil.example/",
        "http://localhost@evil.example/",
        "http://a:b@localhost/",
        "http://@localhost/",
        "myapp://me@host/",
    ] {
        assert_eq!(fault(raw), UriFault::UserInfo, "{raw}");
    }
}

#[test]
fn a_character_that_parsers_treat_differently_is_refused() {
    for raw in [
        "http://localhost\\@evil.example/",
        "http://localhost/\n",
        "http://local\thost/",
        " http://localhost/",
        "http://localhost/ ",
        "http://localhost/\u{0}",
        "http://bücher.example/",
        "https://localhost\u{ff0f}evil.example/",
        "http://localhost/%zz",
        "http://localhost/%2",
        "http://localhost/a|b",
        "http://localhost/<x>",
    ] {
        assert_eq!(fault(raw), UriFault::Character, "{raw:?}");
    }
}

#[test]
fn a_host_with_a_second_spelling_is_refused() {
    for raw in [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://local%68ost/",
        "http://localhost:080/",
        "http://localhost:/",
        "http://localhost:99999/",
        "http://localhost:+80/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "https://xn--a/",
        "http:///path",
        "https://",
    ] {
        let fault = fault(raw);
        assert!(
            matches!(fault, UriFault::Authority | UriFault::Ambiguous),
            "{raw}: {fault:?}"
        );
    }
}

#[test]
fn a_uri_without_authority_or_path_is_refused() {
    for raw in [
        "",
        "/callback",
        "//host/x",
        "http:localhost/",
        "http:/localhost/",
        "urn:ietf:wg:oauth:2.0:oob",
        "myapp:callback",
        "1app://x/",
        ":x",
    ] {
        assert_eq!(fault(raw), UriFault::NotAbsolute, "{raw}");
    }
}

#[test]
fn dot_segments_are_found_in_every_spelling() {
    for path in [
        "/a/../b",
        "/a/..",
        "/./a",
        "/a/.",
        "/%2e%2e/a",
        "/.%2E/a",
        "/a/%252e%252e/b",
        "/a/%25252e./b",
        "/a/..%2fb",
        "/a%2f..%2fb",
        "/a/..%5cb",
        "/a\\..\\b",
        "/a/..;/b",
        "/a/..;x=1",
        "/a/.%00./b",
        "/a/%c0%ae%c0%ae/b",
        "/a/%2e",
    ] {
        assert!(has_dot_segment(path), "{path}");
        assert!(!is_single_reading(path), "{path}");
    }
    for path in [
        "",
        "/",
        "/a.b/..c/...",
        "/.well-known/x",
        "/a%2fb",
        "/100%25",
        "/a/%",
        "/v1.",
    ] {
        assert!(!has_dot_segment(path), "{path}");
    }
}

#[test]
fn an_encoded_slash_or_percent_sign_is_refused_in_a_uri() {
    for raw in [
        "https://h/a%2fb",
        "https://h/a%5Cb",
        "https://h/a%252fb",
        "https://h/a%0ab",
    ] {
        assert_eq!(fault(raw), UriFault::Path, "{raw}");
    }
}

#[test]
fn a_fragment_is_refused_even_when_empty() {
    assert_eq!(fault("https://h/a#b"), UriFault::Fragment);
    assert_eq!(fault("https://h/a?x#"), UriFault::Fragment);
}

#[test]
fn only_this_computer_is_loopback() {
    for (raw, loopback) in [
        ("http://localhost/", true),
        ("http://LOCALHOST:1/", true),
        ("http://127.0.0.1/", true),
        ("https://127.255.0.3/", true),
        ("http://[::1]:5/", true),
        ("http://localhost./", false),
        ("http://localhost.evil.example/", false),
        ("http://x.localhost/", false),
        ("http://128.0.0.1/", false),
        ("http://[::ffff:7f00:1]/", false),
        ("http://0.0.0.0/", false),
        ("myapp://localhost/", false),
    ] {
        let uri = StrictUri::parse(raw, 1024).unwrap();
        assert_eq!(uri.is_loopback(), loopback, "{raw}");
    }
}

#[test]
fn length_is_bounded_before_anything_is_read() {
    let raw = format!("https://h/{}", "a".repeat(100));
    assert_eq!(StrictUri::parse(&raw, 109), Err(UriFault::TooLong));
    assert!(StrictUri::parse(&raw, 110).is_ok());
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_read_is_read_alike_by_a_browser(
        raw in "(https?|cursor|javascript)?:?/{0,3}[a-z0-9.@:%\\[\\]\\\\/?#;*é \n-]{0,40}"
    ) {
        if let Ok(uri) = StrictUri::parse(&raw, 1024) {
            let browser = Url::parse(&raw).unwrap();
            prop_assert_eq!(browser.host_str().unwrap_or(""), uri.host());
            prop_assert!(!raw.contains(['@', '#', '\\', '\n', ' ']) || raw.contains("/@")
                || uri.path().contains('@') || uri.query().is_some_and(|q| q.contains('@')));
            prop_assert!(!has_dot_segment(browser.path()));
        }
    }
}

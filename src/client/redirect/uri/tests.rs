use proptest::prelude::*;

use super::*;

fn uri(raw: &str) -> RedirectUri {
    RedirectUri::parse(raw).unwrap_or_else(|error| panic!("{raw} {error}"))
}

fn matches(asked: &str, registered: &str) -> bool {
    uri(asked).matches_registered(&uri(registered))
}

#[test]
fn the_callbacks_of_real_clients_are_redirect_uris() {
    for raw in [
        "https://claude.ai/api/mcp/auth_callback",
        "https://chatgpt.com/connector/oauth/AbC-1_2",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
        "http://127.0.0.1:33418",
        "http://localhost:3334/oauth/callback",
        "http://localhost:6274/oauth/callback/debug",
        "http://[::1]:8080/callback",
        "https://global.consent.azure-apim.net/redirect/cr1a2-5ftool-5f0123456789abcdef",
        "com.example.app:/oauth2redirect/example-provider",
        "vscode://vscode.github-authentication/did-authenticate?nonce=1",
    ] {
        assert_eq!(uri(raw).as_str(), raw);
    }
}

#[test]
fn a_scheme_of_scripts_or_files_is_refused_in_any_spelling() {
    for raw in [
        "javascript:alert(1)",
        "JavaScript://localhost/%0aalert(1)",
        " javascript:alert(1)",
        "java\nscript://x/",
        "\u{1}javascript://x/",
        "data:text/html,x",
        "data://x/y",
        "file:///etc/passwd",
        "file://localhost/x",
        "vbscript://x/",
        "blob:https://x/y",
        "about:blank",
        "about://blank/",
        "view-source:https://x/",
        "ws://localhost/",
        "wss://x/",
        "ftp://localhost/",
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        assert!(RedirectUri::parse(raw).is_err(), "{raw:?}");
    }
}

#[test]
fn plain_http_goes_to_this_computer_only() {
    for raw in [
        "http://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost./",
        "http://127.0.0.1.evil.example/",
        "http://128.0.0.1/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://[::ffff:7f00:1]/",
    ] {
        assert_eq!(
            RedirectUri::parse(raw),
            Err(InvalidRedirectUri::PlainHttp),
            "{raw}"
        );
    }
}

#[test]
fn what_two_parsers_read_differently_is_refused() {
    for raw in [
        "http://localhost:80@evil.example/",
        "http://localhost:80@evil.example",
        "https://claude.ai@evil.example/api/mcp/auth_callback",
        "https://evil.example\\@claude.ai/",
        "https://claude.ai\\.evil.example/",
        "http://127.0.0.1:9000/@evil.example",
        "http://127.0.0.1:9000/@evil.example/cb",
        "https://claude.ai/cb/@x",
        "https://claude.ai/cb?x=@evil.example",
        "myapp://callback/@evil.example",
        "https://claude.ai/a/../b",
        "https://claude.ai/a/%2e%2e/b",
        "https://claude.ai/a/.%2E/b",
        "https://claude.ai/cb\n",
        "https://claude.ai/cb\r\nSet-Cookie:x",
        "https://claude.ai/cb x",
        "https://claude.ai/cb#x",
        "https://cl\u{430}ude.ai/cb",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://localhost:80:80/",
        "http://localhost:99999/",
        "https:claude.ai/cb",
        "https:///claude.ai/cb",
        "//claude.ai/cb",
        "/cb",
        "",
    ] {
        assert!(RedirectUri::parse(raw).is_err(), "{raw:?}");
    }
    // The way to write an `@`.
    assert!(RedirectUri::parse("https://claude.ai/cb/%40x?y=%40").is_ok());
    let long = format!("https://h.example/{}", "a".repeat(MAX_REDIRECT_URI));
    assert!(RedirectUri::parse(&long).is_err());
}

#[test]
fn a_query_that_brings_a_part_of_the_answer_is_refused() {
    for raw in [
        "https://h/cb?code=1",
        "https://h/cb?x=1&st%61te=2",
        "https://h/cb?iss",
    ] {
        assert_eq!(
            RedirectUri::parse(raw),
            Err(InvalidRedirectUri::AnswerParameter),
            "{raw}"
        );
    }
    assert!(RedirectUri::parse("https://h/cb?codec=1").is_ok());
}

#[test]
fn only_the_port_of_plain_http_on_this_computer_may_vary() {
    assert!(matches("http://127.0.0.1:59656/", "http://127.0.0.1/"));
    assert!(matches("http://127.0.0.1:59656", "http://127.0.0.1:33418/"));
    assert!(matches(
        "http://localhost:1/cb?x=1",
        "http://localhost:2/cb?x=1"
    ));
    assert!(matches("http://[::1]:1/cb", "http://[::1]:2/cb"));
    assert!(matches("https://h.example/cb", "https://h.example/cb"));
    for (asked, registered) in [
        ("http://localhost:1/cb", "http://127.0.0.1:1/cb"),
        ("http://127.0.0.2/", "http://127.0.0.1/"),
        ("http://localhost:1/cb/", "http://localhost:1/cb"),
        ("http://localhost:1/CB", "http://localhost:1/cb"),
        ("http://localhost:1/cb/x", "http://localhost:1/cb"),
        ("http://localhost:1/cb?x", "http://localhost:1/cb"),
        ("http://localhost:1/cb?", "http://localhost:1/cb"),
        ("https://localhost:1/cb", "http://localhost:1/cb"),
        ("https://localhost:2/cb", "https://localhost:1/cb"),
        ("https://h.example:8443/cb", "https://h.example/cb"),
        ("https://h.example:443/cb", "https://h.example/cb"),
        ("https://h.example/", "https://h.example"),
        ("https://H.example/cb", "https://h.example/cb"),
        ("myapp://localhost:2/cb", "myapp://localhost:1/cb"),
        ("myapp2://cb/", "myapp://cb/"),
    ] {
        assert!(!matches(asked, registered), "{asked} for {registered}");
    }
}

#[test]
fn the_consent_page_names_the_host_that_is_really_meant() {
    for (raw, shown) in [
        ("https://Claude.ai/api/cb", "claude.ai"),
        ("https://h.example:8443/", "h.example:8443"),
        ("http://localhost:3334/cb", "localhost (this computer)"),
        ("http://[::1]:1/", "[::1] (this computer)"),
        (
            "cursor://claude.ai/cb",
            "cursor:// (an app on this computer)",
        ),
        (
            "com.example.app:/cb",
            "com.example.app:// (an app on this computer)",
        ),
        ("https://xn--cude-0nd1d.example/", "xn--cude-0nd1d.example"),
    ] {
        assert_eq!(uri(raw).place(), shown);
    }
}

#[test]
fn parameters_join_the_query_that_is_there() {
    let params = [("code", "a+b c&d"), ("state", "é=#\r\n")];
    let added = "code=a%2Bb%20c%26d&state=%C3%A9%3D%23%0D%0A";
    for (raw, joined) in [
        ("https://h/cb", format!("https://h/cb?{added}")),
        ("https://h/cb?", format!("https://h/cb?{added}")),
        (
            "https://h/cb?x=%20y",
            format!("https://h/cb?x=%20y&{added}"),
        ),
        ("app://h/", format!("app://h/?{added}")),
    ] {
        assert_eq!(uri(raw).with_query(&params), joined);
    }
    assert_eq!(uri("https://h/cb").with_query(&[]), "https://h/cb");
}

proptest! {
    #[test]
    fn an_answer_never_leaves_the_host_of_its_redirect_uri(
        raw in "(https://h\\.example|http://localhost|app:/)[:0-9a-z/?=&.@;%-]{0,20}",
        value in any::<String>(),
    ) {
        if let Ok(redirect) = RedirectUri::parse(&raw) {
            let answer = url::Url::parse(&redirect.with_query(&[("state", &value)])).unwrap();
            let before = url::Url::parse(&raw).unwrap();
            prop_assert_eq!(answer.host_str(), before.host_str());
            prop_assert_eq!(answer.path(), before.path());
            let state = answer.query_pairs().find(|(name, _)| name == "state");
            prop_assert_eq!(&*state.unwrap().1, &value);
        }
    }
}

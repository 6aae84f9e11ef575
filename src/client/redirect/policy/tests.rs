use super::*;

fn permits(pattern: &str, uri: &str) -> bool {
    let policy = RedirectPolicy::none().allow(pattern).unwrap();
    policy.permits(&RedirectUri::parse(uri).unwrap())
}

#[test]
fn the_default_permits_plain_http_on_this_computer_only() {
    let policy = RedirectPolicy::default();
    for (uri, permitted) in [
        ("http://localhost:3334/oauth/callback", true),
        ("http://127.0.0.1/", true),
        ("http://127.0.0.1:33418/", true),
        ("http://[::1]:1/x", true),
        ("https://localhost/cb", false),
        ("https://vscode.dev/redirect", false),
        ("https://claude.ai/api/mcp/auth_callback", false),
        ("cursor://anysphere.cursor-mcp/oauth/callback", false),
        ("myapp://localhost/cb", false),
    ] {
        let redirect = RedirectUri::parse(uri).unwrap();
        assert_eq!(policy.permits(&redirect), permitted, "{uri}");
        assert!(!RedirectPolicy::none().permits(&redirect));
    }
}

#[test]
fn a_pattern_without_a_star_permits_exactly_itself() {
    let pattern = "https://app.example.com/cb?x=1";
    assert!(permits(pattern, pattern));
    assert!(permits(pattern, "https://APP.example.com:443/cb?x=1"));
    for uri in [
        "https://app.example.com/cb",
        "https://app.example.com/cb?x=1&y=2",
        "https://app.example.com/cb/?x=1",
        "https://app.example.com/CB?x=1",
        "https://app.example.com:8443/cb?x=1",
        "https://app.example.com./cb?x=1",
        "https://app.example.com.evil.example/cb?x=1",
        "https://evil.example/https://app.example.com/cb?x=1",
        "app://app.example.com/cb?x=1",
    ] {
        assert!(!permits(pattern, uri), "{uri}");
    }
}

#[test]
fn a_star_label_stands_for_exactly_one_label() {
    let pattern = "https://*.example.com/cb";
    assert!(permits(pattern, "https://a.example.com/cb"));
    for uri in [
        "https://example.com/cb",
        "https://a.b.example.com/cb",
        "https://evilexample.com/cb",
        "https://a.example.com.evil.example/cb",
        "https://evil.example/a.example.com/cb",
        "https://evil.example/cb?x=.example.com/cb",
        "https://a.example.com:8443/cb",
        "https://a.example.com/cb/x",
        "https://a.example.com./cb",
    ] {
        assert!(!permits(pattern, uri), "{uri}");
    }
}

#[test]
fn a_star_path_permits_what_begins_with_it_on_a_segment_boundary() {
    let pattern = "https://app.example.com/oauth/*";
    assert!(permits(pattern, "https://app.example.com/oauth/a/b?x=1"));
    assert!(permits(pattern, "https://app.example.com/oauth/"));
    for uri in [
        "https://app.example.com/oauth",
        "https://app.example.com/oauthx/a",
        "https://app.example.com/x/oauth/a",
        "https://evil.example/oauth/a",
    ] {
        assert!(!permits(pattern, uri), "{uri}");
    }
    assert!(permits(
        "https://app.example.com/*",
        "https://app.example.com"
    ));
}

#[test]
fn a_star_port_is_for_this_computer_and_is_never_read_as_text() {
    let pattern = "http://localhost:*";
    assert!(permits(pattern, "http://localhost:3000/any?x"));
    assert!(permits(pattern, "http://localhost"));
    for uri in [
        "http://127.0.0.1:80/",
        "https://localhost:80/",
        "https://localhost.evil.example/",
    ] {
        assert!(!permits(pattern, uri), "{uri}");
    }
    // `http://localhost:80@evil.example` (a peer's CVE) is no redirect URI to begin with.
    assert!(RedirectUri::parse("http://localhost:80@evil.example/").is_err());
    assert!(permits("http://127.0.0.1:*/cb", "http://127.0.0.1:9/cb"));
    assert!(!permits(
        "http://127.0.0.1:*/cb",
        "http://127.0.0.1:9/other"
    ));
    assert!(permits("http://[::1]:*/cb/*", "http://[::1]:9/cb/x"));
    assert!(!permits(
        "http://localhost:3000/cb",
        "http://localhost:3001/cb"
    ));
}

#[test]
fn an_app_scheme_can_be_permitted_whole_by_host_or_exactly() {
    assert!(permits("myapp://*", "myapp://any/thing?x"));
    assert!(permits("myapp://*", "myapp:/thing"));
    assert!(!permits("myapp://*", "myapp2://any/"));
    assert!(permits("myapp://cb/*", "myapp://cb/x"));
    assert!(!permits("myapp://cb/*", "myapp://other/x"));
    assert!(permits("com.example.app:/cb", "com.example.app:/cb"));
    assert!(!permits("com.example.app:/cb", "com.example.app:///cb"));
}

#[test]
fn a_pattern_that_is_too_wide_or_unclear_is_refused() {
    for pattern in [
        "",
        "*",
        "https://*",
        "http://*",
        "https://*/cb",
        "https://*.com/cb",
        "https://*.*.com/cb",
        "https://a.*.com/cb",
        "https://*a.example.com/cb",
        "https://*example.com/cb",
        "https://*.1.2.3.4/",
        "https://*.localhost/",
        "http://*.localhost:*/",
        "https://h.example:*/cb",
        "https://localhost:*/cb",
        "https://h.example/a*",
        "https://h.example/*/b",
        "https://h.example/cb?*",
        "https://h.example/cb?x=/*",
        "http://h.example/cb",
        "javascript://*",
        "data://*",
        "*://h.example/cb",
        "https://u@h.example/cb",
        "https://h.example/../*",
        "https://h.example/%2e%2e/*",
        "https:/*",
        "http://localhost:*@evil.example/",
        "app:/x?u=https://*",
        "https://*.example.com./cb",
        "myapp://*.x.y/cb",
        "myapp://h:*/cb",
    ] {
        let Err(error) = RedirectPolicy::none().allow(pattern) else {
            panic!("{pattern} must be refused")
        };
        assert_eq!(error.option(), OPTION, "{pattern}");
    }
}

#[test]
fn advice_names_the_option_and_the_client_that_owns_the_uri() {
    let claude = RedirectUri::parse("https://claude.ai/api/mcp/auth_callback").unwrap();
    let advice = RedirectPolicy::advice(&claude);
    assert!(advice.contains("KnownClient::Claude") && advice.contains(OPTION));
    let other = RedirectUri::parse("https://h.example/cb").unwrap();
    let advice = RedirectPolicy::advice(&other);
    assert!(advice.contains("https://h.example/cb") && advice.contains(OPTION));
    assert!(!advice.contains("KnownClient"));
}

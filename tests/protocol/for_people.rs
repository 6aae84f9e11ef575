//! A protected path in a browser: the same refusal, and a page.

use tower_oauth_proxy::{Reason, Step};

use testkit::{Proxy, proxy::INSIDE};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_browser_reads_what_this_is_and_an_app_gets_what_it_always_got() {
    for base in ["https://proxy.example", "https://proxy.example/api"] {
        let proxy = Proxy::at(base, |builder| builder.service_name("Notes")).await;
        let path = proxy.path("/mcp");
        let json = proxy.wire.get(&path, &[("accept", "*/*")]).await;
        assert_eq!(json.header("content-type"), Some("application/json"));
        let page = proxy.browser().open(&format!("{base}/mcp")).await.page();
        assert_eq!(page.reply.status, 401);
        let html = page.reply.text();
        assert!(
            html.contains(&format!("<code><bdi>{base}/mcp</bdi></code>")),
            "{html}"
        );
        assert!(html.contains("Notes"), "{html}");
        assert_eq!(page.reply.header(INSIDE), None);
        // The same challenge, and all that guards a page.
        for name in [
            "www-authenticate",
            "cache-control",
            "access-control-expose-headers",
        ] {
            assert!(json.header(name).is_some(), "{name}");
            assert_eq!(page.reply.header(name), json.header(name), "{name}");
        }
        assert_eq!(
            page.reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(page.reply.header("x-frame-options"), Some("DENY"));
        assert!(page.reply.header("content-security-policy").is_some());
        // The id on the page is the event's.
        proxy.told(Step::Bearer, Reason::NoCredentials);
        let id = proxy.events().last().unwrap().login.clone().unwrap();
        assert!(html.contains(&id), "{html}");
    }
}

#[tokio::test]
async fn only_a_person_who_opens_it_gets_the_page() {
    let proxy = Proxy::start().await;
    let json = async |headers: &[(&str, &str)]| {
        let reply = proxy.wire.get("/mcp", headers).await;
        assert_eq!(reply.status, 401, "{headers:?}");
        reply.header("content-type") == Some("application/json")
    };
    assert!(!json(&[("accept", BROWSER)]).await);
    assert!(json(&[]).await);
    assert!(json(&[("accept", "application/json, text/event-stream")]).await);
    assert!(json(&[("accept", BROWSER), ("sec-fetch-mode", "cors")]).await);
    // Bad credentials are an app's.
    assert!(json(&[("accept", BROWSER), ("authorization", "Bearer x")]).await);
    let posted = proxy.wire.form("/mcp", &[], &[("accept", BROWSER)]).await;
    assert_eq!(posted.header("content-type"), Some("application/json"));
}

/// An odd path is no resource, so the page names the base.
#[tokio::test]
async fn the_page_repeats_no_odd_path() {
    let proxy = Proxy::start().await;
    for odd in ["/mcp//x", "/%3Cscript%3E", "/mcp/%2e%2e/x"] {
        let reply = proxy.wire.get(odd, &[("accept", BROWSER)]).await;
        assert_eq!(reply.status, 401, "{odd}");
        let html = reply.text();
        assert!(
            !html.contains("<script") && !html.contains(".."),
            "{odd}: {html}"
        );
    }
}

#[tokio::test]
async fn the_page_speaks_the_browsers_language_where_it_is_there() {
    let proxy = Proxy::start().await;
    let headers = [("accept", BROWSER), ("accept-language", "en-GB, en;q=0.5")];
    let reply = proxy.wire.get("/mcp", &headers).await;
    assert_eq!(reply.header("content-language"), Some("en"));
}

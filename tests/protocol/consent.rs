//! The consent page: the person decides, in the browser that will come back.

use tower_oauth_proxy::{Consent, Reason, Step};

use testkit::{
    Client, Kind, Pkce, Proxy,
    browser::Browser,
    client::{CALLBACK, native_metadata},
    html,
    wire::query_param,
};

/// A browser that stands on the consent page.
async fn at_consent(proxy: &Proxy, client: &Client) -> Browser {
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    let page = browser.open(&url).await.page();
    assert_eq!(page.reply.status, 200);
    browser
}

#[tokio::test]
async fn the_page_names_the_client_where_access_goes_and_what_for() {
    let proxy =
        Proxy::with(|b| b.allowed_redirect_uri_patterns(["https://app.example/callback"])).await;
    let client = proxy
        .register(&native_metadata("https://app.example/callback"))
        .await;
    let browser = at_consent(&proxy, &client).await;
    let page = browser.page().reply.text();
    for word in ["Kit", "app.example", "read", "write"] {
        assert!(page.contains(word), "{word} is missing: {page}");
    }
    let local = proxy.client().await;
    let browser = at_consent(&proxy, &local).await;
    assert!(browser.page().reply.text().contains("this computer"));
}

#[tokio::test]
async fn the_page_cannot_be_framed_scripted_cached_or_bound_to_its_own_origin() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let browser = at_consent(&proxy, &client).await;
    let reply = &browser.page().reply;
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("form-action"), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    assert_eq!(reply.header("referrer-policy"), Some("same-origin"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    let elements = html::elements(&reply.text());
    assert!(!elements.contains(&"script".to_owned()), "{elements:?}");
    // A click that a page beneath lured out finds no button under the pointer yet, and a tap or a key none at all.
    let page = reply.text();
    let place = "<div class=\"yes-place\"><button class=\"yes\" type=\"submit\" name=\"decision\" value=\"approve\">";
    assert!(page.contains(place), "{page}");
    assert!(page.contains(".yes-place button{animation:appear .15s .6s backwards;}"));
    assert!(page.contains("body:hover .yes-place{animation:ready 0s .8s forwards;}"));
    // The style is let in by its hash, and no other one is.
    assert!(policy.contains("; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn a_clients_name_is_text_whatever_it_holds() {
    let proxy = Proxy::start().await;
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</form><form action=https://evil.example method=post>",
        "&lt;b&gt;",
    ] {
        let mut metadata = native_metadata(CALLBACK);
        metadata["client_name"] = name.into();
        let client = proxy.register(&metadata).await;
        let browser = at_consent(&proxy, &client).await;
        let elements = html::elements(&browser.page().reply.text());
        for element in ["script", "img"] {
            assert!(!elements.contains(&element.to_owned()), "{elements:?}");
        }
        let form = browser.form();
        assert!(!form.action.contains("evil"), "{form:?}");
    }
}

#[tokio::test]
async fn a_denial_goes_back_to_the_client_and_nobody_to_the_provider() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = at_consent(&proxy, &client).await;
    let back = browser.press("deny").await.left();
    assert!(back.starts_with(CALLBACK));
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(query_param(&back, "state").as_deref(), Some("s"));
    assert_eq!(query_param(&back, "iss").as_deref(), Some(&*proxy.base));
    assert_eq!(proxy.provider.requests().len(), 0);
    proxy.told(Step::Consent, Reason::PersonDenied);
}

#[tokio::test]
async fn a_form_posted_by_another_site_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = at_consent(&proxy, &client).await;
    let form = browser.form();
    let mut fields = form.hidden.clone();
    fields.push(("decision".to_owned(), "approve".to_owned()));
    let fields: Vec<_> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
    let url = format!("{}/oauth/consent", proxy.base);
    let page = browser
        .forged_post("https://evil.example", &url, &fields)
        .await
        .page();
    assert!(page.reply.status.is_client_error(), "{page:?}");
    assert_eq!(proxy.provider.count(Kind::Authorize), 0);
    proxy.told(Step::Consent, Reason::Browser);
}

#[tokio::test]
async fn a_browser_that_sends_cookies_across_sites_is_still_no_help_to_another_site() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let browser = at_consent(&proxy, &client).await;
    let cookies = browser.jar.all();
    let cookies: Vec<_> = cookies
        .iter()
        .map(|cookie| format!("{}={}", cookie.name, cookie.value))
        .collect();
    let cookies = cookies.join("; ");
    let hidden = browser.form().hidden;
    let mut fields: Vec<_> = hidden.iter().map(|(k, v)| (&**k, &**v)).collect();
    fields.push(("decision", "approve"));
    let own = ("origin", &*proxy.base);
    for headers in [
        vec![("origin", "https://evil.example")],
        vec![("origin", "https://sub.proxy.example")],
        vec![("origin", "http://proxy.example")],
        vec![("origin", "https://proxy.example:444")],
        vec![("origin", "null")],
        vec![own, ("sec-fetch-site", "cross-site")],
        vec![own, ("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "cross-site")],
    ] {
        let sent = [&headers[..], &[("cookie", &*cookies)]].concat();
        let reply = proxy.wire.form("/oauth/consent", &fields, &sent).await;
        assert_eq!(reply.status, 400, "{headers:?}: {reply:?}");
        assert_eq!(reply.header("location"), None, "{headers:?}");
    }
    let sent = [own, ("cookie", &*cookies)];
    let reply = proxy.wire.form("/oauth/consent", &fields, &sent).await;
    assert!(reply.status.is_redirection(), "{reply:?}");
}

#[tokio::test]
async fn a_form_without_its_token_or_with_another_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let other = at_consent(&proxy, &client).await.form();
    let foreign = &other
        .hidden
        .iter()
        .find(|(name, _)| name == "csrf")
        .unwrap()
        .1;
    for forged in ["", "x", foreign] {
        let mut browser = at_consent(&proxy, &client).await;
        let form = browser.form();
        let mut fields = form.hidden.clone();
        for (name, value) in &mut fields {
            if name == "csrf" {
                forged.clone_into(value);
            }
        }
        fields.push(("decision".to_owned(), "approve".to_owned()));
        let page = browser.submit(&form, &fields).await.page();
        assert_eq!(page.reply.status, 400, "{forged}: {page:?}");
    }
    assert_eq!(proxy.provider.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn a_form_without_a_decision_decides_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    for decision in [None, Some(""), Some("APPROVE"), Some("maybe")] {
        let mut browser = at_consent(&proxy, &client).await;
        let form = browser.form();
        let mut fields = form.hidden.clone();
        fields.extend(decision.map(|d| ("decision".to_owned(), d.to_owned())));
        let page = browser.submit(&form, &fields).await.page();
        assert_eq!(page.reply.status, 400, "{decision:?}");
    }
    assert_eq!(proxy.provider.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn another_browser_cannot_see_the_page_nor_decide() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mine = at_consent(&proxy, &client).await;
    let mut other = proxy.browser();
    let seen = other.open(&mine.page().url).await.page();
    assert_eq!(seen.reply.status, 400);
    let mut thief = mine.clone();
    thief.jar.clear();
    let page = thief.press("approve").await.page();
    assert_eq!(page.reply.status, 400);
    assert_eq!(proxy.provider.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn the_page_may_be_fetched_twice() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = at_consent(&proxy, &client).await;
    let first = browser.form();
    let url = browser.page().url.clone();
    browser.open(&url).await.page();
    // The form that the browser showed first still works.
    let mut fields = first.hidden.clone();
    fields.push(("decision".to_owned(), "approve".to_owned()));
    browser.submit(&first, &fields).await.left();
}

#[tokio::test]
async fn the_page_is_over_when_its_time_is() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = at_consent(&proxy, &client).await;
    // As if the browser's clock stood still: the proxy's own rule has to hold.
    let cookies: Vec<_> = browser.jar.all().into_iter().cloned().collect();
    proxy.clock.advance_secs(601);
    for mut cookie in cookies {
        cookie.expires = None;
        browser.jar.plant(cookie);
    }
    let page = browser.press("approve").await.page();
    assert_eq!(page.reply.status, 400);
}

#[tokio::test]
async fn the_form_never_knows_the_state_that_the_provider_will_return() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = at_consent(&proxy, &client).await;
    let known: Vec<_> = browser.form().hidden.into_iter().map(|(_, v)| v).collect();
    browser.press("approve").await.left();
    let state = proxy.provider.last(Kind::Authorize);
    let state = state.param("state").unwrap();
    assert!(!known.iter().any(|value| value == state), "{known:?}");
}

#[tokio::test]
async fn with_consent_disabled_nobody_is_asked() {
    let proxy = Proxy::with(|builder| builder.consent(Consent::Disabled)).await;
    let client = proxy.client().await;
    let url = client.authorize(&Pkce::new(), "s").url();
    let back = proxy.browser().open(&url).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
    let warned = proxy
        .events()
        .iter()
        .any(|e| e.reason == Some(Reason::WeakOption));
    assert!(warned, "an option that weakens security is told once");
}

#[tokio::test]
async fn with_external_consent_the_provider_asks_instead() {
    let proxy = Proxy::with(|builder| builder.consent(Consent::External)).await;
    let client = proxy.client().await;
    let url = client.authorize(&Pkce::new(), "s").url();
    let back = proxy.browser().open(&url).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

#[tokio::test]
async fn a_remembered_approval_is_for_one_browser_one_client_and_one_extent() {
    let proxy = Proxy::with(|builder| builder.consent(Consent::Remember)).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let less = client
        .authorize(&Pkce::new(), "s")
        .with("scope", "read")
        .url();
    proxy.approve(&mut browser, &less).await.left();

    let again = client
        .authorize(&Pkce::new(), "s")
        .with("scope", "read")
        .url();
    browser.open(&again).await.left();

    let more = client
        .authorize(&Pkce::new(), "s")
        .with("scope", "read write")
        .url();
    browser.open(&more).await.page();
    let mut metadata = native_metadata(CALLBACK);
    metadata["client_name"] = "Another".into();
    let other = proxy.register(&metadata).await;
    browser
        .open(
            &other
                .authorize(&Pkce::new(), "s")
                .with("scope", "read")
                .url(),
        )
        .await
        .page();
    proxy.browser().open(&again).await.page();
    // A page of another site must not be able to use it silently.
    browser
        .click_on("https://evil.example", &again)
        .await
        .page();
}

#[tokio::test]
async fn a_remembered_approval_is_for_one_resource() {
    let proxy = Proxy::with(|builder| builder.consent(Consent::Remember)).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let at = |path: &str| {
        let request = client.authorize(&Pkce::new(), "s");
        request
            .with("resource", &format!("{}{path}", proxy.base))
            .url()
    };
    proxy.approve(&mut browser, &at("/mcp")).await.left();
    browser.open(&at("/mcp")).await.left();
    for other in ["/admin", "/mcp/x", ""] {
        browser.open(&at(other)).await.page();
    }
}

#[tokio::test]
async fn a_remembered_approval_is_over_after_thirty_days_whatever_the_browser_keeps() {
    const DAY: u64 = 24 * 3600;
    let proxy = Proxy::with(|builder| builder.consent(Consent::Remember)).await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    proxy.approve(&mut browser, &url).await.left();
    let kept = browser.jar.all().into_iter();
    let mut kept = kept.filter(|cookie| cookie.name.contains("approved"));
    let kept = testkit::jar::Cookie {
        expires: None,
        ..kept.next().unwrap().clone()
    };
    browser.jar.clear();
    browser.jar.plant(kept);
    proxy.clock.advance_secs(30 * DAY - 1);
    browser.open(&url).await.left();
    proxy.clock.advance_secs(1);
    browser.open(&url).await.page();
}

/// A sibling subdomain is somebody else: it can be taken over, or belong to a customer.
#[tokio::test]
async fn a_remembered_approval_is_not_for_other_sites_nor_for_sibling_subdomains() {
    let proxy = Proxy::at("https://mcp.proxy.example", |b| {
        b.consent(Consent::Remember)
    })
    .await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    proxy.approve(&mut browser, &url).await.left();
    for elsewhere in [
        "https://evil.example",
        "https://blog.proxy.example",
        "https://proxy.example",
    ] {
        browser.click_on(elsewhere, &url).await.page();
    }
    browser.click_on(&proxy.base, &url).await.left();
    browser.open(&url).await.left();
    // A browser that does not say where it comes from.
    let cookies = browser
        .jar
        .header(&url.parse().unwrap(), testkit::jar::Initiator::SameSite);
    let path = &url[proxy.base.len()..];
    let reply = proxy.wire.get(path, &[("cookie", &cookies.unwrap())]).await;
    assert!(reply.location().contains("/oauth/consent?"), "{reply:?}");
}

#[tokio::test]
async fn by_default_an_approval_is_not_remembered() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    proxy.journey_in(&mut browser, &client).await;
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
}

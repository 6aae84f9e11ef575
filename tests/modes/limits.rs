//! Limits for the open internet: so much in a minute, then "come again", and nothing is lost by it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tower_oauth_proxy::{OAuthProxyConfigBuilder, Reason, StaticClient, Step, TrustedIssuer};

use crate::{
    assertions,
    inside::session,
    mistakes::{fault, fault_showing, good},
    passthrough,
};
use testkit::{
    Answer, Client, Kind, Pkce, Proxy, Reply, Tokens,
    client::{CALLBACK, native_metadata},
    provider::Gate,
};

const MACHINE_SECRET: &str = "q8Wn3TzK5vRx2LcYb7Hd";

async fn register(proxy: &Proxy) -> Reply {
    Client::try_register(&proxy.wire, proxy.base_path(), &native_metadata(CALLBACK)).await
}

/// A refusal that says when to come again, and by which every client keeps what it has.
#[track_caller]
fn later(reply: &Reply, status: u16, after: &str) {
    reply.refused(status, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), Some(after));
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
}

/// How often the operator was told, and that each time the option was named.
fn told(proxy: &Proxy, step: Step, option: &str) -> usize {
    let events = proxy.events().into_iter();
    let over = events.filter(|event| event.reason == Some(Reason::OverLimit));
    let over = over.map(|event| {
        assert_eq!(event.step, step);
        let detail = event.detail.unwrap();
        assert!(detail.contains(&format!("`{option}`")), "{detail}");
    });
    over.count()
}

#[tokio::test]
async fn registrations_beyond_the_limit_are_told_to_come_again_and_one_comes_back_at_a_time() {
    let proxy = Proxy::with(|builder| builder.registrations_per_minute(3)).await;
    for _ in 0..3 {
        register(&proxy).await.expect(201);
    }
    let refused = register(&proxy).await;
    later(&refused, 503, "20");
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    proxy.clock.advance_secs(19);
    later(&register(&proxy).await, 503, "1");
    proxy.clock.advance_secs(1);
    register(&proxy).await.expect(201);
    later(&register(&proxy).await, 503, "20");
    assert_eq!(told(&proxy, Step::Register, "registrations_per_minute"), 3);
    // After a quiet hour there are three again, and not more.
    proxy.clock.advance_secs(3_600);
    for _ in 0..3 {
        register(&proxy).await.expect(201);
    }
    later(&register(&proxy).await, 503, "20");
}

#[tokio::test]
async fn a_registration_that_breaks_a_rule_counts_for_nothing_and_a_hook_is_asked_within_the_limit()
{
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let proxy = Proxy::with(|builder| {
        builder.registrations_per_minute(2).on_register(move |_| {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async { Ok(()) }
        })
    })
    .await;
    for _ in 0..20 {
        let garbage = Client::try_register(&proxy.wire, "", &json!({"redirect_uris": []})).await;
        assert_eq!(garbage.status, 400);
    }
    for status in [201, 201, 503, 503, 503] {
        assert_eq!(register(&proxy).await.status, status);
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_registrations_at_once_exactly_as_many_pass_as_the_limit_says() {
    let proxy = Arc::new(Proxy::with(|builder| builder.registrations_per_minute(25)).await);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let proxy = Arc::clone(&proxy);
        all.spawn(async move { register(&proxy).await.status.as_u16() });
    }
    let answers = all.join_all().await;
    let passed = answers.iter().filter(|status| **status == 201).count();
    let refused = answers.iter().filter(|status| **status == 503).count();
    assert_eq!((passed, refused), (25, 175));
    assert_eq!(
        told(&proxy, Step::Register, "registrations_per_minute"),
        175
    );
}

#[tokio::test]
async fn a_person_beyond_the_limit_of_logins_sees_a_page_and_gets_in_by_it_a_moment_later() {
    let proxy = Proxy::with(|builder| builder.logins_per_minute(2)).await;
    let client = proxy.client().await;
    let url = |pkce: &Pkce| client.authorize(pkce, "state").url();
    for _ in 0..2 {
        let page = proxy.browser().open(&url(&Pkce::new())).await.page();
        page.reply.expect(200);
    }
    let (pkce, mut browser) = (Pkce::new(), proxy.browser());
    let page = browser.open(&url(&pkce)).await.page();
    let reply = &page.reply;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, Some("30"))
    );
    assert!(
        reply
            .text()
            .contains("Many people are logging in right now"),
        "{}",
        reply.text()
    );
    // Nothing of a login that did not begin is in the browser.
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(told(&proxy, Step::Authorize, "logins_per_minute"), 1);
    let event = proxy.events().pop().unwrap();
    assert_eq!(event.client.as_deref(), Some(&*client.id));
    assert!(
        reply.text().contains(event.login.as_deref().unwrap()),
        "the page's id is the event's"
    );
    // The link of the page leads to where the browser is.
    proxy.clock.advance_secs(30);
    let again = page.url.to_string();
    browser.open(&again).await.page().reply.expect(200);
    let callback = browser.press("approve").await.left();
    Tokens::read(&client.redeem(&callback, &pkce).await);
}

#[tokio::test]
async fn what_begins_no_login_counts_for_nothing() {
    let proxy = Proxy::with(|builder| builder.logins_per_minute(1)).await;
    let client = proxy.client().await;
    let right = client.authorize(&Pkce::new(), "state");
    let mut browser = proxy.browser();
    for _ in 0..5 {
        let prefetch = ("sec-purpose", "prefetch");
        browser.prefetch(&right.url(), prefetch).await.expect(503);
        let wrong = client
            .authorize(&Pkce::new(), "state")
            .with("client_id", "nobody");
        assert_eq!(browser.open_once(&wrong.url()).await.status, 400);
        let wrong = client
            .authorize(&Pkce::new(), "state")
            .without("code_challenge");
        assert_eq!(browser.open_once(&wrong.url()).await.status, 302);
    }
    browser.open(&right.url()).await.page().reply.expect(200);
    assert_eq!(browser.open_once(&right.url()).await.status, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_comes_back_while_others_are_waited_for_gets_in_by_a_reload() {
    let proxy = Arc::new(Proxy::with(|builder| builder.callbacks_at_once(1)).await);
    let client = proxy.client().await;
    let gate = Gate::default();
    proxy.provider.next(Kind::Token, Answer::Held(gate.clone()));
    let first = {
        let (proxy, client) = (Arc::clone(&proxy), client.clone());
        tokio::spawn(async move {
            proxy
                .login(&mut proxy.browser(), &client, &Pkce::new())
                .await
        })
    };
    while proxy.provider.count(Kind::Token) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (pkce, mut browser) = (Pkce::new(), proxy.browser());
    let url = client.authorize(&pkce, "state").url();
    let page = proxy.approve(&mut browser, &url).await.page();
    let reply = &page.reply;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, Some("5"))
    );
    assert!(
        reply
            .text()
            .contains("Many people are logging in right now")
    );
    proxy.told(Step::Callback, Reason::Busy);
    let detail = proxy.events().pop().unwrap().detail.unwrap();
    assert!(detail.contains("`callbacks_at_once`"), "{detail}");
    gate.open();
    assert!(first.await.unwrap().contains("code="));
    let callback = browser.open(&page.url.to_string()).await.left();
    Tokens::read(&client.redeem(&callback, &pkce).await);
}

#[tokio::test]
async fn a_grant_that_refreshes_too_often_waits_and_no_other_does() {
    let proxy = Proxy::with(|builder| builder.token_requests_per_minute(2)).await;
    let client = proxy.client().await;
    let (mut tokens, others) = (proxy.journey(&client).await, proxy.journey(&client).await);
    for _ in 0..2 {
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    let refused = client.refresh(tokens.refresh()).await;
    later(&refused, 429, "30");
    assert!(
        refused.text().contains("try again in 30 s"),
        "{}",
        refused.text()
    );
    assert_eq!(told(&proxy, Step::Refresh, "token_requests_per_minute"), 1);
    let event = proxy.events().pop().unwrap();
    assert!(
        event.grant.is_some() && event.subject.is_some(),
        "{event:?}"
    );
    // Nothing was rotated and nothing ended: the access token is good, and so is the refresh token later.
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(others.refresh()).await);
    proxy.clock.advance_secs(30);
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_limit_that_is_reached_hides_no_theft() {
    let proxy = Proxy::with(|builder| builder.token_requests_per_minute(1)).await;
    let client = proxy.client().await;
    let stolen = proxy.journey(&client).await;
    // The thief refreshes first, and keeps the bucket empty. The grace of the first token is over.
    let thiefs = Tokens::read(&client.refresh(stolen.refresh()).await);
    proxy.clock.advance_secs(61);
    let thiefs = Tokens::read(&client.refresh(thiefs.refresh()).await);
    later(&client.refresh(thiefs.refresh()).await, 429, "60");
    // Then the client comes with its own.
    let reply = client.refresh(stolen.refresh()).await;
    reply.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::RefreshReuse);
    client
        .call("/mcp", &thiefs.access)
        .await
        .refused(401, "invalid_token");
    // What is not the grant's own counts for nothing: strangers cannot empty the bucket of another.
    let victims = proxy.journey(&client).await;
    let stranger = proxy.client().await;
    for _ in 0..5 {
        stranger
            .refresh(victims.refresh())
            .await
            .refused(400, "invalid_grant");
    }
    Tokens::read(&client.refresh(victims.refresh()).await);
}

#[tokio::test]
async fn a_machine_that_asks_too_often_waits_and_its_neighbour_does_not() {
    let machine = |id| StaticClient::machine(id, MACHINE_SECRET).scopes(["read"]);
    let proxy = Proxy::with(|builder| {
        let builder = builder
            .static_client(machine("one"))
            .static_client(machine("two"));
        builder.token_requests_per_minute(2)
    })
    .await;
    let ask = async |id: &str, secret: &str| {
        let basic = testkit::client::basic(id, secret);
        let fields = [("grant_type", "client_credentials")];
        let headers = [("authorization", basic.as_str())];
        proxy.wire.form("/oauth/token", &fields, &headers).await
    };
    for _ in 0..5 {
        ask("one", "wrong-wrong-wrong-wrong")
            .await
            .refused(401, "invalid_client");
    }
    for _ in 0..2 {
        ask("one", MACHINE_SECRET).await.expect(200);
    }
    later(&ask("one", MACHINE_SECRET).await, 429, "30");
    ask("two", MACHINE_SECRET).await.expect(200);
}

#[tokio::test]
async fn a_subject_of_a_trusted_issuer_waits_and_may_bring_the_same_assertion_later() {
    let limited = |builder: OAuthProxyConfigBuilder| builder.token_requests_per_minute(1);
    let at = assertions::start_with(TrustedIssuer::assertions, limited).await;
    at.token(json!({})).await;
    let second = at.assertion(json!({}));
    later(&at.bring(&second, &[]).await, 429, "60");
    // Somebody else's is good, and this one later: it was not used up.
    at.token(json!({"sub": "U2"})).await;
    at.proxy.clock.advance_secs(60);
    at.bring(&second, &[]).await.expect(200);
    at.bring(&second, &[])
        .await
        .refused(429, "temporarily_unavailable");
    at.proxy.clock.advance_secs(60);
    at.bring(&second, &[]).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn in_passthrough_mode_the_provider_is_not_asked_beyond_the_limit() {
    let limited = |builder: OAuthProxyConfigBuilder| builder.token_requests_per_minute(1);
    let proxy = passthrough::proxy_with(limited).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    let asked = proxy.provider.count(Kind::Token);
    later(&client.refresh(tokens.refresh()).await, 429, "60");
    assert_eq!(proxy.provider.count(Kind::Token), asked);
    proxy.clock.advance_secs(60);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    session(&proxy, &tokens.access).await;
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted_and_each_instance_counts_for_itself() {
    let proxy = Proxy::start().await;
    for _ in 0..300 {
        register(&proxy).await.expect(201);
    }
    let one = Proxy::with(|builder| builder.registrations_per_minute(1)).await;
    let two = one.sibling(|builder| builder.registrations_per_minute(1));
    for proxy in [&one, &two] {
        register(proxy).await.expect(201);
        later(&register(proxy).await, 503, "60");
    }
}

#[test]
fn a_limit_that_lets_nothing_through_or_that_is_none_is_a_mistake() {
    assert_eq!(
        fault(good().registrations_per_minute(0)),
        "registrations_per_minute"
    );
    assert_eq!(fault(good().logins_per_minute(0)), "logins_per_minute");
    assert_eq!(fault(good().callbacks_at_once(0)), "callbacks_at_once");
    assert_eq!(
        fault(good().token_requests_per_minute(0)),
        "token_requests_per_minute"
    );
    let much = good().logins_per_minute(100_001);
    assert_eq!(fault_showing(much, "100001"), "logins_per_minute");
    let much = good().callbacks_at_once(8_193);
    assert_eq!(fault_showing(much, "8193"), "callbacks_at_once");
    let most = good()
        .callbacks_at_once(8_192)
        .registrations_per_minute(100_000);
    most.build().map(drop).unwrap();
}

#[test]
fn the_report_has_each_limit_and_its_text_those_that_are_set() {
    let config = good().logins_per_minute(300).build().unwrap();
    let report = config.report();
    let most: Vec<_> = report
        .limits
        .iter()
        .map(|limit| (limit.option, limit.most))
        .collect();
    let none = None;
    assert_eq!(
        most,
        [
            ("registrations_per_minute", none),
            ("logins_per_minute", Some(300)),
            ("callbacks_at_once", none),
            ("token_requests_per_minute", none),
        ]
    );
    let text = report.to_string();
    let line = "logins_per_minute = 300: logins that begin, in this process";
    assert!(text.contains(line), "{text}");
    assert_eq!(text.matches("in this process").count(), 1);
}

//! A store that is down is nobody's fault: 503, and nothing is used up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tower_oauth_proxy::{
    OAuthProxyConfigBuilder, Reason, Step, StorageError,
    storage::{StorageFuture, TokenStorage},
};

use super::{is_503_page, is_503_without_a_challenge, is_unavailable};
use crate::support::{before_callback, code};
use testkit::{
    Client, FakeClock, Landing, Pkce, Provider, Proxy, Store, Tokens,
    client::CALLBACK,
    meddler::{Meddled, Meddler},
    proxy::BASE,
    store::Health,
    wire::query_param,
};

/// Longer than any request may take while the store hangs, shorter than two waits in a row.
const PATIENCE: Duration = Duration::from_millis(3_500);

async fn setup() -> (Proxy, Store, Client) {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    (proxy, store, client)
}

#[tokio::test]
async fn a_code_is_not_used_up_by_a_store_that_breaks_anywhere() {
    let (proxy, store, client) = setup().await;
    let mut failures = 0;
    for verbs in 0.. {
        let (code, pkce) = code(&proxy, &client).await;
        store.be(Health::UpFor(verbs));
        let reply = client.redeem_code(&code, &pkce).await;
        store.be(Health::Up);
        if reply.status == 200 {
            break;
        }
        is_unavailable(&reply);
        proxy.told(Step::Redeem, Reason::StoreUnavailable);
        let events = proxy.events();
        let cause = events.last().and_then(|event| event.detail.as_deref());
        assert!(
            cause.is_some_and(|why| why.ends_with("broken on purpose")),
            "{cause:?}"
        );
        let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
        proxy.session(&client, &tokens.access).await;
        failures += 1;
    }
    assert!(failures >= 3, "denial, record, swap");
}

#[tokio::test]
async fn a_refresh_token_works_after_a_store_that_breaks_anywhere() {
    let (proxy, store, client) = setup().await;
    let mut tokens = proxy.journey(&client).await;
    let mut failures = 0;
    for verbs in 0.. {
        store.be(Health::UpFor(verbs));
        let reply = client.refresh(tokens.refresh()).await;
        store.be(Health::Up);
        if reply.status == 200 {
            break;
        }
        is_unavailable(&reply);
        proxy.told(Step::Refresh, Reason::StoreUnavailable);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        failures += 1;
    }
    assert!(failures >= 3, "denial, record, swap");
}

/// A rotation that was stored while its answer was lost: the same successor, not reuse.
#[tokio::test]
async fn a_lost_answer_of_the_store_ends_no_chain() {
    let (proxy, store, client) = setup().await;
    let tokens = proxy.journey(&client).await;
    // The denial and the record are read, then the swap does its work unheard.
    for verbs in 0..4 {
        store.be(Health::UpFor(verbs));
        client.refresh(tokens.refresh()).await;
        store.be(Health::AnswersLost);
        is_unavailable(&client.refresh(tokens.refresh()).await);
        store.be(Health::Up);
    }
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    Tokens::read(&client.refresh(renewed.refresh()).await);
}

/// A store that carries out a grant's next swap, and is gone before it can say so.
#[derive(Clone)]
struct Unheard {
    store: Store,
    next: Arc<AtomicBool>,
}

impl Unheard {
    async fn start(
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> (Proxy, Self) {
        let clock = FakeClock::default();
        let store = Self {
            store: Store::new(&clock),
            next: Arc::default(),
        };
        let provider = Arc::new(Provider::start(clock.clone()).await);
        let kept = store.clone();
        let proxy = Proxy::before(provider, clock, BASE, |builder| {
            change(builder.token_storage(Meddled(kept)))
        });
        (proxy, store)
    }

    fn arm(&self) {
        self.next.store(true, Ordering::SeqCst);
    }
}

impl Meddler for Unheard {
    fn store(&self) -> &dyn TokenStorage {
        &self.store
    }

    fn swap<'a>(&'a self, key: &'a str, work: StorageFuture<'a, bool>) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            let swapped = work.await;
            if key.starts_with("grant:") && self.next.swap(false, Ordering::SeqCst) {
                self.store.be(Health::Down);
                return Err(StorageError::unavailable("unheard"));
            }
            swapped
        })
    }
}

/// The client was told that nothing has changed. Its next try, at once, must not be taken for a replay
/// of the step that the store carried out.
#[tokio::test]
async fn a_step_that_the_store_took_unheard_is_no_replay_at_the_next_try() {
    let without_grace = |b: OAuthProxyConfigBuilder| b.refresh_token_grace(Duration::ZERO);
    let (proxy, store) = Unheard::start(without_grace).await;
    let client = proxy.client().await;
    let (code, pkce) = code(&proxy, &client).await;
    store.arm();
    is_unavailable(&client.redeem_code(&code, &pkce).await);
    store.store.be(Health::Up);
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    store.arm();
    is_unavailable(&client.refresh(tokens.refresh()).await);
    store.store.be(Health::Up);
    proxy.clock.advance_secs(2);
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.session(&client, &renewed.access).await;
}

/// The provider has answered with a rotated token, and the store goes before it could be kept. The
/// answer cannot be had again.
#[tokio::test]
async fn a_store_that_breaks_during_a_renewal_at_the_provider_loses_nothing() {
    let (proxy, store) =
        Proxy::with_store(|builder| builder.access_token_ttl(Duration::from_secs(86_400))).await;
    let client = proxy.client().await;
    let mut failures = 0;
    for verbs in 0.. {
        let tokens = proxy.journey(&client).await;
        proxy.clock.advance_secs(3600);
        let renewals = proxy.provider.count_grant("refresh_token");
        store.forget();
        store.be(Health::UpFor(verbs));
        let asking = client.clone();
        let access = tokens.access.clone();
        let call = tokio::spawn(async move { asking.call("/mcp", &access).await });
        // Down for a while: a failover, a restart.
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let broke = store.seen().len() > verbs;
        store.be(Health::Up);
        let reply = call.await.unwrap();
        if reply.status != 200 {
            is_503_without_a_challenge(&reply);
        }
        // A failure is not asked about again for two seconds.
        proxy.clock.advance_secs(20);
        proxy.session(&client, &tokens.access).await;
        assert_eq!(
            proxy.provider.count_grant("refresh_token"),
            renewals + 1,
            "broken after {verbs} verbs"
        );
        let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        proxy.session(&client, &tokens.access).await;
        if !broke {
            break;
        }
        failures += 1;
    }
    assert!(failures >= 5);
}

#[tokio::test]
async fn a_callback_waits_for_the_store_to_come_back() {
    let (proxy, store, client) = setup().await;
    let (mut browser, callback, pkce) = before_callback(&proxy, &client).await;
    for health in [Health::Down, Health::AnswersLost, Health::Down] {
        store.be(health);
        let page = browser.open(&callback).await.page();
        is_503_page(&page.reply);
        proxy.told(Step::Callback, Reason::StoreUnavailable);
        assert_eq!(proxy.provider.count_grant("authorization_code"), 0);
    }
    store.be(Health::Up);
    let back = browser.open(&callback).await.left();
    Tokens::read(&client.redeem(&back, &pkce).await);
}

/// Once the provider's code is spent there is nothing to wait for: the client must hear of it.
#[tokio::test]
async fn a_store_that_breaks_after_the_exchange_is_told_to_the_client() {
    let (proxy, store, client) = setup().await;
    // The first write of an instance costs verbs of its own.
    proxy.journey(&client).await;
    let mut failures = 0;
    for verbs in 1.. {
        let (mut browser, callback, _) = before_callback(&proxy, &client).await;
        let mut second_tab = browser.clone();
        store.be(Health::UpFor(verbs));
        let landing = browser.open(&callback).await;
        store.be(Health::Up);
        let Landing::Left(back) = landing else {
            panic!("after {verbs} verbs: {landing:?}");
        };
        if query_param(&back, "code").is_some() {
            break;
        }
        assert!(back.starts_with(CALLBACK), "{back}");
        let of = |name| query_param(&back, name);
        assert_eq!(of("error").as_deref(), Some("temporarily_unavailable"));
        assert_eq!(of("state").as_deref(), Some("client-state"));
        assert_eq!(of("iss").as_deref(), Some(&*proxy.base));
        failures += 1;
        // A second tab that still has the cookie spends the code no second time, and gets no grant.
        let page = second_tab.open(&callback).await.page();
        assert_eq!(page.reply.status, 400, "after {verbs} verbs");
        let asked = proxy.provider.count_grant("authorization_code");
        assert_eq!(asked, failures + 1);
    }
    assert!(failures >= 2, "the mark of the callback, the grant");
}

#[tokio::test]
async fn a_login_does_not_start_while_the_store_is_down_and_its_consent_needs_none() {
    let (proxy, store, client) = setup().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "client-state").url();
    store.be(Health::Down);
    let page = browser.open(&url).await.page();
    is_503_page(&page.reply);
    assert!(browser.jar.all().is_empty());
    store.be(Health::Up);
    browser.open(&url).await.page();
    store.be(Health::Down);
    let page = browser.press("approve").await.page();
    is_503_page(&page.reply);
    assert!(page.url.contains("/oauth/callback?"), "{}", page.url);
    store.be(Health::Up);
    let back = browser.open(&page.url).await.left();
    assert!(query_param(&back, "code").is_some(), "{back}");
}

#[tokio::test]
async fn a_revocation_that_was_refused_revoked_nothing() {
    let (proxy, store, client) = setup().await;
    let tokens = proxy.journey(&client).await;
    for health in [
        Health::Down,
        Health::UpFor(0),
        Health::UpFor(1),
        Health::UpFor(2),
    ] {
        store.be(health);
        is_unavailable(&client.revoke(tokens.refresh()).await);
        proxy.told(Step::Revoke, Reason::StoreUnavailable);
        store.be(Health::Up);
        proxy.session(&client, &tokens.access).await;
    }
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.revoke(&tokens.access).await.expect(200);
    let reply = client.call("/mcp", &tokens.access).await;
    assert_eq!(reply.status, 401, "{reply:?}");
}

#[tokio::test]
async fn a_session_goes_on_from_the_cache_and_then_503_and_never_401() {
    let (proxy, store, client) = setup().await;
    let seen = proxy.journey(&client).await;
    let unseen = Tokens::read(&client.refresh(seen.refresh()).await);
    proxy.session(&client, &seen.access).await;

    store.be(Health::Down);
    proxy.clock.advance_secs(9);
    proxy.session(&client, &seen.access).await;
    is_503_without_a_challenge(&client.call("/mcp", &unseen.access).await);
    proxy.told(Step::Bearer, Reason::StoreUnavailable);
    let (events, because) = (
        proxy.events(),
        "the store is unavailable: broken on purpose",
    );
    let last = events.last().and_then(|event| event.detail.as_deref());
    assert_eq!(last, Some(because), "the operator reads the cause");
    proxy.clock.advance_secs(1);
    is_503_without_a_challenge(&client.call("/mcp", &seen.access).await);
    // A bad token needs no store to be a bad token.
    let reply = client.call("/mcp", "garbage").await;
    assert_eq!(reply.status, 401);

    store.be(Health::Up);
    proxy.session(&client, &seen.access).await;
    proxy.session(&client, &unseen.access).await;
}

/// Everything that asks the store answers within one wait of three seconds (paused time), says
/// so, and has changed nothing.
#[tokio::test]
async fn a_store_that_hangs_is_a_store_that_is_down() {
    let (proxy, store, client) = setup().await;
    let (mut browser, callback, callback_pkce) = before_callback(&proxy, &client).await;
    let tokens = proxy.journey(&client).await;
    let (code, pkce) = code(&proxy, &client).await;
    let url = client.authorize(&Pkce::new(), "client-state").url();

    store.be(Health::Frozen);
    tokio::time::pause();
    let mut begin = Instant::now();
    let mut in_time = || {
        let took = begin.elapsed();
        assert!(took <= PATIENCE, "took {took:?}");
        begin = Instant::now();
    };
    is_unavailable(&client.redeem_code(&code, &pkce).await);
    in_time();
    is_unavailable(&client.refresh(tokens.refresh()).await);
    in_time();
    is_unavailable(&client.revoke(tokens.refresh()).await);
    in_time();
    is_503_without_a_challenge(&client.call("/mcp", &tokens.access).await);
    in_time();
    is_503_page(&browser.open(&url).await.page().reply);
    in_time();
    is_503_page(&browser.open(&callback).await.page().reply);
    in_time();
    tokio::time::resume();

    store.be(Health::Up);
    let back = browser.open(&callback).await.left();
    Tokens::read(&client.redeem(&back, &callback_pkce).await);
    Tokens::read(&client.redeem_code(&code, &pkce).await);
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

/// Registration, discovery and the consent page keep nothing, and so need no store.
#[tokio::test]
async fn what_stores_nothing_needs_no_store() {
    let (proxy, store, client) = setup().await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
    let page = browser.page().url.clone();
    store.be(Health::Down);
    store.forget();
    proxy.client().await;
    browser.open(&page).await.page().reply.expect(200);
    let document = "/.well-known/oauth-authorization-server";
    proxy.wire.get(document, &[]).await.expect(200);
    proxy.wire.get("/mcp", &[]).await.expect(401);
    assert!(store.seen().is_empty(), "{:?}", store.seen());
}

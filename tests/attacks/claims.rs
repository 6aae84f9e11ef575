//! A callback that several instances are given at once, and instances that are killed over it.

use std::time::Duration;

use tower_oauth_proxy::{Consent, Reason, Step};

use crate::support::{at_once, before_callback, provider_saw};
use testkit::{
    Answer, Browser, Client, Kind, Landing, Pkce, Proxy, Store, Tokens, provider::Gate,
    store::Health, wire::query_param,
};

async fn three_instances() -> (Vec<Proxy>, Store) {
    let (first, store) = Proxy::with_store(|builder| builder).await;
    let [second, third] =
        [(), ()].map(|()| first.sibling(|builder| builder.token_storage(store.clone())));
    (vec![first, second, third], store)
}

/// An instance whose line to the shared store is its own, and can be cut: to the others it is then
/// as good as killed.
async fn with_a_line_of_its_own() -> (Proxy, Proxy, Store, Store) {
    let (first, store) = Proxy::with_store(|builder| builder).await;
    let line = store.another_line();
    let second = first.sibling(|builder| builder.token_storage(line.clone()));
    (first, second, store, line)
}

fn at(browser: &Browser, proxy: &Proxy) -> Browser {
    browser.clone().knowing(proxy.wire.clone())
}

fn code_of(landing: &Landing) -> Option<String> {
    match landing {
        Landing::Left(url) => query_param(url, "code"),
        Landing::Page(_) => None,
    }
}

fn codes(landings: &[Landing]) -> Vec<String> {
    landings.iter().filter_map(code_of).collect()
}

/// Waits until this is so.
async fn until(is_so: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn works(client: &Client, code: &str, pkce: &Pkce) {
    Tokens::read(&client.redeem_code(code, pkce).await);
}

/// A load balancer repeats a GET, a person clicks twice: a provider that sees a code twice revokes
/// what it gave (RFC 6749 section 4.1.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_callbacks_over_three_instances_show_the_code_to_the_provider_once() {
    let (instances, _) = three_instances().await;
    let first = &instances[0];
    let client = first.client().await;
    for round in 1..=10 {
        let (browser, callback, pkce) = before_callback(first, &client).await;
        let landings = at_once(10, |turn| {
            let mut browser = at(&browser, &instances[turn % 3]);
            let callback = callback.clone();
            async move { browser.open(&callback).await }
        })
        .await;
        let codes = codes(&landings);
        assert_eq!(codes.len(), 1, "{landings:?}");
        for landing in &landings {
            if let Landing::Page(page) = landing {
                assert!(page.reply.text().contains("already used"), "{page:?}");
            }
        }
        assert_eq!(first.provider.count_grant("authorization_code"), round);
        works(&client, &codes[0], &pkce).await;
    }
}

#[tokio::test]
async fn a_callback_that_did_its_work_does_none_on_another_instance() {
    let (instances, _) = three_instances().await;
    let client = instances[0].client().await;
    let (browser, callback, _) = before_callback(&instances[0], &client).await;
    let landing = at(&browser, &instances[0]).open(&callback).await;
    assert!(code_of(&landing).is_some());
    let page = at(&browser, &instances[1]).open(&callback).await.page();
    assert_eq!(page.reply.status, 400);
    assert_eq!(instances[0].provider.count_grant("authorization_code"), 1);
}

/// Those who wait meanwhile learn that it is over; the code went out.
#[tokio::test]
async fn a_callback_whose_code_was_refused_sends_it_no_second_time_at_once() {
    let (instances, _) = three_instances().await;
    let client = instances[0].client().await;
    let (browser, callback, _) = before_callback(&instances[0], &client).await;
    instances[0]
        .provider
        .next_token(Answer::Error(400, "invalid_grant"));
    let back = at(&browser, &instances[0]).open(&callback).await.left();
    assert!(query_param(&back, "error").is_some(), "{back}");
    let page = at(&browser, &instances[1]).open(&callback).await.page();
    assert_eq!(page.reply.status, 400);
    assert_eq!(instances[0].provider.count_grant("authorization_code"), 1);
}

/// A slow provider does not cost the claim: its living owner prolongs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_wait_while_the_owner_lives_however_slow_the_provider() {
    let (instances, store) = three_instances().await;
    let client = instances[0].client().await;
    let (browser, callback, pkce) = before_callback(&instances[0], &client).await;
    let gate = Gate::default();
    instances[0].provider.next_token(Answer::Held(gate.clone()));
    let open = |proxy: &Proxy| {
        let (mut browser, callback) = (at(&browser, proxy), callback.clone());
        tokio::spawn(async move { browser.open(&callback).await })
    };
    let owner = open(&instances[0]);
    provider_saw(&instances[0], "authorization_code", 1).await;
    let waiter = open(&instances[1]);
    // Ten seconds of the store's time, prolonged second by second.
    for _ in 0..4 {
        let swaps = || {
            let seen = store.seen();
            let claims = seen.iter().filter(|seen| seen.key.starts_with("callback:"));
            claims
                .filter(|seen| seen.verb == "compare_and_swap")
                .count()
        };
        let before = swaps();
        until(|| swaps() > before).await;
        instances[0].clock.advance(Duration::from_millis(2_500));
    }
    assert!(!waiter.is_finished());
    gate.open();
    let landings = [owner.await.unwrap(), waiter.await.unwrap()];
    assert!(code_of(&landings[0]).is_some() && code_of(&landings[1]).is_none());
    assert_eq!(instances[0].provider.count_grant("authorization_code"), 1);
    works(&client, &codes(&landings)[0], &pkce).await;
}

/// A killed instance blocks nobody for longer than its claim lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_owners_callback_is_taken_over_after_three_seconds() {
    let (first, second, _, line) = with_a_line_of_its_own().await;
    let client = first.client().await;
    let (browser, callback, pkce) = before_callback(&first, &client).await;
    first.provider.next_token(Answer::Hang);
    let killed = {
        let (mut browser, callback) = (at(&browser, &second), callback.clone());
        tokio::spawn(async move { browser.open(&callback).await })
    };
    provider_saw(&first, "authorization_code", 1).await;
    line.be(Health::Down);
    let waiter = {
        let (mut browser, callback) = (at(&browser, &first), callback.clone());
        tokio::spawn(async move { browser.open(&callback).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiter.is_finished(), "the claim holds for its time");
    first.clock.advance(Duration::from_millis(3_001));
    let landing = waiter.await.unwrap();
    let code = code_of(&landing).unwrap_or_else(|| panic!("{landing:?}"));
    works(&client, &code, &pkce).await;
    killed.abort();
}

/// An owner that was cut off, not killed, comes back with an answer of the provider's: the other's
/// grant stands, and there is no second one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_owner_that_lost_its_claim_gives_no_second_grant() {
    let (first, second, store, line) = with_a_line_of_its_own().await;
    let client = first.client().await;
    let (browser, callback, pkce) = before_callback(&first, &client).await;
    let gate = Gate::default();
    first.provider.next_token(Answer::Held(gate.clone()));
    let cut_off = {
        let (mut browser, callback) = (at(&browser, &second), callback.clone());
        tokio::spawn(async move { browser.open(&callback).await })
    };
    provider_saw(&first, "authorization_code", 1).await;
    line.be(Health::Down);
    first.clock.advance(Duration::from_millis(3_001));
    // A provider that takes a code twice.
    let tokens = serde_json::json!({
        "access_token": "UPSTREAM-AT-2", "token_type": "Bearer", "expires_in": 3600,
    });
    let answer = Answer::Raw(200, "application/json", tokens.to_string());
    first.provider.next_token(answer);
    first
        .provider
        .configure(|provider| provider.issue_id_token = false);
    first.provider.next(
        Kind::UserInfo,
        Answer::Raw(200, "application/json", r#"{"sub":"person-1"}"#.to_owned()),
    );
    let winner = at(&browser, &first).open(&callback).await;
    let code = code_of(&winner).unwrap_or_else(|| panic!("{winner:?}"));
    line.be(Health::Up);
    store.forget();
    gate.open();
    let loser = cut_off.await.unwrap();
    assert_eq!(code_of(&loser), None, "{loser:?}");
    let wrote = |line: &Store| {
        line.seen()
            .iter()
            .any(|seen| seen.key.starts_with("grant:"))
    };
    assert!(!wrote(&line) && !wrote(&store));
    works(&client, &code, &pkce).await;
}

/// The line was down for longer than the claim lives, and nobody came in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_that_ran_out_while_nobody_came_costs_no_login() {
    let (first, second, _, line) = with_a_line_of_its_own().await;
    let client = first.client().await;
    let (browser, callback, pkce) = before_callback(&first, &client).await;
    let gate = Gate::default();
    first.provider.next_token(Answer::Held(gate.clone()));
    let owner = {
        let (mut browser, callback) = (at(&browser, &second), callback.clone());
        tokio::spawn(async move { browser.open(&callback).await })
    };
    provider_saw(&first, "authorization_code", 1).await;
    line.be(Health::Down);
    first.clock.advance(Duration::from_secs(60));
    line.be(Health::Up);
    gate.open();
    let landing = owner.await.unwrap();
    let code = code_of(&landing).unwrap_or_else(|| panic!("{landing:?}"));
    works(&client, &code, &pkce).await;
    // And it is used, for everybody.
    let page = at(&browser, &first).open(&callback).await.page();
    assert_eq!(page.reply.status, 400);
}

/// Nothing is spent before the claim is held; a claim whose making was not heard of is ours again.
#[tokio::test]
async fn a_reload_after_the_stores_trouble_goes_on_at_once() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    let (mut browser, callback, pkce) = before_callback(&proxy, &client).await;
    store.be(Health::AnswersLost);
    let page = browser.open(&callback).await.page();
    assert_eq!(page.reply.status, 503);
    assert!(page.reply.header("retry-after").is_some());
    assert_eq!(
        proxy.provider.count_grant("authorization_code"),
        1,
        "the journey's"
    );
    store.be(Health::Up);
    let landing = browser.open(&callback).await;
    works(&client, &code_of(&landing).unwrap(), &pkce).await;
}

/// A slow provider holds so many connections and no more; the next in line gets its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_codes_are_at_the_provider_at_once_and_the_others_wait_in_line() {
    const MOST: usize = 256;
    let proxy = Proxy::with(|builder| {
        let builder = builder.consent(Consent::External);
        builder.upstream_request_timeout(Duration::from_secs(120))
    })
    .await;
    let client = proxy.client().await;
    let gate = Gate::default();
    let held = Answer::Held(gate.clone());
    proxy.provider.always(Kind::Token, held);
    let mut tasks = Vec::new();
    for _ in 0..MOST + 10 {
        let mut browser = proxy.browser();
        let url = client.authorize(&Pkce::new(), "s").url();
        let at_provider = browser.open_once(&url).await.location().to_owned();
        let callback = browser.open_once(&at_provider).await.location().to_owned();
        tasks.push(tokio::spawn(async move { browser.open(&callback).await }));
    }
    until(|| proxy.provider.count(Kind::Token) >= MOST).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(proxy.provider.count(Kind::Token), MOST);
    gate.open();
    for task in tasks {
        let landing = task.await.unwrap();
        assert!(code_of(&landing).is_some(), "{landing:?}");
    }
}

/// What one person, or a stranger with an approved login, can start here is bounded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_over_the_bound_are_told_to_come_again_and_lose_nothing() {
    const MOST: usize = 8 * 1024;
    // On a busy machine eight thousand take longer to come than the usual patience.
    let patient = Duration::from_secs(600);
    let proxy = Proxy::with(|b| b.upstream_request_timeout(patient)).await;
    let client = proxy.client().await;
    let (mut browser, callback, pkce) = before_callback(&proxy, &client).await;
    let (mut other, their_callback, their_pkce) = before_callback(&proxy, &client).await;
    let gate = Gate::default();
    proxy.provider.next_token(Answer::Held(gate.clone()));
    let path = callback[proxy.base.len()..].to_owned();
    let cookies = browser.jar.all();
    let cookies: Vec<_> = cookies
        .iter()
        .map(|c| format!("{}={}", c.name, c.value))
        .collect();
    let cookies = cookies.join("; ");
    // One more than there are places: it is told so at once, all others wait.
    let many: Vec<_> = (0..=MOST)
        .map(|_| {
            let (wire, path, cookies) = (proxy.wire.clone(), path.clone(), cookies.clone());
            tokio::spawn(async move { wire.get(&path, &[("cookie", &cookies)]).await })
        })
        .collect();
    until(|| proxy.refusals().contains(&(Step::Callback, Reason::Busy))).await;
    let refusal = other.open(&their_callback).await.page().reply;
    assert_eq!(refusal.status, 503);
    assert!(refusal.header("retry-after").is_some());
    assert!(refusal.text().contains("reload"));
    proxy.told(Step::Callback, Reason::Busy);
    gate.open();
    let mut given = Vec::new();
    for task in many {
        let reply = task.await.unwrap();
        if reply.status == 302 {
            given.push(query_param(reply.location(), "code").unwrap());
        }
    }
    assert_eq!(given.len(), 1);
    works(&client, &given[0], &pkce).await;
    let landing = other.open(&their_callback).await;
    works(&client, &code_of(&landing).unwrap(), &their_pkce).await;
    browser.open(&callback).await.page();
}

#[tokio::test]
async fn a_callback_over_the_bound_of_a_query_is_a_page_and_spends_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback, pkce) = before_callback(&proxy, &client).await;
    let long = format!("{callback}&padding={}", "x".repeat(16 * 1024));
    let page = browser.open(&long).await.page().reply;
    assert_eq!(page.status, 400);
    proxy.told(Step::Callback, Reason::TooLarge);
    let landing = browser.open(&callback).await;
    works(&client, &code_of(&landing).unwrap(), &pkce).await;
}

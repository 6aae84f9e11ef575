//! A readiness endpoint: what is asked of the live parts, what is found, and that asking often costs nothing.

use std::time::{Duration, UNIX_EPOCH};

use tower_oauth_proxy::{
    JwksVerifier, OAuthProxyConfig, OAuthProxyLayer, Probe, ProbedPart, Reason, Step,
    TrustedIssuer,
    storage::{StorageFuture, TokenStorage},
};

use super::oidc::by_issuer;
use testkit::{Answer, FakeClock, Kind, Proxy, Store, proxy::BASE, store::Health};

/// Longer than a finding is told, and than a part that failed is left alone.
const SOON: Duration = Duration::from_secs(11);
/// Longer than a provider that answered is left alone.
const LATER: Duration = Duration::from_secs(61);

/// Before a provider with a document and keys, on a store that is looked into.
async fn watched() -> (Proxy, Store) {
    let store = Store::new(&FakeClock::default());
    let kept = store.clone();
    let proxy = by_issuer("", |builder| builder.token_storage(kept)).await;
    (proxy, store)
}

async fn probe(proxy: &Proxy) -> Probe {
    proxy.layer.handle().probe().await
}

fn fault(probe: &Probe, part: ProbedPart) -> Option<&str> {
    let check = probe.checks.iter().find(|check| check.part == part);
    check
        .unwrap_or_else(|| panic!("{part} was not asked"))
        .fault
        .as_deref()
}

/// What was told of probes since the last look: whether each part works.
fn told(proxy: &Proxy) -> Vec<Option<Reason>> {
    let events = proxy.events();
    proxy.forget_events();
    let of_probes = events.iter().filter(|event| event.step == Step::Probe);
    let told = of_probes.filter(|event| event.reason != Some(Reason::Clock));
    told.map(|event| event.reason).collect()
}

#[tokio::test]
async fn what_works_is_found_to_work_and_nothing_stays_in_the_store() {
    let (proxy, store) = watched().await;
    let records = store.records();
    let found = probe(&proxy).await;
    assert!(found.is_ready(), "{found}");
    assert_eq!(fault(&found, ProbedPart::Store), None);
    assert_eq!(fault(&found, ProbedPart::Provider), None);
    let verbs: Vec<&str> = store.seen().iter().map(|seen| seen.verb).collect();
    assert_eq!(verbs, ["set", "get", "take"]);
    assert!(
        store
            .seen()
            .iter()
            .all(|seen| seen.key.starts_with("probe:"))
    );
    assert_eq!(store.records(), records);
    let asked = [Kind::Discovery, Kind::Keys, Kind::Token].map(|kind| proxy.provider.count(kind));
    assert_eq!(asked, [1, 1, 0]);
    assert_eq!(told(&proxy), [], "what works is no news");
}

#[tokio::test]
async fn a_store_that_is_down_makes_an_instance_unready_and_is_told_once() {
    let (proxy, store) = watched().await;
    assert!(probe(&proxy).await.is_ready());
    store.be(Health::Down);
    proxy.clock.advance(SOON);
    for _ in 0..3 {
        let found = probe(&proxy).await;
        assert!(!found.is_ready() && !found.is_well());
        assert!(
            fault(&found, ProbedPart::Store)
                .unwrap()
                .contains("broken on purpose")
        );
        assert_eq!(fault(&found, ProbedPart::Provider), None);
        proxy.clock.advance(SOON);
    }
    assert_eq!(told(&proxy), [Some(Reason::StoreUnavailable)]);
    store.be(Health::Up);
    assert!(probe(&proxy).await.is_ready());
    assert_eq!(told(&proxy), [None], "it works again");
}

/// Each verb of the three may fail.
#[tokio::test]
async fn a_store_that_takes_and_does_not_give_is_found_out() {
    for works in 0..3 {
        let (proxy, store) = watched().await;
        store.be(Health::UpFor(works));
        let found = probe(&proxy).await;
        assert!(!found.is_ready(), "{works}");
    }
    let (proxy, store) = watched().await;
    store.be(Health::AnswersLost);
    assert!(!probe(&proxy).await.is_ready());
    let (proxy, store) = watched().await;
    store.be(Health::Slow);
    assert!(probe(&proxy).await.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_not_waited_for() {
    let (proxy, store) = watched().await;
    store.be(Health::Frozen);
    let found = tokio::time::timeout(Duration::from_secs(20), probe(&proxy)).await;
    let found = found.expect("it returns");
    assert!(!found.is_ready());
    assert!(
        fault(&found, ProbedPart::Store)
            .unwrap()
            .contains("in time")
    );
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_and_makes_no_instance_unready() {
    let (proxy, _) = watched().await;
    for (kind, answer, says) in [
        (Kind::Discovery, Answer::Status(503), "503"),
        (
            Kind::Discovery,
            Answer::Raw(200, "text/html", "<p>".into()),
            "of no use",
        ),
        (Kind::Keys, Answer::Status(404), "404"),
        (
            Kind::Keys,
            Answer::Raw(200, "application/json", "[]".into()),
            "of no use",
        ),
    ] {
        proxy.provider.always(kind, answer);
        proxy.clock.advance(LATER);
        let found = probe(&proxy).await;
        assert!(found.is_ready() && !found.is_well());
        let words = fault(&found, ProbedPart::Provider).unwrap();
        assert!(words.contains(says), "{words}");
        assert_eq!(told(&proxy), [Some(Reason::ProviderUnavailable)]);

        proxy.provider.always(kind, Answer::Normal);
        proxy.clock.advance(SOON);
        let found = probe(&proxy).await;
        assert_eq!(
            fault(&found, ProbedPart::Provider),
            None,
            "seen within seconds"
        );
        assert_eq!(told(&proxy), [None]);
    }
}

#[tokio::test]
async fn another_issuers_document_is_a_fault_as_it_is_at_a_login() {
    let (proxy, _) = watched().await;
    proxy.provider.configure(|settings| {
        settings
            .metadata
            .insert("issuer".into(), "https://other.example".into());
    });
    let found = probe(&proxy).await;
    let words = fault(&found, ProbedPart::Provider).unwrap();
    assert!(
        words.contains("other.example") && words.contains("to the byte"),
        "{words}"
    );
}

#[tokio::test]
async fn a_provider_without_a_document_has_to_answer_and_no_more() {
    let proxy = Proxy::start().await;
    let found = probe(&proxy).await;
    // No one asks a token endpoint in this way, so it refuses: that is an answer.
    assert_eq!(fault(&found, ProbedPart::Provider), None, "{found}");
    assert_eq!(proxy.provider.count(Kind::Token), 1);
    let asked = proxy.provider.last(Kind::Token);
    assert_eq!(asked.header("authorization"), None);
    proxy.clock.advance(LATER);
    proxy.provider.always_at("/token", Answer::Status(502));
    let found = probe(&proxy).await;
    assert!(
        fault(&found, ProbedPart::Provider).unwrap().contains("502"),
        "{found}"
    );
}

#[tokio::test]
async fn any_number_who_ask_at_once_and_soon_after_are_one_probe() {
    let (proxy, store) = watched().await;
    let handle = proxy.layer.handle();
    let others = proxy.layer.clone().handle();
    let asked = (0..50).map(|number| {
        let handle = if number % 2 == 0 {
            handle.clone()
        } else {
            others.clone()
        };
        tokio::spawn(async move { handle.probe().await.is_ready() })
    });
    for ready in asked.collect::<Vec<_>>() {
        assert!(ready.await.unwrap());
    }
    for _ in 0..50 {
        assert!(handle.probe().await.is_ready());
    }
    assert_eq!(store.seen().len(), 3);
    assert_eq!(proxy.provider.count(Kind::Discovery), 1);
    // The store is asked again after some seconds, the provider after a minute.
    proxy.clock.advance(SOON);
    assert!(handle.probe().await.is_ready());
    assert_eq!(
        (store.seen().len(), proxy.provider.count(Kind::Discovery)),
        (6, 1)
    );
    proxy.clock.advance(LATER);
    assert!(handle.probe().await.is_ready());
    assert_eq!(
        (store.seen().len(), proxy.provider.count(Kind::Discovery)),
        (9, 2)
    );
}

#[tokio::test]
async fn those_who_ask_and_leave_start_no_further_probe() {
    let (proxy, store) = watched().await;
    let gate = testkit::provider::Gate::default();
    proxy
        .provider
        .always(Kind::Discovery, Answer::Held(gate.clone()));
    let handle = proxy.layer.handle();
    for _ in 0..20 {
        let asked = handle.probe();
        let left = tokio::time::timeout(Duration::from_millis(5), asked).await;
        assert!(left.is_err(), "the provider holds its answer back");
    }
    gate.open();
    assert!(handle.probe().await.is_ready());
    assert_eq!(store.seen().len(), 3);
    assert_eq!(proxy.provider.count(Kind::Discovery), 1);
}

/// A probe asks past what is kept, and leaves it alone.
#[tokio::test]
async fn a_probe_neither_fetches_for_logins_nor_keeps_them_from_asking() {
    let (proxy, _) = watched().await;
    probe(&proxy).await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    assert_eq!(
        proxy.provider.count(Kind::Discovery),
        2,
        "the login reads its own"
    );
    assert_eq!(proxy.provider.count(Kind::Keys), 2);
    proxy.provider.always(Kind::Discovery, Answer::Status(500));
    proxy.clock.advance(LATER);
    assert!(!probe(&proxy).await.is_well());
    proxy.journey(&client).await;
    assert_eq!(
        proxy.provider.count(Kind::Keys),
        2,
        "what a login knew is as good as before"
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_a_fault_of_this_server() {
    let (proxy, _) = watched().await;
    let real = UNIX_EPOCH.elapsed().unwrap().as_secs();
    proxy.clock.set_unix(real);
    assert_eq!(fault(&probe(&proxy).await, ProbedPart::Clock), None);
    proxy.clock.set_unix(real + 3600);
    let found = probe(&proxy).await;
    let words = fault(&found, ProbedPart::Clock).unwrap();
    assert!(words.contains("ahead of the provider's"), "{words}");
    assert!(found.is_ready(), "a provider could be wrong too");
    proxy.told(Step::Probe, Reason::Clock);
}

#[tokio::test]
async fn each_provider_and_each_trusted_issuer_is_asked_and_named() {
    let (proxy, _) = watched().await;
    let issuer = proxy.provider.settings().issuer;
    let sibling = proxy
        .sibling(|builder| builder.trusted_issuer(TrustedIssuer::new("ci", &issuer).assertions()));
    let found = probe(&sibling).await;
    let names: Vec<_> = found
        .checks
        .iter()
        .map(|it| (it.part, it.name.as_deref()))
        .collect();
    assert_eq!(names[0], (ProbedPart::Store, None));
    assert_eq!(names[1].0, ProbedPart::Provider);
    assert_eq!(names[2], (ProbedPart::Issuer, Some("ci")));
    let data = found.to_json();
    assert_eq!(data["is_ready"], true);
    assert_eq!(data["checks"][2]["part"], "issuer");
    let secret = proxy.provider.settings().client_secret;
    for text in [found.to_string(), format!("{found:?}"), data.to_string()] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert_eq!(found.to_string().lines().count(), found.checks.len());
}

#[tokio::test]
async fn a_resource_server_has_nothing_to_ask_and_is_ready() {
    let verifier = JwksVerifier::for_issuer("https://sso.example").audience("mcp");
    let config = OAuthProxyConfig::resource_server(BASE, verifier)
        .authorization_server("https://sso.example")
        .build()
        .unwrap();
    let found = OAuthProxyLayer::new(config).handle().probe().await;
    assert!(found.checks.is_empty() && found.is_ready() && found.is_well());
}

/// A store of the operator's own that has a mistake in it.
struct Panics;

impl TokenStorage for Panics {
    fn get<'a>(&'a self, _: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        panic!("on purpose")
    }

    fn set<'a>(&'a self, _: &'a str, _: Vec<u8>, _: Duration) -> StorageFuture<'a, ()> {
        panic!("on purpose")
    }

    fn insert_if_absent<'a>(
        &'a self,
        _: &'a str,
        _: Vec<u8>,
        _: Duration,
    ) -> StorageFuture<'a, bool> {
        panic!("on purpose")
    }

    fn take<'a>(&'a self, _: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        panic!("on purpose")
    }

    fn compare_and_swap<'a>(
        &'a self,
        _: &'a str,
        _: &'a [u8],
        _: Vec<u8>,
        _: Duration,
    ) -> StorageFuture<'a, bool> {
        panic!("on purpose")
    }

    fn remove<'a>(&'a self, _: &'a str) -> StorageFuture<'a, ()> {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_part_that_breaks_while_it_is_asked_does_not_count_as_well() {
    let proxy = by_issuer("", |builder| builder.token_storage(Panics)).await;
    let found = probe(&proxy).await;
    assert!(!found.is_ready(), "{found}");
    assert_eq!(found.checks[0].part, ProbedPart::Store);
    assert_eq!(fault(&found, ProbedPart::Provider), None);
}

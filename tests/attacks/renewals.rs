//! The provider's token is renewed: by one instance, whatever happens to it, and at a known price.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tower_oauth_proxy::{
    Reason, Step, StorageError,
    storage::{StorageFuture, TokenStorage},
};

use crate::support::{at, provider_saw, two_instances};
use testkit::{
    Answer, Client, FakeClock, Kind, Proxy, Store, Tokens,
    meddler::{Meddled, Meddler},
    provider::Gate,
};

const DAY: Duration = Duration::from_secs(86_400);

/// One instance's store: cut off from the shared one as soon as the provider has renewed.
#[derive(Clone)]
struct CutOff {
    shared: Store,
    provider: Arc<testkit::Provider>,
    is_back: Arc<AtomicBool>,
}

impl Meddler for CutOff {
    fn store(&self) -> &dyn TokenStorage {
        &self.shared
    }

    fn any<'a, T: Send + 'a>(&'a self, work: StorageFuture<'a, T>) -> StorageFuture<'a, T> {
        Box::pin(async {
            let is_cut_off = self.provider.count_grant("refresh_token") > 0;
            match is_cut_off && !self.is_back.load(Ordering::SeqCst) {
                true => Err(StorageError::unavailable("cut off")),
                false => work.await,
            }
        })
    }
}

/// The provider takes the spent token that the other instance presents for theft, and says that it is
/// dead. The one that was cut off has the newer one: promise 5.
#[tokio::test]
async fn an_instance_cut_off_from_the_store_after_the_provider_renewed_costs_nobody_a_login() {
    let (other, store) = Proxy::with_store(|builder| builder.access_token_ttl(DAY)).await;
    other
        .provider
        .configure(|provider| provider.reuse_is_theft = false);
    let is_back = Arc::new(AtomicBool::new(false));
    let its_store = CutOff {
        shared: store.clone(),
        provider: other.provider.clone(),
        is_back: is_back.clone(),
    };
    let cut_off = other.sibling(|builder| {
        builder
            .access_token_ttl(DAY)
            .token_storage(Meddled(its_store))
    });
    let client = other.client().await;
    let tokens = other.journey(&client).await;
    other.clock.advance_secs(3_600);
    let reply = at(&client, &cut_off).call("/mcp", &tokens.access).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    other.clock.advance_secs(60);
    let reply = client.call("/mcp", &tokens.access).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    let reply = client.refresh(tokens.refresh()).await;
    reply.refused(503, "temporarily_unavailable");

    is_back.store(true, Ordering::SeqCst);
    assert_eq!(drained(&cut_off).await, 0);
    other.session(&client, &tokens.access).await;
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    cut_off
        .session(&at(&client, &cut_off), &renewed.access)
        .await;
}

/// For longer than a dead owner would hold it.
#[tokio::test]
async fn an_owner_that_waits_for_a_slow_provider_keeps_its_lease() {
    let (first, second, _store) = two_instances().await;
    let client = first.client().await;
    let tokens = first.journey(&client).await;
    first.clock.advance_secs(3_550);
    let gate = Gate::default();
    first.provider.next_token(Answer::Held(gate.clone()));
    // The old token is good for some seconds more: nobody has to wait.
    first.session(&client, &tokens.access).await;
    provider_saw(&first, "refresh_token", 1).await;
    let there = at(&client, &second);
    let renewed = tokio::spawn({
        let (there, refresh) = (there.clone(), tokens.refresh().to_owned());
        async move { there.refresh(&refresh).await }
    });
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    gate.open();
    assert_eq!(drained(&first).await, 0);
    assert_eq!(drained(&second).await, 0);
    let renewed = Tokens::read(&renewed.await.unwrap());
    second.session(&there, &renewed.access).await;
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
}

/// One instance asks and hears no; the others hold back as well.
#[tokio::test]
async fn a_failure_at_one_instance_is_backed_off_at_all() {
    let (first, second, _store) = two_instances().await;
    let client = first.client().await;
    let tokens = first.journey(&client).await;
    first.clock.advance_secs(3_600);
    first.provider.always(Kind::Token, Answer::Status(500));
    let ask = |client: Client, refresh: String| async move { client.refresh(&refresh).await };
    for instance in [&first, &second, &second, &first] {
        let reply = ask(at(&client, instance), tokens.refresh().to_owned()).await;
        reply.refused(503, "temporarily_unavailable");
    }
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    first.clock.advance_secs(2);
    first.provider.always(Kind::Token, Answer::Normal);
    Tokens::read(&at(&client, &second).refresh(tokens.refresh()).await);
    assert_eq!(first.provider.count_grant("refresh_token"), 2);
}

/// The last day comes, however often the grant is used: our tokens end with it. The provider is not
/// told: at some, one revocation ends the person's other grants as well.
#[tokio::test]
async fn a_grant_has_a_last_day_where_it_is_given_one() {
    let week = 7 * DAY;
    let (proxy, store) =
        Proxy::with_store(|builder| builder.access_token_ttl(DAY).grant_max_age(week)).await;
    let client = proxy.client().await;
    let mut tokens = proxy.journey(&client).await;
    for _ in 0..6 {
        proxy.clock.advance(DAY - Duration::from_secs(600));
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    // Renewed, rotated: one minute is left all the same.
    proxy.clock.set_unix(FakeClock::START + week.as_secs() - 60);
    let reply = client.refresh(tokens.refresh()).await;
    assert_eq!(reply.json()["expires_in"], 60, "{reply:?}");
    let last = Tokens::read(&reply);
    proxy.session(&client, &last.access).await;
    proxy.clock.advance_secs(60);
    let reply = client.call("/mcp", &last.access).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    let reply = client.refresh(last.refresh()).await;
    reply.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::Expired);
    assert_eq!(drained(&proxy).await, 0);
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);

    // And where an operator has shortened it since, at the request itself.
    let tokens = proxy.journey(&client).await;
    let shorter = proxy.sibling(|builder| {
        let builder = builder.access_token_ttl(DAY).grant_max_age(DAY / 2);
        builder.token_storage(store.clone())
    });
    let there = at(&client, &shorter);
    proxy.clock.advance(DAY / 2);
    assert_eq!(there.call("/mcp", &tokens.access).await.status, 401);
    shorter.told(Step::Bearer, Reason::Expired);
    assert_eq!(drained(&shorter).await, 0);
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);
}

async fn drained(proxy: &Proxy) -> usize {
    proxy.layer.admin().drain(Duration::from_secs(60)).await
}

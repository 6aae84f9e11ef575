//! A refresh that others overtake while it waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tower_oauth_proxy::{
    Reason, Step,
    storage::{StorageFuture, TokenStorage},
};

use testkit::{
    Answer, Client, Kind, Proxy, Store, Tokens,
    meddler::{Meddled, Meddler},
    provider::Gate,
};

/// A store whose next swap of a grant hangs until it is let go.
#[derive(Clone)]
struct Slow {
    store: Store,
    hangs: Arc<AtomicBool>,
    arrived: Arc<Notify>,
    go: Arc<Notify>,
}

impl Meddler for Slow {
    fn store(&self) -> &dyn TokenStorage {
        &self.store
    }

    fn swap<'a>(&'a self, key: &'a str, work: StorageFuture<'a, bool>) -> StorageFuture<'a, bool> {
        Box::pin(async move {
            if key.starts_with("grant:") && self.hangs.swap(false, Ordering::SeqCst) {
                self.arrived.notify_one();
                self.go.notified().await;
            }
            work.await
        })
    }
}

/// The mutant: without `standing` the late one ends the grant.
#[tokio::test]
async fn a_token_that_was_live_when_it_came_is_no_reuse_when_others_were_faster() {
    // No grace: two steps behind is two steps behind, but for the same second.
    let (fast, store) = Proxy::with_store(|b| b.refresh_token_grace(Duration::ZERO)).await;
    let slow_store = Slow {
        store,
        hangs: Arc::new(AtomicBool::new(false)),
        arrived: Arc::default(),
        go: Arc::default(),
    };
    let slow = fast.sibling(|builder| {
        let builder = builder.refresh_token_grace(Duration::ZERO);
        builder.token_storage(Meddled(slow_store.clone()))
    });
    let here = fast.client().await;
    let there = Client {
        wire: slow.wire.clone(),
        ..here.clone()
    };
    let first = fast.journey(&here).await;
    slow_store.hangs.store(true, Ordering::SeqCst);
    let late = {
        let (there, refresh) = (there.clone(), first.refresh().to_owned());
        tokio::spawn(async move { there.refresh(&refresh).await })
    };
    slow_store.arrived.notified().await;
    let second = Tokens::read(&here.refresh(first.refresh()).await);
    let third = Tokens::read(&here.refresh(second.refresh()).await);
    slow_store.go.notify_one();
    late.await.unwrap().refused(400, "invalid_grant");
    slow.told(Step::Refresh, Reason::RefreshReuse);
    // Nothing has ended, and nothing was set back.
    fast.session(&here, &third.access).await;
    let fourth = Tokens::read(&here.refresh(third.refresh()).await);
    // Whoever comes with it now comes after its time.
    there
        .refresh(first.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(here.call("/mcp", &fourth.access).await.status, 401);
}

/// The mutant: the verdict from before the wait is carried out on the record that came after it, and
/// sets the chain back.
#[tokio::test]
async fn what_a_look_at_the_person_finds_in_the_record_afterwards_is_what_counts() {
    let asked_soon = |b: tower_oauth_proxy::OAuthProxyConfigBuilder| {
        b.refresh_token_grace(Duration::ZERO)
            .identity_max_age(Duration::from_secs(600))
    };
    let (asking, store) = Proxy::with_store(asked_soon).await;
    let other = asking.sibling(|b| {
        b.refresh_token_grace(Duration::ZERO)
            .token_storage(store.clone())
    });
    let here = asking.client().await;
    let there = Client {
        wire: other.wire.clone(),
        ..here.clone()
    };
    let first = asking.journey(&here).await;
    asking.clock.advance_secs(900);
    let gate = Gate::default();
    let looks = asking.provider.count(Kind::UserInfo);
    asking
        .provider
        .next(Kind::UserInfo, Answer::Held(gate.clone()));
    let late = {
        let (here, refresh) = (here.clone(), first.refresh().to_owned());
        tokio::spawn(async move { here.refresh(&refresh).await })
    };
    while asking.provider.count(Kind::UserInfo) == looks {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Another instance asks less often, and rotates meanwhile.
    let second = Tokens::read(&there.refresh(first.refresh()).await);
    let third = Tokens::read(&there.refresh(second.refresh()).await);
    gate.open();
    late.await.unwrap().refused(400, "invalid_grant");
    asking.told(Step::Refresh, Reason::RefreshReuse);
    // Nothing has ended, and nothing was set back.
    other.session(&there, &third.access).await;
    Tokens::read(&there.refresh(third.refresh()).await);
}

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
    Client, Proxy, Store, Tokens,
    meddler::{Meddled, Meddler},
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

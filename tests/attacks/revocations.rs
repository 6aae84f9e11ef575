//! A revocation between the steps of a look-up: in whatever order they come, no session of it is served
//! once the revocation was answered.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Semaphore;
use tower_oauth_proxy::storage::{MemoryStorage, TokenStorage};

use testkit::Proxy;
use testkit::meddler::{Answer, Meddled, Meddler};

/// A place where the next one that comes with a grant is held.
struct Hold {
    is_armed: AtomicBool,
    reached: Semaphore,
    open: Semaphore,
}

impl Hold {
    fn new() -> Self {
        Self {
            is_armed: AtomicBool::new(false),
            reached: Semaphore::new(0),
            open: Semaphore::new(0),
        }
    }

    fn arm(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }

    async fn pass(&self, key: &str) {
        if key.starts_with("grant:") && self.is_armed.swap(false, Ordering::SeqCst) {
            self.reached.add_permits(1);
            self.open.acquire().await.unwrap().forget();
        }
    }

    async fn is_reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    fn open(&self) {
        self.open.add_permits(1);
    }
}

/// A store that holds a read after it was made, and a take before it is.
struct Holding {
    memory: MemoryStorage,
    read: Hold,
    take: Hold,
}

impl Meddler for Holding {
    fn store(&self) -> &dyn TokenStorage {
        &self.memory
    }

    fn get<'a>(&'a self, key: &'a str, read: Answer<'a>) -> Answer<'a> {
        Box::pin(async move {
            let value = read.await;
            self.read.pass(key).await;
            value
        })
    }

    fn take<'a>(&'a self, key: &'a str, take: Answer<'a>) -> Answer<'a> {
        Box::pin(async move {
            self.take.pass(key).await;
            take.await
        })
    }
}

async fn proxy() -> (Proxy, Arc<Holding>) {
    let store = Arc::new(Holding {
        memory: MemoryStorage::new(),
        read: Hold::new(),
        take: Hold::new(),
    });
    let proxy = Proxy::with(|builder| builder.token_storage(Meddled(Arc::clone(&store)))).await;
    (proxy, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_read_the_record_before_its_revocation_is_refused_after_it() {
    let (proxy, store) = proxy().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    store.read.arm();
    let call = {
        let (client, access) = (client.clone(), tokens.access.clone());
        tokio::spawn(async move { client.call("/mcp", &access).await })
    };
    store.read.is_reached().await;
    client.revoke(tokens.refresh()).await.expect(200);
    store.read.open();
    assert_eq!(call.await.unwrap().status, 401);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_looked_up_while_a_revocation_was_under_way_ends_with_it() {
    let (proxy, store) = proxy().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    store.take.arm();
    let revocation = {
        let (client, refresh) = (client.clone(), tokens.refresh().to_owned());
        tokio::spawn(async move { client.revoke(&refresh).await })
    };
    store.take.is_reached().await;
    // It has not happened yet, so the session is good, and kept.
    for _ in 0..2 {
        client.call("/mcp", &tokens.access).await.expect(200);
    }
    store.take.open();
    revocation.await.unwrap().expect(200);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_ends_nobody_elses_session() {
    let (proxy, _store) = proxy().await;
    let client = proxy.client().await;
    let stays = proxy.journey(&client).await;
    client.call("/mcp", &stays.access).await.expect(200);
    for _ in 0..20 {
        let tokens = proxy.journey(&client).await;
        client.call("/mcp", &tokens.access).await.expect(200);
        client.revoke(tokens.refresh()).await.expect(200);
        client.call("/mcp", &stays.access).await.expect(200);
    }
}

//! A store that answers with something it was never given: the record counts as absent, the
//! operator is told, and nothing panics.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_oauth_proxy::{Reason, Step, StorageError, storage::TokenStorage};

use crate::support::{before_callback, code};
use testkit::meddler::{Answer, Meddled, Meddler};
use testkit::{Client, FakeClock, Proxy, Store, Tokens};

/// A store that lies about what it holds.
#[derive(Clone)]
struct Liar {
    store: Store,
    lie: Arc<Mutex<Lie>>,
}

type Lie = fn(Vec<u8>) -> Result<Vec<u8>, StorageError>;

const HONEST: Lie = Ok;

/// What becomes of a record.
const LIES: [(&str, Lie); 8] = [
    ("a flipped bit at the front", |v| Ok(flipped(v, 0))),
    ("a flipped bit in the middle", |v| {
        let middle = v.len() / 2;
        Ok(flipped(v, middle))
    }),
    ("a flipped bit at the end", |v| {
        let last = v.len() - 1;
        Ok(flipped(v, last))
    }),
    ("nothing left", |_| Ok(Vec::new())),
    ("a torn write", |v| Ok(v[..v.len() / 2].to_vec())),
    ("bytes of a stranger", |_| {
        Ok(b"\xff\xfe{\"a\":1}\0".to_vec())
    }),
    ("JSON of a stranger", |_| {
        Ok(b"{\"phase\":\"active\"}".to_vec())
    }),
    ("the backend says so itself", |_| {
        Err(StorageError::Corrupt("checksum".into()))
    }),
];

fn flipped(mut value: Vec<u8>, at: usize) -> Vec<u8> {
    value[at] ^= 1;
    value
}

impl Liar {
    fn new(clock: &FakeClock) -> Self {
        Self {
            store: Store::new(clock),
            lie: Arc::new(Mutex::new(HONEST)),
        }
    }

    fn says(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    async fn told(&self, truth: Answer<'_>) -> Result<Option<Vec<u8>>, StorageError> {
        let lie = *self.lie.lock().unwrap();
        truth.await?.map(lie).transpose()
    }
}

impl Meddler for Liar {
    fn store(&self) -> &dyn TokenStorage {
        &self.store
    }

    fn get<'a>(&'a self, _: &'a str, truth: Answer<'a>) -> Answer<'a> {
        Box::pin(self.told(truth))
    }

    fn take<'a>(&'a self, _: &'a str, truth: Answer<'a>) -> Answer<'a> {
        Box::pin(self.told(truth))
    }
}

async fn setup(encrypted: bool) -> (Proxy, Liar, Client) {
    // A proxy of its own first, for its clock and provider.
    let first = Proxy::start().await;
    let liar = Liar::new(&first.clock);
    let proxy = first.sibling(|builder| {
        let builder = builder
            .token_storage(Meddled(liar.clone()))
            .session_cache_ttl(Duration::ZERO);
        match encrypted {
            true => builder,
            false => builder.insecure_without_storage_encryption(),
        }
    });
    let client = proxy.client().await;
    (proxy, liar, client)
}

async fn a_corrupt_grant_is_absent(encrypted: bool) {
    let (proxy, liar, client) = setup(encrypted).await;
    let tokens = proxy.journey(&client).await;
    let (code, pkce) = code(&proxy, &client).await;
    for (name, lie) in LIES {
        // Without encryption a bit that is flipped inside of a text does not show. A record ends with
        // one.
        if !encrypted && (name.ends_with("middle") || name.ends_with("at the end")) {
            continue;
        }
        liar.says(lie);
        proxy.forget_events();
        let told = || {
            let told = proxy
                .refusals()
                .contains(&(Step::Storage, Reason::StoreCorrupt));
            assert!(told, "{name}: {:?}", proxy.events());
            proxy.forget_events();
        };
        let reply = client.call("/mcp", &tokens.access).await;
        assert_eq!(reply.status, 401, "{name}: {reply:?}");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.contains("invalid_token"), "{name}: {challenge}");
        told();
        let reply = client.refresh(tokens.refresh()).await;
        assert_eq!(reply.status, 400, "{name}: {reply:?}");
        reply.refused(400, "invalid_grant");
        told();
        let reply = client.redeem_code(&code, &pkce).await;
        assert_eq!(reply.status, 400, "{name}: {reply:?}");
        reply.refused(400, "invalid_grant");
        told();
        client.revoke(tokens.refresh()).await.expect(200);
        told();
    }
    // What was only read wrongly is all there.
    liar.says(HONEST);
    proxy.session(&client, &tokens.access).await;
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn a_corrupt_record_is_absent_and_told() {
    a_corrupt_grant_is_absent(true).await;
}

#[tokio::test]
async fn without_encryption_a_corrupt_record_is_absent_and_told_too() {
    a_corrupt_grant_is_absent(false).await;
}

/// A callback marks its state; a mark that cannot be read must not let the person in twice.
#[tokio::test]
async fn a_corrupt_mark_of_a_callback_gives_no_second_grant() {
    let (proxy, liar, client) = setup(true).await;
    for (name, lie) in LIES {
        let (mut browser, callback, _) = before_callback(&proxy, &client).await;
        let mut twin = browser.clone();
        browser.open(&callback).await.left();
        let exchanges = proxy.provider.count_grant("authorization_code");
        liar.says(lie);
        let page = twin.open(&callback).await.page();
        liar.says(HONEST);
        assert_eq!(page.reply.status, 400, "{name}: {page:?}");
        assert_eq!(proxy.provider.count_grant("authorization_code"), exchanges);
    }
}

/// Somebody with the store's password swaps records: another person's grant does not open under
/// this one's key.
#[tokio::test]
async fn a_record_put_in_anothers_place_opens_nothing() {
    let (proxy, store) = Proxy::with_store(|b| b.session_cache_ttl(Duration::ZERO)).await;
    let client = proxy.client().await;
    let mut keys = Vec::new();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        store.forget();
        tokens.push(proxy.journey(&client).await);
        let created = store
            .seen()
            .into_iter()
            .find(|s| s.key.starts_with("grant:"));
        keys.push(created.expect("a grant").key);
    }
    let theirs = store.get(&keys[1]).await.unwrap().unwrap();
    store
        .set(&keys[0], theirs, Duration::from_secs(600))
        .await
        .unwrap();
    let reply = client.call("/mcp", &tokens[0].access).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    client
        .refresh(tokens[0].refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.session(&client, &tokens[1].access).await;
}

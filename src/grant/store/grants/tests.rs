use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::{
    grant::{Phase, UpstreamGrant},
    key::{Rotating, SecretKey},
    oauth::{BaseUrl, Resource, ScopeSet},
    storage::{MemoryStorage, StorageFuture},
};
/// 0: normal. 1: swap answers "unavailable" and lands 200 ms later. 2: swap lands at once,
/// unanswered, and `get` fails.
struct Late(Arc<MemoryStorage>, AtomicU8);
impl TokenStorage for Late {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        if self.1.load(Ordering::SeqCst) == 2 {
            return Box::pin(async { Err(StorageError::unavailable("down")) });
        }
        self.0.get(key)
    }
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.0.set(key, value, ttl)
    }
    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.0.insert_if_absent(key, value, ttl)
    }
    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.0.take(key)
    }
    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        let mode = self.1.load(Ordering::SeqCst);
        if mode == 0 {
            return self.0.compare_and_swap(key, expected, new, ttl);
        }
        let (store, key, expected) = (Arc::clone(&self.0), key.to_owned(), expected.to_vec());
        Box::pin(async move {
            if mode == 1 {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    store.compare_and_swap(&key, &expected, new, ttl).await
                });
            } else {
                store.compare_and_swap(&key, &expected, new, ttl).await?;
            }
            Err(StorageError::unavailable("no answer"))
        })
    }
    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.0.remove(key)
    }
}

fn grants(storage: Arc<dyn TokenStorage>) -> Grants {
    let secret = SecretKey::for_test(3);
    let events = Arc::new(Events::new(None));
    Grants::new(
        storage,
        RefreshTokens::new(Rotating::new(secret.mac("refresh token"), [])),
        Rotating::new(secret.mac("index"), []),
        events,
        Tasks::default(),
    )
}

fn grant(generation: u32) -> Grant {
    let base = BaseUrl::parse("https://p.example").unwrap();
    Grant {
        provider: "oauth".into(),
        client_id: "c".into(),
        subject: "s".into(),
        scopes: ScopeSet::parse("a").unwrap(),
        resource: Resource::base(&base),
        claims: Default::default(),
        roles: Vec::new(),
        upstream: UpstreamGrant {
            access_token: "u".into(),
            refresh_token: Some("r".into()),
            id_token: None,
            expires_at: None,
            renew_at: None,
            renewed_at: None,
            refused_since: None,
        },
        phase: Phase::Active {
            generation,
            rotated_at: 100,
            code: None,
        },
        created_at: 0,
        proven_at: 0,
        listed_until: 0,
        stamp: 0,
        step: 0,
    }
}

fn generation(grant: &Grant) -> u32 {
    match grant.phase {
        Phase::Active { generation, .. } => generation,
        _ => 999,
    }
}

/// A step that the store did not answer for, in one of the ways of [`Late`]; the store is well again.
async fn unanswered(way: u8) -> (Grants, GrantId) {
    let store = Arc::new(Late(Arc::new(MemoryStorage::new()), AtomicU8::new(0)));
    let grants = grants(store.clone());
    let id = GrantId::random();
    grants
        .create(&id, &grant(0), Duration::from_secs(600))
        .await
        .unwrap();
    let loaded = grants.load(&id).await.unwrap().unwrap();
    store.1.store(way, Ordering::SeqCst);
    let answer = grants
        .replace(
            &id,
            &loaded,
            grant(1),
            Duration::from_secs(600),
            OnDoubt::TakeBack {
                ttl: Duration::from_secs(600),
            },
        )
        .await;
    assert!(answer.is_err());
    store.1.store(0, Ordering::SeqCst);
    (grants, id)
}

#[tokio::test]
async fn a_swap_that_lands_after_the_client_was_told_to_try_again_is_taken_back() {
    let (grants, id) = unanswered(1).await;
    assert_eq!(grants.tasks.drained(Duration::from_secs(60)).await, 0);
    let now = grants.load(&id).await.unwrap().unwrap();
    assert_eq!(
        generation(&now.grant),
        0,
        "the client was told that nothing has changed"
    );
}

#[tokio::test]
async fn a_step_is_taken_back_from_under_a_renewal_that_stays() {
    let (grants, id) = unanswered(2).await;
    // Another instance saves the provider's new token.
    let there = grants.load(&id).await.unwrap().unwrap();
    let mut renewed = Grant::clone(&there.grant);
    renewed.upstream.access_token = "u2".into();
    grants
        .replace(
            &id,
            &there,
            renewed,
            Duration::from_secs(600),
            OnDoubt::Keep,
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(grants.tasks.drained(Duration::from_secs(60)).await, 0);
    let now = grants.load(&id).await.unwrap().unwrap();
    assert_eq!(
        generation(&now.grant),
        0,
        "the client was told that nothing has changed"
    );
    assert_eq!(now.grant.upstream.access_token, "u2");
}

/// The mutant: an undo that takes back whatever step it finds.
#[tokio::test]
async fn a_step_that_somebody_else_took_since_is_not_taken_back() {
    let (grants, id) = unanswered(2).await;
    let there = grants.load(&id).await.unwrap().unwrap();
    assert_eq!(generation(&there.grant), 1, "it was written");
    let ttl = Duration::from_secs(600);
    let take_back = OnDoubt::TakeBack { ttl };
    let taken = grants.replace(&id, &there, grant(2), ttl, take_back).await;
    assert!(taken.unwrap().is_some());
    let left = grants.tasks.drained(Duration::from_secs(60)).await;
    assert_eq!(left, 0, "the undo is done");
    let now = grants.load(&id).await.unwrap().unwrap();
    assert_eq!(
        generation(&now.grant),
        2,
        "its client holds what it was given"
    );
}

/// A configuration that lets grants live longer: until a quarter of the new life had passed, the ones
/// that were listed under the old one were in no list.
#[tokio::test]
async fn a_grant_is_listed_for_as_long_as_it_lives_even_where_that_becomes_longer() {
    let grants = grants(Arc::new(MemoryStorage::new()));
    let (id, mut grant) = (GrantId::random(), grant(0));
    let day = Duration::from_secs(86_400);
    let mut until = Vec::new();
    for (now, ttl) in [(0, day), (21_600, day), (21_601, day), (30_000, 30 * day)] {
        grants.stay_listed(&id, &mut grant, ttl, now).await;
        assert!(grant.listed_until >= now + ttl.as_secs());
        until.push(grant.listed_until);
    }
    assert_eq!(until, [108_000, 108_000, 129_601, 3_270_000]);
}

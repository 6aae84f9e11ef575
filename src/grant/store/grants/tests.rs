use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::{
    grant::{About, UpstreamGrant, Voucher},
    key::SecretKey,
    oauth::{BaseUrl, Resource, ScopeSet},
    provider,
    storage::{MemoryStorage, StorageFuture, TokenStorage},
};

const TTL: Duration = Duration::from_secs(600);

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

/// One, whose id is `oauth`.
fn providers() -> Providers {
    let idp = "https://idp.example";
    let about = provider::generic(format!("{idp}/a"), format!("{idp}/t"), "id", "s");
    let client = provider::fake::client(about, Duration::from_secs(1));
    Providers::new(Arc::new(client), Vec::new())
}

fn grants(storage: Arc<dyn TokenStorage>) -> Grants {
    let secret = SecretKey::for_test(3);
    let events = Arc::new(Events::new(None));
    let keys = Rotating::new(secret.seal("storage"), []);
    let vault = Vault::new(storage, Some(keys), Arc::clone(&events));
    Grants::new(
        Arc::new(vault),
        providers(),
        Default::default(),
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
            rotated_at: Unix::at(100),
            code: None,
        },
        created_at: Unix::EPOCH,
        proven_at: Unix::EPOCH,
        listed_until: Unix::EPOCH,
        step: 0,
        seen_client: None,
    }
}

fn generation(grant: &Grant) -> u32 {
    match grant.phase {
        Phase::Active { generation, .. } => generation,
        _ => 999,
    }
}

fn phase(generation: u32) -> Phase {
    grant(generation).phase
}

impl Grants {
    /// What the store has, whether or not it is in doubt.
    async fn now(&self, id: &GrantId) -> SeenGrant {
        self.load_in_doubt(id).await.unwrap().unwrap()
    }

    async fn advance_to(
        &self,
        id: &GrantId,
        seen: &SeenGrant,
        generation: u32,
    ) -> Option<SeenGrant> {
        let to = phase(generation);
        self.advance(id, seen, to, TTL, TTL, Unix::EPOCH)
            .await
            .unwrap()
    }
}

/// A step that the store did not answer for, in one of the ways of [`Late`]; the store is well again.
async fn unanswered(way: u8) -> (Grants, GrantId) {
    let store = Arc::new(Late(Arc::new(MemoryStorage::new()), AtomicU8::new(0)));
    let grants = grants(store.clone());
    let id = GrantId::random();
    grants.create(&id, &grant(0), TTL).await.unwrap();
    let seen = grants.load(&id).await.unwrap().unwrap();
    store.1.store(way, Ordering::SeqCst);
    let answer = grants
        .advance(&id, &seen, phase(1), TTL, TTL, Unix::EPOCH)
        .await;
    assert!(answer.is_err());
    store.1.store(0, Ordering::SeqCst);
    (grants, id)
}

async fn is_undone(grants: &Grants) {
    assert_eq!(grants.tasks.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test]
async fn a_swap_that_lands_after_the_client_was_told_to_try_again_is_taken_back() {
    let (grants, id) = unanswered(1).await;
    is_undone(&grants).await;
    let now = grants.now(&id).await;
    let why = "the client was told that nothing has changed";
    assert_eq!(generation(&now), 0, "{why}");
}

#[tokio::test]
async fn a_step_is_taken_back_from_under_a_renewal_that_stays() {
    let (grants, id) = unanswered(2).await;
    // Another instance saves the provider's new token.
    let there = grants.now(&id).await;
    let mut renewed = Grant::clone(&there);
    renewed.upstream.access_token = "u2".into();
    let kept = grants.keep(&id, &there, renewed, TTL, Unix::EPOCH).await;
    assert!(kept.unwrap().is_some());
    is_undone(&grants).await;
    let now = grants.now(&id).await;
    let why = "the client was told that nothing has changed";
    assert_eq!(generation(&now), 0, "{why}");
    assert_eq!(now.upstream.access_token, "u2");
}

/// The mutant: an undo that takes back whatever step it finds.
#[tokio::test]
async fn a_step_that_another_took_since_is_not_taken_back() {
    let (grants, id) = unanswered(2).await;
    let there = grants.now(&id).await;
    assert_eq!(generation(&there), 1, "it was written");
    assert!(grants.advance_to(&id, &there, 2).await.is_some());
    is_undone(&grants).await;
    let now = grants.now(&id).await;
    assert_eq!(generation(&now), 2, "its client holds what it was given");
}

/// Else a token would be judged by a step that is about to be taken back. That every caller waits is
/// not for the callers to remember.
#[tokio::test(start_paused = true)]
async fn a_grant_in_doubt_is_loaded_when_the_doubt_has_ended_and_not_before() {
    let (grants, id) = unanswered(2).await;
    assert_eq!(generation(&*grants.now(&id).await), 1, "it was written");
    // It is taken back within the time that a request waits.
    let seen = grants.load(&id).await.unwrap().unwrap();
    assert_eq!(generation(&seen), 0);
    is_undone(&grants).await;
    let doubt = grants.handle(id).in_doubt();
    let seen = grants.load(&id).await;
    assert!(matches!(seen, Err(StorageError::Unavailable(_))));
    drop(doubt);
    assert!(grants.load(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_grant_is_advanced_only_over_what_was_seen() {
    let grants = grants(Arc::new(MemoryStorage::new()));
    let id = GrantId::random();
    grants.create(&id, &grant(0), TTL).await.unwrap();
    let seen = grants.load(&id).await.unwrap().unwrap();
    let next = grants.advance_to(&id, &seen, 1).await.unwrap();
    assert!(grants.advance_to(&id, &seen, 1).await.is_none());
    assert!(!grants.end_as_seen(&id, &seen).await.unwrap());
    // What a step returns is as good as what a load does.
    let next = grants.advance_to(&id, &next, 2).await.unwrap();
    assert!(grants.end_as_seen(&id, &next).await.unwrap());
    assert!(grants.look(&id).await.unwrap().is_none());
}

/// Its tokens are another provider's: none of them may be sent to this one.
#[tokio::test]
async fn a_grant_of_a_provider_that_is_not_configured_is_not_served_and_can_be_ended() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let mut grants = grants(Arc::new(MemoryStorage::new()));
    grants.events = Arc::new(Events::new(Some(Box::new(move |event: &Event| {
        kept.lock().unwrap().push(event.clone());
    }))));
    let (id, mut other) = (GrantId::random(), grant(0));
    other.provider = "google".into();
    grants.create(&id, &other, TTL).await.unwrap();
    assert!(grants.look(&id).await.unwrap().is_none());
    assert!(grants.load(&id).await.unwrap().is_none());
    assert!(grants.load_in_doubt(&id).await.unwrap().is_none());
    for event in told.lock().unwrap().iter() {
        assert_eq!(event.reason, Some(Reason::GrantEnded));
        assert_eq!(event.grant, Some(id.to_string()));
        let detail = event.detail.as_deref().unwrap();
        assert!(detail.contains("provider `google`"), "{detail}");
    }
    assert_eq!(told.lock().unwrap().len(), 3);
    assert!(grants.stored(&id).await.unwrap().is_some());
    assert!(grants.end(&id).await.unwrap().is_some());
}

/// Whoever logged in at a provider is not let in by an issuer that got its id: who ended the trust in one did not
/// begin it again.
#[tokio::test]
async fn a_login_at_a_provider_that_went_is_no_grant_of_an_issuer_with_its_id() {
    let mut grants = grants(Arc::new(MemoryStorage::new()));
    grants.vouchers = Vouchers::new([Voucher {
        id: "google".to_owned(),
        people: true,
        workloads: false,
    }]);
    let (id, mut asserted) = (GrantId::random(), grant(0));
    asserted.provider = "google".into();
    grants.create(&id, &asserted, TTL).await.unwrap();
    assert!(grants.look(&id).await.unwrap().is_none());
    assert!(grants.load(&id).await.unwrap().is_none());
    asserted.phase = Phase::Asserted {
        issuer: "google".to_owned(),
        about: About::Person,
    };
    grants.create(&id, &asserted, TTL).await.unwrap();
    assert!(grants.look(&id).await.unwrap().is_some());
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
        grants
            .stay_listed(&id, &mut grant, ttl, Unix::at(now))
            .await;
        assert!(grant.listed_until >= Unix::at(now + ttl.as_secs()));
        until.push(grant.listed_until);
    }
    assert_eq!(until, [108_000, 108_000, 129_601, 3_270_000].map(Unix::at));
}

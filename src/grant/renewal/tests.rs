//! One grant, some instances, a provider and a look at its person that say what each test wants.

mod leases;
mod looks;
mod refusals;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde_json::Map;

use super::{
    super::{
        Ending, Freshness, Grant, GrantId, Grants, Known, Look, LookFuture, Phase, ProofOfLife,
        Proven, RefreshTokens, SeenGrant, UpstreamGrant,
    },
    FreshnessError, FreshnessParts, FreshnessSettings, Need,
    lease_record::LeaseRecord,
};
use crate::{
    clock::Clock,
    error::StorageError,
    event::{Event, Events, Reason},
    key::{Rotating, SecretKey},
    limits::SETTLE_FOR,
    oauth::{BaseUrl, Resource, ScopeSet},
    provider::{
        Providers, TokenAnswer,
        fake::{FakeProvider, PATIENT, Script},
    },
    storage::{MemoryStorage, StorageFuture, TokenStorage},
    tasks::Tasks,
    time::Unix,
    vault::Vault,
};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const GRANT_TTL: Duration = Duration::from_secs(30 * DAY);
const RENEWED: &str = r#"{"access_token":"at2","token_type":"Bearer","expires_in":3600,"refresh_token":"rt2","id_token":"unchecked"}"#;
const DEAD: &str = r#"{"error":"invalid_grant","error_description":"revoked by Ada"}"#;

/// Ada's, with a token that lives for the first hour.
pub(super) fn grant(proven_at: Unix) -> Grant {
    let base = BaseUrl::parse("https://p.example").unwrap();
    Grant {
        provider: "oauth".into(),
        client_id: "client".into(),
        subject: "ada".into(),
        scopes: ScopeSet::parse("read write").unwrap(),
        resource: Resource::base(&base),
        claims: Map::from_iter([("name".to_owned(), "Ada".into())]).into(),
        roles: vec!["admin".into()],
        upstream: UpstreamGrant {
            access_token: "at".into(),
            refresh_token: Some("rt".into()),
            id_token: Some("checked".into()),
            expires_at: Some(Unix::at(HOUR)),
            renew_at: Some(Unix::at(HOUR - 60)),
            renewed_at: None,
            refused_since: None,
        },
        phase: Phase::Active {
            generation: 0,
            rotated_at: Unix::EPOCH,
            code: None,
        },
        created_at: Unix::EPOCH,
        proven_at,
        listed_until: Unix::at(u64::MAX / 2),
        step: 0,
        seen_client: None,
    }
}

#[derive(Clone, Default)]
struct TestClock(Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        Unix::at(self.0.load(Ordering::SeqCst)).into()
    }
}

/// The deployment: its store, its time, its provider, and one grant.
struct World {
    clock: TestClock,
    store: Arc<MemoryStorage>,
    /// To look into the store, and to meddle with it.
    vault: Arc<Vault>,
    provider: FakeProvider,
    id: GrantId,
}

/// One instance.
struct Instance {
    freshness: Arc<Freshness>,
    grants: Arc<Grants>,
    ending: Ending,
    proof: Arc<ScriptedProof>,
    events: Arc<Mutex<Vec<Event>>>,
    tasks: Tasks,
    is_cut_off: Arc<AtomicBool>,
    id: GrantId,
}

impl World {
    /// The provider answers each request at its token endpoint like this, and knows revocation.
    async fn new(script: Script) -> Self {
        Self::with(grant(Unix::EPOCH), move |_| script.clone()).await
    }

    async fn with(grant: Grant, answer: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        let asked = AtomicU64::new(0);
        let provider = FakeProvider::with(move |line| match line.contains("/revoke") {
            true => Script::json("200 OK", "{}"),
            false => answer(usize::try_from(asked.fetch_add(1, Ordering::SeqCst)).unwrap()),
        })
        .await;
        let clock = TestClock::default();
        let store = Arc::new(MemoryStorage::new().with_clock(Arc::new(clock.clone())));
        let id = GrantId::random();
        let world = Self {
            clock,
            vault: Arc::new(Vault::new(store.clone(), None, Arc::default())),
            store,
            provider,
            id,
        };
        world.write(&grant).await;
        world
    }

    fn instance(&self) -> Instance {
        self.instance_with(ScriptedProof::default())
    }

    fn instance_with(&self, proof: ScriptedProof) -> Instance {
        let events = Arc::new(Mutex::new(Vec::new()));
        let (kept, tasks) = (events.clone(), Tasks::default());
        let told = Arc::new(Events::new(Some(Box::new(move |event: &Event| {
            kept.lock().unwrap().push(event.clone());
        }))));
        let is_cut_off = Arc::new(AtomicBool::new(false));
        let storage = Cut(Arc::clone(&self.store), Arc::clone(&is_cut_off));
        let secret = SecretKey::for_test(3);
        let vault = Arc::new(Vault::new(Arc::new(storage), None, Arc::clone(&told)));
        let providers = Providers::new(Arc::new(self.provider.client()), Vec::new());
        let grants = Arc::new(Grants::new(
            Arc::clone(&vault),
            providers.clone(),
            Default::default(),
            RefreshTokens::new(Rotating::new(secret.mac("refresh token"), [])),
            Rotating::new(secret.mac("index"), []),
            Arc::clone(&told),
            tasks.clone(),
        ));
        let ending = Ending::new(
            Arc::clone(&grants),
            providers.clone(),
            Arc::clone(&told),
            tasks.clone(),
        );
        let proof = Arc::new(proof);
        let parts = FreshnessParts {
            vault,
            grants: Arc::clone(&grants),
            ending: ending.clone(),
            providers,
            proof: proof.clone(),
            clock: Arc::new(self.clock.clone()),
            events: told,
            tasks: tasks.clone(),
        };
        let settings = FreshnessSettings {
            grant_ttl: GRANT_TTL,
            upstream_request_timeout: PATIENT,
            identity_max_age: Duration::from_secs(HOUR),
            grant_max_age: None,
            scope_implications: Default::default(),
        };
        Instance {
            freshness: Arc::new(Freshness::new(parts, settings)),
            grants,
            ending,
            proof,
            events,
            tasks,
            is_cut_off,
            id: self.id,
        }
    }

    fn at(&self, now: u64) {
        self.clock.0.store(now, Ordering::SeqCst);
    }

    async fn record(&self) -> Option<Grant> {
        let text = self.vault.peek(&self.id.record_key()).await.unwrap()?;
        Some(Grant::decode(text).unwrap())
    }

    /// Whatever stands there.
    async fn write(&self, grant: &Grant) {
        let (key, text) = (self.id.record_key(), grant.encode());
        self.vault.set(&key, &text, GRANT_TTL).await.unwrap();
    }

    async fn lease(&self) -> Option<LeaseRecord> {
        let text = self.vault.peek(&self.id.lease_key()).await.unwrap()?;
        Some(LeaseRecord::read(&text).unwrap())
    }

    /// What a killed process leaves.
    async fn leave_dead_lease(&self) {
        let dead = LeaseRecord::default().taken(7, Unix::at(self.clock.0.load(Ordering::SeqCst)));
        let (key, text) = (self.id.lease_key(), dead.bytes());
        self.vault.set(&key, &text, SETTLE_FOR).await.unwrap();
    }

    /// Requests at the provider's token endpoint.
    fn asked(&self) -> usize {
        self.sent("POST /token").len()
    }

    /// What the provider was asked to revoke.
    fn revoked(&self) -> Vec<String> {
        let token = |request: &String| {
            let form = request.split_once("\r\n\r\n").unwrap().1.as_bytes();
            let mut form = url::form_urlencoded::parse(form);
            form.find(|(name, _)| name == "token")
                .unwrap()
                .1
                .into_owned()
        };
        self.sent("POST /revoke").iter().map(token).collect()
    }

    fn sent(&self, start: &str) -> Vec<String> {
        let requests = self.provider.requests.lock().unwrap();
        let of_kind = requests.iter().filter(|text| text.starts_with(start));
        of_kind.cloned().collect()
    }
}

impl Instance {
    async fn ensure(&self, need: Need) -> Result<SeenGrant, FreshnessError> {
        let seen = self.grants.load_in_doubt(&self.id).await?;
        let seen = seen.ok_or(FreshnessError::Ended)?;
        let fresh = self.freshness.ensure(self.id, &seen, need).await?;
        Ok(fresh.unwrap_or(seen))
    }

    /// The access token that a request would go on with.
    async fn token(&self) -> Result<String, FreshnessError> {
        let seen = self.ensure(Need::Token).await?;
        Ok(seen.upstream.access_token.to_string())
    }

    /// Waits for all that goes on behind requests.
    async fn settle(&self) {
        assert_eq!(self.tasks.drained(Duration::from_secs(60)).await, 0);
    }

    /// The words of the last refusal with this reason.
    fn told(&self, reason: Reason) -> String {
        let events = self.events.lock().unwrap();
        let found = events.iter().rfind(|event| event.reason == Some(reason));
        let event = found.unwrap_or_else(|| panic!("{reason:?} is not in {events:?}"));
        assert_eq!(event.grant, Some(self.id.to_string()));
        event.detail.clone().unwrap_or_default()
    }
}

#[track_caller]
fn is_later<T>(result: Result<T, FreshnessError>) {
    match result {
        Err(FreshnessError::Later) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it went on"),
    }
}

#[track_caller]
fn is_over<T>(result: Result<T, FreshnessError>) {
    match result {
        Err(FreshnessError::Ended) => {}
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it went on"),
    }
}

/// Says what it was told to say, in turn; without more words, that all is well.
#[derive(Default)]
struct ScriptedProof {
    reads: Mutex<VecDeque<Option<Look>>>,
    looks: Mutex<VecDeque<Look>>,
    can_ask: bool,
    /// For each look: whether it came with the answer to a renewal.
    asked: Mutex<Vec<bool>>,
}

impl ScriptedProof {
    fn reading(reads: impl IntoIterator<Item = Option<Look>>) -> Self {
        Self {
            reads: Mutex::new(reads.into_iter().collect()),
            ..Self::default()
        }
    }

    fn asking(looks: impl IntoIterator<Item = Look>) -> Self {
        Self {
            can_ask: true,
            ..Self::default()
        }
        .then(looks)
    }

    fn then(self, looks: impl IntoIterator<Item = Look>) -> Self {
        self.looks.lock().unwrap().extend(looks);
        self
    }
}

impl ProofOfLife for ScriptedProof {
    fn read(&self, _: GrantId, _: &Grant, _: &TokenAnswer, _: Unix) -> Option<Look> {
        let said = self.reads.lock().unwrap().pop_front();
        said.unwrap_or_else(|| Some(well()))
    }

    fn can_ask(&self, _: &str) -> bool {
        self.can_ask
    }

    fn can_ask_provider(&self, _: &str) -> bool {
        self.can_ask
    }

    fn ask<'a>(
        &'a self,
        _: GrantId,
        _: &'a Grant,
        renewed: Option<&'a TokenAnswer>,
        _: Unix,
    ) -> LookFuture<'a> {
        self.asked.lock().unwrap().push(renewed.is_some());
        let said = self.looks.lock().unwrap().pop_front();
        Box::pin(async { said.unwrap_or_else(well) })
    }
}

fn well() -> Look {
    Look::Proven(Proven {
        known: None,
        id_token: None,
    })
}

fn known(name: &str, roles: &[&str], id_token: Option<&str>) -> Look {
    Look::Proven(Proven {
        known: Some(Known {
            claims: Map::from_iter([("name".to_owned(), name.into())]).into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        }),
        id_token: id_token.map(str::to_owned),
    })
}

fn no() -> Look {
    Look::No {
        reason: Reason::NotAllowed,
        detail: "ada is on no list".into(),
    }
}

fn nobody_knows() -> Look {
    Look::Later {
        reason: Reason::ProviderUnavailable,
        detail: "userinfo is down".into(),
    }
}

/// A store that an instance can be cut off from.
struct Cut(Arc<MemoryStorage>, Arc<AtomicBool>);

impl Cut {
    fn through<'a, T: Send + 'a>(&'a self, verb: StorageFuture<'a, T>) -> StorageFuture<'a, T> {
        Box::pin(async move {
            match self.1.load(Ordering::SeqCst) {
                true => Err(StorageError::unavailable("cut off")),
                false => verb.await,
            }
        })
    }
}

impl TokenStorage for Cut {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.through(self.0.get(key))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.through(self.0.set(key, value, ttl))
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.through(self.0.insert_if_absent(key, value, ttl))
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.through(self.0.take(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.through(self.0.compare_and_swap(key, expected, new, ttl))
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.through(self.0.remove(key))
    }
}

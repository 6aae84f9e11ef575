//! Passthrough mode: clients hold the provider's own access token.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};
use tower_oauth_proxy::{
    MemoryStorage, OAuthProxyConfigBuilder, Reason, ScopeSet, SecretKey, Step, TokenVerifier,
    VerifiedToken, VerifyError, VerifyFuture, VerifyRequest, provider::generic,
};

use crate::inside::{remote, session};
use testkit::{
    Answer, Client, FakeClock, Kind, Pkce, Provider, Proxy, Reply, Store, Tokens,
    client::native_metadata,
    provider::{Gate, MARK},
    proxy::{BASE, INSIDE, SECRET, builder_from, upstream},
};

/// What the verifier does instead of its work.
const WORKS: usize = 0;
const UNAVAILABLE: usize = 1;
const HANGS: usize = 2;
/// Believes an older answer, as a verifier with a cache of its own does.
const BELIEVES: usize = 3;

/// Asks the provider whether the token lives, as introspection would.
#[derive(Clone)]
struct Introspection {
    provider: Arc<Provider>,
    asked: Arc<AtomicUsize>,
    mood: Arc<AtomicUsize>,
    expires_at: Option<SystemTime>,
}

impl TokenVerifier for Introspection {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match self.mood.load(Ordering::SeqCst) {
                UNAVAILABLE => return Err(VerifyError::Unavailable("no route".into())),
                HANGS => std::future::pending().await,
                _ => {}
            }
            let believes = self.mood.load(Ordering::SeqCst) == BELIEVES;
            if !believes && !self.provider.accepts(request.token()) {
                return Err(VerifyError::Invalid("inactive".to_owned()));
            }
            let mut verified = VerifiedToken::new("ada");
            verified.client_id = Some("upstream-app".to_owned());
            verified.scopes = ScopeSet::new(["read"]).unwrap();
            verified.claims.insert("roles".into(), json!(["admin"]));
            verified.expires_at = self.expires_at;
            Ok(verified)
        })
    }
}

impl Introspection {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn be(&self, mood: usize) {
        self.mood.store(mood, Ordering::SeqCst);
    }
}

struct Setup {
    proxy: Proxy,
    verifier: Introspection,
    store: Store,
    client: Client,
}

/// For other files: a proxy of this mode, configured.
pub(crate) async fn proxy_with(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Proxy {
    start_with(change, None).await.proxy
}

async fn start() -> Setup {
    start_with(|builder| builder, None).await
}

async fn start_with(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    expires_at: Option<u64>,
) -> Setup {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let store = Store::new(&clock);
    let verifier = Introspection {
        provider: provider.clone(),
        asked: Arc::default(),
        mood: Arc::default(),
        expires_at: expires_at.map(|end| UNIX_EPOCH + Duration::from_secs(end)),
    };
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        change(
            builder
                .passthrough(verifier.clone())
                .token_storage(store.clone()),
        )
    });
    let client = proxy.client().await;
    Setup {
        proxy,
        verifier,
        store,
        client,
    }
}

impl Setup {
    async fn journey(&self) -> Tokens {
        self.proxy.journey(&self.client).await
    }

    async fn call(&self, tokens: &Tokens) -> Reply {
        self.client.call("/mcp", &tokens.access).await
    }

    async fn drained(&self) -> usize {
        let admin = self.proxy.layer.admin();
        admin.drain(Duration::from_secs(60)).await
    }
}

#[tokio::test]
async fn the_client_gets_the_providers_access_token_and_the_session_is_the_verifiers_word() {
    let at = start().await;
    let tokens = at.journey().await;
    assert!(tokens.access.starts_with("UPSTREAM-ACCESS-"), "{tokens:?}");
    assert!(at.proxy.provider.accepts(&tokens.access));
    assert_eq!(tokens.expires_in, 3600);
    assert_eq!(tokens.scope, "openid read write");
    let session = session(&at.proxy, &tokens.access).await;
    assert_eq!(session.subject(), "ada");
    assert_eq!(session.client_id(), "upstream-app");
    assert_eq!(session.scopes().to_string(), "read");
    assert_eq!(session.roles(), ["admin"]);
    assert_eq!(session.claims()["roles"], json!(["admin"]));
    assert_eq!(session.upstream().access_token(), tokens.access);
    assert_eq!(session.grant_id(), None);
    // The verifier named no end: it is not in the past.
    assert!(session.expires_at() > SystemTime::now());
}

#[tokio::test]
async fn a_sealed_refresh_token_survives_a_rotated_secret_and_no_other() {
    let at = start().await;
    let tokens = at.journey().await;
    let next = |change: fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder| {
        let verifier = at.verifier.clone();
        let sibling = at
            .proxy
            .sibling(|builder| change(builder.passthrough(verifier)));
        let client = Client {
            wire: sibling.wire.clone(),
            ..at.client.clone()
        };
        (sibling, client)
    };
    let (other, _) = next(|b| b.secret_key(testkit::proxy::secret(7)));
    let stranger = other.client().await;
    let reply = stranger.refresh(tokens.refresh()).await;
    reply.refused(400, "invalid_grant");
    let (_rotated, client) = next(|builder| {
        let old = SecretKey::from_bytes(SECRET).unwrap();
        let new = testkit::proxy::secret(7);
        builder.secret_key(new).previous_secret_keys([old])
    });
    client.refresh(tokens.refresh()).await.expect(200);
}

/// The operator changed the provider: what the old one gave is its secret.
#[tokio::test]
async fn a_refresh_token_of_another_provider_is_not_sent_to_this_one() {
    let at = start().await;
    let tokens = at.journey().await;
    let elsewhere = upstream(&at.proxy.provider).id("another");
    let builder = builder_from(elsewhere, BASE).passthrough(at.verifier.clone());
    let (provider, clock) = (at.proxy.provider.clone(), at.proxy.clock.clone());
    let proxy = Proxy::built(provider, clock, BASE, builder);
    let client = Client {
        wire: proxy.wire.clone(),
        ..at.client.clone()
    };
    let reply = client.refresh(tokens.refresh()).await;
    reply.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::GrantEnded);
    let reply = client.revoke(tokens.refresh()).await;
    reply.refused(400, "unsupported_token_type");
    assert_eq!(proxy.provider.count_grant("refresh_token"), 0);
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);
    // It comes back to life with its provider.
    at.client.refresh(tokens.refresh()).await.expect(200);
}

#[tokio::test]
async fn the_providers_refresh_token_is_sealed_for_its_client_alone() {
    let at = start().await;
    let tokens = at.journey().await;
    let sealed = tokens.refresh();
    let opened = B64.decode(sealed).unwrap();
    assert!(!String::from_utf8_lossy(&opened).contains(MARK));
    assert!(!sealed.contains(MARK));

    let other = at
        .proxy
        .register(&native_metadata("http://127.0.0.1:9000/other"))
        .await;
    let mut changed = opened.clone();
    changed[20] ^= 1;
    for (client, token) in [
        (&other, sealed),
        (&at.client, &*B64.encode(&changed)),
        (&at.client, &*B64.encode(&opened[1..])),
        (&at.client, "UPSTREAM-REFRESH-3"),
        (&at.client, &*tokens.access),
    ] {
        client.refresh(token).await.refused(400, "invalid_grant");
    }
    assert_eq!(at.proxy.provider.count_grant("refresh_token"), 0);
    at.client.refresh(sealed).await.expect(200);
}

#[tokio::test]
async fn a_refresh_goes_to_the_provider_and_the_new_tokens_work() {
    let at = start().await;
    let first = at.journey().await;
    at.proxy.clock.advance_secs(3600);
    at.call(&first).await.expect(401);
    let second = Tokens::read(&at.client.refresh(first.refresh()).await);
    assert!(second.access.starts_with("UPSTREAM-ACCESS-"));
    assert_ne!(second.access, first.access);
    assert_eq!(second.scope, first.scope);
    at.call(&second).await.expect(200);
    let third = Tokens::read(&at.client.refresh(second.refresh()).await);
    at.call(&third).await.expect(200);
    assert_eq!(at.proxy.provider.count_grant("refresh_token"), 2);
    // Nothing is kept of it: another instance without that store serves the next one.
    let sibling = at
        .proxy
        .sibling(|builder| builder.passthrough(at.verifier.clone()));
    let client = Client {
        wire: sibling.wire.clone(),
        ..at.client.clone()
    };
    let fourth = Tokens::read(&client.refresh(third.refresh()).await);
    client.call("/mcp", &fourth.access).await.expect(200);
}

#[tokio::test]
async fn what_cannot_be_a_bearer_token_never_reaches_the_verifier() {
    let at = start().await;
    for odd in ["a,b", "a\"b", "a b", "a;b", "{}"] {
        let reply = at.client.call("/mcp", odd).await.expect(401);
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.contains("header is malformed"), "{challenge}");
    }
    assert_eq!(at.verifier.asked(), 0);
    at.client.call("/mcp", "a.b").await.expect(401);
    assert_eq!(at.verifier.asked(), 1);
}

#[tokio::test]
async fn a_provider_that_keeps_or_omits_its_refresh_token_is_asked_with_the_old_one() {
    let at = start().await;
    at.proxy
        .provider
        .configure(|settings| settings.rotate = false);
    let first = at.journey().await;
    let second = Tokens::read(&at.client.refresh(first.refresh()).await);
    let third = Tokens::read(&at.client.refresh(second.refresh()).await);
    at.call(&third).await.expect(200);
}

#[tokio::test]
async fn a_refresh_may_narrow_what_was_granted_and_never_widen_it() {
    let at = start().await;
    let pkce = Pkce::new();
    let url = at.client.authorize(&pkce, "s").with("scope", "read").url();
    let mut browser = at.proxy.browser();
    let callback = at.proxy.approve(&mut browser, &url).await.left();
    let tokens = Tokens::read(&at.client.redeem(&callback, &pkce).await);
    let wider = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("scope", "read write"),
    ];
    let reply = at.client.token(&wider).await;
    reply.refused(400, "invalid_scope");
    let elsewhere = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("resource", "https://evil.example/"),
    ];
    let reply = at.client.token(&elsewhere).await;
    reply.refused(400, "invalid_target");
    assert_eq!(at.proxy.provider.count_grant("refresh_token"), 0);
    at.client.refresh(tokens.refresh()).await.expect(200);
}

/// Of Entra ID with two hundred groups: what is accepted as a bearer token can be revoked, and what was
/// handed out can be presented.
#[tokio::test]
async fn a_providers_long_tokens_come_back_whole() {
    let at = start().await;
    at.proxy.provider.configure(|settings| {
        settings.jwt_access = true;
        let groups = vec!["6f1c0f3a-2d5b-4a55-9d0e-3f8f6c1b7a42"; 200];
        settings
            .access_claims
            .insert("groups".into(), groups.into());
    });
    let long = format!("{MARK}{}", "r".repeat(15 * 1024));
    let answer = Answer::With(json!({ "refresh_token": long }));
    at.proxy.provider.next_token(answer);
    let tokens = at.journey().await;
    assert!(tokens.access.len() > 8 * 1024);
    at.call(&tokens).await.expect(200);
    let reply = at.client.refresh(tokens.refresh()).await;
    reply.refused(400, "invalid_grant");
    let asked = at.proxy.provider.last(Kind::Token);
    assert_eq!(asked.param("refresh_token"), Some(&*long));
    at.client.revoke(&tokens.access).await.expect(200);
    assert!(!at.proxy.provider.accepts(&tokens.access));
}

/// What cannot be a token was never one (RFC 7009 section 2.2).
#[tokio::test]
async fn what_cannot_be_a_token_is_revoked_already_and_the_provider_does_not_see_it() {
    let at = start().await;
    for odd in ["a b", "line\nbreak", "\u{e9}", "\u{0}"] {
        at.client.revoke(odd).await.expect(200);
    }
    assert_eq!(at.proxy.provider.count(Kind::Revoke), 0);
}

#[tokio::test]
async fn an_unused_refresh_token_is_over_after_its_time() {
    let at = start_with(|b| b.refresh_token_ttl(Duration::from_secs(5000)), None).await;
    let tokens = at.journey().await;
    at.proxy.clock.advance_secs(4999);
    let next = Tokens::read(&at.client.refresh(tokens.refresh()).await);
    at.proxy.clock.advance_secs(4999);
    let last = Tokens::read(&at.client.refresh(next.refresh()).await);
    at.proxy.clock.advance_secs(5000);
    let reply = at.client.refresh(last.refresh()).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Refresh, Reason::Expired);
}

#[tokio::test]
async fn a_grant_has_a_last_day_where_it_is_given_one_however_often_it_is_renewed() {
    let at = start_with(|b| b.grant_max_age(Duration::from_secs(9000)), None).await;
    let mut tokens = at.journey().await;
    for _ in 0..3 {
        at.proxy.clock.advance_secs(2999);
        tokens = Tokens::read(&at.client.refresh(tokens.refresh()).await);
    }
    at.proxy.clock.advance_secs(3);
    let renewed = at.proxy.provider.count_grant("refresh_token");
    let reply = at.client.refresh(tokens.refresh()).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Refresh, Reason::Expired);
    assert_eq!(
        at.proxy.provider.count_grant("refresh_token"),
        renewed,
        "the provider is not asked"
    );
    assert_eq!(at.drained().await, 0);
    let told = at.proxy.provider.count(Kind::Revoke);
    assert_eq!(told, 0, "one revocation may end the person's other grants");
}

#[tokio::test]
async fn only_the_providers_own_word_ends_a_refresh_token() {
    let at = start().await;
    let tokens = at.journey().await;
    for trouble in [
        Answer::Status(500),
        Answer::Status(429),
        Answer::Error(503, "temporarily_unavailable"),
        Answer::Error(401, "invalid_client"),
        Answer::Raw(200, "application/json", "{".to_owned()),
        Answer::Raw(200, "application/json", "{}".to_owned()),
    ] {
        at.proxy.provider.next_token(trouble.clone());
        let reply = at.client.refresh(tokens.refresh()).await;
        reply.refused(503, "temporarily_unavailable");
        assert!(reply.header("retry-after").is_some(), "{trouble:?}");
        assert!(!reply.everything().contains("PROVIDER-"), "{reply:?}");
    }
    let next = Tokens::read(&at.client.refresh(tokens.refresh()).await);
    at.proxy.provider.remove_app();
    let reply = at.client.refresh(next.refresh()).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Refresh, Reason::ProviderRejected);
}

#[tokio::test]
async fn a_refusal_that_repeating_cannot_mend_is_said_as_what_it_is() {
    let at = start().await;
    let tokens = at.journey().await;
    for (said, heard) in [
        ("invalid_scope", "invalid_scope"),
        ("interaction_required", "invalid_grant"),
        ("consent_required", "invalid_grant"),
        ("unauthorized_client", "invalid_grant"),
        ("invalid_request", "invalid_grant"),
        ("unsupported_grant_type", "invalid_grant"),
    ] {
        at.proxy.provider.next_token(Answer::Error(400, said));
        let reply = at.client.refresh(tokens.refresh()).await;
        reply.refused(400, heard);
        assert_eq!(reply.header("retry-after"), None, "{said}");
        at.proxy.told(Step::Refresh, Reason::ProviderRejected);
        let event = at.proxy.events().pop().unwrap();
        assert!(
            event.detail.unwrap().contains(said),
            "the operator reads it"
        );
    }
    // Nothing was kept of it: the token is as good as the provider says.
    Tokens::read(&at.client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_revocation_that_the_provider_refuses_to_the_operator_is_no_success() {
    let at = start().await;
    let tokens = at.journey().await;
    for (answer, status, error) in [
        (
            Answer::Error(401, "invalid_client"),
            503,
            "temporarily_unavailable",
        ),
        (Answer::Status(503), 503, "temporarily_unavailable"),
        (
            Answer::Error(400, "unsupported_token_type"),
            400,
            "unsupported_token_type",
        ),
    ] {
        at.proxy.provider.next(Kind::Revoke, answer);
        let reply = at.client.revoke(&tokens.access).await;
        reply.refused(status, error);
        assert!(at.proxy.provider.accepts(&tokens.access));
    }
    let unknown = Answer::Error(400, "invalid_token");
    at.proxy.provider.next(Kind::Revoke, unknown);
    at.client.revoke("unknown").await.expect(200);
    at.client.revoke(&tokens.access).await.expect(200);
    assert!(!at.proxy.provider.accepts(&tokens.access));
}

#[tokio::test]
async fn an_invalid_token_is_401_and_one_that_nobody_can_judge_is_503() {
    let timeout = Duration::from_millis(500);
    let at = start_with(|b| b.upstream_request_timeout(timeout), None).await;
    let reply = at.client.call("/mcp", "UPSTREAM-of-another-app").await;
    reply.refused(401, "invalid_token");
    at.proxy.told(Step::Bearer, Reason::InvalidToken);
    let tokens = at.journey().await;
    for mood in [UNAVAILABLE, HANGS] {
        at.verifier.be(mood);
        let reply = at.call(&tokens).await;
        reply.refused(503, "temporarily_unavailable");
        assert!(reply.header("retry-after").is_some());
        assert_eq!(
            reply.header("www-authenticate"),
            None,
            "nobody logs in anew"
        );
        assert_eq!(reply.header(INSIDE), None);
        assert!(!reply.everything().contains("no route"));
        at.proxy.told(Step::Bearer, Reason::ProviderUnavailable);
    }
    let events = at.proxy.events();
    let mut details = events.iter().filter_map(|event| event.detail.as_deref());
    assert!(details.any(|detail| detail == "no route"), "{events:#?}");
    at.verifier.be(WORKS);
    at.call(&tokens).await.expect(200);
}

#[tokio::test]
async fn the_verifiers_scopes_are_the_ones_that_count() {
    let at = start_with(|b| b.required_scopes(["read", "write"]), None).await;
    let tokens = at.journey().await;
    at.call(&tokens).await.refused(403, "insufficient_scope");
    let at = start_with(|b| b.required_scopes(["read"]), None).await;
    let tokens = at.journey().await;
    at.call(&tokens).await.expect(200);
}

#[tokio::test]
async fn a_verdict_is_remembered_for_the_session_caches_time_and_only_a_good_one() {
    let at = start().await;
    let tokens = at.journey().await;
    for _ in 0..5 {
        at.call(&tokens).await.expect(200);
    }
    assert_eq!(at.verifier.asked(), 1);
    at.proxy.clock.advance_secs(9);
    at.call(&tokens).await.expect(200);
    assert_eq!(at.verifier.asked(), 1);
    at.proxy.clock.advance_secs(1);
    at.call(&tokens).await.expect(200);
    assert_eq!(at.verifier.asked(), 2);
    for _ in 0..2 {
        at.client.call("/mcp", "x").await.expect(401);
    }
    assert_eq!(at.verifier.asked(), 4);

    let at = start_with(|b| b.session_cache_ttl(Duration::ZERO), None).await;
    let tokens = at.journey().await;
    for _ in 0..3 {
        at.call(&tokens).await.expect(200);
    }
    assert_eq!(at.verifier.asked(), 3);
}

#[tokio::test]
async fn a_remembered_verdict_ends_with_the_token() {
    let end = FakeClock::START + 5;
    let at = start_with(|builder| builder, Some(end)).await;
    let tokens = at.journey().await;
    at.proxy.clock.set_unix(end - 1);
    at.call(&tokens).await.expect(200);
    at.proxy.clock.set_unix(end);
    // The verifier still says yes, and an end that has come.
    at.call(&tokens).await.refused(401, "invalid_token");
    at.proxy.told(Step::Bearer, Reason::Expired);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_dead_at_the_provider() {
    for by_refresh_token in [false, true] {
        let at = start().await;
        let tokens = at.journey().await;
        at.call(&tokens).await.expect(200);
        let token = match by_refresh_token {
            true => tokens.refresh(),
            false => &*tokens.access,
        };
        at.client.revoke(token).await.expect(200);
        assert!(!at.proxy.provider.accepts(&tokens.access));
        let asked = at.proxy.provider.last(Kind::Revoke);
        let sent = asked.param("token").unwrap();
        assert!(sent.starts_with("UPSTREAM-"), "{sent}");
        if by_refresh_token {
            // No grant ties the two tokens together: the cache's time is the bound.
            at.proxy.clock.advance_secs(10);
        }
        at.call(&tokens).await.refused(401, "invalid_token");
        let reply = at.client.refresh(tokens.refresh()).await;
        reply.refused(400, "invalid_grant");
    }
}

/// Only a token that the provider does not know is as good as revoked: any other refusal leaves it
/// alive, and a client that hears 200 believes otherwise.
#[tokio::test]
async fn a_revocation_that_the_provider_refuses_is_not_called_done() {
    let at = start().await;
    let tokens = at.journey().await;
    for (refusal, status) in [
        (Answer::Error(400, "invalid_token"), 200),
        (Answer::Error(400, "invalid_grant"), 200),
        (Answer::Error(401, "invalid_client"), 503),
        (Answer::Error(503, "invalid_grant"), 503),
        (Answer::Error(400, "unsupported_token_type"), 400),
        (Answer::Error(403, "access_denied"), 400),
        (Answer::Status(403), 503),
    ] {
        at.proxy.provider.next(Kind::Revoke, refusal.clone());
        let reply = at.client.revoke(&tokens.access).await;
        assert_eq!(reply.status, status, "{refusal:?}: {reply:?}");
        if status == 400 {
            reply.refused(400, "unsupported_token_type");
        }
    }
}

#[tokio::test]
async fn a_session_that_was_kept_while_the_provider_revoked_is_forgotten_with_its_answer() {
    let at = start().await;
    let tokens = at.journey().await;
    let gate = Gate::default();
    at.proxy
        .provider
        .next(Kind::Revoke, Answer::Held(gate.clone()));
    let revocation = {
        let (client, access) = (at.client.clone(), tokens.access.clone());
        tokio::spawn(async move { client.revoke(&access).await })
    };
    while at.proxy.provider.count(Kind::Revoke) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    at.verifier.be(BELIEVES);
    at.call(&tokens).await.expect(200);
    at.verifier.be(WORKS);
    gate.open();
    revocation.await.unwrap().expect(200);
    at.call(&tokens).await.refused(401, "invalid_token");
}

/// Whoever registers can ask for revocations: what the provider has to answer at once is bounded.
#[tokio::test]
async fn a_flood_of_revocations_does_not_reach_the_provider_all_at_once() {
    let at = start().await;
    let tokens = at.journey().await;
    let gate = Gate::default();
    at.proxy
        .provider
        .always(Kind::Revoke, Answer::Held(gate.clone()));
    let flood: Vec<_> = (0..64)
        .map(|number| {
            let client = at.client.clone();
            tokio::spawn(async move { client.revoke(&format!("guess-{number}")).await })
        })
        .collect();
    while at.proxy.provider.count(Kind::Revoke) < 64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reply = at.client.revoke(&tokens.access).await;
    reply.refused(503, "temporarily_unavailable");
    at.proxy.told(Step::Revoke, Reason::Busy);
    assert_eq!(at.proxy.provider.count(Kind::Revoke), 64);
    gate.open();
    for one in flood {
        one.await.unwrap().expect(200);
    }
    at.proxy.provider.always(Kind::Revoke, Answer::Normal);
    at.client.revoke(&tokens.access).await.expect(200);
    assert!(!at.proxy.provider.accepts(&tokens.access));
}

#[tokio::test]
async fn another_clients_refresh_token_is_not_revoked_at_the_provider() {
    let at = start().await;
    let tokens = at.journey().await;
    let other = at
        .proxy
        .register(&native_metadata("http://127.0.0.1:9000/other"))
        .await;
    other.revoke(tokens.refresh()).await.expect(200);
    assert!(at.proxy.provider.accepts(&tokens.access));
    at.client.refresh(tokens.refresh()).await.expect(200);
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_what_a_replay_finds_is_revoked() {
    let at = start().await;
    let pkce = Pkce::new();
    let mut browser = at.proxy.browser();
    let callback = at.proxy.login(&mut browser, &at.client, &pkce).await;
    let other = Pkce::new();
    let reply = at.client.redeem(&callback, &other).await;
    reply.refused(400, "invalid_grant");
    let tokens = Tokens::read(&at.client.redeem(&callback, &pkce).await);
    at.call(&tokens).await.expect(200);
    let reply = at.client.redeem(&callback, &other).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Redeem, Reason::Pkce);
    assert!(at.proxy.provider.accepts(&tokens.access), "a stranger's");
    let reply = at.client.redeem(&callback, &pkce).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Redeem, Reason::Replayed);
    assert!(!at.proxy.provider.accepts(&tokens.access));
}

#[tokio::test]
async fn of_fifty_redemptions_at_once_one_succeeds() {
    // All look before the first one leaps.
    let remote = |b: OAuthProxyConfigBuilder| b.token_storage(remote(MemoryStorage::new()));
    let at = start_with(remote, None).await;
    let pkce = Pkce::new();
    let mut browser = at.proxy.browser();
    let callback = at.proxy.login(&mut browser, &at.client, &pkce).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (client, callback, pkce) = (at.client.clone(), callback.clone(), pkce.clone());
            tokio::spawn(async move { client.redeem(&callback, &pkce).await })
        })
        .collect();
    let mut successes = 0;
    for task in tasks {
        let reply = task.await.unwrap();
        match reply.status.as_u16() {
            200 => successes += 1,
            _ => drop(reply.refused(400, "invalid_grant").clone()),
        }
    }
    assert_eq!(successes, 1);
    assert_eq!(at.proxy.provider.count_grant("authorization_code"), 1);
}

#[tokio::test]
async fn after_the_code_nothing_of_the_provider_is_kept_for_long() {
    let at = start().await;
    let tokens = at.journey().await;
    for seen in at.store.seen() {
        let value = String::from_utf8_lossy(&seen.value).into_owned();
        assert!(
            !value.contains(MARK) && !seen.key.contains(MARK),
            "{seen:?}"
        );
    }
    at.store.forget();
    at.client.refresh(tokens.refresh()).await.expect(200);
    assert_eq!(at.store.writes(), 0);
}

#[tokio::test]
async fn a_provider_that_names_no_end_and_no_refresh_token_leaves_both_out() {
    let at = start().await;
    at.proxy.provider.configure(|settings| {
        settings.expires_in = None;
        settings.issue_refresh = false;
    });
    let pkce = Pkce::new();
    let mut browser = at.proxy.browser();
    let callback = at.proxy.login(&mut browser, &at.client, &pkce).await;
    let reply = at.client.redeem(&callback, &pkce).await.expect(200);
    let answer = reply.json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], Value::Null);
    assert_eq!(answer["refresh_token"], Value::Null);
    let token = answer["access_token"].as_str().unwrap();
    at.client.call("/mcp", token).await.expect(200);
}

#[tokio::test]
async fn a_refresh_looks_at_the_person_again_and_a_no_ends_it_at_the_provider() {
    for (issue_id_token, rotate) in [(true, true), (false, true), (true, false)] {
        let at = start_with(|b| b.allowed_domains(["example.com"]), None).await;
        let provider = &at.proxy.provider;
        provider.configure(|settings| {
            settings.issue_id_token = issue_id_token;
            settings.rotate = rotate;
        });
        let first = at.journey().await;
        let second = Tokens::read(&at.client.refresh(first.refresh()).await);
        provider.configure(|settings| {
            settings
                .person
                .insert("email".into(), "ada@left.example".into());
        });
        let reply = at.client.refresh(second.refresh()).await.expect(400);
        assert_eq!(reply.json()["error"], "invalid_grant");
        at.proxy.told(Step::Refresh, Reason::NotAllowed);
        assert_eq!(at.drained().await, 0);
        assert_eq!(provider.live_refresh_tokens(), 0, "the provider is told");
        // A provider that names no new one has kept the old one: it is not left alive.
        let revoked = provider.last(Kind::Revoke);
        assert_eq!(revoked.param("token_type_hint"), Some("refresh_token"));
    }
}

#[tokio::test]
async fn a_refresh_whose_client_hangs_up_is_brought_to_its_end_and_waited_for() {
    let at = start_with(|b| b.allowed_domains(["example.com"]), None).await;
    let provider = &at.proxy.provider;
    let tokens = at.journey().await;
    provider.configure(|settings| {
        settings
            .person
            .insert("email".into(), "ada@left.example".into());
    });
    let gate = Gate::default();
    let before = provider.count(Kind::Token);
    provider.next(Kind::Token, Answer::Held(gate.clone()));
    let refresh = {
        let (client, token) = (at.client.clone(), tokens.refresh().to_owned());
        tokio::spawn(async move { client.refresh(&token).await })
    };
    while provider.count(Kind::Token) == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    refresh.abort();
    assert!(refresh.await.is_err());
    let admin = at.proxy.layer.admin();
    assert_eq!(admin.drain(Duration::ZERO).await, 1);
    gate.open();
    assert_eq!(at.drained().await, 0);
    assert_eq!(provider.live_refresh_tokens(), 0, "the provider is told");
}

#[tokio::test]
async fn a_refresh_whose_id_token_is_about_another_person_is_refused() {
    let at = start().await;
    let first = at.journey().await;
    at.proxy.provider.configure(|settings| {
        settings.person.insert("sub".into(), "person-2".into());
    });
    let reply = at.client.refresh(first.refresh()).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
    at.proxy.told(Step::Refresh, Reason::IdToken);
}

#[tokio::test]
async fn trouble_at_a_look_does_not_cost_the_token_that_the_provider_has_just_renewed() {
    let at = start().await;
    at.proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    let first = at.journey().await;
    at.proxy
        .provider
        .always(Kind::UserInfo, Answer::Status(500));
    let second = Tokens::read(&at.client.refresh(first.refresh()).await);
    at.call(&second).await.expect(200);
    let told = at.proxy.refusals();
    assert!(told.contains(&(Step::UpstreamRefresh, Reason::ProviderUnavailable)));
}

#[tokio::test]
async fn where_nobody_can_say_who_it_is_again_a_list_does_not_put_out_whom_it_let_in() {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let verifier = Introspection {
        provider: provider.clone(),
        asked: Arc::default(),
        mood: Arc::default(),
        expires_at: None,
    };
    let settings = provider.settings();
    let without_userinfo = generic(
        provider.url("/authorize"),
        provider.url("/token"),
        settings.client_id,
        settings.client_secret,
    );
    let builder = builder_from(without_userinfo, BASE)
        .passthrough(verifier)
        .scopes(["openid", "email"])
        .allowed_domains(["example.com"]);
    let proxy = Proxy::built(provider.clone(), clock, BASE, builder);
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    provider.configure(|settings| settings.issue_id_token = false);
    let second = Tokens::read(&client.refresh(first.refresh()).await);
    client.call("/mcp", &second.access).await.expect(200);
    // An ID token speaks, and its no counts.
    provider.configure(|settings| {
        settings.issue_id_token = true;
        let address = json!("ada@left.example");
        settings.person.insert("email".into(), address);
    });
    client.refresh(second.refresh()).await.expect(400);
    proxy.told(Step::Refresh, Reason::NotAllowed);
}

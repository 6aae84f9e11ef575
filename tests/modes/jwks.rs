//! Passthrough mode with tokens that are verified here, by their issuer's keys.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Map, Value, json};
use tower_oauth_proxy::{
    AuthSession, ConfigError, JwksVerifier, Reason, Step, TokenVerifier, VerifyFuture,
    VerifyRequest,
};

use crate::{
    inside::session,
    mistakes::{fault, good},
};
use testkit::{
    Answer, Client, FakeClock, Kind, Provider, Proxy, Reply,
    provider::{Gate, SigningKey},
    proxy::BASE,
};

const ISSUER: &str = "https://idp.example/";
const AUDIENCE: &str = "https://proxy.example/mcp";

struct Setup {
    proxy: Proxy,
    key: SigningKey,
    client: Client,
}

async fn start() -> Setup {
    start_with(|verifier| verifier).await
}

async fn start_with(change: impl FnOnce(JwksVerifier) -> JwksVerifier) -> Setup {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let key = SigningKey::es256("2026-a");
    provider.signs(&key);
    let verifier = change(verifier(&provider));
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        builder.passthrough(verifier)
    });
    let client = proxy.client().await;
    Setup { proxy, key, client }
}

fn verifier(provider: &Provider) -> JwksVerifier {
    JwksVerifier::new(provider.url("/keys"))
        .issuer(ISSUER)
        .audience(AUDIENCE)
}

impl Setup {
    fn claims(&self, changes: &Value) -> Map<String, Value> {
        let now = self.proxy.clock.unix();
        let mut claims = json!({
            "iss": ISSUER, "aud": [AUDIENCE, "another"], "sub": "person-1", "exp": now + 300, "iat": now,
            "client_id": "upstream-app", "scope": "openid read", "roles": ["admin"],
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        members.clone()
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "`json!` is written in its place"
    )]
    fn token(&self, changes: Value) -> String {
        self.key.sign(&self.claims(&changes))
    }

    async fn call(&self, token: &str) -> Reply {
        self.client.call("/mcp", token).await
    }

    async fn session(&self, changes: Value) -> AuthSession {
        session(&self.proxy, &self.token(changes)).await
    }

    /// The words that the operator gets about the refusal, of which the client gets none.
    async fn refused(&self, token: &str) -> String {
        self.proxy.forget_events();
        let reply = self.call(token).await;
        reply.refused(401, "invalid_token");
        self.words(&reply, Reason::InvalidToken)
    }

    async fn unavailable(&self, token: &str) -> String {
        self.proxy.forget_events();
        let reply = self.call(token).await.expect(503);
        assert!(reply.header("retry-after").is_some());
        self.words(&reply, Reason::ProviderUnavailable)
    }

    fn words(&self, reply: &Reply, reason: Reason) -> String {
        self.proxy.told(Step::Bearer, reason);
        let events = self.proxy.events();
        let words = events.last().unwrap().detail.clone().unwrap_or_default();
        assert!(!reply.everything().contains(&words), "{words}");
        words
    }

    fn fetches(&self) -> usize {
        self.proxy.provider.count(Kind::Keys)
    }
}

#[tokio::test]
async fn the_claims_of_a_token_are_the_session() {
    let at = start().await;
    let seen = at.session(json!({})).await;
    assert_eq!(seen.subject(), "person-1");
    assert_eq!(seen.client_id(), "upstream-app");
    assert_eq!(seen.scopes().to_string(), "openid read");
    assert_eq!(seen.roles(), ["admin"]);
    assert_eq!(seen.claims()["iss"], ISSUER);
    // Within the leeway it is good after its `exp`.
    let end = at.proxy.clock.unix() + 360;
    assert_eq!(
        seen.expires_at(),
        std::time::UNIX_EPOCH + Duration::from_secs(end)
    );
    // As other issuers write them.
    let scp = json!({"scope": null, "scp": ["read", "write", "no\"scope", 1], "client_id": null, "azp": "a"});
    let seen = at.session(scp).await;
    assert_eq!(
        (seen.client_id(), &*seen.scopes().to_string()),
        ("a", "read write")
    );
    let cid = json!({"scope": null, "scp": "read  read write", "client_id": null, "cid": "c"});
    let seen = at.session(cid).await;
    assert_eq!(
        (seen.client_id(), &*seen.scopes().to_string()),
        ("c", "read write")
    );
    let bare = at
        .session(json!({"scope": null, "client_id": null, "aud": AUDIENCE}))
        .await;
    assert_eq!((bare.client_id(), bare.scopes().len()), ("", 0));
    // The keys were fetched once for all of them.
    assert_eq!(at.fetches(), 1);
}

#[tokio::test]
async fn a_login_hands_out_a_token_that_is_good_here() {
    let at = start().await;
    at.proxy.provider.configure(|settings| {
        settings.jwt_access = true;
        settings.access_claims = at.claims(&json!({}));
    });
    let tokens = at.proxy.journey(&at.client).await;
    let seen = session(&at.proxy, &tokens.access).await;
    assert_eq!(seen.subject(), "person-1");
    assert_eq!(seen.upstream().access_token(), tokens.access);
}

#[tokio::test]
async fn another_issuer_audience_or_time_is_refused_and_the_operator_is_told_which() {
    let at = start().await;
    let now = at.proxy.clock.unix();
    for (changes, words) in [
        (
            json!({"iss": "https://idp.example"}),
            "its `iss` is \"https://idp.example\", which is none of \"https://idp.example/\"",
        ),
        (json!({"iss": null}), "its `iss` is missing"),
        (json!({"aud": "another"}), "its `aud` is \"another\""),
        (json!({"aud": null}), "its `aud` is missing"),
        (json!({"exp": now - 61}), "it expired 61 s ago"),
        (json!({"exp": null}), "it has no `exp`"),
        (json!({"nbf": now + 61}), "its `nbf`"),
        (json!({"iat": now + 61}), "its `iat`"),
        (json!({"sub": null}), "its subject is missing"),
        (json!({"sub": "a\nb"}), "its subject is missing"),
        (json!({"sub": "x".repeat(256)}), "its subject is missing"),
    ] {
        let told = at.refused(&at.token(changes.clone())).await;
        assert!(told.contains(words), "{changes}: {told}");
    }
    // Within the leeway all is well.
    let late = json!({"exp": now - 59, "nbf": now + 59, "iat": now + 59});
    at.call(&at.token(late)).await.expect(200);
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_the_leeway() {
    let at = start().await;
    let token = at.token(json!({}));
    at.call(&token).await.expect(200);
    at.proxy.clock.advance(Duration::from_secs(359));
    at.call(&token).await.expect(200);
    at.proxy.clock.advance(Duration::from_secs(1));
    assert!(at.refused(&token).await.contains("it expired 60 s ago"));
}

#[tokio::test]
async fn a_token_of_another_kind_is_refused_however_good_its_signature_is() {
    let at = start().await;
    for changes in [
        json!({"at_hash": "x"}),
        json!({"c_hash": "x"}),
        json!({"events": {}}),
        json!({"typ": "ID"}),
        json!({"typ": "Refresh"}),
        json!({"token_use": "id"}),
        json!({"nonce": "n", "scope": null}),
    ] {
        let told = at.refused(&at.token(changes.clone())).await;
        assert!(told.contains("no access token"), "{changes}: {told}");
    }
    let bound = at.token(json!({"cnf": {"jkt": "x"}}));
    assert!(at.refused(&bound).await.contains("bound to a key"));
    // With some issuers an access token has its login's nonce, and says what it is.
    let own = json!({"nonce": "n", "typ": "Bearer", "token_use": "access"});
    at.call(&at.token(own)).await.expect(200);
    let claims = at.claims(&json!({}));
    let typed = |typ: &str| {
        let header = json!({"alg": "ES256", "kid": at.key.kid, "typ": typ});
        at.key.sign_with(&header, &claims)
    };
    for typ in ["logout+jwt", "dpop+jwt", "secevent+jwt", ""] {
        let told = at.refused(&typed(typ)).await;
        assert!(told.contains("its `typ` is not"), "{typ}: {told}");
    }
    for typ in ["at+jwt", "application/at+jwt", "jwt"] {
        at.call(&typed(typ)).await.expect(200);
    }
}

#[tokio::test]
async fn the_type_that_is_demanded_is_the_only_one() {
    let at = start_with(|verifier| verifier.token_type("at+jwt")).await;
    let told = at.refused(&at.token(json!({}))).await;
    assert!(told.contains("its `typ` is not"), "{told}");
    let header = json!({"alg": "ES256", "kid": at.key.kid, "typ": "at+JWT"});
    let token = at.key.sign_with(&header, &at.claims(&json!({})));
    at.call(&token).await.expect(200);
}

#[tokio::test]
async fn a_required_claim_and_another_name_of_the_subject_are_kept_to() {
    let at = start_with(|verifier| {
        verifier
            .require_claim("groups", "staff")
            .require_claim("verified", true)
            .subject_claim("oid")
    })
    .await;
    let good = json!({"groups": ["staff", "x"], "verified": true, "oid": "o-1"});
    assert_eq!(at.session(good).await.subject(), "o-1");
    for changes in [
        json!({"groups": ["x"], "verified": true, "oid": "o-1"}),
        json!({"groups": "staff", "verified": "true", "oid": "o-1"}),
        json!({"groups": "staff", "verified": true}),
    ] {
        at.refused(&at.token(changes)).await;
    }
}

#[tokio::test]
async fn a_forged_token_is_refused_whatever_its_header_claims() {
    let at = start().await;
    at.call(&at.token(json!({}))).await.expect(200);
    let claims = at.claims(&json!({}));
    let kid = &at.key.kid;
    let other = SigningKey::es256(kid);
    assert!(
        at.refused(&other.sign(&claims))
            .await
            .contains("its signature is not that of its key")
    );
    for (header, words) in [
        (json!({"alg": "none"}), "its `alg` is `none`"),
        (json!({"alg": "HS256", "kid": kid}), "its `alg` is `HS256`"),
        (
            json!({"alg": "ES384", "kid": kid}),
            "its `alg` is `ES384`, which its key `2026-a` is not for",
        ),
        (
            json!({"alg": "RS256", "kid": kid}),
            "its `alg` is `RS256`, which its key",
        ),
        (
            json!({"alg": "ES256", "kid": kid, "crit": ["exp"]}),
            "critical header",
        ),
        (
            json!({"alg": "ES256", "kid": kid, "b64": false}),
            "critical header",
        ),
        (json!({"alg": "ES256", "kid": [kid]}), "not a signed JWT"),
        (json!({}), "not a signed JWT"),
    ] {
        let told = at.refused(&at.key.sign_with(&header, &claims)).await;
        assert!(told.contains(words), "{header}: {told}");
    }
    // A key in the header vouches for nothing.
    let header = json!({"alg": "ES256", "kid": kid, "jwk": other.jwk()});
    assert!(
        at.refused(&other.sign_with(&header, &claims))
            .await
            .contains("signature")
    );
    for garbage in ["x", "a.b.c", "a.b.c.d.e", "UPSTREAM-ACCESS-1"] {
        assert!(
            at.refused(garbage).await.contains("not a signed JWT"),
            "{garbage}"
        );
    }
    assert_eq!(at.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_an_invented_one_only_now_and_then() {
    let mut at = start().await;
    let old = at.token(json!({}));
    at.call(&old).await.expect(200);
    at.key = SigningKey::es256("2026-b");
    at.proxy.provider.signs(&at.key);
    // The set came just now: all the same its keys are asked for again, once.
    at.call(&at.token(json!({"jti": "1"}))).await.expect(200);
    assert_eq!(at.fetches(), 2);
    // The old key is gone from the set; the session of its token is in the cache until it is looked at again.
    assert!(
        at.refused(&SigningKey::es256("2026-a").sign(&at.claims(&json!({}))))
            .await
            .contains("2026-a")
    );
    for invented in 0..50 {
        let forged = SigningKey::es256(&format!("invented-{invented}"));
        at.refused(&forged.sign(&at.claims(&json!({})))).await;
    }
    assert_eq!(at.fetches(), 2);
    at.proxy.clock.advance(Duration::from_secs(11));
    for invented in 0..50 {
        let forged = SigningKey::es256(&format!("invented-{invented}"));
        at.refused(&forged.sign(&at.claims(&json!({})))).await;
    }
    assert_eq!(at.fetches(), 3);
}

#[tokio::test]
async fn keys_that_cannot_be_had_say_nothing_against_a_token() {
    let at = start().await;
    let huge = format!(r#"{{"keys":[]{}}}"#, " ".repeat(300_000));
    for answer in [
        Answer::Status(500),
        Answer::Status(404),
        Answer::Error(429, "slow_down"),
        Answer::Redirect("http://127.0.0.1:9/keys".to_owned()),
        Answer::Raw(200, "text/html", "<html>sign in</html>".to_owned()),
        Answer::Raw(200, "application/json", huge),
        Answer::Raw(200, "application/json", r#"{"keys":{}}"#.to_owned()),
    ] {
        at.proxy.provider.always(Kind::Keys, answer.clone());
        let told = at.unavailable(&at.token(json!({}))).await;
        assert!(told.contains("127.0.0.1"), "{answer:?}: {told}");
        at.proxy.clock.advance(Duration::from_secs(6));
    }
    at.proxy.provider.always(Kind::Keys, Answer::Normal);
    at.call(&at.token(json!({}))).await.expect(200);
    // An unknown key, and no way to ask whether it is new.
    at.proxy.provider.always(Kind::Keys, Answer::Status(500));
    at.proxy.clock.advance(Duration::from_secs(11));
    at.unavailable(&SigningKey::es256("new").sign(&at.claims(&json!({}))))
        .await;
    // Keys that were fetched stand in: known ones still verify, long after their time.
    at.proxy.clock.advance(Duration::from_secs(12 * 60 * 60));
    at.call(&at.token(json!({}))).await.expect(200);
}

#[tokio::test]
async fn an_issuer_says_itself_where_its_keys_are() {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let key = SigningKey::es256("2026-a");
    let issuer = provider.signs(&key).settings().issuer;
    let verifier = JwksVerifier::for_issuer(&issuer).audience(AUDIENCE);
    let lies = |members: Value| {
        provider.configure(|settings| settings.metadata = members.as_object().unwrap().clone());
    };
    let proxy = Proxy::before(provider.clone(), clock, BASE, |builder| {
        builder.passthrough(verifier)
    });
    let client = proxy.client().await;
    let at = Setup { proxy, key, client };
    let token = || at.token(json!({ "iss": issuer }));
    for (members, words) in [
        (json!({"jwks_uri": null}), "jwks_uri"),
        (
            json!({"issuer": "https://other.example"}),
            "https://other.example",
        ),
        (json!({"jwks_uri": "http://keys.example/keys"}), "jwks_uri"),
    ] {
        lies(members.clone());
        let told = at.unavailable(&token()).await;
        assert!(told.contains(words), "{members}: {told}");
        // The document's life, where its server says nothing.
        at.proxy.clock.advance(Duration::from_secs(600));
    }
    assert_eq!(at.fetches(), 0);
    // An issuer of APIs alone, without a page to log in at.
    lies(json!({"authorization_endpoint": null, "token_endpoint": null}));
    at.call(&token()).await.expect(200);
    let another = at.token(json!({"iss": ISSUER}));
    assert!(at.refused(&another).await.contains("its `iss`"));
    assert_eq!(
        (at.proxy.provider.count(Kind::Discovery), at.fetches()),
        (6, 1),
        "a document that lies is asked for once more, at once"
    );
}

#[tokio::test]
async fn people_who_come_at_once_cause_one_fetch() {
    let at = start().await;
    let gate = Gate::default();
    at.proxy
        .provider
        .always(Kind::Keys, Answer::Held(gate.clone()));
    let tokens: Vec<_> = (0..20).map(|n| at.token(json!({"jti": n}))).collect();
    let calls = tokens.iter().map(|token| at.call(token));
    let all = futures_of(calls);
    let (replies, ()) = tokio::join!(all, async {
        while at.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        gate.open();
    });
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK));
    assert_eq!(at.fetches(), 1);
}

async fn futures_of<F: Future<Output = Reply>>(calls: impl Iterator<Item = F>) -> Vec<Reply> {
    let mut running: Vec<_> = calls.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        running.retain_mut(|call| match call.as_mut().poll(cx) {
            std::task::Poll::Ready(reply) => {
                done.push(reply);
                false
            }
            std::task::Poll::Pending => true,
        });
        match running.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

#[test]
fn a_verifier_that_cannot_be_safe_builds_no_configuration() {
    let keys = "https://idp.example/keys";
    let whole = || JwksVerifier::new(keys).issuer(ISSUER).audience(AUDIENCE);
    good().passthrough(whole()).build().map(drop).unwrap();
    let by_app = JwksVerifier::new(keys)
        .issuer(ISSUER)
        .require_claim("client_id", "app");
    good().passthrough(by_app).build().map(drop).unwrap();
    let wrong: [fn() -> JwksVerifier; 11] = [
        || JwksVerifier::for_issuer("http://idp.example").audience(AUDIENCE),
        || JwksVerifier::for_issuer(ISSUER),
        || JwksVerifier::new("").issuer(ISSUER).audience(AUDIENCE),
        || {
            JwksVerifier::new("http://idp.example/keys")
                .issuer(ISSUER)
                .audience(AUDIENCE)
        },
        || {
            JwksVerifier::new("https://u:p@idp.example/keys")
                .issuer(ISSUER)
                .audience(AUDIENCE)
        },
        || JwksVerifier::new("https://idp.example/keys").audience(AUDIENCE),
        || JwksVerifier::new("https://idp.example/keys").issuer(ISSUER),
        || {
            JwksVerifier::new("https://idp.example/keys")
                .issuer(ISSUER)
                .require_claim("x", 1)
        },
        || {
            JwksVerifier::new("https://idp.example/keys")
                .issuer("")
                .audience(AUDIENCE)
        },
        || {
            JwksVerifier::new("https://idp.example/keys")
                .issuer(ISSUER)
                .audience(" ")
        },
        || {
            let verifier = JwksVerifier::new("https://idp.example/keys").issuer(ISSUER);
            verifier.audience(AUDIENCE).leeway(Duration::from_secs(301))
        },
    ];
    for verifier in wrong {
        assert_eq!(fault(good().passthrough(verifier())), "verifier");
    }
    let shown = format!(
        "{:?}",
        JwksVerifier::new("https://u:hunter2@idp.example/keys?secret")
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("?secret"),
        "{shown}"
    );
}

/// A verifier of the operator's around it.
struct Wrapped {
    inside: JwksVerifier,
    hands_on: bool,
}

impl TokenVerifier for Wrapped {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        self.inside.verify(request)
    }

    fn connect(&self, context: &tower_oauth_proxy::VerifierContext) -> Result<(), ConfigError> {
        match self.hands_on {
            true => self.inside.connect(context),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_verifier_that_wraps_it_hands_the_way_on_or_nothing_is_verified() {
    let mut at = start().await;
    let token = at.token(json!({}));
    for hands_on in [true, false] {
        let inside = verifier(&at.proxy.provider);
        let wrapped = Wrapped { inside, hands_on };
        at.proxy = at.proxy.sibling(|builder| builder.passthrough(wrapped));
        at.client.wire = at.proxy.wire.clone();
        match hands_on {
            true => drop(at.call(&token).await.expect(200)),
            false => assert!(at.unavailable(&token).await.contains("never connected")),
        }
    }
}

//! Clients that prove themselves with a key of their own: `private_key_jwt` (RFC 7523, OpenID Connect Core
//! section 9), for clients that register and for those from configuration.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Map, Value, json};
use tower_oauth_proxy::{
    ClientAuthMethod, OAuthProxyConfigBuilder, PublicKeys, Reason, StaticClient, Step,
    UserInfoVerifier,
};

use testkit::{
    Answer, Auth, Client, Kind, Pkce, Proxy, Reply, Tokens,
    client::{CALLBACK, native_metadata},
    https::{self, Https, ROOT},
    provider::SigningKey,
    proxy::{BASE, upstream},
    store::Health,
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client, and the key that it signs with.
#[derive(Clone)]
struct Keyed {
    client: Client,
    key: SigningKey,
}

impl Keyed {
    fn at(proxy: &Proxy, id: &str, key: &SigningKey) -> Self {
        Self {
            client: Client {
                wire: proxy.wire.clone(),
                base_path: proxy.base_path().to_owned(),
                id: id.to_owned(),
                secret: None,
                auth: Auth::None,
                redirect_uri: CALLBACK.to_owned(),
            },
            key: key.clone(),
        }
    }

    /// Registers with this member of the metadata.
    async fn register(proxy: &Proxy, key: &SigningKey, name: &str, value: Value) -> Self {
        let reply = Client::try_register(&proxy.wire, "", &metadata(name, value)).await;
        let answer = reply.expect(201).json();
        assert_eq!(answer["token_endpoint_auth_method"], "private_key_jwt");
        assert_eq!(answer.get("client_secret"), None, "{answer}");
        Self::at(proxy, answer["client_id"].as_str().unwrap(), key)
    }

    async fn inline(proxy: &Proxy, key: &SigningKey) -> Self {
        Self::register(proxy, key, "jwks", json!({"keys": [key.jwk()]})).await
    }

    /// Right claims, another `jti` each time.
    fn claims(&self, proxy: &Proxy) -> Map<String, Value> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = proxy.clock.unix();
        let claims = json!({
            "iss": self.client.id,
            "sub": self.client.id,
            "aud": BASE,
            "iat": now,
            "exp": now + 60,
            "jti": format!("assertion-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
        });
        claims.as_object().unwrap().clone()
    }

    /// The right claims with one changed, or left out where it is null; signed.
    fn signed_with(&self, proxy: &Proxy, name: &str, value: Value) -> String {
        let mut claims = self.claims(proxy);
        match value {
            Value::Null => drop(claims.remove(name)),
            value => drop(claims.insert(name.to_owned(), value)),
        }
        self.key.sign(&claims)
    }

    fn signed(&self, proxy: &Proxy) -> String {
        self.key.sign(&self.claims(proxy))
    }

    async fn token(&self, fields: &[(&str, &str)], assertion: &str) -> Reply {
        self.form("/oauth/token", fields, assertion).await
    }

    /// As client libraries send it: without `client_id`.
    async fn form(&self, path: &str, fields: &[(&str, &str)], assertion: &str) -> Reply {
        let proof = [
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        let fields = [fields, &proof[..]].concat();
        self.client.wire.form(path, &fields, &[]).await
    }

    async fn redeem(&self, code: &str, pkce: &Pkce, assertion: &str) -> Reply {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &pkce.verifier),
        ];
        self.token(&fields, assertion).await
    }

    async fn refresh(&self, token: &str, assertion: &str) -> Reply {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token(&fields, assertion).await
    }

    /// A login and its redemption, with a new assertion.
    async fn tokens(&self, proxy: &Proxy) -> Tokens {
        let (code, pkce) = proxy.code(&self.client).await;
        Tokens::read(&self.redeem(&code, &pkce, &self.signed(proxy)).await)
    }

    /// A request that comes to nothing but for its authentication: it is `invalid_grant` for a client that
    /// authenticates.
    async fn knocks(&self, assertion: &str) -> Reply {
        self.refresh("no token of this server", assertion).await
    }
}

fn metadata(name: &str, value: Value) -> Value {
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
    metadata[name] = value;
    metadata
}

fn set(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// A key set at a URL that strangers may name, and what it says.
struct Published {
    server: Https,
    answer: Arc<Mutex<String>>,
}

impl Published {
    async fn start(keys: &[&SigningKey]) -> Self {
        let answer = Arc::new(Mutex::new(https::json("200 OK", "", &set(keys))));
        let said = Arc::clone(&answer);
        let server = Https::start(move |_| {
            let answer = said.lock().unwrap().clone();
            async move { answer }
        })
        .await;
        Self { server, answer }
    }

    fn says(&self, answer: String) {
        *self.answer.lock().unwrap() = answer;
    }

    fn url(&self) -> String {
        self.server.url("localhost", "/jwks.json")
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }
}

fn reaching(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder
        .outbound_private_networks(["127.0.0.0/8", "::1/128"])
        .outbound_root_certificates([ROOT])
}

#[tokio::test]
async fn a_client_with_keys_makes_the_whole_journey() {
    let (es, rs) = (SigningKey::es256("es"), SigningKey::rs256("rs"));
    let keys = PublicKeys::from_jwks(set(&[&rs])).unwrap();
    let configured = StaticClient::with_keys("billing", keys);
    let configured = configured.redirect_uri(CALLBACK).unwrap();
    let proxy = Proxy::with(|builder| builder.static_client(configured)).await;
    for keyed in [
        Keyed::inline(&proxy, &es).await,
        Keyed::inline(&proxy, &rs).await,
        Keyed::at(&proxy, "billing", &rs),
    ] {
        let tokens = keyed.tokens(&proxy).await;
        let session = proxy.session(&keyed.client, &tokens.access).await;
        assert_eq!(session["client_id"], keyed.client.id);
        let refreshed = keyed.refresh(tokens.refresh(), &keyed.signed(&proxy)).await;
        let next = Tokens::read(&refreshed);
        let fields = [("token", next.refresh())];
        let assertion = keyed.signed(&proxy);
        keyed
            .form("/oauth/revoke", &fields, &assertion)
            .await
            .expect(200);
        keyed.client.call("/mcp", &next.access).await.expect(401);
    }
}

#[tokio::test]
async fn the_metadata_names_the_method_and_each_algorithm_that_is_verified() {
    let proxy = Proxy::start().await;
    let document = proxy
        .wire
        .get("/.well-known/oauth-authorization-server", &[]);
    let document = document.await.expect(200).json();
    for endpoint in ["token", "revocation"] {
        let methods = document[format!("{endpoint}_endpoint_auth_methods_supported")].clone();
        let methods = methods.as_array().unwrap().clone();
        assert!(methods.contains(&json!("private_key_jwt")), "{methods:?}");
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        let algorithms = document[name].as_array().unwrap();
        assert!(algorithms.contains(&json!("RS256")) && algorithms.contains(&json!("ES256")));
        let is_asymmetric = |name: &Value| {
            let name = name.as_str().unwrap();
            name != "none" && !name.starts_with("HS")
        };
        assert!(algorithms.iter().all(is_asymmetric), "{algorithms:?}");
    }
}

#[tokio::test]
async fn each_rule_of_an_assertion_is_kept() {
    let proxy = Proxy::start().await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let other = Keyed::inline(&proxy, &SigningKey::es256("two")).await;
    let now = proxy.clock.unix();
    let token_endpoint = format!("{BASE}/oauth/token");
    for (name, value) in [
        ("aud", json!(BASE)),
        ("aud", json!([BASE])),
        ("aud", json!(token_endpoint)),
        ("aud", json!([token_endpoint])),
        ("exp", json!(now - 59)),
        ("exp", json!(now + 3_600)),
        ("exp", json!(now as f64 + 30.5)),
        ("iat", json!(now + 60)),
        ("iat", Value::Null),
        ("nbf", json!(now + 60)),
        ("nbf", json!(now)),
    ] {
        let assertion = keyed.signed_with(&proxy, name, value.clone());
        let reply = keyed.knocks(&assertion).await;
        assert_eq!(reply.error(), "invalid_grant", "{name} {value}: {reply:?}");
    }
    let refused = async |assertion: String, why: &str| {
        let reply = keyed.knocks(&assertion).await;
        assert_eq!(reply.status, 401, "{why}: {reply:?}");
        assert_eq!(reply.error(), "invalid_client", "{why}");
        assert!(!reply.text().contains(&keyed.client.id), "{why}: {reply:?}");
        let refusal = proxy.refusals().pop().unwrap();
        assert_eq!(refusal.0, Step::Refresh, "{why}");
        assert!(
            [Reason::ClientAuthentication, Reason::UnknownClient].contains(&refusal.1),
            "{why}: {refusal:?}"
        );
    };
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!(other.client.id)),
        ("iss", json!([keyed.client.id])),
        ("sub", Value::Null),
        ("sub", json!("billing")),
        ("sub", json!([keyed.client.id])),
        // Signed by the one, about the other.
        ("sub", json!(other.client.id)),
        ("aud", Value::Null),
        ("aud", json!([])),
        ("aud", json!("https://proxy.example/")),
        ("aud", json!("https://PROXY.example")),
        ("aud", json!("https://other.example")),
        ("aud", json!([BASE, "https://other.example"])),
        ("aud", json!([BASE, BASE])),
        ("aud", json!([[BASE]])),
        ("aud", json!({"0": BASE})),
        ("aud", json!(format!("{BASE}/oauth/revoke"))),
        ("aud", json!(format!("{BASE}/mcp"))),
        ("exp", Value::Null),
        ("exp", json!((now + 60).to_string())),
        ("exp", json!(now - 60)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(now + 3_600 + 61)),
        ("exp", json!(1e300)),
        ("iat", json!(now + 61)),
        ("iat", json!("now")),
        ("nbf", json!(now + 61)),
        ("nbf", json!(true)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!(["x"])),
    ] {
        let why = format!("{name} {value}");
        refused(keyed.signed_with(&proxy, name, value), &why).await;
    }
    // About the other with all its claims, signed by this one's key.
    let forged = keyed.key.sign(&other.claims(&proxy));
    refused(forged, "another client's claims").await;
    // The authentication is as good as before.
    keyed.tokens(&proxy).await;
}

#[tokio::test]
async fn an_assertion_names_the_endpoint_that_it_is_sent_to_or_the_server() {
    let proxy = Proxy::start().await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let fields = [("token", "none of ours")];
    for (audience, status) in [
        (BASE.to_owned(), 200),
        (format!("{BASE}/oauth/token"), 200),
        (format!("{BASE}/oauth/revoke"), 200),
        (format!("{BASE}/oauth/register"), 401),
        (format!("{BASE}/oauth/revoke/"), 401),
    ] {
        let assertion = keyed.signed_with(&proxy, "aud", json!(audience));
        let reply = keyed.form("/oauth/revoke", &fields, &assertion).await;
        assert_eq!(reply.status, status, "{audience}: {reply:?}");
    }
}

#[tokio::test]
async fn a_signature_is_the_clients_by_its_own_algorithm() {
    let proxy = Proxy::start().await;
    let (es, rs) = (SigningKey::es256("es"), SigningKey::rs256("rs"));
    let keyed = Keyed::inline(&proxy, &es).await;
    let by_rsa = Keyed::inline(&proxy, &rs).await;
    let claims = || keyed.claims(&proxy);
    let es_header = |header: Value| es.sign_with(&header, &claims());
    // The public key as the secret of an HMAC: every spelling of it that a server may have at hand.
    let hmac = |claims: &Map<String, Value>, secret: &[u8]| {
        let header = json!({"alg": "HS256", "kid": "rs"}).to_string();
        let claims = Value::Object(claims.clone()).to_string();
        let message = format!("{}.{}", B64.encode(header), B64.encode(claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", B64.encode(tag))
    };
    let jwk = rs.jwk();
    let modulus = B64.decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in [jwk.to_string().as_bytes(), &modulus, b"rs", b""] {
        let assertion = hmac(&by_rsa.claims(&proxy), secret);
        by_rsa
            .knocks(&assertion)
            .await
            .refused(401, "invalid_client");
    }
    let unsigned = |alg: &str, signature: &str| {
        let header = json!({"alg": alg}).to_string();
        let claims = Value::Object(claims()).to_string();
        format!("{}.{}.{signature}", B64.encode(header), B64.encode(claims))
    };
    let whole = keyed.signed(&proxy);
    let cut = whole.rsplit_once('.').unwrap().0.to_owned();
    let swapped = {
        let (message, _) = whole.rsplit_once('.').unwrap();
        let foreign = keyed.signed(&proxy);
        format!("{message}.{}", foreign.rsplit_once('.').unwrap().1)
    };
    for (why, assertion) in [
        ("none", unsigned("none", "")),
        ("none with a signature", unsigned("none", "AA")),
        ("NONE", unsigned("NONE", "AA")),
        ("no signature", format!("{cut}.")),
        ("two parts", cut.clone()),
        ("five parts", format!("{whole}.AA.AA")),
        ("another one's signature", swapped),
        ("another key", SigningKey::es256("es").sign(&claims())),
        (
            "another name",
            es_header(json!({"alg": "ES256", "kid": "elsewhere"})),
        ),
        (
            "another algorithm",
            es_header(json!({"alg": "ES384", "kid": "es"})),
        ),
        ("RSA", es_header(json!({"alg": "RS256", "kid": "es"}))),
        (
            "lower case",
            es_header(json!({"alg": "es256", "kid": "es"})),
        ),
        ("no algorithm", es_header(json!({"kid": "es"}))),
        (
            "a key of its own",
            SigningKey::es256("x").sign_with(
                &json!({"alg": "ES256", "jwk": SigningKey::es256("x").jwk()}),
                &claims(),
            ),
        ),
        (
            "critical",
            es_header(json!({"alg": "ES256", "kid": "es", "crit": ["x"], "x": 1})),
        ),
        (
            "a proof of possession",
            es_header(json!({"alg": "ES256", "kid": "es", "typ": "dpop+jwt"})),
        ),
        (
            "an access token",
            es_header(json!({"alg": "ES256", "kid": "es", "typ": "at+jwt"})),
        ),
        (
            "a type that is none",
            es_header(json!({"alg": "ES256", "kid": "es", "typ": 7})),
        ),
        ("huge", {
            let mut claims = claims();
            claims.insert("pad".to_owned(), "x".repeat(14_000).into());
            es.sign(&claims)
        }),
        ("no JWT", "x".to_owned()),
        ("not base64", whole.replace('.', ".*")),
    ] {
        let reply = keyed.knocks(&assertion).await;
        assert_eq!(reply.status, 401, "{why}: {reply:?}");
        assert_eq!(reply.error(), "invalid_client", "{why}");
    }
    for header in [
        json!({"alg": "ES256"}),
        json!({"alg": "ES256", "kid": "es"}),
        json!({"alg": "ES256", "kid": "es", "typ": "client-authentication+jwt"}),
        json!({"alg": "ES256", "kid": "es", "typ": "application/jwt"}),
    ] {
        let reply = keyed.knocks(&es_header(header.clone())).await;
        assert_eq!(reply.error(), "invalid_grant", "{header}");
    }
}

#[tokio::test]
async fn a_client_with_keys_has_no_other_way_in_and_others_have_not_this_one() {
    let secret = StaticClient::confidential("web", "r7Kq2ZtV9wLx4MbY");
    let proxy =
        Proxy::with(|builder| builder.static_client(secret.redirect_uri(CALLBACK).unwrap())).await;
    let key = SigningKey::es256("one");
    let keyed = Keyed::inline(&proxy, &key).await;
    let (code, pkce) = proxy.code(&keyed.client).await;
    for auth in [Auth::None, Auth::Basic, Auth::Post] {
        let without = Client {
            auth,
            secret: Some(keyed.client.id.clone()),
            ..keyed.client.clone()
        };
        without
            .redeem_code(&code, &pkce)
            .await
            .refused(401, "invalid_client");
    }
    let public = proxy.client().await;
    for id in [public.id.as_str(), "web", "not registered", ""] {
        let reply = Keyed::at(&proxy, id, &key);
        let reply = reply.knocks(&reply.signed(&proxy)).await;
        reply.refused(401, "invalid_client");
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", &*pkce.verifier),
    ];
    let assertion = keyed.signed(&proxy);
    let ask = async |more: &[(&str, &str)], headers: &[(&str, &str)]| {
        let fields = [&fields[..], more].concat();
        proxy.wire.form("/oauth/token", &fields, headers).await
    };
    let both = [
        ("client_assertion_type", TYPE),
        ("client_assertion", &*assertion),
    ];
    // RFC 6749 section 2.3: one method.
    let posted = [&both[..], &[("client_secret", "x")]].concat();
    ask(&posted, &[]).await.refused(400, "invalid_request");
    let basic = testkit::client::basic(&keyed.client.id, "x");
    let reply = ask(&both, &[("authorization", &basic)]).await;
    reply.refused(400, "invalid_request");
    for (name, value) in [
        ("client_assertion_type", ""),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        ),
        (
            "client_assertion_type",
            "URN:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", ""),
        ("client_id", "another"),
        ("client_id", &*public.id),
    ] {
        let mut proof = both.to_vec();
        proof.retain(|(known, _)| *known != name);
        proof.push((name, value));
        let reply = ask(&proof, &[]).await;
        assert_eq!(reply.error(), "invalid_client", "{name} {value}: {reply:?}");
    }
    // It may name itself, and its transport's own header says nothing.
    let named = [&both[..], &[("client_id", &*keyed.client.id)]].concat();
    let reply = ask(&named, &[("authorization", "Bearer x")]).await;
    Tokens::read(&reply);
}

#[tokio::test]
async fn an_assertion_is_used_once() {
    let proxy = Proxy::start().await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let (code, pkce) = proxy.code(&keyed.client).await;
    let assertion = keyed.signed(&proxy);
    let tokens = Tokens::read(&keyed.redeem(&code, &pkce, &assertion).await);
    // With the same code it is no replay that ends the grant: whoever copied the request has no key.
    for _ in 0..2 {
        let again = keyed.redeem(&code, &pkce, &assertion).await;
        again.refused(401, "invalid_client");
        proxy.told(Step::Redeem, Reason::Replayed);
        assert!(again.text().contains("sign another one"), "{again:?}");
    }
    keyed
        .refresh(tokens.refresh(), &assertion)
        .await
        .refused(401, "invalid_client");
    let fields = [("token", tokens.refresh())];
    let reply = keyed.form("/oauth/revoke", &fields, &assertion).await;
    reply.refused(401, "invalid_client");
    proxy.session(&keyed.client, &tokens.access).await;

    let assertion = keyed.signed(&proxy);
    let next = Tokens::read(&keyed.refresh(tokens.refresh(), &assertion).await);
    // The grace of a refresh token is no grace of an assertion.
    keyed
        .refresh(tokens.refresh(), &assertion)
        .await
        .refused(401, "invalid_client");
    let repeated = keyed.refresh(tokens.refresh(), &keyed.signed(&proxy)).await;
    assert_eq!(Tokens::read(&repeated).refresh, next.refresh);
    // The client itself may redeem twice, which is a replay of the code like any other.
    let replayed = keyed.redeem(&code, &pkce, &keyed.signed(&proxy)).await;
    replayed.refused(400, "invalid_grant");
    keyed.client.call("/mcp", &next.access).await.expect(401);
}

#[tokio::test]
async fn a_used_assertion_stays_used_until_it_has_ended_and_then_it_has() {
    let proxy = Proxy::start().await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let mut tokens = keyed.tokens(&proxy).await;
    let now = proxy.clock.unix();
    let assertion = keyed.signed_with(&proxy, "exp", json!(now + 600));
    tokens = Tokens::read(&keyed.refresh(tokens.refresh(), &assertion).await);
    for step in [1, 300, 298, 59, 1, 1, 60, 3_600] {
        proxy.clock.advance(Duration::from_secs(step));
        let reply = keyed.refresh(tokens.refresh(), &assertion).await;
        reply.refused(401, "invalid_client");
    }
    Tokens::read(&keyed.refresh(tokens.refresh(), &keyed.signed(&proxy)).await);
}

#[tokio::test]
async fn two_clients_may_choose_the_same_jti() {
    let proxy = Proxy::start().await;
    for key in [SigningKey::es256("one"), SigningKey::es256("two")] {
        let keyed = Keyed::inline(&proxy, &key).await;
        let (code, pkce) = proxy.code(&keyed.client).await;
        let assertion = keyed.signed_with(&proxy, "jti", json!("1"));
        Tokens::read(&keyed.redeem(&code, &pkce, &assertion).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_requests_with_one_assertion_one_is_answered() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    store.be(Health::Slow);
    for _ in 0..4 {
        // Different grants, so that nothing but the assertion is in the way of the others.
        let mut grants = Vec::new();
        for _ in 0..8 {
            grants.push(keyed.tokens(&proxy).await);
        }
        let assertion = keyed.signed(&proxy);
        let answered = AtomicUsize::new(0);
        let ask = async |tokens: &Tokens| {
            let reply = keyed.refresh(tokens.refresh(), &assertion).await;
            match reply.status.as_u16() {
                200 => drop(answered.fetch_add(1, Ordering::Relaxed)),
                _ => {
                    reply.refused(401, "invalid_client");
                }
            }
        };
        let [a, b, c, d, e, f, g, h] = &grants[..] else {
            panic!("eight");
        };
        tokio::join!(
            ask(a),
            ask(b),
            ask(c),
            ask(d),
            ask(e),
            ask(f),
            ask(g),
            ask(h)
        );
        assert_eq!(answered.load(Ordering::Relaxed), 1);
        for tokens in &grants {
            let reply = keyed.refresh(tokens.refresh(), &keyed.signed(&proxy)).await;
            Tokens::read(&reply);
        }
    }
}

#[tokio::test]
async fn a_stranger_that_registers_a_key_writes_nothing_however_much_it_signs() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let victim = proxy.client().await;
    let (code, pkce) = proxy.code(&victim).await;
    let tokens = proxy.journey(&victim).await;
    let left = proxy.layer.admin().drain(Duration::from_secs(5)).await;
    assert_eq!(left, 0);
    let (writes, records) = (store.writes(), store.records());
    for _ in 0..20 {
        let assertion = keyed.signed(&proxy);
        keyed.knocks(&assertion).await.refused(400, "invalid_grant");
        let foreign = keyed.redeem(&code, &pkce, &assertion).await;
        foreign.refused(400, "invalid_grant");
        let foreign = keyed.refresh(tokens.refresh(), &assertion).await;
        foreign.refused(400, "invalid_grant");
        let odd = keyed.token(&[("grant_type", "odd")], &assertion).await;
        odd.refused(400, "unsupported_grant_type");
        for token in ["none of ours", tokens.refresh()] {
            let fields = [("token", token)];
            keyed
                .form("/oauth/revoke", &fields, &assertion)
                .await
                .expect(200);
        }
    }
    assert_eq!((store.writes(), store.records()), (writes, records));
}

#[tokio::test]
async fn a_store_that_breaks_before_the_use_uses_up_no_assertion() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let (code, pkce) = proxy.code(&keyed.client).await;
    let assertion = keyed.signed(&proxy);
    // The deny list, the grant, the use.
    for verbs in 0..3 {
        store.be(Health::UpFor(verbs));
        let reply = keyed.redeem(&code, &pkce, &assertion).await;
        store.be(Health::Up);
        reply.refused(503, "temporarily_unavailable");
    }
    Tokens::read(&keyed.redeem(&code, &pkce, &assertion).await);
}

#[tokio::test]
async fn a_store_that_breaks_after_the_use_costs_the_assertion_and_not_the_code() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let (code, pkce) = proxy.code(&keyed.client).await;
    for health in [Health::UpFor(3), Health::AnswersLost] {
        let assertion = keyed.signed(&proxy);
        store.be(health);
        let reply = keyed.redeem(&code, &pkce, &assertion).await;
        reply.refused(503, "temporarily_unavailable");
        store.be(Health::Up);
    }
    Tokens::read(&keyed.redeem(&code, &pkce, &keyed.signed(&proxy)).await);
}

#[tokio::test]
async fn an_assertion_is_given_back_when_the_provider_is_down() {
    let proxy = Proxy::start().await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let tokens = keyed.tokens(&proxy).await;
    // The provider's token has to be renewed.
    proxy.clock.advance_secs(3_600);
    proxy
        .provider
        .always(Kind::Token, Answer::Error(503, "temporarily_unavailable"));
    let now = proxy.clock.unix();
    let assertion = keyed.signed_with(&proxy, "exp", json!(now + 600));
    let reply = keyed.refresh(tokens.refresh(), &assertion).await;
    reply.refused(503, "temporarily_unavailable");
    proxy.provider.always(Kind::Token, Answer::Normal);
    proxy.clock.advance_secs(60);
    let tokens = Tokens::read(&keyed.refresh(tokens.refresh(), &assertion).await);
    // From now on it is used.
    let reply = keyed.refresh(tokens.refresh(), &assertion).await;
    reply.refused(401, "invalid_client");
}

#[tokio::test]
async fn an_assertion_is_given_back_where_a_limit_says_to_come_again() {
    let proxy = Proxy::with(|builder| builder.token_requests_per_minute(1)).await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let tokens = keyed.tokens(&proxy).await;
    let tokens = Tokens::read(&keyed.refresh(tokens.refresh(), &keyed.signed(&proxy)).await);
    let exp = json!(proxy.clock.unix() + 600);
    let assertion = keyed.signed_with(&proxy, "exp", exp);
    let reply = keyed.refresh(tokens.refresh(), &assertion).await;
    reply.refused(429, "temporarily_unavailable");
    proxy.clock.advance_secs(60);
    let tokens = Tokens::read(&keyed.refresh(tokens.refresh(), &assertion).await);
    let reply = keyed.refresh(tokens.refresh(), &assertion).await;
    reply.refused(401, "invalid_client");
}

#[tokio::test]
async fn an_assertion_is_used_once_in_passthrough_mode_too() {
    let proxy = Proxy::start().await;
    let verifier = UserInfoVerifier::new(upstream(&proxy.provider)).without_audience();
    let proxy = proxy.sibling(|builder| builder.passthrough(verifier));
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let tokens = keyed.tokens(&proxy).await;
    let assertion = keyed.signed(&proxy);
    let next = Tokens::read(&keyed.refresh(tokens.refresh(), &assertion).await);
    for token in [tokens.refresh(), next.refresh()] {
        let reply = keyed.refresh(token, &assertion).await;
        reply.refused(401, "invalid_client");
        let fields = [("token", token)];
        let reply = keyed.form("/oauth/revoke", &fields, &assertion).await;
        reply.refused(401, "invalid_client");
    }
    Tokens::read(&keyed.refresh(next.refresh(), &keyed.signed(&proxy)).await);
}

#[tokio::test]
async fn a_machine_with_keys_gets_one_token_for_each_assertion() {
    let key = SigningKey::es256("one");
    let keys = PublicKeys::from_jwks(set(&[&key])).unwrap();
    let machine = StaticClient::with_keys("batch", keys).as_machine();
    let machine = machine.scopes(["read"]);
    let (proxy, store) = Proxy::with_store(|builder| builder.static_client(machine)).await;
    let keyed = Keyed::at(&proxy, "batch", &key);
    let grant = [("grant_type", "client_credentials")];
    let assertion = keyed.signed(&proxy);
    let answer = keyed.token(&grant, &assertion).await.expect(200).json();
    let access = answer["access_token"].as_str().unwrap();
    let session = proxy.session(&keyed.client, access).await;
    assert_eq!(session["client_id"], "batch");
    keyed
        .token(&grant, &assertion)
        .await
        .refused(401, "invalid_client");
    proxy.told(Step::ClientCredentials, Reason::Replayed);
    keyed.token(&grant, &keyed.signed(&proxy)).await.expect(200);
    let foreign = Keyed::at(&proxy, "batch", &SigningKey::es256("one"));
    let reply = foreign.token(&grant, &foreign.signed(&proxy)).await;
    reply.refused(401, "invalid_client");
    // A store that cannot be asked gives no token.
    store.be(Health::Down);
    let reply = keyed.token(&grant, &keyed.signed(&proxy)).await;
    reply.refused(503, "temporarily_unavailable");
}

#[tokio::test]
async fn keys_at_a_url_are_fetched_once_and_replaced_without_a_word() {
    let (one, two) = (SigningKey::es256("one"), SigningKey::es256("two"));
    let published = Published::start(&[&one]).await;
    let proxy = Proxy::with(reaching).await;
    let keyed = Keyed::register(&proxy, &one, "jwks_uri", json!(published.url())).await;
    let tokens = keyed.tokens(&proxy).await;
    assert_eq!(published.asked(), 1);
    keyed
        .refresh(tokens.refresh(), &keyed.signed(&proxy))
        .await
        .expect(200);
    assert_eq!(published.asked(), 1, "kept");
    // Rotated between two assertions: the new key is asked for at once.
    published.says(https::json("200 OK", "", &set(&[&two])));
    let rotated = Keyed {
        key: two.clone(),
        ..keyed.clone()
    };
    rotated.tokens(&proxy).await;
    assert_eq!(published.asked(), 2);
    // The old one is gone with it, and what is missing is not asked for again within seconds.
    for _ in 0..5 {
        keyed
            .knocks(&keyed.signed(&proxy))
            .await
            .refused(401, "invalid_client");
        proxy.told(Step::Refresh, Reason::ClientAuthentication);
    }
    assert_eq!(published.asked(), 2);
    rotated.tokens(&proxy).await;
}

#[tokio::test]
async fn an_assertion_that_could_not_count_fetches_nothing() {
    let one = SigningKey::es256("one");
    let published = Published::start(&[&one]).await;
    let proxy = Proxy::with(reaching).await;
    let keyed = Keyed::register(&proxy, &one, "jwks_uri", json!(published.url())).await;
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("exp", json!(1)),
        ("jti", Value::Null),
        ("iss", json!("other")),
    ] {
        let assertion = keyed.signed_with(&proxy, name, value);
        keyed
            .knocks(&assertion)
            .await
            .refused(401, "invalid_client");
    }
    assert_eq!(published.asked(), 0);
}

#[tokio::test]
async fn keys_that_cannot_be_asked_for_are_503_and_keys_that_are_none_are_401() {
    let one = SigningKey::es256("one");
    let proxy = Proxy::with(reaching).await;
    for (answer, status) in [
        (https::json("500 Internal Server Error", "", ""), 503),
        (https::json("503 Service Unavailable", "", ""), 503),
        (https::json("429 Too Many Requests", "", ""), 503),
        ("nonsense\r\n\r\n".to_owned(), 503),
        (https::json("404 Not Found", "", ""), 401),
        (
            https::json("302 Found", "location: /elsewhere\r\n", ""),
            401,
        ),
        (https::json("200 OK", "", "<html>"), 401),
        (https::json("200 OK", "", r#"{"keys":[]}"#), 401),
        (
            https::json(
                "200 OK",
                "",
                &format!("{{\"keys\":[\"{}\"]}}", "x".repeat(300_000)),
            ),
            401,
        ),
    ] {
        let published = Published::start(&[&one]).await;
        published.says(answer.clone());
        let keyed = Keyed::register(&proxy, &one, "jwks_uri", json!(published.url())).await;
        let (code, pkce) = proxy.code(&keyed.client).await;
        let assertion = keyed.signed(&proxy);
        let reply = keyed.redeem(&code, &pkce, &assertion).await;
        assert_eq!(reply.status, status, "{answer:.40}: {reply:?}");
        if status == 503 {
            reply.refused(503, "temporarily_unavailable");
            assert!(reply.header("retry-after").is_some());
            proxy.told(Step::Redeem, Reason::ClientKeys);
        } else {
            proxy.told(Step::Redeem, Reason::ClientAuthentication);
        }
        let event = proxy.events().pop().unwrap();
        let detail = event.detail.unwrap();
        assert!(detail.contains("client"), "{detail}");
        // The same request is good once the keys are there.
        published.says(https::json("200 OK", "", &set(&[&one])));
        proxy.clock.advance(Duration::from_secs(11));
        Tokens::read(&keyed.redeem(&code, &pkce, &assertion).await);
    }
}

#[tokio::test]
async fn keys_of_a_stranger_are_not_looked_for_inside() {
    let one = SigningKey::es256("one");
    let published = Published::start(&[&one]).await;
    let proxy = Proxy::with(|builder| builder.outbound_root_certificates([ROOT])).await;
    for host in ["localhost", "127.0.0.1"] {
        let url = published.server.url(host, "/jwks.json");
        let keyed = Keyed::register(&proxy, &one, "jwks_uri", json!(url)).await;
        keyed
            .knocks(&keyed.signed(&proxy))
            .await
            .refused(401, "invalid_client");
        proxy.told(Step::Refresh, Reason::ClientAuthentication);
    }
    assert_eq!(published.asked(), 0);
    // The operator's own word is another thing.
    let configured = StaticClient::with_keys(
        "inside",
        PublicKeys::at(published.server.url("localhost", "/jwks.json")).unwrap(),
    );
    let proxy = Proxy::with(|builder| {
        builder
            .static_client(configured.redirect_uri(CALLBACK).unwrap())
            .outbound_root_certificates([ROOT])
    })
    .await;
    Keyed::at(&proxy, "inside", &one).tokens(&proxy).await;
    assert_eq!(published.asked(), 1);
}

#[tokio::test]
async fn keys_that_cannot_be_registered_are_refused_with_what_to_do() {
    let proxy = Proxy::start().await;
    let key = SigningKey::es256("one");
    let with = |name: &str, value: Value| {
        let mut jwk = key.jwk();
        jwk[name] = value;
        json!({"keys": [jwk]})
    };
    let rsa = SigningKey::rs256("a key with a name");
    for (name, value, says) in [
        ("client_name", json!("no keys"), "needs jwks_uri or jwks"),
        ("jwks", json!({}), "array `keys`"),
        ("jwks", json!("x"), "array `keys`"),
        ("jwks", json!({"keys": []}), "no key"),
        ("jwks", json!({"keys": [7, "x"]}), "no key"),
        ("jwks", with("crv", json!("secp256k1")), "no key"),
        ("jwks", with("use", json!("enc")), "no key"),
        ("jwks", with("d", json!("x")), "private"),
        (
            "jwks",
            json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
            "private",
        ),
        ("jwks", json!({"keys": vec![rsa.jwk(); 5]}), "jwks_uri"),
        ("jwks", with("kid", json!("k".repeat(2_000))), "jwks_uri"),
        ("jwks_uri", json!("http://client.example/jwks"), "https"),
        ("jwks_uri", json!("client.example/jwks"), "not a URL"),
        (
            "jwks_uri",
            json!("https://u:p@client.example/jwks"),
            "password",
        ),
        (
            "jwks_uri",
            json!("https://client.example/jwks#x"),
            "fragment",
        ),
        (
            "jwks_uri",
            json!(format!("https://client.example/{}", "x".repeat(600))),
            "512",
        ),
        ("jwks_uri", json!(7), "not a string"),
    ] {
        let reply = Client::try_register(&proxy.wire, "", &metadata(name, value.clone())).await;
        reply.refused(400, "invalid_client_metadata");
        assert!(reply.text().contains(says), "{name} {value}: {reply:?}");
        proxy.told(Step::Register, Reason::ClientMetadata);
    }
    let mut both = metadata("jwks", json!({"keys": [key.jwk()]}));
    both["jwks_uri"] = json!("https://client.example/jwks");
    let reply = Client::try_register(&proxy.wire, "", &both).await;
    reply.refused(400, "invalid_client_metadata");
    // Keys that fit alone, and not with everything else.
    let mut large = metadata("jwks", json!({"keys": vec![rsa.jwk(); 3]}));
    large["redirect_uris"] = json!([format!("https://localhost/{}", "x".repeat(600)), CALLBACK]);
    let reply = Client::try_register(&proxy.wire, "", &large).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    // Three are no problem, with what cannot be used left out of the answer.
    let jwks = json!({"keys": [rsa.jwk(), key.jwk(), {"kty": "EC", "crv": "secp256k1"}]});
    let reply = Client::try_register(&proxy.wire, "", &metadata("jwks", jwks)).await;
    let answer = reply.expect(201).json();
    assert_eq!(answer["jwks"]["keys"].as_array().unwrap().len(), 2);
    let id = answer["client_id"].as_str().unwrap();
    Keyed::at(&proxy, id, &key).tokens(&proxy).await;
    Keyed::at(&proxy, id, &rsa).tokens(&proxy).await;
}

#[tokio::test]
async fn keys_of_a_client_with_another_method_are_echoed_and_prove_nothing() {
    let proxy = Proxy::start().await;
    let key = SigningKey::es256("one");
    let mut public = native_metadata(CALLBACK);
    public["jwks"] = json!({"keys": [key.jwk()]});
    let reply = Client::try_register(&proxy.wire, "", &public).await;
    let answer = reply.expect(201).json();
    assert_eq!(answer["jwks"], public["jwks"]);
    let keyed = Keyed::at(&proxy, answer["client_id"].as_str().unwrap(), &key);
    keyed
        .knocks(&keyed.signed(&proxy))
        .await
        .refused(401, "invalid_client");
}

#[tokio::test]
async fn a_denied_client_is_refused_whatever_it_signs() {
    let proxy = Proxy::start().await;
    let keyed = Keyed::inline(&proxy, &SigningKey::es256("one")).await;
    let tokens = keyed.tokens(&proxy).await;
    let admin = proxy.layer.admin();
    admin.deny_client(&keyed.client.id).await.unwrap();
    let reply = keyed.refresh(tokens.refresh(), &keyed.signed(&proxy)).await;
    reply.refused(401, "invalid_client");
    proxy.told(Step::Refresh, Reason::DeniedClient);
}

#[test]
fn a_client_with_keys_and_another_method_is_a_configuration_error() {
    let keys = PublicKeys::at("https://client.example/jwks").unwrap();
    let client = StaticClient::with_keys("billing", keys)
        .redirect_uri(CALLBACK)
        .unwrap()
        .auth_method(ClientAuthMethod::ClientSecretBasic);
    let builder = tower_oauth_proxy::OAuthProxyConfig::builder(
        tower_oauth_proxy::provider::github("id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8"),
        BASE,
    );
    let error = builder
        .static_client(client)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("billing") && error.contains("with_keys"),
        "{error}"
    );
}

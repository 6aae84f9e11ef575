//! Access tokens that a key signs: the key set, what other services verify by it, and the rotation of keys.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as B64},
};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tower_oauth_proxy::{JwksVerifier, OAuthProxyConfigBuilder as Builder, Reason, Step, TokenKey};

use testkit::{
    Client, FakeClock, Provider, Proxy, Reply, Resource, Store, Tokens,
    proxy::{BASE, secret},
};

use crate::{
    mistakes::{fault, fault_showing, good},
    silence::{own, told},
};

const ES256: &str = include_str!("../../src/jose/vectors/p256.pkcs8.pem");
const ES256_PUBLIC: &str = include_str!("../../src/jose/vectors/p256.public.pem");
const EDDSA: &str = include_str!("../../src/jose/vectors/ed25519.pkcs8.pem");
const EDDSA_PUBLIC: &str = include_str!("../../src/jose/vectors/ed25519.public.pem");
const RS256: &str = include_str!("../../src/jose/vectors/rsa.pkcs8.pem");
const RS256_PUBLIC: &str = include_str!("../../src/jose/vectors/rsa.public.pem");
/// What clients of the kit ask for.
const RESOURCE: &str = "https://proxy.example/mcp";
const KEY_SET: &str = "/oauth/jwks";
/// What `docs::services` says, in seconds.
const MAX_AGE: u64 = 300;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LONG: Duration = Duration::from_secs(24 * 60 * 60 + 1);
/// The default of `access_token_ttl`, in seconds.
const TOKEN_LIFE: u64 = 3600;

fn key(pem: &str) -> TokenKey {
    TokenKey::from_pem(pem).unwrap()
}

/// A new P-256 key.
fn fresh() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = pair.to_pkcs8v1().unwrap();
    let base64 = BASE64_STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&B64.decode(part).unwrap()).unwrap()
}

fn algorithm(tokens: &Tokens) -> String {
    part(&tokens.access, 0)["alg"].as_str().unwrap().to_owned()
}

/// Another service behind the same login. It fetches the key set when what it has is too old, and never
/// earlier, even for a key that it does not know.
#[derive(Clone)]
struct Service {
    clock: FakeClock,
    keys: HashMap<String, Value>,
    until: u64,
    fetches: usize,
}

impl Service {
    fn new(clock: &FakeClock) -> Self {
        Self {
            clock: clock.clone(),
            keys: HashMap::new(),
            until: 0,
            fetches: 0,
        }
    }

    /// Has the key set of this instance.
    async fn knowing(clock: &FakeClock, from: &Proxy) -> Self {
        let mut service = Self::new(clock);
        service.fetch(from).await;
        service
    }

    async fn fetch(&mut self, from: &Proxy) {
        let reply = from.wire.get(KEY_SET, &[]).await.expect(200);
        let cache = reply.header("cache-control").unwrap();
        let age = cache.strip_prefix("public, max-age=").unwrap();
        self.until = self.clock.unix() + age.parse::<u64>().unwrap();
        self.fetches += 1;
        let keys = reply.json()["keys"].as_array().unwrap().clone();
        let named = |key: Value| (key["kid"].as_str().unwrap().to_owned(), key);
        self.keys = keys.into_iter().map(named).collect();
    }

    /// Whether the token is good for this service, as RFC 9068 section 4 has it.
    async fn accepts(&mut self, from: &Proxy, token: &str) -> bool {
        if self.clock.unix() >= self.until {
            self.fetch(from).await;
        }
        let (header, claims) = (part(token, 0), part(token, 1));
        let key = self.keys.get(header["kid"].as_str().unwrap());
        let Some(key) = key.filter(|key| key["alg"] == header["alg"]) else {
            return false;
        };
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = B64.decode(signature).unwrap();
        let is_signed = public(key)
            .verify_sig(signed.as_bytes(), &signature)
            .is_ok();
        is_signed
            && header["typ"] == "at+jwt"
            && claims["iss"] == BASE
            && claims["aud"] == RESOURCE
            && claims["exp"].as_u64().unwrap() > self.clock.unix()
    }
}

fn public(jwk: &Value) -> ParsedPublicKey {
    let bytes = |name: &str| B64.decode(jwk[name].as_str().unwrap()).unwrap();
    match jwk["kty"].as_str().unwrap() {
        "RSA" => {
            let (n, e) = (bytes("n"), bytes("e"));
            let key = RsaPublicKeyComponents { n, e };
            key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        }
        "EC" => {
            let point = [&[4][..], &bytes("x"), &bytes("y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        }
        _ => ParsedPublicKey::new(&ED25519, bytes("x")),
    }
    .unwrap()
}

/// The same client, as it meets another instance.
fn at(proxy: &Proxy, client: &Client) -> Client {
    Client {
        wire: proxy.wire.clone(),
        ..client.clone()
    }
}

/// Instances of one deployment, each in its own state of a roll.
struct Deployment {
    first: Proxy,
    store: Store,
}

impl Deployment {
    async fn new() -> Self {
        let (first, store) = Proxy::with_store(|builder| builder).await;
        Self { first, store }
    }

    fn instance(&self, change: impl FnOnce(Builder) -> Builder) -> Proxy {
        let store = self.store.clone();
        self.first.sibling(|it| change(it.token_storage(store)))
    }

    fn wait(&self, seconds: u64) {
        self.first.clock.advance_secs(seconds);
    }
}

/// Both of these instances answer to each other's tokens, access and refresh, and so do services that have the
/// key set of either.
async fn live_side_by_side(clock: &FakeClock, both: [&Proxy; 2], services: &mut [Service]) {
    let client = both[0].client().await;
    for (maker, other) in [(both[0], both[1]), (both[1], both[0])] {
        let tokens = maker.journey(&at(maker, &client)).await;
        let renewed = Tokens::read(&at(other, &client).refresh(tokens.refresh()).await);
        for access in [&tokens.access, &renewed.access] {
            for instance in both {
                instance.session(&at(instance, &client), access).await;
                let mut knows_this = Service::knowing(clock, instance).await;
                assert!(knows_this.accepts(instance, access).await);
                for service in &mut *services {
                    assert!(service.accepts(instance, access).await);
                }
            }
        }
    }
}

#[tokio::test]
async fn the_key_set_holds_the_public_keys_and_caches_may_keep_it() {
    let of = |builder: Builder| {
        builder
            .token_key(key(ES256))
            .published_token_keys([key(EDDSA), key(RS256_PUBLIC).id("2025")])
    };
    for base in [BASE, "https://proxy.example/api"] {
        let proxy = Proxy::at(base, of).await;
        let path = proxy.path(KEY_SET);
        let reply = proxy.wire.get(&path, &[]).await.expect(200);
        assert_eq!(
            reply.header("content-type"),
            Some("application/jwk-set+json")
        );
        assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        let set = reply.json();
        let keys = set["keys"].as_array().unwrap();
        let named: Vec<_> = keys.iter().map(|it| (&it["alg"], &it["use"])).collect();
        let sig = json!("sig");
        let algorithms = ["ES256", "EdDSA", "RS256"].map(|name| json!(name));
        let expected: Vec<_> = algorithms.iter().map(|alg| (alg, &sig)).collect();
        assert_eq!(named, expected);
        assert_eq!(keys[2]["kid"], "2025");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(keys.iter().all(|key| key.get(private).is_none()), "{set}");
        }

        let head = proxy
            .wire
            .request(Method::HEAD, &path, &[], Bytes::new())
            .await;
        let head = head.expect(200);
        assert!(head.body.is_empty());
        let length = reply.body.len().to_string();
        assert_eq!(head.header("content-length"), Some(&*length));
        let asks = [
            ("origin", "https://a.example"),
            ("access-control-request-method", "GET"),
        ];
        let preflight = proxy
            .wire
            .request(Method::OPTIONS, &path, &asks, Bytes::new())
            .await;
        assert_eq!(preflight.status, 204);
        let posted = proxy.wire.form(&path, &[], &[]).await;
        posted.refused(405, "invalid_request");
        assert_eq!(
            posted.header("allow").map(|it| it.contains("GET")),
            Some(true)
        );

        for document in ["oauth-authorization-server", "openid-configuration"] {
            let document = format!("/.well-known/{document}{}", proxy.base_path());
            let metadata = proxy.wire.get(&document, &[]).await.expect(200).json();
            assert_eq!(metadata["jwks_uri"], format!("{base}/oauth/jwks"));
        }
    }
}

#[tokio::test]
async fn without_keys_there_is_no_key_set_and_the_metadata_names_none() {
    let is_protected = |reply: Reply| {
        assert!(reply.expect(401).header("www-authenticate").is_some());
    };
    let proxy = Proxy::start().await;
    is_protected(proxy.wire.get(KEY_SET, &[]).await);
    let document = "/.well-known/oauth-authorization-server";
    let metadata = proxy.wire.get(document, &[]).await.expect(200).json();
    assert!(metadata.get("jwks_uri").is_none(), "{metadata}");
    // Where others make the tokens, it is a path like any other.
    let verifier = |provider: &Arc<Provider>| {
        let verifier = JwksVerifier::new(provider.url("/keys"));
        verifier.issuer("https://idp.example").audience(BASE)
    };
    let resource = Resource::with(verifier).await;
    is_protected(resource.wire.get(KEY_SET, &[]).await);
}

#[tokio::test]
async fn a_service_verifies_tokens_of_each_kind_of_key_and_sees_the_claims_of_the_table() {
    for (pem, alg) in [(ES256, "ES256"), (EDDSA, "EdDSA"), (RS256, "RS256")] {
        let proxy = Proxy::with(|builder| builder.token_key(key(pem))).await;
        let client = proxy.client().await;
        let tokens = proxy.journey(&client).await;
        assert_eq!(algorithm(&tokens), alg);
        let session = proxy.session(&client, &tokens.access).await;
        let mut service = Service::new(&proxy.clock);
        assert!(service.accepts(&proxy, &tokens.access).await);
        assert!(service.accepts(&proxy, &tokens.access).await);
        assert_eq!(service.fetches, 1);

        let claims = part(&tokens.access, 1);
        assert_eq!(claims["iss"], BASE);
        assert_eq!(claims["aud"], RESOURCE);
        assert_eq!(claims["sub"], session["subject"]);
        assert_eq!(claims["client_id"], client.id);
        assert_eq!(claims["scope"], tokens.scope);
        assert_eq!(claims["iat"], proxy.clock.unix());
        assert_eq!(claims["exp"], proxy.clock.unix() + TOKEN_LIFE);
        for text in ["jti", "gid"] {
            assert!(claims[text].is_string(), "{claims}");
        }
        for name in session["claims"].as_object().unwrap().keys() {
            assert!(claims.get(name).is_some(), "{name} {claims}");
        }
        // Revoked: refused here at once, and good there until its end.
        client.revoke(&tokens.access).await.expect(200);
        client
            .call("/mcp", &tokens.access)
            .await
            .refused(401, "invalid_token");
        assert!(service.accepts(&proxy, &tokens.access).await);
        proxy.clock.advance_secs(TOKEN_LIFE);
        assert!(!service.accepts(&proxy, &tokens.access).await);
    }
}

#[tokio::test]
async fn a_rotation_in_two_rolls_is_not_noticed_in_any_mixture() {
    let (another, yet_another) = (fresh(), fresh());
    // Of one kind, and from each kind to another.
    for (old, new) in [
        (&*another, &*yet_another),
        (ES256, EDDSA),
        (EDDSA, RS256),
        (RS256, ES256),
    ] {
        let deployment = Deployment::new().await;
        let clock = &deployment.first.clock;
        let before = deployment.instance(|it| it.token_key(key(old)));
        let roll_1 =
            deployment.instance(|it| it.token_key(key(old)).published_token_keys([key(new)]));
        let roll_2 =
            deployment.instance(|it| it.token_key(key(new)).published_token_keys([key(old)]));
        let after = deployment.instance(|it| it.token_key(key(new)));

        let mut oldest = Service::knowing(clock, &before).await;
        let client = before.client().await;
        let held = before.journey(&client).await;
        let services = std::slice::from_mut(&mut oldest);
        live_side_by_side(clock, [&before, &roll_1], services).await;
        // The set of an instance that was last to change has aged.
        let mut last = Service::knowing(clock, &before).await;
        deployment.wait(MAX_AGE);
        // It fetches anew, from whichever instance.
        assert!(last.accepts(&roll_1, &held.access).await);
        let mut services = [last, Service::knowing(clock, &roll_2).await];
        live_side_by_side(clock, [&roll_1, &roll_2], &mut services).await;
        let by_old = roll_1.journey(&at(&roll_1, &client)).await;
        assert!(services[0].accepts(&roll_2, &by_old.access).await);
        deployment.wait(TOKEN_LIFE);
        assert!(!services[0].accepts(&roll_2, &by_old.access).await);
        let mut services = [Service::knowing(clock, &roll_2).await];
        live_side_by_side(clock, [&roll_2, &after], &mut services).await;
        // And what was held all the time goes on.
        let kept = Tokens::read(&at(&after, &client).refresh(held.refresh()).await);
        after.session(&at(&after, &client), &kept.access).await;
    }
}

#[tokio::test]
async fn a_rotation_works_with_public_keys_where_a_key_does_not_sign() {
    let deployment = Deployment::new().await;
    let clock = &deployment.first.clock;
    let roll_1 = deployment.instance(|it| {
        it.token_key(key(ES256))
            .published_token_keys([key(EDDSA_PUBLIC)])
    });
    let roll_2 = deployment.instance(|it| {
        it.token_key(key(EDDSA))
            .published_token_keys([key(ES256_PUBLIC)])
    });
    let mut services = [
        Service::knowing(clock, &roll_1).await,
        Service::knowing(clock, &roll_2).await,
    ];
    live_side_by_side(clock, [&roll_1, &roll_2], &mut services).await;
}

/// What `docs::services` advises against: it shows that the rolls above are needed, and that even so the client
/// is not logged out.
#[tokio::test]
async fn in_one_roll_an_old_instance_and_a_service_refuse_tokens_of_the_new_key() {
    let deployment = Deployment::new().await;
    let clock = &deployment.first.clock;
    let old = deployment.instance(|it| it.token_key(key(ES256)));
    let new = deployment.instance(|it| it.token_key(key(EDDSA)).published_token_keys([key(ES256)]));
    let client = old.client().await;
    let mut service = Service::knowing(clock, &old).await;
    let tokens = new.journey(&at(&new, &client)).await;
    let refused = client.call("/mcp", &tokens.access).await;
    refused.refused(401, "invalid_token");
    old.told(Step::Bearer, Reason::InvalidToken);
    assert!(!service.accepts(&old, &tokens.access).await);
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    old.session(&client, &renewed.access).await;
    assert!(service.accepts(&old, &renewed.access).await);
    // A set that is fetched anew from a new instance knows both.
    deployment.wait(MAX_AGE);
    assert!(service.accepts(&new, &tokens.access).await);
}

/// No service could verify the tokens of the secret.
async fn take_each_others_tokens(both: [&Proxy; 2]) {
    let client = both[0].client().await;
    for (maker, other) in [(both[0], both[1]), (both[1], both[0])] {
        let tokens = maker.journey(&at(maker, &client)).await;
        other.session(&at(other, &client), &tokens.access).await;
        let renewed = Tokens::read(&at(other, &client).refresh(tokens.refresh()).await);
        maker.session(&at(maker, &client), &renewed.access).await;
    }
}

#[tokio::test]
async fn the_change_from_the_secret_to_a_key_and_back_logs_no_one_out() {
    let deployment = Deployment::new().await;
    let before = deployment.instance(|it| it);
    let roll_1 = deployment.instance(|it| it.published_token_keys([key(ES256_PUBLIC)]));
    let roll_2 = deployment.instance(|it| it.token_key(key(ES256)));
    let client = before.client().await;
    let held = before.journey(&client).await;
    assert_eq!(algorithm(&held), "HS256");
    take_each_others_tokens([&before, &roll_1]).await;
    deployment.wait(MAX_AGE);
    take_each_others_tokens([&roll_1, &roll_2]).await;
    // Services verified none before; now they verify, with a set of either.
    let tokens = Tokens::read(&at(&roll_2, &client).refresh(held.refresh()).await);
    assert_eq!(algorithm(&tokens), "ES256");
    let mut service = Service::knowing(&deployment.first.clock, &roll_1).await;
    assert!(service.accepts(&roll_1, &tokens.access).await);
    // The token of before is good until its end.
    roll_2.session(&at(&roll_2, &client), &held.access).await;
    roll_1.session(&at(&roll_1, &client), &tokens.access).await;

    let back = deployment.instance(|it| it.published_token_keys([key(ES256_PUBLIC)]));
    take_each_others_tokens([&roll_2, &back]).await;
    let kept = Tokens::read(&at(&back, &client).refresh(tokens.refresh()).await);
    assert_eq!(algorithm(&kept), "HS256");
    back.session(&at(&back, &client), &tokens.access).await;
}

#[tokio::test]
async fn tokens_of_the_secret_end_when_they_are_turned_off_or_the_secret_goes() {
    let deployment = Deployment::new().await;
    let before = deployment.instance(|it| it.jwt_signing_key(secret(3)));
    let client = before.client().await;
    let held = before.journey(&client).await;
    let accepting = deployment.instance(|it| {
        it.token_key(key(ES256))
            .previous_jwt_signing_keys([secret(3)])
    });
    accepting
        .session(&at(&accepting, &client), &held.access)
        .await;
    for refusing in [
        deployment.instance(|it| it.token_key(key(ES256))),
        deployment.instance(|it| {
            it.token_key(key(ES256))
                .previous_jwt_signing_keys([secret(3)])
                .accept_hs256_tokens(false)
        }),
    ] {
        let client = at(&refusing, &client);
        let reply = client.call("/mcp", &held.access).await;
        reply.refused(401, "invalid_token");
        // It is not a logout: the refresh token is as good as it was.
        let renewed = Tokens::read(&client.refresh(held.refresh()).await);
        assert_eq!(algorithm(&renewed), "ES256");
        refusing.session(&client, &renewed.access).await;
    }
}

#[tokio::test]
async fn a_key_that_is_taken_out_is_refused_at_once() {
    let deployment = Deployment::new().await;
    let leaked = deployment.instance(|it| it.token_key(key(ES256)));
    let client = leaked.client().await;
    let tokens = leaked.journey(&client).await;
    let without = deployment.instance(|it| it.token_key(key(EDDSA)));
    let client = at(&without, &client);
    client
        .call("/mcp", &tokens.access)
        .await
        .refused(401, "invalid_token");
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[test]
fn a_key_that_cannot_sign_access_tokens_is_refused_with_what_to_do() {
    let words = |pem: &str| {
        let error = TokenKey::from_pem(pem).unwrap_err();
        assert_eq!(error.option(), "token_key");
        error.to_string()
    };
    let p384 = include_str!("../../src/jose/vectors/p384.pkcs8.pem");
    let p521 = include_str!("../../src/jose/vectors/p521.sec1.pem");
    let p384_public = include_str!("../../src/jose/vectors/p384.public.pem");
    for (pem, expected) in [
        ("", "no private key"),
        ("hunter2", "no private key"),
        (p384, "ES384"),
        (p384_public, "ES384"),
        (p521, "ES512"),
        (
            include_str!("../../src/jose/vectors/rsa_short.pkcs8.pem"),
            "1024 bits",
        ),
        (
            include_str!("../../src/jose/vectors/rsa_short.public.pem"),
            "1024 bits",
        ),
        (&*[ES256, EDDSA].concat(), "several private keys"),
        (
            &*[ES256_PUBLIC, EDDSA_PUBLIC].concat(),
            "several public keys",
        ),
        (&*ES256.replace("PRIVATE", "ENCRYPTED PRIVATE"), "encrypted"),
    ] {
        let words = words(pem);
        assert!(words.contains(expected), "{words}");
        assert!(!words.contains("hunter2"), "{words}");
    }
    // Printed in RFC 8037 appendix A, at jwt.io, and in the documentation of `TokenKey`.
    for (base64, place) in [
        (
            "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
            "RFC 8037",
        ),
        (
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2OF/2NxApJCzGCEDdfSp6VQO30hyh\
             RANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G",
            "jwt.io",
        ),
        (
            "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
            "this crate",
        ),
    ] {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
        let words = words(&pem);
        assert!(words.contains(place), "{words}");
        assert!(!words.contains(base64), "{words}");
    }
    let printed = format!("{:?}", key(EDDSA));
    assert!(
        !printed.contains(EDDSA.lines().nth(1).unwrap()),
        "{printed}"
    );
}

#[test]
fn keys_that_do_not_work_together_are_refused_by_the_option_to_change() {
    assert_eq!(fault(good().token_key(key(ES256_PUBLIC))), "token_key");
    assert_eq!(
        fault(good().accept_hs256_tokens(false)),
        "accept_hs256_tokens"
    );
    let published = good().published_token_keys([key(ES256)]);
    assert_eq!(
        fault(published.accept_hs256_tokens(false)),
        "accept_hs256_tokens"
    );
    // Two keys of one name, and one key twice.
    let twice = good()
        .token_key(key(ES256).id("a"))
        .published_token_keys([key(EDDSA).id("a")]);
    assert_eq!(fault_showing(twice, "\"a\""), "published_token_keys");
    let twice = good().published_token_keys([key(EDDSA), key(EDDSA_PUBLIC)]);
    assert_eq!(fault(twice), "published_token_keys");
    let twice = good()
        .token_key(key(EDDSA))
        .published_token_keys([key(EDDSA)]);
    assert_eq!(fault(twice), "published_token_keys");
    for bad in ["", "a b", "caf\u{e9}", "a\n", &"a".repeat(101)] {
        assert_eq!(fault(good().token_key(key(EDDSA).id(bad))), "token_key");
    }
    good()
        .token_key(key(EDDSA).id("a".repeat(100)))
        .build()
        .map(drop)
        .unwrap();
    let many = || (0..17).map(|n| key(EDDSA_PUBLIC).id(n.to_string()));
    assert_eq!(
        fault(good().published_token_keys(many())),
        "published_token_keys"
    );
    good()
        .published_token_keys(many().take(16))
        .build()
        .map(drop)
        .unwrap();
    // The key set's path is taken, and only where it is served.
    let served = good().token_key(key(EDDSA)).public_paths([KEY_SET]);
    assert_eq!(fault(served), "public_paths");
    good().public_paths([KEY_SET]).build().map(drop).unwrap();
    assert_eq!(fault(good().redirect_path(KEY_SET)), "redirect_path");
}

#[test]
fn passthrough_has_nothing_to_sign_and_no_key_set() {
    let passthrough = || {
        let verifier = JwksVerifier::new("https://idp.example/keys").issuer("https://idp.example");
        good().passthrough(verifier.audience(BASE))
    };
    for builder in [
        passthrough().token_key(key(ES256)),
        passthrough().published_token_keys([key(ES256)]),
    ] {
        assert_eq!(fault(builder), "token_key");
    }
}

#[test]
fn odd_keys_are_reported_at_the_start() {
    let odd = |change: fn(Builder) -> Builder| {
        let told = told(change(own(BASE))).into_iter();
        let odd = told.filter(|(reason, _)| *reason == Reason::OddOption);
        odd.map(|(_, words)| words).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(odd(|it| it.token_key(key(ES256))), "");
    let words = odd(|it| it.published_token_keys([key(ES256)]).access_token_ttl(LONG));
    assert!(words.contains("access_token_ttl"), "{words}");
    assert_eq!(odd(|it| it.access_token_ttl(LONG)), "");
    assert_eq!(odd(|it| it.token_key(key(ES256)).access_token_ttl(DAY)), "");
    let useless = odd(|it| {
        it.token_key(key(ES256))
            .jwt_signing_key(secret(3))
            .accept_hs256_tokens(false)
    });
    assert!(useless.contains("jwt_signing_key"), "{useless}");
}

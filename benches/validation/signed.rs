//! What the first sight of a provider's token costs in passthrough mode with `JwksVerifier`, beside the check
//! of its signature alone.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use testkit::{
    FakeClock, Provider,
    measure::{
        figures::verdict,
        world::{Inner, Layered, Visitors, second},
    },
    provider::SigningKey,
};
use tokio::runtime::Runtime;
use tower::Service;
use tower_oauth_proxy::JwksVerifier;

use crate::{
    harness::{Contender, measure},
    primitives::each,
};

const PEOPLE: usize = 16;
const ROUNDS: usize = 100;
const BATCH: Duration = Duration::from_millis(4);
const MOST: f64 = 1.3;

const ISSUER: &str = "https://idp.example";
const INNER: &str = "inner service alone";

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let of = |key: SigningKey| Signed::new(runtime, provider, &key);
    let all = [
        ("RS256", of(SigningKey::rs256("2026-a"))),
        ("ES256", of(SigningKey::es256("2026-b"))),
    ];
    let tokens = all[0].1.tokens.clone();
    let mut inner = Visitors::new(Inner, &tokens);
    let mut contenders = vec![Contender::new(INNER, move || inner.call(StatusCode::OK))];
    let checks = all.each_ref().map(|(name, _)| format!("{name}: signature"));
    let sights = all
        .each_ref()
        .map(|(name, _)| format!("{name}: first sight"));
    for (at, (_, signed)) in all.into_iter().enumerate() {
        let mut visitors = Visitors::new(signed.service, &signed.tokens);
        let key = signed.key;
        contenders.push(each(checks[at].clone(), signed.tokens, move |token| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature = B64.decode(signature).unwrap();
            key.verify_sig(message.as_bytes(), &signature).unwrap();
        }));
        contenders.push(Contender::new(sights[at].clone(), move || {
            visitors.call(StatusCode::OK)
        }));
    }
    let measured = measure(ROUNDS, BATCH, contenders);
    println!("\n## Signed tokens of a provider\n\n| | ns | allocations |\n|---|---:|---:|");
    measured.print_row(INNER);
    for name in checks.iter().chain(&sights) {
        measured.print_row(name);
    }
    println!("\n| goal | measured | at most | |\n|---|---:|---:|---|");
    for (check, sight) in checks.iter().zip(&sights) {
        let times = measured.of_rounds(|of| (of(sight) - of(INNER)) / of(check));
        let verdict = verdict(times <= MOST);
        println!("| {sight} ÷ its signature | {times:.2} | {MOST} | {verdict} |");
    }
}

/// A proxy before a provider with this key, and tokens that it signed.
struct Signed {
    service: Layered,
    tokens: Vec<String>,
    key: ParsedPublicKey,
}

impl Signed {
    /// The keys are there already; no session is kept.
    fn new(runtime: &Runtime, provider: &str, key: &SigningKey) -> Self {
        let issuer = Provider::start(FakeClock::default());
        let issuer = Arc::new(runtime.block_on(issuer));
        issuer.signs(key);
        let verifier = JwksVerifier::new(issuer.url("/keys"))
            .issuer(ISSUER)
            .audience("https://mcp.example.com/mcp");
        let service = second(provider, |it| {
            it.passthrough(verifier).session_cache_ttl(Duration::ZERO)
        });
        let tokens: Vec<_> = (0..PEOPLE).map(|person| token(key, person)).collect();
        let request =
            Request::get("/mcp").header(header::AUTHORIZATION, format!("Bearer {}", tokens[0]));
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let answer = runtime.block_on(service.clone().call(request)).unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        Self {
            service,
            tokens,
            key: public(&key.jwk()),
        }
    }
}

/// As providers write them: some 800 bytes.
fn token(key: &SigningKey, person: usize) -> String {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": ISSUER, "sub": format!("auth0|5f7c8ec7c33c6c004bbafe{person:02}"),
        "aud": ["https://mcp.example.com/mcp", "https://idp.example/userinfo"],
        "iat": now, "exp": now + 86_400, "azp": "my_client_id", "client_id": "my_client_id",
        "scope": "openid profile email read:reports write:reports", "jti": "a8f0e0b2-8a6e-4c53-9e0c-0d1a",
        "email": "ada@example.com", "email_verified": true, "name": "Ada Example",
        "roles": ["analyst", "staff"], "groups": ["everyone", "engineering", "on-call"],
    });
    key.sign(claims.as_object().unwrap())
}

fn public(jwk: &Value) -> ParsedPublicKey {
    let bytes = |name: &str| B64.decode(jwk[name].as_str().unwrap()).unwrap();
    match jwk["kty"].as_str().unwrap() {
        "RSA" => {
            let (n, e) = (bytes("n"), bytes("e"));
            let key = RsaPublicKeyComponents { n, e };
            key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        }
        _ => {
            let point = [&[4][..], &bytes("x"), &bytes("y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        }
    }
    .unwrap()
}

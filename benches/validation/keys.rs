//! What the first sight of a token of this proxy costs with each kind of key, beside the check of its signature
//! alone and beside HS256.

use std::time::Duration;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64},
};
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use sha2::Sha256;
use testkit::measure::{
    figures::verdict,
    world::{Inner, SHORT_LIFE, Visitors, World},
};
use tokio::runtime::Runtime;
use tower_oauth_proxy::TokenKey;

use crate::{
    harness::{Contender, measure},
    primitives::each,
};

const PEOPLE: usize = 16;
const ROUNDS: usize = 100;
const BATCH: Duration = Duration::from_millis(4);
/// A first sight with a key is one with HS256 and the check of that signature in place of the other.
const MOST: f64 = 1.15;

const INNER: &str = "inner service alone";
const HS256: &str = "HS256";
const ALGORITHMS: [&str; 4] = [HS256, "RS256", "EdDSA", "ES256"];

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let keys = ALGORITHMS.map(Key::new);
    let worlds = keys.each_ref().map(|key| {
        World::new(runtime, provider, PEOPLE, |it| {
            let it = it.session_cache_ttl(SHORT_LIFE);
            match key {
                Some(key) => it.token_key(TokenKey::from_pem(&key.pem).unwrap()),
                None => it,
            }
        })
    });
    let mut inner = Visitors::new(Inner, &worlds[0].tokens);
    let mut contenders = vec![Contender::new(INNER, move || inner.call(StatusCode::OK))];
    let of_each = worlds.iter().zip(&keys).zip(ALGORITHMS);
    for ((world, key), algorithm) in of_each {
        let mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        contenders.push(each(
            signature(algorithm),
            world.tokens.clone(),
            move |token| {
                let (message, signature) = token.rsplit_once('.').unwrap();
                let signature = B64.decode(signature).unwrap();
                if let Some(key) = key {
                    let signed = message.as_bytes();
                    key.public.verify_sig(signed, &signature).unwrap();
                } else {
                    let mut mac = mac.clone();
                    mac.update(message.as_bytes());
                    // By another secret: it costs the same.
                    assert!(mac.verify_slice(&signature).is_err());
                }
            },
        ));
        let mut visitors = world.first_sights(&world.tokens);
        contenders.push(Contender::new(sight(algorithm), move || {
            visitors.call(StatusCode::OK)
        }));
    }
    let measured = measure(ROUNDS, BATCH, contenders);
    println!("\n## Tokens of this proxy, by key\n\n| | ns | allocations |\n|---|---:|---:|");
    measured.print_row(INNER);
    for name in ALGORITHMS
        .map(signature)
        .iter()
        .chain(&ALGORITHMS.map(sight))
    {
        measured.print_row(name);
    }
    println!("\n| goal | measured | at most | |\n|---|---:|---:|---|");
    for algorithm in &ALGORITHMS[1..] {
        let times = measured.of_rounds(|of| {
            let rest = of(&sight(HS256)) - of(INNER) - of(&signature(HS256));
            (of(&sight(algorithm)) - of(INNER)) / (rest + of(&signature(algorithm)))
        });
        let verdict = verdict(times <= MOST);
        println!(
            "| {algorithm}: first sight \u{f7} (that of {HS256} with this signature) | {times:.2} | \
             {MOST} | {verdict} |"
        );
    }
}

/// A key made here.
struct Key {
    pem: String,
    public: ParsedPublicKey,
}

impl Key {
    /// `None` for the secret.
    fn new(algorithm: &str) -> Option<Self> {
        let (der, public) = match algorithm {
            "RS256" => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let public = pair.public_key().as_ref();
                let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
                let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                (der.as_ref().to_vec(), public)
            }
            "EdDSA" => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let public = ParsedPublicKey::new(&ED25519, pair.public_key().as_ref());
                (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), public)
            }
            "ES256" => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                let public = pair.public_key().as_ref();
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
                (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), public)
            }
            _ => return None,
        };
        let base64 = STANDARD.encode(der);
        Some(Self {
            pem: format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n"),
            public: public.unwrap(),
        })
    }
}

fn signature(algorithm: &str) -> String {
    format!("{algorithm}: signature")
}

fn sight(algorithm: &str) -> String {
    format!("{algorithm}: first sight")
}

//! What the provider signs its tokens with.

use std::sync::Arc;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Map, Value, json};

/// A key of a provider. Clones are the same key.
#[derive(Debug, Clone)]
pub struct SigningKey {
    pub kid: String,
    pair: Pair,
}

#[derive(Debug, Clone)]
enum Pair {
    Es256(Arc<EcdsaKeyPair>),
    Rs256(Arc<RsaKeyPair>),
}

impl SigningKey {
    /// A new P-256 key by this name; fast.
    pub fn es256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self {
            kid: kid.to_owned(),
            pair: Pair::Es256(Arc::new(pair)),
        }
    }

    /// A new RSA key of 2048 bits by this name; takes a moment.
    pub fn rs256(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self {
            kid: kid.to_owned(),
            pair: Pair::Rs256(Arc::new(pair)),
        }
    }

    fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Rs256(_) => "RS256",
        }
    }

    /// The public half (RFC 7517).
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Es256(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
                    "x": B64.encode(&point[1..33]), "y": B64.encode(&point[33..65]),
                })
            }
            Pair::Rs256(pair) => {
                // RFC 8017 appendix A.1.1, of 2048 bits and the exponent 65537: heads of 9 and 2 bytes.
                let der = pair.public_key().as_ref();
                let (n, e) = (&der[9..265], &der[267..]);
                json!({
                    "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                    "n": B64.encode(n),
                    "e": B64.encode(e),
                })
            }
        }
    }

    /// A JWT of these claims.
    pub fn sign(&self, claims: &Map<String, Value>) -> String {
        let header = json!({"alg": self.alg(), "kid": self.kid, "typ": "JWT"});
        self.sign_with(&header, claims)
    }

    /// A JWT with a header of one's own, signed by this key whatever the header says.
    pub fn sign_with(&self, header: &Value, claims: &Map<String, Value>) -> String {
        let message = message(header, claims);
        let signature = match &self.pair {
            Pair::Es256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message.as_bytes());
                signature.unwrap().as_ref().to_vec()
            }
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &random,
                    message.as_bytes(),
                    &mut signature,
                )
                .unwrap();
                signature
            }
        };
        format!("{message}.{}", B64.encode(signature))
    }
}

/// How the provider signs.
#[derive(Debug, Clone)]
pub enum Signing {
    /// Not at all: a mark stands in the signature's place, so that a test can look for leaks.
    Mark,
    By(SigningKey),
    /// By HMAC-SHA256 with these bytes, under this `kid`.
    Hs256 {
        kid: String,
        secret: Vec<u8>,
    },
}

impl Signing {
    /// A JWT of these claims. The `mark` stands in it, whatever it is signed by.
    pub(super) fn sign(&self, claims: &Map<String, Value>, mark: &str) -> String {
        let mut marked = claims.clone();
        match self {
            Self::Mark => super::ledger::jwt(claims, mark),
            Self::By(key) => {
                marked.insert("jti".to_owned(), mark.into());
                key.sign(&marked)
            }
            Self::Hs256 { kid, secret } => {
                marked.insert("jti".to_owned(), mark.into());
                let header = json!({"alg": "HS256", "kid": kid, "typ": "JWT"});
                let message = message(&header, &marked);
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                let tag = hmac::sign(&key, message.as_bytes());
                format!("{message}.{}", B64.encode(tag.as_ref()))
            }
        }
    }
}

fn message(header: &Value, claims: &Map<String, Value>) -> String {
    let claims = Value::Object(claims.clone());
    let part = |value: &Value| B64.encode(value.to_string());
    format!("{}.{}", part(header), part(&claims))
}

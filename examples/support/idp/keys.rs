//! The key that ID tokens are signed with: a new one at each start, as keys are rotated.

use std::io;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

use super::random;

/// A P-256 key and its name.
pub struct Keys {
    id: String,
    pair: EcdsaKeyPair,
}

impl Keys {
    pub fn new() -> io::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let pair = pair.map_err(|_| io::Error::other("no key could be made"))?;
        Ok(Self { id: random(), pair })
    }

    /// The public half (RFC 7518 section 6.2.1).
    pub fn jwk(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let point = self.pair.public_key().as_ref();
        let part = |range| {
            B64.encode(
                point
                    .get::<std::ops::Range<usize>>(range)
                    .unwrap_or_default(),
            )
        };
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": part(1..33), "y": part(33..65),
        })
    }

    /// A JWT of these claims (RFC 7519).
    pub fn sign(&self, claims: &Value) -> Option<String> {
        let encode = |part: &Value| B64.encode(part.to_string());
        let header = json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" });
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .ok()?;
        Some(format!("{signed}.{}", B64.encode(signature)))
    }
}

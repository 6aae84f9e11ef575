//! ES256, EdDSA and RS256 (RFC 7518 section 3, RFC 8037 section 3.1), by a key whose public part stands in the
//! key set.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{jose::KeyError, token::token_key::TokenKey};

pub(super) struct Asymmetric {
    key: Arc<TokenKey>,
    signature_chars: usize,
}

impl Asymmetric {
    pub(super) fn new(key: Arc<TokenKey>) -> Self {
        let bytes = key.public().signature_bytes();
        Self {
            key,
            signature_chars: (bytes * 4).div_ceil(3),
        }
    }

    /// RFC 9068 section 2.1: "JWT access tokens MUST include this media type in the "typ" header parameter to
    /// explicitly declare that the JWT represents an access token complying with this profile."
    pub(super) fn header(&self) -> String {
        let public = self.key.public();
        let (alg, kid) = (public.algorithm().name(), json!(public.kid()));
        format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":{kid}}}"#)
    }

    pub(super) fn signature_chars(&self) -> usize {
        self.signature_chars
    }

    pub(super) fn sign(&self, token: &mut String) -> Result<(), KeyError> {
        let private = self.key.private().ok_or(KeyError::Signing)?;
        let signature = private.signature(token)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, token);
        Ok(())
    }

    /// What is not as long as each signature of the key is not decoded.
    pub(super) fn verify(&self, signed: &str, signature: &str) -> bool {
        if signature.len() != self.signature_chars {
            return false;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature);
        signature.is_ok_and(|signature| self.key.public().verify(signed, &signature))
    }
}

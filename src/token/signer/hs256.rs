//! HS256 (RFC 7518 section 3.2), by a key that is derived from the operator's secret.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::key::MacKey;

/// HMAC-SHA256 in unpadded base64url, in characters.
pub(super) const SIGNATURE_CHARS: usize = 43;

pub(super) struct Hs256(MacKey);

impl Hs256 {
    pub(super) fn new(key: MacKey) -> Self {
        Self(key)
    }

    pub(super) fn header(&self) -> String {
        // No signed text starts like this label: each starts with a header, `eyJ`.
        let [a, b, c, d, ..] = self.0.tag(b"access token key id");
        format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{a:02x}{b:02x}{c:02x}{d:02x}"}}"#)
    }

    pub(super) fn sign(&self, token: &mut String) {
        let tag = self.0.tag(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, token);
    }

    pub(super) fn verify(&self, signed: &str, signature: &str) -> bool {
        decode(signature).is_some_and(|tag| self.0.verify(signed.as_bytes(), &tag))
    }
}

/// The whole tag: a MAC may be cut short elsewhere, not here (RFC 7518 section 3.2).
fn decode(signature: &str) -> Option<[u8; 32]> {
    if signature.len() != SIGNATURE_CHARS {
        return None;
    }
    // The decoder wants room for whole groups of three bytes.
    let mut tag = [0; 33];
    let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut tag).ok()?;
    tag.get(..length)?.try_into().ok()
}

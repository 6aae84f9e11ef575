//! Refresh tokens: opaque to clients, verifiable without the store.
//!
//! ```text
//! body  = version(1) || key's name(4) || grant's id(16) || generation(4, big-endian)
//! token = base64url(body || HMAC-SHA256 of body)
//! ```
//!
//! The successor of a token is a function of it, so an answer that was lost can be given again, byte
//! for byte.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::GrantId;
use crate::key::{KeyId, MacKey, Rotating};

/// Version, key, grant id, generation; then the MAC.
const BODY_BYTES: usize = 1 + 4 + 16 + 4;
const TAG_BYTES: usize = 32;
const TOKEN_BYTES: usize = BODY_BYTES + TAG_BYTES;
/// 57 bytes in base64url.
const TOKEN_CHARS: usize = 76;
const VERSION: u8 = 1;

/// Makes and reads refresh tokens.
pub(crate) struct RefreshTokens {
    keys: Rotating<MacKey>,
}

impl RefreshTokens {
    pub(crate) fn new(keys: Rotating<MacKey>) -> Self {
        Self { keys }
    }

    /// The one token of this grant and generation under the current key.
    pub(crate) fn issue(&self, id: &GrantId, generation: u32) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.keys.current().id().0);
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&generation.to_be_bytes());
        let tag = self.keys.tag(&bytes);
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The grant and generation of a token that this proxy issued; `None` for anything else.
    pub(crate) fn read(&self, token: &str) -> Option<(GrantId, u32)> {
        if token.len() != TOKEN_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, tag) = bytes.split_last_chunk::<TAG_BYTES>()?;
        let [VERSION, rest @ ..] = body else {
            return None;
        };
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let is_ours = |key: &MacKey| key.id() == KeyId(*name) && key.verify(body, tag);
        if !self.keys.all().any(is_ours) {
            return None;
        }
        let (id, generation) = rest.split_first_chunk::<16>()?;
        let generation = u32::from_be_bytes(generation.try_into().ok()?);
        Some((GrantId::from_bytes(*id), generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    fn tokens() -> RefreshTokens {
        let secret = SecretKey::for_test(3);
        RefreshTokens::new(Rotating::new(secret.mac("refresh"), []))
    }

    /// **Never change this**: clients hold such tokens for as long as a grant lives. Another version
    /// adds its own.
    const SAMPLE: &str =
        "AXrH2lIAAQIDBAUGBwgJCgsMDQ4PAAABLCxX0bpxNFv-jP9nSgZXQyX-wkq_gLCYynz0ieIl6TWk";

    #[test]
    fn a_token_of_version_1_is_read_and_written_the_same() {
        let id = GrantId::from_bytes(std::array::from_fn(|at| at as u8));
        assert_eq!(tokens().read(SAMPLE), Some((id, 300)));
        assert_eq!(tokens().issue(&id, 300), SAMPLE);
    }

    #[test]
    fn every_changed_character_is_refused() {
        let token = tokens().issue(&GrantId::random(), 7);
        assert_eq!(token.len(), TOKEN_CHARS);
        for at in 0..token.len() {
            for to in ["A", "z", "-", "=", "é"] {
                let mut changed = token.clone();
                changed.replace_range(at..=at, to);
                if changed != token {
                    assert_eq!(tokens().read(&changed), None, "{at} {to}");
                }
            }
        }
    }

    #[test]
    fn the_successor_is_the_same_each_time() {
        let id = GrantId::random();
        assert_eq!(tokens().issue(&id, 8), tokens().issue(&id, 8));
        assert_ne!(tokens().issue(&id, 8), tokens().issue(&id, 9));
        assert_eq!(tokens().read(&tokens().issue(&id, 8)), Some((id, 8)));
    }
}

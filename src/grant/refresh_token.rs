//! Refresh tokens: opaque to clients, verifiable without the store.
//!
//! A token is the name of a key, the grant's id, a generation, and that key's MAC over all. The successor of a token is
//! therefore a function of it: an answer that was lost can be given again, byte for byte.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::GrantId;
use crate::key::{KeyId, MacKey, Rotating};

/// Version, key, grant id, generation; then the MAC.
const BODY_BYTES: usize = 1 + 4 + 16 + 4;
const TOKEN_BYTES: usize = BODY_BYTES + 32;
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
        let (key, bytes) = parts(token)?;
        let key = self.keys.all().find(|known| known.id() == key)?;
        let (body, tag) = bytes.split_at_checked(BODY_BYTES)?;
        if tag.len() != 32 || !key.verify(body, tag) {
            return None;
        }
        let (_, rest) = body.split_at_checked(1 + 4)?;
        let (id, generation) = rest.split_first_chunk::<16>()?;
        let generation = u32::from_be_bytes(generation.try_into().ok()?);
        Some((GrantId::from_bytes(*id), generation))
    }
}

/// The key's name and the whole of something that has a token's form.
fn parts(token: &str) -> Option<(KeyId, Vec<u8>)> {
    if token.len() != TOKEN_CHARS {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (version, rest) = bytes.split_first()?;
    let key = KeyId(*rest.first_chunk::<4>()?);
    (*version == VERSION).then_some((key, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    fn tokens() -> RefreshTokens {
        let secret = SecretKey::for_test(3);
        RefreshTokens::new(Rotating::new(secret.mac("refresh"), []))
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

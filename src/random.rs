//! The one place where randomness enters: ChaCha, seeded and reseeded by the operating system.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Fresh random bytes from a generator that is safe for keys and tokens.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

/// Fresh random bytes as unpadded base64url: `N` = 16 gives 22 characters, 32 gives 43.
pub(crate) fn token<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<N>())
}

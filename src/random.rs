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

/// A fresh name that a person can read out on the telephone: ten of 32 signs, of which none is taken for
/// another.
pub(crate) fn spoken() -> String {
    const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let sign = |byte: u8| SIGNS.get(usize::from(byte % 32)).copied();
    bytes::<10>()
        .into_iter()
        .filter_map(sign)
        .map(char::from)
        .collect()
}

//! Authorization codes (RFC 6749 section 4.1.2): opaque, single-use, known to the store by hash.
//!
//! ```text
//! code = base64url(version(1) || grant's id(16) || random(32))
//! ```

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::GrantId;
use crate::{key::sha256, random};

/// Version, grant id, secret.
const CODE_BYTES: usize = 1 + 16 + 32;
const VERSION: u8 = 1;

/// A fresh code for a grant: 66 characters, 256 of its bits random.
pub(crate) fn new_code(id: &GrantId) -> String {
    code(id, &random::bytes())
}

fn code(id: &GrantId, secret: &[u8; 32]) -> String {
    let mut bytes = [0_u8; CODE_BYTES];
    let parts = [VERSION].into_iter().chain(*id.as_bytes()).chain(*secret);
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = from;
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The grant that a code names. Whether the code is right is for its hash to say.
pub(crate) fn read_code(code: &str) -> Option<GrantId> {
    // Longer input is refused before it is decoded.
    if code.len() != CODE_BYTES.div_ceil(3) * 4 - (3 - CODE_BYTES % 3) % 3 {
        return None;
    }
    let bytes: [u8; CODE_BYTES] = URL_SAFE_NO_PAD.decode(code).ok()?.try_into().ok()?;
    let (version, rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    rest.first_chunk::<16>().copied().map(GrantId::from_bytes)
}

/// What the record keeps of a code.
pub(crate) fn code_hash(code: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(code.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// **Never change this**: another version adds its own, and this one is still read for the five
    /// minutes that a code lives.
    const SAMPLE: &str = "AQABAgMEBQYHCAkKCwwNDg8HBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw";

    #[test]
    fn a_code_of_version_1_is_read_written_and_hashed_the_same() {
        let id = GrantId::from_bytes(std::array::from_fn(|at| at as u8));
        assert_eq!(read_code(SAMPLE), Some(id));
        assert_eq!(code(&id, &[7; 32]), SAMPLE);
        let hash = "l3JQ-_x8j1df7XyXrOQ4jp88MJQeTqgcCJ8qVjh9Zlk";
        assert_eq!(code_hash(SAMPLE), hash);
    }

    #[test]
    fn a_code_names_its_grant_and_nothing_else_reads_as_one() {
        let id = GrantId::random();
        let code = new_code(&id);
        assert_eq!(read_code(&code), Some(id));
        assert_ne!(new_code(&id), code);
        assert_eq!(read_code(&code[1..]), None);
        assert_eq!(read_code(&format!("{code}A")), None);
        assert_eq!(read_code(""), None);
        assert_eq!(read_code(&"é".repeat(33)), None);
    }
}

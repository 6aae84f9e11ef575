//! AES-256-GCM with random nonces (NIST SP 800-38D).

use aes_gcm::{
    Aes256Gcm, Key, KeyInit, Nonce, Tag,
    aead::{AeadInOut, inout::InOutBuf},
};

use super::{KeyId, Rotating};
use crate::random;

/// AES-GCM's nonce, in bytes.
const NONCE_BYTES: usize = 12;
/// AES-GCM's tag, in bytes.
const TAG_BYTES: usize = 16;

/// AES-256-GCM with a random nonce: `nonce || ciphertext || tag`.
#[derive(Clone)]
pub(crate) struct SealKey {
    id: KeyId,
    cipher: Box<Aes256Gcm>,
}

impl SealKey {
    pub(super) fn new(id: KeyId, key: &[u8; 32]) -> Self {
        let cipher = Box::new(Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)));
        Self { id, cipher }
    }

    /// The secret that this key comes from.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// Encrypts `plain` so that it opens only together with `context`; behind `prefix`, which stays
    /// readable.
    pub(crate) fn seal_behind(&self, prefix: &[u8], context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE_BYTES>();
        let length = prefix.len() + NONCE_BYTES + plain.len() + TAG_BYTES;
        let mut sealed = Vec::with_capacity(length);
        sealed.extend_from_slice(prefix);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = sealed.split_at_mut(prefix.len() + NONCE_BYTES).1;
        // AES-GCM fails only above 64 GiB of input (NIST SP 800-38D section 5.2.1.1).
        let tag = self
            .cipher
            .encrypt_inout_detached(&Nonce::from(nonce), context, InOutBuf::from(text))
            .unwrap_or_else(|_| unreachable!("every input here is bounded far below 64 GiB"));
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// The same with nothing before it.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        self.seal_behind(&[], context, plain)
    }

    /// `None` when the bytes were not sealed by this key for this context.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_in_place(0, context, sealed.to_vec())
    }

    /// The same where the bytes lie, behind a prefix of this length.
    pub(crate) fn open_in_place(
        &self,
        prefix: usize,
        context: &[u8],
        mut sealed: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed
            .get_mut(prefix..)?
            .split_first_chunk_mut::<NONCE_BYTES>()?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG_BYTES>()?;
        self.cipher
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                context,
                InOutBuf::from(&mut *text),
                &Tag::from(*tag),
            )
            .ok()?;
        let length = text.len();
        sealed.drain(..prefix + NONCE_BYTES);
        sealed.truncate(length);
        Some(sealed)
    }
}

impl Rotating<SealKey> {
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        self.current.seal(context, plain)
    }

    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.all().find_map(|key| key.open(context, sealed))
    }
}

#[cfg(test)]
mod tests {
    use crate::key::tests::key;

    #[test]
    fn a_sealed_value_opens_only_in_its_context_and_whole() {
        let seal = key().seal("storage");
        let sealed = seal.seal(b"grant:1", b"plain");
        assert_eq!(
            seal.open(b"grant:1", &sealed).as_deref(),
            Some(&b"plain"[..])
        );
        assert!(seal.open(b"grant:2", &sealed).is_none());
        for end in 0..sealed.len() {
            assert!(seal.open(b"grant:1", &sealed[..end]).is_none());
        }
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(seal.open(b"grant:1", &flipped).is_none());
        }
    }

    #[test]
    fn what_stands_before_is_not_sealed_and_not_needed() {
        let seal = key().seal("storage");
        let sealed = seal.seal_behind(b"name", b"grant:1", b"plain");
        assert!(sealed.starts_with(b"name"));
        assert_eq!(
            seal.open(b"grant:1", &sealed[4..]).as_deref(),
            Some(&b"plain"[..])
        );
        let opened = seal.open_in_place(4, b"grant:1", sealed.clone());
        assert_eq!(opened.as_deref(), Some(&b"plain"[..]));
        for prefix in [0, 3, 5, sealed.len(), sealed.len() + 1, usize::MAX] {
            let opened = seal.open_in_place(prefix, b"grant:1", sealed.clone());
            assert!(opened.is_none(), "{prefix}");
        }
        let nothing = seal.seal(b"", b"");
        assert_eq!(seal.open(b"", &nothing).as_deref(), Some(&b""[..]));
    }
}

//! XAES-256-GCM (<https://c2sp.org/XAES-256-GCM>): AES-256-GCM with a key of its own for each
//! message.
//!
//! ```text
//! sealed = version(1) || key's name(4) || nonce(24) || ciphertext || tag(16)
//! ```
//!
//! Strangers cause sealings: each authorization request makes a cookie. Under one key, AES-GCM's
//! random nonces of 96 bits last for 2^32 messages (NIST SP 800-38D section 8.3), some weeks of a
//! flood, and one nonce that repeats gives away the authentication key. With 192 bits, half of which
//! choose the message's key, the chance of a repetition is below 2^-32 after 2^80 messages.
//!
//! AES comes from AWS-LC, which rustls brings along: on a processor of today it opens a record of
//! 3 KiB in a third of the time that the `aes-gcm` crate takes.

use std::{mem, ops::RangeFrom, sync::Arc};

use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{self, EncryptingKey, UnboundCipherKey},
};
use zeroize::Zeroizing;

use super::{KeyId, Rotating};
use crate::random;

/// The first byte of everything sealed. Another construction gets another number, and a label of its
/// own.
const VERSION: u8 = 1;
/// The version and the key's name.
const HEAD_BYTES: usize = 1 + 4;
const NONCE_BYTES: usize = 24;
/// Where the ciphertext begins.
const TEXT_AT: usize = HEAD_BYTES + NONCE_BYTES;
/// AES-GCM's tag, in bytes.
const TAG_BYTES: usize = 16;
const AES_BLOCK_BYTES: usize = 16;
/// What sealing adds, in bytes.
pub(crate) const SEALING_BYTES: usize = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;

/// One key of XAES-256-GCM. AWS-LC wipes its keys when they are dropped.
#[derive(Clone)]
pub(crate) struct SealKey {
    id: KeyId,
    /// Encrypts single blocks: the messages' keys are made of them.
    aes: Arc<EncryptingKey>,
    /// K1 of AES-CMAC (NIST SP 800-38B section 6.1).
    k1: Zeroizing<[u8; AES_BLOCK_BYTES]>,
}

impl SealKey {
    pub(super) fn new(id: KeyId, key: &[u8; 32]) -> Self {
        let aes = UnboundCipherKey::new(&cipher::AES_256, key);
        let aes = aes.and_then(EncryptingKey::ecb);
        let aes = Arc::new(aes.unwrap_or_else(|_| unreachable!("32 bytes are a key of AES-256")));
        let mut zero = Zeroizing::new([0; AES_BLOCK_BYTES]);
        encrypt_blocks(&aes, &mut *zero);
        let k1 = Zeroizing::new(doubled(&zero));
        Self { id, aes, k1 }
    }

    /// The key of one message, from the first half of its nonce: NIST SP 800-108r1's KDF in counter
    /// mode with CMAC, label `X`, over a single block for each half of the key.
    fn of_message(&self, context: &[u8; 12]) -> LessSafeKey {
        let mut key = Zeroizing::new([0; 32]);
        let (halves, _) = key.as_chunks_mut::<AES_BLOCK_BYTES>();
        for (half, counter) in halves.iter_mut().zip(1_u8..) {
            let label = [0, counter, b'X', 0];
            let message = label.iter().chain(context);
            for ((out, byte), mask) in half.iter_mut().zip(message).zip(self.k1.iter()) {
                *out = byte ^ mask;
            }
        }
        encrypt_blocks(&self.aes, &mut *key);
        let key = UnboundKey::new(&aead::AES_256_GCM, &*key);
        LessSafeKey::new(key.unwrap_or_else(|_| unreachable!("32 bytes are a key of AES-256")))
    }

    /// Encrypts in place; the tag.
    fn encrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        context: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let (derive, nonce) = halves(nonce);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = self.of_message(derive);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(context), text);
        // AES-GCM fails only above 64 GiB of input (NIST SP 800-38D section 5.2.1.1).
        tag.ok()
            .and_then(|tag| tag.as_ref().try_into().ok())
            .unwrap_or_else(|| unreachable!("every input here is bounded far below 64 GiB"))
    }

    /// The plain text of what stands in `sealed` from `text` on, its tag last; `None` when the tag does
    /// not fit. In place: a record is some KiB, and is opened at each first sight of a token.
    fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        context: &[u8],
        mut sealed: Vec<u8>,
        text: RangeFrom<usize>,
    ) -> Option<Vec<u8>> {
        let (derive, nonce) = halves(nonce);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = self.of_message(derive);
        let plain = key.open_within(nonce, Aad::from(context), &mut sealed, text);
        let length = plain.ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

/// AES alone on whole blocks: for deriving keys, never for messages.
fn encrypt_blocks(aes: &EncryptingKey, blocks: &mut [u8]) {
    // ECB fails only on a piece of a block.
    if aes.encrypt(blocks).is_err() {
        unreachable!("every caller gives whole blocks")
    }
}

/// Multiplication by x in GF(2^128), as CMAC has it, without a branch on the secret.
fn doubled(block: &[u8; AES_BLOCK_BYTES]) -> [u8; AES_BLOCK_BYTES] {
    let number = u128::from_be_bytes(*block);
    let carry = number >> 127;
    ((number << 1) ^ (carry * 0b1000_0111)).to_be_bytes()
}

/// What chooses the message's key, and the nonce under it.
fn halves(nonce: &[u8; NONCE_BYTES]) -> (&[u8; 12], &[u8; 12]) {
    match nonce.as_chunks::<12>() {
        ([derive, nonce], []) => (derive, nonce),
        _ => unreachable!("24 bytes are twice 12"),
    }
}

/// Why sealed bytes do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    /// No key of this name is known here. Anyone can write four bytes: it is a hint, not a proof.
    OtherKey(KeyId),
    /// Cut, changed, moved to another context, or never sealed.
    Damaged,
}

impl Rotating<SealKey> {
    /// Encrypts `plain` so that it opens only together with `context`.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE_BYTES>();
        let mut sealed = Vec::with_capacity(plain.len() + SEALING_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.current.id.0);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = sealed.split_at_mut(TEXT_AT).1;
        let tag = self.current.encrypt(&nonce, context, text);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// What was sealed.
    pub(crate) fn open(&self, context: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, Shut> {
        let (head, rest) = sealed.split_first_chunk().ok_or(Shut::Damaged)?;
        let [VERSION, name @ ..]: [u8; HEAD_BYTES] = *head else {
            return Err(Shut::Damaged);
        };
        let nonce = *rest.first_chunk().ok_or(Shut::Damaged)?;
        let name = KeyId(name);
        let mut named = self.all().filter(|key| key.id == name).peekable();
        if named.peek().is_none() {
            return Err(Shut::OtherKey(name));
        }
        while let Some(key) = named.next() {
            // A key that does not fit spoils the bytes: the last one gets them, the others a copy.
            let bytes = match named.peek() {
                Some(_) => sealed.clone(),
                None => mem::take(&mut sealed),
            };
            if let Some(plain) = key.decrypt(&nonce, context, bytes, TEXT_AT..) {
                return Ok(plain);
            }
        }
        Err(Shut::Damaged)
    }
}

#[cfg(test)]
mod tests;

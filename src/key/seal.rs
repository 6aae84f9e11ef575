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

use aes::{
    Aes256Enc,
    cipher::{BlockCipherEncrypt, consts::U12},
};
use aes_gcm::{
    AesGcm, KeyInit, Nonce, Tag,
    aead::{AeadInOut, inout::InOutBuf},
};
use zeroize::Zeroizing;

use super::{KeyId, Rotating};
use crate::random;

/// The first byte of everything sealed. Another construction is another number, under a label of its
/// own.
const VERSION: u8 = 1;
/// Version and the key's name.
const HEAD_BYTES: usize = 1 + 4;
const NONCE_BYTES: usize = 24;
/// AES-GCM's tag, in bytes.
const TAG_BYTES: usize = 16;
const AES_BLOCK_BYTES: usize = 16;
/// What sealing adds, in bytes.
pub(crate) const SEALING_BYTES: usize = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;

/// AES-256-GCM by the half of AES that it needs: only encryption.
type Cipher = AesGcm<Aes256Enc, U12>;

/// One key of XAES-256-GCM.
#[derive(Clone)]
pub(crate) struct SealKey {
    id: KeyId,
    aes: Box<Aes256Enc>,
    /// K1 of AES-CMAC (NIST SP 800-38B section 6.1).
    k1: Zeroizing<[u8; AES_BLOCK_BYTES]>,
}

impl SealKey {
    pub(super) fn new(id: KeyId, key: &[u8; 32]) -> Self {
        let aes = Box::new(Aes256Enc::new(key.into()));
        let mut zero = Zeroizing::new([0; AES_BLOCK_BYTES]);
        aes.encrypt_block((&mut *zero).into());
        let k1 = Zeroizing::new(doubled(&zero));
        Self { id, aes, k1 }
    }

    /// The cipher of one message, from the first half of its nonce: NIST SP 800-108r1's KDF in
    /// counter mode with CMAC, label `X`, over a single block for each half of the key.
    fn cipher(&self, context: &[u8; 12]) -> Cipher {
        let mut key = Zeroizing::new([0; 32]);
        let (halves, _) = key.as_chunks_mut::<AES_BLOCK_BYTES>();
        for (half, counter) in halves.iter_mut().zip(1_u8..) {
            let label = [0, counter, b'X', 0];
            let message = label.iter().chain(context);
            for ((out, byte), mask) in half.iter_mut().zip(message).zip(self.k1.iter()) {
                *out = byte ^ mask;
            }
            self.aes.encrypt_block(half.into());
        }
        Cipher::new((&*key).into())
    }

    /// Encrypts in place; the tag.
    fn encrypt(&self, nonce: &[u8; NONCE_BYTES], context: &[u8], text: &mut [u8]) -> Tag {
        let (derive, nonce) = halves(nonce);
        // AES-GCM fails only above 64 GiB of input (NIST SP 800-38D section 5.2.1.1).
        self.cipher(derive)
            .encrypt_inout_detached(&Nonce::from(*nonce), context, InOutBuf::from(text))
            .unwrap_or_else(|_| unreachable!("every input here is bounded far below 64 GiB"))
    }

    /// Decrypts in place; `false`, and nothing has changed, when the tag is another.
    fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        context: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> bool {
        let (derive, nonce) = halves(nonce);
        self.cipher(derive)
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                context,
                InOutBuf::from(text),
                &Tag::from(*tag),
            )
            .is_ok()
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
    /// No key of this name is known here. Anybody can write four bytes: it is a hint, not a proof.
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
        let text = sealed.split_at_mut(HEAD_BYTES + NONCE_BYTES).1;
        let tag = self.current.encrypt(&nonce, context, text);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// What was sealed, where the bytes lie.
    pub(crate) fn open(&self, context: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, Shut> {
        let length = self.open_in_place(context, &mut sealed)?;
        sealed.drain(..HEAD_BYTES + NONCE_BYTES);
        sealed.truncate(length);
        Ok(sealed)
    }

    fn open_in_place(&self, context: &[u8], sealed: &mut [u8]) -> Result<usize, Shut> {
        let (head, rest) = sealed
            .split_first_chunk_mut::<HEAD_BYTES>()
            .ok_or(Shut::Damaged)?;
        let [VERSION, name @ ..] = *head else {
            return Err(Shut::Damaged);
        };
        let (nonce, rest) = rest.split_first_chunk_mut().ok_or(Shut::Damaged)?;
        let (text, tag) = rest.split_last_chunk_mut().ok_or(Shut::Damaged)?;
        let name = KeyId(name);
        let mut named = self.all().filter(|key| key.id == name).peekable();
        if named.peek().is_none() {
            return Err(Shut::OtherKey(name));
        }
        match named.any(|key| key.decrypt(nonce, context, text, tag)) {
            true => Ok(text.len()),
            false => Err(Shut::Damaged),
        }
    }
}

#[cfg(test)]
mod tests;

//! The bounds of tokens that others issued: the verifiers of them, and their signatures. And of keys of programs.

use std::time::Duration;

use super::MAX_UPSTREAM_TOKEN;

// ---- token: verifiers of the provider's tokens

/// Verdicts on good tokens that one verifier keeps, in bytes: some 20,000 of ordinary ones.
pub(crate) const MAX_GOOD_VERDICTS_BYTES: u64 = 32 * 1024 * 1024;
/// What a verdict takes beside its texts: keys, pointers, the cache's own.
pub(crate) const VERDICT_OVERHEAD: usize = 256;
/// Verdicts against tokens that one verifier keeps. Strangers make them up.
pub(crate) const MAX_REFUSED_VERDICTS: u64 = 10_000;
/// Questions that one verifier has at the provider at once; the rest wait for their turn.
pub(crate) const MAX_QUESTIONS_AT_WORK: usize = 128;
/// The longest that the operator may let a verdict be believed.
pub(crate) const MAX_VERDICT_LIFE: Duration = Duration::from_secs(60 * 60);
/// An introspection answer, in bytes. With hundreds of groups it has some 20 KiB.
pub(crate) const MAX_INTROSPECTION_BYTES: usize = 64 * 1024;
/// How far an issuer's clock may be from ours where the operator says nothing.
pub(crate) const VERIFIER_LEEWAY: Duration = Duration::from_secs(60);
/// The most that the operator may say. RFC 7519 section 4.1.4: "usually no more than a few minutes".
pub(crate) const MAX_VERIFIER_LEEWAY: Duration = Duration::from_secs(5 * 60);

// ---- jose: tokens of other issuers

/// The longest JWT of another issuer that is read, in bytes.
pub(crate) const MAX_JWT_BYTES: usize = MAX_UPSTREAM_TOKEN;
/// The longest key set that is read, in bytes. The largest seen with a real provider, some twenty keys with
/// their certificates, has 40 KiB.
pub(crate) const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// The most keys in one set, those included that are skipped.
pub(crate) const MAX_KEYS: usize = 100;
/// The most keys that one token's signature is checked with, where its header does not tell them apart: each
/// costs a stranger nothing and this process some 20 to 200 microseconds.
pub(crate) const MAX_KEYS_TRIED: usize = 4;
/// The shortest RSA key, in bits. RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used with
/// these algorithms."
pub(crate) const MIN_RSA_BITS: usize = 2048;
/// The longest RSA key, in bits: the most that the library verifies with. A check takes the square of it.
pub(crate) const MAX_RSA_BITS: usize = 8192;
/// The longest public exponent of RSA, in bytes, as the library takes it (33 bits).
pub(crate) const MAX_RSA_EXPONENT: usize = 5;
/// The longest `alg` or `kid` that an error quotes, in characters.
pub(crate) const MAX_SHOWN_HEADER: usize = 100;
/// The longest issuer or audience that an error quotes, in characters.
pub(crate) const MAX_SHOWN_CLAIM: usize = 200;
/// The longest PEM text that a signing key is read from, in bytes: an RSA key of 8,192 bits has 6.5 KiB, and
/// a chain of certificates may stand beside it.
pub(crate) const MAX_PEM_BYTES: usize = 64 * 1024;

// ---- api_key: keys of the configuration

/// The most keys of one configuration: some 500 bytes each. More programs than this want a store of their own.
pub(crate) const MAX_API_KEYS: usize = 10_000;
/// The name of a key, in bytes: it stands in events, and with a prefix in subjects.
pub(crate) const MAX_API_KEY_NAME: usize = 64;

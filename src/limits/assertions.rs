//! The bounds of assertions that others sign, and of the keys that vouch for them.

use std::time::Duration;

// ---- assertion: what others sign about themselves

/// How far ahead an assertion's `exp` may be: its `jti` is remembered until then. Client libraries write
/// one to ten minutes, and the longest that other servers accept is an hour.
pub(crate) const MAX_ASSERTION_AHEAD: Duration = Duration::from_secs(60 * 60);
/// How far the signer's clock may be from ours, either way.
pub(crate) const ASSERTION_LEEWAY: Duration = Duration::from_secs(60);

// ---- client: its keys

/// Public keys that travel inside of a `client_id`, a cookie or a code's record, in bytes as they are packed:
/// two RSA keys of 3072 bits, or a dozen of P-256. A cookie has 4096 characters, and holds a login beside
/// them.
pub(crate) const MAX_INLINE_KEYS_BYTES: usize = 1024;
/// The URL of a client's key set, in bytes, for the same reason.
pub(crate) const MAX_JWKS_URI: usize = 512;

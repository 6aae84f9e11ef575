//! API keys: secrets of programs, of which the operator keeps the hashes.
//!
//! - `key_text`: how a key is written, and what is told of a text without asking anyone; `hash_text`: how its hash
//!   is.
//! - [`NewApiKey`]: one that was made just now; it is shown once.
//! - [`ApiKey`]: one of the configuration; `key_file` reads many from a text, `day` their ends.
//! - `key_ring`: those of a checked configuration, found by the hash of what is presented.

mod configured_key;
mod day;
mod hash_text;
mod key_file;
mod key_ring;
mod key_text;
mod new_key;

pub use configured_key::ApiKey;
pub(crate) use hash_text::read_hash;
pub(crate) use key_ring::{Found, HeldKey, KeyRing};
pub use new_key::NewApiKey;

/// Before the name of a key, in the subject of its sessions; no provider and no issuer has it as its id.
pub(crate) const KEY_SUBJECTS: &str = "key";
/// The option that errors name.
const OPTION: &str = "api_keys";

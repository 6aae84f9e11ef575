//! The name of a grant.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{key::sha256, random};

/// 16 bytes in unpadded base64url.
const TEXT_BYTES: usize = 22;

/// 16 random bytes. Not a secret: knowing it opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct GrantId([u8; 16]);

impl GrantId {
    pub(crate) fn random() -> Self {
        Self(random::bytes())
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads what `Display` wrote, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // The decoder wants room for whole groups of three bytes.
        let mut bytes = [0; 18];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        Some(Self(bytes.get(..length)?.try_into().ok()?))
    }

    /// The record's key: a hash, so that a stolen store names no grant of a token.
    pub(crate) fn record_key(&self) -> String {
        self.key("grant:")
    }

    /// The key of the lease for renewing the provider's token.
    pub(crate) fn lease_key(&self) -> String {
        self.key("lease:")
    }

    pub(crate) fn name(&self) -> GrantName {
        let mut name = [0; TEXT_BYTES];
        // 16 bytes are 22 characters.
        let _ = URL_SAFE_NO_PAD.encode_slice(self.0, &mut name);
        GrantName(name)
    }

    fn key(&self, kind: &str) -> String {
        let mut key = String::with_capacity(kind.len() + 43);
        key.push_str(kind);
        URL_SAFE_NO_PAD.encode_string(sha256(&self.0), &mut key);
        key
    }
}

impl Serialize for GrantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GrantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not the name of a grant"))
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().as_str())
    }
}

/// The id as text, without an allocation.
#[derive(Clone, Copy)]
pub(crate) struct GrantName([u8; TEXT_BYTES]);

impl GrantName {
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// **Never change these**: every store holds its grants under such keys.
    #[test]
    fn a_grant_keeps_its_name_and_its_keys() {
        let id = GrantId(std::array::from_fn(|at| at as u8));
        assert_eq!(id.to_string(), "AAECAwQFBgcICQoLDA0ODw");
        assert_eq!(GrantId::parse("AAECAwQFBgcICQoLDA0ODw"), Some(id));
        let hash = "vkXLJgW_Nr695oSEGijw_UPGmFCj3OX-26aZKO46iZE";
        assert_eq!(id.record_key(), format!("grant:{hash}"));
        assert_eq!(id.lease_key(), format!("lease:{hash}"));
    }

    #[test]
    fn a_name_that_is_cut_padded_or_of_other_letters_names_nothing() {
        for odd in [
            "",
            "AAECAwQFBgcICQoLDA0OD",
            "AAECAwQFBgcICQoLDA0ODw==",
            "AAECAwQFBgcICQoLDA0ODx",
        ] {
            assert_eq!(GrantId::parse(odd), None, "{odd}");
        }
    }
}

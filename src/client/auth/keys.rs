//! The public keys of a client: `jwks` and `jwks_uri` of RFC 7591 section 2.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{
    jose::PackedKeys,
    limits::{MAX_INLINE_KEYS_BYTES, MAX_JWKS_URI},
    oauth::describable,
};

/// Where the keys are that verify a client's assertions. What stands in the field holds the places in this
/// list: append, never reorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClientKeys {
    /// Here.
    Inline(PackedKeys),
    /// At this URL. It is fetched when it is needed, so that the client can replace its keys.
    At(String),
}

impl ClientKeys {
    /// Reads the members of a client's metadata that a stranger sent. The error is a sentence for the client.
    ///
    /// RFC 7591 section 2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request
    /// or response."
    pub(crate) fn read(jwks: Option<&Value>, jwks_uri: Option<&Value>) -> Result<Self, String> {
        match (jwks, jwks_uri) {
            (None, None) => Err("private_key_jwt needs jwks_uri or jwks".to_owned()),
            (Some(_), Some(_)) => Err("jwks and jwks_uri exclude each other".to_owned()),
            (None, Some(uri)) => {
                let uri = uri.as_str().ok_or("jwks_uri is not a string")?;
                check_jwks_uri(uri)
                    .map_err(|why| format!("jwks_uri {} {why}", describable(uri)))?;
                Ok(Self::At(uri.to_owned()))
            }
            (Some(jwks), None) => {
                let keys = PackedKeys::parse(jwks);
                let keys = keys.and_then(|keys| keys.within(MAX_INLINE_KEYS_BYTES));
                keys.map(Self::Inline).map_err(|why| format!("jwks {why}"))
            }
        }
    }
}

/// What can be said of it before anything is fetched. Where it leads is judged then.
fn check_jwks_uri(uri: &str) -> Result<(), &'static str> {
    if uri.len() > MAX_JWKS_URI {
        return Err("is longer than 512 bytes");
    }
    let parsed = Url::parse(uri).map_err(|_| "is not a URL")?;
    if parsed.scheme() != "https" {
        return Err("is not https");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("holds a user or a password");
    }
    match parsed.fragment() {
        Some(_) => Err("has a fragment"),
        None => Ok(()),
    }
}

//! Why no key vouches for a token, in words for the operator.

use std::fmt;

use super::algorithm::Algorithm;
use crate::{limits::MAX_SHOWN_HEADER, oauth::printable};

/// Why no key of a set vouches for a token. The texts may hold the token's `alg` and `kid`, never its claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("it is not a signed JWT of three parts")]
    Form,
    #[error("{0}")]
    Algorithm(String),
    #[error("it has a critical header (`crit` or `b64`), which is not understood")]
    Critical,
    /// The set may be old: a newer one may have the key.
    #[error("{0}")]
    UnknownKey(String),
    /// The set has the key, and it is one that nothing is verified with.
    #[error("{0}")]
    UnusableKey(String),
    #[error("its signature is not that of its key")]
    Signature,
}

impl SignatureError {
    pub(super) fn unknown_algorithm(name: &str) -> Self {
        let name = shown(name);
        Self::Algorithm(format!(
            "its `alg` is `{name}`, which is none of RS, PS or ES with 256, 384 or 512, or EdDSA"
        ))
    }

    /// The key that it names is not for the algorithm that it names.
    pub(super) fn unfit(algorithm: Algorithm, kid: &str) -> Self {
        let (name, kid) = (algorithm.name(), shown(kid));
        Self::Algorithm(format!(
            "its `alg` is `{name}`, which its key `{kid}` is not for"
        ))
    }

    pub(super) fn unknown_key(kid: Option<&str>, algorithm: Algorithm) -> Self {
        let name = algorithm.name();
        Self::UnknownKey(match kid {
            Some(kid) => format!("the key set has no key `{}` for `{name}`", shown(kid)),
            None => format!("it has no `kid`, and no key for `{name}` in the key set signed it"),
        })
    }

    pub(super) fn too_many_keys(fitting: usize, algorithm: Algorithm) -> Self {
        let name = algorithm.name();
        Self::UnusableKey(format!(
            "it does not say which of {fitting} keys for `{name}` signed it: the issuer should give each \
             key a `kid` and name it in the header"
        ))
    }

    pub(super) fn unusable(kid: &str, why: impl fmt::Display) -> Self {
        Self::UnusableKey(format!("its key `{}` cannot be used: {why}", shown(kid)))
    }
}

fn shown(text: &str) -> String {
    printable(text, MAX_SHOWN_HEADER)
}

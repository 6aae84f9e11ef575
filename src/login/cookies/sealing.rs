//! What is in a cookie's value: base64url of XAES-256-GCM (see `key/seal`) over
//!
//! ```text
//! version(1) || postcard of the type
//! ```
//!
//! Nothing is guessed: another version, or a byte too many, is no cookie of ours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::kind::Kind;
use crate::{
    key::{Rotating, SealKey},
    limits,
};

/// The first byte of each plain text. Another layout of any of the types is another number.
const VERSION: u8 = 1;

/// One key for each cookie, so that none can be presented as another.
pub(crate) struct CookieKeys {
    pub(super) request: Rotating<SealKey>,
    pub(super) login: Rotating<SealKey>,
    pub(super) account: Rotating<SealKey>,
    pub(super) approvals: Rotating<SealKey>,
    pub(super) finished: Rotating<SealKey>,
}

impl CookieKeys {
    /// From a source of keys by label.
    pub(crate) fn derived(key: impl Fn(&str) -> Rotating<SealKey>) -> Self {
        Self {
            request: key("request cookie"),
            login: key("login cookie"),
            account: key("account cookie"),
            approvals: key("approvals cookie"),
            finished: key("finished cookie"),
        }
    }

    fn of(&self, kind: Kind) -> &Rotating<SealKey> {
        match kind {
            Kind::Request => &self.request,
            Kind::Login => &self.login,
            Kind::Account => &self.account,
            Kind::Approvals => &self.approvals,
            Kind::Finished => &self.finished,
        }
    }
}

/// Seals and opens the cookies of one proxy.
pub(super) struct Sealing {
    keys: CookieKeys,
    base: String,
}

impl Sealing {
    pub(super) fn new(keys: CookieKeys, base: &str) -> Self {
        Self {
            keys,
            base: base.to_owned(),
        }
    }

    pub(super) fn seal<T: Serialize>(&self, kind: Kind, tag: &str, value: &T) -> String {
        // These types are strings, numbers and lists of them: they always serialise.
        let plain = postcard::to_extend(value, vec![VERSION]).unwrap_or_default();
        let context = self.context(kind, tag);
        URL_SAFE_NO_PAD.encode(self.keys.of(kind).seal(context.as_bytes(), &plain))
    }

    pub(super) fn open<T: DeserializeOwned>(
        &self,
        kind: Kind,
        tag: &str,
        value: &str,
    ) -> Option<T> {
        if value.len() > limits::MAX_COOKIE {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let context = self.context(kind, tag);
        let plain = self.keys.of(kind).open(context.as_bytes(), sealed).ok()?;
        let (&VERSION, text) = plain.split_first()? else {
            return None;
        };
        match postcard::take_from_bytes(text).ok()? {
            (value, []) => Some(value),
            _ => None,
        }
    }

    /// Associated data: a cookie opens as what it is, at the proxy that made it, under its own name.
    fn context(&self, kind: Kind, tag: &str) -> String {
        // No part holds a line break.
        [kind.word(), &self.base, tag].join("\n")
    }
}

#[cfg(test)]
mod tests;

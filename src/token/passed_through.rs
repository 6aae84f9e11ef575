//! The refresh token of passthrough mode: the provider's own, sealed for one client.
//!
//! ```text
//! token = base64url(sealed(plain, context = client_id)),  plain = version(1) || postcard(fields)
//! ```
//!
//! It is all that is kept of such a grant, and the client keeps it. The seal binds it to the client, so
//! that no other client can use it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    event::Who,
    key::{Rotating, SealKey},
    limits::MAX_BODY,
    oauth::{Resource, ScopeSet},
    provider::Provider,
    time::Unix,
};

/// The first byte of the plain text. Other fields are another number.
const VERSION: u8 = 1;

/// What the client's refresh token holds.
#[derive(Serialize, Deserialize, Clone, PartialEq)]
pub(crate) struct PassedThrough {
    /// The provider that the token is from.
    pub(crate) provider: String,
    /// The provider's refresh token.
    pub(crate) token: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) resource: Resource,
    pub(crate) expires_at: Unix,
    /// The login's name in events.
    pub(crate) login: [u8; 16],
    /// The person, to be looked at again at each renewal.
    pub(crate) subject: String,
    /// When they logged in.
    pub(crate) created_at: Unix,
}

impl PassedThrough {
    /// The refresh token of this client.
    pub(crate) fn seal(&self, keys: &Rotating<SealKey>, client_id: &str) -> String {
        let Ok(plain) = postcard::to_extend(self, vec![VERSION]) else {
            unreachable!("text and numbers can be written into memory")
        };
        URL_SAFE_NO_PAD.encode(keys.seal(client_id.as_bytes(), &plain))
    }

    /// What a refresh token holds; `None` when it is not this client's, or not one of these at all.
    pub(crate) fn open(keys: &Rotating<SealKey>, client_id: &str, token: &str) -> Option<Self> {
        if token.len() > MAX_BODY {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let plain = keys.open(client_id.as_bytes(), sealed).ok()?;
        let (VERSION, fields) = plain
            .split_first()
            .map(|(version, rest)| (*version, rest))?
        else {
            return None;
        };
        match postcard::take_from_bytes(fields).ok()? {
            (held, []) => Some(held),
            _ => None,
        }
    }

    /// Whether the token inside is this provider's. The tokens of one must never reach another.
    pub(crate) fn is_from(&self, provider: &Provider) -> bool {
        self.provider == provider.id
    }

    /// Whom it was given for, for events.
    pub(crate) fn who(&self) -> Who {
        Who::default()
            .person(Some(&self.subject), None)
            .provider(&self.provider)
            .access(self.resource.as_str(), &self.scopes)
    }

    /// Why it is of no use, where it is another provider's, for the operator.
    pub(crate) fn why_foreign(&self) -> String {
        let provider = &self.provider;
        format!("the token belongs to provider `{provider}`, which is not configured")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::tests::key, oauth::BaseUrl};

    /// What this version wrote: every later one has to read it.
    const SAMPLE: &str = "ASzdh36ZdNL45HzoQl4qaXg5-lijMFfeEtqKYhm_h_VOeZI0Deg8G2SN8hXngFEohjzbUjGEOAMmKUKStLE_mSBq\
        ZsFMMDjJsSB7LCQ1iXpTLC251IbX5JGemjcojxq5Y-0cKAwkuVwqTFc_bIb4tmfrwcKmJKEi-Z3-f9cutj9O00n9uw";

    fn keys() -> Rotating<SealKey> {
        Rotating::new(key().seal("passthrough refresh token"), [])
    }

    fn passed_through() -> PassedThrough {
        PassedThrough {
            provider: "github".into(),
            token: "UPSTREAM-REFRESH".into(),
            scopes: ScopeSet::parse("read write").unwrap(),
            resource: Resource::base(&BaseUrl::parse("https://proxy.example").unwrap()),
            expires_at: Unix::at(1_800_000_000),
            login: [7; 16],
            subject: "ada".into(),
            created_at: Unix::at(1_700_000_000),
        }
    }

    #[test]
    fn what_was_sealed_opens_for_its_client_alone() {
        let (keys, token) = (keys(), passed_through().seal(&keys(), "client"));
        let opened = PassedThrough::open(&keys, "client", &token);
        assert!(opened.is_some_and(|opened| opened == passed_through()));
        for (client, wrong) in [("other", &*token), ("client", &token[1..]), ("client", "")] {
            assert!(
                PassedThrough::open(&keys, client, wrong).is_none(),
                "{wrong}"
            );
        }
        assert!(!token.contains("UPSTREAM"));
        let long = "A".repeat(MAX_BODY + 1);
        assert!(PassedThrough::open(&keys, "client", &long).is_none());
    }

    #[test]
    fn a_refresh_token_of_this_version_is_read_for_ever() {
        let opened = PassedThrough::open(&keys(), "client", SAMPLE);
        let of_today = passed_through().seal(&keys(), "client");
        assert!(
            opened.is_some_and(|opened| opened == passed_through()),
            "today it would be {of_today}"
        );
    }

    #[test]
    fn another_version_is_not_read_as_this_one() {
        let keys = keys();
        let mut plain = postcard::to_extend(&passed_through(), vec![VERSION]).unwrap();
        let open = |plain: &[u8]| {
            let sealed = URL_SAFE_NO_PAD.encode(keys.seal(b"client", plain));
            PassedThrough::open(&keys, "client", &sealed)
        };
        assert!(open(&plain).is_some());
        plain[0] = VERSION + 1;
        assert!(open(&plain).is_none());
        assert!(open(&[]).is_none());
        assert!(open(&[VERSION]).is_none());
        plain[0] = VERSION;
        plain.push(0);
        assert!(open(&plain).is_none(), "a byte too many");
    }
}

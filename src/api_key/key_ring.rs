//! The keys of a checked configuration.
//!
//! A key is found by the first bytes of its hash, and the whole hash is then compared in constant time. How long
//! the search takes tells a stranger something about the hashes of keys that they made up, and nothing about those
//! that are configured: to come closer to one they would have to find texts with a chosen SHA-256, and no part of
//! a hash says anything of a key with 256 random bits.

use std::collections::HashMap;

use super::{
    KEY_SUBJECTS, OPTION,
    configured_key::ApiKey,
    hash_text::read_hash,
    key_text::{Form, Hash, form},
};
use crate::{
    error::ConfigError,
    key::constant_time_eq,
    limits::{MAX_API_KEY_NAME, MAX_API_KEYS, MAX_ROLE_BYTES, MAX_ROLES},
    oauth::{BaseUrl, Resource, ScopeImplications, ScopeSet, printable},
    time::Unix,
};

/// Configured keys. `Default`: none, and no text is taken for one.
#[derive(Default)]
pub(crate) struct KeyRing {
    /// In the order of their hashes.
    keys: Vec<HeldKey>,
}

/// One of them.
pub(crate) struct HeldKey {
    hash: Hash,
    pub(crate) name: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) roles: Vec<String>,
    pub(crate) expires_at: Option<Unix>,
    pub(crate) resource: Resource,
}

/// What a presented text is.
pub(crate) enum Found<'a> {
    /// No API key: another source may know it.
    Other,
    /// It begins like one and is none.
    Mistyped,
    /// A key, and none of the configuration.
    Unknown,
    Key(&'a HeldKey),
}

impl KeyRing {
    /// # Errors
    ///
    /// [`ConfigError`] names the key and what is wrong with it, or with two of them.
    pub(crate) fn new(keys: Vec<ApiKey>, base: &BaseUrl) -> Result<Self, ConfigError> {
        if keys.len() > MAX_API_KEYS {
            let why = format!("{} keys are more than {MAX_API_KEYS}", keys.len());
            return Err(ConfigError::new(OPTION, why));
        }
        let keys = keys.into_iter().map(|key| HeldKey::new(key, base));
        let mut keys: Vec<HeldKey> = keys.collect::<Result<_, _>>()?;
        let mut names = HashMap::new();
        for key in &keys {
            if names.insert(key.name.as_str(), ()).is_some() {
                return Err(refuse(
                    &key.name,
                    "is the name of two keys: events and subjects could not tell them apart",
                ));
            }
        }
        keys.sort_by_key(|key| key.hash);
        for pair in keys.windows(2) {
            if let [one, other] = pair
                && one.hash == other.hash
            {
                let why = format!(
                    "and `{}` have one hash: make a key for each program",
                    other.name
                );
                return Err(refuse(&one.name, &why));
            }
        }
        Ok(Self { keys })
    }

    /// What this text is. No key is looked at unless the text has the form of one.
    pub(crate) fn look_up(&self, text: &str) -> Found<'_> {
        if self.keys.is_empty() {
            return Found::Other;
        }
        match form(text) {
            Form::Other => Found::Other,
            Form::Mistyped => Found::Mistyped,
            Form::Key(hash) => self.of(&hash).map_or(Found::Unknown, Found::Key),
        }
    }

    fn of(&self, hash: &Hash) -> Option<&HeldKey> {
        let begin = |key: &Hash| key.first_chunk::<8>().copied();
        let first = self
            .keys
            .partition_point(|key| begin(&key.hash) < begin(hash));
        let candidates = self.keys.iter().skip(first);
        let mut candidates = candidates.take_while(|key| begin(&key.hash) == begin(hash));
        candidates.find(|key| constant_time_eq(&key.hash, hash))
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// All that some key has.
    pub(crate) fn scopes(&self) -> ScopeSet {
        let all = self.keys.iter();
        all.fold(ScopeSet::default(), |sum, key| sum.union(&key.scopes))
    }

    /// What may not be meant so, in words for the operator.
    pub(crate) fn odd(
        &self,
        required: &ScopeSet,
        implications: &ScopeImplications,
        now: Unix,
    ) -> Vec<String> {
        let odd = self.keys.iter().filter_map(|key| {
            let name = &key.name;
            if key.is_over(now) {
                return Some(format!("{OPTION}: the key `{name}` has expired"));
            }
            let good_for = implications.extend(&key.scopes);
            let missing = required.iter().find(|scope| !good_for.contains(scope))?;
            Some(format!(
                "{OPTION}: the key `{name}` lacks the scope `{missing}` of required_scopes, so each of its requests \
                 is refused"
            ))
        });
        odd.collect()
    }
}

impl HeldKey {
    fn new(key: ApiKey, base: &BaseUrl) -> Result<Self, ConfigError> {
        let ApiKey {
            name,
            hash,
            scopes,
            roles,
            expires_at,
            resource,
        } = key;
        let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte);
        let is_name = (1..=MAX_API_KEY_NAME).contains(&name.len())
            && name.bytes().all(is_of_a_name)
            // Names stand in events.
            && form(&name) == Form::Other;
        if !is_name {
            let why = format!(
                "is no name: give it 1 to {MAX_API_KEY_NAME} characters of a-z, A-Z, 0-9 and -_.:/@"
            );
            return Err(refuse(&name, &why));
        }
        let hash = read_hash(&hash).map_err(|why| refuse(&name, &why))?;
        let scopes = ScopeSet::new(&scopes)
            .map_err(|why| refuse(&name, &format!("has scopes {scopes:?}: {why}")))?;
        let is_role = |role: &String| (1..=MAX_ROLE_BYTES).contains(&role.len());
        if roles.len() > MAX_ROLES || !roles.iter().all(is_role) {
            let why = format!(
                "has more than {MAX_ROLES} roles, or one that is empty or over {MAX_ROLE_BYTES} bytes"
            );
            return Err(refuse(&name, &why));
        }
        let resource = match resource {
            None => Resource::base(base),
            Some(url) => Resource::parse(&url, base).map_err(|_| {
                refuse(
                    &name,
                    &format!("is for {url:?}, which is neither the base URL nor a URL below it"),
                )
            })?,
        };
        Ok(Self {
            hash,
            name,
            scopes,
            roles,
            expires_at,
            resource,
        })
    }

    /// Who it is in sessions: no person and no other machine is named so.
    pub(crate) fn subject(&self) -> String {
        format!("{KEY_SUBJECTS}|{}", self.name)
    }

    pub(crate) fn is_over(&self, now: Unix) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A name may be a key that was put into the wrong place.
fn refuse(name: &str, why: &str) -> ConfigError {
    let name = match matches!(form(name), Form::Other) {
        true => printable(name, MAX_API_KEY_NAME),
        false => "(a key)".to_owned(),
    };
    ConfigError::new(OPTION, format!("`{name}` {why}"))
}

#[cfg(test)]
mod tests;

//! Scopes: RFC 6749 section 3.3.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{MAX_SCOPE, MAX_SCOPES};

/// A set of scopes in the order in which they were given; cheap to clone.
///
/// Two sets are equal when they hold the same scopes, whatever their order. Displayed and
/// serialized as the protocol writes them: separated by single spaces.
///
/// ```
/// use tower_oauth_proxy::ScopeSet;
///
/// let scopes = ScopeSet::parse("read write")?;
/// assert!(scopes.contains("write"));
/// assert_eq!(scopes, ScopeSet::new(["write", "read"])?);
/// assert!(ScopeSet::parse("no\"quotes").is_err());
/// # Ok::<(), tower_oauth_proxy::InvalidScope>(())
/// ```
#[derive(Clone, Default)]
pub struct ScopeSet(
    /// As they are displayed: the sets are small, and looked through faster than any table is built.
    Arc<str>,
);

/// Why a string is not a list of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidScope {
    /// A character that no scope may hold, or an empty scope.
    #[error("a scope is made of printable ASCII without spaces, quotes and backslashes")]
    Grammar,
    /// One scope is over 256 bytes.
    #[error("a scope has at most {MAX_SCOPE} characters")]
    TooLong,
    /// More than 64 scopes.
    #[error("at most {MAX_SCOPES} scopes are accepted at once")]
    TooMany,
}

impl ScopeSet {
    /// Reads a space separated list. The empty string is the empty set; a repeated scope counts
    /// once.
    ///
    /// # Errors
    ///
    /// [`InvalidScope`], by the grammar of RFC 6749 section 3.3 and the limits of 64 scopes of 256
    /// bytes. Spaces in a row, which the grammar forbids too, are forgiven.
    pub fn parse(scopes: &str) -> Result<Self, InvalidScope> {
        Self::new(names(scopes))
    }

    /// Collects single scopes.
    ///
    /// # Errors
    ///
    /// [`InvalidScope`], as [`ScopeSet::parse`]; an empty or spaced scope is refused here.
    pub fn new<I>(scopes: I) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        Self::collect(scopes, MAX_SCOPES)
    }

    /// What of these can be a scope, up to the most that a set may hold.
    pub(crate) fn of_what_fits<'a>(scopes: impl Iterator<Item = &'a str>) -> Self {
        const ROOM: usize = 128;
        let (mut set, mut count) = (String::with_capacity(ROOM), 0);
        for scope in scopes {
            if count < MAX_SCOPES && check(scope).is_ok() && !holds(&set, scope) {
                count += 1;
                append(&mut set, scope);
            }
        }
        Self(set.into())
    }

    fn collect<I>(scopes: I, limit: usize) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let (mut set, mut count) = (String::new(), 0);
        for scope in scopes {
            let scope = scope.as_ref();
            check(scope)?;
            if holds(&set, scope) {
                continue;
            }
            if count == limit {
                return Err(InvalidScope::TooMany);
            }
            count += 1;
            append(&mut set, scope);
        }
        Ok(Self(set.into()))
    }

    /// Whether the scope is in the set; case matters.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        !scope.is_empty() && holds(&self.0, scope)
    }

    /// The scopes, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        names(&self.0)
    }

    /// As they are displayed.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no scope at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many scopes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether every scope of this set is in the other one.
    #[must_use]
    pub fn is_subset(&self, of: &Self) -> bool {
        self.iter().all(|scope| of.contains(scope))
    }

    /// The scopes that are in both, in this set's order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.retain(|scope| other.contains(scope))
    }

    /// The intersection of a list, in its order, with this set; mostly the list is this set.
    ///
    /// # Errors
    ///
    /// [`InvalidScope`], as [`ScopeSet::parse`].
    pub(crate) fn narrowed_to(&self, scopes: &str) -> Result<Self, InvalidScope> {
        if *scopes == *self.0 {
            return Ok(self.clone());
        }
        Ok(Self::parse(scopes)?.intersection(self))
    }

    /// The scopes that a rule keeps, in this set's order.
    #[must_use]
    pub(crate) fn retain(&self, keeps: impl Fn(&str) -> bool) -> Self {
        if self.iter().all(&keeps) {
            return self.clone();
        }
        Self::joined(self.iter().filter(|scope| keeps(scope)))
    }

    /// This set's scopes, then the other one's. The limit on the count binds what is parsed, not
    /// what is joined.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_subset(self) {
            return self.clone();
        }
        let new = other.iter().filter(|scope| !self.contains(scope));
        Self::joined(self.iter().chain(new))
    }

    /// Of scopes that were checked before, each once.
    fn joined<'a>(scopes: impl Iterator<Item = &'a str>) -> Self {
        let mut set = String::new();
        scopes.for_each(|scope| append(&mut set, scope));
        Self(set.into())
    }

    /// This set and one scope more.
    ///
    /// # Errors
    ///
    /// [`InvalidScope`] when `scope` is not a single scope.
    pub fn with(&self, scope: &str) -> Result<Self, InvalidScope> {
        Ok(self.union(&Self::new([scope])?))
    }
}

fn names(set: &str) -> impl Iterator<Item = &str> {
    set.split(' ').filter(|scope| !scope.is_empty())
}

/// Whether the scope stands between single spaces.
fn holds(set: &str, scope: &str) -> bool {
    let mut known = set.as_bytes().split(|byte| *byte == b' ');
    known.any(|known| known == scope.as_bytes())
}

/// Whether a set is displayed so: scopes of the grammar, each once, between single spaces. Then it can
/// be taken as it stands.
fn is_displayed(set: &str) -> bool {
    let is_repeated = |nth, scope| set.split(' ').take(nth).any(|known| known == scope);
    let mut scopes = set.split(' ').enumerate();
    set.is_empty() || scopes.all(|(nth, scope)| check(scope).is_ok() && !is_repeated(nth, scope))
}

fn append(set: &mut String, scope: &str) {
    if !set.is_empty() {
        set.push(' ');
    }
    set.push_str(scope);
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
fn check(scope: &str) -> Result<(), InvalidScope> {
    if scope.len() > MAX_SCOPE {
        return Err(InvalidScope::TooLong);
    }
    let allowed = |b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if scope.is_empty() || !scope.bytes().all(allowed) {
        return Err(InvalidScope::Grammar);
    }
    Ok(())
}

impl PartialEq for ScopeSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.is_subset(other)
    }
}

impl Eq for ScopeSet {}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    // Without the limit on the count: a union that was stored must come back.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |scopes: &str| match is_displayed(scopes) {
            true => Ok(Self(scopes.into())),
            false => Self::collect(names(scopes), usize::MAX),
        };
        super::text::deserialize(deserializer, read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(scopes: &str) -> ScopeSet {
        ScopeSet::parse(scopes).unwrap()
    }

    #[test]
    fn order_is_kept_and_a_repeated_scope_counts_once() {
        assert_eq!(set("b a b  c ").to_string(), "b a c");
        assert_eq!(set("").len(), 0);
        assert!(set("").is_empty());
    }

    #[test]
    fn equality_ignores_order_and_nothing_else() {
        assert_eq!(set("a b"), set("b a"));
        assert_ne!(set("a b"), set("a"));
        assert_ne!(set("a"), set("A"));
    }

    #[test]
    fn a_scope_outside_the_grammar_is_refused() {
        for bad in ["a\"", "a\\b", "a\tb", "a\nb", "a\u{7f}", "é", "\u{a0}"] {
            assert_eq!(ScopeSet::parse(bad), Err(InvalidScope::Grammar), "{bad:?}");
        }
        assert_eq!(ScopeSet::new(["a b"]), Err(InvalidScope::Grammar));
        assert_eq!(ScopeSet::new([""]), Err(InvalidScope::Grammar));
        assert_eq!(set("a").with("b c"), Err(InvalidScope::Grammar));
    }

    #[test]
    fn count_and_length_are_bounded() {
        let names: Vec<String> = (0..65).map(|i| format!("s{i}")).collect();
        assert_eq!(ScopeSet::new(&names), Err(InvalidScope::TooMany));
        assert_eq!(ScopeSet::new(&names[..64]).unwrap().len(), 64);
        assert_eq!(
            ScopeSet::parse(&"x".repeat(257)),
            Err(InvalidScope::TooLong)
        );
        assert!(ScopeSet::parse(&"x".repeat(256)).is_ok());
    }

    #[test]
    fn subset_intersection_and_union_follow_the_sets() {
        let (a, b) = (set("x y z"), set("z x w"));
        assert_eq!(a.intersection(&b).to_string(), "x z");
        assert_eq!(a.union(&b).to_string(), "x y z w");
        assert!(set("z x").is_subset(&a) && !b.is_subset(&a));
        assert!(set("").is_subset(&set("")));
        assert_eq!(a.with("x").unwrap(), a);
    }

    #[test]
    fn a_list_is_narrowed_to_what_the_set_holds() {
        let granted = set("read write");
        for (asked, left) in [
            ("read write", "read write"),
            ("write read", "write read"),
            ("write admin", "write"),
            ("admin", ""),
            ("", ""),
        ] {
            assert_eq!(granted.narrowed_to(asked).unwrap().to_string(), left);
        }
        assert!(granted.narrowed_to("a\"").is_err());
    }

    #[test]
    fn a_stored_union_over_the_limit_comes_back() {
        let a = ScopeSet::new((0..64).map(|i| format!("a{i}"))).unwrap();
        let b = ScopeSet::new((0..64).map(|i| format!("b{i}"))).unwrap();
        let json = serde_json::to_string(&a.union(&b)).unwrap();
        assert_eq!(serde_json::from_str::<ScopeSet>(&json).unwrap().len(), 128);
        assert!(serde_json::from_str::<ScopeSet>(r#""a\"b""#).is_err());
        for (stored, read) in [("", ""), ("b a c", "b a c"), ("b a b  c ", "b a c")] {
            let set: ScopeSet = serde_json::from_value(stored.into()).unwrap();
            assert_eq!(set.to_string(), read);
        }
    }

    proptest! {
        #[test]
        fn what_parses_displays_as_something_that_parses_the_same(raw in any::<String>()) {
            if let Ok(scopes) = ScopeSet::parse(&raw) {
                prop_assert_eq!(&ScopeSet::parse(&scopes.to_string()).unwrap(), &scopes);
                prop_assert!(scopes.iter().all(|scope| raw.contains(scope)));
            }
        }
    }
}

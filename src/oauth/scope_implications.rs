//! Which scopes contain which others, by the word of the operator, and what a token is good for by that.

use std::sync::Arc;

use super::ScopeSet;

/// What each scope implies, step by step to the end. No scope implies itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScopeImplications(Arc<[Implication]>);

#[derive(Debug, Clone)]
pub(crate) struct Implication {
    pub(crate) scope: Box<str>,
    /// What it implies itself, and what that implies.
    pub(crate) implies: ScopeSet,
}

/// A scope that would imply itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScopeCircle {
    pub(crate) scope: String,
    /// Another scope on the way back to it; the same where it names itself.
    pub(crate) by: String,
}

/// What a token names, and what that is good for. Equal mostly, and then kept once.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldScopes {
    named: ScopeSet,
    /// `None` where they imply no other.
    with_implied: Option<ScopeSet>,
}

impl ScopeImplications {
    /// Of what the operator said: a scope, and what it implies. The same scope may come several times.
    pub(crate) fn new(said: &[(String, ScopeSet)]) -> Result<Self, ScopeCircle> {
        let mut all: Vec<Implication> = Vec::new();
        for (scope, implies) in said {
            match all.iter_mut().find(|known| *known.scope == **scope) {
                Some(known) => known.implies = known.implies.union(implies),
                None => all.push(Implication {
                    scope: scope.as_str().into(),
                    implies: implies.clone(),
                }),
            }
        }
        let direct = all.clone();
        // A way without a circle has at most as many steps as there are scopes that imply any.
        for _ in 0..direct.len() {
            for one in &mut all {
                one.implies = with_implied(&direct, &one.implies);
            }
        }
        let leads_back = |from: &str, to: &str| {
            let of = all.iter().find(|one| *one.scope == *from);
            from == to || of.is_some_and(|one| one.implies.contains(to))
        };
        for Implication { scope, implies } in &direct {
            if let Some(by) = implies.iter().find(|implied| leads_back(implied, scope)) {
                let (scope, by) = (scope.to_string(), by.to_owned());
                return Err(ScopeCircle { scope, by });
            }
        }
        Ok(Self(all.into()))
    }

    /// What a token that names these is good for.
    pub(crate) fn hold(&self, named: ScopeSet) -> HeldScopes {
        let is_of = |one: &Implication| {
            let is_new = || !one.implies.is_subset(&named);
            named.contains(&one.scope) && is_new()
        };
        let with_implied = self.0.iter().any(is_of).then(|| self.extend(&named));
        HeldScopes {
            named,
            with_implied,
        }
    }

    /// These, and what they imply.
    pub(crate) fn extend(&self, named: &ScopeSet) -> ScopeSet {
        with_implied(&self.0, named)
    }

    /// The same need in as few words as it takes: without those that others of it imply.
    pub(crate) fn shorten(&self, needed: &ScopeSet) -> ScopeSet {
        if self.0.is_empty() {
            return needed.clone();
        }
        let is_implied = |scope: &str| {
            let mut all = self.0.iter();
            all.any(|one| needed.contains(&one.scope) && one.implies.contains(scope))
        };
        needed.retain(|scope| !is_implied(scope))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Implication> {
        self.0.iter()
    }
}

fn with_implied(all: &[Implication], named: &ScopeSet) -> ScopeSet {
    let held = all.iter().filter(|one| named.contains(&one.scope));
    held.fold(named.clone(), |sum, one| sum.union(&one.implies))
}

impl HeldScopes {
    /// As the token names them.
    pub(crate) fn named(&self) -> &ScopeSet {
        &self.named
    }

    /// With all that they imply.
    pub(crate) fn all(&self) -> &ScopeSet {
        self.with_implied.as_ref().unwrap_or(&self.named)
    }

    /// Whether the token is good for all of these.
    pub(crate) fn cover(&self, needed: &ScopeSet) -> bool {
        let are_implied = |all: &ScopeSet| needed.is_subset(all);
        needed.is_subset(&self.named) || self.with_implied.as_ref().is_some_and(are_implied)
    }

    /// About what they take in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let of = |scopes: &ScopeSet| scopes.as_str().len() + 16;
        of(&self.named) + self.with_implied.as_ref().map_or(0, of)
    }

    /// Of a session that a test makes up.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn made_up(named: ScopeSet, implied: &ScopeSet) -> Self {
        let all = named.union(implied);
        Self {
            with_implied: (all != named).then_some(all),
            named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &str) -> ScopeSet {
        ScopeSet::parse(scopes).unwrap()
    }

    fn said(rules: &[(&str, &str)]) -> Result<ScopeImplications, ScopeCircle> {
        let rules = rules
            .iter()
            .map(|(scope, implies)| ((*scope).to_owned(), set(implies)));
        ScopeImplications::new(&rules.collect::<Vec<_>>())
    }

    #[test]
    fn a_scope_is_good_for_all_that_it_implies_to_the_last_step() {
        // In whatever order it is said, and in parts.
        for rules in [
            &[("admin", "write"), ("write", "read"), ("read", "list")][..],
            &[("read", "list"), ("write", "read"), ("admin", "write")],
            &[
                ("write", "read"),
                ("admin", "list"),
                ("read", "list"),
                ("admin", "write"),
            ],
        ] {
            let rules = said(rules).unwrap();
            let admin = rules.hold(set("admin"));
            for needed in [
                "",
                "admin",
                "write",
                "read",
                "list",
                "list write",
                "read admin",
            ] {
                assert!(admin.cover(&set(needed)), "{needed}");
            }
            assert_eq!(admin.named(), &set("admin"));
            assert_eq!(admin.all(), &set("admin write read list"));
            let write = rules.hold(set("openid write"));
            assert!(write.cover(&set("read list openid")));
            for needed in ["admin", "read admin", "profile", "writ", "read profile"] {
                assert!(!write.cover(&set(needed)), "{needed}");
            }
            assert!(!rules.hold(set("")).cover(&set("list")));
        }
    }

    #[test]
    fn what_implies_nothing_new_is_kept_once() {
        let rules = said(&[("admin", "write")]).unwrap();
        for named in ["", "write", "read write", "write admin"] {
            let held = rules.hold(set(named));
            assert!(held.with_implied.is_none(), "{named}");
            assert_eq!(held.all(), &set(named));
        }
        assert!(rules.hold(set("admin")).size() > rules.hold(set("write")).size());
    }

    #[test]
    fn a_need_is_said_without_what_the_rest_of_it_implies() {
        let rules = said(&[("admin", "write"), ("write", "read")]).unwrap();
        for (needed, short) in [
            ("read write", "write"),
            ("openid read admin write", "openid admin"),
            ("read", "read"),
            ("openid profile", "openid profile"),
            ("", ""),
        ] {
            let shortened = rules.shorten(&set(needed));
            assert_eq!(shortened.to_string(), short, "{needed}");
            // A token of just these passes.
            assert!(rules.hold(shortened).cover(&set(needed)), "{needed}");
        }
        let none = ScopeImplications::default();
        assert_eq!(none.shorten(&set("read write")), set("read write"));
    }

    #[test]
    fn no_scope_implies_itself() {
        for (rules, scope, by) in [
            (&[("read", "read")][..], "read", "read"),
            (&[("admin", "write"), ("write", "admin")], "admin", "write"),
            (&[("x", "a"), ("a", "b"), ("b", "c"), ("c", "b")], "b", "c"),
            (
                &[("a", "b"), ("b", "c"), ("c", "d"), ("d", "x a")],
                "a",
                "b",
            ),
        ] {
            let (scope, by) = (scope.to_owned(), by.to_owned());
            assert_eq!(said(rules).err(), Some(ScopeCircle { scope, by }));
        }
        // Two ways to one scope are no circle.
        assert!(said(&[("a", "b c"), ("b", "d"), ("c", "d")]).is_ok());
    }

    proptest::proptest! {
        /// Whatever is said: the shortened need is met by exactly the tokens that meet the need.
        #[test]
        fn a_shortened_need_is_the_same_need(
            rules in proptest::collection::vec(("[a-f]", "[a-f]( [a-f]){0,2}"), 0..6),
            needed in "([a-f] ){0,4}",
            held in "([a-f] ){0,4}",
        ) {
            let rules: Vec<_> = rules.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let Ok(rules) = said(&rules) else { return Ok(()) };
            let (needed, held) = (set(&needed), rules.hold(set(&held)));
            proptest::prop_assert_eq!(held.cover(&needed), held.cover(&rules.shorten(&needed)));
            // And nothing more is implied by what is implied.
            proptest::prop_assert_eq!(&rules.extend(held.all()), held.all());
        }
    }
}

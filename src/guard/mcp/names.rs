//! Guards by name: the name itself, or its beginning and a `*`. The most exact wins.

use std::collections::BTreeMap;

use super::spelling::{begins_otherwise, is_plain};
use crate::{
    guard::Guard,
    limits::{MAX_RULE_PATTERN, MAX_RULES},
};

/// The guards of one kind of name.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    exact: BTreeMap<Box<str>, Guard>,
    /// The longest first.
    beginnings: Vec<(Box<str>, Guard)>,
}

impl Names {
    /// Adds a guard for what the pattern names.
    ///
    /// # Errors
    ///
    /// What is wrong with the pattern, in words for the operator.
    pub(super) fn add(&mut self, pattern: &str, guard: Guard) -> Result<(), String> {
        check(pattern)?;
        if self.exact.len() + self.beginnings.len() >= MAX_RULES {
            return Err(format!(
                "more than {MAX_RULES} rules: let some share a pattern such as `delete_*`"
            ));
        }
        let is_new = match pattern.strip_suffix('*') {
            None => self.exact.insert(pattern.into(), guard).is_none(),
            Some(beginning) => {
                let is_new = self
                    .beginnings
                    .iter()
                    .all(|(other, _)| **other != *beginning);
                self.beginnings.push((beginning.into(), guard));
                self.beginnings
                    .sort_by_key(|(beginning, _)| usize::MAX - beginning.len());
                is_new
            }
        };
        match is_new {
            true => Ok(()),
            false => Err(format!(
                "`{pattern}` has two rules: join them with `require_all` or `require_any`"
            )),
        }
    }

    /// The guard of this name: its own, else that of the longest beginning.
    pub(super) fn find(&self, name: &str) -> Option<&Guard> {
        self.exact.get(name).or_else(|| {
            let mut beginnings = self.beginnings.iter();
            let found = beginnings.find(|(beginning, _)| name.starts_with(&**beginning));
            found.map(|(_, guard)| guard)
        })
    }

    /// Whether there is a guard of what this name is but for its capitals, and none of the very name.
    pub(super) fn has_in_other_capitals(&self, name: &str) -> bool {
        let is_other = |own: &str| own != name && own.eq_ignore_ascii_case(name);
        let mut beginnings = self.beginnings.iter();
        !self.exact.contains_key(name)
            && (self.exact.keys().any(|own| is_other(own))
                || beginnings.any(|(beginning, _)| begins_otherwise(name, beginning)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.beginnings.is_empty()
    }
}

fn check(pattern: &str) -> Result<(), String> {
    if pattern.is_empty() {
        return Err("an empty pattern names nothing: `*` names everything".to_owned());
    }
    if pattern.len() > MAX_RULE_PATTERN {
        return Err(format!(
            "a pattern of {} bytes is over the limit of {MAX_RULE_PATTERN}",
            pattern.len()
        ));
    }
    let name = pattern.strip_suffix('*').unwrap_or(pattern);
    if name.contains('*') {
        return Err(format!(
            "`{pattern}` has a `*` that is not its last character: only names and beginnings can be named"
        ));
    }
    if !is_plain(name) {
        return Err(format!(
            "{pattern:?} has spaces around it or control characters: no call of such a name passes"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{require_auth, require_role};

    fn names(patterns: &[&str]) -> Names {
        let mut names = Names::default();
        for pattern in patterns {
            names.add(pattern, require_role(*pattern)).unwrap();
        }
        names
    }

    #[test]
    fn the_most_exact_pattern_wins_in_whatever_order_they_were_said() {
        for patterns in [
            ["*", "delete_*", "delete_all_*", "delete_all"],
            ["delete_all", "delete_all_*", "delete_*", "*"],
        ] {
            let names = names(&patterns);
            for (name, expected) in [
                ("delete_all", "delete_all"),
                ("delete_all_", "delete_all_*"),
                ("delete_all_now", "delete_all_*"),
                ("delete_", "delete_*"),
                ("delete_one", "delete_*"),
                ("delete", "*"),
                ("Delete_one", "*"),
                ("", "*"),
            ] {
                let guard = names.find(name).unwrap();
                assert_eq!(
                    format!("{guard:?}"),
                    format!("require_role({expected})"),
                    "{name}"
                );
            }
        }
        assert!(names(&["delete_*", "report"]).find("reports").is_none());
    }

    #[test]
    fn a_pattern_that_cannot_be_meant_is_refused_with_words() {
        for (pattern, words) in [
            ("", "names nothing"),
            ("a*b", "not its last character"),
            ("**", "not its last character"),
            (" a", "spaces around"),
            ("a *", "spaces around"),
            ("a\nb", "control characters"),
        ] {
            let said = Names::default().add(pattern, require_auth()).unwrap_err();
            assert!(said.contains(words), "{pattern:?}: {said}");
        }
        let long = "x".repeat(MAX_RULE_PATTERN + 1);
        let said = Names::default().add(&long, require_auth()).unwrap_err();
        assert!(said.contains("over the limit"), "{said}");
        for twice in ["a", "a*"] {
            let said = names(&[twice]).add(twice, require_auth()).unwrap_err();
            assert!(said.contains("has two rules"), "{said}");
        }
        let mut full = Names::default();
        for number in 0..MAX_RULES {
            full.add(&format!("tool_{number}"), require_auth()).unwrap();
        }
        assert!(full.add("one_more", require_auth()).is_err());
    }
}

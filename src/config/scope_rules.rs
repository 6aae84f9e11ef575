//! Which scopes imply which others, as the operator said it.

use super::scope_option::scope_set;
use crate::{
    error::ConfigError,
    oauth::{ScopeCircle, ScopeImplications, ScopeSet},
};

const OPTION: &str = "scopes_imply";

/// The scopes that tokens here can have, as far as that can be known.
pub(super) struct KnownScopes {
    /// Those that are offered, and those of API keys.
    pub(super) all: ScopeSet,
    /// Whether tokens of other servers come in, with scopes of their own.
    pub(super) and_others: bool,
}

/// The rules, each said once and put together. With `known`, a scope that no token could have is a slip of the
/// pen: a rule about it would never do anything, and whoever wrote it would not learn that.
pub(super) fn scope_implications(
    said: &[(String, Vec<String>)],
    known: Option<&KnownScopes>,
) -> Result<ScopeImplications, ConfigError> {
    let refuse = |why: String| Err(ConfigError::new(OPTION, why));
    let mut rules = Vec::with_capacity(said.len());
    for (scope, implied) in said {
        let holder = scope_set(OPTION, std::slice::from_ref(scope))?;
        let implied = scope_set(OPTION, implied)?;
        if implied.is_empty() {
            return refuse(format!("`{scope}` implies nothing: name what it implies"));
        }
        if let Some(known) = known {
            let is_unknown = |scope: &&str| !known.all.contains(scope);
            let may_be_held = known.and_others.then_some(scope.as_str());
            let mut all = holder.iter().chain(implied.iter()).filter(is_unknown);
            if let Some(unknown) = all.find(|unknown| Some(*unknown) != may_be_held) {
                return refuse(format!(
                    "`{unknown}` is neither one of `scopes` nor a scope of an API key: no token could have it"
                ));
            }
        }
        if holder.union(&implied).contains("offline_access") {
            let why = "`offline_access` says that a client wants refresh tokens; it is part of no other scope, and none of it";
            return refuse(why.to_owned());
        }
        rules.push((scope.clone(), implied));
    }
    let circle = |ScopeCircle { scope, by }: ScopeCircle| match scope == by {
        true => format!("`{scope}` implies itself"),
        false => format!(
            "`{scope}` implies `{by}`, and that implies `{scope}`: leave out one of the two"
        ),
    };
    ScopeImplications::new(&rules).map_err(|found| ConfigError::new(OPTION, circle(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(
        said: &[(&str, &[&str])],
        known: Option<(&str, bool)>,
    ) -> Result<ScopeImplications, String> {
        let owned = |(scope, implied): &(&str, &[&str])| {
            let implied = implied.iter().map(|one| (*one).to_owned()).collect();
            ((*scope).to_owned(), implied)
        };
        let said: Vec<_> = said.iter().map(owned).collect();
        let known = known.map(|(all, and_others)| KnownScopes {
            all: ScopeSet::parse(all).unwrap(),
            and_others,
        });
        scope_implications(&said, known.as_ref()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_slip_is_named_in_words() {
        let here = Some(("admin write read offline_access", false));
        for (said, words) in [
            (
                &[("admin", &["writes"][..])][..],
                "`writes` is neither one of `scopes`",
            ),
            (
                &[("admni", &["write"])],
                "`admni` is neither one of `scopes`",
            ),
            (&[("admin", &[])], "`admin` implies nothing"),
            (&[("admin", &["a b"])], "\"a b\": a scope is made of"),
            (&[("", &["write"])], "\"\": a scope is made of"),
            (&[("admin", &["admin"])], "`admin` implies itself"),
            (
                &[("admin", &["write"]), ("write", &["admin"])],
                "`admin` implies `write`, and that implies `admin`",
            ),
            (&[("admin", &["offline_access"])], "`offline_access` says"),
            (&[("offline_access", &["read"])], "`offline_access` says"),
        ] {
            let error = checked(said, here).unwrap_err();
            assert!(
                error.starts_with("`scopes_imply`: ") && error.contains(words),
                "{error}"
            );
        }
        assert!(checked(&[("admin", &["write"]), ("write", &["read"])], here).is_ok());
    }

    #[test]
    fn a_token_of_another_server_may_have_a_scope_that_is_not_offered_here() {
        let said = &[("their-admin", &["read"][..])];
        assert!(checked(said, Some(("read", false))).is_err());
        assert!(checked(said, Some(("read", true))).is_ok());
        assert!(checked(said, None).is_ok());
        // What is implied is asked of clients, who have to be able to get it.
        assert!(checked(&[("their-admin", &["rad"][..])], Some(("read", true))).is_err());
    }
}

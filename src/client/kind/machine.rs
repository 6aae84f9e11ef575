//! What a configured client may do in its own name, without a person.

use crate::{
    client::auth::{AuthRule, ClientAuthMethod},
    limits::{MAX_ROLE_BYTES, MAX_ROLES},
    oauth::{ScopeSet, describable},
};

/// A client that may ask for tokens of its own, by `client_credentials`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// The most that its tokens may.
    pub(crate) scopes: ScopeSet,
    /// What guards see in its sessions.
    pub(crate) roles: Vec<String>,
}

/// The same as the operator says it.
#[derive(Clone, Debug, Default)]
pub(super) struct MachineWords {
    pub(super) is_machine: bool,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
}

impl MachineWords {
    /// The machine; `None` where the client is none.
    ///
    /// # Errors
    ///
    /// What is wrong with the client, behind its name.
    pub(super) fn checked(&self, id: &str, auth: AuthRule) -> Result<Option<Machine>, String> {
        if !self.is_machine {
            return match self.scopes.is_empty() && self.roles.is_empty() {
                true => Ok(None),
                false => Err(
                    "has scopes or roles of its own, and is no machine: say as_machine() too; the scopes \
                     that its logins ask for are default_scope, and roles are people's"
                        .to_owned(),
                ),
            };
        }
        // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by confidential clients."
        if auth == AuthRule::Exactly(ClientAuthMethod::None) {
            return Err(
                "is a machine that anyone could pass for: give it a secret or a key".to_owned(),
            );
        }
        // Its id is its subject: no other source of tokens may have a caller of that name.
        if id.contains('|') || id.starts_with("grant:") {
            return Err(
                "is a machine whose id could be somebody else's subject: it must hold no `|`, and not \
                 begin with `grant:`"
                    .to_owned(),
            );
        }
        Ok(Some(Machine {
            scopes: self.checked_scopes()?,
            roles: self.checked_roles()?,
        }))
    }

    fn checked_scopes(&self) -> Result<ScopeSet, String> {
        for scope in &self.scopes {
            if let Err(error) = ScopeSet::new([scope]) {
                return Err(format!("has the scope `{}`: {error}", describable(scope)));
            }
        }
        // RFC 6749 section 4.4.3: "A refresh token SHOULD NOT be included."
        if self.scopes.iter().any(|scope| scope == "offline_access") {
            return Err(
                "has the scope `offline_access`, and a machine gets no refresh token".to_owned(),
            );
        }
        let count = self.scopes.len();
        ScopeSet::new(&self.scopes).map_err(|error| format!("has {count} scopes: {error}"))
    }

    fn checked_roles(&self) -> Result<Vec<String>, String> {
        let is_role = |role: &&String| (1..=MAX_ROLE_BYTES).contains(&role.trim().len());
        if let Some(odd) = self.roles.iter().find(|role| !is_role(role)) {
            let odd = describable(odd);
            return Err(format!("has the role `{odd}`: a role has 1 to 256 bytes"));
        }
        match self.roles.len() {
            0..=MAX_ROLES => Ok(self.roles.clone()),
            count => Err(format!("has {count} roles, and at most {MAX_ROLES} count")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(scopes: &[&str], roles: &[&str]) -> MachineWords {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        MachineWords {
            is_machine: true,
            scopes: texts(scopes),
            roles: texts(roles),
        }
    }

    #[test]
    fn a_machine_has_the_scopes_and_roles_that_it_was_given_and_no_others() {
        let machine = words(&["read", "write"], &["bot"]).checked("ci", AuthRule::AnySecret);
        let machine = machine.unwrap().unwrap();
        assert_eq!(machine.scopes.to_string(), "read write");
        assert_eq!(machine.roles, ["bot"]);
        let none = words(&[], &[]).checked("ci", AuthRule::AnySecret);
        let none = none.unwrap().unwrap();
        assert!(none.scopes.is_empty() && none.roles.is_empty());
        let no_machine = MachineWords::default().checked("grant:|", AuthRule::AnySecret);
        assert_eq!(no_machine, Ok(None));
    }

    #[test]
    fn a_machine_that_could_pass_for_another_or_that_would_get_less_than_it_says_is_refused() {
        let public = AuthRule::Exactly(ClientAuthMethod::None);
        let many: Vec<_> = (0..65).map(|n| format!("r{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let long = "x".repeat(257);
        for (id, auth, words, says) in [
            ("ci", public, words(&[], &[]), "secret or a key"),
            ("key|ci", AuthRule::AnySecret, words(&[], &[]), "no `|`"),
            ("grant:1", AuthRule::AnySecret, words(&[], &[]), "grant:"),
            ("ci", AuthRule::AnySecret, words(&["a b"], &[]), "`a b`"),
            ("ci", AuthRule::AnySecret, words(&[""], &[]), "printable"),
            (
                "ci",
                AuthRule::AnySecret,
                words(&["offline_access"], &[]),
                "no refresh token",
            ),
            ("ci", AuthRule::AnySecret, words(&many, &[]), "65 scopes"),
            ("ci", AuthRule::AnySecret, words(&[], &many), "65 roles"),
            ("ci", AuthRule::AnySecret, words(&[], &[" "]), "1 to 256"),
            ("ci", AuthRule::AnySecret, words(&[], &[&long]), "1 to 256"),
            (
                "ci",
                AuthRule::AnySecret,
                MachineWords {
                    is_machine: false,
                    ..words(&["read"], &[])
                },
                "no machine",
            ),
            (
                "ci",
                AuthRule::AnySecret,
                MachineWords {
                    is_machine: false,
                    ..words(&[], &["bot"])
                },
                "no machine",
            ),
        ] {
            let why = words.checked(id, auth).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}

//! Whose a process is, what it was told of them, and whether a request may use it.

use std::collections::BTreeSet;

use tower_oauth_proxy::AuthSession;

use crate::identity::email;

/// A person with one client, or a program: nobody else reaches what is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    subject: Box<str>,
    client: Box<str>,
}

impl Owner {
    pub(super) fn of(session: &AuthSession) -> Self {
        Self {
            subject: session.subject().into(),
            client: session.client_id().into(),
        }
    }

    /// A client is made by registering one: what is bounded is the person.
    pub(super) fn is_same_person(&self, other: &Self) -> bool {
        self.subject == other.subject
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }
}

/// What a process is told of its owner when it starts. It goes on believing that as long as it lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    pub(super) subject: Box<str>,
    pub(super) client: Box<str>,
    pub(super) source: Box<str>,
    pub(super) is_person: bool,
    pub(super) email: Option<Box<str>>,
    pub(super) name: Option<Box<str>>,
    pub(super) scopes: BTreeSet<Box<str>>,
    pub(super) roles: BTreeSet<Box<str>>,
}

impl Told {
    /// An address that the provider does not vouch for is told only where the operator trusts any.
    pub(super) fn of(session: &AuthSession, trusts_any_email: bool) -> Self {
        let claims = session.claims();
        let text = |name: &str| {
            claims
                .get(name)
                .and_then(|value| value.as_str())
                .map(Box::from)
        };
        Self {
            subject: session.subject().into(),
            client: session.client_id().into(),
            source: session.source().as_str().into(),
            is_person: session.is_person(),
            email: email(session, trusts_any_email).map(Box::from),
            name: text("name"),
            scopes: session.effective_scopes().iter().map(Box::from).collect(),
            roles: session
                .roles()
                .iter()
                .map(|role| role.as_str().into())
                .collect(),
        }
    }

    /// Whether a process that was told this may work for a request that carries `now`. More is fine: after a step-up
    /// the client goes on. Less is not: the process would do what the token no longer allows.
    pub(super) fn still_holds(&self, now: &Self) -> bool {
        let Self {
            subject,
            client,
            source,
            is_person,
            email,
            name,
            scopes,
            roles,
        } = self;
        *subject == now.subject
            && *client == now.client
            && *source == now.source
            && *is_person == now.is_person
            && (email.is_none() || *email == now.email)
            && (name.is_none() || *name == now.name)
            && scopes.is_subset(&now.scopes)
            && roles.is_subset(&now.roles)
    }
}

#[cfg(test)]
mod tests {
    use tower_oauth_proxy::testing::session;

    use super::*;

    fn told(scopes: &[&str], roles: &[&str]) -> Told {
        let (scopes, roles) = (scopes.iter().copied(), roles.iter().copied());
        Told::of(
            &session("ada")
                .scopes(scopes)
                .roles(roles)
                .claim("email", "ada@example.com")
                .claim("email_verified", true)
                .build(),
            false,
        )
    }

    #[test]
    fn more_than_was_told_is_fine_and_less_is_not() {
        let was = told(&["read", "write"], &["staff"]);
        assert!(was.still_holds(&was));
        assert!(was.still_holds(&told(&["read", "write", "admin"], &["staff", "boss"])));
        assert!(!was.still_holds(&told(&["read"], &["staff"])));
        assert!(!was.still_holds(&told(&["read", "write"], &[])));
    }

    #[test]
    fn another_name_or_address_is_told_to_another_process() {
        let now = told(&[], &[]);
        let was = |email: Option<&str>, name: Option<&str>| Told {
            email: email.map(Box::from),
            name: name.map(Box::from),
            ..now.clone()
        };
        assert!(!was(Some("eve@example.com"), None).still_holds(&now));
        assert!(!was(Some("ada@example.com"), Some("Ada")).still_holds(&now));
        // With more scopes a provider tells more.
        assert!(was(None, None).still_holds(&now));
    }

    #[test]
    fn an_address_that_is_not_verified_is_not_told() {
        let told = |verified: Option<serde_json::Value>, trusts_any| {
            let ada = session("ada").claim("email", "a@example.com");
            let ada = match verified {
                Some(verified) => ada.claim("email_verified", verified),
                None => ada,
            };
            Told::of(&ada.build(), trusts_any).email
        };
        let cases = [
            None,
            Some(false.into()),
            Some("false".into()),
            Some(1.into()),
        ];
        for verified in cases {
            assert_eq!(told(verified.clone(), false), None, "{verified:?}");
            let any = told(verified.clone(), true);
            assert_eq!(any.as_deref(), Some("a@example.com"), "{verified:?}");
        }
        for verified in [true.into(), "true".into()] {
            assert_eq!(
                told(Some(verified), false).as_deref(),
                Some("a@example.com")
            );
        }
    }

    #[test]
    fn another_client_of_the_same_person_is_another_owner() {
        let owner =
            |subject: &str, client: &str| Owner::of(&session(subject).client(client).build());
        assert_eq!(owner("ada", "one"), owner("ada", "one"));
        assert_ne!(owner("ada", "one"), owner("ada", "two"));
        assert_ne!(owner("ada", "one"), owner("bob", "one"));
        assert!(owner("ada", "one").is_same_person(&owner("ada", "two")));
        assert!(!owner("ada", "one").is_same_person(&owner("bob", "one")));
    }
}

//! Whom an event is about: everything but the step and what came of it.

use std::fmt;

use crate::{
    limits::{MAX_EVENT_CLIENT, MAX_EVENT_SCOPES, MAX_EVENT_TEXT},
    oauth::printable,
};

/// The login or the grant, the client, the person, the provider and what was asked for, as far as they are known.
///
/// Each text is printable and bounded from the start: some come from strangers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Who {
    pub(super) login: Option<String>,
    pub(super) grant: Option<String>,
    pub(super) client: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) redirect_host: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) email: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) scopes: Option<String>,
}

impl Who {
    /// The id of the login, where it is one's.
    pub(crate) fn of_login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    /// `None` for an empty text.
    fn shown(text: &str, limit: usize) -> Option<String> {
        let shown = printable(text, limit);
        Some(shown).filter(|shown| !shown.is_empty())
    }

    #[must_use]
    pub(crate) fn login(mut self, id: &str) -> Self {
        self.login = Self::shown(id, MAX_EVENT_TEXT);
        self
    }

    #[must_use]
    pub(crate) fn grant(mut self, id: impl fmt::Display) -> Self {
        self.grant = Self::shown(&id.to_string(), MAX_EVENT_TEXT);
        self
    }

    /// The client's id, and its name where it is known here.
    #[must_use]
    pub(crate) fn client(mut self, id: &str, name: Option<&str>) -> Self {
        self.client = Self::shown(id, MAX_EVENT_CLIENT);
        self.client_name = name.and_then(|name| Self::shown(name, MAX_EVENT_TEXT));
        self
    }

    /// Where the answer of the login goes: a host with its port, or a scheme.
    #[must_use]
    pub(crate) fn redirect_host(mut self, host: &str) -> Self {
        self.redirect_host = Self::shown(host, MAX_EVENT_TEXT);
        self
    }

    /// The person: their subject at the provider or here, and their address.
    #[must_use]
    pub(crate) fn person(mut self, subject: Option<&str>, email: Option<&str>) -> Self {
        let shown = |text| Self::shown(text, MAX_EVENT_TEXT);
        self.subject = subject.and_then(shown);
        self.email = email.and_then(shown);
        self
    }

    #[must_use]
    pub(crate) fn provider(mut self, id: &str) -> Self {
        self.provider = Self::shown(id, MAX_EVENT_TEXT);
        self
    }

    /// The resource and the scopes, asked for or granted.
    #[must_use]
    pub(crate) fn access(mut self, resource: &str, scopes: impl fmt::Display) -> Self {
        self.resource = Self::shown(resource, MAX_EVENT_CLIENT);
        self.scopes = Self::shown(&scopes.to_string(), MAX_EVENT_SCOPES);
        self
    }

    /// This, and of the other what this does not know.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            login: self.login.or(other.login),
            grant: self.grant.or(other.grant),
            // A name belongs to its id.
            client_name: match self.client.is_some() && self.client != other.client {
                true => self.client_name,
                false => self.client_name.or(other.client_name),
            },
            client: self.client.or(other.client),
            redirect_host: self.redirect_host.or(other.redirect_host),
            subject: self.subject.or(other.subject),
            email: self.email.or(other.email),
            provider: self.provider.or(other.provider),
            resource: self.resource.or(other.resource),
            scopes: self.scopes.or(other.scopes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_says_of_itself_is_printable_and_bounded() {
        let who = Who::default()
            .client(&"x\n".repeat(10_000), Some("Good\u{202e}\r\nName"))
            .person(Some("a\0b"), None);
        let client = who.client.unwrap();
        assert!(client.starts_with("x\u{fffd}x"));
        assert_eq!(client.chars().count(), MAX_EVENT_CLIENT);
        assert_eq!(who.client_name.unwrap(), "Good\u{fffd}\u{fffd}\u{fffd}Name");
        assert_eq!(who.subject.unwrap(), "a\u{fffd}b");
        assert_eq!(Who::default().client("", Some("")), Who::default());
    }

    #[test]
    fn what_is_known_stands_and_a_name_is_not_given_to_another_client() {
        let (one, other) = (
            Who::default().client("one", None).login("l"),
            Who::default().client("other", Some("Other")).provider("p"),
        );
        let both = one.or(other.clone());
        assert_eq!(both.client.as_deref(), Some("one"));
        assert_eq!(both.client_name, None);
        assert_eq!(both.provider.as_deref(), Some("p"));
        let named = Who::default().client("other", None).or(other);
        assert_eq!(named.client_name.as_deref(), Some("Other"));
    }
}

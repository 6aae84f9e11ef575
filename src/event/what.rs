//! The event.

use std::{fmt, sync::Arc};

use super::{reason::Reason, step::Step, told::Told, who::Who};
use crate::{
    limits::{MAX_DETAIL, MAX_EVENT_TEXT},
    oauth::printable,
};

/// What happened, to whom and why, without anything secret.
///
/// Every text is printable and bounded: no stranger's input starts a new line in a log or reorders it. Each is
/// `None` where it is not known at that step. [`event_detail`](crate::OAuthProxyConfigBuilder::event_detail) can
/// leave the person out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// The step it is about.
    pub step: Step,
    /// `None` when the step succeeded.
    pub reason: Option<Reason>,
    /// The login it belongs to, from authorize to callback. The page that the person sees has the same.
    pub login: Option<String>,
    /// The grant it belongs to, from callback to revocation. The event of a completed callback has both.
    pub grant: Option<String>,
    /// The `client_id`. At a refusal it may be one that no client has.
    pub client: Option<String>,
    /// What the client calls itself, or the operator calls it: a claim, where it registered.
    pub client_name: Option<String>,
    /// Where the login's answer goes: the redirect URI's host and port, or its scheme.
    pub redirect_host: Option<String>,
    /// The person, or the machine: their `sub` here.
    pub subject: Option<String>,
    /// The person's e-mail address, as the provider says it, verified or not.
    pub email: Option<String>,
    /// The id of the provider, for a login that goes to it or comes back from it, and for its grant.
    pub provider: Option<String>,
    /// The resource that is asked for or was granted.
    pub resource: Option<String>,
    /// The scopes that are asked for or were granted, separated by spaces.
    pub scopes: Option<String>,
    /// The instance that says so: see
    /// [`instance_name`](crate::OAuthProxyConfigBuilder::instance_name).
    pub instance: Option<Arc<str>>,
    /// More words for the operator: which option, which value, and what the provider said.
    pub detail: Option<String>,
    /// The detail without what only this person's claims say.
    pub(super) without_person: Option<String>,
}

impl Event {
    /// A step that succeeded.
    pub(crate) fn done(step: Step) -> Self {
        Self {
            step,
            reason: None,
            login: None,
            grant: None,
            client: None,
            client_name: None,
            redirect_host: None,
            subject: None,
            email: None,
            provider: None,
            resource: None,
            scopes: None,
            instance: None,
            detail: None,
            without_person: None,
        }
    }

    /// A step that was refused.
    pub(crate) fn refused(step: Step, reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::done(step)
        }
    }

    /// Whom it is about, beside what it says already.
    #[must_use]
    pub(crate) fn about(self, who: Who) -> Self {
        let known = Who {
            login: self.login,
            grant: self.grant,
            client: self.client,
            client_name: self.client_name,
            redirect_host: self.redirect_host,
            subject: self.subject,
            email: self.email,
            provider: self.provider,
            resource: self.resource,
            scopes: self.scopes,
        };
        let Who {
            login,
            grant,
            client,
            client_name,
            redirect_host,
            subject,
            email,
            provider,
            resource,
            scopes,
        } = known.or(who);
        Self {
            login,
            grant,
            client,
            client_name,
            redirect_host,
            subject,
            email,
            provider,
            resource,
            scopes,
            ..self
        }
    }

    #[must_use]
    pub(crate) fn login(self, id: impl AsRef<str>) -> Self {
        self.about(Who::default().login(id.as_ref()))
    }

    #[must_use]
    pub(crate) fn grant(self, id: impl fmt::Display) -> Self {
        self.about(Who::default().grant(id))
    }

    #[must_use]
    pub(crate) fn client(self, id: &str, name: Option<&str>) -> Self {
        self.about(Who::default().client(id, name))
    }

    /// The client's name, where it was not said with the id.
    pub(super) fn with_client_name(mut self, name: Option<&str>) -> Self {
        self.client_name = name.map(|name| printable(name, MAX_EVENT_TEXT));
        self
    }

    #[must_use]
    pub(crate) fn person(self, subject: Option<&str>, email: Option<&str>) -> Self {
        self.about(Who::default().person(subject, email))
    }

    #[must_use]
    pub(crate) fn provider(self, id: impl AsRef<str>) -> Self {
        self.about(Who::default().provider(id.as_ref()))
    }

    /// Adds words for the operator. Invisible characters are replaced, so that no stranger's input starts a
    /// new line in a log or reorders it.
    #[must_use]
    pub(crate) fn detail(self, detail: impl fmt::Display) -> Self {
        self.told(&detail.to_string().into())
    }

    /// The same with words that may quote a person's claims.
    #[must_use]
    pub(crate) fn told(mut self, words: &Told) -> Self {
        let shown = |text: &String| printable(text, MAX_DETAIL);
        self.detail = Some(shown(&words.full));
        self.without_person = words.without_person.as_ref().map(shown);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_cannot_forge_a_log_line_or_reorder_text() {
        let event = Event::refused(Step::Register, Reason::Malformed)
            .detail(format!("a\r\nb\u{202e}c{}", "x".repeat(1_000)));
        let detail = event.detail.unwrap();
        assert!(detail.starts_with("a\u{fffd}\u{fffd}b\u{fffd}c"));
        assert_eq!(detail.chars().count(), MAX_DETAIL);
    }

    #[test]
    fn what_an_event_says_already_stands() {
        let event = Event::done(Step::Callback).login("one").provider("main");
        let event = event.about(Who::default().login("other").client("app", Some("App")));
        assert_eq!(event.login.as_deref(), Some("one"));
        assert_eq!(event.provider.as_deref(), Some("main"));
        assert_eq!(event.client_name.as_deref(), Some("App"));
    }
}

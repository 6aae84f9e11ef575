//! A refusal on its way out: what the client reads, and why, for the operator.

use std::fmt;

use http::StatusCode;

use super::{
    answer,
    refusal_hint::{Hint, hinted},
    visit::Visit,
};
use crate::{
    body::OwnResponse,
    error::{OAuthError, OAuthErrorCode},
    event::{Event, Reason, Step, Told, Who},
    grant::GrantId,
    page::{Failure, Page, Situation},
    proxy::Proxy,
};

/// An OAuth error with its finite reason.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) error: OAuthError,
    told: Option<Box<Told>>,
    who: Box<Who>,
    pub(super) hint: Option<Hint>,
}

impl Refusal {
    pub(super) fn new(
        reason: Reason,
        code: OAuthErrorCode,
        description: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::from_error(reason, OAuthError::new(code, description))
    }

    pub(super) fn from_error(reason: Reason, error: OAuthError) -> Self {
        Self {
            reason,
            error,
            told: None,
            who: Box::default(),
            hint: None,
        }
    }

    /// A dead, reused or foreign code or refresh token: the client learns no more than that.
    pub(super) fn grant(reason: Reason) -> Self {
        let code = OAuthErrorCode::InvalidGrant;
        Self::new(reason, code, "the grant is not valid, or no longer")
    }

    pub(super) fn unavailable(reason: Reason) -> Self {
        Self::new(
            reason,
            OAuthErrorCode::TemporarilyUnavailable,
            "this cannot be answered right now; nothing has changed, try again",
        )
    }

    pub(super) fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.error = self.error.with_detail(detail);
        self
    }

    /// Other words for the client.
    pub(super) fn describe(mut self, words: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.error.description = OAuthError::new(self.error.code, words).description;
        self
    }

    /// What the operator reads of it, where that may quote a person's claims.
    pub(super) fn told(mut self, words: Told) -> Self {
        self.told = Some(Box::new(words));
        self
    }

    pub(super) fn of(self, grant: GrantId) -> Self {
        self.about(Who::default().grant(grant))
    }

    /// Whom it is about. What was said before stands.
    pub(super) fn about(mut self, who: Who) -> Self {
        *self.who = std::mem::take(&mut *self.who).or(who);
        self
    }

    pub(super) fn with_basic_challenge(mut self, tried: bool) -> Self {
        if tried && self.error.status == StatusCode::UNAUTHORIZED {
            self.hint = Some(Hint::Basic);
        }
        self
    }

    pub(super) fn without_content_coding(mut self) -> Self {
        self.hint = Some(Hint::NoContentCoding);
        self
    }

    /// The event of this refusal.
    pub(super) fn event(&self, step: Step) -> Event {
        let event = Event::refused(step, self.reason).about((*self.who).clone());
        match (&self.told, &self.error.detail) {
            (Some(told), _) => event.told(told),
            (None, Some(detail)) => event.detail(detail),
            (None, None) => event.detail(&self.error.description),
        }
    }

    /// Reports to the operator, and shows the person a page of the same id.
    pub(super) fn into_page(
        self,
        proxy: &Proxy,
        step: Step,
        situation: Situation,
        visit: &Visit<'_>,
    ) -> OwnResponse {
        self.into_page_with(proxy, step, situation, visit, None)
    }

    /// The same with a link to a URL of ours, which does the same once more. An empty one leads to where the
    /// browser is: no page has to repeat what stands in its address.
    pub(super) fn into_page_with(
        self,
        proxy: &Proxy,
        step: Step,
        situation: Situation,
        visit: &Visit<'_>,
        again: Option<&str>,
    ) -> OwnResponse {
        let id = self
            .who
            .of_login()
            .map_or_else(|| visit.id(), str::to_owned);
        let refusal = self.about(Who::default().login(&id));
        proxy.emit(&refusal.event(step));
        let page = Page::Failure(Failure { situation, again });
        let page = answer::page(&visit.in_login(&id), refusal.error.status, &page);
        hinted(refusal.hint, page)
    }

    /// Reports to the operator, and answers the client in JSON.
    pub(super) fn into_json(self, proxy: &Proxy, step: Step) -> OwnResponse {
        proxy.emit(&self.event(step));
        hinted(self.hint, answer::error(&self.error))
    }
}

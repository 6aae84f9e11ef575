//! A refusal on its way out: what the client reads, and why, for the operator.

use std::fmt;

use http::{HeaderName, HeaderValue, StatusCode, header};

use super::answer;
use crate::{
    body::OwnResponse,
    client::{Client, Identified},
    error::{OAuthError, OAuthErrorCode, StorageError, with_causes},
    event::{Event, Reason, Step},
    grant::{FreshnessError, GrantId},
    login::{
        LoginError, NoCode, NotNow,
        admission::{AdmissionError, NotAdmitted},
        request::RequestError,
    },
    oauth::ParamsError,
    page::Situation,
    provider::{IdentityError, UpstreamError},
    proxy::Proxy,
};

/// An OAuth error with its finite reason.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) error: OAuthError,
    grant: Option<GrantId>,
    login: Option<Box<str>>,
    hint: Option<Hint>,
}

/// What a header says in addition.
#[derive(Debug, Clone, Copy)]
enum Hint {
    /// RFC 6749 section 5.2, of a client that tried HTTP Basic: "the authorization server MUST
    /// respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response
    /// header field matching the authentication scheme used".
    Basic,
    /// RFC 9110 section 15.5.16: "If the problem was caused by an unsupported content coding, the
    /// Accept-Encoding response header field ought to be used".
    NoContentCoding,
}

impl Hint {
    fn header(self) -> (HeaderName, HeaderValue) {
        let (name, value) = match self {
            Self::Basic => (header::WWW_AUTHENTICATE, "Basic realm=\"oauth\""),
            Self::NoContentCoding => (header::ACCEPT_ENCODING, "identity"),
        };
        (name, HeaderValue::from_static(value))
    }
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
            grant: None,
            login: None,
            hint: None,
        }
    }

    /// A dead, reused or foreign code or refresh token: the client learns no more than that.
    pub(super) fn grant(reason: Reason) -> Self {
        Self::new(
            reason,
            OAuthErrorCode::InvalidGrant,
            "the grant is not valid, or no longer",
        )
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

    pub(super) fn of(mut self, grant: GrantId) -> Self {
        self.grant = Some(grant);
        self
    }

    /// Names the login that it belongs to, by its id.
    pub(super) fn in_login(mut self, id: &str) -> Self {
        self.login = Some(id.into());
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
        let mut event = Event::refused(step, self.reason);
        if let Some(grant) = &self.grant {
            event = event.grant(grant.to_string());
        }
        if let Some(login) = &self.login {
            event = event.transaction(&**login);
        }
        match &self.error.detail {
            Some(detail) => event.detail(detail),
            None => event.detail(&self.error.description),
        }
    }

    /// Reports to the operator, and shows the person a page.
    pub(super) fn into_page(self, proxy: &Proxy, step: Step, situation: Situation) -> OwnResponse {
        proxy.emit(&self.event(step));
        answer::message(proxy, self.error.status, situation)
    }

    /// Reports to the operator, and answers the client in JSON.
    pub(super) fn into_json(self, proxy: &Proxy, step: Step) -> OwnResponse {
        proxy.emit(&self.event(step));
        let mut response = answer::error(&self.error);
        response.headers_mut().extend(self.hint.map(Hint::header));
        response
    }
}

/// The provider's trouble, to the client: neither its fault nor its business.
const NOT_COMPLETED: &str = "the identity provider did not complete the login";

/// Who asks, where a person waits in the browser; else the page that they see.
pub(super) async fn client_in_browser(
    proxy: &Proxy,
    client_id: &str,
) -> Result<Client, (Refusal, Situation)> {
    let refused = |reason, detail: &dyn fmt::Display, situation| {
        let error = OAuthError::new(OAuthErrorCode::InvalidClient, detail.to_string());
        let error = error.with_status(StatusCode::BAD_REQUEST);
        Err((Refusal::from_error(reason, error), situation))
    };
    match proxy.clients.identify(client_id).await {
        Identified::Client(client) => Ok(client),
        Identified::Unknown(why) => refused(Reason::UnknownClient, &why, Situation::UnknownClient),
        Identified::Denied => {
            let detail = &"the operator denied the client";
            refused(Reason::DeniedClient, detail, Situation::DeniedClient)
        }
        Identified::Later(error) => Err((error.into(), Situation::CannotStart)),
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::new(error.reason(), error.code(), error.to_string())
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::from(&error)
    }
}

impl From<&StorageError> for Refusal {
    fn from(error: &StorageError) -> Self {
        if let StorageError::TooLarge { .. } = error {
            // Trying again would not make it smaller.
            let text = "the provider's tokens and claims are too large to keep";
            let refusal = Self::new(Reason::TooLarge, OAuthErrorCode::ServerError, text);
            return refusal.detail(error);
        }
        Self::unavailable(Reason::StoreUnavailable).detail(with_causes(&error))
    }
}

impl From<FreshnessError> for Refusal {
    fn from(error: FreshnessError) -> Self {
        match error {
            FreshnessError::Store(error) => error.into(),
            FreshnessError::Later => Self::unavailable(Reason::ProviderUnavailable),
            FreshnessError::Over => Self::grant(Reason::GrantEnded),
        }
    }
}

impl From<&UpstreamError> for Refusal {
    /// The provider's trouble in our words: it is neither the client's fault nor its business.
    fn from(error: &UpstreamError) -> Self {
        let (reason, code) = match error {
            // Its API refuses the token that was issued just now, or the request: no retry mends that.
            UpstreamError::Rejected { .. }
            | UpstreamError::TokenRefused { .. }
            | UpstreamError::NotPermitted { .. } => {
                (Reason::ProviderRejected, OAuthErrorCode::ServerError)
            }
            UpstreamError::Malformed(_) => (Reason::ProviderMalformed, OAuthErrorCode::ServerError),
            _ => (
                Reason::ProviderUnavailable,
                OAuthErrorCode::TemporarilyUnavailable,
            ),
        };
        Self::new(reason, code, NOT_COMPLETED).detail(error)
    }
}

impl From<&LoginError> for Refusal {
    fn from(error: &LoginError) -> Self {
        match error {
            LoginError::NoCode(error) => error.into(),
            LoginError::Exchange(error) => error.into(),
            LoginError::Replayed => Self::new(
                Reason::Replayed,
                OAuthErrorCode::InvalidRequest,
                error.to_string(),
            ),
            LoginError::Store(error) => error.into(),
            LoginError::NotAdmitted(error) => error.into(),
        }
    }
}

impl From<&NoCode> for Refusal {
    fn from(error: &NoCode) -> Self {
        let (reason, text) = match error {
            NoCode::Error { .. } => (
                Reason::ProviderDenied,
                "the identity provider refused the login",
            ),
            NoCode::ForeignIssuer => (Reason::ProviderDenied, NOT_COMPLETED),
            NoCode::Unreadable(_) => (Reason::ProviderMalformed, NOT_COMPLETED),
        };
        Self::new(reason, error.code(), text).detail(error)
    }
}

impl From<&AdmissionError> for Refusal {
    fn from(error: &AdmissionError) -> Self {
        let denied = OAuthErrorCode::AccessDenied;
        match error {
            AdmissionError::Identity(IdentityError::Upstream(error)) => error.into(),
            AdmissionError::Identity(error) => {
                Self::new(Reason::IdToken, OAuthErrorCode::ServerError, NOT_COMPLETED).detail(error)
            }
            AdmissionError::Operator(NotAdmitted::No {
                reason,
                description,
                detail,
            }) => Self::new(*reason, denied, description.clone()).detail(detail),
            AdmissionError::Operator(NotAdmitted::Later { detail }) => {
                Self::unavailable(Reason::HookDenied).detail(detail)
            }
            AdmissionError::NoScope => Self::new(Reason::Scope, denied, error.to_string()),
            AdmissionError::Store(error) => error.into(),
        }
    }
}

impl From<NotNow> for Refusal {
    fn from(error: NotNow) -> Self {
        let reason = match &error {
            NotNow::Store(error) => return error.into(),
            NotNow::Crowded => Reason::Busy,
            NotNow::Contended => Reason::Contention,
            NotNow::Ended => Reason::ProviderUnavailable,
        };
        Self::unavailable(reason).detail(error)
    }
}

impl From<ParamsError> for Refusal {
    fn from(error: ParamsError) -> Self {
        let reason = match &error {
            ParamsError::Duplicate { .. } => Reason::DuplicateParameter,
            ParamsError::TooMany | ParamsError::TooLong => Reason::TooLarge,
            ParamsError::Malformed => Reason::Malformed,
        };
        Self::new(reason, OAuthErrorCode::InvalidRequest, error.to_string())
    }
}

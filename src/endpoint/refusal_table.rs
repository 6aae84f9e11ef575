//! What each error of the rooms below becomes: code and words for the client, a reason for the operator.

use super::refusal::Refusal;
use crate::{
    error::{OAuthErrorCode, StorageError, with_causes},
    event::Reason,
    grant::FreshnessError,
    login::{
        LoginError, NoCode, NotNow,
        admission::{AdmissionError, NotAdmitted},
        request::RequestError,
    },
    oauth::ParamsError,
    provider::{IdentityError, UpstreamError},
};

/// The provider's trouble, to the client: neither its fault nor its business.
const NOT_COMPLETED: &str = "the identity provider did not complete the login";

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
            FreshnessError::Ended => Self::grant(Reason::GrantEnded),
        }
    }
}

impl From<&UpstreamError> for Refusal {
    /// The provider's trouble in our words: it is neither the client's fault nor its business.
    fn from(error: &UpstreamError) -> Self {
        let code = match error {
            // Its API refuses the token that was issued just now, or the request: no retry mends that.
            UpstreamError::Rejected { .. }
            | UpstreamError::TokenRefused { .. }
            | UpstreamError::NotPermitted { .. }
            | UpstreamError::Malformed(_) => OAuthErrorCode::ServerError,
            UpstreamError::Discovery(why) if !why.is_passing() => OAuthErrorCode::ServerError,
            _ => OAuthErrorCode::TemporarilyUnavailable,
        };
        Self::new(error.reason(), code, NOT_COMPLETED).told(error.told())
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
            LoginError::NotAdmitted(no) => Self::from(&no.error).about(no.who.clone()),
        }
    }
}

impl From<&NoCode> for Refusal {
    fn from(error: &NoCode) -> Self {
        let (reason, text) = match error {
            NoCode::Provider(error) => return error.into(),
            NoCode::Error { .. } => (
                Reason::ProviderDenied,
                "the identity provider refused the login",
            ),
            NoCode::ForeignIssuer | NoCode::NoIssuer | NoCode::OtherCallback => {
                (Reason::ProviderDenied, NOT_COMPLETED)
            }
            NoCode::Unreadable(_) => (Reason::ProviderMalformed, NOT_COMPLETED),
        };
        Self::new(reason, error.code(), text).told(error.told())
    }
}

impl From<&AdmissionError> for Refusal {
    fn from(error: &AdmissionError) -> Self {
        let denied = OAuthErrorCode::AccessDenied;
        match error {
            AdmissionError::Identity(IdentityError::Upstream(error)) => error.into(),
            AdmissionError::Identity(_) | AdmissionError::Ambiguous => {
                Self::new(Reason::IdToken, OAuthErrorCode::ServerError, NOT_COMPLETED).detail(error)
            }
            AdmissionError::Operator(NotAdmitted::No {
                reason,
                description,
                detail,
            }) => Self::new(*reason, denied, description.clone()).told(detail.clone()),
            AdmissionError::Operator(NotAdmitted::Later { detail }) => {
                Self::unavailable(Reason::HookDenied).told(detail.clone())
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

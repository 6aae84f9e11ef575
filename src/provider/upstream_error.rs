//! Why a provider's answer is not usable, and what that does to the grant it was for.

use super::discovery_error::DiscoveryError;
use crate::event::{Reason, Told};

/// Why the identity provider's answer is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// No connection, or it broke.
    #[error("the provider could not be reached: {0}")]
    Transport(String),
    /// No answer within the configured time.
    #[error("the provider did not answer in time")]
    Timeout,
    /// The provider refused in its own words. What that does to a grant depends on the code, which not every provider means alike.
    #[error("the provider refused with status {status}: {code}{}", after(description.as_deref()))]
    Rejected {
        /// The HTTP status of the answer (some providers refuse with 200).
        status: u16,
        /// The provider's `error`; where it has none, the words in its place. Bounded and printable.
        code: String,
        /// The provider's `error_description`, bounded and printable.
        description: Option<String>,
        /// What this refusal does to the grant.
        finality: Finality,
    },
    /// The provider's API refuses the access token itself (401, or `invalid_token`).
    #[error("the provider refused the access token with status {status}{}", after(said.as_deref()))]
    TokenRefused {
        /// The HTTP status of the answer.
        status: u16,
        /// What the provider said, bounded and printable.
        said: Option<String>,
    },
    /// The provider's API does not let this token read this document (any other 403, and 404).
    #[error("the provider does not permit the request, status {status}{}", after(said.as_deref()))]
    NotPermitted {
        /// The HTTP status of the answer.
        status: u16,
        /// What the provider said, bounded and printable.
        said: Option<String>,
    },
    /// The provider failed on its own side, or something in front of it answered (5xx, 429, a page).
    #[error("the provider failed with status {status}{}", after(said.as_deref()))]
    Failed {
        /// The HTTP status of the answer.
        status: u16,
        /// What was said, or the media type of a page; bounded and printable.
        said: Option<String>,
    },
    /// There is nothing to prove to the provider with that the proxy is its app. It was not asked.
    #[error("there is no credential to show to the provider: {0}")]
    Credential(String),
    /// The answer is not what the protocol asks for.
    #[error("the provider's answer is malformed: {0}")]
    Malformed(String),
    /// Where the provider is, or what it can do, is not known: it says so itself.
    #[error("{0}")]
    Discovery(#[from] DiscoveryError),
    /// The keys that its ID tokens are verified with could not be had.
    #[error("the provider's keys cannot be read: {0}")]
    Keys(String),
}

impl UpstreamError {
    /// In words for the operator. What the provider says may name a person.
    pub(crate) fn told(&self) -> Told {
        match self {
            Self::Rejected {
                status,
                code,
                description,
                ..
            } => Told::quoting_error(
                format_args!("the provider refused with status {status}"),
                (code.as_str(), format_args!(": {code}")),
                description.as_deref(),
            ),
            Self::TokenRefused { status, said } => Told::quoting(
                format_args!("the provider refused the access token with status {status}"),
                said.as_deref(),
            ),
            Self::NotPermitted { status, said } => Told::quoting(
                format_args!("the provider does not permit the request, status {status}"),
                said.as_deref(),
            ),
            Self::Failed { status, said } => Told::quoting(
                format_args!("the provider failed with status {status}"),
                said.as_deref(),
            ),
            other => other.to_string().into(),
        }
    }

    /// What an event calls it.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Rejected { .. } | Self::TokenRefused { .. } | Self::NotPermitted { .. } => {
                Reason::ProviderRejected
            }
            Self::Malformed(_) => Reason::ProviderMalformed,
            Self::Discovery(error) if !error.is_passing() => Reason::ProviderMalformed,
            Self::Credential(_) => Reason::ClientCredential,
            _ => Reason::ProviderUnavailable,
        }
    }
}

/// How final a provider's answer to a renewal is for the grant that it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finality {
    /// The provider's own word that this token is dead: the person has to come again.
    Ends,
    /// A refusal that may be for good, and does not say so: it ends the grant once it has stood for
    /// a bounded time.
    Bounded,
    /// Nothing was decided about this grant, however long it lasts.
    Trouble,
}

fn after(said: Option<&str>) -> String {
    said.map(|said| format!(": {said}")).unwrap_or_default()
}

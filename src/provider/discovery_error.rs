//! Why a provider's document about itself is of no use, in words for the operator.

/// Why a provider's document about itself is of no use. Nothing is lost: the next login asks again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// It could not be had: what was asked, and what came.
    #[error("the discovery document cannot be read: {0}")]
    Fetch(String),
    /// An endpoint that is needed now, by its name in the document.
    #[error("the discovery document names no `{0}`")]
    Missing(&'static str),
}

impl DiscoveryError {
    /// Whether it may be otherwise in a moment, without anyone mending anything.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Fetch(_))
    }
}

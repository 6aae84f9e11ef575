//! What is wrong, in sentences.

/// What is wrong with an app, and what to do about it, in sentences.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mistake(String);

impl Mistake {
    pub(super) fn new(sentences: impl Into<String>) -> Self {
        Self(sentences.into())
    }

    pub(super) fn err<T>(sentences: impl Into<String>) -> Result<T, Self> {
        Err(Self::new(sentences))
    }
}

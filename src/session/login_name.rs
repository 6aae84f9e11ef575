//! What the login behind a session is called.

use crate::grant::GrantName;

/// What the login behind a session is called, or the token where none is.
pub(crate) enum LoginName {
    Grant(GrantName),
    /// The `jti` of a machine's token, which no grant stands behind.
    Token(Box<str>),
    #[cfg(feature = "testing")]
    MadeUp(String),
}

impl LoginName {
    pub(super) fn grant(&self) -> Option<&str> {
        match self {
            Self::Grant(name) => Some(name.as_str()),
            Self::Token(_) => None,
            #[cfg(feature = "testing")]
            Self::MadeUp(name) => Some(name),
        }
    }
}

//! With whom the remedy of a refusal lies.

use std::fmt;

/// With whom the remedy of a [`Reason`](crate::Reason) lies, most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The client, or the person who wrote or set it up.
    Client,
    /// The person who logs in, or their browser.
    Person,
    /// The operator of this service: an option, a secret, a registration at the provider.
    Operator,
    /// The identity provider, or another server that was asked.
    Provider,
    /// The store.
    Store,
    /// No one: it is how the protocol goes, and mends itself.
    NoOne,
}

impl Fault {
    /// The word for logs and labels. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Person => "person",
            Self::Operator => "operator",
            Self::Provider => "provider",
            Self::Store => "store",
            Self::NoOne => "no_one",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! Which part of the protocol an event is about.

use std::fmt;

/// The enum, its list and its words, from one table: nothing can be missing in one of them.
macro_rules! steps {
    ($($(#[doc = $meaning:literal])+ $step:ident = $word:literal,)+) => {
        /// Which part of the protocol an event is about.
        ///
        /// [The chapter on events](crate::docs::events) has all of them in a table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Step {
            $($(#[doc = $meaning])+ $step,)+
        }

        impl Step {
            /// Every step, in the order of a login.
            pub const ALL: &[Self] = &[$(Self::$step),+];

            /// The word for logs, labels and alerts. It does not change.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$step => $word,)+
                }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$step => concat!($($meaning),+).trim_ascii(),)+
                }
            }
        }
    };
}

steps! {
    /// The configuration, once at start.
    Configuration = "configuration",
    /// A client registered itself.
    Register = "register",
    /// An authorization request was validated.
    Authorize = "authorize",
    /// A person decided on the consent page.
    Consent = "consent",
    /// The provider sent the person back.
    Callback = "callback",
    /// A person who is back from the provider saw the account page, and decided there.
    Account = "account",
    /// A client redeemed an authorization code.
    Redeem = "redeem",
    /// A client used its refresh token.
    Refresh = "refresh",
    /// A client asked for a token in its own name, without a person.
    ClientCredentials = "client_credentials",
    /// A client brought an assertion of a trusted issuer instead of a login.
    Assertion = "assertion",
    /// A client revoked a token, a grant ended to make room for another, or the operator ended grants or denied a client.
    Revoke = "revoke",
    /// A service asked about a token. Only refusals are reported: what was not active, and services that may
    /// not ask.
    Introspect = "introspect",
    /// A bearer token was checked. Only refusals are reported: successes are the hot path.
    Bearer = "bearer",
    /// A guard on a route or in an extractor was asked. Only refusals are reported.
    Guard = "guard",
    /// The provider's access token was renewed.
    UpstreamRefresh = "upstream_refresh",
    /// The provider was asked to revoke its token.
    UpstreamRevoke = "upstream_revoke",
    /// A document of another server was fetched, such as its keys. Only failures that an older document
    /// hides are reported here: the others are part of the step that needed the document.
    Document = "document",
    /// The provider was asked for a token of another API, in a person's name, by `AuthSession::token_for`. The
    /// detail names the API.
    TokenExchange = "token_exchange",
    /// `OAuthProxyHandle::probe` found that a part had stopped working, or that it works again. The detail names
    /// the part.
    Probe = "probe",
    /// The store failed, or held a record that cannot be opened.
    Storage = "storage",
    /// Any other request: a wrong method, an unknown document.
    Http = "http",
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

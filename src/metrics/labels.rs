//! The values of labels. Each is one of a list: a value that a stranger could choose would make a series of its own.

use http::StatusCode;

/// The source of a bearer token that no source takes for its own, and of a request without one.
pub(crate) const NO_SOURCE: &str = "none";

/// A list of words that are the values of one label.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$why:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$why])* $variant,)* }

        impl $name {
            /// Every value, for the documentation.
            #[cfg(all(test, feature = "metrics"))]
            pub(crate) const ALL: &[&str] = &[$($word,)*];

            #[cfg(feature = "metrics")]
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// What came of the check of a bearer token.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "`recorded` alone names the two good verdicts")
    )]
    Check {
        /// The session was in the cache.
        Cached = "cached",
        /// The token was verified or looked up, and is good.
        FirstSight = "first_sight",
        /// 401: the token is not accepted.
        Refused = "refused",
        /// 403: the token is good, and has too few scopes.
        Insufficient = "insufficient",
        /// 503: it is not known whether the token is good.
        Unavailable = "unavailable",
        /// 401: no token came.
        Absent = "absent",
    }
}

words! {
    /// The verbs of a store.
    Verb {
        Get = "get",
        Set = "set",
        InsertIfAbsent = "insert_if_absent",
        CompareAndSwap = "compare_and_swap",
        Take = "take",
        ListAdd = "list_add",
        ListRemove = "list_remove",
        ListPage = "list_page",
    }
}

words! {
    /// How an exchange with a store or another server ended.
    Ended {
        /// With an answer; of a server, with a status below 400.
        Ok = "ok",
        /// The server says no: a status of 400 to 499 but 429.
        Refused = "refused",
        /// The server is asked too often: status 429.
        Throttled = "throttled",
        /// A status of 500 or more; of a store, an answer that cannot be used.
        Failed = "failed",
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// No whole answer in time.
        Timeout = "timeout",
        /// An answer that is too large, or packed as it was not asked for.
        Unusable = "unusable",
        /// No request was sent: the guard of addresses refused.
        Forbidden = "forbidden",
    }
}

words! {
    /// What came of a renewal of the provider's token, or of a look at the person.
    Renewed {
        /// The grant lives, and is fresh.
        Done = "done",
        /// The grant has ended: the person has to log in again.
        Ended = "ended",
        /// The provider could not be asked, or did not say yes or no. It is asked again later.
        Later = "later",
        /// The store failed.
        Store = "store",
    }
}

impl Ended {
    /// By the status of a server's answer.
    pub(crate) fn with(status: StatusCode) -> Self {
        match status.as_u16() {
            429 => Self::Throttled,
            ..400 => Self::Ok,
            400..500 => Self::Refused,
            500.. => Self::Failed,
        }
    }
}

/// Which server a request goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer<'a> {
    /// The provider of this id: its token endpoint, its APIs.
    Provider(
        #[cfg_attr(
            not(feature = "metrics"),
            expect(dead_code, reason = "read with the feature alone")
        )]
        &'a str,
    ),
    /// A document whose URL the operator or a provider named: discovery, keys.
    Document,
    /// A document or keys of a client, whose URL a stranger named.
    ClientDocument,
    /// An introspection endpoint.
    Introspection,
}

#[cfg(feature = "metrics")]
impl<'a> Peer<'a> {
    #[cfg(test)]
    pub(crate) const ALL: &'static [&'static str] =
        &["provider", "document", "client_document", "introspection"];

    /// What kind it is, and which provider.
    pub(super) fn words(self) -> (&'static str, &'a str) {
        match self {
            Self::Provider(id) => ("provider", id),
            Self::Document => ("document", ""),
            Self::ClientDocument => ("client_document", ""),
            Self::Introspection => ("introspection", ""),
        }
    }
}

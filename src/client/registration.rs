//! What a client registered: all that its `client_id` has to carry.

use super::{
    auth::{AuthRule, ClientKeys},
    redirect::RedirectUri,
};
use crate::{oauth::ScopeSet, time::Unix};

/// `application_type` of OpenID Connect Dynamic Client Registration section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApplicationType {
    /// Runs on a server or in a browser. Client libraries also say so of apps with a scheme of their
    /// own, so the type is kept and decides nothing.
    Web,
    /// Runs on the person's own computer.
    Native,
}

impl ApplicationType {
    /// The type as metadata names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }
}

/// A dynamic registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// What the client calls itself, in visible characters. It proves nothing.
    pub(crate) name: Option<String>,
    pub(crate) auth: AuthRule,
    /// Of one that proves itself with a key, and of no other.
    pub(crate) keys: Option<ClientKeys>,
    pub(crate) application_type: Option<ApplicationType>,
    /// What an authorization request without `scope` asks for; never a cap.
    pub(crate) scope: Option<ScopeSet>,
    pub(crate) issued_at: Unix,
}

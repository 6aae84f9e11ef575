//! What is remembered of a client.

use serde::{Deserialize, Serialize};

use super::RedirectUri;
use crate::oauth::ScopeSet;

/// How a client proves itself at the token endpoint: `token_endpoint_auth_method` of RFC 7591
/// section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthMethod {
    /// `none`: a public client, which has no secret.
    None,
    /// `client_secret_basic`: the secret in the `Authorization` header.
    ClientSecretBasic,
    /// `client_secret_post`: the secret in the body.
    ClientSecretPost,
}

impl ClientAuthMethod {
    /// Every method, as metadata lists them.
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost];

    /// The method as the registry of RFC 7591 names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// Whether the client has a secret.
    pub(crate) fn has_secret(self) -> bool {
        self != Self::None
    }
}

/// What a client has to authenticate with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthRule {
    /// The method that it named, and no other.
    Exactly(ClientAuthMethod),
    /// It has a secret and named no method: the secret counts wherever it stands. The default of
    /// RFC 7591 section 2 is `client_secret_basic`, and that is what the client is told; openid-client
    /// 6 sends it in the body all the same.
    AnySecret,
}

impl AuthRule {
    /// Whether a client may authenticate in this way.
    pub(crate) fn admits(self, used: ClientAuthMethod) -> bool {
        match self {
            Self::Exactly(named) => used == named,
            Self::AnySecret => used.has_secret(),
        }
    }

    /// Whether the client has a secret.
    pub(crate) fn has_secret(self) -> bool {
        self.told().has_secret()
    }

    /// The method that a registration answer names.
    pub(crate) fn told(self) -> ClientAuthMethod {
        match self {
            Self::Exactly(named) => named,
            Self::AnySecret => ClientAuthMethod::ClientSecretBasic,
        }
    }
}

/// `application_type` of OpenID Connect Dynamic Client Registration section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApplicationType {
    /// Runs on a server or in a browser. Client libraries also say so of apps with a scheme of their
    /// own, so it is kept and decides nothing.
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

/// A dynamic registration: all that the `client_id` has to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// Printable; what the client calls itself, which proves nothing.
    pub(crate) name: Option<String>,
    pub(crate) auth: AuthRule,
    pub(crate) application_type: Option<ApplicationType>,
    /// What an authorization request without `scope` asks for; never a cap.
    pub(crate) scope: Option<ScopeSet>,
    /// Seconds since the Unix epoch.
    pub(crate) issued_at: u64,
}

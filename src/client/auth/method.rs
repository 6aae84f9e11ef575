//! Which ways of authentication a client may use at the token and revocation endpoints.

use serde::{Deserialize, Serialize};

/// How a client authenticates at the token endpoint: `token_endpoint_auth_method` of RFC 7591
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
    /// `private_key_jwt`: an assertion in the body, signed with the client's private key (RFC 7523 section
    /// 2.2). The server knows the public part alone.
    PrivateKeyJwt,
}

impl ClientAuthMethod {
    /// Every method, as metadata lists them.
    // `client_id`s in the field hold places in this list: append, never reorder.
    pub(crate) const ALL: [Self; 4] = [
        Self::None,
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
    ];

    /// The method as the registry of RFC 7591 names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Whether the client has a secret.
    pub(crate) fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// Which method a client has to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthRule {
    /// The method that it named, and no other.
    Exactly(ClientAuthMethod),
    /// It has a secret and named no method: the secret counts wherever it stands. The default of
    /// RFC 7591 section 2 is `client_secret_basic`, and the registration answer says so; openid-client
    /// 6 sends the secret in the body all the same.
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
        self.registered().has_secret()
    }

    /// Whether the client proves itself with a key of its own.
    pub(crate) fn has_keys(self) -> bool {
        self == Self::Exactly(ClientAuthMethod::PrivateKeyJwt)
    }

    /// The method that the registration answer names.
    pub(crate) fn registered(self) -> ClientAuthMethod {
        match self {
            Self::Exactly(named) => named,
            Self::AnySecret => ClientAuthMethod::ClientSecretBasic,
        }
    }
}

//! The answer to the question who a `client_id` is.

use super::{
    auth::{AuthRule, ClientAuthMethod, ClientKeys},
    redirect::RedirectUri,
};
use crate::{error::StorageError, key::KeyId, oauth::ScopeSet, outbound::NamedBy};

/// What [`Clients::identify`](super::Clients::identify) found.
#[derive(Debug)]
pub(crate) enum Identified {
    Client(Client),
    /// No client has this id.
    Unknown(Unknown),
    /// The operator denied the client.
    Denied,
    /// The deny list cannot be read right now.
    Later(StorageError),
}

/// A client that was found. Whether the caller is this client is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// What it calls itself. Only the name of a configured client is the operator's word.
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) auth: AuthRule,
    /// Of one that proves itself with a key, and of no other.
    pub(crate) keys: Option<ClientKeys>,
    /// The scopes of an authorization request that names none; never a cap.
    pub(crate) scope: Option<ScopeSet>,
    pub(crate) kind: ClientKind,
}

impl Client {
    /// Whether it may come without any proof.
    pub(crate) fn is_public(&self) -> bool {
        self.auth.admits(ClientAuthMethod::None)
    }

    /// Whether an answer may be sent to this URI.
    pub(crate) fn owns(&self, redirect: &RedirectUri) -> bool {
        let mut registered = self.redirect_uris.iter();
        registered.any(|own| redirect.matches_registered(own))
    }
}

/// Where the client is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// The operator configured it.
    Configured,
    /// It registered itself, and its id is that registration, signed.
    Signed,
}

impl ClientKind {
    /// Who says where its keys are.
    pub(crate) fn named_by(self) -> NamedBy {
        match self {
            Self::Configured => NamedBy::Operator,
            Self::Signed => NamedBy::Stranger,
        }
    }
}

/// Why an id is no client's. Printed for the operator; a client learns only that it is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("the client_id is not configured, and was not issued by this server")]
    NotIssued,
    /// Anyone can write such an id, so this is a hint and no proof.
    #[error("the client_id names the secret {0}, which this server does not have")]
    OtherKey(KeyId),
    #[error("the client_id was issued by this server, and holds what is no longer valid")]
    Outdated,
}

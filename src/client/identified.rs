//! The answer to the question who a `client_id` is.

use super::{
    auth::{AuthRule, ClientAuthMethod, ClientKeys},
    kind::{DocumentUrl, UrlFault},
    redirect::RedirectUri,
};
use crate::{
    error::StorageError,
    key::KeyId,
    oauth::ScopeSet,
    outbound::{FetchError, NamedBy},
};

/// What [`Clients::identify`](super::Clients::identify) found.
#[derive(Debug)]
pub(crate) enum Identified {
    Client(Client),
    /// No client has this id.
    Unknown(Unknown),
    /// The operator denied the client.
    Denied,
    /// It has a document, at this host, of which the operator takes none.
    NotLetIn(String),
    /// Its document could not be fetched, or is none.
    NoDocument(FetchError),
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

    /// The host of the client's document: who can put one there. `None` where it has none.
    pub(crate) fn document_host(&self) -> Option<String> {
        self.document_url().map(|url| url.shown_host())
    }

    /// Whether this leads to where the client's document comes from.
    pub(crate) fn vouches_for(&self, redirect: &RedirectUri) -> bool {
        let url = self.document_url();
        url.is_some_and(|url| url.is_origin_of(redirect.uri()))
    }

    fn document_url(&self) -> Option<DocumentUrl<'_>> {
        let has_document = self.kind == ClientKind::Document;
        let url = || DocumentUrl::parse(&self.id).ok();
        has_document.then(url).flatten()
    }
}

/// Where the client is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// The operator configured it.
    Configured,
    /// It registered itself, and its id is that registration, signed.
    Signed,
    /// Its id is the URL of a document about it.
    Document,
}

impl ClientKind {
    /// Who says where its keys are.
    pub(crate) fn named_by(self) -> NamedBy {
        match self {
            Self::Configured => NamedBy::Operator,
            Self::Signed | Self::Document => NamedBy::Stranger,
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
    #[error("the client_id is a URL, and metadata_documents are off")]
    NoDocuments,
    #[error("the client_id is a URL that can be no client's: it {0}")]
    Url(UrlFault),
}

//! How a provider says to which app an access token was issued, where an API of its own does.

use serde_json::{Map, Value};

use crate::time::Unix;

/// An API of the provider's own that says to which app an access token was issued.
#[derive(Debug)]
pub(crate) struct AudienceProof {
    pub(crate) url: String,
    pub(crate) ask: Ask,
    /// The statuses that say that the token is none, or none of this app's.
    pub(crate) unknown: &'static [u16],
    /// Whether the answer names the person too.
    pub(crate) names_person: bool,
    pub(crate) read: fn(&Map<String, Value>) -> Issued,
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// By a `GET` with the token in the `Authorization` header.
    AsBearer,
    /// By a `GET` with the token in this parameter of the query.
    InQuery(&'static str),
    /// By a `POST` of JSON with the token in this member; the app proves itself by its id and secret.
    ByApp(&'static str),
}

/// What the provider says of a token.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    /// The client id of the app.
    pub(crate) app: Option<String>,
    /// In the provider's names.
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<Unix>,
    /// Claims of the person.
    pub(crate) claims: Map<String, Value>,
}

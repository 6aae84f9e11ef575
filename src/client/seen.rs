//! What a login keeps of its client, from authorize to the token endpoint.

use super::identified::Client;

/// A client as authorize saw it. The cookies of a login carry it, and the grant keeps its id.
///
/// The id is enough for each kind there is. A signed client's id *is* the registration, so what the
/// token endpoint reads out of it is what authorize saw. A configured client is what the operator says
/// now: where the method or the secret changed in the middle of a login, the client authenticates by
/// the new one. To hold on to the old rule would let a client in that the operator has just asked for
/// a secret, and refresh tokens, which live for weeks, could not be held to it.
///
/// A kind that can say something else at each look (a document that is fetched) has to keep here, and
/// in the code's record, what the token endpoint must not look up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenClient {
    id: String,
}

impl SeenClient {
    /// As a cookie kept it.
    pub(crate) fn kept(id: String) -> Self {
        Self { id }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Client {
    /// What a login keeps of this client.
    pub(crate) fn seen(&self) -> SeenClient {
        SeenClient {
            id: self.id.clone(),
        }
    }
}

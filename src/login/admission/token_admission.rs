//! The operator's word about those who come with an access token that another server issued.
//!
//! Who may not log in must not come in by another door either: the lists are asked about the token's claims, and
//! what the claims do not say is a no.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::operator::{Demands, NotAdmitted};
use crate::{
    config::{LoginRequest, Occasion, Options},
    oauth::ScopeSet,
    provider::{Identity, Provider},
};

/// The demands on the people of one server.
pub(crate) struct TokenAdmission {
    demands: Demands,
    /// The provider whose people they are, or else the server.
    id: String,
}

/// What a verified token says.
pub(crate) struct TokenBearer<'a> {
    /// How they are named here.
    pub(crate) subject: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a str,
    pub(crate) claims: &'a Map<String, Value>,
}

impl TokenAdmission {
    /// `None` where the operator demands nothing.
    pub(crate) fn new(
        options: &Arc<Options>,
        id: &str,
        provider: Option<&Provider>,
    ) -> Option<Self> {
        let demands = Demands::new(options, provider);
        let id = provider.map_or(id, |provider| &provider.id).to_owned();
        demands.are_made().then_some(Self { demands, id })
    }

    pub(crate) async fn ask(&self, bearer: TokenBearer<'_>) -> Result<(), NotAdmitted> {
        let request = LoginRequest {
            person: Identity::from_claims(bearer.claims.clone()),
            subject: bearer.subject.to_owned(),
            provider: self.id.clone(),
            client_id: bearer.client_id.to_owned(),
            scopes: bearer.scopes.clone(),
            resource: bearer.resource.to_owned(),
            occasion: Occasion::AccessToken,
        };
        self.demands.ask(request, None).await
    }
}

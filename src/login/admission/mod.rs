//! Who is it, and may they come in? Asked when a person logs in, and again for as long as their
//! grant lives: what was true at login must not stay true for ever.
//!
//! `operator` asks the allow lists and the hook, `renewed` reads what a renewal says of the person,
//! `proof` puts both together for the grants.

mod operator;
mod proof;
mod renewed;

use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use operator::NotAdmitted;

use crate::{
    config::{LoginRequest, Options},
    event::Events,
    grant::Known,
    provider::{Identity, IdentityError},
    provider::{ProviderClient, TokenAnswer},
    token::{Audiences, roles},
};

/// The provider's word about a person, and the operator's.
pub(crate) struct Admission {
    upstream: Arc<ProviderClient>,
    options: Arc<Options>,
    audiences: Audiences,
    events: Arc<Events>,
}

impl Admission {
    pub(crate) fn new(
        upstream: Arc<ProviderClient>,
        options: Arc<Options>,
        events: Arc<Events>,
    ) -> Self {
        let audiences = audiences(&upstream, &options);
        Self {
            upstream,
            options,
            audiences,
            events,
        }
    }

    /// Who the answer to a login's code is about.
    pub(crate) async fn identify(
        &self,
        tokens: &TokenAnswer,
        nonce: Option<&str>,
        now: u64,
    ) -> Result<Identity, IdentityError> {
        self.upstream.identity(tokens, nonce, now).await
    }

    /// Asks the operator's allow lists, then the hook.
    pub(crate) async fn ask_operator(&self, request: LoginRequest) -> Result<(), NotAdmitted> {
        operator::ask(&self.options, request).await
    }

    /// Whether an access token says anything of a person to us.
    fn speaks(&self, access_token: &str, subject: Option<&str>) -> bool {
        self.audiences
            .claims_for_us(access_token, subject)
            .is_some()
    }

    /// What sessions show of a person: of the ID token and userinfo, and of the access token where
    /// that is for us and about them.
    pub(crate) fn known(
        &self,
        claims: &Map<String, Value>,
        subject: Option<&str>,
        access_token: &str,
    ) -> Known {
        let in_access_token = self.audiences.claims_for_us(access_token, subject);
        let in_access_token = in_access_token.as_ref();
        let sources = [Some(claims), in_access_token].into_iter().flatten();
        Known {
            claims: self
                .options
                .custom_claims_passthrough
                .collect(in_access_token, Some(claims))
                .into(),
            roles: roles(&self.options.role_claims, sources),
        }
    }
}

/// All the names by which an access token of this provider can be for us.
fn audiences(upstream: &ProviderClient, options: &Options) -> Audiences {
    let provider = upstream.about();
    let params = [
        &provider.authorization_params,
        &provider.token_params,
        &provider.refresh_params,
        &options.extra_authorization_params,
        &options.extra_token_params,
    ];
    let asked_for = params
        .into_iter()
        .flatten()
        .filter(|(name, _)| matches!(name.as_str(), "audience" | "resource"))
        .map(|(_, value)| value.clone());
    let resource = options
        .forward_resource
        .then(|| options.base.as_str().to_owned());
    Audiences::new(
        [provider.client_id.clone()]
            .into_iter()
            .chain(provider.identifier_uri_of_scopes())
            .chain(asked_for)
            .chain(resource)
            .chain(options.access_token_audiences.iter().cloned()),
    )
}

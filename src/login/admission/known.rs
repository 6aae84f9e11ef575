//! What sessions show of a person: which claims count, and which roles they give.

use serde_json::{Map, Value};

use crate::{
    config::Options,
    grant::Known,
    provider::{Provider, Terms},
    token::{Audiences, roles},
};

/// The claims and roles of the ID token and userinfo, and of the access token where that is for us
/// and about the same person.
pub(super) fn known(
    options: &Options,
    audiences: &Audiences,
    claims: &Map<String, Value>,
    subject: Option<&str>,
    access_token: &str,
) -> Known {
    let in_access_token = audiences.claims_for_us(access_token, subject);
    let in_access_token = in_access_token.as_ref();
    let sources = [Some(claims), in_access_token].into_iter().flatten();
    Known {
        claims: options
            .custom_claims_passthrough
            .collect(in_access_token, Some(claims))
            .into(),
        roles: roles(&options.role_claims, sources),
    }
}

/// All the names by which an access token of this provider can be for us.
pub(super) fn audiences(provider: &Provider, terms: &Terms, options: &Options) -> Audiences {
    let params = [
        &provider.authorization_params,
        &provider.token_params,
        &provider.refresh_params,
        &terms.authorization_params,
        &terms.token_params,
    ];
    let asked_for = params
        .into_iter()
        .flatten()
        .filter(|(name, _)| matches!(name.as_str(), "audience" | "resource"))
        .map(|(_, value)| value.clone());
    let resource = terms
        .forwards_resource
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

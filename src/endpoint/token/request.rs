//! What the grant types read of a request alike, and how it ends a grant.

use std::fmt::Display;

use crate::{
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    grant::{GrantId, scopes},
    oauth::{BaseUrl, Params, Resource, ScopeSet, describable},
    proxy::Proxy,
};

/// RFC 6749 section 5.2, `invalid_request`: "The request is missing a required parameter".
pub(super) fn missing(name: &'static str) -> Refusal {
    Refusal::new(
        Reason::MissingParameter,
        OAuthErrorCode::InvalidRequest,
        format!("{name} is missing"),
    )
}

/// The scope that a refresh names, or the whole grant's.
///
/// RFC 6749 section 6: "The requested scope MUST NOT include any scope not originally granted by the
/// resource owner, and if omitted is treated as equal to the scope originally granted".
pub(super) fn narrowed(
    asked: Option<&str>,
    granted: &ScopeSet,
    offered: &ScopeSet,
) -> Result<ScopeSet, Refusal> {
    let wider = |text: String| Refusal::new(Reason::Scope, OAuthErrorCode::InvalidScope, text);
    let Some(asked) = asked else {
        return Ok(granted.clone());
    };
    let asked = ScopeSet::parse(asked).map_err(|error| wider(error.to_string()))?;
    scopes::narrowed(&asked, granted, offered).ok_or_else(|| {
        let refusal = wider("a refresh cannot ask for more than was granted".to_owned());
        refusal.detail(format_args!(
            "a refresh asks for `{asked}`, and `{granted}` was granted"
        ))
    })
}

/// The resource that a token request names: the granted one, or one below it (RFC 8707 section
/// 2.2).
pub(super) fn resource(
    base: &BaseUrl,
    params: &Params,
    granted: &Resource,
) -> Result<Resource, Refusal> {
    match Resource::asked_for(params, base) {
        Ok(None) => Ok(granted.clone()),
        Ok(Some(asked)) if asked.is_within(granted) => Ok(asked),
        _ => Err(Refusal::new(
            Reason::Resource,
            OAuthErrorCode::InvalidTarget,
            "the resource is not the one that was granted",
        )
        .detail(format_args!(
            "the resource {} is not of {}, which was granted",
            describable(params.get("resource").unwrap_or_default()),
            granted.as_str()
        ))),
    }
}

/// The resource that a request names where nothing was granted before: any of this server.
pub(super) fn asked_resource(base: &BaseUrl, params: &Params) -> Result<Option<Resource>, Refusal> {
    Resource::asked_for(params, base).map_err(|error| {
        Refusal::new(
            Reason::Resource,
            OAuthErrorCode::InvalidTarget,
            error.to_string(),
        )
    })
}

/// Ends the grant, and refuses the request: its token or code is in other hands, or the person has to
/// come again.
pub(super) async fn ended(
    proxy: &Proxy,
    id: GrantId,
    reason: Reason,
    why: impl Display,
) -> Refusal {
    match proxy.ending.end(id).await {
        Ok(_) => Refusal::grant(reason).of(id).detail(why),
        Err(error) => error.into(),
    }
}

//! A verifier's word on one of the provider's access tokens.

use std::time::Duration;

use http::{Method, Uri};

use super::objection::Objection;
use crate::{
    error::with_causes,
    event::Reason,
    token::{TokenVerifier, VerifiedToken, VerifyError, VerifyRequest},
};

/// The token of a request, and where it is good for something.
pub(super) struct Subject<'a> {
    pub(super) token: &'a str,
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
}

/// A verifier that cannot answer, or not within `patience`, says nothing against the token.
pub(super) async fn word_on(
    asked: Subject<'_>,
    verifier: &dyn TokenVerifier,
    patience: Duration,
) -> Result<VerifiedToken, Objection> {
    let request = VerifyRequest::new(asked.token).on(asked.method, asked.uri);
    let unavailable = Objection::unavailable(Reason::ProviderUnavailable);
    match tokio::time::timeout(patience, verifier.verify(request)).await {
        Ok(Ok(verified)) => Ok(verified),
        Ok(Err(VerifyError::Invalid(why))) => Err(Objection::invalid().detail(why)),
        Ok(Err(VerifyError::Unavailable(error))) => Err(unavailable.detail(with_causes(&*error))),
        Err(_) => Err(unavailable),
    }
}

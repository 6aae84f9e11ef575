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

/// Why a verifier does not vouch for a token.
pub(super) enum Against {
    /// It does not know the token, and says nothing against it.
    Unknown(Objection),
    Known(Objection),
}

/// A verifier that cannot answer, or not within `patience`, says nothing against the token.
pub(super) async fn ask(
    asked: Subject<'_>,
    verifier: &dyn TokenVerifier,
    patience: Duration,
) -> Result<VerifiedToken, Against> {
    let request = VerifyRequest::new(asked.token).on(asked.method, asked.uri);
    let unavailable = Objection::unavailable(Reason::ProviderUnavailable);
    let objection = match tokio::time::timeout(patience, verifier.verify(request)).await {
        Ok(Ok(verified)) => return Ok(verified),
        Ok(Err(VerifyError::Unknown(why))) => {
            return Err(Against::Unknown(Objection::invalid().detail(why)));
        }
        Ok(Err(VerifyError::Invalid(why))) => Objection::invalid().detail(why),
        Ok(Err(VerifyError::Unavailable(error))) => unavailable.detail(with_causes(&*error)),
        Err(_) => unavailable,
    };
    Err(Against::Known(objection))
}

/// The same where no other source is left: a token that is not known is refused.
pub(super) async fn word_on(
    asked: Subject<'_>,
    verifier: &dyn TokenVerifier,
    patience: Duration,
) -> Result<VerifiedToken, Objection> {
    let word = ask(asked, verifier, patience).await;
    word.map_err(|(Against::Unknown(objection) | Against::Known(objection))| objection)
}

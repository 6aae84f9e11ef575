//! The provider's own access tokens, in passthrough mode: the operator's verifier decides.

use super::refusal::Refusal;
use crate::{
    clock::to_unix,
    event::Reason,
    oauth::Resource,
    proxy::Proxy,
    session::{AuthSession, Inner, UpstreamTokens},
    token::{VerifyError, roles},
};

/// The session of a token that the verifier accepts. `now` is the time of the request.
pub(super) async fn verify(proxy: &Proxy, token: &str, now: u64) -> Result<AuthSession, Refusal> {
    let options = &proxy.options;
    let Some(verifier) = &proxy.verifier else {
        return Err(Refusal::invalid());
    };
    let limit = options.upstream_timeout;
    let verified = match tokio::time::timeout(limit, verifier.verify(token)).await {
        Ok(Ok(verified)) => verified,
        Ok(Err(VerifyError::Invalid(why))) => {
            let mut refusal = Refusal::invalid();
            refusal.detail = Some(why);
            return Err(refusal);
        }
        Ok(Err(VerifyError::Unavailable(error))) => {
            let detail = Some(error.to_string());
            return Err(Refusal::unavailable(Reason::ProviderUnavailable, detail));
        }
        Err(_) => return Err(Refusal::unavailable(Reason::ProviderUnavailable, None)),
    };
    let expires_at = verified.expires_at.map(to_unix);
    if expires_at.is_some_and(|end| now >= end) {
        return Err(Refusal::expired());
    }
    let until = expires_at.unwrap_or(u64::MAX);
    Ok(AuthSession::new(Inner {
        is_sufficient: options.required_scopes.is_subset(&verified.scopes),
        fresh_until: until.min(proxy.sessions.end_of_life(now)),
        mark: None,
        subject: verified.subject,
        client_id: verified.client_id.unwrap_or_default(),
        scopes: verified.scopes,
        roles: roles(&options.role_claims, [&verified.claims]),
        claims: verified.claims.into(),
        resource: Resource::base(&options.base),
        expires_at: until,
        grant_id: None,
        freshness: None,
        upstream: UpstreamTokens {
            access_token: token.to_owned(),
            id_token: None,
            expires_at,
        },
        challenges: proxy.challenges.clone(),
    }))
}

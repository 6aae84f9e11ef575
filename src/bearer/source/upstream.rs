//! The provider's own access tokens, in passthrough mode: the operator's verifier decides.

use crate::{
    bearer::objection::Refusal,
    clock::to_unix,
    event::Reason,
    mode::Passthrough,
    oauth::Resource,
    proxy::Proxy,
    session::{AuthSession, Inner, UpstreamTokens, Validated},
    token::{VerifyError, VerifyRequest, roles},
};

/// The session of a token that the verifier accepts. `now` is the time of the request.
pub(in crate::bearer) async fn verify(
    proxy: &Proxy,
    mode: &Passthrough,
    request: VerifyRequest<'_>,
    now: u64,
) -> Result<Validated, Refusal> {
    let options = &proxy.options;
    let limit = options.upstream_timeout;
    let verified = match tokio::time::timeout(limit, mode.verifier.verify(request)).await {
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
    Ok(Validated {
        is_sufficient: options.required_scopes.is_subset(&verified.scopes),
        fresh_until: until.min(proxy.sessions.end_of_life(now)),
        mark: None,
        session: AuthSession::new(Inner {
            subject: verified.subject,
            client_id: verified.client_id.unwrap_or_default(),
            scopes: verified.scopes,
            roles: roles(&options.role_claims, [&verified.claims]),
            claims: verified.claims,
            resource: Resource::base(&options.base),
            expires_at: until,
            grant_id: None,
            renewal: None,
            upstream: UpstreamTokens {
                access_token: request.token().to_owned(),
                id_token: None,
                expires_at,
            },
            challenges: Some(proxy.challenges.clone()),
        }),
    })
}

//! The provider's own access tokens, in passthrough mode: the operator's verifier decides.

use std::sync::Arc;

use http::{Method, Uri};

use crate::{
    bearer::{
        credentials::is_token68,
        objection::Objection,
        verdict::{Presented, Verdict},
    },
    error::with_causes,
    event::Reason,
    mode::Mode,
    oauth::Resource,
    proxy::Proxy,
    session::{AuthSession, Inner, RenewsUpstream, UpstreamTokens, Validated},
    time::Unix,
    token::{TokenVerifier, VerifiedToken, VerifyError, VerifyRequest, roles},
};

pub(super) fn judge(proxy: &Arc<Proxy>, presented: &Presented<'_>) -> Verdict {
    let Mode::Passthrough(mode) = &proxy.mode else {
        return Verdict::NotMine;
    };
    // What cannot be a token never reaches the verifier.
    if !is_token68(presented.token) {
        return Verdict::NotMine;
    }
    let token = ProvidersToken {
        token: presented.token.to_owned(),
        method: presented.method.clone(),
        uri: presented.uri.clone(),
        now: presented.now,
    };
    let (proxy, verifier) = (Arc::clone(proxy), Arc::clone(&mode.verifier));
    Verdict::ask(async move { validated(&proxy, &*verifier, token).await.into() })
}

/// As [`Presented`], for as long as the verifier takes.
struct ProvidersToken {
    token: String,
    method: Method,
    uri: Uri,
    now: Unix,
}

/// The session of a token that the verifier accepts.
async fn validated(
    proxy: &Proxy,
    verifier: &dyn TokenVerifier,
    asked: ProvidersToken,
) -> Result<Validated, Objection> {
    let (options, now) = (&proxy.options, asked.now);
    let verified = verify(proxy, verifier, &asked).await?;
    let expires_at = verified.expires_at.map(Unix::from);
    if expires_at.is_some_and(|end| now >= end) {
        return Err(Objection::expired());
    }
    let until = expires_at.unwrap_or(Unix::NEVER);
    Ok(Validated {
        is_sufficient: options.required_scopes.is_subset(&verified.scopes),
        fresh_until: until.min(proxy.sessions.end_of_life(now)),
        mark: None,
        session: AuthSession::new(Inner {
            subject: verified.subject,
            client_id: verified.client_id.unwrap_or_default(),
            scopes: verified.scopes,
            roles: roles(&options.role_claims, [&verified.claims]),
            claims: verified.claims.into(),
            resource: Resource::base(&options.base),
            expires_at: until,
            grant_id: None,
            renewal: Some(Arc::clone(&proxy.delegation) as Arc<dyn RenewsUpstream>),
            upstream: UpstreamTokens {
                access_token: asked.token,
                id_token: None,
                expires_at,
            },
            challenges: Some(proxy.challenges.clone()),
        }),
    })
}

/// The verifier's word. A verifier that cannot answer, or not in time, says nothing against the token.
async fn verify(
    proxy: &Proxy,
    verifier: &dyn TokenVerifier,
    asked: &ProvidersToken,
) -> Result<VerifiedToken, Objection> {
    let request = VerifyRequest::new(&asked.token).on(&asked.method, &asked.uri);
    let answer = verifier.verify(request);
    let unavailable = Objection::unavailable(Reason::ProviderUnavailable);
    match tokio::time::timeout(proxy.options.upstream_request_timeout, answer).await {
        Ok(Ok(verified)) => Ok(verified),
        Ok(Err(VerifyError::Invalid(why))) => Err(Objection::invalid().detail(why)),
        Ok(Err(VerifyError::Unavailable(error))) => Err(unavailable.detail(with_causes(&*error))),
        Err(_) => Err(unavailable),
    }
}

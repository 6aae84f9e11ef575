//! The proxy's own access tokens: verified here, then their grant is looked up.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::{
    event::Reason,
    grant::{FreshnessError, Grant, GrantId, Need, Phase, RevocationMark},
    oauth::Resource,
    proxy::Proxy,
    session::{AuthSession, Inner, UpstreamTokens},
    token::{AccessClaims, TokenError},
    vault::Seen,
};

/// So often a grant is looked at while others that share its slot are revoked in between. After that it
/// only has to be there; an old mark keeps its session from being served again.
const MOST_LOOKS: usize = 3;

/// What of a verified token the look-up needs.
pub(super) struct OwnToken {
    grant: GrantId,
    client_id: Box<str>,
    scope: Box<str>,
    audience: Box<str>,
    expires_at: u64,
}

/// Asks nobody: whatever is forged, expired or of another proxy ends here.
pub(super) fn verify(proxy: &Proxy, token: &str, now: u64) -> Result<OwnToken, Refusal> {
    let read = |claims: &AccessClaims<'_>| {
        let grant = GrantId::parse(&claims.gid).ok_or_else(Refusal::invalid)?;
        if !Resource::is_issued(&claims.aud, &proxy.options.base) {
            return Err(Refusal::elsewhere());
        }
        Ok(OwnToken {
            grant,
            client_id: (*claims.client_id).into(),
            scope: (*claims.scope).into(),
            audience: (*claims.aud).into(),
            expires_at: claims.exp,
        })
    };
    match proxy.access_tokens.verify(token, now, read) {
        Ok(read) => read,
        Err(TokenError::Expired) => Err(Refusal::expired()),
        Err(TokenError::Issuer) => Err(Refusal::of_another_issuer()),
        Err(_) => Err(Refusal::invalid()),
    }
}

/// The session of a verified token whose grant lives. `now` is the time of the request: what is said of
/// the session is counted from there, however long the store took.
pub(super) async fn look_up(
    proxy: &Arc<Proxy>,
    token: OwnToken,
    now: u64,
) -> Result<AuthSession, Refusal> {
    let (mark, grant) = fresh_grant(proxy, &token, now).await?;
    // Narrowed at the provider since the token was issued: narrowed here.
    let scopes = grant.scopes.narrowed_to(&token.scope);
    let scopes = scopes.map_err(|_| Refusal::invalid())?;
    let resource = match grant.resource.as_str() == &*token.audience {
        true => grant.resource,
        false => Resource::of_issued(&token.audience),
    };
    let renewal = grant.upstream.renew_at.filter(|at| *at > now);
    let upstream_until = renewal.or(grant.upstream.expires_at);
    let until = upstream_until.map_or(token.expires_at, |until| until.min(token.expires_at));
    Ok(AuthSession::new(Inner {
        is_sufficient: proxy.options.required_scopes.is_subset(&scopes),
        fresh_until: until.min(proxy.sessions.end_of_life(now)),
        mark: Some(mark),
        subject: grant.subject,
        client_id: grant.client_id,
        scopes,
        claims: grant.claims,
        roles: grant.roles,
        resource,
        expires_at: token.expires_at,
        grant_id: Some(token.grant.to_string()),
        freshness: Some(Arc::clone(&proxy.freshness)),
        upstream: UpstreamTokens::of(grant.upstream),
        challenges: proxy.challenges.clone(),
    }))
}

/// The grant of a token, with a provider's token that is good now.
async fn fresh_grant(
    proxy: &Arc<Proxy>,
    token: &OwnToken,
    now: u64,
) -> Result<(RevocationMark, Box<Grant>), Refusal> {
    let id = token.grant;
    let ended = || Refusal::ended(id);
    let mut looks = 0;
    loop {
        // The mark comes before the look at the store; see `Revocations::mark`.
        let mark = proxy.grants.revocation_mark(id);
        let grant = proxy.grants.look(&id).await?.ok_or_else(ended)?;
        if !matches!(grant.phase, Phase::Active { .. })
            || *grant.client_id != *token.client_id
            || grant.upstream.is_over(now)
        {
            return Err(ended());
        }
        if proxy.freshness.is_past_last_day(&grant, now) {
            proxy.freshness.expire(id).await?;
            return Err(Refusal::expired().of_grant(id));
        }
        let grant = match proxy.freshness.ensure(id, &grant, Need::Token).await {
            Ok(fresh) => fresh.map_or(grant, Seen::into_value),
            Err(FreshnessError::Over) => return Err(ended()),
            Err(FreshnessError::Later) => {
                let refusal = Refusal::unavailable(Reason::ProviderUnavailable, None);
                return Err(refusal.of_grant(id));
            }
            Err(FreshnessError::Store(error)) => return Err(error.into()),
        };
        if proxy.grants.revocations().is_current(mark) {
            return Ok((mark, grant));
        }
        // Something was revoked meanwhile: this grant, or one that shares its slot.
        looks += 1;
        if looks == MOST_LOOKS {
            proxy.grants.look(&id).await?.ok_or_else(ended)?;
            return Ok((mark, grant));
        }
    }
}

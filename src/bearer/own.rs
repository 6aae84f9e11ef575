//! The proxy's own access tokens: verified here, then their grant is looked up.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::{
    event::Reason,
    grant::{FreshnessError, GrantId, Loaded, Phase},
    oauth::{Resource, ScopeSet},
    proxy::Proxy,
    session::{AuthSession, Inner, UpstreamTokens},
    token::{AccessClaims, TokenError},
};

/// What of a verified token the look-up needs.
pub(super) struct OwnToken {
    grant: GrantId,
    client_id: Box<str>,
    scopes: Box<str>,
    resource: Resource,
    expires_at: u64,
}

/// Asks nobody: whatever is forged, expired or of another proxy ends here.
pub(super) fn verify(proxy: &Proxy, token: &str, now: u64) -> Result<OwnToken, Refusal> {
    let read = |claims: &AccessClaims<'_>| {
        let grant = GrantId::parse(&claims.gid).ok_or_else(Refusal::invalid)?;
        let resource = Resource::issued(&claims.aud, &proxy.settings.base).ok_or_else(|| {
            Refusal::token(Reason::WrongAudience, "the token is for another resource")
        })?;
        Ok(OwnToken {
            grant,
            client_id: (*claims.client_id).into(),
            scopes: (*claims.scope).into(),
            resource,
            expires_at: claims.exp,
        })
    };
    match proxy.access_tokens.verify(token, now, read) {
        Ok(read) => read,
        Err(TokenError::Expired) => Err(Refusal::expired()),
        Err(TokenError::Issuer) => {
            let text = "the token is from another issuer";
            Err(Refusal::token(Reason::WrongAudience, text))
        }
        Err(_) => Err(Refusal::invalid()),
    }
}

/// The session of a verified token whose grant lives.
pub(super) async fn look_up(proxy: &Arc<Proxy>, token: OwnToken) -> Result<AuthSession, Refusal> {
    let (id, now) = (token.grant, proxy.now());
    let ended = || Refusal::ended(id);
    // The handle comes before the look at the store; see `LiveGrants::handle`.
    let live = proxy.grants.handle(id);
    let loaded = proxy.grants.load(&id).await?.ok_or_else(ended)?;
    if !matches!(loaded.grant.phase, Phase::Active { .. })
        || *loaded.grant.client_id != *token.client_id
        || loaded.grant.upstream.is_over(now)
    {
        return Err(ended());
    }
    let Loaded { grant, .. } = match proxy.freshness.ensure(id, &live, loaded).await {
        Ok(loaded) => loaded,
        Err(FreshnessError::Over) => return Err(ended()),
        Err(FreshnessError::Later) => {
            let refusal = Refusal::unavailable(Reason::ProviderUnavailable, None);
            return Err(refusal.of_grant(id));
        }
        Err(FreshnessError::Store(error)) => return Err(error.into()),
    };
    if live.is_revoked() {
        return Err(ended());
    }
    // Narrowed at the provider since the token was issued: narrowed here.
    let scopes = ScopeSet::parse(&token.scopes).map_err(|_| Refusal::invalid())?;
    let scopes = scopes.intersection(&grant.scopes);
    let renewal = grant.upstream.renew_at.filter(|at| *at > now);
    let upstream_until = renewal.or(grant.upstream.expires_at);
    let until = upstream_until.map_or(token.expires_at, |until| until.min(token.expires_at));
    Ok(AuthSession::new(Inner {
        is_sufficient: proxy.settings.required_scopes.is_subset(&scopes),
        fresh_until: until.min(proxy.sessions.end_of_life(now)),
        live: Some(live),
        subject: grant.subject,
        client_id: grant.client_id,
        scopes,
        claims: grant.claims,
        roles: grant.roles,
        resource: token.resource,
        expires_at: token.expires_at,
        grant_id: Some(id.to_string()),
        upstream: UpstreamTokens {
            access_token: grant.upstream.access_token,
            id_token: grant.upstream.id_token,
            expires_at: grant.upstream.expires_at,
        },
        challenges: proxy.challenges.clone(),
    }))
}

//! The bearer check: cached at best, else verified and looked up.

use std::sync::Arc;

use crate::{
    body::OwnResponse,
    challenge::Refused,
    clock::to_unix,
    error::StorageError,
    event::{Event, Reason, Step},
    grant::{FreshnessError, GrantId, LiveGrant, Loaded, Phase},
    oauth::{Resource, ScopeSet},
    proxy::Proxy,
    session::{AuthSession, CachedSession, Inner, UpstreamTokens},
    token::{TokenError, VerifyError, roles},
};

/// The session of a token that was validated a moment ago; `None` means that [`check`] has to look.
pub(crate) fn cached(proxy: &Proxy, token: &str, path: &str) -> Option<AuthSession> {
    let cached = proxy.sessions.get(token, proxy.now())?;
    let is_good = cached.is_sufficient && covers(proxy, &cached.session, path);
    is_good.then(|| cached.session.clone())
}

/// Verifies a token and looks up its grant. The answer of a refusal is complete.
pub(crate) async fn check(
    proxy: Arc<Proxy>,
    token: String,
    path: String,
) -> Result<AuthSession, OwnResponse> {
    let found = match &proxy.verifier {
        Some(_) => verify_upstream(&proxy, &token).await,
        None => look_up(&proxy, &token).await,
    };
    let refusal = match found {
        Ok(found) => {
            proxy.sessions.put(&token, Arc::clone(&found));
            let session = &found.session;
            if !covers(&proxy, session, &path) {
                let reason = Reason::WrongAudience;
                Refusal::token(reason, "the token is for another resource").of(session)
            } else if !found.is_sufficient {
                let needed = &proxy.settings.required_scopes;
                tell(&proxy, Reason::Scope, session.grant_id(), None);
                return Err(proxy
                    .challenges
                    .refuse(&path, &Refused::InsufficientScope(needed)));
            } else {
                return Ok(session.clone());
            }
        }
        Err(refusal) => refusal,
    };
    tell(
        &proxy,
        refusal.reason,
        refusal.grant.as_deref(),
        refusal.detail,
    );
    let refused = match refusal.description {
        Some(description) => Refused::InvalidToken(description),
        None => Refused::Unavailable,
    };
    Err(proxy.challenges.refuse(&path, &refused))
}

/// Tells the operator of a refusal.
pub(crate) fn tell(proxy: &Proxy, reason: Reason, grant: Option<&str>, detail: Option<String>) {
    let mut event = Event::refused(Step::Bearer, reason);
    if let Some(grant) = grant {
        event = event.grant(grant);
    }
    if let Some(detail) = detail {
        event = event.detail(detail);
    }
    proxy.emit(&event);
}

/// RFC 8707: a token is for the resource that the person approved, and what is below it.
fn covers(proxy: &Proxy, session: &AuthSession, path: &str) -> bool {
    !proxy.settings.audience_by_path || session.covers(&proxy.settings.base, path)
}

/// Why a token is not good.
struct Refusal {
    reason: Reason,
    /// What the client may know; `None` when nobody knows just now.
    description: Option<&'static str>,
    grant: Option<String>,
    detail: Option<String>,
}

impl Refusal {
    fn token(reason: Reason, description: &'static str) -> Self {
        Self {
            reason,
            description: Some(description),
            grant: None,
            detail: None,
        }
    }

    fn unavailable(reason: Reason, detail: Option<String>) -> Self {
        Self {
            reason,
            description: None,
            grant: None,
            detail,
        }
    }

    fn of(mut self, session: &AuthSession) -> Self {
        self.grant = session.grant_id().map(str::to_owned);
        self
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::unavailable(Reason::StoreUnavailable, Some(error.to_string()))
    }
}

/// One of our own tokens.
async fn look_up(proxy: &Arc<Proxy>, token: &str) -> Result<Arc<CachedSession>, Refusal> {
    const ENDED: &str = "the grant has ended";
    let now = proxy.now();
    let claims = proxy
        .access_tokens
        .verify(token, now)
        .map_err(|error| match error {
            TokenError::Expired => Refusal::token(Reason::Expired, "the token has expired"),
            TokenError::Issuer => {
                Refusal::token(Reason::WrongAudience, "the token is from another issuer")
            }
            _ => Refusal::token(Reason::InvalidToken, "the token is not valid"),
        })?;
    let invalid = || Refusal::token(Reason::InvalidToken, "the token is not valid");
    let id = GrantId::parse(&claims.gid).ok_or_else(invalid)?;
    let resource = Resource::parse(&claims.aud, &proxy.settings.base)
        .map_err(|_| Refusal::token(Reason::WrongAudience, "the token is for another resource"))?;
    let token_scopes = ScopeSet::parse(&claims.scope).map_err(|_| invalid())?;

    let ended = || {
        let mut refusal = Refusal::token(Reason::GrantEnded, ENDED);
        refusal.grant = Some(id.to_string());
        refusal
    };
    // The handle comes before the look at the store; see `LiveGrants::handle`.
    let live = proxy.grants.handle(id);
    let loaded = proxy.grants.load(&id).await?.ok_or_else(ended)?;
    if !matches!(loaded.grant.phase, Phase::Active { .. })
        || loaded.grant.client_id != claims.client_id
        || loaded.grant.upstream.is_over(now)
    {
        return Err(ended());
    }
    let Loaded { grant, .. } = match proxy.freshness.ensure(id, &live, loaded).await {
        Ok(loaded) => loaded,
        Err(FreshnessError::Over) => return Err(ended()),
        Err(FreshnessError::Later) => {
            let mut refusal = Refusal::unavailable(Reason::ProviderUnavailable, None);
            refusal.grant = Some(id.to_string());
            return Err(refusal);
        }
        Err(FreshnessError::Store(error)) => return Err(error.into()),
    };
    if live.is_revoked() {
        return Err(ended());
    }

    let renewal = grant.upstream.renew_at.filter(|at| *at > now);
    let upstream_until = renewal.or(grant.upstream.expires_at);
    let until = upstream_until.map_or(claims.exp, |until| until.min(claims.exp));
    let session = AuthSession::new(Inner {
        subject: grant.subject,
        client_id: grant.client_id,
        // Narrowed at the provider since the token was issued: narrowed here.
        scopes: token_scopes.intersection(&grant.scopes),
        claims: grant.claims,
        roles: grant.roles,
        resource,
        expires_at: claims.exp,
        grant_id: Some(id.to_string()),
        upstream: UpstreamTokens {
            access_token: grant.upstream.access_token,
            id_token: grant.upstream.id_token,
            expires_at: grant.upstream.expires_at,
        },
        challenges: proxy.challenges.clone(),
    });
    Ok(cacheable(proxy, session, Some(until), now, Some(live)))
}

/// The provider's token, in passthrough mode.
async fn verify_upstream(proxy: &Arc<Proxy>, token: &str) -> Result<Arc<CachedSession>, Refusal> {
    let now = proxy.now();
    let Some(verifier) = &proxy.verifier else {
        return Err(Refusal::token(
            Reason::InvalidToken,
            "the token is not valid",
        ));
    };
    let limit = proxy.settings.upstream_timeout;
    let verified = match tokio::time::timeout(limit, verifier.verify(token)).await {
        Ok(Ok(verified)) => verified,
        Ok(Err(VerifyError::Invalid(why))) => {
            let mut refusal = Refusal::token(Reason::InvalidToken, "the token is not valid");
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
        return Err(Refusal::token(Reason::Expired, "the token has expired"));
    }
    let session = AuthSession::new(Inner {
        subject: verified.subject,
        client_id: verified.client_id.unwrap_or_default(),
        scopes: verified.scopes,
        roles: roles(&proxy.settings.role_claims, [&verified.claims]),
        claims: verified.claims,
        resource: Resource::base(&proxy.settings.base),
        expires_at: expires_at.unwrap_or(u64::MAX),
        grant_id: None,
        upstream: UpstreamTokens {
            access_token: token.to_owned(),
            id_token: None,
            expires_at,
        },
        challenges: proxy.challenges.clone(),
    });
    Ok(cacheable(proxy, session, expires_at, now, None))
}

fn cacheable(
    proxy: &Proxy,
    session: AuthSession,
    until: Option<u64>,
    now: u64,
    live: Option<Arc<LiveGrant>>,
) -> Arc<CachedSession> {
    let cache_end = now.saturating_add(proxy.sessions.ttl.as_secs());
    Arc::new(CachedSession {
        is_sufficient: proxy.settings.required_scopes.is_subset(session.scopes()),
        fresh_until: until.map_or(cache_end, |until| until.min(cache_end)),
        session,
        live,
    })
}

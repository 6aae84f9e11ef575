//! The proxy's own access tokens: verified here, then their grant is looked up (RFC 9068 section 4). Those of
//! machines have none; see `of_machine`.

mod of_machine;
mod own_token;

use std::{borrow::Cow, sync::Arc};

use http::{Method, Uri};
use serde_json::Value;

use self::own_token::OwnToken;
use crate::{
    bearer::{
        objection::Objection,
        verdict::{Presented, Verdict},
        word::{Subject, word_on},
    },
    event::{Reason, Who},
    grant::{FreshnessError, Grant, GrantId, Need, Phase, RevocationMark},
    jose::unverified_claims,
    limits::{MAX_LOOKS, REPLACED_ONCE_IN},
    mode::Mode,
    oauth::Resource,
    proxy::Proxy,
    resource_server::ResourceServer,
    session::{AuthSession, Inner, LoginName, TokenSource, Validated},
    time::Unix,
    token::{AccessClaims, AccessTokens, TokenError, TokenVerifier},
    vault::Seen,
};

pub(super) fn judge(server: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    let Some(proxy) = &server.proxy else {
        return Verdict::NotMine;
    };
    let Mode::Swap(tokens) = &proxy.mode else {
        return Verdict::NotMine;
    };
    match verify(proxy, tokens, presented.token, presented.now) {
        Ok(token) => {
            let (proxy, now) = (Arc::clone(proxy), presented.now);
            let Some(verifier) = &proxy.upstream_verifier else {
                return Verdict::ask(async move {
                    look_up(&proxy, token, now, Wanted::Fresh).await.into()
                });
            };
            let wanted = Wanted::Vouched(Check {
                verifier: Arc::clone(verifier),
                method: presented.method.clone(),
                uri: presented.uri.clone(),
            });
            Verdict::ask(async move { look_up(&proxy, token, now, wanted).await.into() })
        }
        Err(verdict) => verdict,
    }
}

/// What the store says of a token now, for a service that asks about it (RFC 7662). No provider is asked,
/// and nothing is renewed.
pub(in crate::bearer) async fn as_it_stands(
    proxy: &Arc<Proxy>,
    tokens: &AccessTokens,
    token: &str,
    now: Unix,
) -> Result<AuthSession, Objection> {
    let verdict = match verify(proxy, tokens, token, now) {
        Ok(token) => look_up(proxy, token, now, Wanted::Stored).await.into(),
        Err(Verdict::Ask(question)) => question.await,
        Err(verdict) => verdict,
    };
    match verdict {
        Verdict::Session(found) => Ok(found.session),
        Verdict::Refused(objection) => Err(objection),
        Verdict::NotMine | Verdict::Ask(_) => {
            Err(Objection::invalid().detail("not an access token of this server"))
        }
    }
}

/// What is asked of the grant behind a token.
enum Wanted {
    /// The grant as it stands in the store.
    Stored,
    /// That, with a token of the provider that is good now.
    Fresh,
    /// That, and the word of the operator's verifier for it.
    Vouched(Check),
}

/// What checks the provider's token behind a session, and for which request.
struct Check {
    verifier: Arc<dyn TokenVerifier>,
    method: Method,
    uri: Uri,
}

/// No store is asked: a token that is forged, expired or from another proxy goes no further, and a machine's
/// goes its own way.
fn verify(
    proxy: &Arc<Proxy>,
    tokens: &AccessTokens,
    token: &str,
    now: Unix,
) -> Result<OwnToken, Verdict> {
    let refused = |objection| Err(Verdict::Refused(objection));
    let read = |claims: &AccessClaims<'_>| {
        let Some(grant) = GrantId::parse(&claims.gid) else {
            return Err(of_machine::judge(proxy, claims, now));
        };
        // "The resource server MUST validate that the "aud" claim contains a resource indicator value
        // corresponding to an identifier the resource server expects for itself."
        if !Resource::is_issued(&claims.aud, &proxy.options.base) {
            return refused(Objection::elsewhere().about(said_by(token)));
        }
        Ok(OwnToken::new(grant, claims))
    };
    match tokens.verify(token, now, read) {
        Ok(read) => read,
        // "The current time MUST be before the time represented by the "exp" claim."
        Err(TokenError::Expired) => refused(Objection::expired().about(said_by(token))),
        // "The issuer identifier for the authorization server [...] MUST exactly match the value of the
        // "iss" claim."
        Err(TokenError::Issuer) => refused(Objection::of_another_issuer().about(said_by(token))),
        Err(TokenError::NotYet) => refused(Objection::invalid().about(said_by(token))),
        // Not signed by a key of this proxy.
        Err(TokenError::Malformed | TokenError::Header | TokenError::Signature) => {
            Err(Verdict::NotMine)
        }
    }
}

/// What a token that one of our keys signed says of itself, for events.
fn said_by(token: &str) -> Who {
    let claims = unverified_claims(token).unwrap_or_default();
    let text = |name| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let who = Who::default()
        .client(text("client_id"), None)
        .person(Some(text("sub")), None)
        .access(text("aud"), text("scope"));
    match text("gid") {
        "" => who,
        grant => who.grant(grant),
    }
}

/// The session of a verified token whose grant is live. Its times count from `now`, the time of the
/// request, however long the store took.
async fn look_up(
    proxy: &Arc<Proxy>,
    token: OwnToken,
    now: Unix,
    wanted: Wanted,
) -> Result<Validated, Objection> {
    let found = match wanted {
        Wanted::Vouched(check) => vouched_grant(proxy, &token, now, &check).await,
        Wanted::Fresh => {
            let found = fresh_grant(proxy, &token, now).await;
            found.map(|(mark, grant)| (mark, grant, Unix::NEVER))
        }
        Wanted::Stored => {
            let mark = proxy.grants.revocation_mark(token.grant);
            let found = stored_grant(proxy, &token, now).await;
            found.map(|grant| (mark, grant, Unix::NEVER))
        }
    };
    let (mark, grant, vouched_until) = found.map_err(|no| no.about(token.who()))?;
    // Narrowed at the provider since the token was issued: narrowed here.
    let scopes = grant.scopes.narrowed_to(token.scope());
    let scopes = scopes.map_err(|_| Objection::invalid())?;
    let scopes = proxy.options.scope_implications.hold(scopes);
    let about = grant.about();
    let provider = proxy.providers.of(&grant.provider);
    let named = match proxy.grants.subject_of(&grant) {
        Cow::Owned(subject) => Some(subject),
        Cow::Borrowed(_) => None,
    };
    let (subject, provider_subject) = match named {
        Some(subject) => (subject, Some(grant.subject.into())),
        None => (grant.subject, None),
    };
    let resource = match grant.resource.as_str() == token.audience() {
        true => grant.resource,
        false => Resource::of_issued(token.audience()),
    };
    let renewal = grant.upstream.renew_at.filter(|at| *at > now);
    let upstream_until = renewal.or(grant.upstream.expires_at);
    let until = upstream_until.map_or(token.expires_at, |until| until.min(token.expires_at));
    Ok(Validated {
        is_sufficient: scopes.cover(&proxy.options.required_scopes),
        fresh_until: until
            .min(vouched_until)
            .min(proxy.sessions.end_of_life(now)),
        mark: Some(mark),
        session: AuthSession::new(Inner {
            source: TokenSource::of_grant(about),
            subject,
            provider_subject,
            provider: provider.map(|provider| Arc::clone(provider.id())),
            client_id: grant.client_id,
            scopes,
            claims: grant.claims,
            roles: grant.roles,
            resource,
            expires_at: token.expires_at,
            grant_id: Some(LoginName::Grant(token.grant.name())),
            renewal: about.is_none().then(|| Arc::clone(&proxy.delegation) as _),
            upstream: grant.upstream.into(),
            challenges: Some(proxy.challenges.clone()),
        }),
    })
}

/// The same, and until when the operator's verifier vouches for the provider's token. One that it refuses is
/// renewed, once; a grant does not end by the word of a verifier, which may be set up wrongly.
async fn vouched_grant(
    proxy: &Arc<Proxy>,
    token: &OwnToken,
    now: Unix,
    check: &Check,
) -> Result<(RevocationMark, Box<Grant>, Unix), Objection> {
    let id = token.grant;
    let (mut mark, mut grant) = fresh_grant(proxy, token, now).await?;
    if grant.about().is_some() {
        // No token of a provider stands behind an assertion: there is none to check.
        return Ok((mark, grant, Unix::NEVER));
    }
    let mut is_renewed = false;
    loop {
        let subject = Subject {
            token: &grant.upstream.access_token,
            method: &check.method,
            uri: &check.uri,
        };
        let patience = proxy.options.upstream_request_timeout;
        let objection = match word_on(subject, &*check.verifier, patience).await {
            Ok(verified) => {
                let until = verified.expires_at.map_or(Unix::NEVER, Unix::from);
                if until <= now {
                    let who = proxy.grants.who(&id, &grant);
                    let why = "the verifier says that the provider's token is over";
                    return Err(Objection::expired().about(who).detail(why));
                }
                // Revoked while the verifier was asked.
                if !proxy.grants.revocations().is_current(mark) {
                    let grant = proxy.grants.look(&id).await?;
                    grant.ok_or_else(|| Objection::ended(id))?;
                }
                return Ok((mark, grant, until));
            }
            Err(objection) => objection.about(proxy.grants.who(&id, &grant)),
        };
        if objection.words.is_none() || is_renewed {
            return Err(objection);
        }
        let refused = grant.upstream.access_token.to_string();
        match proxy.freshness.another(id, &refused).await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(objection),
            Err(FreshnessError::Ended) => return Err(Objection::ended(id)),
            Err(FreshnessError::Later) => {
                let renewed_at = grant.upstream.renewed_at;
                let is_new = renewed_at.is_some_and(|at| now < at + REPLACED_ONCE_IN);
                if is_new || !grant.upstream.can_renew() {
                    return Err(objection);
                }
                let unavailable = Objection::unavailable(Reason::ProviderUnavailable);
                let why = objection
                    .detail
                    .unwrap_or_else(|| "no answer in time".into());
                return Err(unavailable.of_grant(id).detail(why));
            }
            Err(FreshnessError::Store(error)) => return Err(error.into()),
        }
        // With what the renewal said of the person: roles and scopes may be gone.
        (mark, grant) = fresh_grant(proxy, token, now).await?;
        is_renewed = true;
    }
}

/// Whether the grant still stands behind the token.
fn is_live(grant: &Grant, token: &OwnToken, now: Unix) -> bool {
    matches!(grant.phase, Phase::Active { .. } | Phase::Asserted { .. })
        && grant.client_id == token.client_id()
        && !grant.upstream.is_over(now)
}

const LAST_DAY: &str = "`grant_max_age`: the grant is as old as it may get";

/// The grant of a token, as it stands in the store.
async fn stored_grant(proxy: &Proxy, token: &OwnToken, now: Unix) -> Result<Box<Grant>, Objection> {
    let grant = proxy.grants.look(&token.grant).await?;
    let live = grant.filter(|grant| is_live(grant, token, now));
    let grant = live.ok_or_else(|| Objection::ended(token.grant))?;
    match proxy.freshness.is_past_last_day(&grant, now) {
        true => {
            let who = proxy.grants.who(&token.grant, &grant);
            Err(Objection::expired().about(who).detail(LAST_DAY))
        }
        false => Ok(grant),
    }
}

/// The grant of a token, with a token of the provider that is good now.
async fn fresh_grant(
    proxy: &Arc<Proxy>,
    token: &OwnToken,
    now: Unix,
) -> Result<(RevocationMark, Box<Grant>), Objection> {
    let id = token.grant;
    let ended = || Objection::ended(id);
    let mut looks = 0;
    loop {
        // The mark comes before the look at the store; see `Revocations::mark`.
        let mark = proxy.grants.revocation_mark(id);
        let grant = proxy.grants.look(&id).await?.ok_or_else(ended)?;
        if !is_live(&grant, token, now) {
            return Err(ended());
        }
        if proxy.freshness.is_past_last_day(&grant, now) {
            proxy.freshness.expire(id).await?;
            let who = proxy.grants.who(&id, &grant);
            return Err(Objection::expired().about(who).detail(LAST_DAY));
        }
        let grant = match proxy.freshness.ensure(id, &grant, Need::Token).await {
            Ok(fresh) => fresh.map_or(grant, Seen::into_value),
            Err(FreshnessError::Ended) => return Err(ended()),
            Err(FreshnessError::Later) => {
                let objection = Objection::unavailable(Reason::ProviderUnavailable);
                return Err(objection.of_grant(id));
            }
            Err(FreshnessError::Store(error)) => return Err(error.into()),
        };
        if proxy.grants.revocations().is_current(mark) {
            return Ok((mark, grant));
        }
        // Something was revoked meanwhile: this grant, or one that shares its slot.
        looks += 1;
        if looks == MAX_LOOKS {
            proxy.grants.look(&id).await?.ok_or_else(ended)?;
            return Ok((mark, grant));
        }
    }
}

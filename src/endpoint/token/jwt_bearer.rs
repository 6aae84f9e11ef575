//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 section 2.1): identity assertions of people
//! (draft-ietf-oauth-identity-assertion-authz-grant, as MCP's enterprise-managed authorization has it), and tokens
//! of workloads (SEP-1933, a proposal).
//!
//! The order of the checks stands in the table of `token/mod.rs`. The assertion is used up last, when all that
//! could refuse it has been asked: then exactly one request makes a grant of it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    allowed_grant::Allowed,
    answer::access_token,
    presented_grant::{PresentedGrant, own_name},
    request::missing,
};
use crate::{
    endpoint::{caller::Caller, refusal::Refusal},
    event::{Event, Reason, Step, Told},
    grant::{Grant, GrantId},
    login::admission::{AdmissionError, NotAdmitted, Vouched},
    oauth::Params,
    proxy::Proxy,
    quota::Holder,
    token::AccessTokens,
};

/// `caller`: none where the request names no client, which only a workload's may do.
pub(super) async fn redeem(
    proxy: &Arc<Proxy>,
    tokens: &AccessTokens,
    caller: Option<&Caller>,
    params: &Params,
) -> Result<Value, Refusal> {
    let assertion = params.get("assertion");
    let assertion = assertion.ok_or_else(|| missing("assertion"))?;
    let presented = PresentedGrant::verified(proxy, assertion).await?;
    let client = caller.map(|caller| &**caller);
    let Allowed {
        scopes,
        resource,
        workload,
    } = presented.allowed(proxy, client, params)?;
    let holder = Holder::Vouched(&presented.trusted.about.issuer, &presented.said.subject);
    let within = proxy.quotas.token_request(holder, proxy.clock.now());
    within.map_err(|over| Refusal::from(over).about(presented.about()))?;
    let client_id = match (client, workload) {
        (Some(client), None) => client.id.clone(),
        // Denied by its own name it is denied whichever client it names, or strangers could register one for it.
        (client, _) => {
            let own = own_name(proxy, &presented).await?;
            client.map_or(own, |client| client.id.clone())
        }
    };
    let (id, now) = (GrantId::random(), proxy.now());
    let asked = Vouched {
        issuer: &presented.trusted.about,
        subject: &presented.said.subject,
        client_id: &client_id,
        scopes,
        resource,
        now,
        until: now + proxy.options.assertion_token_ttl,
    };
    let grant = match workload {
        Some(workload) => proxy.vouched.workload(asked, workload),
        None => {
            let claims = presented.claims.clone();
            proxy.vouched.person(asked, claims).await
        }
    };
    let grant = grant.map_err(|error| not_admitted(&presented, error))?;
    let answer = answer(proxy, tokens, id, &grant)?;
    if let Some(caller) = caller {
        caller.spend(proxy).await?;
    }
    // MCP's profile, section 7.4.2: "MUST implement replay detection by rejecting re-use of the same jti for the
    // lifetime of the assertion (at minimum until exp)".
    let (issuer, once) = (&presented.trusted.about.issuer, &presented.said.once);
    let used = proxy.used_grants.first_use(issuer, once, now).await?;
    let used = used.ok_or_else(|| presented.refuse(Reason::Replayed, "it was used before"))?;
    if let Err(error) = proxy.vouched.keep(id, &grant).await {
        proxy.used_grants.give_back(&used).await;
        return Err(error.into());
    }
    let told = Told::of_person(
        presented.who(),
        format!("of issuer `{}`", presented.trusted.about.id),
    );
    let event = Event::done(Step::Assertion).provider(&presented.trusted.about.id);
    let event = event.about(proxy.grants.who(&id, &grant));
    proxy.emit(&event.about(presented.about()).told(&told));
    Ok(answer)
}

/// The operator does not let them in: `invalid_grant`, for the assertion is as good as its person. (RFC 6749
/// section 5.2 has no `access_denied` at this endpoint.)
fn not_admitted(presented: &PresentedGrant<'_>, error: AdmissionError) -> Refusal {
    match error {
        AdmissionError::Operator(NotAdmitted::No {
            reason,
            description,
            detail,
        }) => presented.refuse(reason, detail).describe(description),
        AdmissionError::Ambiguous => presented.refuse(
            Reason::IdToken,
            "its subject cannot be told from another's here",
        ),
        other => Refusal::from(&other).about(presented.about()),
    }
}

/// One access token. The draft, section *Refresh Token*: "The Resource Authorization Server SHOULD NOT return a
/// Refresh Token when an Identity Assertion JWT Authorization is exchanged for an Access Token".
fn answer(
    proxy: &Proxy,
    tokens: &AccessTokens,
    id: GrantId,
    grant: &Grant,
) -> Result<Value, Refusal> {
    let (now, scope) = (grant.created_at, grant.scopes.to_string());
    let exp = grant.upstream.expires_at.unwrap_or(now);
    let life = (now, exp);
    let token = access_token(proxy, tokens, &id, grant, &scope, &grant.resource, life)?;
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": exp.since(now).as_secs(),
        "scope": scope,
    }))
}

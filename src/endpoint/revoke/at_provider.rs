//! Revocation in passthrough mode: the token is the provider's.

use crate::{
    endpoint::{caller::Caller, refusal::Refusal},
    error::OAuthErrorCode,
    event::{Event, Reason, Step},
    grant::GrantId,
    limits::MAX_BEARER,
    mode::Passthrough,
    provider::Finality,
    proxy::Proxy,
};

/// Passthrough mode: the provider's revocation is all there is, so its failure is ours. The client's
/// refresh token opens for it alone; anything else is taken for an access token, whose holder could
/// use it anyway.
pub(super) async fn revoke(
    proxy: &Proxy,
    mode: &Passthrough,
    client: &Caller,
    token: &str,
) -> Result<(), Refusal> {
    let opened = mode.open_for(client, token);
    let (token, hint) = match &opened {
        Some(sealed) if !sealed.is_from(proxy.providers.main().about()) => {
            return Err(not_revocable(Reason::GrantEnded).detail(sealed.why_foreign()));
        }
        Some(sealed) => (sealed.token.as_str(), "refresh_token"),
        None => (token, "access_token"),
    };
    // What cannot be a token was never one (RFC 7009 section 2.2), and is not sent on.
    let is_token = token.len() <= MAX_BEARER && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token {
        return Ok(());
    }
    if opened.is_some() {
        client.spend(proxy).await?;
    }
    let Some(_turn) = mode.turn_to_revoke() else {
        let refusal = Refusal::unavailable(Reason::Busy);
        return Err(refusal.detail("as many revocations are at the provider as this process takes"));
    };
    // A client that hangs up now takes the rest of this with it.
    proxy.sessions.forget(token.as_bytes());
    let answer = proxy.providers.main().revoke(token, hint).await;
    // Again: a request while the provider was asked may have been let in, and kept.
    proxy.sessions.forget(token.as_bytes());
    match answer {
        Ok(true) => {
            let event = Event::done(Step::Revoke).about(client.who());
            let provider = &proxy.providers.main().about().id;
            proxy.emit(&match &opened {
                Some(held) => event
                    .grant(GrantId::from_bytes(held.login))
                    .about(held.who()),
                None => event.provider(provider),
            });
            Ok(())
        }
        Ok(false) => Err(not_revocable(Reason::UnsupportedType)),
        Err(error) => match error.finality() {
            // The provider knows no such token: it is as good as revoked (RFC 7009 section 2.2).
            Finality::Ends => Ok(()),
            // Any other refusal leaves it alive, and the client has to know.
            Finality::Bounded => Err(not_revocable(Reason::ProviderRejected).told(error.told())),
            Finality::Trouble => {
                Err(Refusal::unavailable(Reason::ProviderUnavailable).told(error.told()))
            }
        },
    }
}

fn not_revocable(reason: Reason) -> Refusal {
    let words = "the identity provider cannot revoke this token";
    Refusal::new(reason, OAuthErrorCode::UnsupportedTokenType, words)
}

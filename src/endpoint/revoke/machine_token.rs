//! The revocation of a machine's token, which no grant stands behind: the token alone ends.

use crate::{
    endpoint::{caller::Caller, refusal::Refusal},
    event::{Event, Reason, Step},
    oauth::describable,
    proxy::Proxy,
    token::{AccessClaims, AccessTokens},
};

/// A token that names no grant: a machine's, or none of ours.
pub(super) async fn revoke(
    proxy: &Proxy,
    tokens: &AccessTokens,
    client: &Caller,
    token: &str,
) -> Result<(), Refusal> {
    let now = proxy.now();
    let of_machine = |claims: &AccessClaims<'_>| {
        let text = |claim: &str| claim.to_owned();
        let is_grantless = claims.gid.is_empty();
        is_grantless.then(|| (text(&claims.client_id), text(&claims.jti), claims.exp))
    };
    let Ok(Some((client_id, jti, end))) = tokens.verify(token, now, of_machine) else {
        let event = Event::refused(Step::Revoke, Reason::InvalidToken).about(client.who());
        proxy.emit(&event.detail("the token was not issued by this server, or has expired"));
        return Ok(());
    };
    let (caller, owner) = (describable(&client.id), describable(&client_id));
    // RFC 7009 section 2.1: the server "verifies whether the token was issued to the client making the
    // revocation request".
    if client_id != client.id {
        let event = Event::refused(Step::Revoke, Reason::ForeignClient).about(client.who());
        proxy.emit(&event.detail(format!("client `{caller}`, a token of `{owner}`")));
        return Ok(());
    }
    client.spend(proxy).await?;
    proxy.grantless.revoke(&jti, &client_id, end, now).await?;
    let event = Event::done(Step::Revoke).about(client.who());
    proxy.emit(&event.detail(format!("a token of client `{owner}`")));
    Ok(())
}

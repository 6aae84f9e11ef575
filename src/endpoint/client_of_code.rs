//! Who asks at the token endpoint, where that is a client with a document: in exchange for a code it is what its
//! document said when the code was asked for, everywhere else what it says now.
//!
//! A refresh goes by the document of now because keys are replaced: one that leaked must not count for the weeks
//! that a grant lives. (How weak its proof may be is another rule: see `token/refresh_check`.)

use crate::{
    client::{Identified, SeenClient},
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    grant::read_code,
    oauth::Params,
    proxy::Proxy,
};

/// The client of this id, for this request.
///
/// # Errors
///
/// The code is no one's, or another client's: who would be held to what is not known, so nothing is fetched for
/// the one that asks.
pub(super) async fn identified(
    proxy: &Proxy,
    client_id: &str,
    params: &Params,
) -> Result<Identified, Refusal> {
    let redeems = params.get("grant_type") == Some("authorization_code");
    if !redeems || !proxy.clients.has_document(client_id) {
        return Ok(proxy.clients.identify(client_id).await);
    }
    Box::pin(of_code(proxy, client_id, params)).await
}

async fn of_code(proxy: &Proxy, client_id: &str, params: &Params) -> Result<Identified, Refusal> {
    let code = params.get("code").ok_or_else(|| {
        let text = "code is missing";
        Refusal::new(
            Reason::MissingParameter,
            OAuthErrorCode::InvalidRequest,
            text,
        )
    })?;
    let id = read_code(code).ok_or_else(|| {
        Refusal::grant(Reason::InvalidToken).detail("the code was not issued by this server")
    })?;
    let grant = proxy.grants.look(&id).await;
    let grant = grant.map_err(|error| Refusal::from(error).of(id))?;
    let grant = grant.ok_or_else(|| Refusal::grant(Reason::GrantEnded).of(id))?;
    if grant.client_id != client_id {
        return Err(Refusal::grant(Reason::ForeignClient).of(id));
    }
    let record = grant.seen_client.as_deref();
    let seen = record.and_then(|record| SeenClient::recorded(client_id, record));
    match seen {
        Some(seen) => Ok(proxy.clients.identify_seen(&seen).await),
        // Of a login as a configured client, which it is no more.
        None => Err(Refusal::grant(Reason::GrantEnded).of(id)),
    }
}

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
    mode::Mode,
    oauth::{Params, describable},
    outbound::AskedBy,
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
    let clients = &proxy.clients;
    if !clients.has_document(client_id) {
        return Ok(clients.identify(client_id).await);
    }
    if params.get("grant_type") == Some("authorization_code") {
        return Box::pin(of_code(proxy, client_id, params)).await;
    }
    Ok(match clients.identify(client_id).await {
        // Others' requests, about other documents of that host, must not keep out those who are in.
        Identified::NoDocument(error)
            if error.is_crowded() && has_login(proxy, client_id, params).await =>
        {
            Box::pin(clients.by_document(client_id, AskedBy::Login)).await
        }
        found => found,
    })
}

/// Whether the request has what only a login of this client gives: its code, or its refresh token. It is not
/// authenticated by that: it is asked for when strangers have asked too much already. Where the store cannot be
/// read, it is not known to have one.
pub(super) async fn has_login(proxy: &Proxy, client_id: &str, params: &Params) -> bool {
    let text = |name| params.get(name).unwrap_or_default();
    let id = match (params.get("grant_type"), &proxy.mode) {
        (Some("authorization_code"), _) => read_code(text("code")),
        (Some("refresh_token"), Mode::Passthrough(mode)) => {
            return mode.is_kept_by(client_id, text("refresh_token"));
        }
        (Some("refresh_token"), Mode::Swap(_)) => {
            let read = proxy.grants.refresh_tokens.read(text("refresh_token"));
            read.map(|(id, _)| id)
        }
        _ => None,
    };
    let Some(id) = id else { return false };
    let grant = proxy.grants.look(&id).await;
    grant.is_ok_and(|grant| grant.is_some_and(|grant| grant.client_id == client_id))
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
        let owner = describable(&grant.client_id);
        let refusal = Refusal::grant(Reason::ForeignClient).of(id);
        return Err(refusal.detail(format_args!("the code is of client `{owner}`")));
    }
    let record = grant.seen_client.as_deref();
    let seen = record.and_then(|record| SeenClient::recorded(client_id, record));
    match seen {
        Some(seen) => Ok(proxy.clients.identify_seen(&seen).await),
        // Of a login as a configured client, which it is no more.
        None => {
            let why = "the login was of another kind of client with this id";
            Err(Refusal::grant(Reason::GrantEnded).of(id).detail(why))
        }
    }
}

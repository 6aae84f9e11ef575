//! Who is asking, at the token and revocation endpoints (RFC 6749 section 2.3, RFC 7591 section 2).

use http::{HeaderMap, header};

use crate::{
    client::{Client, Presented},
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    oauth::Params,
    proxy::Proxy,
};

/// The client, authenticated exactly as it registered; else 401 `invalid_client`.
pub(in crate::endpoint) async fn authenticate(
    proxy: &Proxy,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, Refusal> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (lines.next(), lines.next());
    let tried_basic = first.is_some();
    let invalid = |reason: Reason, detail: &'static str| {
        Refusal::new(
            reason,
            OAuthErrorCode::InvalidClient,
            "the client is not known here, or did not authenticate as it registered",
        )
        .detail(detail)
        .with_basic_challenge(tried_basic)
    };
    let line = match (first, second) {
        (None, _) => None,
        (Some(line), None) => Some(line.to_str().map_err(|_| {
            invalid(
                Reason::ClientAuthentication,
                "the Authorization header is not ASCII",
            )
        })?),
        (Some(_), Some(_)) => {
            let detail = "two Authorization headers";
            return Err(invalid(Reason::ClientAuthentication, detail));
        }
    };
    let presented = Presented::read(line, params).map_err(|error| {
        let reason = match error.code {
            OAuthErrorCode::InvalidClient => Reason::ClientAuthentication,
            _ => Reason::Malformed,
        };
        Refusal::from_error(reason, error).with_basic_challenge(tried_basic)
    })?;
    let Some(client) = proxy.clients.find(&presented.id) else {
        return Err(invalid(
            Reason::UnknownClient,
            "the client_id does not open",
        ));
    };
    if !proxy.clients.authenticate(&client, &presented) {
        let detail = "not the registered method, or a wrong secret";
        return Err(invalid(Reason::ClientAuthentication, detail));
    }
    if proxy.grants.is_denied(&client.id).await? {
        return Err(invalid(
            Reason::DeniedClient,
            "the operator denied the client",
        ));
    }
    Ok(client)
}

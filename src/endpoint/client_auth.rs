//! Who is asking, at the token and revocation endpoints (RFC 6749 section 2.3, RFC 7591 section 2).

use std::fmt::Display;

use http::{HeaderMap, HeaderValue, header};

use crate::{
    client::{Client, Identified, Presented, is_basic},
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    oauth::Params,
    proxy::Proxy,
};

/// The client, authenticated as it registered; else 401 `invalid_client`.
pub(in crate::endpoint) async fn authenticate(
    proxy: &Proxy,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, Refusal> {
    let lines = || headers.get_all(header::AUTHORIZATION).iter();
    let tried_basic = lines().any(|line| is_basic(line.as_bytes()));
    let invalid = |reason: Reason, detail: &dyn Display| {
        Refusal::new(
            reason,
            OAuthErrorCode::InvalidClient,
            "the client is not known here, or did not authenticate as it registered",
        )
        .detail(detail)
        .with_basic_challenge(tried_basic)
    };
    let lines = lines().map(HeaderValue::as_bytes);
    let presented = Presented::read(lines, params).map_err(|error| {
        let reason = match error.code {
            OAuthErrorCode::InvalidClient => Reason::ClientAuthentication,
            _ => Reason::Malformed,
        };
        Refusal::from_error(reason, error).with_basic_challenge(tried_basic)
    })?;
    // Before the secret is looked at: it costs a stranger one read of the store, as at authorize.
    let client = match proxy.clients.identify(&presented.id).await {
        Identified::Client(client) => client,
        Identified::Unknown(why) => return Err(invalid(Reason::UnknownClient, &why)),
        Identified::Denied => {
            let detail = "the operator denied the client";
            return Err(invalid(Reason::DeniedClient, &detail));
        }
        Identified::Later(error) => return Err(error.into()),
    };
    if !proxy.clients.authenticate(&client, &presented) {
        let detail = "not the registered method, or a wrong secret";
        return Err(invalid(Reason::ClientAuthentication, &detail));
    }
    Ok(client)
}

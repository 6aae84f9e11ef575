//! Who is asking, at the token and revocation endpoints (RFC 6749 section 2.3, RFC 7591 section 2).

use std::fmt::Display;

use http::{HeaderValue, header, request::Parts};

use crate::{
    client::{Identified, Presented, Unproven, is_basic},
    endpoint::{
        caller::Caller,
        client_of_code::{self, has_login},
        refusal::Refusal,
    },
    error::OAuthErrorCode,
    event::{Reason, Who},
    oauth::Params,
    outbound::AskedBy,
    proxy::Proxy,
    route,
};

const INVALID: &str = "the client is not known here, or did not authenticate as it registered";

/// Whether a request names a client in any way. RFC 7523 section 2.1, of an assertion that is a grant: "the
/// "client_id" is only needed when a form of client authentication that relies on the parameter is used"; SEP-1933
/// has workloads that are no client.
pub(in crate::endpoint) fn names_client(parts: &Parts, params: &Params) -> bool {
    const NAMES: [&str; 4] = [
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
    ];
    let mut lines = parts.headers.get_all(header::AUTHORIZATION).iter();
    lines.any(|line| is_basic(line.as_bytes()))
        || NAMES.iter().any(|name| params.get(name).is_some())
}

/// The client, authenticated as it registered; else 401 `invalid_client`.
///
/// Its assertion, if it has one, is not used up by that: whoever registers can sign any number, and what a
/// stranger does writes nothing. [`Caller::spend`] is for the endpoint to call.
pub(in crate::endpoint) async fn authenticate(
    proxy: &Proxy,
    parts: &Parts,
    params: &Params,
) -> Result<Caller, Refusal> {
    let lines = || parts.headers.get_all(header::AUTHORIZATION).iter();
    let tried_basic = lines().any(|line| is_basic(line.as_bytes()));
    let lines = lines().map(HeaderValue::as_bytes);
    let presented = Presented::read(lines, params).map_err(|error| {
        let reason = match error.code {
            OAuthErrorCode::InvalidClient => Reason::ClientAuthentication,
            _ => Reason::Malformed,
        };
        Refusal::from_error(reason, error).with_basic_challenge(tried_basic)
    })?;
    let who = || Who::default().client(&presented.id, None);
    let proven = proven(proxy, parts, params, &presented, tried_basic).await;
    proven.map_err(|no| no.about(who()))
}

/// The same for what the request presents.
async fn proven(
    proxy: &Proxy,
    parts: &Parts,
    params: &Params,
    presented: &Presented,
    tried_basic: bool,
) -> Result<Caller, Refusal> {
    let invalid = |reason: Reason, detail: &dyn Display| {
        Refusal::new(reason, OAuthErrorCode::InvalidClient, INVALID)
            .detail(detail)
            .with_basic_challenge(tried_basic)
    };
    // Before the secret is looked at: it costs a stranger one read of the store, as at authorize.
    let client = match client_of_code::identified(proxy, &presented.id, params).await? {
        Identified::Client(client) => client,
        Identified::Unknown(why) => return Err(invalid(Reason::UnknownClient, &why)),
        Identified::Denied => {
            let detail = "the operator denied the client";
            return Err(invalid(Reason::DeniedClient, &detail));
        }
        Identified::NotLetIn(host) => {
            let detail = format!("metadata_documents lets in no document of {host}");
            return Err(invalid(Reason::DeniedClient, &detail));
        }
        Identified::NoDocument(error) if error.is_trouble() || error.tells_of_inside() => {
            return Err(Refusal::unavailable(Reason::ClientDocument).detail(error));
        }
        Identified::NoDocument(error) => return Err(invalid(Reason::ClientMetadata, &error)),
        Identified::Later(error) => return Err(error.into()),
    };
    // RFC 7523 section 3 allows the token endpoint's URL, OpenID Connect Core section 9 wants it, and its
    // successor wants the issuer. At other endpoints libraries write the URL of the one that they call.
    let base = &proxy.options.base;
    let token_endpoint = base.join(route::TOKEN);
    let called = [base.origin(), parts.uri.path()].concat();
    let audiences = [base.as_str(), &token_endpoint, &called];
    let prove = |asked_by| {
        let now = proxy.now();
        let clients = &proxy.clients;
        clients.authenticate(&client, presented, &audiences, asked_by, now)
    };
    let proven = match prove(AskedBy::Anyone).await {
        // Others' requests, about other keys of that host, must not keep out those who are in.
        Err(Unproven::Key(fault))
            if fault.is_crowded() && has_login(proxy, &client.id, params).await =>
        {
            prove(AskedBy::Login).await
        }
        proven => proven,
    };
    match proven {
        Ok(once) => Ok(Caller::new(client, once)),
        Err(Unproven::Key(fault)) if fault.is_trouble() => {
            Err(Refusal::unavailable(Reason::ClientKeys).detail(fault))
        }
        Err(why) => Err(invalid(Reason::ClientAuthentication, &why)),
    }
}

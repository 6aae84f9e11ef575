//! One HTTP exchange with the provider, bounded in time and size.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, StatusCode,
    header::{
        ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, RETRY_AFTER,
        WWW_AUTHENTICATE,
    },
};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, redirect};

use crate::{
    error::{ConfigError, UpstreamError},
    event::printable,
};

/// No token answer or userinfo document comes near; a peer's process was filled by one that never
/// ended.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// A connection that takes longer will not come.
const MAX_CONNECT_TIME: Duration = Duration::from_secs(5);
/// Idle connections are dropped before the usual gateway drops them in silence.
const POOL_IDLE_TIME: Duration = Duration::from_secs(50);
/// Idle connections that are kept for one host.
const POOL_IDLE_CONNECTIONS: usize = 16;
/// The longest description of a transport error, in characters.
const MAX_DESCRIPTION: usize = 300;

/// The longest name of a content coding that an error quotes, in characters.
const MAX_CODING: usize = 40;

/// What an operator may change about the HTTP client: proxies, root certificates, DNS.
pub(crate) type Customize = Box<dyn FnOnce(ClientBuilder) -> ClientBuilder + Send>;

/// The client for everything that goes to the provider. Redirects are never followed, whatever
/// `customize` says: a token request would carry its secrets to another host.
pub(crate) fn http_client(
    customize: Option<Customize>,
    timeout: Duration,
) -> Result<Client, ConfigError> {
    let builder = Client::builder()
        .connect_timeout(timeout.min(MAX_CONNECT_TIME))
        .pool_idle_timeout(POOL_IDLE_TIME)
        .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS)
        // GitHub's API refuses requests without one.
        .user_agent(concat!("tower-oauth-proxy/", env!("CARGO_PKG_VERSION")));
    let builder = match customize {
        Some(customize) => customize(builder),
        None => builder,
    };
    builder
        .redirect(redirect::Policy::none())
        .referer(false)
        .build()
        .map_err(|error| ConfigError::new("provider", describe(error)))
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<String>,
    /// The provider asks for patience, whatever the status.
    pub(crate) limited: bool,
    pub(crate) challenge: Challenge,
    pub(crate) body: Bytes,
}

/// What `WWW-Authenticate` says of a bearer token (RFC 6750 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    None,
    /// Somebody wants a password or a machine's login: not of us, and not the provider's API.
    Password,
    Bearer,
    InvalidToken,
}

/// Sends and reads everything within `timeout`, a slow drip of a body included.
pub(crate) async fn send(
    request: RequestBuilder,
    timeout: Duration,
) -> Result<Answer, UpstreamError> {
    // RFC 9110 section 12.5.3: without this field "any content coding is considered acceptable".
    let request = request.header(ACCEPT_ENCODING, "identity");
    let exchange = async {
        let response = request.send().await.map_err(transport)?;
        read(response).await
    };
    tokio::time::timeout(timeout, exchange)
        .await
        .unwrap_or(Err(UpstreamError::Timeout))
}

async fn read(mut response: Response) -> Result<Answer, UpstreamError> {
    let too_large =
        || UpstreamError::Malformed(format!("the body is larger than {MAX_BODY_BYTES} bytes"));
    let status = response.status();
    let headers = response.headers();
    let text = |name| text(headers, &name).map(str::to_owned);
    let content_type = text(CONTENT_TYPE);
    let (limited, challenge) = (is_limited(headers), challenge(headers));
    if let Some(coding) = text(CONTENT_ENCODING).filter(|coding| !is_plain(coding)) {
        return Err(coded(status, &coding));
    }
    let announced = text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        content_type,
        limited,
        challenge,
        body: body.freeze(),
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `Retry-After` (RFC 9110 section 10.2.3), or a count of requests that is down to zero: GitHub says
/// its limits with 403 and one of these.
fn is_limited(headers: &HeaderMap) -> bool {
    let is_used_up = |name| {
        let left = headers.get(name);
        left.is_some_and(|left| left.as_bytes().trim_ascii() == b"0")
    };
    headers.contains_key(RETRY_AFTER)
        || is_used_up("x-ratelimit-remaining")
        || is_used_up("ratelimit-remaining")
}

fn challenge(headers: &HeaderMap) -> Challenge {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let text: Vec<String> = values
        .filter_map(|value| Some(value.to_str().ok()?.to_ascii_lowercase()))
        .collect();
    let any = |word| text.iter().any(|value| value.contains(word));
    let starts = |scheme| text.iter().any(|value| value.starts_with(scheme));
    match (any("invalid_token"), any("bearer")) {
        (true, _) => Challenge::InvalidToken,
        (false, true) => Challenge::Bearer,
        _ if ["basic", "digest", "negotiate", "ntlm"]
            .into_iter()
            .any(starts) =>
        {
            Challenge::Password
        }
        (false, false) => Challenge::None,
    }
}

fn is_plain(coding: &str) -> bool {
    let coding = coding.trim();
    coding.is_empty() || coding.eq_ignore_ascii_case("identity")
}

/// Something between us and the provider packs what was asked for unpacked. (Where the operator's
/// own `reqwest` is built with a decoder, it has unpacked the body before we see it.)
fn coded(status: StatusCode, coding: &str) -> UpstreamError {
    let coding = printable(coding, MAX_CODING);
    let words = format!("the body has the content coding {coding}, and none was accepted");
    if status.is_success() {
        return UpstreamError::Malformed(words);
    }
    UpstreamError::Failed {
        status: status.as_u16(),
        said: Some(words),
    }
}

fn transport(error: reqwest::Error) -> UpstreamError {
    if error.is_timeout() {
        return UpstreamError::Timeout;
    }
    UpstreamError::Transport(describe(error))
}

/// The error and what caused it, without the URL: an operator's may hold a key in its query.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    printable(&text, MAX_DESCRIPTION)
}

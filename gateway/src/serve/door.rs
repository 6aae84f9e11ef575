//! What a request has to be before anything reads it: rules, without I/O.

use http::{HeaderMap, Method, StatusCode, Uri, Version, header, request, uri::PathAndQuery};

use crate::headers::{Hop, drop_odd_names, end_hop};

/// Why a request stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) words: &'static str,
    /// Where the message ends is not certain: what follows on this connection is not read.
    pub(super) ends_connection: bool,
}

impl Refusal {
    const fn new(status: StatusCode, words: &'static str) -> Self {
        Self {
            status,
            words,
            ends_connection: false,
        }
    }

    const fn of_framing(status: StatusCode, words: &'static str) -> Self {
        Self {
            status,
            words,
            ends_connection: true,
        }
    }
}

/// What the operator grants.
#[derive(Debug, Clone, Copy)]
pub(super) struct DoorLimits {
    pub(super) body: u64,
    pub(super) header_lines: usize,
}

/// Checks a request, takes from it what is for this hop alone, and leaves its target in origin form. What the layer, the
/// rules by tool and the server behind see afterwards is the same.
pub(super) fn enter(parts: &mut request::Parts, limits: DoorLimits) -> Result<Hop, Refusal> {
    if parts.headers.len() > limits.header_lines {
        return Err(Refusal::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the header has too many lines",
        ));
    }
    method(&parts.method)?;
    framing(parts, limits.body)?;
    host(parts)?;
    expectation(&parts.headers)?;
    parts.uri = target(&parts.uri)?;
    drop_odd_names(&mut parts.headers);
    Ok(end_hop(parts))
}

/// A tunnel is not ours to open, and an echo of the request would show what the server behind is told.
fn method(method: &Method) -> Result<(), Refusal> {
    match *method {
        Method::CONNECT | Method::TRACE => Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this method is not served",
        )),
        _ => Ok(()),
    }
}

/// RFC 9112, 6.1: “A server that receives a request message with a transfer coding it does not understand SHOULD
/// respond with 501 (Not Implemented).” Beside `chunked` none is understood here, and none passes: two readers could
/// disagree about where the request ends.
fn framing(parts: &request::Parts, most: u64) -> Result<(), Refusal> {
    let mut codings = parts.headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
            return Err(Refusal::of_framing(
                StatusCode::NOT_IMPLEMENTED,
                "the only transfer coding that is understood is chunked",
            ));
        }
        if parts.headers.contains_key(header::CONTENT_LENGTH) {
            return Err(Refusal::of_framing(
                StatusCode::BAD_REQUEST,
                "Transfer-Encoding and Content-Length in one request",
            ));
        }
    }
    let mut lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else {
        return Ok(());
    };
    if lengths.next().is_some() {
        return Err(Refusal::of_framing(
            StatusCode::BAD_REQUEST,
            "more than one Content-Length",
        ));
    }
    let digits = length
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    match digits.map(str::parse::<u64>) {
        Some(Ok(length)) if length <= most => Ok(()),
        Some(Ok(_)) => Err(Refusal::of_framing(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than allowed",
        )),
        _ => Err(Refusal::of_framing(
            StatusCode::BAD_REQUEST,
            "Content-Length is no number",
        )),
    }
}

/// RFC 9112, 3.2: “A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks
/// a Host header field and to any request message that contains more than one Host header field line or a Host header
/// field with an invalid field value.”
///
/// RFC 9113, 8.3.1: “A server SHOULD treat a request as malformed if it contains a Host header field that identifies an
/// entity that differs from the entity in the ":authority" pseudo-header field.”
fn host(parts: &request::Parts) -> Result<(), Refusal> {
    let wrong = |words| Err(Refusal::new(StatusCode::BAD_REQUEST, words));
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return wrong("more than one Host");
    }
    let Some(host) = host else {
        return match parts.version {
            Version::HTTP_11 => wrong("no Host"),
            _ => Ok(()),
        };
    };
    let is_empty = host.is_empty();
    let named = host
        .to_str()
        .ok()
        .and_then(|host| host.parse::<http::uri::Authority>().ok());
    if !is_empty
        && named
            .as_ref()
            .is_none_or(|host| host.as_str().contains('@'))
    {
        return wrong("Host is no host");
    }
    // In HTTP/1 an absolute target counts and Host is ignored (RFC 9112, 3.2.2). Neither goes further.
    match (parts.version, parts.uri.authority(), named) {
        (Version::HTTP_2, Some(authority), Some(named))
            if !authority.as_str().eq_ignore_ascii_case(named.as_str()) =>
        {
            wrong("Host differs from :authority")
        }
        _ => Ok(()),
    }
}

/// RFC 9110, 10.1.1: “A server that receives an Expect field value containing a member other than 100-continue MAY
/// respond with a 417 (Expectation Failed) status code to indicate that the unexpected expectation cannot be met.”
fn expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut expected = headers.get_all(header::EXPECT).iter();
    match expected.all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::EXPECTATION_FAILED,
            "the only expectation that is met is 100-continue",
        )),
    }
}

/// The path and query alone. A path that another reader would shorten is refused: the layer and the server behind have
/// to mean the same one. So is what is no path: `*`, and the authority form, which is for tunnels.
fn target(uri: &Uri) -> Result<Uri, Refusal> {
    let wrong = |words| Refusal::new(StatusCode::BAD_REQUEST, words);
    if uri.scheme().is_none() && uri.authority().is_some() {
        return Err(wrong("the target is no path"));
    }
    let target = uri.path_and_query().cloned();
    let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
    if !target.path().starts_with('/') {
        return Err(wrong("the target is no path"));
    }
    if is_ambiguous(target.path()) {
        return Err(wrong("the path has dot segments, a backslash or a NUL"));
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map_err(|_| wrong("the target is no path"))
}

fn is_ambiguous(path: &str) -> bool {
    let is_dots = |segment: &str| {
        // `..;x` is `..` to servers of Java.
        let segment = segment.split(';').next().unwrap_or(segment);
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    let lower = path.to_ascii_lowercase();
    let lower = lower.replace("%2f", "/").replace("%5c", "\\");
    lower.contains('\\') || lower.contains("%00") || lower.split('/').any(is_dots)
}

#[cfg(test)]
mod tests;

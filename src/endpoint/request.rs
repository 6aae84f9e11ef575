//! Reading what came: the body with a hard limit in size and time, the form, the query.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::refusal::Refusal;
use crate::{
    error::{BoxError, OAuthError, OAuthErrorCode},
    event::Reason,
    limits::{BODY_TIMEOUT, MAX_BODY, MAX_QUERY},
    oauth::{Params, ParamsError},
};

/// The whole body, of the content type that this endpoint takes.
pub(super) async fn body<B>(
    headers: &HeaderMap,
    body: B,
    content_type: &'static str,
) -> Result<Bytes, Refusal>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    if !has_content_type(headers, content_type) {
        let error = OAuthError::new(
            OAuthErrorCode::InvalidRequest,
            format!("the content type has to be {content_type}"),
        );
        let error = error.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        return Err(Refusal::from_error(Reason::NotServed, error));
    }
    if has_content_coding(headers) {
        let text = "the body has a content coding: send it without one, as it is";
        let error = OAuthError::new(OAuthErrorCode::InvalidRequest, text);
        let error = error.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        return Err(Refusal::from_error(Reason::NotServed, error).without_content_coding());
    }
    let read = Limited::new(body, MAX_BODY).collect();
    match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let error = OAuthError::new(OAuthErrorCode::InvalidRequest, "the body is too large");
            let error = error.with_status(StatusCode::PAYLOAD_TOO_LARGE);
            Err(Refusal::from_error(Reason::TooLarge, error))
        }
        Ok(Err(_)) => Err(Refusal::new(
            Reason::Malformed,
            OAuthErrorCode::InvalidRequest,
            "the body could not be read",
        )),
        Err(_) => {
            let error = OAuthError::new(OAuthErrorCode::InvalidRequest, "the body came too slowly");
            let error = error.with_status(StatusCode::REQUEST_TIMEOUT);
            Err(Refusal::from_error(Reason::Malformed, error))
        }
    }
}

/// The form in the body (RFC 6749 appendix B).
pub(super) async fn form<B>(parts: &Parts, content: B) -> Result<Params, Refusal>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let bytes = form_bytes(parts, content).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ParamsError::Malformed)?;
    Ok(Params::parse(text)?)
}

/// The same form, as it came.
pub(super) async fn form_bytes<B>(parts: &Parts, content: B) -> Result<Bytes, Refusal>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    body(&parts.headers, content, "application/x-www-form-urlencoded").await
}

/// The parameters in the query.
pub(super) fn query(parts: &Parts) -> Result<Params, ParamsError> {
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY {
        return Err(ParamsError::TooLong);
    }
    Params::parse(query)
}

/// The one value of a header; `None` when it is missing, twice there, or not ASCII.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// A compressed body is not read: what it grows to is known only afterwards.
fn has_content_coding(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

fn has_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    single(headers, &header::CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
}

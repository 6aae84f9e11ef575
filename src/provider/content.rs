//! What a body holds: JSON or a form, read by its content.

use std::borrow::Cow;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{answer::Answer, upstream_error::UpstreamError};
use crate::{limits::MAX_MEDIA_TYPE, oauth::printable};

/// The members of a JSON object or of a form, whatever the label says: GitHub and others label
/// theirs loosely.
///
/// Bytes that are no UTF-8 are replaced: a refusal counts however its description is encoded, and
/// tokens are ASCII. Of a name that stands twice the last one counts (RFC 8259 section 4 leaves it
/// open).
pub(super) fn fields(answer: &Answer) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(without_mark(&answer.body));
    let text = text.trim();
    if text.starts_with(['{', '[']) {
        return match serde_json::from_str(text).ok()? {
            Value::Object(fields) => Some(fields),
            // Salesforce's API refuses with a list of one.
            Value::Array(list) if !answer.status.is_success() => match <[_; 1]>::try_from(list) {
                Ok([Value::Object(fields)]) => Some(fields),
                _ => None,
            },
            _ => None,
        };
    }
    let is_form = match essence(answer) {
        None => true,
        Some(essence) => {
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
                || essence.eq_ignore_ascii_case("text/plain")
        }
    };
    if !is_form || !text.contains('=') {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    Some(
        pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect(),
    )
}

/// A document about a person. Here bytes that are no UTF-8 are refused: two people whose `sub`
/// differ in such a byte would be one.
pub(super) fn document(answer: &Answer) -> Result<Value, UpstreamError> {
    serde_json::from_slice(without_mark(&answer.body)).map_err(|_| {
        // OpenID Connect Core section 5.3.2 allows it where the app was registered so.
        if essence(answer).is_some_and(|it| it.eq_ignore_ascii_case("application/jwt")) {
            let words = "the document is a JWT (application/jwt), and only plain JSON is read: do not set \
                         `userinfo_signed_response_alg` or an encryption for this app";
            return UpstreamError::Malformed(words.to_owned());
        }
        let kind = essence(answer).map_or(Cow::Borrowed("without a media type"), |essence| {
            Cow::Owned(printable(essence, MAX_MEDIA_TYPE))
        });
        UpstreamError::Malformed(format!("the document ({kind}) is not JSON in UTF-8"))
    })
}

/// RFC 8259 section 8.1: parsers "MAY ignore the presence of a byte order mark rather than treating
/// it as an error".
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Whether the answer was made for a browser: a gateway's error, a firewall's block, the login of a
/// captive portal.
pub(super) fn is_page(answer: &Answer) -> bool {
    let is_html = essence(answer).is_some_and(|essence| {
        essence.eq_ignore_ascii_case("text/html")
            || essence.eq_ignore_ascii_case("application/xhtml+xml")
    });
    is_html || without_mark(&answer.body).trim_ascii_start().first() == Some(&b'<')
}

fn essence(answer: &Answer) -> Option<&str> {
    let value = answer.content_type.as_deref()?;
    value.split(';').next().map(str::trim)
}

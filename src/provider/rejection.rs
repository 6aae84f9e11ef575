//! Is this answer a refusal, and whose? RFC 6749 section 5.2 and RFC 6750 section 3.1, as pure
//! functions. What a refusal does to a grant is the table in `finality`.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    answer::{Answer, Challenge},
    content::{self, is_page},
    dialect::Dialect,
    finality::{PASSING, TOKEN_REFUSED, is_known, of_code},
    redaction::without_tokens,
    upstream_error::UpstreamError,
};
use crate::{
    limits::{MAX_ERROR_CODE, MAX_ERROR_DESCRIPTION},
    oauth::printable,
};

/// The fields of a form endpoint's answer, unless it is a refusal; `None` when it has no fields that
/// can be read.
///
/// Only words that surely concern this request are [`UpstreamError::Rejected`], because they may end
/// a grant. A page of a gateway, a firewall or a captive portal is [`UpstreamError::Failed`] with any
/// status, and so is JSON that says no more than its status.
pub(super) fn accepted(
    dialect: &dyn Dialect,
    answer: &Answer,
) -> Result<Option<Map<String, Value>>, UpstreamError> {
    if is_trouble(answer.status) {
        return Err(failed(answer));
    }
    let fields = content::fields(answer);
    if let Some(refusal) = fields
        .as_ref()
        .and_then(|fields| refusal(dialect, answer, fields))
    {
        return Err(refusal);
    }
    if answer.status.is_success() {
        return Ok(fields);
    }
    let is_judged = matches!(answer.status.as_u16(), 400 | 401 | 403 | 422);
    let rejected = fields
        .filter(|_| is_judged && !answer.limited)
        .and_then(|fields| in_own_words(dialect, answer.status, &fields));
    Err(rejected.unwrap_or_else(|| failed(answer)))
}

/// What the provider's API says instead of a document, or `None` when it answers.
pub(super) fn api_refusal(answer: &Answer) -> Option<UpstreamError> {
    let (status, said) = (answer.status.as_u16(), said(answer));
    let code = || {
        let fields = content::fields(answer)?;
        Some(fields.get("error")?.as_str()?.to_owned())
    };
    if answer.status.is_success() {
        // Slack says everything with 200.
        let is_refusal = content::fields(answer)?.get("ok") == Some(&Value::Bool(false));
        return is_refusal.then(|| match code() {
            Some(code) if PASSING.contains(&&*code) => UpstreamError::Failed { status, said },
            Some(code) if TOKEN_REFUSED.contains(&&*code) => {
                UpstreamError::TokenRefused { status, said }
            }
            _ => UpstreamError::NotPermitted { status, said },
        });
    }
    if is_trouble(answer.status) || !answer.status.is_client_error() {
        return Some(failed(answer));
    }
    // RFC 6750 section 3.1: `invalid_token` is "expired, revoked, malformed, or invalid for other
    // reasons". The RFC's status for it is 401; some say it with 403.
    let is_invalid_token = answer.challenge == Challenge::InvalidToken
        || code().is_some_and(|code| TOKEN_REFUSED.contains(&&*code));
    if is_invalid_token {
        return Some(UpstreamError::TokenRefused { status, said });
    }
    let is_bearers = answer.challenge == Challenge::Bearer;
    Some(match status {
        _ if is_page(answer) && !is_bearers => failed(answer),
        // Something between us and the API wants a login of its own, so this token was not judged. Where
        // the API itself answers like this, it says so again tomorrow.
        401 if answer.challenge == Challenge::Password => {
            UpstreamError::NotPermitted { status, said }
        }
        401 => UpstreamError::TokenRefused { status, said },
        // GitHub's limits are a 403: with one of these headers, or only with words.
        400 | 403 | 404 | 422 if !answer.limited && !names_a_limit(said.as_deref()) => {
            UpstreamError::NotPermitted { status, said }
        }
        _ => failed(answer),
    })
}

/// GitHub: "You have exceeded a secondary rate limit."
fn names_a_limit(said: Option<&str>) -> bool {
    said.is_some_and(|said| said.to_ascii_lowercase().contains("rate limit"))
}

/// These mean "later", whatever the body says.
fn is_trouble(status: StatusCode) -> bool {
    // RFC 9110 section 15.5.9, RFC 8470 section 5.2, RFC 6585 section 4
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// A refusal by a code in `error`.
fn refusal(
    dialect: &dyn Dialect,
    answer: &Answer,
    fields: &Map<String, Value>,
) -> Option<UpstreamError> {
    let status = answer.status;
    let code = match fields.get("error")? {
        Value::String(code) if is_code(code) => code.as_str(),
        Value::String(text) if text.is_empty() => return None,
        // With 200, an error stands in place of a token.
        Value::String(_) | Value::Object(_) if status.is_success() => {
            return in_own_words(dialect, status, fields);
        }
        _ => return None,
    };
    if PASSING.contains(&code) {
        return Some(failed(answer));
    }
    // 400 is the RFC's status, 200 is GitHub's. Under another one only known codes are believed
    // without a further look (Auth0 says `invalid_grant` with 403): a gateway says "unauthorized",
    // "not_found".
    let is_the_rfcs = status.is_success() || status == StatusCode::BAD_REQUEST;
    if !is_known(dialect, code) && (!is_the_rfcs || is_the_status(code)) {
        return None;
    }
    let description = first_text(fields, DESCRIPTIONS);
    Some(rejected(dialect, status, code, description.as_deref()))
}

fn rejected(
    dialect: &dyn Dialect,
    status: StatusCode,
    code: &str,
    description: Option<&str>,
) -> UpstreamError {
    let status = status.as_u16();
    let code = printable(&without_tokens(code), MAX_ERROR_CODE);
    let description =
        description.map(|text| printable(&without_tokens(text), MAX_ERROR_DESCRIPTION));
    let finality = of_code(dialect, status, &code, description.as_deref());
    UpstreamError::Rejected {
        status,
        code,
        description,
        finality,
    }
}

/// A refusal that is not in the protocol's form, where it says more than its status does: Twitch
/// `{"status":400,"message":"Invalid refresh token"}`, HubSpot `{"status":"BAD_REFRESH_TOKEN"}`.
pub(super) fn in_own_words(
    dialect: &dyn Dialect,
    status: StatusCode,
    fields: &Map<String, Value>,
) -> Option<UpstreamError> {
    let (code, description) = words(fields)?;
    Some(rejected(dialect, status, &code, description.as_deref()))
}

fn failed(answer: &Answer) -> UpstreamError {
    UpstreamError::Failed {
        status: answer.status.as_u16(),
        said: said(answer),
    }
}

/// What an operator should read of an answer: its words, or what it is instead of words.
fn said(answer: &Answer) -> Option<String> {
    let words = content::fields(answer).and_then(|fields| words(&fields));
    let text = match words {
        Some((code, Some(description))) => format!("{code}: {description}"),
        Some((code, None)) => code,
        None if answer.limited => "its limit of requests is used up".to_owned(),
        None if is_page(answer) => "the answer is a page for a browser, so something between us \
                                    and the provider may have sent it"
            .to_owned(),
        None => return None,
    };
    Some(printable(&without_tokens(&text), MAX_ERROR_DESCRIPTION))
}

/// Where a short word stands, the protocol's first.
const CODES: &[&str] = &[
    "error",
    "errorCode",
    "error_code",
    "errcode",
    "code",
    "status",
];
/// Where a sentence stands, the protocol's first.
const DESCRIPTIONS: &[&str] = &[
    "error_description",
    "message",
    "msg",
    "errmsg",
    "reason",
    "detail",
    "errorSummary",
];

/// A word and a sentence, or the sentence for the word. What only repeats the HTTP status is
/// neither.
fn words(fields: &Map<String, Value>) -> Option<(String, Option<String>)> {
    let inner = fields.get("error").and_then(Value::as_object);
    let find = |names: &[&str]| {
        let inner = inner.and_then(|inner| first_text(inner, names));
        inner.or_else(|| first_text(fields, names))
    };
    let (code, description) = (find(CODES), find(DESCRIPTIONS));
    match (code, description) {
        (Some(code), description) => Some((code, description)),
        (None, Some(description)) => Some((description, None)),
        (None, None) => None,
    }
}

fn first_text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let text = |name: &&str| match fields.get(*name)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut texts = names.iter().filter_map(text);
    texts.find(|text| !text.is_empty() && !is_the_status(text))
}

/// Whether a text says no more than an HTTP status: `403`, "Not Found", "unauthorized".
fn is_the_status(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace(['_', '-'], " ");
    if matches!(text.as_str(), "0" | "ok" | "success" | "error" | "failed") {
        return true;
    }
    (400..600).any(|number| {
        let status = StatusCode::from_u16(number).ok();
        let reason = status.and_then(|status| status.canonical_reason());
        text == number.to_string()
            || reason.is_some_and(|reason| reason.eq_ignore_ascii_case(&text))
    })
}

/// Frameworks write `"error": "Not Found"` and `"error": "Forbidden"`: a code has neither spaces nor
/// capitals.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ERROR_CODE
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.:".contains(&byte)
        })
}

#[cfg(test)]
mod tests;

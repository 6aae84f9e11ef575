//! What the provider's answer means (RFC 6749 sections 5.1 and 5.2), as pure functions.

use http::StatusCode;
use secrecy::SecretString;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{error::UpstreamError, event::printable};

/// The longest token that is accepted, in bytes: with the grant's other parts it has to fit into
/// one record. Entra's with 200 groups has some 10 KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest `scope` that is read, in bytes.
const MAX_SCOPE_BYTES: usize = 8 * 1024;
/// The longest lifetime that is believed: ten years, in seconds.
const MAX_EXPIRES_IN: u64 = 10 * 365 * 24 * 3600;
/// The longest `error` that counts as a code, in characters.
const MAX_CODE: usize = 100;
/// The longest `error_description` that is kept, in characters.
const MAX_DESCRIPTION: usize = 300;

/// A successful answer of the token endpoint. Tokens print as redacted.
#[derive(Debug, Clone)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: SecretString,
    /// `Bearer`, however it was spelled.
    pub(crate) token_type: String,
    /// Seconds; `None` when the provider does not say (GitHub: never).
    pub(crate) expires_in: Option<u64>,
    /// `None` on refresh means that the old one stands.
    pub(crate) refresh_token: Option<SecretString>,
    /// As the provider wrote it; `None` means as requested (RFC 6749 section 5.1).
    pub(crate) scope: Option<String>,
    pub(crate) id_token: Option<SecretString>,
}

/// Reads an answer of the token endpoint.
pub(crate) fn token_answer(
    status: StatusCode,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<TokenAnswer, UpstreamError> {
    let fields = accepted(status, content_type, body)?.ok_or_else(|| {
        UpstreamError::Malformed("the token answer is neither JSON nor a form".to_owned())
    })?;
    parse_tokens(&fields)
}

/// The fields of an answer that is no refusal; `None` when it has none that can be read.
///
/// Only what is surely the provider's own word is [`UpstreamError::Rejected`]: a grant may end by
/// it. A gateway's error page, whatever its status, is [`UpstreamError::Failed`].
pub(crate) fn accepted(
    status: StatusCode,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Option<Map<String, Value>>, UpstreamError> {
    let failed = UpstreamError::Failed {
        status: status.as_u16(),
    };
    if status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
    {
        return Err(failed);
    }
    let fields = fields(content_type, body);
    if let Some(refusal) = fields.as_ref().and_then(|fields| refusal(status, fields)) {
        return Err(refusal);
    }
    if status.is_success() {
        Ok(fields)
    } else {
        Err(failed)
    }
}

/// JSON or a form: by the content, because GitHub and others label theirs loosely.
fn fields(content_type: Option<&str>, body: &[u8]) -> Option<Map<String, Value>> {
    let body = std::str::from_utf8(body).ok()?.trim();
    if body.starts_with('{') {
        return serde_json::from_str(body).ok();
    }
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    let is_form = match essence {
        None => true,
        Some(essence) => {
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
                || essence.eq_ignore_ascii_case("text/plain")
        }
    };
    if !is_form || !body.contains('=') {
        return None;
    }
    let pairs = form_urlencoded::parse(body.as_bytes());
    Some(
        pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect(),
    )
}

/// What the provider says of itself when it refuses, or `None` when it does not.
fn refusal(status: StatusCode, fields: &Map<String, Value>) -> Option<UpstreamError> {
    // Slack: `ok: false` beside the error, always with status 200.
    let said = fields.get("error")?.as_str()?;
    if !is_code(said) {
        return (!said.is_empty() && status.is_success()).then(|| UpstreamError::Failed {
            status: status.as_u16(),
        });
    }
    if PASSING_TROUBLE.contains(&said) {
        return Some(UpstreamError::Failed {
            status: status.as_u16(),
        });
    }
    // 400 and 401 are the RFC's, 200 is GitHub's. Under another status only the protocol's own
    // codes are believed (Auth0 says `invalid_grant` with 403): a router in front says "not_found".
    let believed = status.is_success()
        || matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED)
        || PROTOCOL_CODES.contains(&said);
    if !believed {
        return None;
    }
    let described = fields.get("error_description").and_then(Value::as_str);
    let (code, description) = match DEAD_GRANT_ALIASES.contains(&said) {
        false => (said, described.map(str::to_owned)),
        true => {
            let described = described.unwrap_or_default();
            ("invalid_grant", Some(format!("{said}: {described}")))
        }
    };
    Some(UpstreamError::Rejected {
        status: status.as_u16(),
        code: code.to_owned(),
        description: description.map(|text| printable(&text, MAX_DESCRIPTION)),
    })
}

/// RFC 6749 section 5.2, RFC 7009 section 2.2.1 and RFC 8707 section 2, those that refuse.
const PROTOCOL_CODES: &[&str] = &[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
    "access_denied",
];

/// Codes that say "later", whatever their status: nothing was decided about the grant.
const PASSING_TROUBLE: &[&str] = &[
    "temporarily_unavailable",
    "server_error",
    "slow_down",
    // Google
    "rate_limit_exceeded",
    "internal_failure",
    // Slack
    "ratelimited",
    "internal_error",
    "service_unavailable",
    "fatal_error",
    // Auth0
    "too_many_requests",
    "too_many_attempts",
];

/// What others say for `invalid_grant`.
const DEAD_GRANT_ALIASES: &[&str] = &[
    // GitHub
    "bad_verification_code",
    "bad_refresh_token",
    // Slack
    "invalid_code",
    "code_already_used",
    "invalid_refresh_token",
    "token_revoked",
];

/// Frameworks write `"error": "Not Found"` and `"error": "Forbidden"`: a code has neither spaces nor
/// capitals.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_CODE
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.:".contains(&byte)
        })
}

fn parse_tokens(fields: &Map<String, Value>) -> Result<TokenAnswer, UpstreamError> {
    // Slack puts a person's token, and all that belongs to it, one level down.
    let fields = match fields.get("authed_user") {
        Some(Value::Object(user))
            if !fields.contains_key("access_token") && user.contains_key("access_token") =>
        {
            user
        }
        _ => fields,
    };
    let access_token =
        token(fields, "access_token")?.ok_or_else(|| malformed("there is no `access_token`"))?;
    check_token_type(fields.get("token_type"))?;
    Ok(TokenAnswer {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: expires_in(fields.get("expires_in")),
        refresh_token: token(fields, "refresh_token")?,
        scope: scope(fields.get("scope"))?,
        id_token: token(fields, "id_token")?,
    })
}

/// A token of visible ASCII (RFC 6749 appendix A.12); absent, null and empty are `None`.
fn token(fields: &Map<String, Value>, name: &str) -> Result<Option<SecretString>, UpstreamError> {
    let token = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(token)) if token.is_empty() => return Ok(None),
        Some(Value::String(token)) => token,
        Some(_) => return Err(malformed(&format!("`{name}` is no string"))),
    };
    if token.len() > MAX_TOKEN_BYTES {
        return Err(malformed(&format!(
            "`{name}` is longer than {MAX_TOKEN_BYTES} bytes"
        )));
    }
    if !token.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(malformed(&format!("`{name}` is not printable ASCII")));
    }
    Ok(Some(token.as_str().into()))
}

/// A token that needs a proof of possession would be useless as a bearer token (RFC 6749 section
/// 7.1 forbids its use). `user` and `bot` are Slack's words for bearer tokens.
fn check_token_type(token_type: Option<&Value>) -> Result<(), UpstreamError> {
    match token_type {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(kind))
            if ["", "bearer", "user", "bot"]
                .iter()
                .any(|known| kind.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        Some(_) => Err(malformed("`token_type` is not Bearer")),
    }
}

/// A number, or a number in a string. 0 and below say nothing useful about a token that was just
/// issued (Keycloak's 0 means without end), so they count as unknown.
fn expires_in(value: Option<&Value>) -> Option<u64> {
    let seconds = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // `as` saturates, and NaN is 0.
    let seconds = (seconds as u64).min(MAX_EXPIRES_IN);
    (seconds > 0).then_some(seconds)
}

/// An empty `scope` counts as none (RFC 6749 section 3.2): a GitHub App's answer has one.
fn scope(value: Option<&Value>) -> Result<Option<String>, UpstreamError> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        // Twitch answers with a list.
        Some(Value::Array(list)) => {
            let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            names
                .ok_or_else(|| malformed("`scope` is no string"))?
                .join(" ")
        }
        Some(_) => return Err(malformed("`scope` is no string")),
    };
    if text.len() > MAX_SCOPE_BYTES {
        return Err(malformed("`scope` is too long"));
    }
    Ok((!text.is_empty()).then_some(text))
}

fn malformed(why: &str) -> UpstreamError {
    UpstreamError::Malformed(why.to_owned())
}

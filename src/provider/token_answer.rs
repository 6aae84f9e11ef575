//! What a token answer holds: RFC 6749 section 5.1, as pure functions.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    provider::Provider,
    rejection::{accepted, in_own_words},
    upstream_error::UpstreamError,
};
use crate::{
    limits::{MAX_EXPIRES_IN, MAX_UPSTREAM_SCOPE, MAX_UPSTREAM_TOKEN},
    oauth::ScopeSet,
};

/// A successful answer of the token endpoint. Tokens print as redacted.
#[derive(Debug, Clone)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: SecretString,
    /// `None` when the provider does not say (GitHub: never).
    pub(crate) expires_in: Option<Duration>,
    /// `None` on refresh means that the old one stands.
    pub(crate) refresh_token: Option<SecretString>,
    /// In the operator's names; `None` means as requested (RFC 6749 section 5.1).
    pub(crate) scope: Option<ScopeSet>,
    pub(crate) id_token: Option<SecretString>,
}

impl TokenAnswer {
    pub(crate) fn access_token(&self) -> &str {
        self.access_token.expose_secret()
    }

    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_ref().map(ExposeSecret::expose_secret)
    }

    pub(crate) fn id_token(&self) -> Option<&str> {
        self.id_token.as_ref().map(ExposeSecret::expose_secret)
    }
}

/// Reads an answer of the token endpoint.
pub(super) fn token_answer(
    provider: &Provider,
    answer: &Answer,
) -> Result<TokenAnswer, UpstreamError> {
    let dialect = &*provider.dialect;
    let fields = accepted(dialect, answer)?
        .ok_or_else(|| malformed("the token answer is neither a JSON object nor a form"))?;
    let fields = dialect.tokens(fields);
    parse_tokens(provider, &fields).map_err(|error| {
        // Some refuse with 200 and without `error`: WeChat `{"errcode":40030,"errmsg":…}`.
        match fields.get("access_token") {
            None => in_own_words(dialect, answer.status, &fields).unwrap_or(error),
            Some(_) => error,
        }
    })
}

fn parse_tokens(
    provider: &Provider,
    fields: &Map<String, Value>,
) -> Result<TokenAnswer, UpstreamError> {
    let access_token =
        token(fields, "access_token")?.ok_or_else(|| malformed("there is no `access_token`"))?;
    check_token_type(fields.get("token_type"))?;
    Ok(TokenAnswer {
        access_token,
        expires_in: expires_in(fields.get("expires_in")),
        refresh_token: token(fields, "refresh_token")?,
        scope: scope(fields.get("scope"))?.map(|granted| provider.scopes_from_upstream(&granted)),
        id_token: token(fields, "id_token")?,
    })
}

/// A token of visible ASCII (RFC 6749 appendix A.12); absent, null and empty are `None`.
fn token(fields: &Map<String, Value>, name: &str) -> Result<Option<SecretString>, UpstreamError> {
    let token = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(token)) if token.is_empty() => return Ok(None),
        Some(Value::String(token)) => token,
        Some(_) => return Err(malformed(&format!("`{name}` is not a string"))),
    };
    if token.len() > MAX_UPSTREAM_TOKEN {
        return Err(malformed(&format!(
            "`{name}` is longer than {MAX_UPSTREAM_TOKEN} bytes"
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

/// A number of seconds, or one in a string. 0 and below say nothing useful about a token that was just
/// issued (Keycloak's 0 means without end), so they count as unknown.
fn expires_in(value: Option<&Value>) -> Option<Duration> {
    let seconds = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // `as` saturates, and NaN is 0.
    let life = Duration::from_secs(seconds as u64).min(MAX_EXPIRES_IN);
    (!life.is_zero()).then_some(life)
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
                .ok_or_else(|| malformed("`scope` is not a string"))?
                .join(" ")
        }
        Some(_) => return Err(malformed("`scope` is not a string")),
    };
    if text.len() > MAX_UPSTREAM_SCOPE {
        return Err(malformed("`scope` is too long"));
    }
    Ok((!text.is_empty()).then_some(text))
}

fn malformed(why: &str) -> UpstreamError {
    UpstreamError::Malformed(why.to_owned())
}

#[cfg(test)]
mod tests;

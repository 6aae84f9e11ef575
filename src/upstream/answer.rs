//! What a token answer holds: RFC 6749 section 5.1, as pure functions.

use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::refusal::accepted;
use crate::{error::UpstreamError, oauth::ScopeSet, provider::Provider};

/// The longest token that is accepted, in bytes: with the grant's other parts it has to fit into
/// one record. Entra's with 200 groups has some 10 KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest `scope` that is read, in bytes.
const MAX_SCOPE_BYTES: usize = 8 * 1024;
/// The longest lifetime that is believed: ten years, in seconds.
const MAX_EXPIRES_IN: u64 = 10 * 365 * 24 * 3600;

/// A successful answer of the token endpoint. Tokens print as redacted.
#[derive(Debug, Clone)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: SecretString,
    /// Seconds; `None` when the provider does not say (GitHub: never).
    pub(crate) expires_in: Option<u64>,
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
pub(crate) fn token_answer(
    provider: &Provider,
    status: StatusCode,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<TokenAnswer, UpstreamError> {
    let fields = accepted(status, content_type, body)?.ok_or_else(|| {
        UpstreamError::Malformed("the token answer is neither JSON nor a form".to_owned())
    })?;
    parse_tokens(provider, &fields)
}

fn parse_tokens(
    provider: &Provider,
    fields: &Map<String, Value>,
) -> Result<TokenAnswer, UpstreamError> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::provider::{generic, github};

    fn idp() -> Provider {
        generic("https://a.example/a", "https://a.example/t", "id", "s")
    }

    fn read(body: &Value) -> Result<TokenAnswer, UpstreamError> {
        let body = body.to_string();
        token_answer(
            &idp(),
            StatusCode::OK,
            Some("application/json"),
            body.as_bytes(),
        )
    }

    /// A good answer with one member changed or added.
    fn with(name: &str, value: Value) -> Result<TokenAnswer, UpstreamError> {
        let mut body = json!({"access_token": "at", "token_type": "Bearer"});
        body[name] = value;
        read(&body)
    }

    #[test]
    fn a_full_answer_is_read() {
        let answer = read(&json!({
            "access_token": "at", "token_type": "bearer", "expires_in": 3599,
            "refresh_token": "rt", "scope": "openid  mcp", "id_token": "a.b.c",
            "refresh_expires_in": 0,
        }))
        .unwrap();
        assert_eq!(answer.access_token.expose_secret(), "at");
        assert_eq!(answer.expires_in, Some(3599));
        assert_eq!(answer.refresh_token.unwrap().expose_secret(), "rt");
        assert_eq!(answer.scope.unwrap().to_string(), "openid mcp");
        assert_eq!(answer.id_token.unwrap().expose_secret(), "a.b.c");
    }

    #[test]
    fn githubs_form_is_read_and_its_commas_and_implied_scopes_understood() {
        let body = b"access_token=gho_x&scope=repo%2Cuser%3Aemail&token_type=bearer";
        for content_type in [
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            None,
        ] {
            let github = github("id", "s");
            let answer = token_answer(&github, StatusCode::OK, content_type, body).unwrap();
            assert_eq!(answer.access_token.expose_secret(), "gho_x");
            let scope = answer.scope.unwrap();
            assert!(scope.contains("public_repo") && scope.contains("user:email"));
            // OAuth Apps: no expiry, no refresh token.
            assert_eq!(answer.expires_in, None);
            assert!(answer.refresh_token.is_none());
        }
    }

    #[test]
    fn an_answer_without_a_usable_access_token_is_malformed() {
        // A peer made a code out of one.
        for token in [
            json!(""),
            Value::Null,
            json!(7),
            json!({}),
            json!("a\nb"),
            json!("é"),
            json!("x".repeat(MAX_TOKEN_BYTES + 1)),
        ] {
            let result = with("access_token", token);
            assert!(matches!(result, Err(UpstreamError::Malformed(_))));
        }
        assert!(matches!(
            read(&json!({"token_type": "Bearer"})),
            Err(UpstreamError::Malformed(_))
        ));
        assert!(with("access_token", json!("x".repeat(MAX_TOKEN_BYTES))).is_ok());
    }

    #[test]
    fn what_is_neither_json_nor_a_form_is_malformed() {
        for (content_type, body) in [
            (Some("application/json"), "{\"access_token\": \"at\""),
            (Some("application/json"), "access_token=at"),
            (Some("application/json"), "[\"access_token\"]"),
            (Some("text/html"), "<a href=\"?access_token=at\">"),
            (None, ""),
        ] {
            let result = token_answer(&idp(), StatusCode::OK, content_type, body.as_bytes());
            assert!(matches!(result, Err(UpstreamError::Malformed(_))), "{body}");
        }
        let bytes = token_answer(&idp(), StatusCode::OK, None, b"access_token=\xff");
        assert!(matches!(bytes, Err(UpstreamError::Malformed(_))));
    }

    #[test]
    fn only_bearer_tokens_are_taken() {
        for kind in [
            json!("Bearer"),
            json!("bearer"),
            json!("BEARER"),
            Value::Null,
            json!("user"),
        ] {
            assert!(with("token_type", kind).is_ok());
        }
        for kind in [json!("DPoP"), json!("mac"), json!("N_A"), json!(1)] {
            assert!(matches!(
                with("token_type", kind),
                Err(UpstreamError::Malformed(_))
            ));
        }
    }

    #[test]
    fn a_lifetime_is_a_number_of_seconds_however_it_is_written() {
        for (given, expected) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(3599.9), Some(3599)),
            (json!(0), None),
            (json!(-1), None),
            (json!("never"), None),
            (json!("NaN"), None),
            (json!(true), None),
            (Value::Null, None),
            (json!(u64::MAX), Some(MAX_EXPIRES_IN)),
            (json!("inf"), Some(MAX_EXPIRES_IN)),
        ] {
            assert_eq!(
                with("expires_in", given.clone()).unwrap().expires_in,
                expected,
                "{given}"
            );
        }
    }

    #[test]
    fn an_absent_or_empty_scope_means_as_requested() {
        for scope in [json!(""), json!(" "), Value::Null] {
            assert_eq!(with("scope", scope).unwrap().scope, None);
        }
        let listed = with("scope", json!(["a", "b"])).unwrap().scope.unwrap();
        assert_eq!(listed.to_string(), "a b");
        assert!(with("scope", json!(7)).is_err());
        assert!(with("scope", json!("x ".repeat(MAX_SCOPE_BYTES))).is_err());
    }

    #[test]
    fn slacks_nested_token_is_found_but_never_preferred() {
        let user =
            json!({"access_token": "xoxp", "scope": "users:read,chat:write", "token_type": "user"});
        let answer = read(&json!({"ok": true, "authed_user": user})).unwrap();
        assert_eq!(answer.access_token.expose_secret(), "xoxp");
        assert_eq!(answer.scope.unwrap().to_string(), "users:read chat:write");
        let both = read(&json!({"access_token": "xoxb", "token_type": "bot", "authed_user": user}));
        assert_eq!(both.unwrap().access_token.expose_secret(), "xoxb");
    }

    #[test]
    fn an_answer_prints_no_token() {
        let answer = read(
            &json!({"access_token": "hunter2", "refresh_token": "hunter3", "id_token": "hunter4"}),
        );
        let printed = format!("{:?}", answer.unwrap());
        assert!(!printed.contains("hunter"), "{printed}");
        let refused = with("refresh_token", json!("hunter5\u{0}")).unwrap_err();
        assert!(!format!("{refused:?} {refused}").contains("hunter"));
    }

    proptest! {
        #[test]
        fn no_answer_panics(status in 100_u16..1000, body in any::<Vec<u8>>(), json in "[{}\\[\\]\",:a-z0-9_ ]{0,80}") {
            let status = StatusCode::from_u16(status).unwrap();
            for body in [body.as_slice(), json.as_bytes()] {
                let _ = token_answer(&idp(), status, None, body);
            }
        }
    }
}

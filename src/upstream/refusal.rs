//! Is this answer a refusal, and whose? RFC 6749 section 5.2, as pure functions.

use http::StatusCode;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::verdict::PASSING;
use crate::{error::UpstreamError, event::printable};

/// The longest `error` that counts as a code, in characters.
const MAX_CODE: usize = 100;
/// The longest `error_description` that is kept, in characters.
const MAX_DESCRIPTION: usize = 300;

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
        said: None,
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
    let said = fields.get("error")?.as_str()?;
    if !is_code(said) {
        return (!said.is_empty() && status.is_success()).then(|| UpstreamError::Failed {
            status: status.as_u16(),
            said: None,
        });
    }
    if PASSING.contains(&said) {
        return Some(UpstreamError::Failed {
            status: status.as_u16(),
            said: Some(said.to_owned()),
        });
    }
    // 400 is the RFC's status, 200 is GitHub's. Under another one only the protocol's own codes are
    // believed (Auth0 says `invalid_grant` with 403): a gateway says "unauthorized", "not_found".
    let believed =
        status.is_success() || status == StatusCode::BAD_REQUEST || PROTOCOL_CODES.contains(&said);
    if !believed {
        return None;
    }
    let description = fields.get("error_description").and_then(Value::as_str);
    Some(UpstreamError::Rejected {
        status: status.as_u16(),
        code: said.to_owned(),
        description: description.map(|text| printable(text, MAX_DESCRIPTION)),
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

/// Frameworks write `"error": "Not Found"` and `"error": "Forbidden"`: a code has neither spaces nor
/// capitals.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_CODE
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.:".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: Option<&str> = Some("text/html");
    const JSON: Option<&str> = Some("application/json");

    /// `Err` as a short word: `invalid_grant`, or `failed`.
    fn verdict(status: u16, content_type: Option<&str>, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        match accepted(status, content_type, body.as_bytes()) {
            Ok(_) => "accepted".to_owned(),
            Err(UpstreamError::Rejected {
                code, status: told, ..
            }) => {
                assert_eq!(told, status.as_u16());
                code
            }
            Err(UpstreamError::Failed { status: told, .. }) => {
                assert_eq!(told, status.as_u16());
                "failed".to_owned()
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_providers_own_word_is_a_rejection() {
        let grant = r#"{"error":"invalid_grant","error_description":"gone"}"#;
        for status in [400, 401, 403] {
            assert_eq!(verdict(status, JSON, grant), "invalid_grant", "{status}");
        }
        assert_eq!(
            verdict(401, JSON, r#"{"error":"invalid_client"}"#),
            "invalid_client"
        );
        assert_eq!(
            verdict(400, JSON, r#"{"error":"interaction_required"}"#),
            "interaction_required"
        );
    }

    #[test]
    fn an_error_with_status_200_is_a_rejection() {
        // GitHub, as JSON and as a form, even beside a token.
        let form = "error=incorrect_client_credentials&error_description=The+client+secret";
        assert_eq!(
            verdict(200, Some("application/x-www-form-urlencoded"), form),
            "incorrect_client_credentials"
        );
        let both = r#"{"access_token":"at","error":"access_denied"}"#;
        assert_eq!(verdict(200, JSON, both), "access_denied");
        // Slack
        assert_eq!(
            verdict(200, JSON, r#"{"ok":false,"error":"invalid_client_id"}"#),
            "invalid_client_id"
        );
        assert_eq!(
            verdict(200, JSON, r#"{"error":null,"access_token":"at"}"#),
            "accepted"
        );
    }

    #[test]
    fn a_server_error_or_a_limit_is_passing_trouble_whatever_its_body_says() {
        for status in [500, 502, 503, 504, 429, 408] {
            assert_eq!(
                verdict(status, JSON, r#"{"error":"invalid_grant"}"#),
                "failed",
                "{status}"
            );
        }
        for code in PASSING {
            let body = format!(r#"{{"error":"{code}"}}"#);
            for status in [200, 400, 403] {
                assert_eq!(verdict(status, JSON, &body), "failed", "{status} {code}");
            }
        }
    }

    #[test]
    fn a_gateways_page_is_never_the_providers_word() {
        for status in [400, 401, 403, 404, 407, 413] {
            assert_eq!(
                verdict(status, HTML, "<h1>error=invalid_grant</h1>"),
                "failed"
            );
            assert_eq!(verdict(status, JSON, ""), "failed");
            assert_eq!(
                verdict(status, JSON, r#"{"error":{"message":"no"}}"#),
                "failed"
            );
            assert_eq!(
                verdict(status, JSON, r#"{"status":404,"error":"Not Found"}"#),
                "failed"
            );
            assert_eq!(
                verdict(status, JSON, r#"{"message":"Forbidden"}"#),
                "failed"
            );
        }
        for status in [401, 403, 404] {
            assert_eq!(
                verdict(status, JSON, r#"{"error":"unauthorized"}"#),
                "failed"
            );
            assert_eq!(verdict(status, JSON, r#"{"error":"not_found"}"#), "failed");
        }
    }

    #[test]
    fn a_redirect_is_no_answer() {
        assert_eq!(verdict(302, None, "access_token=at"), "failed");
        assert_eq!(verdict(307, JSON, r#"{"access_token":"at"}"#), "failed");
    }

    #[test]
    fn code_and_description_are_bounded_and_printable() {
        let long = "x".repeat(MAX_CODE + 1);
        assert_eq!(
            verdict(400, JSON, &format!(r#"{{"error":"{long}"}}"#)),
            "failed"
        );
        assert_eq!(verdict(400, JSON, r#"{"error":"a\nb"}"#), "failed");
        let body = format!(
            r#"{{"error":"invalid_grant","error_description":"a\r\nb{}"}}"#,
            "y".repeat(9_000)
        );
        let refused = accepted(StatusCode::BAD_REQUEST, JSON, body.as_bytes()).unwrap_err();
        let UpstreamError::Rejected { description, .. } = refused else {
            panic!("{refused}")
        };
        let description = description.unwrap();
        assert!(description.starts_with("a\u{fffd}\u{fffd}b"));
        assert_eq!(description.chars().count(), MAX_DESCRIPTION);
    }
}

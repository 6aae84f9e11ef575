//! The token answers of providers, right and wrong.

use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::{
    provider::{generic, github},
    upstream::{
        body::document,
        fake::{answer, json_answer},
        refusal::api_refusal,
    },
};

fn idp() -> Provider {
    generic("https://a.example/a", "https://a.example/t", "id", "s")
}

fn read(body: &Value) -> Result<TokenAnswer, UpstreamError> {
    token_answer(&idp(), &json_answer(200, &body.to_string()))
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
        let answer = token_answer(&github, &answer(200, content_type, body)).unwrap();
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
        let result = token_answer(&idp(), &answer(200, content_type, body.as_bytes()));
        assert!(matches!(result, Err(UpstreamError::Malformed(_))), "{body}");
    }
    let bytes = token_answer(&idp(), &answer(200, None, b"access_token=\xff"));
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
        for body in [body.as_slice(), json.as_bytes()] {
            let answer = answer(status, None, body);
            let _ = token_answer(&idp(), &answer);
            let _ = (api_refusal(&answer), document(&answer));
        }
    }
}

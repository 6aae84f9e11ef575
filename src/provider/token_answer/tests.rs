//! The token answers of providers, right and wrong.

use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::{
    provider::generic,
    provider::{
        content::document,
        fake::{answer, json_answer},
        rejection::api_refusal,
        upstream_error::Finality,
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
    assert_eq!(answer.expires_in, Some(Duration::from_secs(3599)));
    assert_eq!(answer.refresh_token.unwrap().expose_secret(), "rt");
    assert_eq!(answer.scope.unwrap().to_string(), "openid mcp");
    assert_eq!(answer.id_token.unwrap().expose_secret(), "a.b.c");
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
        json!("x".repeat(MAX_UPSTREAM_TOKEN + 1)),
    ] {
        let result = with("access_token", token);
        assert!(matches!(result, Err(UpstreamError::Malformed(_))));
    }
    assert!(matches!(
        read(&json!({"token_type": "Bearer"})),
        Err(UpstreamError::Malformed(_))
    ));
    assert!(with("access_token", json!("x".repeat(MAX_UPSTREAM_TOKEN))).is_ok());
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
        (json!(u64::MAX), Some(MAX_EXPIRES_IN.as_secs())),
        (json!("inf"), Some(MAX_EXPIRES_IN.as_secs())),
    ] {
        assert_eq!(
            with("expires_in", given.clone()).unwrap().expires_in,
            expected.map(Duration::from_secs),
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
    assert!(with("scope", json!("x ".repeat(MAX_UPSTREAM_SCOPE))).is_err());
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

/// Each oddity of a body, and whether it is taken.
#[test]
fn oddities_of_a_body_are_read_or_refused_on_purpose() {
    let json = Some("application/json");
    let good = r#""access_token":"at","token_type":"Bearer""#;
    for (what, content_type, body, is_read) in [
        // RFC 8259 section 8.1 lets a parser ignore the mark.
        (
            "a byte order mark",
            json,
            format!("\u{feff}{{{good}}}"),
            true,
        ),
        (
            "a mark in the middle",
            json,
            format!("{{\u{feff}{good}}}"),
            false,
        ),
        (
            "white space around",
            json,
            format!("\r\n {{{good}}}\n"),
            true,
        ),
        (
            "a charset",
            Some("application/json;charset=UTF-8"),
            format!("{{{good}}}"),
            true,
        ),
        (
            "a wrong label",
            Some("text/html"),
            format!("{{{good}}}"),
            true,
        ),
        ("no label", None, format!("{{{good}}}"), true),
        // RFC 8259 section 4 leaves the choice; serde_json's is the last, as JavaScript's.
        (
            "a name twice",
            json,
            format!(r#"{{"access_token":"old",{good}}}"#),
            true,
        ),
        ("a list of one", json, format!("[{{{good}}}]"), false),
        ("two objects", json, format!("{{{good}}}{{}}"), false),
        (
            "an object in `data`",
            json,
            format!(r#"{{"data":{{{good}}}}}"#),
            false,
        ),
        ("a NUL after the end", json, format!("{{{good}}}\0"), false),
        (
            "a NUL in a name",
            json,
            format!("{{{good},\"x\":\"\0\"}}"),
            false,
        ),
        (
            "an escaped NUL elsewhere",
            json,
            format!(r#"{{{good},"x":"\u0000"}}"#),
            true,
        ),
        (
            "half a pair of surrogates",
            json,
            format!(r#"{{{good},"x":"\ud800"}}"#),
            false,
        ),
        (
            "a number that is none",
            json,
            format!(r#"{{{good},"expires_in":NaN}}"#),
            false,
        ),
        (
            "a number beyond any",
            json,
            format!(r#"{{{good},"expires_in":1e999}}"#),
            false,
        ),
        ("a comment", json, format!("{{{good}}} // ok"), false),
        (
            "a signed answer",
            Some("application/jwt"),
            "e30.e30.c2ln".to_owned(),
            false,
        ),
        (
            "a form",
            None,
            "access_token=at&token_type=bearer".to_owned(),
            true,
        ),
        ("a query", None, "?access_token=at".to_owned(), false),
    ] {
        let result = token_answer(&idp(), &answer(200, content_type, body.as_bytes()));
        match result {
            Ok(answer) => {
                assert!(is_read, "{what}");
                assert_eq!(answer.access_token(), "at", "{what}");
            }
            Err(error) => {
                assert!(!is_read, "{what}: {error}");
                assert_eq!(error.finality(), Finality::Trouble, "{what}: {error}");
            }
        }
    }
    // UTF-16 is not JSON any more (RFC 8259 section 8.1), and its mark is another one.
    let wide: Vec<u8> = std::iter::once(0xfeff)
        .chain(format!("{{{good}}}").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(token_answer(&idp(), &answer(200, json, &wide)).is_err());
    // A byte that is no UTF-8 costs nothing where nothing depends on it, and everything elsewhere.
    let name = b"{\"access_token\":\"at\",\"name\":\"Ren\xe9\"}";
    assert!(token_answer(&idp(), &answer(200, json, name)).is_ok());
    let token = b"{\"access_token\":\"a\xe9t\"}";
    assert!(token_answer(&idp(), &answer(200, json, token)).is_err());
}

/// Each oddity of a member, and what it is taken for.
#[test]
fn oddities_of_a_member_are_read_or_refused_on_purpose() {
    // A token that is a number would lose digits beyond 2^53 on its way through other parsers.
    for name in ["access_token", "refresh_token", "id_token"] {
        for value in [json!(7), json!(true), json!(["at"]), json!({"value": "at"})] {
            assert!(with(name, value.clone()).is_err(), "{name} {value}");
        }
    }
    // Not known, and no reason to refuse: which scopes an answer means must not be guessed.
    for value in [
        json!(7),
        json!(true),
        json!({"a": 1}),
        json!(["a", 7]),
        json!([null]),
    ] {
        assert!(with("scope", value.clone()).is_err(), "{value}");
    }
    assert_eq!(with("scope", json!([])).unwrap().scope, None);
    // Milliseconds, minutes and dates are numbers of seconds to us, or unknown: no guesses.
    for (given, expected) in [
        (json!(3_600_000), Some(3_600_000)),
        (json!(" 3600 "), Some(3600)),
        (json!("1e3"), Some(1000)),
        (json!("3600s"), None),
        (json!("2030-01-01T00:00:00Z"), None),
        (json!(0.4), None),
        (json!(-0.0), None),
        (json!(i64::MIN), None),
        (json!([3600]), None),
        (json!({"seconds": 3600}), None),
    ] {
        let read = with("expires_in", given.clone()).unwrap();
        let expected = expected.map(Duration::from_secs);
        assert_eq!(read.expires_in, expected, "{given}");
    }
    // How long the refresh token lives is the provider's to say when it is over.
    for name in [
        "refresh_token_expires_in",
        "refresh_expires_in",
        "ext_expires_in",
    ] {
        for value in [
            json!(0),
            json!(-1),
            json!("15897600"),
            json!(null),
            json!([]),
        ] {
            assert_eq!(with(name, value).unwrap().expires_in, None);
        }
    }
    for kind in [
        json!("Bearer "),
        json!("Bearer, DPoP"),
        json!(["Bearer"]),
        json!(false),
    ] {
        assert!(with("token_type", kind.clone()).is_err(), "{kind}");
    }
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

//! Each rule, and the refusal next to it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::provider::generic;

const NOW: Unix = Unix::at(1_800_000_000);

fn idp() -> Provider {
    generic("https://idp.example/a", "https://idp.example/t", "app", "s")
}

fn jwt(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(header), part(claims))
}

fn good() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "app", "sub": "u1", "nonce": "n",
        "iat": NOW, "exp": NOW.secs() + 300,
    })
}

fn check_claims(claims: &Value) -> Result<(), IdTokenError> {
    check_with(&json!({"alg": "RS256", "kid": "1"}), claims, Some("n"))
}

fn check_with(header: &Value, claims: &Value, nonce: Option<&str>) -> Result<(), IdTokenError> {
    let expected = Expected {
        provider: &idp().issuer("https://idp.example"),
        keys: None,
        nonce,
        now: NOW,
    };
    check(&jwt(header, claims), &expected).map(|_| ())
}

/// The good token with one claim changed; null takes it away.
fn but(name: &str, value: Value) -> Result<(), IdTokenError> {
    let mut claims = good();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value),
    };
    check_claims(&claims)
}

#[test]
fn a_token_that_keeps_every_rule_is_believed() {
    assert_eq!(check_claims(&good()), Ok(()));
}

#[test]
fn alg_none_in_any_spelling_and_critical_headers_are_refused() {
    for alg in [
        json!("none"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!(1),
        Value::Null,
    ] {
        let result = check_with(&json!({"alg": alg}), &good(), Some("n"));
        assert_eq!(result, Err(IdTokenError::Unsigned), "{alg}");
    }
    let result = check_with(&json!({"alg": "RS256", "crit": ["x"]}), &good(), Some("n"));
    assert_eq!(result, Err(IdTokenError::Critical));
}

#[test]
fn the_issuer_is_the_providers_to_the_byte() {
    for iss in [
        json!("https://idp.example/"),
        json!("https://evil.example"),
        json!(1),
        Value::Null,
    ] {
        assert_eq!(but("iss", iss), Err(IdTokenError::Issuer));
    }
}

#[test]
fn the_audience_holds_our_client_id() {
    assert_eq!(but("aud", json!(["app"])), Ok(()));
    for aud in [
        json!("other"),
        json!([]),
        json!(["other"]),
        json!("app other"),
        json!({"app": 1}),
        Value::Null,
    ] {
        assert_eq!(but("aud", aud), Err(IdTokenError::Audience));
    }
}

#[test]
fn a_token_for_several_audiences_must_name_us_as_its_party() {
    let mut claims = good();
    claims["aud"] = json!(["app", "other"]);
    assert_eq!(check_claims(&claims), Err(IdTokenError::AuthorizedParty));
    claims["azp"] = json!("other");
    assert_eq!(check_claims(&claims), Err(IdTokenError::AuthorizedParty));
    claims["azp"] = json!("app");
    assert_eq!(check_claims(&claims), Ok(()));
    assert_eq!(
        but("azp", json!("other")),
        Err(IdTokenError::AuthorizedParty)
    );
    assert_eq!(
        but("azp", json!(["app"])),
        Err(IdTokenError::AuthorizedParty)
    );
}

#[test]
fn an_expired_token_is_refused_after_a_minute_of_leeway() {
    assert_eq!(but("exp", json!(NOW.secs() - 59)), Ok(()));
    for exp in [
        json!(NOW.secs() - 60),
        json!(0),
        json!(-1),
        json!("2100"),
        Value::Null,
    ] {
        assert_eq!(but("exp", exp), Err(IdTokenError::Expired));
    }
}

#[test]
fn a_token_from_the_future_is_refused() {
    assert_eq!(but("iat", json!(NOW.secs() + 300)), Ok(()));
    assert_eq!(but("iat", json!(NOW.secs() as f64 + 0.5)), Ok(()));
    for iat in [
        json!(NOW.secs() + 301),
        json!(1e300),
        json!("now"),
        Value::Null,
    ] {
        assert_eq!(but("iat", iat), Err(IdTokenError::NotYet));
    }
    assert_eq!(but("nbf", json!(NOW)), Ok(()));
    assert_eq!(
        but("nbf", json!(NOW.secs() + 301)),
        Err(IdTokenError::NotYet)
    );
}

#[test]
fn the_nonce_of_this_login_must_be_in_the_token() {
    for nonce in [
        json!("N"),
        json!("nn"),
        json!(""),
        json!(["n"]),
        Value::Null,
    ] {
        assert_eq!(but("nonce", nonce), Err(IdTokenError::Nonce));
    }
    // None sent: an ID token of a refresh has none (OpenID Connect Core section 12.2).
    let header = json!({"alg": "RS256"});
    assert_eq!(check_with(&header, &good(), None), Ok(()));
}

#[test]
fn the_subject_is_one_to_255_printable_bytes() {
    assert_eq!(but("sub", json!("x".repeat(255))), Ok(()));
    for sub in [
        json!(""),
        json!("x".repeat(256)),
        json!("a\nb"),
        json!(7),
        Value::Null,
    ] {
        assert_eq!(but("sub", sub), Err(IdTokenError::Subject));
    }
}

#[test]
fn what_is_no_jwt_of_three_parts_is_refused() {
    let token = jwt(&json!({"alg": "RS256"}), &good());
    let expected = Expected {
        provider: &idp(),
        keys: None,
        nonce: None,
        now: NOW,
    };
    assert!(check(&token, &expected).is_ok());
    let unsigned = token.strip_suffix("c2ln").unwrap();
    for bad in [
        "",
        "..",
        "a.b.c",
        unsigned,
        &format!("{token}.x"),
        &format!("{token}.x.y"),
    ] {
        assert_eq!(check(bad, &expected), Err(IdTokenError::Form), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_input_panics(token in any::<String>(), claims in "[ -~]{0,80}") {
        let expected = Expected { provider: &idp(), keys: None, nonce: None, now: NOW };
        let _ = check(&token, &expected);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let _ = check(&format!("{}.{}.x", part(r#"{"alg":"a"}"#), part(&claims)), &expected);
    }
}

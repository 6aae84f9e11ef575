//! What a token's claims must say before they count, as one pure function (RFC 7519 section 4.1).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{limits::MAX_SHOWN_CLAIM, oauth::printable, time::Unix};

/// What the claims of a verified token are measured against.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClaimRules {
    /// One of these, byte for byte.
    pub(crate) issuers: Vec<String>,
    /// One of these must be among the token's. Empty, the audience says nothing: then something else must.
    pub(crate) audiences: Vec<String>,
    /// How far the issuer's clock may be from ours, either way.
    pub(crate) leeway: Duration,
    /// Claims that must be there: with this value, or with it among the values of a list.
    pub(crate) required: Vec<(String, Value)>,
}

/// The rule that the claims break. The texts hold the issuer and the audience, which are no secrets, and no
/// other value of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("its `iss` is {got}, which is none of {expected}")]
    Issuer { got: String, expected: String },
    #[error("its `aud` is {got}, which holds none of {expected}")]
    Audience { got: String, expected: String },
    #[error("it has no `exp`, or one that is not a number")]
    NoEnd,
    #[error("it expired {0} s ago")]
    Expired(u64),
    #[error("its `{0}` is not a number, or in the future")]
    NotYet(&'static str),
    #[error("its claim `{0}` is missing, or not the one that is required")]
    Required(String),
}

impl ClaimRules {
    /// Whether these claims count now.
    pub(crate) fn check(&self, claims: &Map<String, Value>, now: Unix) -> Result<(), ClaimError> {
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        self.check_time(claims, now)?;
        let missing = |(name, value): &&(String, Value)| !holds(claims.get(name), value);
        match self.required.iter().find(missing) {
            Some((name, _)) => Err(ClaimError::Required(name.clone())),
            None => Ok(()),
        }
    }

    /// RFC 8725 section 3.8: "When a JWT contains an "iss" (issuer) claim, the application MUST validate that
    /// the cryptographic keys used for the cryptographic operations in the JWT belong to the issuer." The
    /// keys here are those of these issuers, so another one, or none, is refused.
    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), ClaimError> {
        let iss = claims.get("iss").and_then(Value::as_str);
        let known = |iss: &str| self.issuers.iter().any(|issuer| issuer == iss);
        match iss.is_some_and(known) {
            true => Ok(()),
            false => Err(ClaimError::Issuer {
                got: shown(claims.get("iss")),
                expected: quoted(&self.issuers),
            }),
        }
    }

    /// RFC 7519 section 4.1.3: "If the principal processing the claim does not identify itself with a value in
    /// the "aud" claim when this claim is present, then the JWT MUST be rejected." Here one without it is
    /// rejected too.
    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), ClaimError> {
        let ours = |aud: &Value| self.audiences.iter().any(|ours| aud == ours.as_str());
        let found = match claims.get("aud") {
            Some(Value::Array(list)) => list.iter().any(ours),
            Some(aud) => ours(aud),
            None => false,
        };
        match found || self.audiences.is_empty() {
            true => Ok(()),
            false => Err(ClaimError::Audience {
                got: shown(claims.get("aud")),
                expected: quoted(&self.audiences),
            }),
        }
    }

    /// RFC 7519 sections 4.1.4 and 4.1.5: `exp` "identifies the expiration time on or after which the JWT MUST
    /// NOT be accepted for processing", `nbf` "the time before which the JWT MUST NOT be accepted for
    /// processing", and implementers "MAY provide for some small leeway". A token from the future (`iat`) is
    /// treated alike. One without an end is refused: who has it once would have it for ever.
    fn check_time(&self, claims: &Map<String, Value>, now: Unix) -> Result<(), ClaimError> {
        let exp = numeric_date(claims, "exp").ok_or(ClaimError::NoEnd)?;
        if exp + self.leeway <= now {
            return Err(ClaimError::Expired(now.since(exp).as_secs()));
        }
        for name in ["nbf", "iat"] {
            let is_there = claims.get(name).is_some_and(|claim| !claim.is_null());
            let has_come = |date| date <= now + self.leeway;
            if is_there && !numeric_date(claims, name).is_some_and(has_come) {
                return Err(ClaimError::NotYet(name));
            }
        }
        Ok(())
    }
}

/// A NumericDate (RFC 7519 section 2) in whole seconds; a negative one is no time here.
pub(crate) fn numeric_date(claims: &Map<String, Value>, name: &str) -> Option<Unix> {
    let number = claims.get(name)?.as_f64()?;
    (number >= 0.0).then_some(Unix::at(number as u64))
}

fn holds(claim: Option<&Value>, value: &Value) -> bool {
    match claim {
        Some(Value::Array(list)) if !value.is_array() => list.contains(value),
        Some(claim) => claim == value,
        None => false,
    }
}

fn shown(claim: Option<&Value>) -> String {
    match claim {
        None => "missing".to_owned(),
        Some(claim) => printable(&claim.to_string(), MAX_SHOWN_CLAIM),
    }
}

fn quoted(values: &[String]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Unix = Unix::at(1_800_000_000);

    fn rules() -> ClaimRules {
        ClaimRules {
            issuers: vec!["https://idp.example/".to_owned(), "idp.example".to_owned()],
            audiences: vec!["api://this".to_owned(), "client-1".to_owned()],
            leeway: Duration::from_secs(60),
            required: vec![("token_use".to_owned(), json!("access"))],
        }
    }

    fn good() -> Map<String, Value> {
        let good = json!({
            "iss": "https://idp.example/", "aud": "api://this", "exp": NOW.secs() + 300,
            "nbf": NOW.secs(), "iat": NOW.secs(), "token_use": "access",
        });
        good.as_object().unwrap().clone()
    }

    fn check(name: &str, value: Value) -> Result<(), ClaimError> {
        let mut claims = good();
        claims.insert(name.to_owned(), value);
        rules().check(&claims, NOW)
    }

    fn without(name: &str) -> Result<(), ClaimError> {
        let mut claims = good();
        claims.remove(name);
        rules().check(&claims, NOW)
    }

    #[test]
    fn an_issuer_is_one_of_the_set_byte_for_byte() {
        assert_eq!(rules().check(&good(), NOW), Ok(()));
        assert_eq!(check("iss", json!("idp.example")), Ok(()));
        for iss in [
            json!("https://idp.example"),
            json!("https://IDP.example/"),
            json!(["https://idp.example/"]),
            json!(""),
            json!(null),
        ] {
            let error = check("iss", iss.clone()).unwrap_err();
            assert!(matches!(error, ClaimError::Issuer { .. }), "{iss}");
        }
        let error = check("iss", json!("https://idp.example")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "its `iss` is \"https://idp.example\", which is none of \"https://idp.example/\", \
             \"idp.example\""
        );
        assert!(without("iss").is_err());
    }

    #[test]
    fn one_of_the_audiences_is_ours() {
        for aud in [
            json!("client-1"),
            json!(["x", "api://this"]),
            json!([1, "client-1"]),
        ] {
            assert_eq!(check("aud", aud.clone()), Ok(()), "{aud}");
        }
        for aud in [
            json!("other"),
            json!(["other"]),
            json!([]),
            json!([["api://this"]]),
            json!({"api://this": 1}),
            json!("api://this client-1"),
            json!(null),
        ] {
            let error = check("aud", aud.clone()).unwrap_err();
            assert!(matches!(error, ClaimError::Audience { .. }), "{aud}");
        }
        assert!(without("aud").is_err());
        let rules = ClaimRules {
            audiences: Vec::new(),
            ..rules()
        };
        let mut claims = good();
        claims.remove("aud");
        assert_eq!(rules.check(&claims, NOW), Ok(()));
    }

    #[test]
    fn a_token_ends_and_begins_within_the_leeway() {
        let at = |secs: i64| json!(NOW.secs() as i64 + secs);
        assert_eq!(check("exp", at(-59)), Ok(()));
        assert_eq!(check("exp", at(-60)), Err(ClaimError::Expired(60)));
        assert_eq!(check("exp", json!((NOW.secs() - 59) as f64 + 0.5)), Ok(()));
        for exp in [json!("1900000000"), json!(null), json!(-1), json!([])] {
            assert_eq!(check("exp", exp), Err(ClaimError::NoEnd));
        }
        assert_eq!(without("exp"), Err(ClaimError::NoEnd));
        for name in ["nbf", "iat"] {
            assert_eq!(without(name), Ok(()));
            assert_eq!(check(name, at(60)), Ok(()));
            assert_eq!(check(name, at(61)), Err(ClaimError::NotYet(name)));
            assert_eq!(check(name, json!("0")), Err(ClaimError::NotYet(name)));
        }
    }

    #[test]
    fn a_required_claim_is_there_with_its_value() {
        assert_eq!(check("token_use", json!(["id", "access"])), Ok(()));
        for other in [
            json!("id"),
            json!(["id"]),
            json!({"access": 1}),
            json!(null),
        ] {
            let error = Err(ClaimError::Required("token_use".to_owned()));
            assert_eq!(check("token_use", other), error);
        }
        assert!(without("token_use").is_err());
    }

    proptest! {
        #[test]
        fn no_claim_panics(text in any::<String>(), number in any::<f64>(), whole in any::<i64>()) {
            for value in [json!(text), json!(number), json!(whole), json!([text, number])] {
                for name in ["iss", "aud", "exp", "nbf", "iat", "token_use"] {
                    let _ = check(name, value.clone());
                }
            }
        }
    }
}

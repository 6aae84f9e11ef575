//! What an assertion has to say of its own use, as one pure function (RFC 7523 section 3).

use serde_json::{Map, Value};

use crate::{
    jose::numeric_date,
    limits::{ASSERTION_LEEWAY, MAX_ASSERTION_AHEAD, MAX_SHOWN_CLAIM},
    oauth::printable,
    time::Unix,
};

/// What an assertion says of its own use: its name, and when it is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneUse {
    pub(crate) jti: String,
    pub(crate) until: Unix,
}

/// The rule that an assertion breaks, for the operator. The texts hold its audience, which is no secret, and
/// no other value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionFault {
    #[error("its `aud` is {got}, and has to be {expected} alone")]
    Audience { got: String, expected: String },
    #[error("it has no `exp`, or one that is not a number")]
    NoEnd,
    #[error("it expired {0} s ago")]
    Expired(u64),
    #[error("its `exp` is {0} s ahead, and {most} s are the most", most = MAX_ASSERTION_AHEAD.as_secs())]
    TooLong(u64),
    #[error("its `{0}` is not a number, or in the future")]
    NotYet(&'static str),
    #[error("it has no `jti`, so it could be used again")]
    NoId,
}

impl OneUse {
    /// Checks that an assertion is for one of these audiences, now, and once.
    pub(crate) fn of(
        claims: &Map<String, Value>,
        audiences: &[&str],
        now: Unix,
    ) -> Result<Self, AssertionFault> {
        check_audience(claims, audiences)?;
        let until = check_time(claims, now)?;
        let jti = claims.get("jti").and_then(Value::as_str);
        let jti = jti.filter(|jti| !jti.is_empty());
        let jti = jti.ok_or(AssertionFault::NoId)?.to_owned();
        Ok(Self { jti, until })
    }
}

/// RFC 7523 section 3: "The authorization server MUST reject any JWT that does not contain its own identity
/// as the intended audience", compared by Simple String Comparison.
///
/// One that names another audience beside us is refused: that one could use it here. (The advisory behind
/// draft-ietf-oauth-rfc7523bis: an authorization server that writes the URL of another one into its metadata
/// gets clients to sign for both.) A list of one says the same as its value.
fn check_audience(claims: &Map<String, Value>, audiences: &[&str]) -> Result<(), AssertionFault> {
    let aud = claims.get("aud");
    let only = match aud {
        Some(Value::Array(list)) => match list.as_slice() {
            [only] => only.as_str(),
            _ => None,
        },
        aud => aud.and_then(Value::as_str),
    };
    match only.is_some_and(|aud| audiences.contains(&aud)) {
        true => Ok(()),
        false => Err(AssertionFault::Audience {
            got: aud.map_or_else(
                || "missing".to_owned(),
                |aud| printable(&aud.to_string(), MAX_SHOWN_CLAIM),
            ),
            expected: audiences.join(" or "),
        }),
    }
}

/// When it is of no use any more.
fn check_time(claims: &Map<String, Value>, now: Unix) -> Result<Unix, AssertionFault> {
    // Section 3: "The authorization server MUST reject any JWT with an expiration time that has passed,
    // subject to allowable clock skew between systems."
    let exp = numeric_date(claims, "exp").ok_or(AssertionFault::NoEnd)?;
    let until = exp + ASSERTION_LEEWAY;
    if until <= now {
        return Err(AssertionFault::Expired(now.since(exp).as_secs()));
    }
    // "Note that the authorization server may reject JWTs with an "exp" claim value that is unreasonably far
    // in the future": its `jti` is remembered until then.
    if now + MAX_ASSERTION_AHEAD + ASSERTION_LEEWAY < exp {
        return Err(AssertionFault::TooLong(exp.since(now).as_secs()));
    }
    for name in ["nbf", "iat"] {
        let is_there = claims.get(name).is_some_and(|claim| !claim.is_null());
        let has_come = |date| date <= now + ASSERTION_LEEWAY;
        if is_there && !numeric_date(claims, name).is_some_and(has_come) {
            return Err(AssertionFault::NotYet(name));
        }
    }
    Ok(until)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_300_819_000;
    const US: [&str; 2] = ["https://as.example", "https://as.example/token"];

    fn claims() -> Map<String, Value> {
        let claims = json!({"aud": US[0], "exp": NOW + 60, "jti": "1"});
        claims.as_object().unwrap().clone()
    }

    fn with(name: &str, value: Value) -> Result<OneUse, AssertionFault> {
        let mut claims = claims();
        claims.insert(name.to_owned(), value);
        OneUse::of(&claims, &US, Unix::at(NOW))
    }

    fn without(name: &str) -> Result<OneUse, AssertionFault> {
        let mut claims = claims();
        claims.remove(name);
        OneUse::of(&claims, &US, Unix::at(NOW))
    }

    #[test]
    fn an_assertion_is_for_us_alone() {
        for aud in [json!(US[0]), json!(US[1]), json!([US[0]]), json!([US[1]])] {
            assert!(with("aud", aud.clone()).is_ok(), "{aud}");
        }
        for aud in [
            json!("https://as.example/"),
            json!("https://AS.example"),
            json!("https://as.example "),
            json!("as.example"),
            json!(""),
            json!(null),
            json!(1),
            json!([]),
            json!([US[0], US[1]]),
            json!([US[0], "https://other.example"]),
            json!(["https://other.example", US[0]]),
            json!([[US[0]]]),
            json!({"aud": US[0]}),
        ] {
            let refused = with("aud", aud.clone());
            assert!(
                matches!(refused, Err(AssertionFault::Audience { .. })),
                "{aud}"
            );
        }
        let error = without("aud").unwrap_err().to_string();
        assert!(
            error.contains("missing") && error.contains(US[0]),
            "{error}"
        );
    }

    #[test]
    fn it_has_an_end_that_has_not_come_and_is_not_far() {
        let until = |exp: Value| with("exp", exp).map(|once| once.until.secs());
        assert_eq!(until(json!(NOW - 59)), Ok(NOW + 1));
        assert_eq!(until(json!(NOW - 60)), Err(AssertionFault::Expired(60)));
        assert_eq!(until(json!(NOW + 3_660)), Ok(NOW + 3_720));
        assert_eq!(
            until(json!(NOW + 3_661)),
            Err(AssertionFault::TooLong(3_661))
        );
        assert!(matches!(
            until(json!(1e300)),
            Err(AssertionFault::TooLong(_))
        ));
        for none in [
            json!(null),
            json!("1300819380"),
            json!(-1),
            json!([NOW + 60]),
            json!(true),
        ] {
            assert_eq!(until(none.clone()), Err(AssertionFault::NoEnd), "{none}");
        }
        assert_eq!(without("exp"), Err(AssertionFault::NoEnd));
    }

    #[test]
    fn it_has_begun() {
        for name in ["nbf", "iat"] {
            for good in [
                json!(null),
                json!(0),
                json!(NOW),
                json!(NOW + 60),
                json!(NOW as f64 + 0.5),
            ] {
                assert!(with(name, good.clone()).is_ok(), "{name} {good}");
            }
            for bad in [json!(NOW + 61), json!("now"), json!(false), json!([NOW])] {
                assert_eq!(
                    with(name, bad.clone()),
                    Err(AssertionFault::NotYet(name)),
                    "{bad}"
                );
            }
        }
    }

    #[test]
    fn it_has_a_name() {
        assert_eq!(with("jti", json!("x")).unwrap().jti, "x");
        for none in [json!(null), json!(""), json!(7), json!(["x"])] {
            assert_eq!(
                with("jti", none.clone()),
                Err(AssertionFault::NoId),
                "{none}"
            );
        }
        assert_eq!(without("jti"), Err(AssertionFault::NoId));
    }

    /// RFC 7523 section 4 has this claims set; its `jti` is missing, and its audience is a list in others.
    #[test]
    fn the_example_of_rfc_7523_is_read_as_it_is_meant() {
        let example = json!({
            "iss": "https://jwt-idp.example.com",
            "sub": "mailto:mike@example.com",
            "aud": "https://jwt-rp.example.net",
            "nbf": 1_300_815_780,
            "exp": 1_300_819_380,
            "http://claims.example.com/member": true
        });
        let mut claims = example.as_object().unwrap().clone();
        let audience = ["https://jwt-rp.example.net"];
        let check = |claims: &_, now| OneUse::of(claims, &audience, Unix::at(now));
        assert_eq!(check(&claims, NOW), Err(AssertionFault::NoId));
        claims.insert("jti".to_owned(), json!("1"));
        assert!(check(&claims, NOW).is_ok());
        assert_eq!(
            check(&claims, 1_300_815_719),
            Err(AssertionFault::TooLong(3_661))
        );
        assert_eq!(
            check(&claims, 1_300_819_440),
            Err(AssertionFault::Expired(60))
        );
    }

    proptest! {
        /// What is remembered is remembered for as long as it would be taken.
        #[test]
        fn what_has_ended_is_refused_at_any_later_time(exp in 0..NOW * 2, later in 0..NOW) {
            let mut claims = claims();
            claims.insert("exp".to_owned(), json!(exp));
            if let Ok(once) = OneUse::of(&claims, &US, Unix::at(NOW)) {
                let end = once.until + Duration::from_secs(later);
                prop_assert!(OneUse::of(&claims, &US, end).is_err());
            }
        }
    }
}

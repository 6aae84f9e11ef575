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

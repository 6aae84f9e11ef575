//! The ID token's claims: OpenID Connect Core section 3.1.3.7, as one pure function.

use serde_json::{Map, Value};

use super::{identity::subject, provider::Provider};
use crate::{
    jose::{self, Jwt},
    key,
};

/// How far the provider's clock may be behind ours when a token ends, in seconds.
const EXPIRY_LEEWAY: u64 = 60;
/// How far the provider's clock may be ahead of ours when a token begins, in seconds.
const ISSUE_LEEWAY: u64 = 300;

/// What an ID token is measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// Whose issuer and whose client id.
    pub(crate) provider: &'a Provider,
    /// The nonce of this login; `None` when none was sent.
    pub(crate) nonce: Option<&'a str>,
    /// Seconds since the Unix epoch.
    pub(crate) now: u64,
}

/// The rule that an ID token breaks. Says nothing that stands in the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdTokenError {
    #[error("it is not a signed JWT of three parts")]
    Form,
    #[error("its `alg` is missing or `none`")]
    Unsigned,
    #[error("it has a critical header, which is not understood")]
    Critical,
    #[error("its `iss` is not the provider's issuer")]
    Issuer,
    #[error("its `aud` does not hold our client id")]
    Audience,
    #[error("its `azp` is not our client id")]
    AuthorizedParty,
    #[error("it is expired, or has no `exp`")]
    Expired,
    #[error("its `iat` or `nbf` is in the future, or it has no `iat`")]
    NotYet,
    #[error("its `nonce` is not the one of this login")]
    Nonce,
    #[error("its `sub` is missing, too long, or not printable")]
    Subject,
}

/// The claims of an ID token that may be believed.
///
/// The signature is not checked: the token came from the token endpoint itself over TLS, where the
/// server's certificate vouches for the issuer in its place (section 3.1.3.7 item 6). A token from
/// anywhere else must never come here. `alg: none` is refused all the same, since no provider that
/// this proxy was made for sends it.
pub(crate) fn check(
    token: &str,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    let Jwt { header, claims } = jose::decode(token).ok_or(IdTokenError::Form)?;
    check_header(&header)?;
    check_issuer(&claims, expected.provider)?;
    check_audience(&claims, &expected.provider.client_id)?;
    check_time(&claims, expected.now)?;
    check_nonce(&claims, expected.nonce)?;
    subject(&claims).ok_or(IdTokenError::Subject)?;
    Ok(claims)
}

fn check_header(header: &Map<String, Value>) -> Result<(), IdTokenError> {
    match text(header, "alg") {
        None | Some("") => return Err(IdTokenError::Unsigned),
        Some(alg) if alg.eq_ignore_ascii_case("none") => return Err(IdTokenError::Unsigned),
        Some(_) => {}
    }
    // RFC 7515 section 4.1.11: what is critical and not understood makes the token invalid.
    if header.contains_key("crit") {
        return Err(IdTokenError::Critical);
    }
    Ok(())
}

/// Item 2.
fn check_issuer(claims: &Map<String, Value>, provider: &Provider) -> Result<(), IdTokenError> {
    text(claims, "iss")
        .filter(|iss| provider.admits_issuer(iss, Some(claims)))
        .map(|_| ())
        .ok_or(IdTokenError::Issuer)
}

/// Items 3 to 5. A token for several audiences must say that it was made for us, or another app
/// among them could hand in its own (peers accepted tokens of other apps).
fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), IdTokenError> {
    let (ours, several) = match claims.get("aud") {
        Some(Value::String(aud)) => (aud == client_id, false),
        Some(Value::Array(list)) => {
            let ours = list.iter().any(|aud| aud.as_str() == Some(client_id));
            (ours, list.len() > 1)
        }
        _ => (false, false),
    };
    if !ours {
        return Err(IdTokenError::Audience);
    }
    match claims.get("azp") {
        Some(Value::String(azp)) if azp == client_id => Ok(()),
        None | Some(Value::Null) if !several => Ok(()),
        _ => Err(IdTokenError::AuthorizedParty),
    }
}

/// Items 9 and 10.
fn check_time(claims: &Map<String, Value>, now: u64) -> Result<(), IdTokenError> {
    let exp = seconds(claims, "exp").ok_or(IdTokenError::Expired)?;
    if exp.saturating_add(EXPIRY_LEEWAY) <= now {
        return Err(IdTokenError::Expired);
    }
    let latest = now.saturating_add(ISSUE_LEEWAY);
    let iat = seconds(claims, "iat").ok_or(IdTokenError::NotYet)?;
    let nbf = match claims.get("nbf") {
        None | Some(Value::Null) => 0,
        Some(_) => seconds(claims, "nbf").ok_or(IdTokenError::NotYet)?,
    };
    if iat.max(nbf) > latest {
        return Err(IdTokenError::NotYet);
    }
    Ok(())
}

/// Item 11: what binds the token to this browser's login.
fn check_nonce(claims: &Map<String, Value>, sent: Option<&str>) -> Result<(), IdTokenError> {
    let Some(sent) = sent else { return Ok(()) };
    match text(claims, "nonce") {
        Some(nonce) if key::constant_time_eq(nonce.as_bytes(), sent.as_bytes()) => Ok(()),
        _ => Err(IdTokenError::Nonce),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

/// A NumericDate (RFC 7519 section 2): a fraction is allowed, a negative number is no time here.
fn seconds(claims: &Map<String, Value>, name: &str) -> Option<u64> {
    let number = claims.get(name)?.as_f64()?;
    (number >= 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests;

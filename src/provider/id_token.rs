//! The ID token: OpenID Connect Core section 3.1.3.7, as one pure function.

use serde_json::{Map, Value};

use super::{identity::subject, provider::Provider};
use crate::{
    jose::{self, Jwt, KeySet, SignatureError},
    key,
    limits::{ID_TOKEN_EXPIRY_LEEWAY, ID_TOKEN_ISSUE_LEEWAY},
    time::Unix,
};

/// What an ID token is measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// Whose issuer and whose client id.
    pub(crate) provider: &'a Provider,
    /// The provider's keys; `None` where none are known, and TLS to its token endpoint vouches.
    pub(crate) keys: Option<&'a KeySet>,
    /// The nonce of this login; `None` when none was sent.
    pub(crate) nonce: Option<&'a str>,
    pub(crate) now: Unix,
}

/// The rule that an ID token breaks. Says nothing of its claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdTokenError {
    /// No key of the provider vouches for it.
    #[error("{0}")]
    Key(#[from] SignatureError),
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
/// Item 6: "The Client MUST validate the signature of all other ID Tokens according to JWS [JWS] using the
/// algorithm specified in the JWT alg Header Parameter. The Client MUST use the keys provided by the
/// Issuer." Here this holds for each whose keys are known. For those of providers whose keys are not, the
/// same item allows: "If the ID Token is received via direct communication between the Client and the Token
/// Endpoint (which it is in this flow), the TLS server validation MAY be used to validate the issuer in
/// place of checking the token signature." A token from anywhere else must never come here.
///
/// Item 8 is about algorithms with a shared secret, such as `HS256` with the client secret. Keys that are
/// published vouch for none of them, so such a token is refused.
///
/// Known and left: after a client's `max_age` was passed on, `auth_time` is not checked (item 13, a
/// SHOULD).
pub(crate) fn check(
    token: &str,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    let claims = match expected.keys {
        Some(keys) => keys.verify(token)?.claims,
        None => unverified(token)?,
    };
    check_issuer(&claims, expected.provider)?;
    check_audience(&claims, &expected.provider.client_id)?;
    check_time(&claims, expected.now)?;
    check_nonce(&claims, expected.nonce)?;
    let claims = expected.provider.dialect.standard_claims(claims);
    subject(&claims).ok_or(IdTokenError::Subject)?;
    Ok(claims)
}

/// Where no key is known. `alg: none` is refused all the same, since no provider that this proxy
/// was made for sends it.
///
/// RFC 7515 section 4.1.11: "If any of the listed extension Header Parameters are not understood and
/// supported by the recipient, then the JWS is invalid." None is understood here.
fn unverified(token: &str) -> Result<Map<String, Value>, IdTokenError> {
    let Jwt { header, claims } = jose::decode(token).ok_or(IdTokenError::Form)?;
    match text(&header, "alg") {
        None | Some("") => return Err(IdTokenError::Unsigned),
        Some(alg) if alg.eq_ignore_ascii_case("none") => return Err(IdTokenError::Unsigned),
        Some(_) => {}
    }
    if header.contains_key("crit") {
        return Err(IdTokenError::Critical);
    }
    Ok(claims)
}

/// Item 2: "The Issuer Identifier for the OpenID Provider (which is typically obtained during Discovery)
/// MUST exactly match the value of the iss (issuer) Claim."
fn check_issuer(claims: &Map<String, Value>, provider: &Provider) -> Result<(), IdTokenError> {
    text(claims, "iss")
        .filter(|iss| provider.admits_issuer(iss, Some(claims)))
        .map(|_| ())
        .ok_or(IdTokenError::Issuer)
}

/// Item 3: "The Client MUST validate that the aud (audience) Claim contains its client_id value
/// registered at the Issuer identified by the iss (issuer) Claim as an audience."
///
/// Items 4 and 5: "If the ID Token contains multiple audiences, the Client SHOULD verify that an azp
/// Claim is present. If an azp (authorized party) Claim is present, the Client SHOULD verify that its
/// client_id is the Claim Value." Here both are MUSTs, or another app among the audiences could hand in
/// its own token (peers accepted tokens of other apps).
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

/// Item 9: "The current time MUST be before the time represented by the exp Claim." Section 2 adds that
/// implementers "MAY provide for some small leeway, usually no more than a few minutes".
///
/// Item 10 lets `iat` "be used to reject tokens that were issued too far away from the current time":
/// here those from the future, as RFC 7519 section 4.1.5 has it for `nbf`.
fn check_time(claims: &Map<String, Value>, now: Unix) -> Result<(), IdTokenError> {
    let exp = date(claims, "exp").ok_or(IdTokenError::Expired)?;
    if exp + ID_TOKEN_EXPIRY_LEEWAY <= now {
        return Err(IdTokenError::Expired);
    }
    let latest = now + ID_TOKEN_ISSUE_LEEWAY;
    let iat = date(claims, "iat").ok_or(IdTokenError::NotYet)?;
    let nbf = match claims.get("nbf") {
        None | Some(Value::Null) => Unix::EPOCH,
        Some(_) => date(claims, "nbf").ok_or(IdTokenError::NotYet)?,
    };
    if iat.max(nbf) > latest {
        return Err(IdTokenError::NotYet);
    }
    Ok(())
}

/// Item 11: "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present and
/// its value checked to verify that it is the same value as the one that was sent in the Authentication
/// Request." It binds the token to this browser's login.
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

/// A NumericDate (RFC 7519 section 2): a fraction is allowed, a negative number is not a time here.
fn date(claims: &Map<String, Value>, name: &str) -> Option<Unix> {
    let number = claims.get(name)?.as_f64()?;
    (number >= 0.0).then_some(Unix::at(number as u64))
}

#[cfg(test)]
mod tests;

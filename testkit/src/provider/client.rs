//! How the provider knows its client: by a secret, or by an assertion, which it reads as a strict
//! server does.

use std::collections::HashSet;

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
        UnparsedPublicKey,
    },
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as B64},
};
use serde_json::Value;

use super::script::{ClientAuth, Recorded, Settings};

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why a client is not the client. `used` are the `jti` that counted once.
pub(super) fn known(
    request: &Recorded,
    settings: &Settings,
    used: &mut HashSet<String>,
) -> Result<(), &'static str> {
    let basic = basic(request);
    let (id, secret) = (request.param("client_id"), request.param("client_secret"));
    let post = id.zip(secret);
    let post = post.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
    let presented = match settings.client_auth {
        ClientAuth::Either => basic.or(post),
        ClientAuth::Basic => basic,
        ClientAuth::Post => post,
        ClientAuth::Public => {
            let is_alone = basic.is_none() && secret.is_none();
            let is_it = is_alone && id == Some(&settings.client_id);
            return is_it.then_some(()).ok_or("not the public client");
        }
        ClientAuth::Assertion => {
            if basic.is_some() || secret.is_some() {
                return Err("a secret stands beside the assertion");
            }
            return asserted(request, settings, used);
        }
    };
    let expected = (settings.client_id.clone(), settings.client_secret.clone());
    let is_it = presented == Some(expected);
    is_it.then_some(()).ok_or("not the client's secret")
}

fn asserted(
    request: &Recorded,
    settings: &Settings,
    used: &mut HashSet<String>,
) -> Result<(), &'static str> {
    if request.param("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err("not the type of an assertion");
    }
    let assertion = request.param("client_assertion").ok_or("no assertion")?;
    if request
        .param("client_id")
        .is_some_and(|id| id != settings.client_id)
    {
        return Err("another client's id");
    }
    // A workload's, which another issuer signed: taken as a whole.
    if let Some(token) = &settings.client_token {
        return (assertion == token).then_some(()).ok_or("another token");
    }
    let (message, signature) = assertion.rsplit_once('.').ok_or("no JWT")?;
    let (header, claims) = message.split_once('.').ok_or("no JWT")?;
    let (header, claims) = (json(header)?, json(claims)?);
    let signature = B64.decode(signature).map_err(|_| "no signature")?;
    let mut keys = settings.client_keys.iter();
    let key = keys.find(|key| key["kid"] == header["kid"]);
    let key = key.ok_or("an unknown key")?;
    if key["alg"] != header["alg"] || header["typ"] != "JWT" {
        return Err("not the header of an assertion by this key");
    }
    verify(key, message.as_bytes(), &signature).ok_or("a wrong signature")?;
    if claims["iss"] != *settings.client_id || claims["sub"] != *settings.client_id {
        return Err("about another client");
    }
    // RFC 10070: one value, and no list.
    let audience = settings.assertion_audience.as_ref();
    if claims["aud"] != **audience.unwrap_or(&settings.issuer) {
        return Err("for another server");
    }
    let now = settings.clock.unix();
    let at = |name: &str| claims[name].as_u64().ok_or("a time is missing");
    let (iat, exp) = (at("iat")?, at("exp")?);
    if iat > now || now >= exp || exp - iat > 300 {
        return Err("not the time of a short assertion");
    }
    match claims["jti"].as_str() {
        Some(jti) if jti.len() >= 16 && used.insert(jti.to_owned()) => Ok(()),
        _ => Err("the assertion was used before"),
    }
}

fn verify(key: &Value, message: &[u8], signature: &[u8]) -> Option<()> {
    let member = |name: &str| B64.decode(key[name].as_str()?).ok();
    let rsa = |parameters| {
        let (n, e) = (member("n")?, member("e")?);
        let key = PublicKeyComponents { n, e };
        key.verify(parameters, message, signature).ok()
    };
    match key["alg"].as_str()? {
        "ES256" => {
            let point = [vec![4], member("x")?, member("y")?].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(message, signature).ok()
        }
        "RS256" => rsa(&RSA_PKCS1_2048_8192_SHA256),
        "PS256" => rsa(&RSA_PSS_2048_8192_SHA256),
        _ => None,
    }
}

fn json(part: &str) -> Result<Value, &'static str> {
    let json = B64.decode(part).map_err(|_| "no base64url")?;
    serde_json::from_slice(&json).map_err(|_| "no JSON")
}

fn basic(request: &Recorded) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decode(id), form_decode(secret)))
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before base64.
fn form_decode(text: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}

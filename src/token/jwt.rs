//! The proxy's own access tokens: JWTs of RFC 9068, signed with the operator's secret (HS256), or with a key
//! whose public part others verify them by.
//!
//! Whoever else reads them, nothing about a token is negotiated here: its header must be, byte for byte, one
//! that the proxy writes itself. The header names the key and is the format's version.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{claims::is_protected, payload::Payload, signer::Signer, token_keys::TokenKeys};
use crate::{
    jose::KeyError,
    key::{MacKey, Rotating},
    limits::{MAX_BEARER, MAX_CLOCK_AHEAD, MAX_ISSUED},
    time::Unix,
};

/// In characters: what [`MAX_ISSUED`] leaves room for.
const USUAL_SIGNATURE: usize = 43;

/// Makes and checks access tokens.
pub(crate) struct AccessTokens {
    issuer: Box<str>,
    /// The first signs, all verify.
    signers: Box<[Signer]>,
}

/// What an access token says, in addition to its issuer (RFC 9068 section 2.2). Borrowed from whatever it is
/// made of; or, inside [`AccessTokens::verify`] and nowhere else, from a token that was verified.
#[derive(PartialEq, Eq)]
pub(crate) struct AccessClaims<'a> {
    pub sub: Cow<'a, str>,
    /// The resource (RFC 8707).
    pub aud: Cow<'a, str>,
    pub client_id: Cow<'a, str>,
    /// Separated by spaces; may be empty.
    pub scope: Cow<'a, str>,
    pub iat: Unix,
    /// The token is no longer good from this second on.
    pub exp: Unix,
    pub jti: Cow<'a, str>,
    /// The grant that it belongs to; empty where none stands behind it: a machine's.
    pub gid: Cow<'a, str>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is not in the form of an access token")]
    Malformed,
    #[error("the token's header is not one that this proxy writes with its keys")]
    Header,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is from another issuer")]
    Issuer,
    #[error("the token is expired")]
    Expired,
    #[error("the token was issued in the future")]
    NotYet,
}

impl AccessTokens {
    /// `issuer` is the base URL, byte for byte. `keys` sign in place of the secret where there are any.
    pub(crate) fn new(issuer: &str, secret: &Rotating<MacKey>, keys: &TokenKeys) -> Self {
        Self {
            issuer: issuer.into(),
            signers: keys.signers(secret),
        }
    }

    /// The token. `extra` are claims from the provider: one whose name is protected never gets in,
    /// and one that would make the token too long for a header is left out.
    ///
    /// # Errors
    ///
    /// A private key can fail to sign, where the system gives no randomness say. The secret cannot.
    pub(crate) fn issue(
        &self,
        claims: &AccessClaims<'_>,
        extra: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        // There is one: `TokenKeys::check` sees to it.
        let signer = self.signers.first().ok_or(KeyError::Signing)?;
        let signature = signer.signature_chars();
        let payload = self.payload(claims, extra, signature);
        // Base64 makes four of three.
        let length = signer.header.len() + payload.len() / 3 * 4 + signature + 8;
        let mut token = String::with_capacity(length);
        token.push_str(&signer.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        signer.sign(&mut token)?;
        Ok(token)
    }

    /// What a longer signature takes, claims of the provider do not get.
    fn payload(
        &self,
        claims: &AccessClaims<'_>,
        extra: &Map<String, Value>,
        signature_chars: usize,
    ) -> Vec<u8> {
        let room = (MAX_ISSUED + USUAL_SIGNATURE).saturating_sub(signature_chars);
        let own = Payload {
            iss: Cow::Borrowed(&self.issuer),
            sub: Cow::Borrowed(&claims.sub),
            aud: Cow::Borrowed(&claims.aud),
            client_id: Cow::Borrowed(&claims.client_id),
            scope: Cow::Borrowed(&claims.scope),
            iat: claims.iat,
            exp: claims.exp,
            jti: Cow::Borrowed(&claims.jti),
            gid: Cow::Borrowed(&claims.gid),
        };
        let Ok(mut json) = serde_json::to_vec(&own) else {
            unreachable!("strings and numbers under fixed names are a JSON object")
        };
        // More members may follow.
        json.pop();
        for (name, value) in extra.iter().filter(|(name, _)| !is_protected(name)) {
            let before = json.len();
            json.push(b',');
            let written = write_member(&mut json, name, value);
            if written.is_err() || json.len() / 3 * 4 > room {
                json.truncate(before);
            }
        }
        json.push(b'}');
        json
    }

    /// Checks that this proxy issued the token and that it is good at `now`, and returns
    /// what `read` makes of its claims. `read` never sees the claims of any other
    /// token. The caller checks the audience, which depends on the path.
    ///
    /// # Errors
    ///
    /// The first of the rules in [`TokenError`]'s order that the token breaks. Nothing of its
    /// payload is parsed before the signature is known to be ours.
    pub(crate) fn verify<R>(
        &self,
        token: &str,
        now: Unix,
        read: impl FnOnce(&AccessClaims<'_>) -> R,
    ) -> Result<R, TokenError> {
        if token.len() > MAX_BEARER {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        self.check_signature(signed, header, signature)?;

        let payload = URL_SAFE_NO_PAD.decode(payload);
        let payload = payload.map_err(|_| TokenError::Malformed)?;
        let claims = Payload::read(&payload).ok_or(TokenError::Malformed)?;
        // RFC 9068 section 4: "The issuer identifier for the authorization server [...] MUST exactly
        // match the value of the `iss` claim."
        if *claims.iss != *self.issuer {
            return Err(TokenError::Issuer);
        }
        // RFC 9068 section 4: "The current time MUST be before the time represented by the `exp` claim."
        if claims.exp <= now {
            return Err(TokenError::Expired);
        }
        if claims.iat > now + MAX_CLOCK_AHEAD {
            return Err(TokenError::NotYet);
        }
        Ok(read(&claims.into()))
    }

    /// RFC 9068 section 4: "The resource server MUST verify that the `typ` header value is `at+jwt` or
    /// `application/at+jwt` and reject tokens carrying any other value", and "MUST reject any JWT in
    /// which the value of `alg` is `none`".
    ///
    /// These, another algorithm, and a `jwk` or `jku` of the sender's (the attacks of RFC 8725
    /// section 2) are all a header that is not ours, and are not even decoded.
    fn check_signature(
        &self,
        signed: &str,
        header: &str,
        signature: &str,
    ) -> Result<(), TokenError> {
        let is_ours = |signer: &&Signer| signer.header == header;
        let mut signers = self.signers.iter().filter(is_ours).peekable();
        if signers.peek().is_none() {
            return Err(TokenError::Header);
        }
        match signers.any(|signer| signer.verify(signed, signature)) {
            true => Ok(()),
            false => Err(TokenError::Signature),
        }
    }
}

fn write_member(json: &mut Vec<u8>, name: &str, value: &Value) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *json, name)?;
    json.push(b':');
    serde_json::to_writer(json, value)
}

impl<'a> From<Payload<'a>> for AccessClaims<'a> {
    fn from(payload: Payload<'a>) -> Self {
        Self {
            sub: payload.sub,
            aud: payload.aud,
            client_id: payload.client_id,
            scope: payload.scope,
            iat: payload.iat,
            exp: payload.exp,
            jti: payload.jti,
            gid: payload.gid,
        }
    }
}

impl fmt::Debug for AccessClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessClaims")
            .field("aud", &self.aud)
            .field("scope", &self.scope)
            .field("exp", &self.exp)
            .field("gid", &self.gid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Client secrets: how they are presented (RFC 6749 section 2.3.1).

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    limits::{MAX_BASIC, MAX_CLIENT_SECRET},
    oauth::form_decode,
};

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a header of the scheme `Basic` holds no id and secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BasicFault {
    Malformed,
    TooLong,
}

/// Whether a line of the `Authorization` header is of the scheme `Basic`, well formed or not.
pub(crate) fn is_basic(line: &[u8]) -> bool {
    let mut words = line.trim_ascii().split(u8::is_ascii_whitespace);
    words
        .next()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Basic"))
}

/// Reads the id and the secret out of a `Basic` line.
///
/// RFC 6749 section 2.3.1: "The authorization server MUST support the HTTP Basic authentication scheme
/// for authenticating clients that were issued a client password", and before it: "The client
/// identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix
/// B, and the encoded value is used as the username; the client password is encoded using the same
/// algorithm and used as the password."
pub(super) fn read_basic(line: &[u8]) -> Result<(String, SecretString), BasicFault> {
    if line.len() > MAX_BASIC {
        return Err(BasicFault::TooLong);
    }
    let (id, secret) = decode_basic(line).ok_or(BasicFault::Malformed)?;
    if secret.expose_secret().len() > MAX_CLIENT_SECRET {
        return Err(BasicFault::TooLong);
    }
    Ok((id, secret))
}

fn decode_basic(line: &[u8]) -> Option<(String, SecretString)> {
    let (_, credentials) = str::from_utf8(line).ok()?.trim().split_once(' ')?;
    let decoded = BASE64.decode(credentials.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let id = form_decode(id).filter(|id| !id.is_empty())?;
    Some((id, form_decode(secret)?.into()))
}

//! Client secrets: how they are presented, derived and compared (RFC 6749 section 2.3.1).

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD,
    },
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    key::{MacKey, Rotating, constant_time_eq},
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

/// The secrets of clients that registered themselves: derived from the `client_id`, so that none is
/// stored.
#[derive(Clone)]
pub(in crate::client) struct DerivedSecrets(Rotating<MacKey>);

impl DerivedSecrets {
    pub(in crate::client) fn new(keys: Rotating<MacKey>) -> Self {
        Self(keys)
    }

    /// The secret that a registration gets. RFC 7591 section 3.2.1: "If issued, this MUST be unique for
    /// each "client_id"".
    pub(in crate::client) fn of(&self, client_id: &str) -> String {
        derive(self.0.current(), client_id)
    }

    /// Compares with the secret of every key, each in constant time.
    pub(in crate::client) fn is(&self, client_id: &str, presented: &str) -> bool {
        let mut keys = self.0.all();
        keys.any(|key| is_same(&derive(key, client_id), presented))
    }
}

fn derive(key: &MacKey, client_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(key.tag(client_id.as_bytes()))
}

/// Compares in constant time.
pub(super) fn is_same(own: &str, presented: &str) -> bool {
    constant_time_eq(own.as_bytes(), presented.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    fn secrets(secret: u8) -> DerivedSecrets {
        DerivedSecrets::new(Rotating::new(
            SecretKey::for_test(secret).mac("client secret"),
            [],
        ))
    }

    #[test]
    fn a_secret_belongs_to_one_client_id_and_one_key() {
        let secret = secrets(1).of("client-a");
        assert_eq!(secret.len(), 43);
        assert!(secrets(1).is("client-a", &secret));
        assert!(!secrets(1).is("client-b", &secret));
        assert!(!secrets(2).is("client-a", &secret));
        for wrong in [
            "",
            &secret[..42],
            &format!("{secret}A"),
            &secret.to_uppercase(),
        ] {
            assert!(!secrets(1).is("client-a", wrong));
        }
    }

    #[test]
    fn a_secret_of_a_previous_key_still_counts_and_a_new_one_is_of_the_current_key() {
        let secret = secrets(1).of("client-a");
        let [old, new] = [1, 2].map(|byte| SecretKey::for_test(byte).mac("client secret"));
        let rotated = DerivedSecrets::new(Rotating::new(new, [old]));
        assert!(rotated.is("client-a", &secret));
        assert_ne!(rotated.of("client-a"), secret);
    }

    /// Clients keep their secret for years.
    #[test]
    fn a_secret_that_was_issued_once_is_derived_for_ever() {
        assert_eq!(
            secrets(7).of("client-a"),
            "ULwSsZ4SYxeDUN0cyBe00pwCRAJt7yUoXHSd9X1gQUY"
        );
    }
}

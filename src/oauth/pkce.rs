//! Proof Key for Code Exchange: RFC 7636.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    key::{constant_time_eq, sha256},
    random,
};

/// The shortest and the longest verifier, in characters: RFC 7636 section 4.1.
const VERIFIER_LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// How a challenge comes from its verifier: RFC 7636 section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChallengeMethod {
    S256,
    #[serde(rename = "plain")]
    Plain,
}

/// What a client commits itself to in the authorization request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodeChallenge {
    // A plain challenge is the verifier itself, but it has travelled in a URL already.
    challenge: Box<str>,
    method: ChallengeMethod,
}

/// Why a challenge is not accepted; safe to show to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PkceError {
    #[error("code_challenge is malformed")]
    Malformed,
    #[error("code_challenge_method is not supported: use S256")]
    UnknownMethod,
    #[error("code_challenge_method must be S256 (it is plain when not given)")]
    PlainNotAllowed,
}

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`. No method means `plain` (section 4.3),
    /// which is refused unless the operator allows it.
    pub(crate) fn parse(
        challenge: &str,
        method: Option<&str>,
        allow_plain: bool,
    ) -> Result<Self, PkceError> {
        let method = match method {
            Some("S256") => ChallengeMethod::S256,
            Some("plain") | None if allow_plain => ChallengeMethod::Plain,
            Some("plain") | None => return Err(PkceError::PlainNotAllowed),
            // An unknown method must not become plain (a peer's advisory).
            Some(_) => return Err(PkceError::UnknownMethod),
        };
        let well_formed = match method {
            // Exactly one SHA-256, unpadded.
            ChallengeMethod::S256 => {
                challenge.len() == 43
                    && URL_SAFE_NO_PAD
                        .decode(challenge)
                        .is_ok_and(|hash| hash.len() == 32)
            }
            ChallengeMethod::Plain => is_verifier(challenge),
        };
        if !well_formed {
            return Err(PkceError::Malformed);
        }
        Ok(Self {
            challenge: challenge.into(),
            method,
        })
    }

    /// Whether the verifier is the one the challenge came from (section 4.6), in constant time.
    pub(crate) fn verify(&self, verifier: &str) -> bool {
        if !is_verifier(verifier) {
            return false;
        }
        match self.method {
            ChallengeMethod::S256 => {
                constant_time_eq(s256(verifier).as_bytes(), self.challenge.as_bytes())
            }
            ChallengeMethod::Plain => {
                constant_time_eq(verifier.as_bytes(), self.challenge.as_bytes())
            }
        }
    }
}

fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// `code-verifier = 43*128unreserved`
fn is_verifier(text: &str) -> bool {
    VERIFIER_LENGTH.contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

/// The proxy's own secret half of a pair, toward the provider.
#[derive(Clone)]
pub(crate) struct CodeVerifier(SecretString);

impl CodeVerifier {
    /// 32 random bytes as 43 characters, as section 4.1 recommends.
    pub(crate) fn generate() -> Self {
        Self(random::token::<32>().into())
    }

    /// `None` when the text is not by the grammar of section 4.1.
    pub(crate) fn from_string(verifier: String) -> Option<Self> {
        is_verifier(&verifier).then(|| Self(verifier.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The public half, for `code_challenge` with `S256`.
    pub(crate) fn challenge_s256(&self) -> String {
        s256(self.expose())
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier([redacted])")
    }
}

/// Only for what is sealed before it leaves the process.
impl Serialize for CodeVerifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for CodeVerifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_string(String::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("not a code verifier"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn s256_of(challenge: &str) -> Result<CodeChallenge, PkceError> {
        CodeChallenge::parse(challenge, Some("S256"), false)
    }

    #[test]
    fn the_pair_of_appendix_b_matches_and_a_near_miss_does_not() {
        let challenge = s256_of(CHALLENGE).unwrap();
        assert!(challenge.verify(VERIFIER));
        assert!(!challenge.verify(&VERIFIER.replace('d', "e")));
        assert!(!challenge.verify(CHALLENGE));
        assert!(!challenge.verify(""));
        let ours = CodeVerifier::from_string(VERIFIER.to_owned()).unwrap();
        assert_eq!(ours.challenge_s256(), CHALLENGE);
    }

    #[test]
    fn a_missing_method_means_plain_and_plain_is_refused_by_default() {
        for method in [None, Some("plain")] {
            assert_eq!(
                CodeChallenge::parse(VERIFIER, method, false),
                Err(PkceError::PlainNotAllowed)
            );
            let plain = CodeChallenge::parse(VERIFIER, method, true).unwrap();
            assert_eq!(plain.method, ChallengeMethod::Plain);
            assert!(plain.verify(VERIFIER) && !plain.verify(CHALLENGE));
        }
    }

    #[test]
    fn an_unknown_method_is_refused_even_where_plain_is_allowed() {
        for method in ["s256", "S512", "none", "PLAIN", "", " S256"] {
            assert_eq!(
                CodeChallenge::parse(CHALLENGE, Some(method), true),
                Err(PkceError::UnknownMethod),
                "{method:?}"
            );
        }
    }

    #[test]
    fn a_challenge_that_is_no_sha256_is_refused() {
        let padded = format!("{CHALLENGE}=");
        let last_bits = format!("{}N", &CHALLENGE[..42]);
        let plus = CHALLENGE.replace('-', "+");
        for bad in ["", "short", &CHALLENGE[..42], &padded, &last_bits, &plus] {
            assert_eq!(s256_of(bad), Err(PkceError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn a_verifier_outside_the_grammar_never_verifies() {
        for bad in [
            "x".repeat(42),
            "x".repeat(129),
            format!("{} ", "x".repeat(43)),
            format!("{}é", "x".repeat(43)),
        ] {
            let challenge = s256_of(&s256(&bad)).unwrap();
            assert!(!challenge.verify(&bad), "{bad:?}");
            assert!(CodeChallenge::parse(&bad, None, true).is_err());
            assert!(CodeVerifier::from_string(bad).is_none());
        }
        for good in ["x".repeat(43), "~._-".repeat(32)] {
            assert!(s256_of(&s256(&good)).unwrap().verify(&good));
        }
    }

    #[test]
    fn generated_verifiers_differ_are_well_formed_and_print_nothing() {
        let (a, b) = (CodeVerifier::generate(), CodeVerifier::generate());
        assert_ne!(a.expose(), b.expose());
        assert!(is_verifier(a.expose()));
        assert!(!format!("{a:?}").contains(a.expose()));
        let back: CodeVerifier = serde_json::from_str(&serde_json::to_string(&a).unwrap()).unwrap();
        assert_eq!(back.expose(), a.expose());
    }

    #[test]
    fn a_challenge_survives_storage() {
        let challenge = s256_of(CHALLENGE).unwrap();
        let json = serde_json::to_string(&challenge).unwrap();
        assert!(json.contains(r#""S256""#));
        assert_eq!(
            serde_json::from_str::<CodeChallenge>(&json).unwrap(),
            challenge
        );
    }
}

//! The compact form: header, claims and signature (RFC 7515 section 7.1, RFC 7519 section 7.2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::limits::MAX_JWT_BYTES;

/// A JWT taken apart. What vouches for it, is for the function to say that returns it.
#[derive(Debug)]
pub(crate) struct Jwt {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

/// A JWT of which only the header was decoded.
pub(super) struct Compact<'a> {
    pub(super) header: Map<String, Value>,
    claims: &'a str,
    /// RFC 7515 section 2, *JWS Signing Input*: the first two parts and the dot between them, as they came.
    pub(super) signing_input: &'a str,
    signature: &'a str,
}

impl Compact<'_> {
    /// `None` when it is not base64url.
    pub(super) fn signature(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.signature).ok()
    }

    pub(super) fn jwt(self) -> Option<Jwt> {
        Some(Jwt {
            claims: object(self.claims)?,
            header: self.header,
        })
    }
}

/// Takes a signed JWT apart; `None` when it is not one, or longer than 16 KiB. Nothing in it is verified.
pub(crate) fn decode(token: &str) -> Option<Jwt> {
    take_apart(token)?.jwt()
}

/// Decodes the header of a signed JWT, and leaves the rest as it is.
///
/// RFC 7515 section 5.2 step 1 wants three parts. An encrypted token (RFC 7516) has five and is
/// readable only to the API that it is for. A token without a signature (RFC 7519 section 6) has an
/// empty third part and is not decoded.
///
/// Of a name that stands twice the last one counts. RFC 7515 section 4 and RFC 7519 section 4 want
/// that, or a refusal: "JWT parsers MUST either reject JWTs with duplicate Claim Names or use a JSON
/// parser that returns only the lexically last duplicate member name".
pub(super) fn take_apart(token: &str) -> Option<Compact<'_>> {
    if token.len() > MAX_JWT_BYTES {
        return None;
    }
    let (signing_input, signature) = token.rsplit_once('.')?;
    let (header, claims) = signing_input.split_once('.')?;
    if claims.contains('.') || signature.is_empty() {
        return None;
    }
    Some(Compact {
        header: object(header)?,
        claims,
        signing_input,
        signature,
    })
}

/// The claims of a JWT that something else than its signature vouches for: TLS to the provider's
/// token endpoint, or a record of our own.
pub(crate) fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    decode(token).map(|jwt| jwt.claims)
}

/// A part that is a JSON object in base64url "with all trailing '=' characters omitted" (RFC 7515
/// section 2).
fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn part(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    #[test]
    fn a_signed_jwt_comes_apart_into_its_header_and_its_claims() {
        let token = format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(r#"{"a":1}"#));
        let jwt = decode(&token).unwrap();
        assert_eq!(jwt.header["alg"], "RS256");
        assert_eq!(Value::Object(jwt.claims), json!({"a": 1}));
    }

    #[test]
    fn of_a_name_that_stands_twice_the_last_one_counts() {
        let claims = part(r#"{"sub":"first","sub":"last"}"#);
        let claims = unverified_claims(&format!("e30.{claims}.c2ln")).unwrap();
        assert_eq!(claims["sub"], "last");
    }

    #[test]
    fn what_is_not_a_signed_jwt_of_three_parts_is_not_decoded() {
        let payload = part(r#"{"a":1}"#);
        assert!(decode(&format!("e30.{payload}.s")).is_some());
        let array = part("[1]");
        let deep = part(&format!("{{\"a\":{}1", "[".repeat(9_000)));
        let latin = URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xe9\"}");
        for other in [
            "",
            "gho_opaque",
            "ya29.opaque",
            "a.b.c",
            "..",
            &format!("e30.{payload}"),
            // Without a signature, and encrypted.
            &format!("e30.{payload}."),
            &format!("e30.{payload}.s.t.u"),
            &format!("h.{payload}.s"),
            &format!("{array}.{payload}.s"),
            &format!("e30.{array}.s"),
            &format!("e30.{deep}.s"),
            &format!("e30.{latin}.s"),
            &format!("e30.{payload}=.s"),
            &format!("e30.{payload}.{}", "s".repeat(MAX_JWT_BYTES)),
        ] {
            assert!(decode(other).is_none(), "{other:.40}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), parts in "[A-Za-z0-9_-]{0,20}[.][A-Za-z0-9_-]{0,20}[.]x") {
            let _ = (decode(&text), decode(&parts));
        }
    }
}

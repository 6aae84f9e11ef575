//! What a token's header asks of who verifies it (RFC 7515 section 4.1).

use serde_json::{Map, Value};

use super::{algorithm::Algorithm, signature_error::SignatureError};

/// The members of a header that choose the key. Keys and URLs of keys that stand in a header (`jwk`, `jku`,
/// `x5c`, `x5u`) are never looked at: the token would vouch for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<&'a str>,
}

/// Reads the header of a token that is to be verified.
///
/// RFC 7515 section 4: "Implementations are required to understand the specific Header Parameters defined by
/// this specification that are designated as "MUST be understood" and process them in the manner defined in
/// this specification. All other Header Parameters defined by this specification that are not so designated
/// MUST be ignored when not understood."
pub(super) fn read(header: &Map<String, Value>) -> Result<Chosen<'_>, SignatureError> {
    check_critical(header)?;
    let algorithm = match header.get("alg") {
        Some(Value::String(name)) => {
            Algorithm::parse(name).ok_or_else(|| SignatureError::unknown_algorithm(name))?
        }
        _ => return Err(SignatureError::Form),
    };
    let kid = match header.get("kid") {
        None => None,
        // Section 4.1.4: "Its value MUST be a case-sensitive string."
        Some(kid) => Some(kid.as_str().ok_or(SignatureError::Form)?),
    };
    Ok(Chosen { algorithm, kid })
}

/// RFC 7515 section 4.1.11: "If any of the listed extension Header Parameters are not understood and
/// supported by the recipient, then the JWS is invalid." None is understood here, and an empty list is not
/// allowed.
///
/// `b64` changes what is signed (RFC 7797 section 3). A signer that forgets to list it as critical must not
/// have its payload read in another way than it was meant.
fn check_critical(header: &Map<String, Value>) -> Result<(), SignatureError> {
    match ["crit", "b64"]
        .iter()
        .any(|name| header.contains_key(*name))
    {
        true => Err(SignatureError::Critical),
        false => Ok(()),
    }
}

/// Whether the header's `typ` is this media type. RFC 7515 section 4.1.9: "a recipient using the media type
/// value MUST treat it as if "application/" were prepended to any "typ" value not containing a '/'." Media
/// types are compared without case.
pub(crate) fn has_type(header: &Map<String, Value>, media_type: &str) -> bool {
    let named = header.get("typ").and_then(Value::as_str);
    named.is_some_and(|named| short(named).eq_ignore_ascii_case(short(media_type)))
}

/// A media type without an "application/" that may be left out.
fn short(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(of: Value) -> Map<String, Value> {
        match of {
            Value::Object(header) => header,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn private_names_in_a_header_say_nothing() {
        let header = header(json!({
            "alg": "ES256", "kid": "k", "typ": "JWT", "nonce": "n", "jku": "https://evil.example",
            "https://example.com/x": 1,
        }));
        let chosen = read(&header).unwrap();
        assert_eq!(
            (chosen.algorithm, chosen.kid),
            (Algorithm::Es256, Some("k"))
        );
    }

    #[test]
    fn a_critical_header_is_refused_whatever_it_lists() {
        for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!(null)] {
            let header = header(json!({"alg": "ES256", "crit": crit}));
            assert_eq!(read(&header), Err(SignatureError::Critical), "{crit}");
        }
        for b64 in [json!(false), json!(true)] {
            let header = header(json!({"alg": "ES256", "b64": b64}));
            assert_eq!(read(&header), Err(SignatureError::Critical), "{b64}");
        }
    }

    #[test]
    fn an_algorithm_without_a_public_key_is_refused_by_its_name() {
        for alg in ["none", "HS256", "es256", "dir"] {
            let header = header(json!({"alg": alg}));
            let error = read(&header).unwrap_err();
            assert!(matches!(&error, SignatureError::Algorithm(_)), "{alg}");
            assert!(error.to_string().contains(alg), "{error}");
        }
        for other in [
            json!({}),
            json!({"alg": 1}),
            json!({"alg": "ES256", "kid": 1}),
        ] {
            assert_eq!(read(&header(other)), Err(SignatureError::Form));
        }
    }

    #[test]
    fn a_type_is_compared_as_a_media_type() {
        let typed = |typ: Value| header(json!({"typ": typ}));
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/AT+jwt",
        ] {
            assert!(has_type(&typed(json!(typ)), "at+jwt"), "{typ}");
            assert!(has_type(&typed(json!(typ)), "application/at+jwt"), "{typ}");
        }
        for typ in [
            json!("JWT"),
            json!("text/at+jwt"),
            json!("application/x/at+jwt"),
            json!(1),
        ] {
            assert!(!has_type(&typed(typ.clone()), "at+jwt"), "{typ}");
        }
        assert!(!has_type(&Map::new(), "at+jwt"));
    }
}

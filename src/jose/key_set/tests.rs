//! Vectors of the RFCs and of another implementation, and what must not pass beside each.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::*;
use crate::{
    jose::{ClaimError, ClaimRules, has_type},
    time::Unix,
};

#[derive(Deserialize)]
struct Vector {
    name: String,
    jwk: Map<String, Value>,
    /// A key of the same kind and name that did not sign.
    #[serde(default)]
    other: Map<String, Value>,
    token: String,
}

fn rfc() -> Vec<Vector> {
    serde_json::from_str(include_str!("../vectors/rfc.json")).unwrap()
}

fn made() -> Vec<Vector> {
    serde_json::from_str(include_str!("../vectors/made.json")).unwrap()
}

fn made_by(algorithm: &str) -> Vector {
    let found = made().into_iter().find(|it| it.name == algorithm);
    found.unwrap()
}

fn set(keys: impl IntoIterator<Item = Map<String, Value>>) -> KeySet {
    let keys: Vec<_> = keys.into_iter().collect();
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

fn check(set: &KeySet, token: &str) -> Result<(), SignatureError> {
    set.check(&take_apart(token).ok_or(SignatureError::Form)?)
}

/// The token with this header over the same claims and signature.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", B64.encode(header.to_string()))
}

fn with_signature(token: &str, signature: &[u8]) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", B64.encode(signature))
}

fn signature_of(token: &str) -> Vec<u8> {
    B64.decode(token.rsplit_once('.').unwrap().1).unwrap()
}

fn without_kid(mut jwk: Map<String, Value>) -> Map<String, Value> {
    jwk.remove("kid");
    jwk
}

fn changed(jwk: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut jwk = jwk.clone();
    jwk.insert(name.to_owned(), value);
    jwk
}

#[test]
fn the_examples_of_the_rfcs_verify() {
    let vectors = rfc();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let set = set([vector.jwk]);
        // Not all of their payloads are claims.
        let compact = take_apart(&vector.token).unwrap();
        assert_eq!(set.check(&compact), Ok(()), "{}", vector.name);
    }
}

#[test]
fn a_token_of_another_implementation_verifies_for_each_algorithm() {
    let vectors = made();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let jwt = set([vector.jwk]).verify(&vector.token).unwrap();
        assert_eq!(jwt.header["alg"], vector.name);
        assert_eq!(jwt.claims["sub"], "ada");
        assert!(has_type(&jwt.header, "at+jwt"));
    }
}

#[test]
fn for_each_algorithm_another_key_and_each_changed_byte_is_refused() {
    for vector in made() {
        let name = &vector.name;
        let other = set([vector.other]);
        assert_eq!(
            other.verify(&vector.token).unwrap_err(),
            SignatureError::Signature,
            "{name}"
        );
        let set = set([vector.jwk]);
        let signature = signature_of(&vector.token);
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut forged = signature.clone();
            forged[at] ^= 1;
            let forged = with_signature(&vector.token, &forged);
            assert_eq!(
                check(&set, &forged),
                Err(SignatureError::Signature),
                "{name} {at}"
            );
        }
        // Shorter, longer, doubled, nothing but zeros.
        for forged in [
            signature[1..].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            signature.repeat(2),
            vec![0; signature.len()],
        ] {
            let forged = with_signature(&vector.token, &forged);
            assert_eq!(
                check(&set, &forged),
                Err(SignatureError::Signature),
                "{name}"
            );
        }
        let (header, rest) = vector.token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let mut claims = B64.decode(claims).unwrap();
        claims[10] ^= 1;
        let forged = format!("{header}.{}.{signature}", B64.encode(&claims));
        assert_eq!(
            check(&set, &forged),
            Err(SignatureError::Signature),
            "{name}"
        );
    }
}

#[test]
fn for_each_algorithm_a_header_that_names_another_is_refused() {
    let all = made();
    for vector in &all {
        let set = set([vector.jwk.clone()]);
        for twin in &all {
            if twin.name == vector.name {
                continue;
            }
            let kid = &vector.jwk["kid"];
            let token = with_header(&vector.token, &json!({"alg": twin.name, "kid": kid}));
            let expected = match twin.jwk["kty"] == "RSA" && vector.jwk["kty"] == "RSA" {
                true => SignatureError::Signature,
                false => SignatureError::unfit(
                    Algorithm::parse(&twin.name).unwrap(),
                    kid.as_str().unwrap(),
                ),
            };
            assert_eq!(
                check(&set, &token),
                Err(expected),
                "{} as {}",
                vector.name,
                twin.name
            );
        }
        for none in ["none", "None", "HS256", ""] {
            let token = with_header(&vector.token, &json!({"alg": none}));
            assert_eq!(
                check(&set, &token),
                Err(SignatureError::unknown_algorithm(none))
            );
        }
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    for vector in made() {
        let set = set([vector.jwk.clone()]);
        let (_, rest) = vector.token.split_once('.').unwrap();
        let header = B64.encode(json!({"alg": "HS256", "kid": vector.jwk["kid"]}).to_string());
        let signed = format!("{header}.{}", rest.split_once('.').unwrap().0);
        let name = if vector.jwk["kty"] == "RSA" { "n" } else { "x" };
        for secret in [
            Value::Object(vector.jwk.clone()).to_string().into_bytes(),
            B64.decode(vector.jwk[name].as_str().unwrap()).unwrap(),
        ] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
            mac.update(signed.as_bytes());
            let token = format!("{signed}.{}", B64.encode(mac.finalize().into_bytes()));
            let error = set.verify(&token).unwrap_err();
            assert_eq!(error, SignatureError::unknown_algorithm("HS256"));
        }
    }
}

#[test]
fn for_each_algorithm_another_issuer_audience_or_time_is_refused() {
    let rules = |issuer: &str, audience: &str| ClaimRules {
        issuers: vec![issuer.to_owned()],
        audiences: vec![audience.to_owned()],
        leeway: Duration::from_secs(10),
        required: Vec::new(),
    };
    let (begin, end) = (Unix::at(1_800_000_000), Unix::at(1_800_003_600));
    for vector in made() {
        let claims = set([vector.jwk]).verify(&vector.token).unwrap().claims;
        let good = rules("https://idp.example", "api");
        assert_eq!(good.check(&claims, begin), Ok(()));
        let late = good.check(&claims, end + Duration::from_secs(10));
        assert_eq!(late, Err(ClaimError::Expired(10)));
        let early = good.check(&claims, begin - Duration::from_secs(11));
        assert_eq!(early, Err(ClaimError::NotYet("iat")));
        for wrong in [
            rules("https://idp.example/", "api"),
            rules("https://idp.example", "API"),
        ] {
            assert!(wrong.check(&claims, begin).is_err());
        }
    }
}

#[test]
fn the_algorithm_of_a_key_is_the_only_one_that_it_is_used_with() {
    let rs256 = made_by("RS256");
    let ps256 = made_by("PS256");
    let set = set([changed(&rs256.jwk, "alg", json!("RS256"))]);
    assert!(set.verify(&rs256.token).is_ok());
    let error = SignatureError::unfit(Algorithm::Ps256, "rsa");
    assert_eq!(set.verify(&ps256.token).unwrap_err(), error);
    assert_eq!(
        error.to_string(),
        "its `alg` is `PS256`, which its key `rsa` is not for"
    );
}

#[test]
fn keys_of_one_name_are_each_tried_where_they_fit() {
    let (rsa, ec) = (made_by("RS256"), made_by("ES256"));
    let named = |jwk: &Map<String, Value>| changed(jwk, "kid", json!("rsa"));
    let set_of = set([named(&ec.jwk), named(&rsa.other), named(&rsa.jwk)]);
    assert!(set_of.verify(&rsa.token).is_ok());
    let others = MAX_KEYS_TRIED;
    let many = set(std::iter::repeat_n(named(&rsa.other), others).chain([named(&rsa.jwk)]));
    let error = many.verify(&rsa.token).unwrap_err();
    assert_eq!(
        error,
        SignatureError::too_many_keys(others + 1, Algorithm::Rs256)
    );
}

#[test]
fn a_token_without_a_name_is_checked_with_a_few_keys_that_fit_at_most() {
    let rsa = made_by("RS256");
    let nameless = with_header(&rsa.token, &json!({"alg": "RS256"}));
    let of = |others: usize| {
        set(std::iter::repeat_n(rsa.other.clone(), others).chain([rsa.jwk.clone()]))
    };
    // The signature covers the header: the example of RFC 7515 has none.
    let example = rfc().remove(0);
    let with_example = |others: usize| {
        set(std::iter::repeat_n(rsa.other.clone(), others).chain([example.jwk.clone()]))
    };
    assert_eq!(check(&with_example(0), &example.token), Ok(()));
    assert_eq!(
        check(&with_example(MAX_KEYS_TRIED - 1), &example.token),
        Ok(())
    );
    let refused = check(&with_example(MAX_KEYS_TRIED), &example.token);
    assert!(
        matches!(refused, Err(SignatureError::UnusableKey(_))),
        "{refused:?}"
    );
    // Another kind of key does not count.
    let ec = made_by("ES256").jwk;
    let beside = set(std::iter::repeat_n(ec, 20).chain([example.jwk.clone()]));
    assert_eq!(check(&beside, &example.token), Ok(()));
    // A newer set may have the key that signed it.
    let unknown = check(&of(1), &nameless);
    assert!(
        matches!(unknown, Err(SignatureError::UnknownKey(_))),
        "{unknown:?}"
    );
}

#[test]
fn a_key_without_a_name_vouches_for_a_name_that_no_key_has() {
    let rsa = made_by("RS256");
    assert!(
        set([without_kid(rsa.jwk.clone())])
            .verify(&rsa.token)
            .is_ok()
    );
    // Where the set has the name, it counts.
    let misnamed = changed(&rsa.other, "kid", json!("rsa"));
    let both = set([without_kid(rsa.jwk.clone()), misnamed]);
    assert_eq!(
        both.verify(&rsa.token).unwrap_err(),
        SignatureError::Signature
    );
    let renamed = set([changed(&rsa.jwk, "kid", json!("RSA"))]);
    let error = renamed.verify(&rsa.token).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key set has no key `rsa` for `RS256`"
    );
    assert!(matches!(error, SignatureError::UnknownKey(_)));
}

#[test]
fn an_empty_set_knows_no_key() {
    let empty = KeySet::parse(br#"{"keys":[],"more":1}"#).unwrap();
    let error = empty.verify(&made_by("EdDSA").token).unwrap_err();
    assert!(matches!(error, SignatureError::UnknownKey(_)));
}

#[test]
fn keys_that_are_not_for_this_are_skipped_and_named_where_a_token_names_them() {
    let ec = made_by("ES256");
    let of = |name: &str, value: Value| changed(&ec.jwk, name, value);
    let refusal = |jwk: Map<String, Value>| {
        // Beside it, a good key of another name.
        let set = set([jwk, made_by("EdDSA").jwk]);
        assert!(set.verify(&made_by("EdDSA").token).is_ok());
        match set.verify(&ec.token).unwrap_err() {
            SignatureError::UnusableKey(why) => why,
            other => panic!("{other}"),
        }
    };
    for (jwk, why) in [
        (of("use", json!("enc")), Unusable::NotForSignatures),
        (of("use", json!(1)), Unusable::NotForSignatures),
        (of("key_ops", json!(["sign"])), Unusable::NotForSignatures),
        (of("key_ops", json!([])), Unusable::NotForSignatures),
        (of("key_ops", json!("verify")), Unusable::NotForSignatures),
        (of("kty", json!("AKP")), Unusable::Unknown),
        (of("kty", json!("oct")), Unusable::Unknown),
        (of("kty", json!("ec")), Unusable::Unknown),
        (of("crv", json!("secp256k1")), Unusable::Unknown),
        (of("alg", json!("ECDH-ES")), Unusable::Unknown),
        (of("alg", json!("HS256")), Unusable::Unknown),
        (of("alg", json!("ES384")), Unusable::Unfit),
        (of("alg", json!("RS256")), Unusable::Unfit),
        (of("alg", json!(256)), Unusable::Malformed),
        (of("kty", json!(1)), Unusable::Malformed),
        (of("kty", json!("RSA")), Unusable::Malformed),
        (of("crv", json!("P-384")), Unusable::Malformed),
        (of("x", json!("AA")), Unusable::Malformed),
        (of("x", json!("not base64!")), Unusable::Malformed),
        (of("x", ec.jwk["y"].clone()), Unusable::Malformed),
        (of("d", json!("AA")), Unusable::Published),
    ] {
        let expected = SignatureError::unusable("p256", why).to_string();
        assert_eq!(refusal(jwk), expected);
    }
    for good in [
        of("use", json!("sig")),
        of("key_ops", json!(["sign", "verify"])),
        of("alg", json!("ES256")),
        of("x5c", json!(["of no interest"])),
    ] {
        assert!(set([good]).verify(&ec.token).is_ok());
    }
    // What is not a key at all is skipped too.
    let odd = json!({"keys": [1, null, [], {}, {"kid": 7, "kty": "EC"}, ec.jwk]});
    let odd = KeySet::parse(odd.to_string().as_bytes()).unwrap();
    assert!(odd.verify(&ec.token).is_ok());
}

#[test]
fn a_coordinate_has_its_full_length() {
    // One of the coordinates of RFC 7515 A.4 begins with a zero byte: without it the key is another text.
    let vector = rfc().remove(2);
    let x = B64.decode(vector.jwk["x"].as_str().unwrap()).unwrap();
    for x in [[&[0], &x[..]].concat(), x[1..].to_vec()] {
        let set = set([changed(&vector.jwk, "x", json!(B64.encode(x)))]);
        assert!(check(&set, &vector.token).is_err());
    }
}

#[test]
fn an_rsa_key_is_long_enough_and_not_too_long_and_has_an_honest_exponent() {
    let rsa = made_by("RS256");
    let why = |name: &str, value: &[u8]| {
        let set = set([changed(&rsa.jwk, name, json!(B64.encode(value)))]);
        set.verify(&rsa.token).unwrap_err().to_string()
    };
    let n = B64.decode(rsa.jwk["n"].as_str().unwrap()).unwrap();
    assert!(why("n", &n[..255]).contains("2040 bits"));
    let mut short = n.clone();
    short[0] = 0x7f;
    assert!(why("n", &short).contains("2047 bits"));
    assert!(why("n", &n.repeat(5)).contains("10240 bits"));
    let mut even = n.clone();
    even[255] &= 0xfe;
    let malformed = SignatureError::unusable("rsa", Unusable::Malformed).to_string();
    assert_eq!(why("n", &even), malformed);
    for e in [
        &[][..],
        &[0],
        &[1],
        &[0, 1],
        &[2],
        &[1, 0, 0],
        &[1, 0, 0, 0, 0, 1],
        &[0, 0, 3],
    ] {
        assert_eq!(why("e", e), malformed, "{e:?}");
    }
    // A leading zero, as some libraries write it, is no other key.
    let padded = changed(&rsa.jwk, "n", json!(B64.encode([&[0], &n[..]].concat())));
    assert!(set([padded]).verify(&rsa.token).is_ok());
    // An RSA key of a kilobyte is the longest.
    let long = set([changed(&rsa.jwk, "n", json!(B64.encode(n.repeat(4))))]);
    assert_eq!(
        long.verify(&rsa.token).unwrap_err(),
        SignatureError::Signature
    );
}

#[test]
fn a_document_that_is_no_key_set_is_refused() {
    for other in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        "<html>",
        r#"{"keys":"x"}"#,
    ] {
        assert_eq!(
            KeySet::parse(other.as_bytes()).unwrap_err(),
            KeySetError::Form,
            "{other}"
        );
    }
    let of = |count: usize| json!({"keys": vec![json!({}); count]}).to_string();
    assert!(KeySet::parse(of(MAX_KEYS).as_bytes()).is_ok());
    let many = KeySet::parse(of(MAX_KEYS + 1).as_bytes()).unwrap_err();
    assert_eq!(many, KeySetError::TooMany(MAX_KEYS + 1));
    let long = format!(r#"{{"keys":[]}}{}"#, " ".repeat(MAX_KEY_SET_BYTES));
    assert_eq!(
        KeySet::parse(long.as_bytes()).unwrap_err(),
        KeySetError::TooLong
    );
}

#[test]
fn base64url_has_one_spelling() {
    let vector = made_by("EdDSA");
    let set = set([vector.jwk]);
    let (signed, signature) = vector.token.rsplit_once('.').unwrap();
    let standard = signature.replace('-', "+").replace('_', "/");
    for other in [
        format!("{signature}="),
        format!("{signature}=="),
        format!(" {signature}"),
        format!("{signature}\n"),
        // 64 bytes leave four bits of the last character that say nothing.
        format!("{}{}", &signature[..85], other_spelling(&signature[85..])),
    ] {
        let token = format!("{signed}.{other}");
        assert_eq!(check(&set, &token), Err(SignatureError::Form), "{other}");
    }
    if standard != signature {
        assert_eq!(
            check(&set, &format!("{signed}.{standard}")),
            Err(SignatureError::Form)
        );
    }
}

/// A character whose first two bits are the same.
fn other_spelling(last: &str) -> char {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = ALPHABET
        .iter()
        .position(|c| *c == last.as_bytes()[0])
        .unwrap();
    ALPHABET[at ^ 1].into()
}

#[test]
fn an_error_quotes_a_bounded_printable_piece_of_the_header() {
    let rsa = made_by("RS256");
    let kid = format!("\u{202e}\n<b>{}", "k".repeat(5_000));
    let token = with_header(&rsa.token, &json!({"alg": "RS256", "kid": kid}));
    let error = set([rsa.jwk]).verify(&token).unwrap_err().to_string();
    assert!(error.chars().count() < 300, "{error}");
    assert!(!error.contains(['\n', '\u{202e}']), "{error}");
}

proptest! {
    #[test]
    fn no_key_set_and_no_token_panics(
        bytes in any::<Vec<u8>>(),
        name in "kty|crv|alg|use|key_ops|kid|n|e|x|y",
        text in "[A-Za-z0-9_-]{0,100}|.{0,10}",
        signature in any::<Vec<u8>>(),
    ) {
        let _ = KeySet::parse(&bytes);
        for vector in made() {
            let odd = set([changed(&vector.jwk, &name, json!(text)), vector.other]);
            let _ = odd.verify(&vector.token);
            let set = set([vector.jwk]);
            let _ = set.verify(&text);
            let forged = with_signature(&vector.token, &signature);
            prop_assert!(set.verify(&forged).is_err());
        }
    }
}

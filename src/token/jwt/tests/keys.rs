//! Tokens that a key signs, and others verify.

use std::sync::Arc;

use super::*;
use crate::{
    jose::KeySet,
    token::{TokenKey, TokenKeys},
};

const ES256: &str = include_str!("../../../jose/vectors/p256.pkcs8.pem");
const EDDSA: &str = include_str!("../../../jose/vectors/ed25519.pkcs8.pem");
const RS256: &str = include_str!("../../../jose/vectors/rsa.pkcs8.pem");
const ES256_PUBLIC: &str = include_str!("../../../jose/vectors/p256.public.pem");
const EDDSA_PUBLIC: &str = include_str!("../../../jose/vectors/ed25519.public.pem");
const RS256_PUBLIC: &str = include_str!("../../../jose/vectors/rsa.public.pem");
const KEYS: [(&str, &str, &str); 3] = [
    ("ES256", ES256, ES256_PUBLIC),
    ("EdDSA", EDDSA, EDDSA_PUBLIC),
    ("RS256", RS256, RS256_PUBLIC),
];

fn key(pem: &str) -> Arc<TokenKey> {
    Arc::new(TokenKey::from_pem(pem).unwrap())
}

fn keys(signing: Option<&str>, published: &[&str]) -> TokenKeys {
    let keys = TokenKeys {
        signing: signing.map(key),
        published: published.iter().map(|pem| key(pem)).collect(),
        accepts_hs256: true,
    };
    keys.check().unwrap();
    keys
}

fn with(keys: &TokenKeys) -> AccessTokens {
    AccessTokens::new(ISSUER, &Rotating::new(mac(1), []), keys)
}

fn signing(pem: &str) -> AccessTokens {
    with(&keys(Some(pem), &[]))
}

fn token(tokens: &AccessTokens) -> String {
    tokens.issue(&claims(), &Map::new()).unwrap()
}

/// A token of any header, with a right signature of this key.
fn signed_by(pem: &str, header: &str, payload: &str) -> String {
    let mut token = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
    Signer::asymmetric(key(pem)).sign(&mut token).unwrap();
    token
}

#[test]
fn a_token_verifies_here_and_by_the_key_set_and_by_the_public_key_alone() {
    for (alg, private, public) in KEYS {
        let signing = keys(Some(private), &[]);
        let token = token(&with(&signing));
        assert_eq!(
            with(&signing).verified(&token, NOW).unwrap(),
            claims(),
            "{alg}"
        );
        let verifying = with(&keys(None, &[public]));
        assert_eq!(verifying.verified(&token, NOW).unwrap(), claims(), "{alg}");

        let set = KeySet::parse(signing.document().unwrap().as_bytes()).unwrap();
        let jwt = set.verify(&token).unwrap();
        assert_eq!(jwt.claims["iss"], ISSUER);
        assert_eq!(jwt.claims["sub"], "person \"1\"\n");
        assert_eq!(jwt.claims.len(), 9);
        let kid = jwt.header["kid"].as_str().unwrap();
        let header = format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#);
        assert_eq!(segments(&token)[0], URL_SAFE_NO_PAD.encode(header));
        // The thumbprint, whichever half it was made of.
        assert_eq!(keys(None, &[public]).document(), signing.document());
    }
}

/// Made with Python's `cryptography`. **Never change these**: clients hold such tokens.
#[test]
fn a_token_is_verified_as_it_always_was_and_written_so_where_a_signature_is_no_chance() {
    let samples: Map<String, Value> =
        serde_json::from_str(include_str!("../../vectors/signed.json")).unwrap();
    for (alg, private, _) in KEYS {
        let sample = samples[alg].as_str().unwrap();
        let tokens = signing(private);
        assert_eq!(tokens.verified(sample, NOW).unwrap(), claims(), "{alg}");
        let issued = tokens.issue(&claims(), &map(json!({"role": "admin"})));
        let issued = issued.unwrap();
        // ECDSA takes a random number for each signature.
        let signed = |token: &str| token.rsplit_once('.').unwrap().0.to_owned();
        match alg {
            "ES256" => assert_eq!(signed(&issued), signed(sample)),
            _ => assert_eq!(issued, sample),
        }
    }
}

#[test]
fn a_change_of_any_single_character_is_refused() {
    for (alg, private, _) in KEYS {
        let tokens = signing(private);
        let token = token(&tokens);
        for (at, old) in token.char_indices() {
            let (before, after) = (&token[..at], &token[at + 1..]);
            for new in ["", "A", "_", ".", "=", "\u{e9}"] {
                let mutated = format!("{before}{new}{after}");
                let is_other = !new.starts_with(old);
                let is_refused = tokens.verified(&mutated, NOW).is_err();
                assert!(is_refused || !is_other, "{alg}: {new:?} at {at}");
            }
        }
        for more in ["=", ".", "A", " ", ".A"] {
            assert!(tokens.verified(&format!("{token}{more}"), NOW).is_err());
            assert!(tokens.verified(&format!("{more}{token}"), NOW).is_err());
        }
    }
}

#[test]
fn every_other_header_is_refused_even_with_a_right_signature() {
    for (alg, private, _) in KEYS {
        let tokens = signing(private);
        let token = token(&tokens);
        let payload = segments(&token)[1];
        let kid = decoded(segments(&token)[0])["kid"]
            .as_str()
            .unwrap()
            .to_owned();
        let ours = format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#);
        let right = signed_by(private, &ours, payload);
        assert!(tokens.verified(&right, NOW).is_ok());
        let other = if alg == "RS256" { "PS256" } else { "RS256" };
        for header in [
            format!(r#"{{"typ":"at+jwt","alg":"none","kid":"{kid}"}}"#),
            format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{kid}"}}"#),
            format!(r#"{{"typ":"at+jwt","alg":"{other}","kid":"{kid}"}}"#),
            format!(r#"{{"typ":"JWT","alg":"{alg}","kid":"{kid}"}}"#),
            format!(r#"{{"typ":"application/at+jwt","alg":"{alg}","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#),
            format!(r#"{{"typ":"at+jwt","alg":"{alg}"}}"#),
            format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}x"}}"#),
            format!(
                r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}","jku":"https://evil.example"}}"#
            ),
            format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}","crit":["b64"],"b64":false}}"#),
        ] {
            let token = signed_by(private, &header, payload);
            assert_eq!(
                tokens.verified(&token, NOW),
                Err(TokenError::Header),
                "{header}"
            );
        }
        let unsigned = format!("{}.{payload}.", segments(&token)[0]);
        assert_eq!(tokens.verified(&unsigned, NOW), Err(TokenError::Signature));
    }
}

/// The public key as a shared secret: what RFC 8725 section 2.1 warns of.
#[test]
fn the_public_key_is_no_secret_of_hs256() {
    for (_, private, public) in KEYS {
        let tokens = signing(private);
        let token = token(&tokens);
        let [ours, payload, _] = segments(&token);
        let kid = decoded(ours)["kid"].as_str().unwrap().to_owned();
        let hs256 = format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{kid}"}}"#);
        let hs256 = URL_SAFE_NO_PAD.encode(hs256);
        let secret = SecretKey::from_bytes(public).unwrap();
        for header in [ours, &hs256] {
            let signed = format!("{header}.{payload}");
            let tag = secret.mac("access token").tag(signed.as_bytes());
            let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert!(tokens.verified(&forged, NOW).is_err());
        }
    }
}

#[test]
fn a_signature_of_another_length_padded_or_with_stray_bits_is_refused() {
    for (alg, private, _) in KEYS {
        let tokens = signing(private);
        let token = token(&tokens);
        let (text, signature) = token.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let refused = |signature: &str| {
            let verified = tokens.verified(&format!("{text}.{signature}"), NOW);
            assert_eq!(verified, Err(TokenError::Signature), "{alg} {signature}");
        };
        refused(&URL_SAFE_NO_PAD.encode(&bytes[1..]));
        refused(&URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat()));
        refused(&URL_SAFE_NO_PAD.encode([&[0], &bytes[..]].concat()));
        refused(&URL_SAFE_NO_PAD.encode(vec![0; bytes.len()]));
        refused(&format!("{signature}=="));
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = signature.chars().last().unwrap();
        let (at, start) = (
            alphabet.find(last).unwrap(),
            &signature[..signature.len() - 1],
        );
        assert_eq!(at % 16, 0, "64 and 256 bytes leave four bits");
        (1..16)
            .for_each(|stray| refused(&format!("{start}{}", &alphabet[at + stray..=at + stray])));
    }
}

#[test]
fn a_signature_of_one_key_counts_under_its_own_header_alone() {
    let all = with(&keys(Some(ES256), &[EDDSA, RS256]));
    for (alg, private, _) in KEYS {
        let own = token(&signing(private));
        assert!(all.verified(&own, NOW).is_ok(), "{alg}");
        for (other, theirs, _) in KEYS.into_iter().filter(|(other, ..)| *other != alg) {
            let header = token(&signing(theirs));
            let [header, ..] = segments(&header);
            let [_, payload, signature] = segments(&own);
            let swapped = format!("{header}.{payload}.{signature}");
            let verified = all.verified(&swapped, NOW);
            assert_eq!(verified, Err(TokenError::Signature), "{alg} as {other}");
            // Signed over that header, by the wrong key.
            let mut resigned = format!("{header}.{payload}");
            Signer::asymmetric(key(private))
                .sign(&mut resigned)
                .unwrap();
            assert_eq!(all.verified(&resigned, NOW), Err(TokenError::Signature));
        }
    }
}

#[test]
fn one_key_signs_and_the_published_ones_verify_only() {
    let alg = |tokens: &AccessTokens| decoded(segments(&token(tokens))[0])["alg"].clone();
    assert_eq!(alg(&with(&keys(Some(EDDSA), &[ES256, RS256]))), "EdDSA");
    assert_eq!(alg(&with(&keys(None, &[ES256]))), "HS256");
    let published = Signer::asymmetric(key(ES256_PUBLIC));
    let mut unsigned = "e30.e30".to_owned();
    assert_eq!(published.sign(&mut unsigned), Err(KeyError::Signing));
    assert_eq!(unsigned, "e30.e30");
}

#[test]
fn tokens_of_the_secret_are_good_beside_a_key_until_that_is_turned_off() {
    let (before, after) = (tokens(), signing(ES256));
    let (old, new) = (token(&before), token(&after));
    assert!(after.verified(&old, NOW).is_ok());
    assert_eq!(before.verified(&new, NOW), Err(TokenError::Header));
    let off = TokenKeys {
        accepts_hs256: false,
        ..keys(Some(ES256), &[])
    };
    assert_eq!(with(&off).verified(&old, NOW), Err(TokenError::Header));
    assert!(with(&off).verified(&new, NOW).is_ok());
}

#[test]
fn another_issuer_and_the_end_count_as_they_do_with_the_secret() {
    for (_, private, _) in KEYS {
        let keys = keys(Some(private), &[]);
        let other = AccessTokens::new("https://mcp.example", &Rotating::new(mac(1), []), &keys);
        let tokens = with(&keys);
        assert_eq!(
            tokens.verified(&token(&other), NOW),
            Err(TokenError::Issuer)
        );
        let own = token(&tokens);
        assert_eq!(
            tokens.verified(&own, claims().exp),
            Err(TokenError::Expired)
        );
        let early = NOW - 61 * SECOND;
        assert_eq!(tokens.verified(&own, early), Err(TokenError::NotYet));
    }
}

#[test]
fn a_longer_signature_leaves_less_room_for_passed_claims() {
    let extra: Map<_, _> = (0..400)
        .map(|n| (format!("claim{n}"), json!("x".repeat(20))))
        .collect();
    let issued = |tokens: AccessTokens| tokens.issue(&claims(), &extra).unwrap().len();
    let (by_secret, by_rsa) = (issued(tokens()), issued(signing(RS256)));
    assert!(by_secret.abs_diff(by_rsa) < 100, "{by_secret} {by_rsa}");
}

#[test]
fn a_name_with_a_quote_would_not_break_the_header() {
    let key = TokenKey::from_pem(EDDSA).unwrap().id("a\"b\\");
    assert!(key.check().is_ok());
    let header = Signer::asymmetric(Arc::new(key)).header;
    assert_eq!(decoded(&header)["kid"], "a\"b\\");
}

#[test]
fn nothing_prints_a_key() {
    let secret = |pem: &str| pem.lines().nth(1).unwrap().to_owned();
    let keys = keys(Some(EDDSA), &[ES256]);
    let printed = format!("{:?} {:?} {:?}", key(EDDSA), key(RS256), with(&keys));
    for (_, private, _) in KEYS {
        assert!(!printed.contains(&secret(private)), "{printed}");
    }
    assert!(!printed.contains("pair"), "{printed}");
}

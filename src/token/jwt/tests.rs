use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::key::SecretKey;

const NOW: Unix = Unix::at(1_800_000_000);
const SECOND: Duration = Duration::from_secs(1);
const ISSUER: &str = "https://mcp.example/api";

fn mac(byte: u8) -> MacKey {
    SecretKey::for_test(byte).mac("access token")
}

fn of_secret(issuer: &str, secret: &Rotating<MacKey>) -> AccessTokens {
    AccessTokens::new(issuer, secret, &TokenKeys::default())
}

fn tokens() -> AccessTokens {
    of_secret(ISSUER, &Rotating::new(mac(1), []))
}

impl AccessTokens {
    fn verified(&self, token: &str, now: Unix) -> Result<AccessClaims<'static>, TokenError> {
        self.verify(token, now, |claims| {
            let own = |text: &str| Cow::Owned(text.to_owned());
            AccessClaims {
                sub: own(&claims.sub),
                aud: own(&claims.aud),
                client_id: own(&claims.client_id),
                scope: own(&claims.scope),
                jti: own(&claims.jti),
                gid: own(&claims.gid),
                ..*claims
            }
        })
    }
}

fn claims() -> AccessClaims<'static> {
    AccessClaims {
        sub: "person \"1\"\n".into(),
        aud: "https://mcp.example/api/mcp".into(),
        client_id: "client".into(),
        scope: "read write".into(),
        iat: NOW,
        exp: NOW + Duration::from_secs(3_600),
        jti: "id".into(),
        gid: "grant".into(),
    }
}

fn issued() -> String {
    tokens().issue(&claims(), &Map::new()).unwrap()
}

fn segments(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn decoded(segment: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// A token of any header and payload, with a right signature.
fn signed(header: &str, payload: &Value) -> String {
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload.to_string()));
    let tag = mac(1).tag(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn signed_by_us(payload: &Value) -> String {
    signed(segments(&issued())[0], payload)
}

fn map(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_token_of_ours_verifies_and_says_what_was_put_in() {
    assert_eq!(tokens().verified(&issued(), NOW).unwrap(), claims());
    let without_scope = AccessClaims {
        scope: "".into(),
        ..claims()
    };
    let token = tokens().issue(&without_scope, &Map::new()).unwrap();
    assert_eq!(tokens().verified(&token, NOW).unwrap(), without_scope);
}

#[test]
fn the_wire_form_is_that_of_rfc_9068() {
    let token = issued();
    let [header, payload, _] = segments(&token);
    let header = decoded(header);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "HS256");
    let kid = header["kid"].as_str().unwrap();
    assert!(
        kid.len() == 8 && kid.chars().all(|c| c.is_ascii_hexdigit()),
        "{kid}"
    );
    assert_eq!(header.as_object().unwrap().len(), 3);
    assert_eq!(
        decoded(payload),
        json!({
            "iss": ISSUER, "sub": "person \"1\"\n", "aud": "https://mcp.example/api/mcp",
            "client_id": "client", "scope": "read write", "iat": NOW, "exp": NOW.secs() + 3600,
            "jti": "id", "gid": "grant"
        })
    );
}

/// Pins the key derivation too. **Never change this**: clients hold such tokens.
#[test]
fn a_token_is_written_as_it_always_was() {
    // Made with the HMAC of Python's standard library.
    let token = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEwNjA0OTgzIn0.eyJpc3MiOiJodHRw\
         czovL21jcC5leGFtcGxlL2FwaSIsInN1YiI6InBlcnNvbiBcIjFcIlxuIiwiYXVkIjoiaHR0cHM6Ly9t\
         Y3AuZXhhbXBsZS9hcGkvbWNwIiwiY2xpZW50X2lkIjoiY2xpZW50Iiwic2NvcGUiOiJyZWFkIHdyaXRl\
         IiwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDAsImp0aSI6ImlkIiwiZ2lkIjoiZ3JhbnQi\
         LCJyb2xlIjoiYWRtaW4ifQ.f4h3qDTrsO9n23Mu_yGLgSjnFrEb5z9Go7yuDY10Zok";
    let issued = tokens()
        .issue(&claims(), &map(json!({"role": "admin"})))
        .unwrap();
    assert_eq!(issued, token);
}

/// Another order of members, and spaces: what counts is what the claims say.
#[test]
fn a_token_that_another_implementation_made_with_our_secret_verifies() {
    let token = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEwNjA0OTgzIn0.eyJpc3MiOiAiaHR0\
         cHM6Ly9tY3AuZXhhbXBsZS9hcGkiLCAic3ViIjogInBlcnNvbiBcIjFcIlxuIiwgImF1ZCI6ICJodHRw\
         czovL21jcC5leGFtcGxlL2FwaS9tY3AiLCAiY2xpZW50X2lkIjogImNsaWVudCIsICJzY29wZSI6ICJy\
         ZWFkIHdyaXRlIiwgImlhdCI6IDE4MDAwMDAwMDAsICJleHAiOiAxODAwMDAzNjAwLCAianRpIjogImlk\
         IiwgImdpZCI6ICJncmFudCIsICJyb2xlIjogImFkbWluIn0.Xn63fEh2DongL43REnXkxGEZnnoTe20Z\
         Y5VDd9Rn_g8";
    let verified = tokens().verified(token, NOW);
    assert_eq!(verified.unwrap(), claims());
}

#[test]
fn every_mutation_of_a_single_character_is_refused() {
    let (tokens, token) = (tokens(), issued());
    let alphabet: Vec<char> =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \u{e9}\0"
            .chars()
            .collect();
    for (at, old) in token.char_indices() {
        let (before, after) = (&token[..at], &token[at + 1..]);
        assert!(tokens.verified(&format!("{before}{after}"), NOW).is_err());
        for new in alphabet.iter().filter(|new| **new != old) {
            let mutated = format!("{before}{new}{after}");
            assert!(tokens.verified(&mutated, NOW).is_err(), "{new:?} at {at}");
        }
    }
    for end in 0..token.len() {
        assert!(tokens.verified(&token[..end], NOW).is_err());
    }
    for more in ["=", ".", "A", " ", "\n", ".A"] {
        assert!(tokens.verified(&format!("{token}{more}"), NOW).is_err());
        assert!(tokens.verified(&format!("{more}{token}"), NOW).is_err());
    }
}

#[test]
fn alg_none_and_every_other_header_is_refused_even_with_a_right_signature() {
    let token = issued();
    let [ours, payload, signature] = segments(&token);
    let kid = decoded(ours)["kid"].as_str().unwrap().to_owned();
    for header in [
        json!({"alg": "none"}).to_string(),
        json!({"typ": "at+jwt", "alg": "none", "kid": kid}).to_string(),
        format!(r#"{{"typ":"at+jwt","alg":"nOnE","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt","alg":"RS256","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt","alg":"HS512","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt", "alg":"HS256","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{kid}","jku":"https://evil.example"}}"#),
        format!(r#"{{"typ":"at+jwt","alg":"HS256","kid":"{kid}","crit":["b64"],"b64":false}}"#),
        r#"{"typ":"at+jwt","alg":"HS256","kid":"00000000"}"#.into(),
        r#"{"typ":"at+jwt","alg":"HS256"}"#.into(),
        String::new(),
    ] {
        let encoded = URL_SAFE_NO_PAD.encode(&header);
        let resigned = signed(&encoded, &decoded(payload));
        for token in [
            resigned,
            format!("{encoded}.{payload}.{signature}"),
            format!("{encoded}.{payload}."),
        ] {
            assert_eq!(
                tokens().verified(&token, NOW),
                Err(TokenError::Header),
                "{header}"
            );
        }
    }
    let unsigned = format!("{ours}.{payload}.");
    assert_eq!(
        tokens().verified(&unsigned, NOW),
        Err(TokenError::Signature)
    );
}

#[test]
fn a_signature_that_is_cut_short_or_not_canonical_is_refused() {
    let token = issued();
    let (text, signature) = token.rsplit_once('.').unwrap();
    let tag = mac(1).tag(text.as_bytes());
    for length in 0..32 {
        let short = format!("{text}.{}", URL_SAFE_NO_PAD.encode(&tag[..length]));
        assert_eq!(tokens().verified(&short, NOW), Err(TokenError::Signature));
    }
    // 43 characters hold 258 bits: the last two must be zero, or four signatures mean the same.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).unwrap();
    assert_eq!(index % 4, 0);
    for stray in 1..4 {
        let other = &alphabet[index + stray..=index + stray];
        let token = format!("{text}.{}{other}", &signature[..42]);
        assert_eq!(tokens().verified(&token, NOW), Err(TokenError::Signature));
    }
    for padded in ["=", "=="] {
        let token = format!("{token}{padded}");
        assert_eq!(tokens().verified(&token, NOW), Err(TokenError::Signature));
    }
}

#[test]
fn another_key_is_refused_and_a_replaced_one_still_verifies() {
    let old = tokens();
    let rotated = of_secret(ISSUER, &Rotating::new(mac(2), [mac(1)]));
    let foreign = of_secret(ISSUER, &Rotating::new(mac(3), []));
    let (by_old, by_new) = (issued(), rotated.issue(&claims(), &Map::new()).unwrap());
    assert!(rotated.verified(&by_old, NOW).is_ok());
    assert!(rotated.verified(&by_new, NOW).is_ok());
    assert_eq!(old.verified(&by_new, NOW), Err(TokenError::Header));
    assert_eq!(foreign.verified(&by_old, NOW), Err(TokenError::Header));
    // A header of the one key over a signature by the other.
    let [_, payload, signature] = segments(&by_old);
    let swapped = format!("{}.{payload}.{signature}", segments(&by_new)[0]);
    assert_eq!(rotated.verified(&swapped, NOW), Err(TokenError::Signature));
}

#[test]
fn another_issuer_s_token_is_refused_though_the_key_is_shared() {
    for other in [
        "https://mcp.example",
        "https://mcp.example/api/",
        "https://MCP.example/api",
        "",
    ] {
        let other = of_secret(other, &Rotating::new(mac(1), []));
        let token = other.issue(&claims(), &Map::new()).unwrap();
        assert_eq!(tokens().verified(&token, NOW), Err(TokenError::Issuer));
    }
}

#[test]
fn a_token_is_dead_at_the_very_second_of_its_expiry() {
    let exp = claims().exp;
    assert!(tokens().verified(&issued(), exp - SECOND).is_ok());
    for now in [exp, exp + SECOND, Unix::NEVER] {
        assert_eq!(tokens().verified(&issued(), now), Err(TokenError::Expired));
    }
}

#[test]
fn a_token_from_the_future_is_refused_beyond_a_minute() {
    assert!(tokens().verified(&issued(), NOW - 60 * SECOND).is_ok());
    for now in [NOW - 61 * SECOND, Unix::EPOCH] {
        assert_eq!(tokens().verified(&issued(), now), Err(TokenError::NotYet));
    }
}

#[test]
fn passed_claims_are_at_the_top_and_never_override() {
    let extra = map(json!({
        "iss": "https://evil.example", "sub": "root", "aud": "*", "exp": u64::MAX, "SCOPE": "admin",
        "scope": "admin", "client_id": "evil", "gid": "theirs", "jti": "0", "iat": 0, "nbf": 0,
        "cnf": {}, "role": "admin", "groups": ["a"]
    }));
    let token = tokens().issue(&claims(), &extra).unwrap();
    assert_eq!(tokens().verified(&token, NOW).unwrap(), claims());
    let payload = decoded(segments(&token)[1]);
    let payload = payload.as_object().unwrap();
    assert_eq!(payload["role"], "admin");
    assert_eq!(payload["groups"], json!(["a"]));
    assert_eq!(payload.len(), 9 + 2);
    let no_scope = AccessClaims {
        scope: "".into(),
        ..claims()
    };
    let token = tokens().issue(&no_scope, &extra).unwrap();
    assert_eq!(tokens().verified(&token, NOW).unwrap().scope, "");
}

#[test]
fn passed_claims_that_make_a_token_too_long_are_left_out() {
    let extra: Map<_, _> = (0..40)
        .map(|n| (format!("claim{n}"), json!("\n".repeat(200))))
        .collect();
    let token = tokens().issue(&claims(), &extra).unwrap();
    assert!(token.len() < 8 * 1024 - 512, "{}", token.len());
    assert!(token.len() > 6 * 1024, "{}", token.len());
    assert!(tokens().verified(&token, NOW).is_ok());
    // Even where nothing can be left out, what was issued verifies.
    let large = AccessClaims {
        aud: "a".repeat(2048).into(),
        client_id: "c".repeat(1600).into(),
        scope: "s".repeat(4096).into(),
        ..claims()
    };
    let token = tokens().issue(&large, &extra).unwrap();
    assert_eq!(tokens().verified(&token, NOW).unwrap(), large);
}

#[test]
fn a_payload_that_lacks_or_mistypes_a_claim_is_malformed() {
    let token = issued();
    let good = decoded(segments(&token)[1]);
    assert!(tokens().verified(&signed_by_us(&good), NOW).is_ok());
    for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "gid"] {
        for bad in [None, Some(json!(null)), Some(json!(["x"])), Some(json!(-1))] {
            let mut payload = good.clone();
            match bad {
                // A machine's token belongs to no grant.
                None if name == "gid" => continue,
                None => drop(payload.as_object_mut().unwrap().remove(name)),
                Some(bad) => payload[name] = bad,
            }
            let token = signed_by_us(&payload);
            assert_eq!(
                tokens().verified(&token, NOW),
                Err(TokenError::Malformed),
                "{name}"
            );
        }
    }
    for payload in [json!([]), json!("x"), json!(null)] {
        let token = signed_by_us(&payload);
        assert_eq!(tokens().verified(&token, NOW), Err(TokenError::Malformed));
    }
}

#[test]
fn what_has_not_three_segments_or_is_too_long_is_malformed() {
    let token = issued();
    let [header, payload, signature] = segments(&token);
    for token in [
        "",
        ".",
        "opaque",
        &format!("{header}.{payload}"),
        &format!("{header}.{payload}.{payload}.{signature}"),
        &format!("{header}..{payload}.{signature}"),
        &format!("{header}.{}.{signature}", "A".repeat(MAX_BEARER)),
    ] {
        let verified = tokens().verified(token, NOW);
        assert_eq!(verified, Err(TokenError::Malformed), "{token:.60}");
    }
}

#[test]
fn debug_output_tells_nothing_about_the_person_or_the_keys() {
    let text = format!(
        "{:?} {:?}",
        tokens(),
        tokens().verified(&issued(), NOW).unwrap()
    );
    assert!(!text.contains("person"), "{text}");
    assert!(!text.contains(segments(&issued())[0]), "{text}");
}

mod keys;

proptest! {
    #[test]
    fn no_text_that_we_did_not_sign_verifies(token in "[A-Za-z0-9_.-]{0,200}", any in ".{0,80}") {
        let header = Signer::hs256(mac(1)).header;
        for text in [&token, &any] {
            prop_assert!(tokens().verified(text, NOW).is_err());
            let behind_our_header = format!("{header}.{text}");
            prop_assert!(tokens().verified(&behind_our_header, NOW).is_err());
        }
    }

    #[test]
    fn whatever_the_claims_hold_they_come_back(
        sub in ".{0,40}", aud in ".{0,40}", client_id in ".{0,40}", scope in ".{0,40}",
        jti in ".{0,20}", gid in ".{0,20}",
    ) {
        let claims = AccessClaims {
            sub: sub.into(), aud: aud.into(), client_id: client_id.into(), scope: scope.into(),
            jti: jti.into(), gid: gid.into(), ..claims()
        };
        let token = tokens().issue(&claims, &Map::new()).unwrap();
        let verified = tokens().verified(&token, NOW).unwrap();
        prop_assert_eq!(&verified, &claims);
    }
}

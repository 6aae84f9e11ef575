//! What the answer to a renewal says of the person (OpenID Connect Core section 12.2), as pure
//! functions.

use serde_json::{Map, Value};

use crate::{
    jose::unverified_claims,
    provider::{IdTokenError, subject_of},
};

/// An ID token that came with a renewal.
#[derive(Debug, PartialEq)]
pub(super) enum RenewedIdToken {
    /// There is none: section 12.2 allows that.
    Absent,
    /// It breaks a rule. It says nothing, and no handler sees it.
    Refused(RenewalFault),
    /// It is the provider's, for us, and about this person.
    Same(Map<String, Value>),
    /// It is the provider's and for us, and about another person.
    AnotherPerson,
}

/// The rule that a renewal's ID token breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RenewalFault {
    /// A rule of every ID token.
    #[error("{0}")]
    IdToken(IdTokenError),
    /// "if it is present, its value MUST be the same as in the ID Token issued at the time of the
    /// original authentication"
    #[error("its `nonce` is another one than at login")]
    Nonce,
    /// "its `iss` Claim Value MUST be the same as in the ID Token issued when the original
    /// authentication occurred"
    #[error("its `iss` is another one than at login")]
    Issuer,
    /// "its `auth_time` Claim MUST represent the time of the original authentication": an earlier
    /// one cannot.
    #[error("its `auth_time` is before the login's")]
    AuthTime,
}

/// Judges the ID token of a renewal of this person's grant, from what the rules of every ID token made of it.
/// `at_login` is the one that the grant holds.
pub(super) fn judge_id_token(
    renewed: Result<Map<String, Value>, IdTokenError>,
    at_login: Option<&str>,
    subject: &str,
) -> RenewedIdToken {
    let claims = match renewed {
        Ok(claims) => claims,
        Err(fault) => return RenewedIdToken::Refused(RenewalFault::IdToken(fault)),
    };
    // "its `sub` Claim Value MUST be the same as in the ID Token issued when the original
    // authentication occurred"
    if subject_of(&claims) != Some(subject) {
        return RenewedIdToken::AnotherPerson;
    }
    let before = at_login.and_then(unverified_claims).unwrap_or_default();
    match fault_beside(&claims, &before) {
        Some(fault) => RenewedIdToken::Refused(fault),
        None => RenewedIdToken::Same(claims),
    }
}

fn fault_beside(claims: &Map<String, Value>, before: &Map<String, Value>) -> Option<RenewalFault> {
    let differs = |name: &str| match (claims.get(name), before.get(name)) {
        (Some(now), Some(then)) => now != then,
        _ => false,
    };
    let earlier = |name: &str| match (claims.get(name), before.get(name)) {
        (Some(now), Some(then)) => now.as_f64() < then.as_f64(),
        _ => false,
    };
    if differs("iss") {
        Some(RenewalFault::Issuer)
    } else if differs("nonce") {
        Some(RenewalFault::Nonce)
    } else if earlier("auth_time") {
        Some(RenewalFault::AuthTime)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;
    use crate::{
        provider::{Expected, check_id_token, generic},
        time::Unix,
    };

    const AT_LOGIN: &str = r#"{"iss":"https://idp.example","aud":"app","sub":"ada","iat":100,"exp":200,
        "nonce":"of-login","auth_time":90}"#;

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims))
    }

    /// Judges a token like the login's with these changes, at second 1,000.
    fn judged(changes: Value, at_login: Option<&str>) -> RenewedIdToken {
        let mut claims = json!({"iss": "https://idp.example", "aud": "app", "sub": "ada",
            "iat": 1_000, "exp": 2_000});
        if let (Value::Object(claims), Value::Object(changes)) = (&mut claims, changes) {
            claims.extend(changes);
            claims.retain(|_, value| !value.is_null());
        }
        let expected = Expected {
            provider: &generic("https://idp.example/a", "https://idp.example/t", "app", "s"),
            keys: None,
            nonce: None,
            now: Unix::at(1_000),
        };
        let renewed = jwt(&claims.to_string());
        let at_login = at_login.map(jwt);
        judge_id_token(
            check_id_token(&renewed, &expected),
            at_login.as_deref(),
            "ada",
        )
    }

    #[test]
    fn a_renewed_id_token_about_the_same_person_replaces_the_claims() {
        for changes in [
            json!({"roles": ["reader"]}),
            json!({"nonce": "of-login"}),
            json!({"auth_time": 90}),
            json!({"auth_time": 95}),
        ] {
            let RenewedIdToken::Same(claims) = judged(changes.clone(), Some(AT_LOGIN)) else {
                panic!("{changes}");
            };
            assert_eq!(claims["sub"], "ada");
            assert!(matches!(judged(changes, None), RenewedIdToken::Same(_)));
        }
    }

    #[test]
    fn a_valid_id_token_about_another_person_is_told_from_one_that_is_not_ours() {
        let else_ = judged(json!({"sub": "eve"}), Some(AT_LOGIN));
        assert_eq!(else_, RenewedIdToken::AnotherPerson);
        for changes in [
            json!({"sub": "eve", "aud": "another-app"}),
            json!({"sub": "eve", "exp": 1}),
        ] {
            let refused = judged(changes.clone(), Some(AT_LOGIN));
            assert!(matches!(refused, RenewedIdToken::Refused(_)), "{changes}");
        }
    }

    #[test]
    fn an_id_token_that_breaks_a_rule_says_nothing() {
        use IdTokenError as E;
        for (changes, fault) in [
            (
                json!({"aud": "another-app"}),
                RenewalFault::IdToken(E::Audience),
            ),
            (json!({"exp": 1}), RenewalFault::IdToken(E::Expired)),
            (json!({"iat": null}), RenewalFault::IdToken(E::NotYet)),
            (json!({"sub": null}), RenewalFault::IdToken(E::Subject)),
            (json!({"iss": "https://evil.example"}), RenewalFault::Issuer),
            (json!({"nonce": "another"}), RenewalFault::Nonce),
            (json!({"auth_time": 80}), RenewalFault::AuthTime),
        ] {
            let refused = judged(changes.clone(), Some(AT_LOGIN));
            assert_eq!(refused, RenewedIdToken::Refused(fault), "{changes}");
        }
    }
}

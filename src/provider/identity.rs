//! A person, as the provider knows them.

use std::fmt;

use serde_json::{Map, Value};

use super::upstream_error::UpstreamError;
use crate::limits::{MAX_PERSON_CLAIMS, MAX_PERSON_TEXT, MAX_SUBJECT};

/// A person, as the provider knows them.
///
/// Prints the subject only.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Identity {
    /// The provider's own, stable name for the person; `None` when it does not say. GitHub: the
    /// numeric account id.
    pub subject: Option<String>,
    /// The e-mail address, verified or not: see [`Identity::verified_email`].
    pub email: Option<String>,
    /// Whether the provider vouches for the address. Without a word about it: no. (Entra ID says
    /// nothing, and any tenant's administrator can set any address.)
    pub email_verified: bool,
    /// What to call the person.
    pub name: Option<String>,
    /// Everything that the ID token or userinfo said.
    pub claims: Map<String, Value>,
    /// What the provider did not let the person's token ask, in words for the operator.
    pub(crate) untold: Option<String>,
}

impl Identity {
    /// The e-mail address, if the provider vouches for it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// The domain of the verified e-mail address; compare it without regard to case. `None` for an
    /// address with more than one `@`, whose domain is in the eye of the reader.
    #[must_use]
    pub fn email_domain(&self) -> Option<&str> {
        domain_of(self.verified_email()?)
    }

    /// Reads the standard claims (OpenID Connect Core section 5.1).
    pub(crate) fn from_claims(claims: Map<String, Value>) -> Self {
        Self {
            subject: subject(&claims).map(str::to_owned),
            email: short_text(&claims, "email"),
            email_verified: is_true(claims.get("email_verified")),
            name: short_text(&claims, "name"),
            claims,
            untold: None,
        }
    }

    /// The same, of claims that the provider answered with just now and that nothing has bounded yet.
    pub(crate) fn of_answer(claims: Map<String, Value>) -> Result<Self, UpstreamError> {
        let size = serde_json::to_string(&claims).map_or(usize::MAX, |text| text.len());
        if size > MAX_PERSON_CLAIMS {
            return Err(UpstreamError::Malformed(format!(
                "the person's claims are larger than {MAX_PERSON_CLAIMS} bytes"
            )));
        }
        Ok(Self::from_claims(claims))
    }
}

/// `sub`, when it is one: 1 to 255 printable bytes. OpenID Connect Core section 2: "It MUST NOT
/// exceed 255 ASCII [RFC20] characters in length."
pub(crate) fn subject(claims: &Map<String, Value>) -> Option<&str> {
    let sub = claims.get("sub")?.as_str()?;
    is_subject(sub).then_some(sub)
}

pub(crate) fn is_subject(sub: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&sub.len()) && !sub.chars().any(char::is_control)
}

/// The part after the one `@`.
pub(crate) fn domain_of(email: &str) -> Option<&str> {
    let (local, domain) = email.split_once('@')?;
    let clear = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
    clear.then_some(domain)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

pub(super) fn short_text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?;
    let usable =
        !text.is_empty() && text.len() <= MAX_PERSON_TEXT && !text.chars().any(char::is_control);
    usable.then(|| text.to_owned())
}

/// Cognito and others write the boolean as a string.
fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(verified)) => verified == "true",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_address_is_verified_only_when_the_provider_says_so() {
        for (verified, expected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(false), false),
            (json!("false"), false),
            (json!("TRUE"), false),
            (json!(1), false),
            (Value::Null, false),
        ] {
            let person = Identity::from_claims(map(
                json!({"sub": "u", "email": "a@b.example", "email_verified": verified}),
            ));
            assert_eq!(person.email_verified, expected, "{verified}");
            assert_eq!(person.verified_email().is_some(), expected);
            assert_eq!(person.email_domain().is_some(), expected);
        }
        let silent = Identity::from_claims(map(json!({"sub": "u", "email": "a@b.example"})));
        assert_eq!(silent.verified_email(), None);
    }

    #[test]
    fn an_address_with_two_ats_has_no_domain() {
        let domain = |email: &str| {
            let claims = map(json!({"sub": "u", "email": email, "email_verified": true}));
            Identity::from_claims(claims)
                .email_domain()
                .map(str::to_owned)
        };
        assert_eq!(domain("a@b.example").as_deref(), Some("b.example"));
        // evil@evil.example@corp.example (a peer's advisory)
        for odd in [
            "a@evil.example@b.example",
            "\"a@b\"@c.example",
            "@b.example",
            "a@",
            "a",
        ] {
            assert_eq!(domain(odd), None, "{odd}");
        }
    }

    #[test]
    fn claims_have_a_bound() {
        let groups: Vec<String> = (0..2_000).map(|n| format!("group-number-{n}")).collect();
        assert!(Identity::of_answer(map(json!({"sub": "u", "groups": groups}))).is_err());
    }

    #[test]
    fn a_person_prints_as_their_subject_only() {
        let claims = map(json!({"sub": "u1", "email": "a@b.example", "name": "Ann"}));
        let printed = format!("{:?}", Identity::from_claims(claims));
        assert!(printed.contains("u1") && !printed.contains("example") && !printed.contains("Ann"));
    }
}

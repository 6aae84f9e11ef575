//! Whose access token is it? What a token says to another API is not said to us.

use serde_json::{Map, Value};

use crate::jose;

/// The audiences by which the provider names this service: the client id, the configured identifier
/// URI, audience or resource, and those that the operator names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audiences(Vec<String>);

impl Audiences {
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().filter(|name| !name.is_empty()).collect())
    }

    /// The claims of an access token that is a JWT, is for this service (`aud`) and is about this
    /// person (`sub`). `subject` is `None` when nothing but the token names the person.
    ///
    /// Two apps can share one provider: a role of the payroll API is no role here (RFC 9068
    /// section 4: "the resource server MUST validate that the `aud` claim contains a resource
    /// indicator value corresponding to an identifier the resource server expects for itself").
    pub(crate) fn claims_for_us(
        &self,
        access_token: &str,
        subject: Option<&str>,
    ) -> Option<Map<String, Value>> {
        let claims = jose::unverified_claims(access_token)?;
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => self.names(audience),
            Some(Value::Array(audiences)) => audiences
                .iter()
                .filter_map(Value::as_str)
                .any(|audience| self.names(audience)),
            _ => false,
        };
        let is_theirs = subject.is_none_or(|subject| {
            let named = claims.get("sub").and_then(Value::as_str);
            named == Some(subject)
        });
        (is_for_us && is_theirs).then_some(claims)
    }

    /// An identifier URI is configured with or without a slash at its end, and stands in `aud`
    /// either way.
    fn names(&self, audience: &str) -> bool {
        let bare = |name: &'_ str| name.strip_suffix('/').unwrap_or(name).to_owned();
        self.0.iter().any(|own| bare(own) == bare(audience))
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn jwt(claims: &Value) -> String {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("e30.{payload}.c2ln")
    }

    fn ours() -> Audiences {
        Audiences::new(["app".to_owned(), "api://app".to_owned(), String::new()])
    }

    #[test]
    fn a_token_for_us_about_this_person_counts() {
        for aud in [
            json!("app"),
            json!("api://app"),
            json!("api://app/"),
            json!(["other", "app"]),
        ] {
            let token = jwt(&json!({"aud": aud, "sub": "ada", "roles": ["admin"]}));
            let claims = ours().claims_for_us(&token, Some("ada")).unwrap();
            assert_eq!(claims["roles"], json!(["admin"]));
            assert!(ours().claims_for_us(&token, None).is_some());
        }
    }

    #[test]
    fn a_token_for_another_api_about_somebody_else_or_without_either_does_not() {
        for claims in [
            json!({"aud": "api://payroll", "sub": "ada"}),
            json!({"aud": ["api://payroll", 7], "sub": "ada"}),
            json!({"aud": "", "sub": "ada"}),
            json!({"aud": {"app": true}, "sub": "ada"}),
            json!({"sub": "ada"}),
            json!({"aud": "app", "sub": "eve"}),
            json!({"aud": "app", "sub": 7}),
            json!({"aud": "app"}),
        ] {
            let token = jwt(&claims);
            assert!(
                ours().claims_for_us(&token, Some("ada")).is_none(),
                "{claims}"
            );
        }
        assert!(ours().claims_for_us("opaque", Some("ada")).is_none());
    }
}

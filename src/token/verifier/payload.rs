//! Which verified JWT is an access token that a bearer may use here, and what its claims say.

use serde_json::{Map, Value};

use super::{for_us::audiences, token_verifier::VerifiedToken};
use crate::{
    jose::{Jwt, has_type, numeric_date},
    oauth::ScopeSet,
    provider::is_subject,
};

/// What a JWT must be to count as an access token.
#[derive(Debug, Clone, Default)]
pub(super) struct AccessTokenRules {
    /// The one `typ` that is accepted; `None` for those that access tokens have.
    pub(super) token_type: Option<String>,
    /// The claim with the person's id.
    pub(super) subject: Option<String>,
}

/// Why a token that its issuer signed is not one for a bearer here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PayloadError {
    #[error("its `typ` is not that of an access token")]
    Type,
    #[error("it is an ID token, a refresh token or a logout token, no access token")]
    NoAccessToken,
    #[error("it is bound to a key (`cnf`), and a bearer proves none")]
    Bound,
    #[error("its subject is missing, too long, or not printable")]
    Subject,
}

impl AccessTokenRules {
    /// Reads a token whose signature, issuer, audience and time were found good.
    pub(super) fn read(&self, jwt: Jwt) -> Result<VerifiedToken, PayloadError> {
        self.check_type(&jwt.header)?;
        check_use(&jwt.claims)?;
        let claims = jwt.claims;
        let subject = subject(&claims, self.subject.as_deref());
        let mut verified = VerifiedToken::new(subject.ok_or(PayloadError::Subject)?);
        verified.client_id = client_id(&claims);
        verified.audiences = audiences(&claims);
        verified.scopes = scopes(&claims);
        verified.expires_at = numeric_date(&claims, "exp").map(Into::into);
        verified.claims = claims;
        Ok(verified)
    }

    /// RFC 8725 section 3.11: "explicit typing" keeps tokens of one kind from being taken for another. RFC 9068
    /// section 4: "The resource server MUST verify that the "typ" header value is "at+jwt" or
    /// "application/at+jwt" and reject tokens carrying any other value." Most providers do not follow that RFC
    /// and write `JWT` or nothing, which is accepted unless the operator names a type.
    fn check_type(&self, header: &Map<String, Value>) -> Result<(), PayloadError> {
        let good = match &self.token_type {
            Some(token_type) => has_type(header, token_type),
            None => {
                !header.contains_key("typ")
                    || ["at+jwt", "JWT"].iter().any(|typ| has_type(header, typ))
            }
        };
        match good {
            true => Ok(()),
            false => Err(PayloadError::Type),
        }
    }
}

/// What some issuers write into other kinds of token, in the claims instead of the header.
const OTHER_USES: [(&str, &[&str]); 2] = [
    ("typ", &["ID", "Refresh", "Offline", "Logout"]),
    ("token_use", &["id", "refresh", "id_token", "refresh_token"]),
];

/// An ID token says who logged in, to the app that asked; it lies in browsers and logs. `at_hash` and `c_hash`
/// (OpenID Connect Core section 3.3.2.11) and `events` (Back-Channel Logout section 2.4) stand in no access
/// token; `nonce` does with some issuers, but then beside a scope.
///
/// RFC 9449 section 7.2: "such a protected resource MUST reject a DPoP-bound access token received as a bearer
/// token". The same goes for a certificate (RFC 8705 section 3).
pub(super) fn check_use(claims: &Map<String, Value>) -> Result<(), PayloadError> {
    let has = |name: &&str| claims.contains_key(*name);
    let is_used = |(name, uses): &(&str, &[&str])| {
        let said = claims.get(*name).and_then(Value::as_str);
        said.is_some_and(|said| uses.contains(&said))
    };
    let is_nonce_of_a_login = has(&"nonce") && !["scope", "scp"].iter().any(has);
    let is_other = ["at_hash", "c_hash", "events"].iter().any(has)
        || OTHER_USES.iter().any(is_used)
        || is_nonce_of_a_login;
    match (is_other, has(&"cnf")) {
        (true, _) => Err(PayloadError::NoAccessToken),
        (false, true) => Err(PayloadError::Bound),
        (false, false) => Ok(()),
    }
}

/// The person's id: in this claim, or in `sub`.
pub(super) fn subject<'a>(claims: &'a Map<String, Value>, claim: Option<&str>) -> Option<&'a str> {
    let subject = claims.get(claim.unwrap_or("sub"))?.as_str()?;
    is_subject(subject).then_some(subject)
}

/// By whichever name the issuer has for it. RFC 9068 section 2.2 has `client_id`.
pub(super) fn client_id(claims: &Map<String, Value>) -> Option<String> {
    let mut names = CLIENT_CLAIMS.iter();
    let id = names.find_map(|name| claims.get(*name)?.as_str());
    id.map(str::to_owned)
}

/// The claims that say to which app a token was issued.
pub(super) const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// `scope` (RFC 9068 section 2.2.3) or `scp`, each a list with spaces between or an array. What cannot be a
/// scope is left out, and so is what comes after the most that a set may hold: a scope too few is no right too
/// many.
pub(super) fn scopes(claims: &Map<String, Value>) -> ScopeSet {
    let said = ["scope", "scp"].iter().filter_map(|name| claims.get(*name));
    ScopeSet::of_what_fits(said.flat_map(|value| {
        let list = value.as_array().map_or(&[][..], Vec::as_slice);
        let words = value.as_str().unwrap_or_default().split(' ');
        words.chain(list.iter().filter_map(Value::as_str))
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::limits::MAX_SCOPES;

    fn read(
        rules: &AccessTokenRules,
        header: Value,
        claims: Value,
    ) -> Result<VerifiedToken, PayloadError> {
        let object = |value: Value| value.as_object().unwrap().clone();
        let (header, claims) = (object(header), object(claims));
        rules.read(Jwt { header, claims })
    }

    fn good(claims: Value) -> Result<VerifiedToken, PayloadError> {
        read(&AccessTokenRules::default(), json!({}), claims)
    }

    #[test]
    fn scopes_come_by_either_name_as_a_list_or_an_array() {
        for (claims, scopes) in [
            (json!({"sub": "a", "scope": "read write"}), "read write"),
            (json!({"sub": "a", "scp": "read write"}), "read write"),
            (
                json!({"sub": "a", "scp": ["read", "write", "read"]}),
                "read write",
            ),
            (
                json!({"sub": "a", "scope": ["read"], "scp": "write"}),
                "read write",
            ),
            (json!({"sub": "a", "scope": "read no\"scope "}), "read"),
            (
                json!({"sub": "a", "scope": ["two words", 7, null, "read"]}),
                "read",
            ),
            (json!({"sub": "a", "scope": {"read": true}}), ""),
            (json!({"sub": "a"}), ""),
        ] {
            let found = good(claims.clone()).unwrap().scopes.to_string();
            assert_eq!(found, scopes, "{claims}");
        }
        let many: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        let found = good(json!({"sub": "a", "scope": many})).unwrap();
        assert_eq!(found.scopes.len(), MAX_SCOPES);
    }

    #[test]
    fn the_app_is_named_in_this_order() {
        let mut claims =
            json!({"sub": "a", "client_id": "1", "azp": "2", "cid": "3", "appid": "4"});
        for (name, id) in CLIENT_CLAIMS.iter().zip(["1", "2", "3", "4"]) {
            assert_eq!(good(claims.clone()).unwrap().client_id.as_deref(), Some(id));
            claims.as_object_mut().unwrap().remove(*name);
        }
        assert_eq!(good(claims).unwrap().client_id, None);
        // What is no text names none.
        let odd = json!({"sub": "a", "client_id": 7, "azp": "2"});
        assert_eq!(good(odd).unwrap().client_id.as_deref(), Some("2"));
    }

    #[test]
    fn another_use_is_found_whatever_else_the_claims_say() {
        for claims in [
            json!({"sub": "a", "scope": "read", "at_hash": "x"}),
            json!({"sub": "a", "scope": "read", "nonce": "n", "token_use": "id"}),
            json!({"sub": "a", "scope": "read", "typ": "Offline"}),
            json!({"sub": "a", "cnf": {}, "events": {}}),
        ] {
            assert_eq!(
                good(claims.clone()).unwrap_err(),
                PayloadError::NoAccessToken,
                "{claims}"
            );
        }
        let bound = json!({"sub": "a", "cnf": {"x5t#S256": "x"}});
        assert_eq!(good(bound).unwrap_err(), PayloadError::Bound);
    }

    proptest! {
        #[test]
        fn no_claim_panics(
            text in any::<String>(),
            number in any::<f64>(),
            name in "sub|scope|scp|client_id|azp|exp|typ|token_use|cnf|nonce",
            typ in any::<String>(),
        ) {
            for value in [json!(text), json!(number), json!([text, number]), json!({ &text: number })] {
                let mut claims = json!({"sub": "a"});
                claims[&name] = value;
                let read = read(&AccessTokenRules::default(), json!({"typ": typ}), claims);
                if let Ok(verified) = read {
                    prop_assert!(!verified.subject.is_empty());
                }
            }
        }
    }
}

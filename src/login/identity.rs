//! Who logged in: from the ID token, from userinfo, or from GitHub's API.

use std::fmt;

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::id_token::{self, Expected, IdTokenError};
use crate::{
    error::UpstreamError,
    provider::Who,
    upstream::{TokenAnswer, UpstreamClient},
};

/// The most that a person's claims may take, in bytes of JSON: they are stored with the grant.
const MAX_CLAIMS_BYTES: usize = 32 * 1024;
/// The longest e-mail address (RFC 5321 section 4.5.3.1) and display name, in bytes.
const MAX_TEXT_BYTES: usize = 320;

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
}

impl Identity {
    /// The e-mail address, if the provider vouches for it.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// The domain of the verified e-mail address; compare it without regard to case. `None` for an
    /// address with more than one `@`, whose domain is in the eye of the reader.
    pub fn email_domain(&self) -> Option<&str> {
        let (local, domain) = self.verified_email()?.split_once('@')?;
        let clear = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        clear.then_some(domain)
    }

    /// Reads the standard claims (OpenID Connect Core section 5.1).
    fn from_claims(claims: Map<String, Value>) -> Self {
        Self {
            subject: id_token::subject(&claims).map(str::to_owned),
            email: short_text(&claims, "email"),
            email_verified: is_true(claims.get("email_verified")),
            name: short_text(&claims, "name"),
            claims,
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Why it is not known who logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("the ID token is refused: {0}")]
    IdToken(#[from] IdTokenError),
    #[error("userinfo is about another person than the ID token")]
    SubjectMismatch,
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
}

impl UpstreamClient {
    /// Who the token answer is about. The ID token's claims are checked; without an ID token the
    /// userinfo endpoint is asked, where there is one. Without either, the `sub` of an access token
    /// that is a JWT is all that is known: it came straight from the provider.
    pub(crate) async fn identity(
        &self,
        answer: &TokenAnswer,
        nonce: Option<&str>,
        now: u64,
    ) -> Result<Identity, IdentityError> {
        let provider = self.provider();
        let access_token = answer.access_token.expose_secret();
        let known = match &answer.id_token {
            None => None,
            Some(token) => {
                let expected = Expected {
                    issuer: &provider.issuer,
                    client_id: &provider.client_id,
                    nonce,
                    now,
                };
                Some(id_token::check(token.expose_secret(), &expected)?)
            }
        };
        let claims = match (&provider.userinfo_url, known) {
            (Some(url), None) if provider.who == Who::GitHub => {
                return self.github_identity(url, access_token).await;
            }
            (Some(url), None) => userinfo_alone(self.get_object(url, access_token).await?)?,
            (Some(url), Some(known)) if provider.always_userinfo => {
                merge(known, self.get_object(url, access_token).await?)?
            }
            (_, Some(known)) => known,
            (None, None) => return Ok(from_access_token(access_token)),
        };
        Ok(Identity::from_claims(bounded(claims)?))
    }

    /// `GET /user` and `GET /user/emails`. The second needs the scope `user:email`; without it the
    /// address is unknown.
    async fn github_identity(
        &self,
        url: &str,
        access_token: &str,
    ) -> Result<Identity, IdentityError> {
        let user = self.get_object(url, access_token).await?;
        let emails = match self.get_json(&format!("{url}/emails"), access_token).await {
            Ok(emails) => emails,
            Err(UpstreamError::Failed {
                status: 401 | 403 | 404,
            }) => Value::Null,
            Err(error) => return Err(error.into()),
        };
        Ok(github_person(&user, &emails)?)
    }
}

/// What is kept of GitHub's user document: it has thirty members, mostly URLs of its API.
const GITHUB_CLAIMS: &[&str] = &[
    "id",
    "login",
    "name",
    "avatar_url",
    "html_url",
    "company",
    "location",
];

fn github_person(user: &Map<String, Value>, emails: &Value) -> Result<Identity, UpstreamError> {
    // The login name can be given up and taken by another person: the number cannot.
    let id = user.get("id").and_then(Value::as_u64).ok_or_else(|| {
        UpstreamError::Malformed("GitHub's user document has no numeric `id`".to_owned())
    })?;
    let primary = emails.as_array().into_iter().flatten().find_map(|entry| {
        let flag = |name| entry.get(name) == Some(&Value::Bool(true));
        let address = entry.get("email")?.as_str()?;
        (flag("primary") && flag("verified") && address.len() <= MAX_TEXT_BYTES).then_some(address)
    });
    let mut claims: Map<String, Value> = GITHUB_CLAIMS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), user.get(*name)?.clone())))
        .collect();
    claims.insert("sub".to_owned(), id.to_string().into());
    if let Some(email) = primary {
        claims.insert("email".to_owned(), email.into());
        claims.insert("email_verified".to_owned(), true.into());
    }
    let mut person = Identity::from_claims(bounded(claims)?);
    person.name = person.name.or_else(|| short_text(user, "login"));
    Ok(person)
}

/// Userinfo without an ID token. `sub` is required of an OpenID provider; others call it `id`, as a
/// string or a number.
fn userinfo_alone(mut userinfo: Map<String, Value>) -> Result<Map<String, Value>, UpstreamError> {
    if !userinfo.contains_key("sub") {
        let id = match userinfo.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        if let Some(id) = id {
            userinfo.insert("sub".to_owned(), id.into());
        }
    }
    match id_token::subject(&userinfo) {
        Some(_) => Ok(userinfo),
        None => Err(UpstreamError::Malformed(
            "userinfo has no usable `sub`".to_owned(),
        )),
    }
}

/// OpenID Connect Core section 5.3.2: userinfo that is about somebody else must not be used. What
/// the ID token says stands.
fn merge(
    mut id_token: Map<String, Value>,
    userinfo: Map<String, Value>,
) -> Result<Map<String, Value>, IdentityError> {
    if userinfo.get("sub") != id_token.get("sub") {
        return Err(IdentityError::SubjectMismatch);
    }
    // `email_verified` speaks of the address beside it: the two come from one document.
    let email_is_known = id_token.contains_key("email");
    for (name, value) in userinfo {
        if !(email_is_known && name == "email_verified") {
            id_token.entry(name).or_insert(value);
        }
    }
    Ok(id_token)
}

fn from_access_token(token: &str) -> Identity {
    let claims = id_token::unchecked_claims(token).unwrap_or_default();
    Identity {
        subject: id_token::subject(&claims).map(str::to_owned),
        ..Identity::default()
    }
}

fn bounded(claims: Map<String, Value>) -> Result<Map<String, Value>, UpstreamError> {
    let size = serde_json::to_string(&claims).map_or(usize::MAX, |text| text.len());
    if size > MAX_CLAIMS_BYTES {
        return Err(UpstreamError::Malformed(format!(
            "the person's claims are larger than {MAX_CLAIMS_BYTES} bytes"
        )));
    }
    Ok(claims)
}

fn short_text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?;
    let usable =
        !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control);
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
        value.as_object().unwrap().clone()
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
    fn userinfo_about_somebody_else_is_refused_and_the_id_token_stands() {
        let id_token = || map(json!({"sub": "u", "email": "a@b.example"}));
        for foreign in [json!({"sub": "v"}), json!({}), json!({"sub": 7})] {
            let result = merge(id_token(), map(foreign));
            assert!(matches!(result, Err(IdentityError::SubjectMismatch)));
        }
        let merged = merge(
            id_token(),
            map(json!({"sub": "u", "email": "x@y.example", "email_verified": true, "groups": ["g"]})),
        )
        .unwrap();
        assert_eq!(merged["email"], "a@b.example");
        assert_eq!(merged.get("email_verified"), None);
        assert_eq!(merged["groups"], json!(["g"]));
    }

    #[test]
    fn userinfo_alone_must_name_somebody() {
        for (given, subject) in [
            (json!({"sub": "u"}), "u"),
            (json!({"id": "i"}), "i"),
            (json!({"id": 7}), "7"),
            (json!({"sub": "u", "id": "i"}), "u"),
        ] {
            let claims = userinfo_alone(map(given)).unwrap();
            assert_eq!(
                Identity::from_claims(claims).subject.as_deref(),
                Some(subject)
            );
        }
        for nobody in [
            json!({}),
            json!({"sub": ""}),
            json!({"sub": null, "id": "i"}),
            json!({"id": ""}),
        ] {
            assert!(userinfo_alone(map(nobody)).is_err());
        }
    }

    #[test]
    fn a_github_person_is_a_number_with_the_primary_verified_address() {
        let user = map(json!({
            "id": 583_231, "login": "octocat", "name": null, "email": "public@x.example",
            "url": "https://api.github.com/users/octocat",
        }));
        let emails = json!([
            {"email": "old@x.example", "primary": false, "verified": true},
            {"email": "octo@x.example", "primary": true, "verified": true},
        ]);
        let person = github_person(&user, &emails).unwrap();
        assert_eq!(person.subject.as_deref(), Some("583231"));
        assert_eq!(person.verified_email(), Some("octo@x.example"));
        assert_eq!(person.name.as_deref(), Some("octocat"));
        assert_eq!(person.claims["login"], "octocat");
        assert!(!person.claims.contains_key("url"));

        let unverified = json!([{"email": "octo@x.example", "primary": true, "verified": false}]);
        for none in [unverified, json!([]), Value::Null, json!({"message": "no"})] {
            assert_eq!(github_person(&user, &none).unwrap().email, None);
        }
        for nobody in [
            json!({"login": "octocat"}),
            json!({"id": "583231"}),
            json!({"id": -1}),
        ] {
            assert!(github_person(&map(nobody), &Value::Null).is_err());
        }
    }

    #[test]
    fn an_opaque_access_token_names_nobody() {
        assert_eq!(from_access_token("gho_opaque"), Identity::default());
        // {"alg":"RS256"} . {"sub":"u","email":"a@b"}: only the subject is taken from it.
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1IiwiZW1haWwiOiJhQGIifQ.c2ln";
        let person = from_access_token(jwt);
        assert_eq!((person.subject.as_deref(), person.email), (Some("u"), None));
    }

    #[test]
    fn claims_have_a_bound() {
        let groups: Vec<String> = (0..2_000).map(|n| format!("group-number-{n}")).collect();
        assert!(bounded(map(json!({"sub": "u", "groups": groups}))).is_err());
    }

    #[test]
    fn a_person_prints_as_their_subject_only() {
        let claims = map(json!({"sub": "u1", "email": "a@b.example", "name": "Ann"}));
        let printed = format!("{:?}", Identity::from_claims(claims));
        assert!(printed.contains("u1") && !printed.contains("example") && !printed.contains("Ann"));
    }
}

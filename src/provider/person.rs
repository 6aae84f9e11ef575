//! Where a person's identity is found: the ID token, userinfo, or an API of the provider's own.

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{
    dialect::{Document, IdentityApi},
    id_token::IdTokenError,
    identity::{Identity, subject},
    merge::merged,
    requests::ProviderClient,
    token_answer::TokenAnswer,
    upstream_error::UpstreamError,
};
use crate::{jose, time::Unix};

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

impl ProviderClient {
    /// Who the token answer is about. The ID token's signature and claims are checked; without an ID token the
    /// userinfo endpoint is asked, where there is one. Without either, the `sub` of an access token
    /// that is a JWT is all that is known: it came straight from the provider.
    pub(crate) async fn identity(
        &self,
        answer: &TokenAnswer,
        nonce: Option<&str>,
        now: Unix,
    ) -> Result<Identity, IdentityError> {
        let provider = self.about();
        let access_token = answer.access_token.expose_secret();
        let known = match &answer.id_token {
            None => None,
            Some(token) => Some(self.id_token(token.expose_secret(), nonce, now).await??),
        };
        let resolved = self.resolved().await?;
        let claims = match (&resolved.endpoints.userinfo, known) {
            (Some(url), None) => {
                if let Some(api) = provider.dialect.identity() {
                    return Ok(self.identity_at(&api, url, access_token).await?);
                }
                userinfo_alone(self.userinfo(url, access_token).await?)?
            }
            (Some(url), Some(known)) if provider.always_userinfo => {
                let userinfo = match provider.dialect.identity() {
                    Some(api) => self.identity_at(&api, url, access_token).await?.claims,
                    None => self.userinfo(url, access_token).await?,
                };
                with_userinfo(&known, &userinfo)?
            }
            (_, Some(known)) => known,
            (None, None) => return Ok(from_access_token(access_token)),
        };
        Ok(Identity::of_answer(claims)?)
    }

    /// Who an access token belongs to, asked again at userinfo or at the provider's own API. `said` is
    /// what a new ID token says, `before` what an older one said: userinfo is newer than that. `None` where
    /// the provider has no such place.
    pub(crate) async fn identity_again(
        &self,
        access_token: &str,
        said: Option<&Map<String, Value>>,
        before: Option<Map<String, Value>>,
    ) -> Result<Option<Identity>, IdentityError> {
        let provider = self.about();
        let resolved = self.resolved().await?;
        let Some(url) = &resolved.endpoints.userinfo else {
            return Ok(None);
        };
        if let Some(api) = provider.dialect.identity() {
            return Ok(Some(self.identity_at(&api, url, access_token).await?));
        }
        let userinfo = self.userinfo(url, access_token).await?;
        let claims = match (said, before) {
            (Some(said), _) => with_userinfo(said, &userinfo)?,
            (None, Some(before)) => {
                same_subject(&before, &userinfo)?;
                merged(&userinfo, &before)
            }
            (None, None) => userinfo_alone(userinfo)?,
        };
        Ok(Some(Identity::of_answer(claims)?))
    }

    async fn userinfo(
        &self,
        url: &str,
        access_token: &str,
    ) -> Result<Map<String, Value>, UpstreamError> {
        let claims = self.get_object(url, access_token).await?;
        Ok(self.about().dialect.standard_claims(claims))
    }

    /// Who an access token belongs to, by an API of the provider's own.
    async fn identity_at(
        &self,
        api: &IdentityApi,
        url: &str,
        access_token: &str,
    ) -> Result<Identity, UpstreamError> {
        let mut documents = Vec::with_capacity(api.documents.len());
        for Document { path, is_needed } in api.documents {
            let read = self.get_json(&format!("{url}{path}"), access_token).await;
            documents.push(match read {
                Err(UpstreamError::NotPermitted { .. }) if !is_needed => Value::Null,
                read => read?,
            });
        }
        let mut person = (api.read)(&documents)?;
        self.add_memberships(&mut person, url, access_token).await?;
        Ok(person)
    }
}

/// Userinfo without an ID token. `sub` is required of an OpenID provider; others call it `id`. Some
/// write either as a number.
fn userinfo_alone(mut userinfo: Map<String, Value>) -> Result<Map<String, Value>, UpstreamError> {
    if !matches!(userinfo.get("sub"), Some(Value::String(_))) {
        let id = match userinfo.get("sub").or_else(|| userinfo.get("id")) {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        if let Some(id) = id {
            userinfo.insert("sub".to_owned(), id.into());
        }
    }
    match subject(&userinfo) {
        Some(_) => Ok(userinfo),
        None => Err(UpstreamError::Malformed(
            "userinfo has no usable `sub`".to_owned(),
        )),
    }
}

/// The claims of an ID token, and of userinfo what may stand beside them.
fn with_userinfo(
    id_token: &Map<String, Value>,
    userinfo: &Map<String, Value>,
) -> Result<Map<String, Value>, IdentityError> {
    same_subject(id_token, userinfo)?;
    Ok(merged(id_token, userinfo))
}

/// OpenID Connect Core section 5.3.2: "The sub Claim in the UserInfo Response MUST be verified to
/// exactly match the sub Claim in the ID Token; if they do not match, the UserInfo Response values
/// MUST NOT be used."
fn same_subject(
    id_token: &Map<String, Value>,
    userinfo: &Map<String, Value>,
) -> Result<(), IdentityError> {
    match userinfo.get("sub") == id_token.get("sub") {
        true => Ok(()),
        false => Err(IdentityError::SubjectMismatch),
    }
}

fn from_access_token(token: &str) -> Identity {
    let claims = jose::unverified_claims(token).unwrap_or_default();
    Identity {
        subject: subject(&claims).map(str::to_owned),
        ..Identity::default()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;
    use crate::provider::fake::{FakeProvider, PATIENT, Script, client};

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn userinfo_about_somebody_else_is_refused_and_the_id_token_stands() {
        let id_token = || map(json!({"sub": "u", "email": "a@b.example"}));
        for foreign in [json!({"sub": "v"}), json!({}), json!({"sub": 7})] {
            let result = with_userinfo(&id_token(), &map(foreign));
            assert!(matches!(result, Err(IdentityError::SubjectMismatch)));
        }
        let merged = with_userinfo(
            &id_token(),
            &map(json!({"sub": "u", "email": "x@y.example", "email_verified": true, "groups": ["g"]})),
        )
        .unwrap();
        assert_eq!(merged["email"], "a@b.example");
        assert_eq!(merged.get("email_verified"), None);
        assert_eq!(merged["groups"], json!(["g"]));
        let same = json!({"sub": "u", "email": "a@b.example", "email_verified": true});
        assert_eq!(
            with_userinfo(&id_token(), &map(same)).unwrap()["email_verified"],
            true
        );
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
    fn an_opaque_access_token_names_nobody() {
        assert_eq!(from_access_token("gho_opaque"), Identity::default());
        // {"alg":"RS256"} . {"sub":"u","email":"a@b"}: only the subject is taken from it.
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1IiwiZW1haWwiOiJhQGIifQ.c2ln";
        let person = from_access_token(jwt);
        assert_eq!((person.subject.as_deref(), person.email), (Some("u"), None));
    }

    #[tokio::test]
    async fn userinfo_is_asked_when_there_is_no_id_token_and_its_failure_is_an_error() {
        let idp = FakeProvider::start(Script::json(
            "200 OK",
            r#"{"sub":"u1","email":"a@b.example"}"#,
        ))
        .await;
        let userinfo = |idp: &FakeProvider| {
            let url = format!("http://{}/userinfo", idp.address);
            client(idp.about().userinfo_url(url), PATIENT)
        };
        let mut answer = plain_answer();
        let person = userinfo(&idp)
            .identity(&answer, None, Unix::EPOCH)
            .await
            .unwrap();
        assert_eq!(person.subject.as_deref(), Some("u1"));
        assert!(idp.request().starts_with("GET /userinfo HTTP/1.1"));

        // With an ID token it stays unasked, and the ID token's rules hold.
        answer.id_token = Some("no.jwt".into());
        let asked = idp.requests.lock().unwrap().len();
        assert!(
            userinfo(&idp)
                .identity(&answer, None, Unix::EPOCH)
                .await
                .is_err()
        );
        assert_eq!(idp.requests.lock().unwrap().len(), asked);

        answer.id_token = None;
        for script in [
            Script::json("401 Unauthorized", "{}"),
            Script::json("200 OK", "[]"),
            Script::json("200 OK", "{}"),
        ] {
            let idp = FakeProvider::start(script).await;
            assert!(
                userinfo(&idp)
                    .identity(&answer, None, Unix::EPOCH)
                    .await
                    .is_err()
            );
        }
    }

    #[tokio::test]
    async fn userinfo_beside_an_id_token_must_be_about_the_same_person() {
        let claims =
            json!({"iss": "i", "aud": "app:1", "sub": "u1", "nonce": "n", "iat": 1, "exp": 9});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let id_token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(&claims));
        let mut answer = plain_answer();
        answer.id_token = Some(id_token.into());
        for (subject, same) in [("u1", true), ("u2", false)] {
            let body = json!({"sub": subject, "email": "a@b.example"}).to_string();
            let idp = FakeProvider::start(Script::json("200 OK", &body)).await;
            let provider = idp
                .about()
                .userinfo_url(format!("http://{}/userinfo", idp.address))
                .always_userinfo(true);
            let client = client(provider, PATIENT);
            match client.identity(&answer, Some("n"), Unix::at(1)).await {
                Ok(person) => {
                    assert!(same);
                    assert_eq!(person.email.as_deref(), Some("a@b.example"));
                }
                Err(error) => assert!(!same, "{error}"),
            }
            assert!(
                client
                    .identity(&answer, Some("other"), Unix::at(1))
                    .await
                    .is_err()
            );
            assert!(
                client
                    .identity(&answer, Some("n"), Unix::at(1_000))
                    .await
                    .is_err()
            );
        }
    }

    fn plain_answer() -> TokenAnswer {
        TokenAnswer {
            access_token: "at".into(),
            expires_in: None,
            refresh_token: None,
            scope: None,
            id_token: None,
        }
    }
}

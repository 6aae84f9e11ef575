//! Asking a provider to which app an access token was issued.

use http::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use url::Url;

use super::{
    answer::Answer,
    audience_proof::{Ask, AudienceProof, Issued},
    content,
    credential::Credential,
    credential::Proof,
    form,
    provider::Provider,
    redaction, rejection,
    requests::ProviderClient,
    upstream_error::UpstreamError,
};

impl Provider {
    /// Whether the app has a secret that it proves itself by.
    pub(crate) fn has_secret(&self) -> bool {
        matches!(
            self.credential,
            Credential::Secret(_) | Credential::MadeSecret(_)
        )
    }
}

impl ProviderClient {
    /// What the provider says of this token. One that it does not know, or that is another app's, is
    /// [`UpstreamError::TokenRefused`].
    pub(crate) async fn issued(
        &self,
        proof: &AudienceProof,
        token: &str,
    ) -> Result<Issued, UpstreamError> {
        let (method, url, body) = match proof.ask {
            Ask::AsBearer => (Method::GET, proof.url.clone(), None),
            Ask::InQuery(name) => (Method::GET, with_query(&proof.url, name, token)?, None),
            Ask::ByApp(name) => {
                let body = Value::Object(Map::from_iter([(name.to_owned(), token.into())]));
                (Method::POST, proof.url.clone(), Some(body.to_string()))
            }
        };
        let mut request = self
            .http
            .request(method, url)
            .header(ACCEPT, "application/json");
        match proof.ask {
            Ask::AsBearer => request = request.header(AUTHORIZATION, form::bearer(token)),
            Ask::InQuery(_) => {}
            Ask::ByApp(_) => {
                let provider = self.resolved().await?;
                let Proof::Secret(secret) = self.proof(&provider).await? else {
                    return Err(UpstreamError::Malformed(
                        "the app has no secret to ask with".to_owned(),
                    ));
                };
                let app = form::basic(&provider.client_id, secret.expose_secret());
                request = request.header(AUTHORIZATION, app);
            }
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = self.send(request).await?;
        read(proof, &answer).map_err(|error| redaction::without(error, &[token]))
    }
}

fn read(proof: &AudienceProof, answer: &Answer) -> Result<Issued, UpstreamError> {
    let status = answer.status.as_u16();
    // A limit of requests is no word on the token, whatever its status.
    if proof.unknown.contains(&status) && !answer.limited {
        return Err(UpstreamError::TokenRefused { status, said: None });
    }
    match (rejection::api_refusal(answer), proof.ask) {
        (Some(refusal), Ask::AsBearer) => return Err(refusal),
        // The token was no credential of this request: what is refused is the app, or the request.
        (Some(refusal), _) => {
            let said = match refusal {
                UpstreamError::TokenRefused { said, .. }
                | UpstreamError::NotPermitted { said, .. } => said,
                other => return Err(other),
            };
            return Err(UpstreamError::Failed { status, said });
        }
        (None, _) => {}
    }
    match content::document(answer)? {
        Value::Object(fields) => Ok((proof.read)(&fields)),
        _ => Err(UpstreamError::Malformed(
            "the document is not an object".to_owned(),
        )),
    }
}

fn with_query(url: &str, name: &str, value: &str) -> Result<String, UpstreamError> {
    let mut url = Url::parse(url)
        .map_err(|_| UpstreamError::Malformed("the URL cannot be parsed".to_owned()))?;
    url.query_pairs_mut().append_pair(name, value);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{
        fake::{FakeProvider, PATIENT, Script, client, json_answer},
        generic,
    };

    fn proof(ask: Ask) -> AudienceProof {
        AudienceProof {
            url: "https://idp.example/tokeninfo?v=1".to_owned(),
            ask,
            unknown: &[400],
            names_person: false,
            read: |fields| Issued {
                app: fields.get("aud").and_then(Value::as_str).map(str::to_owned),
                ..Issued::default()
            },
        }
    }

    #[test]
    fn a_refusal_of_the_request_is_one_of_the_token_only_where_the_token_was_its_credential() {
        let refused = |ask, status| {
            let said = json!({"error_description": "Invalid Value"}).to_string();
            read(&proof(ask), &json_answer(status, &said)).unwrap_err()
        };
        for ask in [Ask::AsBearer, Ask::InQuery("t"), Ask::ByApp("t")] {
            let unknown = refused(ask, 400);
            assert!(matches!(
                unknown,
                UpstreamError::TokenRefused { status: 400, .. }
            ));
            for status in [429, 500, 302] {
                let trouble = refused(ask, status);
                assert!(
                    matches!(trouble, UpstreamError::Failed { .. }),
                    "{status}: {trouble}"
                );
            }
            for body in ["[]", "true", "<p>", ""] {
                let read = read(&proof(ask), &json_answer(200, body));
                assert!(matches!(read, Err(UpstreamError::Malformed(_))), "{body}");
            }
            let good = read(&proof(ask), &json_answer(200, r#"{"aud":"app"}"#)).unwrap();
            assert_eq!(good.app.as_deref(), Some("app"));
        }
        let bearers = refused(Ask::AsBearer, 401);
        assert!(matches!(bearers, UpstreamError::TokenRefused { .. }));
        for ask in [Ask::InQuery("t"), Ask::ByApp("t")] {
            for status in [401, 403, 404] {
                let apps = refused(ask, status);
                assert!(
                    matches!(apps, UpstreamError::Failed { .. }),
                    "{status}: {apps}"
                );
            }
        }
    }

    #[test]
    fn a_token_in_a_query_is_encoded_and_stands_beside_what_is_there() {
        let url = with_query("https://idp.example/tokeninfo?v=1", "t", "a+b/c=&d").unwrap();
        assert_eq!(url, "https://idp.example/tokeninfo?v=1&t=a%2Bb%2Fc%3D%26d");
    }

    #[tokio::test]
    async fn no_error_names_the_token_that_was_asked_about() {
        const TOKEN: &str = "ya29.a0+b/c0123456789abcdefghijklmnop";
        let echo = format!("no such token in GET /t?access_token={TOKEN}");
        let encoded = with_query("https://idp.example/t", "access_token", TOKEN).unwrap();
        for body in [echo, encoded] {
            let body = json!({ "error": "backend", "message": body }).to_string();
            for status in ["500 Oops", "403 Forbidden", "400 Bad Request"] {
                let idp = FakeProvider::start(Script::json(status, &body)).await;
                let url = format!("http://{}/t", idp.address);
                let client = client(generic(&url, &url, "app", "secret"), PATIENT);
                let at = |url: &str| AudienceProof {
                    url: url.to_owned(),
                    unknown: &[],
                    ..proof(Ask::InQuery("access_token"))
                };
                let error = client.issued(&at(&url), TOKEN).await.unwrap_err();
                let said = format!("{error} {error:?}");
                assert!(!said.contains("c0123456789"), "{said}");
                // Nothing listens there.
                let error = client.issued(&at("http://127.0.0.1:1/t"), TOKEN).await;
                let said = format!("{error:?}");
                assert!(!said.contains("c0123456789"), "{said}");
            }
        }
    }
}

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
    form::{self, Proof},
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

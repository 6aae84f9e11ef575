//! A token of the provider's is revoked there, in one of the ways that its dialect knows.

use http::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;

use super::{
    dialect::{Revocation, Verb},
    form::{self, Proof},
    provider::Provider,
    redaction, rejection,
    requests::ProviderClient,
    upstream_error::UpstreamError,
};

impl ProviderClient {
    /// Revokes one of the provider's tokens; `hint` is `access_token` or `refresh_token`. `false`
    /// when the provider cannot.
    pub(crate) async fn revoke(&self, token: &str, hint: &str) -> Result<bool, UpstreamError> {
        let provider = self.resolved().await?;
        let Some(url) = &provider.endpoints.revocation else {
            return Ok(false);
        };
        match provider.dialect.revoke(token, hint) {
            Revocation::Form => {
                let asked = self.revoke_by_form(&provider, url, token, hint);
                asked.await.map(|()| true)
            }
            Revocation::ByApp {
                verb,
                json,
                unknown,
            } => {
                let method = match verb {
                    Verb::Delete => Method::DELETE,
                    Verb::Post => Method::POST,
                };
                let request = self.http.request(method, url).body(json.to_string());
                self.revoke_by_app(&provider, request, unknown).await
            }
            Revocation::ByToken => self.revoke_by_token(url, token).await,
            Revocation::Impossible => Ok(false),
        }
    }

    /// RFC 7009 section 2.1. A token that the provider does not know is as good as revoked: section
    /// 2.2 wants 200 for it, Google says `invalid_token`.
    async fn revoke_by_form(
        &self,
        provider: &Provider,
        url: &str,
        token: &str,
        hint: &str,
    ) -> Result<(), UpstreamError> {
        let params = [("token", token), ("token_type_hint", hint)];
        let proof = self.proof(provider).await?;
        let request = form::form_request(provider, &proof, &params, &[]);
        let answer = self.post(url, request).await?;
        match rejection::accepted(&*provider.dialect, &answer) {
            Ok(_) => Ok(()),
            Err(UpstreamError::Rejected { code, .. }) if code == "invalid_token" => Ok(()),
            Err(error) => {
                self.heed(&error, &proof);
                let sent: Vec<&str> = [token].into_iter().chain(proof.text()).collect();
                Err(redaction::without(error, &sent))
            }
        }
    }

    /// The app proves itself by its id and secret, so an app without one cannot revoke like this.
    async fn revoke_by_app(
        &self,
        provider: &Provider,
        request: RequestBuilder,
        unknown: &[u16],
    ) -> Result<bool, UpstreamError> {
        let Proof::Secret(secret) = self.proof(provider).await? else {
            return Ok(false);
        };
        let authorization = form::basic(&self.provider.client_id, secret.expose_secret());
        let request = request
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, authorization);
        let status = self.send(request).await?.status;
        if status.is_success() || unknown.contains(&status.as_u16()) {
            return Ok(true);
        }
        Err(UpstreamError::Failed {
            status: status.as_u16(),
            said: None,
        })
    }

    /// A token that cannot be used any more is as good as revoked.
    async fn revoke_by_token(&self, url: &str, token: &str) -> Result<bool, UpstreamError> {
        let request = self
            .http
            .post(url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, form::bearer(token));
        let answer = self.send(request).await?;
        match rejection::api_refusal(&answer) {
            None | Some(UpstreamError::TokenRefused { .. }) => Ok(true),
            Some(refusal) => Err(redaction::without(refusal, &[token])),
        }
    }
}

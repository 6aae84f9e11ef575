//! The requests that go to the provider.

use std::{fmt, sync::Arc, time::Duration};

use http::{
    HeaderValue,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    content,
    credential::{Credential, Proof},
    discovery_lookup::{Lookup, Lookups},
    form::{self, FormRequest},
    provider::Provider,
    redaction, rejection,
    supply::Wanted,
    terms::Terms,
    token_answer::{TokenAnswer, token_answer},
    upstream_error::UpstreamError,
};
use crate::{
    clock::Clock,
    limits::MAX_ANSWER_BYTES,
    metrics::Peer,
    outbound::{Outbound, send},
    time::Unix,
};

/// Parameters whose value no error may repeat.
const SECRET: &[&str] = &[
    "code",
    "code_verifier",
    "refresh_token",
    "subject_token",
    "assertion",
];

/// Speaks to one provider. Each call takes at most `timeout` from the first byte to the last.
#[derive(Clone)]
pub(crate) struct ProviderClient {
    id: Arc<str>,
    pub(super) provider: Arc<Provider>,
    pub(super) lookup: Lookup,
    terms: Arc<Terms>,
    pub(super) http: Client,
    pub(super) timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for ProviderClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderClient")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl ProviderClient {
    pub(crate) fn new(
        provider: Arc<Provider>,
        outbound: &Outbound,
        lookups: &Lookups,
        timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            id: provider.id.as_str().into(),
            provider,
            lookup: Lookup::new(lookups),
            terms: Arc::default(),
            http: outbound.client().clone(),
            timeout,
            clock,
        }
    }

    /// The same, on these terms.
    #[must_use]
    pub(crate) fn on(self, terms: Terms) -> Self {
        Self {
            terms: Arc::new(terms),
            ..self
        }
    }

    /// The same, with more patience for each answer.
    pub(crate) fn waiting_longer(&self, by: Duration) -> Self {
        Self {
            timeout: self.timeout + by,
            ..self.clone()
        }
    }

    /// Its id, for those who keep many.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn about(&self) -> &Provider {
        &self.provider
    }

    /// The word of `prompt` that has it ask which account it should be; `None` where no word would.
    pub(crate) fn prompt_for_another_account(&self) -> Option<&'static str> {
        let extra = &self.terms.authorization_params;
        self.provider.prompt_for_another_account(extra)
    }

    /// The provider with all that its document about itself fills in: where it is, and how it wants to
    /// be asked. The one way to its URLs for every request. The document is read when it is first
    /// needed, and kept.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::Discovery`]: the document cannot be had, or says what it must not.
    pub(crate) async fn resolved(&self) -> Result<Arc<Provider>, UpstreamError> {
        Ok(self.lookup.resolved(&self.provider).await?)
    }

    /// Whether a person's claims can be read with an access token. While the document is not read yet, they
    /// may be.
    pub(crate) fn may_have_userinfo(&self) -> bool {
        let known = self.lookup.known(&self.provider);
        known.is_none_or(|provider| provider.endpoints.userinfo.is_some())
    }

    /// Redeems the provider's code (RFC 6749 section 4.1.3). `extra` wins over the preset's
    /// parameters and never over the protocol's.
    pub(crate) async fn exchange_code(
        &self,
        code: &str,
        verifier: Option<&str>,
        redirect_uri: &str,
        resource: Option<&str>,
        extra: &[(String, String)],
    ) -> Result<TokenAnswer, UpstreamError> {
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
        ];
        params.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        params.extend(resource.map(|resource| ("resource", resource)));
        let extras = [extra, &self.provider.token_params];
        self.token_request(&params, &extras, token_answer).await
    }

    /// Renews the provider's access token (RFC 6749 section 6). `scope` is in the provider's names
    /// and is sent only to a provider that wants it.
    pub(crate) async fn refresh(
        &self,
        refresh_token: &str,
        scope: Option<&str>,
        extra: &[(String, String)],
    ) -> Result<TokenAnswer, UpstreamError> {
        let mut params = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        if self.provider.sends_scope_on_refresh {
            params.extend(scope.map(|scope| ("scope", scope)));
        }
        let extras = [extra, &self.provider.refresh_params];
        self.token_request(&params, &extras, token_answer).await
    }

    /// Reads a JSON object with an access token, such as userinfo.
    pub(crate) async fn get_object(
        &self,
        url: &str,
        access_token: &str,
    ) -> Result<Map<String, Value>, UpstreamError> {
        match self.get_json(url, access_token).await? {
            Value::Object(object) => Ok(object),
            _ => Err(UpstreamError::Malformed(
                "the document is not an object".to_owned(),
            )),
        }
    }

    /// Reads any JSON document with an access token.
    pub(crate) async fn get_json(
        &self,
        url: &str,
        access_token: &str,
    ) -> Result<Value, UpstreamError> {
        let request = self
            .http
            .get(url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, form::bearer(access_token));
        let answer = self.send(request).await?;
        match rejection::api_refusal(&answer) {
            Some(refusal) => Err(redaction::without(refusal, &[access_token])),
            None => content::document(&answer),
        }
    }

    /// Any request at the token endpoint; `read` reads its answer.
    pub(super) async fn token_request(
        &self,
        params: &[(&str, &str)],
        extras: &[&[(String, String)]],
        read: fn(&Provider, &Answer) -> Result<TokenAnswer, UpstreamError>,
    ) -> Result<TokenAnswer, UpstreamError> {
        let provider = self.resolved().await?;
        let proof = self.proof(&provider).await?;
        let request = form::form_request(&provider, &proof, params, extras);
        let answer = self.post(provider.endpoints.token()?, request).await?;
        read(&provider, &answer).map_err(|error| {
            self.heed(&error, &proof);
            let sent = params.iter().filter(|(name, _)| SECRET.contains(name));
            let sent = sent.map(|(_, value)| *value);
            let sent: Vec<&str> = sent.chain(proof.text()).collect();
            redaction::without(error, &sent)
        })
    }

    /// What proves that the request comes from the provider's app, good now.
    pub(super) async fn proof(&self, provider: &Provider) -> Result<Proof, UpstreamError> {
        let (supply, proof): (_, fn(_) -> Proof) = match &provider.credential {
            Credential::None => return Ok(Proof::None),
            Credential::Secret(secret) => return Ok(Proof::Secret(secret.clone())),
            Credential::MadeSecret(supply) => (supply, Proof::Secret),
            Credential::Assertion { supply, .. } => (supply, Proof::Assertion),
        };
        let wanted = Wanted {
            client_id: &provider.client_id,
            audience: provider.audience_of_assertions()?,
            now: Unix::from(self.clock.now()),
        };
        supply.credential(wanted).await.map(proof)
    }

    /// A credential that was refused is not shown again.
    pub(super) fn heed(&self, error: &UpstreamError, proof: &Proof) {
        let is_refused =
            matches!(error, UpstreamError::Rejected { code, .. } if code == "invalid_client");
        let supply = match &self.provider.credential {
            Credential::MadeSecret(supply) | Credential::Assertion { supply, .. } => supply,
            Credential::None | Credential::Secret(_) => return,
        };
        if let (true, Some(text)) = (is_refused, proof.text()) {
            supply.forget(text);
        }
    }

    pub(super) async fn post(&self, url: &str, form: FormRequest) -> Result<Answer, UpstreamError> {
        let mut request = self
            .http
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, HeaderValue::from_static(form.content_type))
            .body(form.body.as_str().to_owned());
        if let Some(authorization) = form.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.send(request).await
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, UpstreamError> {
        let own = self.provider.dialect.headers().iter();
        let request = own.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let to = Peer::Provider(&self.id);
        let reply = send(request, to, self.timeout, MAX_ANSWER_BYTES).await?;
        Ok(reply.into())
    }
}

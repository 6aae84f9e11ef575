//! Access tokens of any form, asked for at the server that issued them (RFC 7662).

use std::{fmt, time::Duration};

use http::header::CONTENT_TYPE;

use super::{
    connection::Connection,
    context::VerifierContext,
    introspection_answer::{Answer, Rules},
    introspection_proof::Proof,
    token_verifier::{TokenVerifier, VerifyFuture, VerifyRequest},
    verdicts::{Lives, Verdict, Verdicts},
};
use crate::{
    error::ConfigError,
    limits::{MAX_INTROSPECTION_BYTES, MAX_VERDICT_LIFE},
    metrics::Peer,
    outbound::FetchError,
    provider::{ClientKey, assertions_by, check_url, shown_url},
};

/// Verifies access tokens by asking the server that issued them (RFC 7662), opaque ones too. It learns of a
/// revoked token within [`cache_ttl`](Self::cache_ttl).
///
/// A token is good when
///
/// - the answer says `"active": true`;
/// - its `aud` holds the base URL of this service, a URL below it, or one of the
///   [audiences](Self::audience). A URL below it makes the token good there and below only;
/// - its `iss` and its `client_id` are among the [issuers](Self::issuer) and the [clients](Self::client), where you
///   name some;
/// - neither `exp` nor `nbf` says otherwise;
/// - it is an access token for a bearer: no refresh token or ID token, and not bound to a key (`cnf`);
/// - it names a person ([`sub`](Self::subject_claim)).
///
/// The session's client is `client_id`, its scopes are those of `scope`, and its claims are all that the answer
/// says, `username` among them.
///
/// The server is asked once for a token, however many requests bring it at the same time, and its answers are
/// kept in memory, by a keyed hash of the token and within bounds. When it cannot be asked, refuses this
/// service's own credentials, is busy (429, 5xx) or answers in a form that is not understood, requests get 503
/// and never 401. What is wrong is in the [event](crate::Event).
///
/// ```
/// use tower_oauth_proxy::{IntrospectionVerifier, OAuthProxyConfig};
///
/// let verifier = IntrospectionVerifier::new(
///     "https://idp.example/oauth2/introspect",
///     "mcp-server",
///     "4x7Qm2Lr9vTzB1kWn8Jd3HsYc6Pf",
/// );
/// let config = OAuthProxyConfig::resource_server("https://mcp.example.com", verifier)
///     .authorization_server("https://idp.example")
///     .build()?;
/// # let _ = config;
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[must_use = "a verifier does nothing until a configuration has it"]
pub struct IntrospectionVerifier {
    endpoint: String,
    proof: Proof,
    rules: Rules,
    lives: Lives,
    verdicts: Verdicts,
    connection: Connection,
}

impl IntrospectionVerifier {
    /// Asks at this URL (https, or http on this host) in the name of this client, by HTTP Basic. Most servers
    /// name it `introspection_endpoint` in their document about themselves.
    pub fn new(
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self::proven(
            endpoint.into(),
            Proof::Basic {
                id: client_id.into(),
                secret: client_secret.into().into(),
            },
        )
    }

    /// Asks at this URL with an access token of this service's own.
    pub fn with_bearer_token(endpoint: impl Into<String>, token: impl Into<String>) -> Self {
        Self::proven(endpoint.into(), Proof::Bearer(token.into().into()))
    }

    /// Asks at this URL in the name of this client, which proves itself by a key (`private_key_jwt`, RFC 7523
    /// section 2.2). `audience` is the `aud` of its assertions: the server's issuer (RFC 10070), or what else
    /// the server wants there.
    pub fn with_key(
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        key: ClientKey,
        audience: impl Into<String>,
    ) -> Self {
        let proof = Proof::Key {
            id: client_id.into(),
            audience: audience.into(),
            assertions: assertions_by(key),
        };
        Self::proven(endpoint.into(), proof)
    }

    fn proven(endpoint: String, proof: Proof) -> Self {
        Self {
            endpoint,
            proof,
            rules: Rules::default(),
            lives: Lives {
                good: Duration::from_secs(60),
                refused: Duration::from_secs(10),
            },
            verdicts: Verdicts::new(),
            connection: Connection::default(),
        }
    }

    /// Sends the client's id and secret in the body (`client_secret_post`), for servers that take no Basic.
    pub fn credentials_in_body(mut self) -> Self {
        self.proof = self.proof.in_body();
        self
    }

    /// One more audience of this service, as it stands in `aud`, for servers that write a client id or a name
    /// there and not a URL. Each call adds one. Default: the base URL, and URLs below it.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.for_us.names.push(audience.into());
        self
    }

    /// Accepts tokens for whomever they were issued, also those without `aud`.
    ///
    /// Weak, unless the server calls a token active only towards a service that it is for (RFC 7662 section 4),
    /// or you name the [clients](Self::client): whoever gets a token for any other service could act as its
    /// person here. Reported at start where no client is named.
    pub fn without_audience(mut self) -> Self {
        self.rules.for_us.is_for_anyone = true;
        self
    }

    /// An issuer whose tokens are accepted, as it stands in `iss`. Each call adds one. Default: all that the
    /// server answers for, whether they have an `iss` or not.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuers.push(issuer.into());
        self
    }

    /// An app whose tokens are accepted, as it stands in `client_id`. Each call adds one. Default: every app.
    pub fn client(mut self, client_id: impl Into<String>) -> Self {
        self.rules.clients.push(client_id.into());
        self
    }

    /// The member with the person's id. Take one that never changes and is never given to another person:
    /// a `username` mostly can be. Default: `sub`.
    pub fn subject_claim(mut self, name: impl Into<String>) -> Self {
        self.rules.subject_claim = Some(name.into());
        self
    }

    /// How long a good answer is believed, in whole seconds up to an hour, and never beyond `exp`; less than one
    /// keeps none. A revoked token is good for so long, and then for
    /// [`session_cache_ttl`](crate::OAuthProxyConfigBuilder::session_cache_ttl). Default: 1 minute.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.lives.good = ttl;
        self
    }

    /// How long an answer against a token is believed, in whole seconds up to an hour; less than one keeps none.
    /// Default: 10 seconds.
    pub fn refused_cache_ttl(mut self, ttl: Duration) -> Self {
        self.lives.refused = ttl;
        self
    }

    fn check(&self) -> Result<(), ConfigError> {
        let fault = |words: &str| {
            let words = format!("the IntrospectionVerifier {words}");
            Err(ConfigError::new("verifier", words))
        };
        if let Err(why) = check_url(&self.endpoint) {
            let url = shown_url(&self.endpoint);
            return fault(&format!("asks at {url}, which {why}"));
        }
        if let Err(why) = self.proof.check() {
            return fault(why);
        }
        let Rules {
            for_us,
            issuers,
            clients,
            ..
        } = &self.rules;
        let mut texts = for_us.names.iter().chain(issuers).chain(clients);
        if texts.any(|text| text.trim().is_empty()) {
            return fault("has an empty audience, issuer or client");
        }
        if self.lives.good.max(self.lives.refused) > MAX_VERDICT_LIFE {
            return fault("keeps answers for longer than an hour");
        }
        Ok(())
    }

    async fn ask(&self, context: &VerifierContext, token: &str) -> Verdict {
        let assertion = match self.proof.assertion(context.now()).await {
            Ok(assertion) => assertion,
            Err(why) => return Verdict::Trouble(why),
        };
        let (headers, body) = self.proof.question(token, assertion.as_ref());
        let outbound = context.outbound();
        let request = outbound.client().post(&self.endpoint).headers(headers);
        let request = request.body(body.as_str().to_owned());
        let reply = match outbound
            .send(request, Peer::Introspection, MAX_INTROSPECTION_BYTES)
            .await
        {
            Ok(reply) => reply,
            Err(error) => {
                return Verdict::Trouble(FetchError::new(&self.endpoint, error).to_string());
            }
        };
        let media_type = reply.headers.get(CONTENT_TYPE);
        let answer = Answer {
            status: reply.status.as_u16(),
            media_type: media_type
                .and_then(|it| it.to_str().ok())
                .unwrap_or_default(),
            body: &reply.body,
        };
        self.rules.judge(&answer, context.base(), context.now())
    }
}

impl TokenVerifier for IntrospectionVerifier {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            let context = self.connection.context()?;
            let (token, now) = (request.token(), || context.now());
            let ask = || self.ask(context, token);
            self.verdicts.of(token, self.lives, now, ask).await.into()
        })
    }

    fn connect(&self, context: &VerifierContext) -> Result<(), ConfigError> {
        self.check()?;
        if self.rules.for_us.is_for_anyone && self.rules.clients.is_empty() {
            context.report_weak(
                "the IntrospectionVerifier asks for no audience: a token for any other service of the same \
                 server is good here, unless that server says otherwise",
            );
        }
        self.connection.connect(context);
        Ok(())
    }
}

impl fmt::Debug for IntrospectionVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionVerifier")
            .field("endpoint", &shown_url(&self.endpoint))
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

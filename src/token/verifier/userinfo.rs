//! Access tokens of providers that have nothing but an API to ask with them.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    connection::Connection,
    context::VerifierContext,
    token_verifier::{TokenVerifier, VerifiedToken, VerifyFuture, VerifyRequest},
    verdicts::{Lives, Verdict, Verdicts},
};
use crate::{
    error::ConfigError,
    limits::{MAX_SCOPES, MAX_VERDICT_LIFE},
    oauth::{ScopeSet, printable},
    provider::{Ask, Identity, IdentityError, Issued, Provider, ProviderClient, UpstreamError},
};

/// Verifies access tokens by using them: the provider's userinfo (OpenID Connect Core section 5.3), or its own API,
/// says whose a token is.
///
/// **That alone says nothing of the audience.** Any app's token reads its person's userinfo, so any app could act
/// as its users here. Some providers have an API that says to which app a token was issued, and
/// [`new`](Self::new) asks it first: GitHub, Google and Discord. For all others take
/// [introspection](crate::IntrospectionVerifier) or [signed tokens](crate::JwksVerifier) where you can; what
/// remains is [`without_audience`](Self::without_audience).
///
/// The session's subject and claims are those of a login at this provider, and so are the conditions on its
/// people ([`Provider::allowed_organizations`], [`Provider::allowed_claim`]): a token of anyone else is refused. Its scopes are those that the provider
/// names, and [yours](Self::scopes).
///
/// The provider is asked once for a token, however many requests bring it at the same time, and its answers are
/// kept in memory, by a keyed hash of the token and within bounds. Its 401 is a refusal, and so is a 403 (RFC 9110
/// section 15.5.4: its credentials are "insufficient to grant access"). While it is down or asks for patience (429,
/// 5xx, a 403 with `Retry-After` or no requests left), requests get 503 and never 401.
///
/// ```
/// use tower_oauth_proxy::{OAuthProxyConfig, UserInfoVerifier, provider};
///
/// let github = || provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
/// let config = OAuthProxyConfig::builder(github(), "https://mcp.example.com")
///     .passthrough(UserInfoVerifier::new(github()))
///     .build()?;
/// # let _ = config;
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[must_use = "a verifier does nothing until a configuration has it"]
pub struct UserInfoVerifier {
    provider: Arc<Provider>,
    is_for_anyone: bool,
    scopes: Vec<String>,
    lives: Lives,
    verdicts: Verdicts,
    connection: Connection,
    client: OnceLock<ProviderClient>,
}

impl UserInfoVerifier {
    /// Accepts tokens that this provider issued to this very app, by the app's client id. Building the
    /// configuration fails where the provider does not say to which app a token was issued.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider: Arc::new(provider),
            is_for_anyone: false,
            scopes: Vec::new(),
            lives: Lives {
                good: Duration::from_secs(60),
                refused: Duration::from_secs(10),
            },
            verdicts: Verdicts::new(),
            connection: Connection::default(),
            client: OnceLock::new(),
        }
    }

    /// Accepts every token that this provider issued, whichever app it was issued to.
    ///
    /// Weak: whoever gets a person's token for another app of the same provider can act as that person here. It
    /// is right for a provider that serves no app but yours. Reported at start.
    ///
    /// ```
    /// use tower_oauth_proxy::{UserInfoVerifier, provider};
    ///
    /// let internal = provider::generic(
    ///     "https://sso.example/authorize",
    ///     "https://sso.example/token",
    ///     "client-id",
    ///     "4x7Qm2Lr9vTzB1kWn8Jd3HsYc6Pf",
    /// )
    /// .userinfo_url("https://sso.example/userinfo");
    /// let verifier = UserInfoVerifier::new(internal)
    ///     .without_audience()
    ///     .scopes(["read"]);
    /// # let _ = verifier;
    /// ```
    pub fn without_audience(mut self) -> Self {
        self.is_for_anyone = true;
        self
    }

    /// Scopes that every good token has here, for providers that do not say what a token may do. Default: none
    /// beside those that the provider names.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// How long a good answer is believed, in whole seconds up to an hour; less than one keeps none. A revoked
    /// token is good for so long, and then for
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
        let provider = &self.provider;
        provider.check()?;
        let fault = |words: String| {
            let words = format!("the UserInfoVerifier of {}: {words}", provider.name);
            Err(ConfigError::new("verifier", words))
        };
        let proof = provider.dialect.audience_proof();
        let proof = proof.filter(|_| !self.is_for_anyone);
        if proof.is_none() && !self.is_for_anyone {
            return fault(
                "this provider does not say to which app a token was issued, so tokens of any other app would be \
                 accepted: take another verifier, or say `.without_audience()`"
                    .to_owned(),
            );
        }
        if let Some(proof) = &proof
            && matches!(proof.ask, Ask::ByApp(_))
            && !provider.has_secret()
        {
            return fault("the app needs its client secret to ask about a token".to_owned());
        }
        let names_person = proof.is_some_and(|proof| proof.names_person);
        if !names_person && provider.endpoints.userinfo.is_none() && provider.discovery.is_none() {
            return fault("it has no URL to ask: set `userinfo_url`".to_owned());
        }
        if let Err(error) = ScopeSet::new(&self.scopes) {
            return fault(format!("its scopes: {error}"));
        }
        if self.lives.good.max(self.lives.refused) > MAX_VERDICT_LIFE {
            return fault("it keeps answers for longer than an hour".to_owned());
        }
        Ok(())
    }

    async fn ask(&self, client: &ProviderClient, token: &str) -> Verdict {
        let proof = client.about().dialect.audience_proof();
        let issued = match proof.filter(|_| !self.is_for_anyone) {
            None => Issued::default(),
            Some(proof) => match client.issued(&proof, token).await {
                Err(error) => return refusal(&error),
                Ok(issued) if issued.app.as_ref() == Some(&client.about().client_id) => issued,
                Ok(issued) => {
                    return Verdict::Refused(match issued.app {
                        Some(app) => format!("it was issued to the app {}", printable(&app, 100)),
                        None => "the provider names no app that it was issued to".to_owned(),
                    });
                }
            },
        };
        let is_named = issued.claims.contains_key("sub");
        let person = match self.provider.endpoints.userinfo.is_none() && is_named {
            true => Ok(Some(Identity::from_claims(issued.claims.clone()))),
            false => client.identity_again(token, None, None).await,
        };
        match person {
            Ok(person) => self.verified(client, issued, person.unwrap_or_default()),
            Err(IdentityError::Upstream(error)) => refusal(&error),
            Err(error) => Verdict::Trouble(error.to_string()),
        }
    }

    fn verified(&self, client: &ProviderClient, issued: Issued, person: Identity) -> Verdict {
        let Some(subject) = person.subject else {
            return Verdict::Trouble("the provider does not name the person".to_owned());
        };
        let rules = client.about().people_rules();
        if let Some(why) = rules
            .iter()
            .find_map(|rule| rule.refusal(&[&person.claims]))
        {
            return Verdict::Refused(format!("the person may not use this service: {why}"));
        }
        let dialect = &client.about().dialect;
        let named = issued.scopes.iter().map(|scope| dialect.scope_in(scope));
        let scopes = named.chain(self.scopes.iter().map(String::as_str));
        let scopes = scopes.filter(|scope| ScopeSet::new([scope]).is_ok());
        let mut verified = VerifiedToken::new(subject);
        verified.client_id = issued.app;
        verified.scopes = ScopeSet::new(scopes.take(MAX_SCOPES)).unwrap_or_default();
        verified.claims = person.claims;
        verified.expires_at = issued.expires_at.map(Into::into);
        Verdict::Good(verified)
    }
}

/// What the provider's answer says of the token: only its own refusal of the token is one.
fn refusal(error: &UpstreamError) -> Verdict {
    match error {
        UpstreamError::TokenRefused { .. } | UpstreamError::NotPermitted { status: 403, .. } => {
            Verdict::Refused(error.to_string())
        }
        _ => Verdict::Trouble(error.to_string()),
    }
}

impl TokenVerifier for UserInfoVerifier {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            let context = self.connection.context()?;
            let client = self
                .client
                .get_or_init(|| context.client_of(&self.provider));
            let (token, now) = (request.token(), || context.now());
            let ask = || self.ask(client, token);
            self.verdicts.of(token, self.lives, now, ask).await.into()
        })
    }

    fn connect(&self, context: &VerifierContext) -> Result<(), ConfigError> {
        self.check()?;
        if self.is_for_anyone {
            context.report_weak(
                "the UserInfoVerifier asks for no audience: a token of any other app of the provider is good here",
            );
        }
        self.connection.connect(context);
        Ok(())
    }
}

impl fmt::Debug for UserInfoVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfoVerifier")
            .field("provider", &self.provider.id)
            .field("is_for_anyone", &self.is_for_anyone)
            .finish_non_exhaustive()
    }
}

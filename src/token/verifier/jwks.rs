//! Access tokens that are JWTs, verified here by their issuer's keys.

use std::{fmt, sync::OnceLock, time::Duration};

use serde_json::Value;

use super::{
    connection::Connection,
    context::VerifierContext,
    payload::{AccessTokenRules, CLIENT_CLAIMS},
    token_verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest},
};
use crate::{
    error::ConfigError,
    jose::ClaimRules,
    limits::{MAX_VERIFIER_LEEWAY, VERIFIER_LEEWAY},
    provider::{IssuerKeys, KeysError, check_url, shown_url},
};

/// Verifies access tokens that are JWTs, by the keys that their issuer publishes. The provider is asked for its
/// keys now and then, and never for a single token.
///
/// A token is good when
///
/// - a key of the set signed it, by RS, PS or ES with 256, 384 or 512, or by EdDSA with Ed25519. A key that is
///   not in the set may be new: the set is then fetched once more, at most once in some seconds;
/// - its `iss` is one of the [issuers](Self::issuer), and its `aud` holds one of the
///   [audiences](Self::audience), both byte for byte;
/// - it has an `exp` that has not come, and neither `nbf` nor `iat` is in the future, within the
///   [leeway](Self::leeway);
/// - it is an access token: no ID token, refresh token or logout token of the same issuer, and not bound to a key
///   that a bearer does not prove (`cnf`);
/// - each [claim that you require](Self::require_claim) is there.
///
/// The session's subject is its `sub`, its scopes are `scope` or `scp`, its client is `client_id`, `azp`, `cid` or
/// `appid`, and its claims are all of them. While the keys cannot be had, tokens get 503 and never 401; keys that
/// were fetched before stand in for a day. What is wrong with a refused token is in the
/// [event](crate::Event), in words, and not in the answer.
///
/// A signature does not tell whether the token was revoked since. It is good until it ends.
///
/// ```
/// use tower_oauth_proxy::{JwksVerifier, OAuthProxyConfig, provider};
///
/// let verifier = JwksVerifier::new("https://tenant.example/.well-known/jwks.json")
///     .issuer("https://tenant.example/")
///     .audience("https://mcp.example.com/mcp");
/// let provider = provider::generic(
///     "https://tenant.example/authorize",
///     "https://tenant.example/oauth/token",
///     "client-id",
///     "4x7Qm2Lr9vTzB1kWn8Jd3HsYc6Pf",
/// );
/// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
///     .passthrough(verifier)
///     .build()?;
/// # let _ = config;
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[must_use = "a verifier does nothing until a configuration has it"]
pub struct JwksVerifier {
    source: Source,
    keys: OnceLock<IssuerKeys>,
    rules: ClaimRules,
    access: AccessTokenRules,
    connection: Connection,
}

/// Where the keys are.
enum Source {
    At(String),
    /// Where this issuer's document says.
    Issuer(String),
}

impl JwksVerifier {
    /// The keys at this URL: https, or http on this host. Most providers name it `jwks_uri` in their document
    /// about themselves.
    pub fn new(jwks_url: impl Into<String>) -> Self {
        Self::of(Source::At(jwks_url.into()))
    }

    /// The keys of this issuer, wherever its document about itself names them: the one below
    /// `/.well-known/openid-configuration`, or that of RFC 8414. It is read with the first token, and again when
    /// its time is over. The document and the tokens must name this very issuer, to the byte.
    ///
    /// ```
    /// use tower_oauth_proxy::JwksVerifier;
    ///
    /// let verifier = JwksVerifier::for_issuer("https://tenant.example/")
    ///     .audience("https://mcp.example.com/mcp");
    /// # let _ = verifier;
    /// ```
    pub fn for_issuer(issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        Self::of(Source::Issuer(issuer.clone())).issuer(issuer)
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            keys: OnceLock::new(),
            rules: ClaimRules {
                leeway: VERIFIER_LEEWAY,
                ..ClaimRules::default()
            },
            access: AccessTokenRules::default(),
            connection: Connection::default(),
        }
    }

    /// An issuer whose tokens are accepted, as it stands in their `iss`: a trailing slash makes another one.
    /// Each call adds one; at least one is needed. **All of them must own the keys at the URL.**
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuers.push(issuer.into());
        self
    }

    /// An audience of this service, as it stands in the tokens' `aud`. Each call adds one; at least one is
    /// needed. A token for anyone else is a good token of the same issuer, and whoever holds it could act as
    /// its person here.
    ///
    /// Where an issuer's access tokens have no `aud`, [require](Self::require_claim) a claim that says to which
    /// app they were issued: `client_id`, `azp`, `cid` or `appid`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// How far the issuer's clock may be from this one's, either way, up to five minutes. Default: one minute.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// A claim that must be in each token, with this value, or with a list that holds it. Each call adds one.
    ///
    /// ```
    /// use tower_oauth_proxy::JwksVerifier;
    ///
    /// let verifier = JwksVerifier::new("https://idp.example/keys")
    ///     .issuer("https://idp.example")
    ///     .require_claim("client_id", "my-app")
    ///     .require_claim("email_verified", true);
    /// # let _ = verifier;
    /// ```
    pub fn require_claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.rules.required.push((name.into(), value.into()));
        self
    }

    /// The one `typ` that a token's header may have, such as `at+jwt` (RFC 9068 section 2.1). Default: `at+jwt`,
    /// `JWT` or none.
    pub fn token_type(mut self, token_type: impl Into<String>) -> Self {
        self.access.token_type = Some(token_type.into());
        self
    }

    /// The claim with the person's id: some issuers have `oid` or `uid` where `sub` names something else. Take
    /// one that never changes and is never given to another person. Default: `sub`.
    pub fn subject_claim(mut self, name: impl Into<String>) -> Self {
        self.access.subject = Some(name.into());
        self
    }

    fn check(&self) -> Result<(), ConfigError> {
        let fault = |words: String| Err(ConfigError::new("verifier", words));
        let (what, url) = match &self.source {
            Source::At(url) => ("the key set's URL", url),
            Source::Issuer(issuer) => ("the issuer", issuer),
        };
        if let Err(why) = check_url(url) {
            return fault(format!("{what} {} {why}", shown_url(url)));
        }
        let rules = &self.rules;
        if rules.issuers.is_empty() {
            return fault(
                "the JwksVerifier has no issuer: say `.issuer(\"https://…\")`".to_owned(),
            );
        }
        let names_client = |(name, _): &(String, Value)| CLIENT_CLAIMS.contains(&name.as_str());
        if rules.audiences.is_empty() && !rules.required.iter().any(names_client) {
            return fault(
                "the JwksVerifier has no audience, so tokens for any other service would be accepted: say \
                 `.audience(\"https://…\")`"
                    .to_owned(),
            );
        }
        let texts = rules.issuers.iter().chain(&rules.audiences);
        if texts.map(|text| text.trim()).any(str::is_empty) {
            return fault("an issuer or audience of the JwksVerifier is empty".to_owned());
        }
        if rules.leeway > MAX_VERIFIER_LEEWAY {
            let (asked, most) = (rules.leeway.as_secs(), MAX_VERIFIER_LEEWAY.as_secs());
            return fault(format!(
                "the leeway of the JwksVerifier is {asked} s, and {most} s is the most"
            ));
        }
        Ok(())
    }

    async fn verified(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        let context = self.connection.context()?;
        let keys = self.keys.get_or_init(|| match &self.source {
            Source::At(url) => IssuerKeys::at(context.lookups(), url),
            Source::Issuer(issuer) => IssuerKeys::discovered(context.lookups(), issuer),
        });
        let jwt = keys.verify(token).await.map_err(|error| match error {
            KeysError::Unreadable(error) => VerifyError::Unavailable(error.into()),
            KeysError::Signature(error) => VerifyError::Invalid(error.to_string()),
        })?;
        let rules = &self.rules;
        let invalid = |why: &dyn fmt::Display| VerifyError::Invalid(why.to_string());
        rules
            .check(&jwt.claims, context.now())
            .map_err(|why| invalid(&why))?;
        let mut verified = self.access.read(jwt).map_err(|why| invalid(&why))?;
        verified.expires_at = verified.expires_at.map(|end| end + rules.leeway);
        Ok(verified)
    }
}

impl TokenVerifier for JwksVerifier {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(self.verified(request.token()))
    }

    fn connect(&self, context: &VerifierContext) -> Result<(), ConfigError> {
        self.check()?;
        self.connection.connect(context);
        Ok(())
    }
}

impl fmt::Debug for JwksVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Source::At(url) | Source::Issuer(url)) = &self.source;
        f.debug_struct("JwksVerifier")
            .field("keys", &shown_url(url))
            .field("issuers", &self.rules.issuers)
            .field("audiences", &self.rules.audiences)
            .finish_non_exhaustive()
    }
}

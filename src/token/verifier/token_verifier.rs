//! What a verifier of the provider's access tokens is, what it is asked and what it answers.

use std::{fmt, future::Future, pin::Pin, sync::LazyLock, time::SystemTime};

use http::{Method, Uri};
use serde_json::{Map, Value};

use super::context::VerifierContext;
use crate::{
    error::{BoxError, ConfigError},
    oauth::ScopeSet,
};

/// What a verifier returns.
pub type VerifyFuture<'a> =
    Pin<Box<dyn Future<Output = Result<VerifiedToken, VerifyError>> + Send + 'a>>;

/// Checks an access token of the provider, when clients hold it themselves
/// ([`passthrough`](crate::OAuthProxyConfigBuilder::passthrough)).
///
/// **Check the audience.** A token that the provider issued to any other app is a valid token of
/// the provider; accepting it lets that app act as its users here. A userinfo call alone proves no
/// audience; introspection (RFC 7662), a JWT's `aud`, or a token-info endpoint does
/// (RFC 6750 section 5.2, *token redirect*).
///
/// It is called when a token is first seen, and then once in each
/// [`session_cache_ttl`](crate::OAuthProxyConfigBuilder::session_cache_ttl). **A good verdict is
/// remembered for the token, whatever the next request asks for**: a verdict that holds for one path
/// alone needs a cache time of zero, or is the work of a [guard](crate::guard). Each call is bounded by
/// `upstream_request_timeout`.
///
/// ```
/// use tower_oauth_proxy::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest};
///
/// struct Fixed;
/// impl TokenVerifier for Fixed {
///     fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
///         Box::pin(async move {
///             match request.token() {
///                 "right" => Ok(VerifiedToken::new("ada")),
///                 _ => Err(VerifyError::Invalid("unknown token".into())),
///             }
///         })
///     }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let verified = Fixed.verify(VerifyRequest::new("right")).await.unwrap();
/// assert_eq!(verified.subject, "ada");
/// assert!(Fixed.verify(VerifyRequest::new("wrong")).await.is_err());
/// # });
/// ```
pub trait TokenVerifier: Send + Sync + 'static {
    /// Whether the token is good for this service, and whose it is.
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a>;

    /// Called once, when the configuration is built, before any token is verified. The verifiers of this crate
    /// take the layer's way to other servers from here, and say whether they are complete. A verifier that
    /// wraps another hands it on; any other has nothing to do here.
    ///
    /// ```
    /// use tower_oauth_proxy::{
    ///     ConfigError, TokenVerifier, VerifierContext, VerifyFuture, VerifyRequest,
    /// };
    ///
    /// struct Logged<V>(V);
    /// impl<V: TokenVerifier> TokenVerifier for Logged<V> {
    ///     fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
    ///         println!("{} {}", request.method(), request.uri().path());
    ///         self.0.verify(request)
    ///     }
    ///
    ///     fn connect(&self, context: &VerifierContext) -> Result<(), ConfigError> {
    ///         self.0.connect(context)
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the verifier cannot work as it is; building the configuration fails with it.
    fn connect(&self, context: &VerifierContext) -> Result<(), ConfigError> {
        let _ = context;
        Ok(())
    }
}

/// What a [`TokenVerifier`] is asked: a token, and the request that carries it. `Debug` prints no
/// token.
#[derive(Clone, Copy)]
pub struct VerifyRequest<'a> {
    token: &'a str,
    method: &'a Method,
    uri: &'a Uri,
}

impl<'a> VerifyRequest<'a> {
    /// A `GET` of `/` with this token; for tests of a verifier.
    #[must_use]
    pub fn new(token: &'a str) -> Self {
        static GET: Method = Method::GET;
        static ROOT: LazyLock<Uri> = LazyLock::new(Uri::default);
        Self {
            token,
            method: &GET,
            uri: &ROOT,
        }
    }

    /// The same token on a request of this method and URI.
    ///
    /// ```
    /// use http::{Method, Uri};
    /// use tower_oauth_proxy::VerifyRequest;
    ///
    /// let uri = Uri::from_static("/mcp?session=1");
    /// let request = VerifyRequest::new("token").on(&Method::POST, &uri);
    /// assert_eq!((request.token(), request.uri().path()), ("token", "/mcp"));
    /// ```
    #[must_use]
    pub fn on(self, method: &'a Method, uri: &'a Uri) -> Self {
        Self {
            method,
            uri,
            ..self
        }
    }

    /// The token, as it stands in the `Authorization` header: 1 to 16,384 characters of the
    /// alphabet that RFC 9110 section 11.2 allows (`token68`).
    #[must_use]
    pub fn token(&self) -> &'a str {
        self.token
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The request's URI as the server got it: path and query, with HTTP/2 mostly scheme and host
    /// too. The client, or a reverse proxy in between, wrote all of it: for the public URL put
    /// the path behind your base URL.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }
}

impl fmt::Debug for VerifyRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyRequest")
            .field("token", &"[redacted]")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .finish()
    }
}

/// A good token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// The person.
    pub subject: String,
    /// The app that the token was issued to, where known.
    pub client_id: Option<String>,
    /// Whom the token is for (`aud`), where known. The verifier has checked that this service is among them.
    /// One that is a URL below the base URL makes the token good there and below only, unless
    /// [`audience_by_path`](crate::OAuthProxyConfigBuilder::audience_by_path) is off.
    pub audiences: Vec<String>,
    /// What it may do, by this service's names.
    pub scopes: ScopeSet,
    /// What handlers may read.
    pub claims: Map<String, Value>,
    /// When it ends, where known.
    pub expires_at: Option<SystemTime>,
}

impl VerifiedToken {
    /// A token of this person, without scopes, claims or a known end.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            client_id: None,
            audiences: Vec::new(),
            scopes: ScopeSet::default(),
            claims: Map::new(),
            expires_at: None,
        }
    }
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The verifier does not know the token: nothing of it says whose it is. It is for the next source of bearer
    /// tokens, where there is one; else the client gets 401. The message is for the operator only.
    #[error("the token is not known: {0}")]
    Unknown(String),
    /// The token is not valid; the message is for the operator only. The client gets 401.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// The token cannot be verified right now. The client gets 503, never 401: the token may be good.
    #[error("the token cannot be verified right now")]
    Unavailable(#[source] BoxError),
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_request_says_what_was_asked_and_prints_no_token() {
        let uri = Uri::from_static("https://host/mcp?a=b");
        let request = VerifyRequest::new("UPSTREAM-SECRET").on(&Method::PUT, &uri);
        assert_eq!(request.token(), "UPSTREAM-SECRET");
        assert_eq!((request.method(), request.uri()), (&Method::PUT, &uri));
        let printed = format!("{request:?}");
        assert!(printed.contains("/mcp?a=b"), "{printed}");
        assert!(!printed.contains("UPSTREAM-SECRET"), "{printed}");
        let plain = VerifyRequest::new("t");
        assert_eq!((plain.method(), plain.uri().path()), (&Method::GET, "/"));
    }

    #[test]
    fn a_reporter_prints_the_cause_of_trouble_once() {
        let error = VerifyError::Unavailable("no route".into());
        assert!(!error.to_string().contains("no route"));
        assert_eq!(error.source().unwrap().to_string(), "no route");
    }
}

//! What proves to the provider that the proxy is the registered app.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::supply::{Made, Making, Supply, Wanted};
use crate::error::BoxError;

/// What proves that a request comes from the registered app (RFC 6749 section 2.3).
#[derive(Clone)]
pub(crate) enum Credential {
    /// A public app: its id alone.
    None,
    Secret(SecretString),
    /// A secret that is made when it is needed, and again before it ends.
    MadeSecret(Arc<Supply>),
    /// A signed assertion in place of a secret (RFC 7523 section 2.2).
    Assertion {
        supply: Arc<Supply>,
        /// As a JWK, where we sign it ourselves.
        public_key: Option<Value>,
    },
}

impl Credential {
    /// The secret that the operator gave.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            Self::Secret(secret) => Some(secret.expose_secret()),
            Self::None | Self::MadeSecret(_) | Self::Assertion { .. } => None,
        }
    }

    /// What it is, for the operator.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::None => "its id alone",
            Self::Secret(_) => "client secret",
            Self::MadeSecret(_) => "a secret that is made when it is needed",
            Self::Assertion { .. } => "signed assertion",
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret([redacted])",
            Self::MadeSecret(_) => "MadeSecret",
            Self::Assertion { .. } => "Assertion",
        })
    }
}

/// A credential that is at hand, as the request shows it.
pub(crate) enum Proof {
    None,
    Secret(SecretString),
    Assertion(SecretString),
}

impl Proof {
    /// What no error may repeat.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Secret(text) | Self::Assertion(text) => Some(text.expose_secret()),
        }
    }
}

/// A credential that your own code supplies: an assertion, or a client secret. Prints as redacted.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_oauth_proxy::provider::ClientCredential;
///
/// let end = SystemTime::now() + Duration::from_secs(600);
/// let kept = ClientCredential::until("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", end);
/// assert!(!format!("{kept:?}").contains("eyJ"));
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientCredential {
    text: SecretString,
    until: Option<SystemTime>,
}

impl ClientCredential {
    /// For one request: the next one asks again. Right for an assertion whose `jti` counts once.
    pub fn once(text: impl Into<String>) -> Self {
        Self {
            text: text.into().into(),
            until: None,
        }
    }

    /// For all requests until shortly before `end`: a minute, or a tenth of the time until then where
    /// that is shorter. When no other can be had by then, it is used to its end.
    pub fn until(text: impl Into<String>, end: SystemTime) -> Self {
        Self {
            text: text.into().into(),
            until: Some(end),
        }
    }
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredential")
            .field("text", &"[redacted]")
            .field("until", &self.until)
            .finish()
    }
}

/// What a credential is for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CredentialRequest {
    /// The app's id at the provider.
    pub client_id: String,
    /// What the provider takes as the `aud` of an assertion: its issuer, or its token endpoint.
    pub audience: String,
}

/// The operator's code behind a [`Supply`].
pub(crate) type CredentialCallback = Box<
    dyn Fn(
            CredentialRequest,
        ) -> Pin<Box<dyn Future<Output = Result<ClientCredential, BoxError>> + Send>>
        + Send
        + Sync,
>;

/// Turns an async closure into a supply.
pub(super) fn supply<F, Fut>(callback: F) -> Arc<Supply>
where
    F: Fn(CredentialRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ClientCredential, BoxError>> + Send + 'static,
{
    let callback: CredentialCallback = Box::new(move |request| Box::pin(callback(request)));
    Arc::new(Supply::new(move |wanted: &Wanted<'_>| -> Making {
        let making = callback(CredentialRequest {
            client_id: wanted.client_id.to_owned(),
            audience: wanted.audience.to_owned(),
        });
        Box::pin(async move {
            let credential = making.await?;
            Ok(Made {
                text: credential.text,
                until: credential.until.map(Into::into),
            })
        })
    }))
}

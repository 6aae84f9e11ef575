//! How this service proves itself to an introspection endpoint, and what it asks there.

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{
    provider::{ASSERTION_TYPE, Supply, Wanted, basic, bearer, has_control},
    time::Unix,
};

/// How this service proves itself to the endpoint. RFC 7662 section 2.1: "To prevent token scanning attacks,
/// the endpoint MUST also require some form of authorization to access this endpoint".
pub(super) enum Proof {
    Basic {
        id: String,
        secret: SecretString,
    },
    Post {
        id: String,
        secret: SecretString,
    },
    Bearer(SecretString),
    Key {
        id: String,
        audience: String,
        assertions: Supply,
    },
}

impl Proof {
    /// The same client with its secret in the body.
    pub(super) fn in_body(self) -> Self {
        match self {
            Self::Basic { id, secret } => Self::Post { id, secret },
            other => other,
        }
    }

    /// What is wrong with it, in words that follow the verifier's name.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let (id, secret) = match self {
            Self::Basic { id, secret } | Self::Post { id, secret } => {
                (Some(id), secret.expose_secret())
            }
            Self::Bearer(token) => (None, token.expose_secret()),
            Self::Key { id, audience, .. } => (Some(id), audience.as_str()),
        };
        if secret.is_empty() || id.is_some_and(String::is_empty) {
            return Err("has empty credentials (is an environment variable unset?)");
        }
        if has_control(secret) || id.is_some_and(|id| has_control(id)) {
            return Err("has a line break or another control character in its credentials");
        }
        Ok(())
    }

    /// The assertion of a client with a key; the error is for the operator.
    pub(super) async fn assertion(&self, now: Unix) -> Result<Option<SecretString>, String> {
        let Self::Key {
            id,
            audience,
            assertions,
        } = self
        else {
            return Ok(None);
        };
        let wanted = Wanted {
            client_id: id,
            audience,
            now,
        };
        let assertion = assertions.credential(wanted).await;
        assertion.map(Some).map_err(|error| error.to_string())
    }

    /// RFC 7662 section 2.1: "The protected resource calls the introspection endpoint using an HTTP POST request
    /// with parameters sent as "application/x-www-form-urlencoded" data".
    pub(super) fn question(
        &self,
        token: &str,
        assertion: Option<&SecretString>,
    ) -> (HeaderMap, Zeroizing<String>) {
        let mut form = vec![("token", token), ("token_type_hint", "access_token")];
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            ),
        ]);
        match self {
            Self::Basic { id, secret } => {
                headers.insert(AUTHORIZATION, basic(id, secret.expose_secret()));
            }
            Self::Bearer(token) => {
                headers.insert(AUTHORIZATION, bearer(token.expose_secret()));
            }
            Self::Post { id, secret } => form.extend([
                ("client_id", id.as_str()),
                ("client_secret", secret.expose_secret()),
            ]),
            Self::Key { id, .. } => form.extend([
                ("client_id", id.as_str()),
                ("client_assertion_type", ASSERTION_TYPE),
                (
                    "client_assertion",
                    assertion.map_or("", |it| it.expose_secret()),
                ),
            ]),
        }
        // Pairs of strings always serialise.
        let body = serde_urlencoded::to_string(&form).unwrap_or_default();
        (headers, Zeroizing::new(body))
    }
}

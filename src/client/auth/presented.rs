//! What a client presents at the token and revocation endpoints: RFC 6749 section 2.3.
//!
//! Of the `Authorization` header only the scheme `Basic` is client authentication. Client libraries
//! send their transport's own headers along (the TypeScript SDK a stored `Bearer`), and RFC 6750
//! section 2.1 gives that scheme to protected resources: any other scheme says nothing here, and the
//! body has to name the client. A `Basic` header counts whatever it holds: a broken one is a failed
//! authentication and never falls back to the body.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    method::ClientAuthMethod,
    secret::{BasicFault, is_basic, read_basic},
};
use crate::{
    error::{OAuthError, OAuthErrorCode},
    jose::unverified_claims,
    limits::{MAX_CLIENT_ID, MAX_CLIENT_SECRET},
    oauth::Params,
};

/// An unverified claim to be a client.
#[derive(Clone)]
pub(crate) struct Presented {
    pub(crate) id: String,
    pub(in crate::client) proof: Proof,
}

/// What comes with the claim.
#[derive(Clone)]
pub(in crate::client) enum Proof {
    /// Only the id, in the body or before an empty secret.
    None,
    /// A secret in the `Authorization` header.
    Basic(SecretString),
    /// A secret in the body.
    Post(SecretString),
    /// An assertion in the body.
    Assertion(SecretString),
}

impl Presented {
    /// Reads the lines of the `Authorization` header and the form. Checks no secret.
    ///
    /// The form is the body's and never the query's. RFC 6749 section 2.3.1: "The parameters can only
    /// be transmitted in the request-body and MUST NOT be included in the request URI."
    ///
    /// # Errors
    ///
    /// `invalid_request` when two methods or two ids are given, and `invalid_client` when there is no
    /// client, an unknown method, or a malformed header.
    pub(crate) fn read<'a>(
        authorization: impl IntoIterator<Item = &'a [u8]>,
        params: &Params,
    ) -> Result<Self, OAuthError> {
        let mut basics = authorization.into_iter().filter(|line| is_basic(line));
        let (basic, second) = (basics.next(), basics.next());
        let body_id = params.get("client_id");
        let body_secret = params.get("client_secret");
        if let Some(assertion) = client_assertion(params)? {
            if basic.is_some() || body_secret.is_some() {
                return Err(several_methods());
            }
            return Self::by_assertion(assertion, body_id);
        }
        let Some(header) = basic else {
            let id = body_id.ok_or_else(|| invalid_client("client_id is missing"))?;
            let proof = match body_secret {
                Some(secret) if secret.len() > MAX_CLIENT_SECRET => return Err(too_long()),
                Some(secret) => Proof::Post(secret.into()),
                None => Proof::None,
            };
            return Self::bounded(id.to_owned(), proof);
        };
        if second.is_some() || body_secret.is_some() {
            return Err(several_methods());
        }
        let (id, secret) = read_basic(header).map_err(|fault| match fault {
            BasicFault::Malformed => invalid_client("the Authorization header is malformed"),
            BasicFault::TooLong => too_long(),
        })?;
        if body_id.is_some_and(|body_id| body_id != id) {
            return Err(OAuthError::new(
                OAuthErrorCode::InvalidRequest,
                "client_id differs from the one in the Authorization header",
            ));
        }
        // A client library that always writes the header has no secret to put into it for a public
        // client: that is a name and proves nothing.
        let proof = match secret.expose_secret().is_empty() {
            true => Proof::None,
            false => Proof::Basic(secret),
        };
        Self::bounded(id, proof)
    }

    /// The id is the assertion's subject; nothing of it is verified yet.
    ///
    /// RFC 7521 section 4.2: "The client_id parameter is unnecessary for client assertion authentication
    /// because the client is identified by the subject within the assertion. If present, the value of the
    /// client_id parameter MUST identify the same client as is identified by the client assertion."
    fn by_assertion(assertion: &str, body_id: Option<&str>) -> Result<Self, OAuthError> {
        let claims = unverified_claims(assertion)
            .ok_or_else(|| invalid_client("client_assertion is not a signed JWT"))?;
        let id = claims.get("sub").and_then(Value::as_str);
        let id = id.ok_or_else(|| invalid_client("client_assertion has no sub"))?;
        if body_id.is_some_and(|body_id| body_id != id) {
            return Err(invalid_client(
                "client_id differs from the sub of client_assertion",
            ));
        }
        Self::bounded(id.to_owned(), Proof::Assertion(assertion.into()))
    }

    fn bounded(id: String, proof: Proof) -> Result<Self, OAuthError> {
        if id.len() > MAX_CLIENT_ID {
            return Err(too_long());
        }
        Ok(Self { id, proof })
    }

    /// The method that was used, to be compared with the registered one.
    pub(crate) fn method(&self) -> ClientAuthMethod {
        match self.proof {
            Proof::None => ClientAuthMethod::None,
            Proof::Basic(_) => ClientAuthMethod::ClientSecretBasic,
            Proof::Post(_) => ClientAuthMethod::ClientSecretPost,
            Proof::Assertion(_) => ClientAuthMethod::PrivateKeyJwt,
        }
    }
}

/// RFC 7523 section 2.2: "The value of the "client_assertion_type" is
/// "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"." Either parameter says that the client means to
/// authenticate so, and never falls back to another method.
fn client_assertion(params: &Params) -> Result<Option<&str>, OAuthError> {
    const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    match (
        params.get("client_assertion"),
        params.get("client_assertion_type"),
    ) {
        (None, None) => Ok(None),
        (Some(assertion), Some(JWT_BEARER)) => Ok(Some(assertion)),
        (Some(_), Some(_)) => Err(invalid_client(
            "client_assertion_type is not urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )),
        (Some(_), None) => Err(invalid_client("client_assertion_type is missing")),
        (None, Some(_)) => Err(invalid_client("client_assertion is missing")),
    }
}

/// RFC 6749 section 2.3: "The client MUST NOT use more than one authentication method in each request."
fn several_methods() -> OAuthError {
    OAuthError::new(
        OAuthErrorCode::InvalidRequest,
        "the client uses more than one authentication method",
    )
}

fn invalid_client(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClient, description)
}

fn too_long() -> OAuthError {
    invalid_client("the client credentials are too long")
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("id", &self.id)
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

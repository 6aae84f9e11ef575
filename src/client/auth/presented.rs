//! What a client presents at the token and revocation endpoints: RFC 6749 section 2.3.
//!
//! Of the `Authorization` header only the scheme `Basic` is client authentication. Client libraries
//! send their transport's own headers along (the TypeScript SDK a stored `Bearer`), and RFC 6750
//! section 2.1 gives that scheme to protected resources: any other scheme says nothing here, and the
//! body has to name the client. A `Basic` header counts whatever it holds: a broken one is a failed
//! authentication and never falls back to the body.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::{
    method::ClientAuthMethod,
    secret::{BasicFault, is_basic, read_basic},
};
use crate::{
    error::{OAuthError, OAuthErrorCode},
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
        // RFC 7521 section 4.2: an assertion is a method of its own, which is not offered here.
        if params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some()
        {
            return Err(invalid_client("client assertions are not supported"));
        }
        let body_id = params.get("client_id");
        let body_secret = params.get("client_secret");
        let Some(header) = basic else {
            let id = body_id.ok_or_else(|| invalid_client("client_id is missing"))?;
            let proof = match body_secret {
                Some(secret) if secret.len() > MAX_CLIENT_SECRET => return Err(too_long()),
                Some(secret) => Proof::Post(secret.into()),
                None => Proof::None,
            };
            return Self::bounded(id.to_owned(), proof);
        };
        // RFC 6749 section 2.3: "The client MUST NOT use more than one authentication method in each
        // request."
        if second.is_some() || body_secret.is_some() {
            return Err(OAuthError::new(
                OAuthErrorCode::InvalidRequest,
                "the client uses more than one authentication method",
            ));
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
        }
    }
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

//! `GET {base}/oauth/jwks`: the public keys that access tokens are verified by (RFC 7517 section 5). Where there
//! are none, `route` does not find this row.

use http::request::Parts;

use super::cacheable::cacheable;
use crate::{body::OwnResponse, resource_server::ResourceServer};

/// RFC 7517 section 8.5.2.
const JWK_SET: &str = "application/jwk-set+json";

pub(super) fn handle(server: &ResourceServer, parts: &Parts) -> OwnResponse {
    cacheable(&parts.method, JWK_SET, server.documents.key_set())
}

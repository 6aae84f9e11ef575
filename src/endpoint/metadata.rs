//! `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration` (RFC 8414, at the
//! root, path-inserted, and appended as OpenID Connect Discovery has it) and
//! `/.well-known/oauth-protected-resource` (RFC 9728, at the root and for every path below the base
//! URL); and `/oauth/client.json`, about the proxy as a client of its provider. What they say stands in
//! [`documents`](crate::documents).

use http::{StatusCode, request::Parts};

use super::{answer, cacheable::cacheable, unserved};
use crate::{
    body::OwnResponse,
    documents::AuthorizationServer,
    resource_server::ResourceServer,
    route::{self, Row},
};

const JSON: &str = "application/json";

pub(super) fn authorization_server(
    server: &ResourceServer,
    row: &Row,
    parts: &Parts,
) -> OwnResponse {
    match server.documents.authorization_server() {
        AuthorizationServer::Here(body) => cacheable(&parts.method, JSON, body.clone()),
        AuthorizationServer::Elsewhere { rfc8414, openid } => {
            let to = match row.path {
                route::OPENID_CONFIGURATION => openid,
                _ => rfc8414,
            };
            answer::redirect(StatusCode::TEMPORARY_REDIRECT, to, Vec::new())
        }
    }
}

pub(super) fn protected_resource(server: &ResourceServer, parts: &Parts) -> OwnResponse {
    let path = route::resource_path(parts.uri.path());
    match server
        .documents
        .protected_resource(&server.options.base, path)
    {
        Some(body) => cacheable(&parts.method, JSON, body),
        None => unserved::not_found(server),
    }
}

pub(super) fn client(server: &ResourceServer, parts: &Parts) -> OwnResponse {
    cacheable(&parts.method, JSON, server.documents.client())
}

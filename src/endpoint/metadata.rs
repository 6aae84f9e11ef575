//! `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration` (RFC 8414, at the
//! root, path-inserted, and appended as OpenID Connect Discovery has it) and
//! `/.well-known/oauth-protected-resource` (RFC 9728, at the root and for every path below the base
//! URL); and `/oauth/client.json`, about the proxy as a client of its provider. What they say stands in
//! [`documents`](crate::documents).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};

use super::answer;
use crate::{
    body::OwnResponse,
    documents::AuthorizationServer,
    resource_server::ResourceServer,
    route::{self, Row},
};

pub(super) fn authorization_server(
    server: &ResourceServer,
    row: &Row,
    parts: &Parts,
) -> OwnResponse {
    match server.documents.authorization_server() {
        AuthorizationServer::Here(body) => document(&parts.method, body.clone()),
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
        Some(body) => document(&parts.method, body),
        None => answer::not_found(server),
    }
}

pub(super) fn client(server: &ResourceServer, parts: &Parts) -> OwnResponse {
    document(&parts.method, server.documents.client())
}

fn document(method: &Method, body: Bytes) -> OwnResponse {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(if method == Method::HEAD {
        Bytes::new()
    } else {
        body
    });
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CONTENT_LENGTH, length);
    // Five minutes: a changed configuration reaches clients soon.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

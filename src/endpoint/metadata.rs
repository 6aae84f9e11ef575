//! `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration` (RFC 8414, at the
//! root, path-inserted, and appended as OpenID Connect Discovery has it) and
//! `/.well-known/oauth-protected-resource` (RFC 9728, at the root and for every path below the base
//! URL).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};

use super::answer;
use crate::{body::OwnResponse, limits::MAX_CHALLENGED_PATH, oauth::Resource, proxy::Proxy};

pub(super) fn authorization_server(proxy: &Proxy, method: &Method) -> OwnResponse {
    document(method, proxy.documents.authorization_server.clone())
}

/// `suffix` is what follows the well-known name in the path: the resource's own path.
pub(super) fn protected_resource(proxy: &Proxy, method: &Method, suffix: &str) -> OwnResponse {
    let base = &proxy.options.base;
    let resource = match suffix {
        // A client that lost the path looks at the root, whatever the base URL's path is.
        "" | "/" => Some(Resource::base(base)),
        _ if suffix.len() > MAX_CHALLENGED_PATH => None,
        _ => Resource::at(base, suffix),
    };
    let Some(resource) = resource else {
        return answer::not_found(proxy);
    };
    let mut body = proxy.documents.protected_resource.clone();
    if let Some(document) = body.as_object_mut() {
        document.insert("resource".into(), resource.as_str().into());
    }
    document(method, body.to_string().into())
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
    // Short: a changed configuration should reach clients within a cup of tea.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

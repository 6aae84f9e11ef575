//! `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration` (RFC 8414, at the
//! root, path-inserted, and appended as OpenID Connect Discovery has it) and
//! `/.well-known/oauth-protected-resource` (RFC 9728, at the root and for every path below the base
//! URL).

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use serde_json::{Value, json};

use super::answer;
use crate::{
    config::{Settings, limits::MAX_CHALLENGED_PATH},
    future::OwnResponse,
    oauth::{Resource, ScopeSet},
    proxy::Proxy,
    route,
};

/// The documents that can be written once.
pub(crate) struct Documents {
    authorization_server: Bytes,
    /// Everything of the protected resource's document but `resource`.
    protected_resource: Value,
}

impl Documents {
    pub(crate) fn new(settings: &Settings) -> Self {
        let base = &settings.base;
        let methods = json!(["none", "client_secret_basic", "client_secret_post"]);
        let mut challenges = vec!["S256"];
        if settings.allow_plain_pkce {
            challenges.push("plain");
        }
        let authorization_server = json!({
            "issuer": base.as_str(),
            "authorization_endpoint": base.join(route::AUTHORIZE),
            "token_endpoint": base.join(route::TOKEN),
            "registration_endpoint": base.join(route::REGISTER),
            "revocation_endpoint": base.join(route::REVOKE),
            "scopes_supported": supported(&settings.scopes, true),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "code_challenge_methods_supported": challenges,
            "authorization_response_iss_parameter_supported": true,
        });
        let mut protected_resource = json!({
            "authorization_servers": [base.as_str()],
            "bearer_methods_supported": ["header"],
            "scopes_supported": supported(&settings.scopes, false),
        });
        if let (Some(document), Some(name)) =
            (protected_resource.as_object_mut(), &settings.service_name)
        {
            document.insert("resource_name".into(), Value::from(&**name));
        }
        Self {
            authorization_server: authorization_server.to_string().into(),
            protected_resource,
        }
    }
}

/// `offline_access` is the authorization server's business, never the resource's: named there it
/// would read as something that a request needs.
fn supported(scopes: &ScopeSet, with_offline_access: bool) -> Vec<&str> {
    let mut names: Vec<&str> = scopes
        .iter()
        .filter(|scope| *scope != "offline_access")
        .collect();
    if with_offline_access {
        names.push("offline_access");
    }
    names
}

pub(super) fn authorization_server(proxy: &Proxy, method: &Method) -> OwnResponse {
    document(method, proxy.documents.authorization_server.clone())
}

/// `suffix` is what follows the well-known name in the path: the resource's own path.
pub(super) fn protected_resource(proxy: &Proxy, method: &Method, suffix: &str) -> OwnResponse {
    let base = &proxy.settings.base;
    let resource = match suffix {
        // A client that lost the path looks at the root, whatever the base URL's path is.
        "" | "/" => Some(Resource::base(base)),
        _ if suffix.len() > MAX_CHALLENGED_PATH => None,
        _ => Resource::at(base, suffix),
    };
    let Some(resource) = resource else {
        return answer::not_found();
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

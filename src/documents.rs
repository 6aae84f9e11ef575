//! What the well-known documents say (RFC 8414 section 2, RFC 9728 section 2), written once.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{config::Options, oauth::ScopeSet, route};

/// The documents that can be written once.
pub(crate) struct Documents {
    pub(crate) authorization_server: Bytes,
    /// Everything of the protected resource's document but `resource`.
    pub(crate) protected_resource: Value,
}

impl Documents {
    pub(crate) fn new(options: &Options) -> Self {
        let base = &options.base;
        let methods = json!(["none", "client_secret_basic", "client_secret_post"]);
        let mut challenges = vec!["S256"];
        if options.allow_plain_pkce {
            challenges.push("plain");
        }
        let authorization_server = json!({
            "issuer": base.as_str(),
            "authorization_endpoint": base.join(route::AUTHORIZE),
            "token_endpoint": base.join(route::TOKEN),
            "registration_endpoint": base.join(route::REGISTER),
            "revocation_endpoint": base.join(route::REVOKE),
            "scopes_supported": supported(&options.scopes, true),
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
            "scopes_supported": supported(&options.scopes, false),
        });
        if let (Some(document), Some(name)) =
            (protected_resource.as_object_mut(), &options.service_name)
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

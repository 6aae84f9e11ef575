//! What the well-known documents say (RFC 8414 section 2, RFC 9728 section 2).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    client::ClientAuthMethod,
    config::Options,
    jose::Algorithm,
    limits::MAX_CHALLENGED_PATH,
    oauth::{BaseUrl, Resource, ScopeSet},
    route::{self, Routes},
};

/// The documents of one configuration, written once.
pub(crate) struct Documents {
    authorization_server: AuthorizationServer,
    /// About the proxy, for its provider; empty where none is served.
    client: Bytes,
    /// The public keys of access tokens; empty where there are none.
    key_set: Bytes,
    /// Everything but `resource`.
    protected_resource: Map<String, Value>,
}

/// What is said of the authorization server.
pub(crate) enum AuthorizationServer {
    /// Its document.
    Here(Bytes),
    /// Where its own document is, by the way of RFC 8414 and by that of OpenID Connect.
    Elsewhere { rfc8414: String, openid: String },
}

impl AuthorizationServer {
    /// RFC 8414 section 3: the well-known URI string is formed "by inserting it between the host component
    /// and the path component". OpenID Connect Discovery section 4 appends it.
    fn elsewhere(issuers: &[String]) -> Self {
        let issuer = issuers.first().map_or("", String::as_str);
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        let host = issuer.find("://").map_or(0, |at| at + 3);
        let after = issuer.get(host..).unwrap_or_default();
        let (origin, path) = issuer.split_at(host + after.find('/').unwrap_or(after.len()));
        Self::Elsewhere {
            rfc8414: [origin, route::AUTHORIZATION_SERVER, path].concat(),
            openid: [issuer, route::OPENID_CONFIGURATION].concat(),
        }
    }
}

impl Documents {
    pub(crate) fn new(options: &Options, routes: &Routes) -> Self {
        Self {
            authorization_server: match routes.serves_authorization() {
                true => AuthorizationServer::Here(authorization_server(options, routes).into()),
                false => AuthorizationServer::elsewhere(&options.authorization_servers),
            },
            client: options.client_document.clone().unwrap_or_default().into(),
            key_set: options.key_set.clone().unwrap_or_default().into(),
            protected_resource: protected_resource(options),
        }
    }

    pub(crate) fn authorization_server(&self) -> &AuthorizationServer {
        &self.authorization_server
    }

    pub(crate) fn client(&self) -> Bytes {
        self.client.clone()
    }

    pub(crate) fn key_set(&self) -> Bytes {
        self.key_set.clone()
    }

    /// The document of the resource at this path, `None` where there can be none.
    ///
    /// RFC 9728 section 3.3: "The resource value returned MUST be identical to the protected resource's
    /// resource identifier value into which the well-known URI path suffix was inserted".
    pub(crate) fn protected_resource(&self, base: &BaseUrl, path: &str) -> Option<Bytes> {
        let resource = match path {
            // A client that lost the path looks at the root, whatever the base URL's path is.
            "" | "/" => Resource::base(base),
            _ if path.len() > MAX_CHALLENGED_PATH => return None,
            _ => Resource::at(base, path)?,
        };
        let mut document = self.protected_resource.clone();
        document.insert("resource".into(), resource.as_str().into());
        Some(Value::Object(document).to_string().into())
    }
}

fn authorization_server(options: &Options, routes: &Routes) -> String {
    let base = &options.base;
    let methods = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
    // RFC 8414 section 2: "Servers SHOULD support "RS256". The value "none" MUST NOT be used."
    let algorithms = Algorithm::ALL.map(Algorithm::name);
    let mut challenges = vec!["S256"];
    if options.allow_plain_pkce {
        challenges.push("plain");
    }
    let mut document = Map::from_iter([
        ("issuer".into(), base.as_str().into()),
        (
            "scopes_supported".into(),
            supported(&options.scopes, true).into(),
        ),
        ("response_types_supported".into(), json!(["code"])),
        ("response_modes_supported".into(), json!(["query"])),
        (
            "grant_types_supported".into(),
            options.grant_types.iter().map(|it| it.as_str()).collect(),
        ),
        (
            "token_endpoint_auth_methods_supported".into(),
            json!(methods),
        ),
        (
            "token_endpoint_auth_signing_alg_values_supported".into(),
            json!(algorithms),
        ),
        (
            "revocation_endpoint_auth_methods_supported".into(),
            json!(methods),
        ),
        (
            "revocation_endpoint_auth_signing_alg_values_supported".into(),
            json!(algorithms),
        ),
        ("code_challenge_methods_supported".into(), json!(challenges)),
        (
            "authorization_response_iss_parameter_supported".into(),
            true.into(),
        ),
    ]);
    if options.accepts_identity_assertions {
        document.insert(
            "authorization_grant_profiles_supported".into(),
            json!(["urn:ietf:params:oauth:grant-profile:id-jag"]),
        );
    }
    document.extend(introspection(options, &algorithms));
    // Section 5 of draft-ietf-oauth-client-id-metadata-document-00: servers that publish metadata "MUST include
    // the following property to signal support". Clients look for `none` beside it.
    if options.metadata_documents.is_on() {
        document.insert("client_id_metadata_document_supported".into(), true.into());
    }
    for row in routes.served() {
        if let Some(name) = row.advertised {
            document.insert(name.into(), base.join(row.path).into());
        }
    }
    Value::Object(document).to_string()
}

/// How the services that ask authenticate; nothing where none may. The URL comes from the table.
fn introspection(options: &Options, algorithms: &[&str]) -> Map<String, Value> {
    let introspection = &options.introspection;
    let mut members = Map::new();
    if introspection.is_served() {
        let methods = introspection.auth_methods();
        let name = "introspection_endpoint_auth_methods_supported";
        members.insert(name.into(), methods.into());
        // RFC 8414 section 2: "This metadata entry MUST be present if either of these authentication methods
        // are specified in the "introspection_endpoint_auth_methods_supported" entry."
        if methods.contains(&ClientAuthMethod::PrivateKeyJwt.as_str()) {
            let name = "introspection_endpoint_auth_signing_alg_values_supported";
            members.insert(name.into(), algorithms.into());
        }
    }
    members
}

fn protected_resource(options: &Options) -> Map<String, Value> {
    let mut document = Map::from_iter([
        (
            "authorization_servers".into(),
            json!(options.authorization_servers),
        ),
        ("bearer_methods_supported".into(), json!(["header"])),
    ]);
    let scopes = supported(&options.scopes, false);
    // RFC 9728 section 3.2: "Parameters with multiple values are represented as JSON arrays. Parameters
    // with zero values MUST be omitted from the response."
    if !scopes.is_empty() {
        document.insert("scopes_supported".into(), scopes.into());
    }
    if let Some(name) = &options.service_name {
        document.insert("resource_name".into(), name.as_str().into());
    }
    document
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

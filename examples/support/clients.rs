//! `CLIENTS_FILE`: the clients that the operator configures, and what each may.
//!
//! ```json
//! [
//!   { "id": "intranet", "name": "Intranet", "secret_sha256": "64 hex digits",
//!     "redirect_uris": ["https://intranet.example.com/callback"], "scopes": ["read"] },
//!   { "id": "desk", "redirect_uris": ["http://127.0.0.1/callback"] },
//!   { "id": "nightly", "machine": true, "secret_sha256": "64 hex digits", "scopes": ["read"], "roles": ["batch"] },
//!   { "id": "search-api", "secret_sha256": "64 hex digits",
//!     "introspects": ["https://mcp.example.com/search"] }
//! ]
//! ```
//!
//! `scopes` are the most that a machine's own tokens may, and what a login asks for that names none.

use serde::Deserialize;
use tower_oauth_proxy::{
    ClientAuthMethod, ConfigError, MetadataDocuments, OAuthProxyConfigBuilder, PublicKeys,
    ScopeSet, StaticClient,
};

use super::{
    env::{Env, Refusal},
    files::{Entry, Hash, Secret},
};

const VARIABLE: &str = "CLIENTS_FILE";

/// A client as it stands in the file. A member that is not known is a mistake: a slip in `scopes` must not
/// give a client all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: String,
    name: Option<String>,
    secret: Option<Secret>,
    secret_sha256: Option<Hash>,
    jwks: Option<serde_json::Value>,
    jwks_uri: Option<String>,
    auth_method: Option<ClientAuthMethod>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    introspects: Vec<String>,
    #[serde(default)]
    machine: bool,
    #[serde(default)]
    roles: Vec<String>,
}

impl Env {
    /// The clients of `CLIENTS_FILE`.
    pub(super) fn clients(
        &self,
        mut builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        if let Some(documents) = self.metadata_documents()? {
            builder = builder.metadata_documents(documents);
        }
        if let Some(on) = self.switch("REGISTRATION")? {
            builder = builder.dynamic_registration(on);
        }
        for entry in self.entries::<Said>(VARIABLE)? {
            let client = client(&entry).map_err(|why| entry.refusal(&entry.value.id, why))?;
            builder = builder.static_client(client);
        }
        Ok(builder)
    }

    /// `METADATA_DOCUMENTS`: on, off, or the hosts whose documents are let in.
    fn metadata_documents(&self) -> Result<Option<MetadataDocuments>, Refusal> {
        const NAME: &str = "METADATA_DOCUMENTS";
        Ok(match self.optional(NAME) {
            Some("on") => Some(MetadataDocuments::on()),
            Some("off") => Some(MetadataDocuments::off()),
            _ => self.list(NAME)?.map(MetadataDocuments::only_hosts),
        })
    }
}

/// What is wrong, in words.
struct Wrong(String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ConfigError> for Wrong {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

/// The client, by what it proves itself with.
fn client_by_proof(said: &Said) -> Result<StaticClient, Wrong> {
    let id = &said.id;
    let mut proofs = Vec::new();
    if let Some(Secret(secret)) = &said.secret {
        proofs.push(StaticClient::confidential(id, secret));
    }
    if let Some(Hash(hash)) = &said.secret_sha256 {
        proofs.push(StaticClient::confidential_by_hash(id, hash));
    }
    if let Some(jwks) = &said.jwks {
        let keys = PublicKeys::from_jwks(jwks.to_string())?;
        proofs.push(StaticClient::with_keys(id, keys));
    }
    if let Some(url) = &said.jwks_uri {
        proofs.push(StaticClient::with_keys(id, PublicKeys::at(url)?));
    }
    match (proofs.pop(), proofs.is_empty()) {
        (Some(client), true) => Ok(client),
        (None, _) => Ok(StaticClient::public(id)),
        (Some(_), false) => {
            let why = "give one of `secret`, `secret_sha256`, `jwks` and `jwks_uri`";
            Err(Wrong(why.to_owned()))
        }
    }
}

fn client(entry: &Entry<Said>) -> Result<StaticClient, Wrong> {
    let said = &entry.value;
    let mut client = client_by_proof(said)?;
    for uri in &said.redirect_uris {
        client = client.redirect_uri(uri)?;
    }
    if let Some(name) = &said.name {
        client = client.name(name);
    }
    if let Some(method) = said.auth_method {
        client = client.auth_method(method);
    }
    if let Some(scopes) = &said.scopes {
        if said.machine {
            client = client.scopes(scopes);
        }
        if !said.redirect_uris.is_empty() || !said.machine {
            let scopes = ScopeSet::new(scopes);
            let scopes = scopes.map_err(|error| Wrong(format!("`scopes`: {error}")))?;
            client = client.default_scope(scopes);
        }
    }
    if said.machine {
        client = client.as_machine();
    }
    if !said.roles.is_empty() {
        client = client.roles(&said.roles);
    }
    for resource in &said.introspects {
        client = client.introspects(resource);
    }
    Ok(client)
}

//! `[[clients.configured]]`: a client that the operator knows by name.

use tower_oauth_proxy::{ClientAuthMethod, PublicKeys, ScopeSet, StaticClient};

use crate::words::{
    key::{Key, Kind, key},
    refusal::{Refusal, words_of},
    table::Table,
};

const METHODS: &[&str] = &[
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];

/// The keys of a configured client.
pub(super) const KEYS: &[Key] = &[
    key(
        "id",
        Kind::Text,
        "required",
        "\"nightly\"",
        "its `client_id`",
    ),
    key(
        "name",
        Kind::Text,
        "the id",
        "\"Nightly export\"",
        "what people read",
    ),
    key(
        "secret",
        Kind::Secret,
        "none: a public client",
        "\"76f1fb6b5d5a9c5f8d1ad5ed5ae1b7c8\"",
        "its secret",
    ),
    key(
        "secret_sha256",
        Kind::Text,
        "",
        "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        "or the SHA-256 of it, 64 hexadecimal digits",
    ),
    key(
        "jwks_file",
        Kind::File,
        "",
        "\"client.jwks.json\"",
        "or the public keys that it proves itself with",
    ),
    key(
        "jwks_url",
        Kind::Text,
        "",
        "\"https://client.example.com/jwks.json\"",
        "or where they are",
    ),
    key(
        "auth_method",
        Kind::Choice(METHODS),
        "by what it has",
        "\"client_secret_basic\"",
        "how it proves itself",
    ),
    key(
        "redirect_uris",
        Kind::Words,
        "none",
        "[\"https://client.example.com/callback\"]",
        "where people come back to",
    ),
    key(
        "scopes",
        Kind::Scopes,
        "all",
        "[\"read\"]",
        "of a machine: the most that it may; of others: what a login asks for that names none",
    ),
    key(
        "machine",
        Kind::Switch,
        "`false`",
        "true",
        "whether it gets tokens of its own, without a person (`client_credentials`)",
    ),
    key(
        "roles",
        Kind::Words,
        "none",
        "[\"batch\"]",
        "the roles of its own tokens",
    ),
    key(
        "introspects",
        Kind::Words,
        "nothing",
        "[\"https://mcp.example.com/search\"]",
        "resources about whose tokens it may ask",
    ),
];

pub(super) fn configured(said: Table<'_>) -> Result<StaticClient, Refusal> {
    let mut client = by_proof(said)?;
    for uri in said.words("redirect_uris")?.unwrap_or_default() {
        let refused = |error| said.refuse("redirect_uris", words_of(&error));
        client = client.redirect_uri(uri).map_err(refused)?;
    }
    if let Some(name) = said.text("name")? {
        client = client.name(name);
    }
    if let Some(method) = said.text("auth_method")? {
        client = client.auth_method(match method {
            "client_secret_basic" => ClientAuthMethod::ClientSecretBasic,
            "client_secret_post" => ClientAuthMethod::ClientSecretPost,
            "private_key_jwt" => ClientAuthMethod::PrivateKeyJwt,
            _ => ClientAuthMethod::None,
        });
    }
    let is_machine = said.is_on("machine")?;
    if let Some(scopes) = said.words("scopes")? {
        if is_machine {
            client = client.scopes(scopes.iter().copied());
        }
        if said.has("redirect_uris") || !is_machine {
            let refused = |error| said.refuse("scopes", error);
            client = client.default_scope(ScopeSet::new(&scopes).map_err(refused)?);
        }
    }
    if is_machine {
        client = client.as_machine();
    }
    if let Some(roles) = said.words("roles")? {
        client = client.roles(roles);
    }
    for resource in said.words("introspects")?.unwrap_or_default() {
        client = client.introspects(resource);
    }
    Ok(client)
}

/// The client, by what it proves itself with.
fn by_proof(said: Table<'_>) -> Result<StaticClient, Refusal> {
    let id = said.required("id")?;
    let mut proofs = Vec::new();
    if let Some(secret) = said.secret("secret")? {
        proofs.push(StaticClient::confidential(id, secret));
    }
    if let Some(hash) = said.text("secret_sha256")? {
        let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // The value is not shown: it may be the secret itself.
            let why = "is not 64 hexadecimal digits of SHA-256";
            return Err(said.refuse("secret_sha256", why));
        }
        let hash = format!("sha256:{}", digits.to_ascii_lowercase());
        proofs.push(StaticClient::confidential_by_hash(id, hash));
    }
    if let Some(file) = said.file("jwks_file")? {
        let refused = |error| said.refuse("jwks_file", format!("{}: {error}", file.path.display()));
        let keys = PublicKeys::from_jwks(&file.text).map_err(refused)?;
        proofs.push(StaticClient::with_keys(id, keys));
    }
    if let Some(url) = said.text("jwks_url")? {
        let keys =
            PublicKeys::at(url).map_err(|error| said.refuse("jwks_url", words_of(&error)))?;
        proofs.push(StaticClient::with_keys(id, keys));
    }
    match (proofs.pop(), proofs.is_empty()) {
        (Some(client), true) => Ok(client),
        (None, _) => Ok(StaticClient::public(id)),
        (Some(_), false) => {
            let why = "proves itself in two ways: give one of `secret`, `secret_sha256`, `jwks_file` and \
                       `jwks_url`";
            Err(said.refuse("id", why))
        }
    }
}

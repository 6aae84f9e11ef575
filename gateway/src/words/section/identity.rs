//! `[identity]`: how the server behind learns who is calling.

use http::{HeaderName, header};
use tower_oauth_proxy::TokenKey;

use crate::{
    identity::{
        Fact, IdentitySettings, is_reserved_elsewhere,
        jwt::{self, Signer},
    },
    words::{
        key::{Key, Kind, key},
        refusal::{Refusal, shown},
        table::Table,
    },
};

const HEADERS: &[Key] = &[
    key(
        "subject",
        Kind::Text,
        "`X-Auth-Subject`",
        "\"X-Auth-Subject\"",
        "who it is: `sub`, stable and unique; `off` for none, as with the others",
    ),
    key(
        "email",
        Kind::Text,
        "`X-Auth-Email`",
        "\"X-Auth-Email\"",
        "their address, where the provider says that it is verified",
    ),
    key(
        "name",
        Kind::Text,
        "`X-Auth-Name`",
        "\"X-Auth-Name\"",
        "their name, as the provider has it",
    ),
    key(
        "scopes",
        Kind::Text,
        "`X-Auth-Scopes`",
        "\"X-Auth-Scopes\"",
        "the scopes of the token, separated by spaces",
    ),
    key(
        "roles",
        Kind::Text,
        "`X-Auth-Roles`",
        "\"X-Auth-Roles\"",
        "their roles, separated by commas",
    ),
    key(
        "client",
        Kind::Text,
        "`X-Auth-Client`",
        "\"X-Auth-Client\"",
        "the client's id",
    ),
    key(
        "provider",
        Kind::Text,
        "off",
        "\"X-Auth-Provider\"",
        "the provider's id",
    ),
    key(
        "source",
        Kind::Text,
        "off",
        "\"X-Auth-Source\"",
        "where the token came from: `login`, `api_key`, …",
    ),
];

const JWT: &[Key] = &[
    key(
        "header",
        Kind::Text,
        "off",
        "\"X-Auth-Jwt\"",
        "where a signed JWT is sent, such as `X-Auth-Jwt`; with `Authorization`, as a bearer token",
    ),
    key(
        "audience",
        Kind::Text,
        "required",
        "\"reports\"",
        "its `aud`: what the server behind calls itself, and has to check",
    ),
    key(
        "issuer",
        Kind::Text,
        "`base_url`",
        "\"https://mcp.example.com\"",
        "its `iss`",
    ),
    key(
        "life",
        Kind::Time,
        "1 minute",
        "\"60s\"",
        "from `iat` to `exp`: a minute at most",
    ),
    key(
        "claims",
        Kind::Words,
        "none",
        "[\"tid\"]",
        "claims of the session that are told too",
    ),
    key(
        "key_file",
        Kind::File,
        "derived from `keys.secret`: Ed25519, the same on each instance",
        "\"identity-key.pem\"",
        "a private key (PEM: P-256, Ed25519, RSA) that signs",
    ),
    key(
        "previous_key_files",
        Kind::Files,
        "none",
        "[\"identity-key-of-last-year.pem\"]",
        "keys that are in the key set too: the last one, the next one",
    ),
    key(
        "key_set_path",
        Kind::Text,
        "none: on the admin listener alone, at `/identity/jwks`",
        "\"/identity/jwks\"",
        "a public path of the gateway that shows the key set too",
    ),
];

/// The keys of `[identity]`.
pub(crate) const KEYS: &[Key] = &[
    key(
        "headers",
        Kind::Table(HEADERS),
        "as named here",
        "",
        "a header for each thing that is known, percent-encoded",
    ),
    key(
        "claims",
        Kind::Texts,
        "none",
        "{ department = \"X-Auth-Department\" }",
        "headers for claims of the session",
    ),
    key(
        "jwt",
        Kind::Table(JWT),
        "off",
        "",
        "a JWT of the gateway's, for a server that anybody else could reach too",
    ),
    key(
        "provider_token",
        Kind::Text,
        "off",
        "\"X-Auth-Provider-Token\"",
        "where the provider's own access token is sent; with `Authorization`, as a bearer token. The server behind can then do all that the token allows",
    ),
    key(
        "unverified_email",
        Kind::Switch,
        "`false`",
        "false",
        "tell an address that the provider does not vouch for, too",
    ),
    key(
        "strip",
        Kind::Words,
        "none",
        "[\"X-Company-User\"]",
        "further headers that no client may send to the server behind; `X-Auth-*` and those of other gateways are stripped always",
    ),
];

/// The secrets are those of `[keys]`, the current one first.
pub(crate) fn identity(
    said: Table<'_>,
    base_url: &str,
    secrets: &[String],
) -> Result<IdentitySettings, Refusal> {
    let mut identity = IdentitySettings {
        facts: facts(said)?,
        trusts_any_email: said.is_on("unverified_email")?,
        ..IdentitySettings::default()
    };
    for (claim, name) in said.pairs("claims")? {
        let name = header_name(said, "claims", name)?;
        identity.claims.push((claim.to_owned(), name));
    }
    let signed = said.table("jwt")?;
    if signed.table().is_said() {
        let signed = signed.table();
        let name = header_name(signed, "header", signed.required("header")?)?;
        let signer = signer(signed, base_url, secrets)?;
        let signer = signer.trusting_any_email(identity.trusts_any_email);
        identity.jwt = Some((name, signer));
        identity.key_set_path = key_set_path(signed)?;
    }
    if let Some(name) = said.text("provider_token")?.filter(|name| *name != "off") {
        identity.provider_token = Some(header_name(said, "provider_token", name)?);
    }
    for name in said.words("strip")?.unwrap_or_default() {
        identity.also_strip.push(header_name(said, "strip", name)?);
    }
    check(said, &identity)?;
    Ok(identity)
}

fn facts(said: Table<'_>) -> Result<Vec<(Fact, HeaderName)>, Refusal> {
    let table = said.table("headers")?;
    let table = table.table();
    let mut facts = Vec::new();
    for fact in Fact::ALL {
        let name = match table.text(fact.key())? {
            Some("off") => continue,
            Some(name) => header_name(table, fact.key(), name)?,
            None if fact.is_told() => HeaderName::from_static(fact.header()),
            None => continue,
        };
        facts.push((fact, name));
    }
    Ok(facts)
}

/// The name of a header that no other meaning stands in the way of.
fn header_name(said: Table<'_>, key: &str, name: &str) -> Result<HeaderName, Refusal> {
    let refuse = |why: &str| said.refuse(key, format!("{} {why}", shown(name)));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !name.bytes().all(is_plain) {
        // Servers know `X_A` and `X-A` as the same, and some proxies drop the first.
        return Err(refuse(
            "is no name of a header: letters, digits and hyphens make one",
        ));
    }
    if is_reserved_elsewhere(name) {
        return Err(refuse(
            "means something else to HTTP, to proxies or to MCP: choose another header",
        ));
    }
    let name: HeaderName = name.parse().map_err(|_| refuse("is no name of a header"))?;
    let is_token = matches!(key, "header" | "provider_token");
    match name == header::AUTHORIZATION && !is_token {
        true => Err(refuse("is for tokens: choose another header")),
        false => Ok(name),
    }
}

/// Two things in one header: the second would replace the first.
fn check(said: Table<'_>, identity: &IdentitySettings) -> Result<(), Refusal> {
    let mut names: Vec<&HeaderName> = Vec::new();
    for name in identity.names() {
        if names.contains(&name) {
            return Err(said.refuse("headers", format!("two things are sent in `{name}`")));
        }
        names.push(name);
    }
    Ok(())
}

fn signer(said: Table<'_>, base_url: &str, secrets: &[String]) -> Result<Signer, Refusal> {
    let read = |name: &str, text: &str, path: &std::path::Path| {
        let refused = |error| said.refuse(name, format!("{}: {error}", path.display()));
        TokenKey::from_pem(text).map_err(refused)
    };
    let mut previous = Vec::new();
    let key = match said.file("key_file")? {
        Some(file) => read("key_file", &file.text, &file.path)?,
        None => {
            let (current, before) = derived(said, secrets)?;
            previous = before;
            current
        }
    };
    for file in said.files("previous_key_files")? {
        previous.push(read("previous_key_files", &file.text, &file.path)?);
    }
    let life = said.time("life")?.unwrap_or(jwt::MAX_LIFE);
    if life.is_zero() || life > jwt::MAX_LIFE {
        return Err(said.refuse(
            "life",
            "is not from 1 to 60 seconds: it is made for one request",
        ));
    }
    let claims = said.words("claims")?.unwrap_or_default();
    if let Some(own) = claims.iter().find(|claim| jwt::SET.contains(claim)) {
        return Err(said.refuse("claims", format!("`{own}` is the gateway's to set")));
    }
    let issuer = said.text("issuer")?.unwrap_or(base_url);
    let signer = Signer::new(key, &previous).issued(issuer, said.required("audience")?);
    let signer = signer.with_claims(claims.into_iter().map(str::to_owned).collect());
    let signer = signer.life(life);
    signer
        .check()
        .map_err(|error| said.refuse("key_file", error))?;
    Ok(signer)
}

/// Keys that the secrets give. A passphrase gives none: whoever has the key set could try passphrases against it.
fn derived(said: Table<'_>, secrets: &[String]) -> Result<(TokenKey, Vec<TokenKey>), Refusal> {
    let missing = || {
        let why = "is missing: give a key, or a `keys.secret` of 32 characters or more, from which one is derived";
        said.refuse("key_file", why)
    };
    let mut long = secrets.iter().filter(|secret| secret.len() >= 32);
    let is_current = secrets.first().is_some_and(|secret| secret.len() >= 32);
    let current = long.next().filter(|_| is_current).ok_or_else(missing)?;
    let derive =
        |secret: &String| jwt::derived(secret).map_err(|error| said.refuse("key_file", error));
    let before: Result<Vec<_>, _> = long.map(derive).collect();
    Ok((derive(current)?, before?))
}

fn key_set_path(said: Table<'_>) -> Result<Option<String>, Refusal> {
    let Some(path) = said.text("key_set_path")? else {
        return Ok(None);
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
    match path.starts_with('/') && path.len() > 1 && path.chars().all(is_plain) {
        true => Ok(Some(path.to_owned())),
        false => Err(said.refuse("key_set_path", format!("{} is no plain path", shown(path)))),
    }
}

//! Clients that registered themselves. The registration is signed into its own `client_id`: a million
//! registrations cost zero bytes.
//!
//! ```text
//! client_id    = base64url( version(1) || registration || nonce(8) || key(4) || tag(16) )
//! registration = Packed, by postcard
//! nonce        = random
//! key          = the name of the signing key
//! tag          = first 16 bytes of HMAC-SHA256 over all before it
//! ```
//!
//! The nonce makes each registration another client. RFC 7591 section 3.2.1: the client identifier
//! "SHOULD NOT be currently valid for any other registered client". Without it, a stranger who
//! registered a known client's metadata within the same second would be given that client's id, and
//! with it the secret.
//!
//! The registration is public, so it is signed and not encrypted. It says the same in exactly one way:
//! a `client_id` cannot be respelled into another one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    client::{
        auth::{AuthRule, DerivedSecrets},
        identified::{Client, ClientKind, Unknown},
        redirect::RedirectUri,
        registration::{ApplicationType, Registration},
    },
    key::{KeyId, MacKey, Rotating},
    limits::MAX_CLIENT_ID,
    oauth::ScopeSet,
    random,
    time::Unix,
};

/// The format of the id. A change of [`Packed`] is another version, and both are read.
const VERSION: u8 = 1;
/// No two of the same second meet by chance.
const NONCE_BYTES: usize = 8;
/// The name of the key.
const KEY_BYTES: usize = 4;
/// HMAC-SHA256 cut to 128 bits: RFC 2104 section 5 allows half the hash.
const TAG_BYTES: usize = 16;

/// Beginnings of redirect URIs that one byte stands for, from 1; 0 stands for none. Ids in the field
/// hold these numbers: append, never reorder.
const PREFIXES: [&str; 14] = [
    "http://localhost:",
    "http://localhost/",
    "http://127.0.0.1:",
    "http://127.0.0.1/",
    "http://[::1]:",
    "https://",
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "https://chatgpt.com/connector/oauth/",
    "https://vscode.dev/redirect",
    "https://insiders.vscode.dev/redirect",
    "https://global.consent.azure-apim.net/redirect/",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
];

/// The registration does not fit into a `client_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the metadata is too large: shorten the name or the redirect URIs")]
pub(crate) struct TooLarge;

/// Every client that registered itself, without a list of them.
pub(in crate::client) struct SignedClients {
    keys: Rotating<MacKey>,
    secrets: DerivedSecrets,
}

impl SignedClients {
    pub(in crate::client) fn new(keys: Rotating<MacKey>, secrets: DerivedSecrets) -> Self {
        Self { keys, secrets }
    }

    /// Makes the `client_id`, and the secret where the method has one. Writes nothing.
    pub(in crate::client) fn register(
        &self,
        registration: &Registration,
    ) -> Result<(String, Option<String>), TooLarge> {
        let id = sign(registration, &self.keys)?;
        let has_secret = registration.auth.has_secret();
        let secret = has_secret.then(|| self.secrets.of(&id));
        Ok((id, secret))
    }

    pub(in crate::client) fn find(&self, client_id: &str) -> Result<Client, Unknown> {
        let registration = read(client_id, &self.keys)?;
        Ok(Client {
            id: client_id.to_owned(),
            name: registration.name,
            redirect_uris: registration.redirect_uris,
            auth: registration.auth,
            scope: registration.scope,
            kind: ClientKind::Signed,
        })
    }

    pub(in crate::client) fn is_secret_of(&self, client_id: &str, presented: &str) -> bool {
        self.secrets.is(client_id, presented)
    }
}

fn sign(registration: &Registration, keys: &Rotating<MacKey>) -> Result<String, TooLarge> {
    let mut signed = pack(registration)?;
    signed.extend(random::bytes::<NONCE_BYTES>());
    signed.extend(keys.current().id().0);
    let tag = keys.tag(&signed);
    signed.extend(tag.iter().take(TAG_BYTES));
    let client_id = URL_SAFE_NO_PAD.encode(signed);
    if client_id.len() > MAX_CLIENT_ID {
        return Err(TooLarge);
    }
    Ok(client_id)
}

fn read(client_id: &str, keys: &Rotating<MacKey>) -> Result<Registration, Unknown> {
    if client_id.len() > MAX_CLIENT_ID {
        return Err(Unknown::NotIssued);
    }
    // Refuses padding, line breaks and stray last bits: one registration, one spelling.
    let signed = URL_SAFE_NO_PAD.decode(client_id);
    let signed = signed.map_err(|_| Unknown::NotIssued)?;
    let parts = parts(&signed).ok_or(Unknown::NotIssued)?;
    if !keys.verify(parts.message, parts.tag) {
        return Err(match keys.all().any(|key| key.id() == parts.key) {
            true => Unknown::NotIssued,
            false => Unknown::OtherKey(parts.key),
        });
    }
    unpack(parts.body).ok_or(Unknown::Outdated)
}

/// The parts of an id, before anything is verified.
struct Parts<'a> {
    /// All that the tag covers.
    message: &'a [u8],
    /// The version and the registration.
    body: &'a [u8],
    key: KeyId,
    tag: &'a [u8; TAG_BYTES],
}

fn parts(signed: &[u8]) -> Option<Parts<'_>> {
    let (message, tag) = signed.split_last_chunk()?;
    let (unnamed, key) = message.split_last_chunk::<KEY_BYTES>()?;
    let (body, _nonce) = unnamed.split_last_chunk::<NONCE_BYTES>()?;
    (body.first() == Some(&VERSION)).then_some(Parts {
        message,
        body,
        key: KeyId(*key),
        tag,
    })
}

/// A registration as the id holds it.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    auth: AuthRule,
    application_type: Option<ApplicationType>,
    issued_at: Unix,
    name: Option<&'a str>,
    scope: Option<&'a str>,
    /// The number of a known beginning, and what follows it.
    #[serde(borrow)]
    redirect_uris: Vec<(u8, &'a str)>,
}

fn pack(registration: &Registration) -> Result<Vec<u8>, TooLarge> {
    let uris = registration.redirect_uris.iter();
    let packed = Packed {
        auth: registration.auth,
        application_type: registration.application_type,
        issued_at: registration.issued_at,
        name: registration.name.as_deref(),
        scope: registration.scope.as_ref().map(ScopeSet::as_str),
        redirect_uris: uris.map(|uri| shorten(uri.as_str())).collect(),
    };
    postcard::to_extend(&packed, vec![VERSION]).map_err(|_| TooLarge)
}

fn unpack(body: &[u8]) -> Option<Registration> {
    let (_version, body) = body.split_first()?;
    let packed: Packed<'_> = postcard::from_bytes(body).ok()?;
    // Refuses bytes after the end and numbers that are longer than they need be.
    if postcard::to_allocvec(&packed).ok()? != body {
        return None;
    }
    // Read again by today's rules: a rule that grows stricter binds old clients too.
    let uri = |(prefix, rest): (u8, &str)| {
        let prefix = match prefix {
            0 => "",
            n => PREFIXES.get(usize::from(n) - 1)?,
        };
        RedirectUri::parse(&[prefix, rest].concat()).ok()
    };
    let redirect_uris: Vec<_> = packed
        .redirect_uris
        .into_iter()
        .map(uri)
        .collect::<Option<_>>()?;
    let scope = packed.scope.map(ScopeSet::parse).transpose().ok()?;
    (!redirect_uris.is_empty()).then_some(Registration {
        redirect_uris,
        name: packed.name.map(str::to_owned),
        auth: packed.auth,
        application_type: packed.application_type,
        scope,
        issued_at: packed.issued_at,
    })
}

/// The number of the longest known beginning, and what follows it.
fn shorten(uri: &str) -> (u8, &str) {
    let known = (1_u8..).zip(PREFIXES);
    known
        .filter_map(|(number, prefix)| Some((number, uri.strip_prefix(prefix)?)))
        .min_by_key(|(_, rest)| rest.len())
        .unwrap_or((0, uri))
}

#[cfg(test)]
mod tests;

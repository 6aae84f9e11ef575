//! A registration sealed into its own `client_id`: a million registrations cost zero bytes.
//!
//! ```text
//! client_id = base64url( body || nonce(8) || key(4) || tag )
//! body      = version(1) flags(1) issued_at(varint)
//!             [ name(length, bytes) ] [ scope(length, bytes) ]
//!             one or more: prefix(1) rest(length, bytes)
//! nonce     = random
//! key       = the name of the sealing key
//! tag       = first 16 bytes of HMAC-SHA256(key, body || nonce || key's name)
//! ```
//!
//! The nonce makes each registration another client (RFC 7591 section 3.2.1). Without it, a stranger
//! who registered a known client's metadata within the same second would be given that client's id,
//! and with it the secret.
//!
//! The registration is public, so it is authenticated and not encrypted. It says the same in
//! exactly one way: a `client_id` cannot be respelled into another one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    client::{
        auth::{AuthRule, ClientAuthMethod, DerivedSecrets},
        identified::{Client, ClientKind, Unknown},
        redirect::RedirectUri,
        registration::{ApplicationType, Registration},
    },
    key::{KeyId, MacKey, Rotating},
    limits::MAX_CLIENT_ID,
    oauth::ScopeSet,
    random,
};

/// HMAC-SHA256 cut to 128 bits: RFC 2104 section 5 allows half the hash.
const TAG_BYTES: usize = 16;
/// No two of the same second meet by chance.
const NONCE_BYTES: usize = 8;
/// The name of the key.
const KEY_BYTES: usize = 4;
const VERSION: u8 = 1;

const METHOD_BITS: u8 = 0b0000_0011;
const TYPE_BITS: u8 = 0b0000_1100;
const HAS_NAME: u8 = 0b0001_0000;
const HAS_SCOPE: u8 = 0b0010_0000;

/// Beginnings of redirect URIs that one byte stands for, from 1; 0 stands for none. Sealed ids in
/// the field hold these numbers: append, never reorder.
const PREFIXES: [&str; 12] = [
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
        let id = seal(registration, &self.keys)?;
        let has_secret = registration.auth.has_secret();
        let secret = has_secret.then(|| self.secrets.of(&id));
        Ok((id, secret))
    }

    pub(in crate::client) fn find(&self, client_id: &str) -> Result<Client, Unknown> {
        let registration = open(client_id, &self.keys)?;
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

/// Makes the `client_id` of a registration.
fn seal(registration: &Registration, keys: &Rotating<MacKey>) -> Result<String, TooLarge> {
    let mut sealed = encode(registration);
    sealed.extend(random::bytes::<NONCE_BYTES>());
    sealed.extend(keys.current().id().0);
    let tag = keys.tag(&sealed);
    sealed.extend(tag.iter().take(TAG_BYTES));
    let client_id = URL_SAFE_NO_PAD.encode(sealed);
    if client_id.len() > MAX_CLIENT_ID {
        return Err(TooLarge);
    }
    Ok(client_id)
}

/// Reads a `client_id` back.
fn open(client_id: &str, keys: &Rotating<MacKey>) -> Result<Registration, Unknown> {
    if client_id.len() > MAX_CLIENT_ID {
        return Err(Unknown::NotIssued);
    }
    // Refuses padding, line breaks and stray last bits: one registration, one spelling.
    let sealed = URL_SAFE_NO_PAD.decode(client_id);
    let sealed = sealed.map_err(|_| Unknown::NotIssued)?;
    let parts = parts(&sealed).ok_or(Unknown::NotIssued)?;
    if !keys.verify(parts.message, parts.tag) {
        return Err(match keys.all().any(|key| key.id() == parts.key) {
            true => Unknown::NotIssued,
            false => Unknown::OtherKey(parts.key),
        });
    }
    decode(parts.body).ok_or(Unknown::Outdated)
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

fn encode(registration: &Registration) -> Vec<u8> {
    let method = match registration.auth {
        AuthRule::Exactly(ClientAuthMethod::None) => 0,
        AuthRule::Exactly(ClientAuthMethod::ClientSecretBasic) => 1,
        AuthRule::Exactly(ClientAuthMethod::ClientSecretPost) => 2,
        AuthRule::AnySecret => 3,
    };
    let application = match registration.application_type {
        None => 0,
        Some(ApplicationType::Web) => 1 << 2,
        Some(ApplicationType::Native) => 2 << 2,
    };
    let name = registration.name.as_deref();
    let scope = registration.scope.as_ref().map(ToString::to_string);
    let mut flags = method | application;
    if name.is_some() {
        flags |= HAS_NAME;
    }
    if scope.is_some() {
        flags |= HAS_SCOPE;
    }
    let mut out = vec![VERSION, flags];
    put_number(&mut out, registration.issued_at);
    for text in [name, scope.as_deref()].into_iter().flatten() {
        put_text(&mut out, text);
    }
    for uri in &registration.redirect_uris {
        let (prefix, rest) = shorten(uri.as_str());
        out.push(prefix);
        put_text(&mut out, rest);
    }
    out
}

fn decode(body: &[u8]) -> Option<Registration> {
    let mut reader = Reader(body);
    if reader.byte()? != VERSION {
        return None;
    }
    let flags = reader.byte()?;
    if flags & !(METHOD_BITS | TYPE_BITS | HAS_NAME | HAS_SCOPE) != 0 {
        return None;
    }
    let auth = match flags & METHOD_BITS {
        0 => AuthRule::Exactly(ClientAuthMethod::None),
        1 => AuthRule::Exactly(ClientAuthMethod::ClientSecretBasic),
        2 => AuthRule::Exactly(ClientAuthMethod::ClientSecretPost),
        _ => AuthRule::AnySecret,
    };
    let application_type = match (flags & TYPE_BITS) >> 2 {
        0 => None,
        1 => Some(ApplicationType::Web),
        2 => Some(ApplicationType::Native),
        _ => return None,
    };
    let issued_at = reader.number()?;
    let name = match flags & HAS_NAME {
        0 => None,
        _ => Some(reader.text()?.to_owned()),
    };
    let scope = match flags & HAS_SCOPE {
        0 => None,
        _ => Some(ScopeSet::parse(reader.text()?).ok()?),
    };
    let mut redirect_uris = Vec::new();
    while !reader.0.is_empty() {
        let prefix = match reader.byte()? {
            0 => "",
            n => PREFIXES.get(usize::from(n) - 1)?,
        };
        // Read again by today's rules: a rule that grows stricter binds old clients too.
        let uri = [prefix, reader.text()?].concat();
        redirect_uris.push(RedirectUri::parse(&uri).ok()?);
    }
    (!redirect_uris.is_empty()).then_some(Registration {
        redirect_uris,
        name,
        auth,
        application_type,
        scope,
        issued_at,
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

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the low ones first, the high bit for "more follows".
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // Refuse what does not fit.
            if bits.checked_shl(shift)? >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests;

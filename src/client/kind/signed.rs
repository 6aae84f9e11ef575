//! Clients that registered themselves. The registration is signed into its own `client_id`: a million
//! registrations cost zero bytes.
//!
//! ```text
//! client_id    = base64url( version(1) || registration || nonce(8) || key(4) || tag(16) )
//! registration = Head, time of issue, name, scope, redirect URIs, keys, by postcard
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

mod shortened;

use std::mem;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use self::shortened::{lengthened, shorten};
use crate::{
    client::{
        auth::{AuthRule, ClientAuthMethod, ClientKeys, DerivedSecrets},
        identified::{Client, ClientKind, Unknown},
        redirect::RedirectUri,
        registration::{ApplicationType, Registration},
    },
    key::{KeyId, MacKey, Rotating},
    limits::MAX_CLIENT_ID,
    oauth::ScopeSet,
    random,
};

/// The format of the id. Another registration, or another [`Head`], is another version, and both are read.
const VERSION: u8 = 1;
/// That of a client that has keys. An instance that does not know it cannot authenticate such a client either.
const KEYED: u8 = 2;
/// No two of the same second meet by chance.
const NONCE_BYTES: usize = 8;
/// The name of the key.
const KEY_BYTES: usize = 4;
/// HMAC-SHA256 cut to 128 bits: RFC 2104 section 5 allows half the hash.
const TAG_BYTES: usize = 16;

/// The registration does not fit into a `client_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TooLarge(&'static str);

impl TooLarge {
    fn of(registration: &Registration) -> Self {
        Self(match registration.keys {
            Some(ClientKeys::Inline(_)) => {
                "the metadata is too large: give the URL of the keys as jwks_uri instead of jwks"
            }
            _ => "the metadata is too large: shorten the name or the redirect URIs",
        })
    }
}

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
            keys: registration.keys,
            scope: registration.scope,
            kind: ClientKind::Signed,
        })
    }

    pub(in crate::client) fn is_secret_of(&self, client_id: &str, presented: &str) -> bool {
        self.secrets.is(client_id, presented)
    }
}

fn sign(registration: &Registration, keys: &Rotating<MacKey>) -> Result<String, TooLarge> {
    let mut signed = pack(registration).ok_or(TooLarge::of(registration))?;
    signed.extend(random::bytes::<NONCE_BYTES>());
    signed.extend(keys.current().id().0);
    let tag = keys.tag(&signed);
    signed.extend(tag.iter().take(TAG_BYTES));
    let client_id = URL_SAFE_NO_PAD.encode(signed);
    if client_id.len() > MAX_CLIENT_ID {
        return Err(TooLarge::of(registration));
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
    matches!(body.first(), Some(&(VERSION | KEYED))).then_some(Parts {
        message,
        body,
        key: KeyId(*key),
        tag,
    })
}

/// What of a registration takes a few bits, as the first byte after the version.
///
/// ```text
/// bits 0-1  version 1: how the client authenticates: the number of its method, or 3 for any secret
///           version 2: by a key: 0 where keys follow the redirect URIs, 1 where their URL does
/// bits 2-3  application type: 0 none, 1 web, 2 native
/// bit  4    a name follows
/// bit  5    a scope follows
/// bits 6-7  how many redirect URIs follow, up to 3; 0 when their number follows
/// ```
struct Head(u8);

/// The number after those of all methods with a secret.
const ANY_SECRET: u8 = 3;
const INLINE_KEYS: u8 = 0;
const KEYS_AT_URL: u8 = 1;
const NAMED: u8 = 1 << 4;
const SCOPED: u8 = 1 << 5;

impl Head {
    /// With its version; `None` where method and keys do not belong together.
    fn of(registration: &Registration) -> Option<(u8, Self)> {
        use ClientAuthMethod::{
            ClientSecretBasic, ClientSecretPost, None as Public, PrivateKeyJwt,
        };
        let (version, auth) = match (registration.auth, &registration.keys) {
            (AuthRule::Exactly(Public), None) => (VERSION, 0),
            (AuthRule::Exactly(ClientSecretBasic), None) => (VERSION, 1),
            (AuthRule::Exactly(ClientSecretPost), None) => (VERSION, 2),
            (AuthRule::AnySecret, None) => (VERSION, ANY_SECRET),
            (AuthRule::Exactly(PrivateKeyJwt), Some(ClientKeys::Inline(_))) => (KEYED, INLINE_KEYS),
            (AuthRule::Exactly(PrivateKeyJwt), Some(ClientKeys::At(_))) => (KEYED, KEYS_AT_URL),
            _ => return None,
        };
        let application_type = match registration.application_type {
            None => 0,
            Some(ApplicationType::Web) => 1,
            Some(ApplicationType::Native) => 2,
        };
        let named = registration.name.as_ref().map_or(0, |_| NAMED);
        let scoped = registration.scope.as_ref().map_or(0, |_| SCOPED);
        let uris = match registration.redirect_uris.len() {
            1 => 1,
            2 => 2,
            3 => 3,
            _ => 0,
        };
        let head = auth | application_type << 2 | named | scoped | uris << 6;
        Some((version, Self(head)))
    }

    /// Of version 1.
    fn auth(&self) -> AuthRule {
        match self.0 & 3 {
            0 => AuthRule::Exactly(ClientAuthMethod::None),
            1 => AuthRule::Exactly(ClientAuthMethod::ClientSecretBasic),
            2 => AuthRule::Exactly(ClientAuthMethod::ClientSecretPost),
            _ => AuthRule::AnySecret,
        }
    }

    /// `None` for a number that stands for no type.
    fn application_type(&self) -> Option<Option<ApplicationType>> {
        match self.0 >> 2 & 3 {
            0 => Some(None),
            1 => Some(Some(ApplicationType::Web)),
            2 => Some(Some(ApplicationType::Native)),
            _ => None,
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    fn uris(&self) -> usize {
        usize::from(self.0 >> 6)
    }
}

/// `None` where the registration cannot be written.
fn pack(registration: &Registration) -> Option<Vec<u8>> {
    let (version, head) = Head::of(registration)?;
    let mut bytes = vec![version, head.0];
    write(&mut bytes, &registration.issued_at)?;
    if let Some(name) = &registration.name {
        write(&mut bytes, name)?;
    }
    if let Some(scope) = &registration.scope {
        write(&mut bytes, scope)?;
    }
    if head.uris() == 0 {
        write(&mut bytes, &registration.redirect_uris.len())?;
    }
    for uri in &registration.redirect_uris {
        write(&mut bytes, &shorten(uri.as_str()))?;
    }
    match &registration.keys {
        None => {}
        Some(ClientKeys::Inline(keys)) => write(&mut bytes, keys)?,
        Some(ClientKeys::At(url)) => write(&mut bytes, &shorten(url))?,
    }
    Some(bytes)
}

fn write(bytes: &mut Vec<u8>, value: &impl Serialize) -> Option<()> {
    let written = postcard::to_extend(value, mem::take(bytes));
    *bytes = written.ok()?;
    Some(())
}

fn unpack(body: &[u8]) -> Option<Registration> {
    let [version, head, rest @ ..] = body else {
        return None;
    };
    let (head, mut rest) = (Head(*head), rest);
    let issued_at = read_next(&mut rest)?;
    let name = match head.has(NAMED) {
        true => Some(read_next::<String>(&mut rest)?),
        false => None,
    };
    // Read again by today's rules: a rule that grows stricter binds old clients too.
    let scope = match head.has(SCOPED) {
        true => Some(ScopeSet::parse(read_next(&mut rest)?).ok()?),
        false => None,
    };
    let count = match head.uris() {
        0 => read_next(&mut rest)?,
        count => count,
    };
    // Each takes two bytes or more.
    let mut redirect_uris = Vec::with_capacity(count.min(rest.len() / 2));
    for _ in 0..count {
        let uri = lengthened(read_next(&mut rest)?)?;
        redirect_uris.push(RedirectUri::parse(&uri).ok()?);
    }
    let (auth, keys) = match (*version, head.0 & 3) {
        (VERSION, _) => (head.auth(), None),
        (KEYED, kind) => {
            let keys = match kind {
                INLINE_KEYS => ClientKeys::Inline(read_next(&mut rest)?),
                KEYS_AT_URL => ClientKeys::At(lengthened(read_next(&mut rest)?)?),
                _ => return None,
            };
            let method = ClientAuthMethod::PrivateKeyJwt;
            (AuthRule::Exactly(method), Some(keys))
        }
        _ => return None,
    };
    let registration = Registration {
        redirect_uris,
        name,
        auth,
        keys,
        application_type: head.application_type()?,
        scope,
        issued_at,
    };
    // Refuses bytes after the end, and whatever else could be said more shortly.
    let is_only_spelling = pack(&registration)? == body;
    (is_only_spelling && !registration.redirect_uris.is_empty()).then_some(registration)
}

fn read_next<'a, T: Deserialize<'a>>(from: &mut &'a [u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(from).ok()?;
    *from = rest;
    Some(value)
}

#[cfg(test)]
mod tests;

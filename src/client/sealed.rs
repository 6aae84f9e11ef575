//! A registration sealed into its own `client_id`: a million registrations cost zero bytes.
//!
//! ```text
//! client_id = base64url( body || tag )        tag = first 16 bytes of HMAC-SHA256(key, body)
//! body      = version(1) flags(1) issued_at(varint)
//!             [ name(length, bytes) ] [ scope(length, bytes) ]
//!             one or more: prefix(1) rest(length, bytes)
//! ```
//!
//! The registration is public, so it is authenticated and not encrypted. It says the same in
//! exactly one way: a `client_id` cannot be respelled into another one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{ApplicationType, ClientAuthMethod, RedirectUri, Registration};
use crate::{
    key::{MacKey, Rotating, constant_time_eq},
    oauth::ScopeSet,
};

/// The longest `client_id`, in characters: it has to fit into URLs, with a `state` and a redirect
/// URI beside it, that common proxies cut off at 8 KiB or less.
pub(crate) const MAX_CLIENT_ID: usize = 1600;
/// HMAC-SHA256 cut to 128 bits: RFC 2104 section 5 allows half the hash.
const TAG_BYTES: usize = 16;
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
#[error("the registration is too large")]
pub(crate) struct TooLarge;

/// Makes the `client_id` of a registration.
pub(crate) fn seal(
    registration: &Registration,
    keys: &Rotating<MacKey>,
) -> Result<String, TooLarge> {
    let mut sealed = encode(registration);
    let tag = keys.tag(&sealed);
    sealed.extend(tag.iter().take(TAG_BYTES));
    let client_id = URL_SAFE_NO_PAD.encode(sealed);
    if client_id.len() > MAX_CLIENT_ID {
        return Err(TooLarge);
    }
    Ok(client_id)
}

/// Reads a `client_id` back; `None` when no key of ours made it.
pub(crate) fn open(client_id: &str, keys: &Rotating<MacKey>) -> Option<Registration> {
    if client_id.len() > MAX_CLIENT_ID {
        return None;
    }
    // Refuses padding, line breaks and stray last bits: one registration, one spelling.
    let sealed = URL_SAFE_NO_PAD.decode(client_id).ok()?;
    let (body, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    if !keys.verify(body, tag) {
        return None;
    }
    decode(body)
}

/// The secret of a confidential client: derived, so that it need not be stored.
pub(crate) fn derive_secret(client_id: &str, keys: &Rotating<MacKey>) -> String {
    secret_by(keys.current(), client_id)
}

/// Compares with the secret of every key, each in constant time.
pub(crate) fn verify_secret(client_id: &str, presented: &str, keys: &Rotating<MacKey>) -> bool {
    keys.all()
        .any(|key| constant_time_eq(secret_by(key, client_id).as_bytes(), presented.as_bytes()))
}

fn secret_by(key: &MacKey, client_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(key.tag(client_id.as_bytes()))
}

fn encode(registration: &Registration) -> Vec<u8> {
    let method = match registration.auth_method {
        ClientAuthMethod::None => 0,
        ClientAuthMethod::ClientSecretBasic => 1,
        ClientAuthMethod::ClientSecretPost => 2,
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
    let auth_method = match flags & METHOD_BITS {
        0 => ClientAuthMethod::None,
        1 => ClientAuthMethod::ClientSecretBasic,
        2 => ClientAuthMethod::ClientSecretPost,
        _ => return None,
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
    Some(Registration {
        redirect_uris,
        name,
        auth_method,
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SecretKey;

    fn keys(secret: u8) -> Rotating<MacKey> {
        let secret = SecretKey::from_bytes([secret; 32]).unwrap();
        Rotating::new(secret.mac("registration"), [])
    }

    fn registration(name: &str, uris: &[&str], auth_method: ClientAuthMethod) -> Registration {
        Registration {
            redirect_uris: uris
                .iter()
                .map(|u| RedirectUri::parse(u).unwrap())
                .collect(),
            name: Some(name.to_owned()),
            auth_method,
            application_type: Some(ApplicationType::Native),
            scope: None,
            issued_at: 1_795_000_000,
        }
    }

    fn real_clients() -> Vec<Registration> {
        use ClientAuthMethod::{ClientSecretPost, None};
        vec![
            registration("Claude", &["https://claude.ai/api/mcp/auth_callback"], None),
            registration(
                "Cursor",
                &[
                    "cursor://anysphere.cursor-mcp/oauth/callback",
                    "https://www.cursor.com/agents/mcp/oauth/callback",
                    "http://localhost:8787/callback",
                ],
                None,
            ),
            registration(
                "Visual Studio Code",
                &[
                    "https://insiders.vscode.dev/redirect",
                    "https://vscode.dev/redirect",
                    "http://127.0.0.1/",
                    "http://127.0.0.1:33418/",
                ],
                None,
            ),
            registration(
                "ChatGPT",
                &["https://chatgpt.com/connector/oauth/AbCdEf123456"],
                None,
            ),
            Registration {
                scope: Some(ScopeSet::parse("openid email profile").unwrap()),
                ..registration(
                    "MCP CLI Proxy",
                    &["http://localhost:3334/oauth/callback"],
                    ClientSecretPost,
                )
            },
            registration(
                "Copilot Studio",
                &["https://global.consent.azure-apim.net/redirect/cr1a2-5ftool-5f0123456789abcdef"],
                None,
            ),
        ]
    }

    #[test]
    fn registrations_of_real_clients_come_back_and_stay_under_200_characters() {
        for registration in real_clients() {
            let client_id = seal(&registration, &keys(1)).unwrap();
            assert!(client_id.len() < 200, "{} {}", client_id.len(), client_id);
            assert_eq!(open(&client_id, &keys(1)), Some(registration));
        }
    }

    #[test]
    fn no_bit_can_be_changed_and_nothing_cut_off_or_added() {
        for registration in real_clients() {
            let client_id = seal(&registration, &keys(1)).unwrap();
            let sealed = URL_SAFE_NO_PAD.decode(&client_id).unwrap();
            for bit in 0..sealed.len() * 8 {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(open(&URL_SAFE_NO_PAD.encode(flipped), &keys(1)), None);
            }
            for end in 0..client_id.len() {
                assert_eq!(open(&client_id[..end], &keys(1)), None);
                assert_eq!(open(&client_id[end + 1..], &keys(1)), None);
            }
            for changed in [
                format!("{client_id}A"),
                format!("{client_id}="),
                format!("{client_id}\n"),
                format!(" {client_id}"),
                format!("{client_id}{client_id}"),
            ] {
                assert_eq!(open(&changed, &keys(1)), None);
            }
        }
    }

    #[test]
    fn a_client_id_has_one_spelling() {
        for registration in real_clients() {
            let client_id = seal(&registration, &keys(1)).unwrap();
            let (rest, last) = client_id.split_at(client_id.len() - 1);
            let others = ('!'..='~').filter(|c| !last.contains(*c));
            for other in others {
                assert_eq!(open(&format!("{rest}{other}"), &keys(1)), None);
            }
        }
    }

    #[test]
    fn a_client_id_of_another_key_is_unknown_and_a_previous_key_still_opens() {
        let registration = real_clients().remove(0);
        let client_id = seal(&registration, &keys(1)).unwrap();
        assert_eq!(open(&client_id, &keys(2)), None);
        let rotated = Rotating::new(keys(2).current().clone(), [keys(1).current().clone()]);
        assert_eq!(open(&client_id, &rotated), Some(registration));
        let secret = derive_secret(&client_id, &keys(1));
        assert!(verify_secret(&client_id, &secret, &rotated));
        assert_ne!(derive_secret(&client_id, &rotated), secret);
    }

    #[test]
    fn another_version_unknown_flags_and_odd_bodies_are_refused_even_when_the_tag_is_right() {
        let good = encode(&real_clients()[1]);
        let opened = |body: &[u8]| {
            let mut sealed = body.to_vec();
            sealed.extend(keys(1).tag(body).iter().take(TAG_BYTES));
            open(&URL_SAFE_NO_PAD.encode(sealed), &keys(1))
        };
        assert!(opened(&good).is_some());
        for (at, byte) in [
            (0, 0),
            (0, 2),
            (1, good[1] | 3),
            (1, good[1] | 12),
            (1, 64),
            (1, 128),
        ] {
            let mut body = good.clone();
            body[at] = byte;
            assert_eq!(opened(&body), None, "byte {at} as {byte}");
        }
        let too_long = [
            1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        let overflowing = [
            1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
        ];
        let unknown_prefix = [1, 0, 0, 200, 1, b'x'];
        let script = [&[1, 0, 0, 0, 14][..], b"javascript://x"].concat();
        for body in [
            &too_long[..],
            &overflowing,
            &unknown_prefix,
            &script,
            &[1],
            &[],
        ] {
            assert_eq!(opened(body), None, "{body:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_on_both_ways() {
        let long = format!("https://h.example/{}", "a".repeat(900));
        let mut registration = registration("x", &[&long], ClientAuthMethod::None);
        assert!(seal(&registration, &keys(1)).is_ok());
        registration
            .redirect_uris
            .push(RedirectUri::parse(&format!("{long}/b")).unwrap());
        assert_eq!(seal(&registration, &keys(1)), Err(TooLarge));
        assert_eq!(open(&"A".repeat(MAX_CLIENT_ID + 1), &keys(1)), None);
    }

    #[test]
    fn a_secret_belongs_to_one_client_id_and_one_key() {
        let secret = derive_secret("client-a", &keys(1));
        assert_eq!(secret.len(), 43);
        assert!(verify_secret("client-a", &secret, &keys(1)));
        assert!(!verify_secret("client-b", &secret, &keys(1)));
        assert!(!verify_secret("client-a", &secret, &keys(2)));
        for wrong in [
            "",
            &secret[..42],
            &format!("{secret}A"),
            &secret.to_uppercase(),
        ] {
            assert!(!verify_secret("client-a", wrong, &keys(1)));
        }
    }

    proptest! {
        #[test]
        fn every_registration_comes_back(
            uris in proptest::collection::vec(
                "(http://localhost(:[1-9][0-9]{0,3})?|https://[a-z]{1,9}\\.example|app:/)/[a-z/]{0,30}", 1..6),
            name in proptest::option::of(any::<String>()),
            scope in proptest::option::of("[a-z:/.]{1,20}( [a-z]{1,9}){0,5}"),
            issued_at in any::<u64>(),
            method in 0..3_usize,
            application in 0..3_usize,
        ) {
            let registration = Registration {
                redirect_uris: uris.iter().map(|u| RedirectUri::parse(u).unwrap()).collect(),
                name,
                auth_method: ClientAuthMethod::ALL[method],
                application_type: [None, Some(ApplicationType::Web), Some(ApplicationType::Native)][application],
                scope: scope.map(|s| ScopeSet::parse(&s).unwrap()),
                issued_at,
            };
            match seal(&registration, &keys(1)) {
                Ok(client_id) => prop_assert_eq!(open(&client_id, &keys(1)), Some(registration)),
                Err(TooLarge) => prop_assert!(encode(&registration).len() > 1_100),
            }
        }

        #[test]
        fn garbage_is_never_a_client(raw in any::<String>(), bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(open(&raw, &keys(1)), None);
            prop_assert_eq!(open(&URL_SAFE_NO_PAD.encode(&bytes), &keys(1)), None);
            // The reader itself stands garbage, too.
            let _ = decode(&bytes);
        }
    }
}

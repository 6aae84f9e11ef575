//! What the parts of a validation cost by themselves, with the libraries that this crate uses and the
//! bytes that it works on: the floor under the whole.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_256, EncryptingKey, UnboundCipherKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use http::Extensions;
use indexmap::IndexMap;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::harness::Contender;

pub(crate) const EXTENSIONS: &str = "`Extensions::insert` into a new map";
pub(crate) const EXTENSIONS_HELD: &str = "`Extensions::insert` into a map that exists";
/// The parts of a first sight, in the order in which they come.
pub(crate) const PARTS: [&str; 9] = [
    "HMAC-SHA256 of the token",
    "base64url of payload and signature",
    "claims, borrowed",
    "SHA-256 of the grant's id, in base64url",
    "record from the map, copied",
    "XAES-256-GCM open of the record",
    "record parsed (postcard)",
    "token into a map",
    EXTENSIONS,
];

/// Claims as they are read: nothing is copied that needs not be.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Claims<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    #[serde(borrow)]
    client_id: Cow<'a, str>,
    #[serde(borrow)]
    scope: Cow<'a, str>,
    iat: u64,
    exp: u64,
    #[serde(borrow)]
    jti: Cow<'a, str>,
    #[serde(borrow)]
    gid: Cow<'a, str>,
}

/// A grant's record in its shape; what stays in memory as a session.
#[derive(Deserialize)]
#[allow(dead_code)]
pub(crate) struct Record {
    provider: String,
    client_id: String,
    subject: String,
    scopes: String,
    resource: String,
    roles: Vec<String>,
    claims: String,
    phase: Phase,
    created_at: u64,
    proven_at: u64,
    listed_until: u64,
    step: u64,
    times: [Option<u64>; 4],
    access_token: String,
    id_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Phase {
    Pending(CodeMark),
    Active {
        generation: u32,
        rotated_at: u64,
        code: Option<CodeMark>,
    },
    Spent(CodeMark),
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct CodeMark {
    hash: String,
    expires_at: u64,
    redirect_uri: String,
    challenge: String,
    method: bool,
}

/// What stands before the fields of a record in the clear: a zero, eight random bytes, the version.
const BEFORE_FIELDS: usize = 1 + 8 + 1;

pub(crate) fn parsed(plain: &[u8]) -> Record {
    let (record, rest) = postcard::take_from_bytes(&plain[BEFORE_FIELDS..]).unwrap();
    assert!(rest.is_empty());
    record
}

/// What is worked on: of many grants, as in the whole. A processor soon knows a single one by heart.
pub(crate) struct Samples {
    tokens: Vec<String>,
    /// Key and value of each grant in the store, unsealed.
    records: Vec<(String, Vec<u8>)>,
}

impl Samples {
    pub(crate) fn new(tokens: &[String], records: &[(String, Vec<u8>)]) -> Self {
        assert_eq!(tokens.len(), records.len());
        Self {
            tokens: tokens.to_vec(),
            records: records.to_vec(),
        }
    }

    fn claims(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.tokens.iter().map(|token| {
            let (signed, signature) = token.rsplit_once('.').unwrap();
            (signed, signed.split_once('.').unwrap().1, signature)
        })
    }

    /// One contender for each part.
    pub(crate) fn contenders(&self) -> Vec<Contender<'_>> {
        let mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        let aes = UnboundCipherKey::new(&AES_256, &[7; 32]);
        let aes = aes.and_then(EncryptingKey::ecb).unwrap();
        let nonce = || Nonce::assume_unique_for_key([7; 12]);
        let session = Arc::new(());
        let same_session = Arc::clone(&session);
        let mut held = Extensions::new();
        held.insert(7_u64);
        let records = self.records.iter();
        let table = Table::new(
            records
                .map(|(key, value)| (key.clone(), value.clone().into()))
                .collect(),
        );
        let mut seen = HashMap::new();
        let decode = |payload| B64.decode(payload).unwrap();
        let claims: Vec<_> = self
            .claims()
            .map(|(_, payload, _)| decode(payload))
            .collect();
        let seal = |(key, plain): &(String, Vec<u8>)| {
            let mut sealed = plain.clone();
            derived(&aes)
                .seal_in_place_append_tag(nonce(), Aad::from(key), &mut sealed)
                .unwrap();
            (key.clone(), sealed)
        };
        let sealed: Vec<_> = self.records.iter().map(seal).collect();
        let [
            hmac,
            base64,
            parse,
            hash,
            get,
            open,
            record,
            put,
            extensions,
        ] = PARTS;
        vec![
            each(hmac, self.claims().collect(), move |(signed, ..)| {
                let mut mac = mac.clone();
                mac.update(signed.as_bytes());
                mac.finalize().into_bytes()
            }),
            each(
                base64,
                self.claims().collect(),
                move |(_, payload, signature)| {
                    let mut tag = [0; 33];
                    let length = B64.decode_slice(signature, &mut tag).unwrap();
                    (B64.decode(payload).unwrap(), length, tag)
                },
            ),
            each(parse, claims, |claims| {
                let claims: Claims<'_> = serde_json::from_slice(claims).unwrap();
                claims.exp
            }),
            Contender::new(hash, || B64.encode(Sha256::digest([7; 16]))),
            each(get, self.records.iter().collect(), move |(key, _)| {
                copy(&table, key)
            }),
            each(open, sealed, move |(key, sealed)| {
                let (text, tag) = sealed.split_last_chunk::<16>().unwrap();
                let mut plain = vec![0; text.len()];
                derived(&aes)
                    .open_separate_gather(nonce(), Aad::from(key), text, tag, &mut plain)
                    .unwrap();
                plain
            }),
            each(record, self.records.iter().collect(), |(_, plain)| {
                parsed(plain)
            }),
            each(put, self.tokens.iter().collect(), move |token| {
                seen.insert(*token, Box::<[u8]>::from(token.as_bytes()))
            }),
            Contender::new(extensions, move || {
                let mut extensions = Extensions::new();
                extensions.insert(Arc::clone(&session));
                extensions
            }),
            Contender::new(EXTENSIONS_HELD, move || {
                held.remove::<Arc<()>>();
                held.insert(Arc::clone(&same_session))
            }),
        ]
    }
}

/// The cipher of one message: its key is two blocks under the key of all.
fn derived(aes: &EncryptingKey) -> LessSafeKey {
    let mut key = [7; 32];
    aes.encrypt(&mut key).unwrap();
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap())
}

/// What the memory store keeps its records in, in one part.
pub(crate) type Table = Mutex<IndexMap<String, Box<[u8]>>>;

pub(crate) fn copy(table: &Table, key: &str) -> Vec<u8> {
    table.lock().unwrap()[key].to_vec()
}

/// A contender that takes its samples in turn.
pub(crate) fn each<'a, T: 'a, R>(
    name: impl Into<String>,
    samples: Vec<T>,
    mut work: impl FnMut(&T) -> R + 'a,
) -> Contender<'a> {
    let mut next = 0;
    Contender::new(name, move || {
        next = (next + 1) % samples.len();
        work(&samples[next])
    })
}

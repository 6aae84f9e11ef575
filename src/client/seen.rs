//! What a login keeps of its client, from authorize to the token endpoint.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    auth::{AuthRule, ClientAuthMethod, ClientKeys},
    identified::{Client, ClientKind},
};
use crate::event::Who;

/// The first byte of what a record keeps.
const VERSION: u8 = 1;

/// A client as authorize saw it. The cookies of a login carry it, and the grant keeps its id.
///
/// The id is enough for most kinds. A signed client's id *is* the registration, so what the token endpoint reads
/// out of it is what authorize saw. A configured client is what the operator says now: where the method or the
/// secret changed in the middle of a login, the client authenticates by the new one. To hold on to the old rule
/// would let a client in that the operator has just asked for a secret, and refresh tokens, which live for weeks,
/// could not be held to it.
///
/// A document can say something else at each look: one who can change it for a moment must not be able to redeem
/// a code that was asked for with another key, or with none. So what it said at authorize goes along, and into
/// the grant's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenClient {
    id: String,
    document: Option<SeenDocument>,
}

/// What counts of a document until the code is redeemed. Its redirect URIs have done their part.
///
/// Browsers hold these fields in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenDocument {
    name: Option<String>,
    proof: SeenProof,
}

/// How the client proves itself. Browsers and records hold the places in this list: append, never reorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum SeenProof {
    /// It is public.
    None,
    /// By one of these keys.
    Key(ClientKeys),
}

impl SeenClient {
    /// As a cookie kept it.
    pub(crate) fn kept(id: String, document: Option<SeenDocument>) -> Self {
        Self { id, document }
    }

    /// As a grant's record kept it; `None` where that cannot be read.
    pub(crate) fn recorded(id: &str, record: &[u8]) -> Option<Self> {
        let (&VERSION, proof) = record.split_first()? else {
            return None;
        };
        let (proof, []) = postcard::take_from_bytes(proof).ok()? else {
            return None;
        };
        let document = Some(SeenDocument { name: None, proof });
        let id = id.to_owned();
        Some(Self { id, document })
    }

    /// For events. The name of other kinds than those with a document is known by the id.
    pub(crate) fn who(&self) -> Who {
        let document = self.document.as_ref();
        let name = document.and_then(|document| document.name.as_deref());
        Who::default().client(&self.id, name)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn document(&self) -> Option<&SeenDocument> {
        self.document.as_ref()
    }

    /// What the grant's record has to keep beside the id.
    pub(crate) fn for_the_record(&self) -> Option<Vec<u8>> {
        let document = self.document.as_ref()?;
        // Bytes and texts, into memory: postcard refuses none of them.
        let written = postcard::to_extend(&document.proof, vec![VERSION]);
        Some(written.unwrap_or_else(|_| unreachable!("keys are texts and bytes")))
    }

    /// The client of a document, as it was seen.
    pub(super) fn as_seen(&self) -> Option<Client> {
        let SeenDocument { name, proof } = self.document.clone()?;
        let (method, keys) = match proof {
            SeenProof::None => (ClientAuthMethod::None, None),
            SeenProof::Key(keys) => (ClientAuthMethod::PrivateKeyJwt, Some(keys)),
        };
        Some(Client {
            id: self.id.clone(),
            name,
            redirect_uris: Vec::new(),
            auth: AuthRule::Exactly(method),
            keys,
            scope: None,
            kind: ClientKind::Document,
        })
    }
}

impl Client {
    /// For events.
    pub(crate) fn who(&self) -> Who {
        Who::default().client(&self.id, self.name.as_deref())
    }

    /// What a login keeps of this client.
    pub(crate) fn seen(&self) -> SeenClient {
        let document = || SeenDocument {
            name: self.name.clone(),
            proof: match &self.keys {
                Some(keys) => SeenProof::Key(keys.clone()),
                None => SeenProof::None,
            },
        };
        SeenClient {
            id: self.id.clone(),
            document: (self.kind == ClientKind::Document).then(document),
        }
    }

    /// Whom a refresh token that the client keeps itself is sealed for. Where that is a client with a document, the
    /// way in which it proves itself belongs to that: one that has been given a token as the holder of a key, or of a
    /// secret when it was configured, is another than one that has just the URL.
    pub(crate) fn holder(&self) -> Cow<'_, str> {
        match self.kind {
            ClientKind::Document if self.auth.has_keys() => Cow::Owned(holder_by(&self.id, KEY)),
            ClientKind::Document => Cow::Owned(holder_by(&self.id, NONE)),
            ClientKind::Configured | ClientKind::Signed => Cow::Borrowed(&self.id),
        }
    }

    /// The same of a client that has a key by now, and may have had none when the token was made.
    pub(crate) fn weaker_holder(&self) -> Option<String> {
        let has_key = self.kind == ClientKind::Document && self.auth.has_keys();
        has_key.then(|| holder_by(&self.id, NONE))
    }

    /// Each that a client of this id can be.
    pub(crate) fn holders(id: &str) -> [String; 3] {
        [id.to_owned(), holder_by(id, NONE), holder_by(id, KEY)]
    }

    /// Whether a client may go on with a grant whose login left this record. One with a document has to prove itself
    /// at least as well as then: what was given to the holder of a key is not for one who has read its refresh
    /// token, also where the document asks for no key any more. A login without a record was another kind of
    /// client's, which had this id. What cannot be read asks for a key.
    pub(crate) fn may_go_on_with(&self, record: Option<&[u8]>) -> bool {
        if self.kind != ClientKind::Document || self.auth.has_keys() && record.is_some() {
            return true;
        }
        let login = record.and_then(|record| SeenClient::recorded(&self.id, record));
        let login = login.and_then(|seen| seen.as_seen());
        login.is_some_and(|login| !login.auth.has_keys())
    }
}

const NONE: &str = "none";
const KEY: &str = "private_key_jwt";

fn holder_by(id: &str, method: &str) -> String {
    // No id holds a line break.
    [id, "\n", method].concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client(kind: ClientKind, keys: Option<ClientKeys>) -> Client {
        let method = match keys {
            Some(_) => ClientAuthMethod::PrivateKeyJwt,
            None => ClientAuthMethod::None,
        };
        Client {
            id: "https://client.example/app".into(),
            name: Some("Kit".into()),
            redirect_uris: Vec::new(),
            auth: AuthRule::Exactly(method),
            keys,
            scope: None,
            kind,
        }
    }

    fn at() -> Option<ClientKeys> {
        let uri = json!("https://client.example/keys");
        Some(ClientKeys::read(None, Some(&uri)).unwrap())
    }

    fn public_record() -> Vec<u8> {
        let public = client(ClientKind::Document, None).seen();
        public.for_the_record().unwrap()
    }

    #[test]
    fn what_a_document_said_goes_along_whole_and_of_other_kinds_the_id_alone() {
        for keys in [None, at()] {
            let client = client(ClientKind::Document, keys);
            let seen = client.seen();
            assert_eq!(seen.as_seen().as_ref(), Some(&client));
            let record = seen.for_the_record().unwrap();
            let recorded = SeenClient::recorded(&client.id, &record).unwrap();
            let unnamed = Client {
                name: None,
                ..client
            };
            assert_eq!(recorded.as_seen(), Some(unnamed));
        }
        for kind in [ClientKind::Configured, ClientKind::Signed] {
            let seen = client(kind, None).seen();
            assert_eq!((seen.document(), seen.for_the_record()), (None, None));
        }
    }

    /// **Never change these**: another version adds its own, and these are still read.
    #[test]
    fn a_record_of_version_1_is_read_and_written_the_same() {
        for (keys, sample) in [
            (None, &b"\x01\x00"[..]),
            (at(), &b"\x01\x01\x01\x1bhttps://client.example/keys"[..]),
        ] {
            let seen = client(ClientKind::Document, keys).seen();
            assert_eq!(seen.for_the_record().as_deref(), Some(sample));
        }
        for bad in [&b""[..], b"\x01", b"\x02\x00", b"\x01\x00\x00", b"\x01\x02"] {
            assert_eq!(SeenClient::recorded("id", bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_login_with_a_key_is_carried_on_with_a_key_alone() {
        let (public, keyed) = (
            client(ClientKind::Document, None),
            client(ClientKind::Document, at()),
        );
        let keyed_record = keyed.seen().for_the_record().unwrap();
        let public_record = public_record();
        for (now, record, may) in [
            (&public, Some(&*public_record), true),
            (&keyed, Some(&*public_record), true),
            (&keyed, Some(&*keyed_record), true),
            (&public, Some(&*keyed_record), false),
            // Not to be read: never the weaker way.
            (&public, Some(&b"?"[..]), false),
            (&keyed, Some(&b"?"[..]), true),
            // A login of a configured client, which had this id.
            (&public, None, false),
            (&keyed, None, false),
        ] {
            assert_eq!(now.may_go_on_with(record), may);
        }
        for kind in [ClientKind::Configured, ClientKind::Signed] {
            let other = client(kind, None);
            assert!(other.may_go_on_with(None) && other.may_go_on_with(Some(&keyed_record)));
        }
    }

    #[test]
    fn what_a_client_keeps_itself_is_sealed_for_the_way_in_which_it_proves_itself() {
        let holders = |kind, keys| {
            let client = client(kind, keys);
            (client.holder().into_owned(), client.weaker_holder())
        };
        let (public, none) = holders(ClientKind::Document, None);
        let (keyed, weaker) = holders(ClientKind::Document, at());
        assert_eq!((none, weaker), (None, Some(public.clone())));
        let (plain, none) = holders(ClientKind::Configured, None);
        assert_eq!(none, None);
        assert!(public != keyed && public != plain && keyed != plain);
    }
}

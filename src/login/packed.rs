//! Text that mostly is base64url (ids, secrets, a client's `state`), as the bytes that it encodes: a
//! cookie is base64url itself, and would carry it with a third more.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Packed {
    Text(String),
    Base64Url(Vec<u8>),
}

impl Packed {
    /// The decoder takes no padding and no stray bits, so what it reads is encoded as it was.
    fn of(text: &str) -> Self {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) => Self::Base64Url(bytes),
            Err(_) => Self::Text(text.to_owned()),
        }
    }

    fn unpacked(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Base64Url(bytes) => URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

/// For `#[serde(with = …)]` on a `String`.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Packed;

    pub(in crate::login) fn serialize<S: Serializer>(
        text: &str,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Packed::of(text).serialize(serializer)
    }

    pub(in crate::login) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<String, D::Error> {
        Packed::deserialize(deserializer).map(Packed::unpacked)
    }
}

/// The same on a client: its id, and what its document said.
pub(super) mod client {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Packed;
    use crate::client::{SeenClient, SeenDocument};

    /// The first two are the bytes of [`Packed`], which stood there alone before there were documents.
    #[derive(Serialize, Deserialize)]
    enum Written {
        Text(String),
        Base64Url(Vec<u8>),
        Document(String, SeenDocument),
    }

    pub(in crate::login) fn serialize<S: Serializer>(
        client: &SeenClient,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let id = client.id();
        let written = match client.document() {
            Some(document) => Written::Document(id.to_owned(), document.clone()),
            None => match Packed::of(id) {
                Packed::Text(text) => Written::Text(text),
                Packed::Base64Url(bytes) => Written::Base64Url(bytes),
            },
        };
        written.serialize(serializer)
    }

    pub(in crate::login) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SeenClient, D::Error> {
        let (id, document) = match Written::deserialize(deserializer)? {
            Written::Text(text) => (text, None),
            Written::Base64Url(bytes) => (Packed::Base64Url(bytes).unpacked(), None),
            Written::Document(id, document) => (id, Some(document)),
        };
        Ok(SeenClient::kept(id, document))
    }
}

/// The same on an `Option<String>`.
pub(super) mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Packed;

    #[allow(clippy::ref_option, reason = "serde's form")]
    pub(in crate::login) fn serialize<S: Serializer>(
        text: &Option<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_deref().map(Packed::of).serialize(serializer)
    }

    pub(in crate::login) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        let packed = Option::<Packed>::deserialize(deserializer)?;
        Ok(packed.map(Packed::unpacked))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64url_takes_its_bytes_and_other_text_its_length() {
        let size = |text: &str| postcard::to_allocvec(&Packed::of(text)).unwrap().len();
        assert_eq!(size(&"A".repeat(400)), 2 + 1 + 300);
        assert_eq!(size(&"A.".repeat(200)), 2 + 1 + 400);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(text in "[A-Za-z0-9_=+/. -]{0,9}|\\PC{0,9}") {
            prop_assert_eq!(Packed::of(&text).unpacked(), text);
        }
    }
}

//! The provider's claims that a grant keeps and the proxy's tokens carry.

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Claims as the JSON text that stands in the grant's record, parsed when someone reads one.
///
/// Most requests never look at a claim, and parsing would cost a first sight more than the rest of the
/// record.
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct CarriedClaims {
    /// A JSON object, or empty where there are no claims.
    json: Box<str>,
    parsed: OnceLock<Map<String, Value>>,
}

impl CarriedClaims {
    /// The claims. Text that is not a JSON object, which only someone else could have stored, holds none.
    pub(crate) fn map(&self) -> &Map<String, Value> {
        let parse = || serde_json::from_str(&self.json).unwrap_or_default();
        self.parsed.get_or_init(parse)
    }

    /// As they are stored.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// About what they take in memory once they are parsed, in bytes.
    pub(crate) fn size(&self) -> usize {
        // A node of a map for each value, and the text once more: each value but the first of its
        // list has a comma before it.
        const EACH: usize = 128;
        let commas = self.json.bytes().filter(|byte| *byte == b',').count();
        match self.json.len() {
            0 => 0,
            text => 2 * text + (commas + 1) * EACH,
        }
    }
}

impl From<Map<String, Value>> for CarriedClaims {
    fn from(claims: Map<String, Value>) -> Self {
        let json = match claims.is_empty() {
            true => String::new(),
            false => Value::Object(claims.clone()).to_string(),
        };
        Self {
            json: json.into(),
            parsed: claims.into(),
        }
    }
}

impl PartialEq for CarriedClaims {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json || self.map() == other.map()
    }
}

impl Serialize for CarriedClaims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.json)
    }
}

impl<'de> Deserialize<'de> for CarriedClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            json: Box::deserialize(deserializer)?,
            parsed: OnceLock::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(claims: &Value) -> Map<String, Value> {
        claims.as_object().unwrap().clone()
    }

    fn stored(json: &str) -> CarriedClaims {
        CarriedClaims {
            json: json.into(),
            parsed: OnceLock::new(),
        }
    }

    #[test]
    fn claims_are_the_same_before_and_after_they_were_text() {
        for claims in [
            json!({}),
            json!({"name": "Ada, \"é\"", "age": 7, "groups": ["a", {"b": null}]}),
        ] {
            let made = CarriedClaims::from(map(&claims));
            assert_eq!(made.map(), &map(&claims));
            assert_eq!(stored(made.json()).map(), made.map());
            assert!(stored(made.json()) == made);
        }
        assert_eq!(CarriedClaims::from(Map::new()).json(), "");
        assert!(stored(r#"{"a":1, "b":2}"#) == stored(r#"{"b":2,"a":1}"#));
        assert!(stored(r#"{"a":1}"#) != stored(r#"{"a":2}"#));
    }

    #[test]
    fn text_that_is_no_object_says_nothing() {
        for odd in ["{", "[1]", "null", "\"name\"", r#"{"a":1}x"#] {
            assert!(stored(odd).map().is_empty(), "{odd}");
        }
    }
}

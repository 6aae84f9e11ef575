//! The provider's claims that a grant keeps and the proxy's tokens carry.

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Claims as the JSON text that stands in a grant's record, or as they were parsed: each is made of the other
/// when someone asks for it.
///
/// Most requests never look at a claim, and parsing would cost a first sight more than the rest of the
/// record. In passthrough mode no record is written, and no text.
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct CarriedClaims {
    /// A JSON object, or empty where there are no claims.
    json: OnceLock<Box<str>>,
    parsed: OnceLock<Map<String, Value>>,
}

impl CarriedClaims {
    /// The claims. Text that is not a JSON object, which only someone else could have stored, holds none.
    pub(crate) fn map(&self) -> &Map<String, Value> {
        let json = || self.json.get().map_or("", |json| json);
        let parse = || serde_json::from_str(json()).unwrap_or_default();
        self.parsed.get_or_init(parse)
    }

    /// As they are stored.
    pub(crate) fn json(&self) -> &str {
        self.json.get_or_init(|| match self.parsed.get() {
            // A map of values always serialises.
            Some(claims) if !claims.is_empty() => {
                serde_json::to_string(claims).unwrap_or_default().into()
            }
            _ => Box::default(),
        })
    }

    /// About what they take in memory once both are there, in bytes.
    pub(crate) fn size(&self) -> usize {
        match (self.json.get(), self.parsed.get()) {
            (None, Some(claims)) => size_of_members(claims),
            (json, _) => json.map_or(0, |json| size_of_text(json)),
        }
    }
}

/// A node of a map for each value, and its text twice.
const EACH: usize = 128;

fn size_of_text(json: &str) -> usize {
    // Each value but the first of its list has a comma before it.
    let commas = json.bytes().filter(|byte| *byte == b',').count();
    match json.len() {
        0 => 0,
        text => 2 * text + (commas + 1) * EACH,
    }
}

fn size_of_members(claims: &Map<String, Value>) -> usize {
    let member = |(name, value): (&String, &Value)| 2 * name.len() + size_of(value);
    claims.iter().map(member).sum()
}

fn size_of(value: &Value) -> usize {
    EACH + match value {
        Value::String(text) => 2 * text.len(),
        Value::Array(list) => list.iter().map(size_of).sum(),
        Value::Object(members) => size_of_members(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

impl From<Map<String, Value>> for CarriedClaims {
    fn from(claims: Map<String, Value>) -> Self {
        Self {
            json: OnceLock::new(),
            parsed: claims.into(),
        }
    }
}

impl PartialEq for CarriedClaims {
    fn eq(&self, other: &Self) -> bool {
        let is_same_text = self.json.get().is_some() && self.json.get() == other.json.get();
        is_same_text || self.map() == other.map()
    }
}

impl Serialize for CarriedClaims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.json())
    }
}

impl<'de> Deserialize<'de> for CarriedClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            json: Box::<str>::deserialize(deserializer)?.into(),
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
            json: Box::<str>::from(json).into(),
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

    #[test]
    fn claims_count_about_the_same_as_text_and_as_values() {
        let list: Vec<_> = (0..50).map(|n| format!("group-{n}")).collect();
        for claims in [
            json!({"sub": "ada", "age": 7, "email": "ada@example.com", "active": true}),
            json!({ "groups": list }),
            json!({"realm_access": {"roles": ["a", "b"]}, "text": "x".repeat(4000)}),
        ] {
            let made = CarriedClaims::from(map(&claims));
            let values = made.size();
            let text = stored(made.json()).size();
            assert_eq!(made.size(), text);
            assert!(values < 2 * text && text < 2 * values, "{values} {text}");
        }
        assert_eq!(CarriedClaims::default().size(), 0);
        assert_eq!(CarriedClaims::from(Map::new()).size(), 0);
    }
}

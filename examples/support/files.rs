//! Files that variables name: texts, and lists in JSON of which nothing is guessed.

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::env::{Env, Refusal};

impl Env {
    /// The texts of the files that a variable names, separated by commas.
    pub(super) fn files(&self, variable: &str) -> Result<Vec<(String, String)>, Refusal> {
        let paths = self.optional(variable).into_iter();
        let paths = paths.flat_map(|paths| paths.split(',').map(str::trim));
        paths
            .map(|path| Ok((path.to_owned(), read(variable, path)?)))
            .collect()
    }

    /// The entries of the JSON list in the file that a variable names, or in the variable itself when that
    /// begins with `[`.
    pub(super) fn entries<T: DeserializeOwned>(
        &self,
        variable: &str,
    ) -> Result<Vec<Entry<T>>, Refusal> {
        let Some(value) = self.optional(variable) else {
            return Ok(Vec::new());
        };
        let (place, text) = match value.starts_with('[') {
            true => (variable.to_owned(), value.to_owned()),
            false => (format!("{variable}: {value}"), read(variable, value)?),
        };
        // The error names the line.
        let entries: Vec<T> =
            serde_json::from_str(&text).map_err(|error| Refusal(format!("{place}: {error}")))?;
        let entries = entries.into_iter().zip(1..);
        let entries = entries.map(|(value, number)| Entry {
            value,
            place: format!("{place}: entry {number}"),
        });
        Ok(entries.collect())
    }
}

/// One entry of a list, and where it stands.
pub(super) struct Entry<T> {
    pub(super) value: T,
    place: String,
}

impl<T> Entry<T> {
    /// What is wrong with it; `name` is what the entry calls itself.
    pub(super) fn refusal(&self, name: &str, why: impl Display) -> Refusal {
        Refusal(format!("{} (`{}`): {why}", self.place, name.escape_debug()))
    }
}

fn read(variable: &str, path: &str) -> Result<String, Refusal> {
    let refused = |error| Refusal(format!("{variable}: {path}: {error}"));
    std::fs::read_to_string(path).map_err(refused)
}

/// The SHA-256 of a secret: 64 hexadecimal digits, with or without `sha256:` before them.
/// `printf %s "$SECRET" | sha256sum` prints it.
pub(super) struct Hash(pub(super) String);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("sha256:").unwrap_or(&text);
        let is_hash = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hash {
            true => Ok(Self(format!("sha256:{}", digits.to_ascii_lowercase()))),
            // The value is not shown: it may be the secret itself, in the wrong place.
            false => Err(serde::de::Error::custom(
                "a hash is not 64 hexadecimal digits of SHA-256",
            )),
        }
    }
}

/// A secret as it is. Never printed, wherever it stands by mistake.
pub(super) struct Secret(pub(super) String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(secret) => Ok(Self(secret)),
            _ => Err(serde::de::Error::custom("a secret is not a text")),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

//! Many keys in one text.

use serde::Deserialize;

use super::{OPTION, configured_key::ApiKey, day::instant, key_text::PREFIX};
use crate::error::ConfigError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    hash: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    expires: Option<String>,
    resource: Option<String>,
}

impl ApiKey {
    /// Reads many keys from a text, such as a file: one JSON object in each line, or one JSON array of them.
    /// Empty lines and lines that begin with `#` are skipped.
    ///
    /// ```text
    /// # the team's programs
    /// {"name": "ci", "hash": "sha256:ba78…15ad", "scopes": ["read"], "roles": ["bot"], "expires": "2027-06-30"}
    /// {"name": "nightly", "hash": "sha256:248d…06c1", "resource": "https://mcp.example.com/mcp"}
    /// ```
    ///
    /// | member | | |
    /// |---|---|---|
    /// | `name`, `hash` | required | as in [`new`](Self::new) |
    /// | `scopes`, `roles` | default: none | lists of texts |
    /// | `expires` | default: never | the first instant at which the key is refused: `2027-06-30` (midnight UTC) or `2027-06-30T12:00:00Z` |
    /// | `resource` | default: the base URL | as in [`resource`](Self::resource) |
    ///
    /// A member with another name is refused: a misspelt `expires` would make a key that never ends.
    ///
    /// ```
    /// use tower_oauth_proxy::ApiKey;
    ///
    /// let lines = [ApiKey::generate().line("ci"), ApiKey::generate().line("nightly")];
    /// assert_eq!(ApiKey::parse_all(&lines.join("\n"))?.len(), 2);
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the line, and never quotes a key that stands there by mistake.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, ConfigError> {
        read(text)
    }
}

fn read(text: &str) -> Result<Vec<ApiKey>, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('[') {
        let lines: Vec<Line> =
            serde_json::from_str(text).map_err(|why| refuse(&at_line(why.line()), &why))?;
        let lines = lines.into_iter().enumerate();
        return lines
            .map(|(at, line)| key(&format!("entry {}", at + 1), line))
            .collect();
    }
    let lines = text.lines().enumerate();
    let lines = lines.map(|(at, line)| (at_line(at + 1), line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(at, line)| {
            key(
                &at,
                serde_json::from_str(line).map_err(|why| refuse(&at, &why))?,
            )
        })
        .collect()
}

fn at_line(number: usize) -> String {
    format!("line {number}")
}

fn key(at: &str, line: Line) -> Result<ApiKey, ConfigError> {
    let expires_at = match &line.expires {
        None => None,
        Some(said) => Some(instant(said).ok_or_else(|| {
            refuse(
                at,
                &"`expires` is no time: write `2027-06-30` or `2027-06-30T12:00:00Z`",
            )
        })?),
    };
    Ok(ApiKey {
        name: line.name,
        hash: line.hash,
        scopes: line.scopes,
        roles: line.roles,
        expires_at,
        resource: line.resource,
    })
}

/// The parser quotes what it finds, and that may be a key in a wrong place.
fn refuse(at: &str, why: &dyn std::fmt::Display) -> ConfigError {
    let why = why.to_string();
    let why = match why.contains(PREFIX) {
        true => "there is a key where something else belongs: only its hash stands in the file",
        false => &why,
    };
    ConfigError::new(OPTION, format!("{at} of the file: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Unix;

    const FILE: &str = r#"
        # the team's programs
        {"name": "ci", "hash": "sha256:00", "scopes": ["read", "write"], "roles": ["bot"], "expires": "2027-06-30"}

        {"name": "nightly", "hash": "sha256:01", "resource": "https://h.example/mcp"}
    "#;

    #[test]
    fn keys_stand_in_lines_or_in_an_array() {
        let array = FILE.replace("# the team's programs", "[");
        let array = array.replace("\"2027-06-30\"}", "\"2027-06-30\"},") + "]";
        for text in [
            FILE,
            &array,
            &format!("\u{feff}{FILE}"),
            &FILE.replace('\n', "\r\n"),
        ] {
            let keys = read(text).unwrap();
            let [ci, nightly] = &keys[..] else {
                panic!("{keys:?}")
            };
            assert_eq!((&*ci.name, &*ci.hash), ("ci", "sha256:00"));
            assert_eq!(
                (&ci.scopes[..], &ci.roles[..]),
                (&["read".into(), "write".into()][..], &["bot".into()][..])
            );
            assert_eq!(ci.expires_at, Some(Unix::at(1_814_313_600)));
            assert_eq!((nightly.expires_at, nightly.scopes.len()), (None, 0));
            assert_eq!(nightly.resource.as_deref(), Some("https://h.example/mcp"));
        }
        for none in ["", "\n # nothing\n", "[]"] {
            assert!(read(none).unwrap().is_empty(), "{none:?}");
        }
    }

    #[test]
    fn a_line_that_says_something_else_is_refused_and_named_and_no_key_is_quoted() {
        for (line, words) in [
            (r#"{"name": "a"}"#, "missing field `hash`"),
            (
                r#"{"name": "a", "hash": "h", "expire": "2027-01-01"}"#,
                "unknown field `expire`",
            ),
            (
                r#"{"name": "a", "name": "b", "hash": "h"}"#,
                "duplicate field `name`",
            ),
            (
                r#"{"name": "a", "hash": "h", "scopes": "read"}"#,
                "invalid type",
            ),
            (
                r#"{"name": "a", "hash": "h", "expires": 1798761600}"#,
                "invalid type",
            ),
            (
                r#"{"name": "a", "hash": "h", "expires": "soon"}"#,
                "`expires` is no time",
            ),
            (
                r#"{"name": "a", "hash": "h", "scopes": "topkey_SECRET"}"#,
                "a key where something else",
            ),
            (r#"{"topkey_SECRET": "a"}"#, "a key where something else"),
            (r#"{"name": "a", "hash": "h"} x"#, "trailing characters"),
            ("topkey_SECRET", "expected"),
            ("name=a", "expected"),
        ] {
            let text = format!("# one\n\n{line}\n");
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains("`api_keys`: line 3 of the file"), "{error}");
            assert!(error.contains(words), "{line}: {error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
}

//! What the tables are called, and what they are made of.

use sha2::{Digest, Sha256};

/// PostgreSQL cuts longer names off without a word.
const MAX_NAME: usize = 63;
/// So that the longest name made of it, an index's, is below that.
const MAX_PREFIX: usize = 40;

/// The tables of one store, named in full and quoted.
pub(super) struct Tables {
    /// Where they are; `None` for wherever the connection's `search_path` says.
    pub(super) schema: Option<String>,
    pub(super) prefix: String,
    pub(super) records: String,
    pub(super) members: String,
    /// Its one row is the version of all of them.
    pub(super) version: String,
}

impl Tables {
    /// The text of an error says what names are good.
    pub(super) fn named(schema: Option<String>, prefix: String) -> Result<Self, String> {
        if let Some(schema) = &schema {
            check(schema, MAX_NAME).map_err(|rule| format!("a schema {rule}"))?;
        }
        check(&prefix, MAX_PREFIX).map_err(|rule| format!("a prefix of tables {rule}"))?;
        let table = |name: &str| match &schema {
            Some(schema) => format!("\"{schema}\".\"{prefix}{name}\""),
            None => format!("\"{prefix}{name}\""),
        };
        Ok(Self {
            records: table("records"),
            members: table("members"),
            version: table("version"),
            schema,
            prefix,
        })
    }

    /// The number of the lock under which they are made: the same in every process.
    pub(super) fn lock(&self) -> i64 {
        let hash = Sha256::digest(format!("tower-oauth-proxy {}", self.version));
        let mut number = [0; 8];
        for (to, from) in number.iter_mut().zip(hash) {
            *to = from;
        }
        i64::from_be_bytes(number)
    }

    /// Version 1.
    ///
    /// Sealed values cannot be compressed, so PostgreSQL need not try. Rows are short-lived: the tables are
    /// vacuumed when a twentieth is dead, not a fifth.
    pub(super) fn definition(&self) -> String {
        let Self {
            records,
            members,
            version,
            prefix,
            ..
        } = self;
        let vacuum = "WITH (autovacuum_vacuum_scale_factor = 0.05";
        format!(
            "CREATE TABLE {records} (
                key text COLLATE \"C\" PRIMARY KEY,
                value bytea NOT NULL,
                expires_at timestamptz NOT NULL
            ) {vacuum}, toast.autovacuum_vacuum_scale_factor = 0.05);
            ALTER TABLE {records} ALTER COLUMN value SET STORAGE EXTERNAL;
            CREATE INDEX \"{prefix}records_by_expiry\" ON {records} (expires_at);
            CREATE TABLE {members} (
                list text COLLATE \"C\" NOT NULL,
                member text COLLATE \"C\" NOT NULL,
                ends_at timestamptz NOT NULL,
                PRIMARY KEY (list, member)
            ) {vacuum});
            CREATE INDEX \"{prefix}members_in_order\" ON {members} (list, ends_at, member);
            CREATE INDEX \"{prefix}members_by_end\" ON {members} (ends_at);
            CREATE TABLE {version} (version integer NOT NULL);"
        )
    }
}

/// Lower case alone: what tools show unquoted is then the same name.
fn check(name: &str, most: usize) -> Result<(), String> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let begins_well = !name.starts_with(|first: char| first.is_ascii_digit());
    if name.is_empty() || name.len() > most || !name.bytes().all(is_plain) || !begins_well {
        return Err(format!(
            "has 1 to {most} lower-case letters, digits and underscores, and begins with no digit"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(schema: Option<&str>, prefix: &str) -> Result<Tables, String> {
        Tables::named(schema.map(str::to_owned), prefix.to_owned())
    }

    #[test]
    fn a_name_that_could_leave_its_quotes_or_be_cut_off_is_refused() {
        let longest = "p".repeat(MAX_PREFIX);
        for good in ["oauth_proxy_", "_", "a1", &longest] {
            assert!(named(Some(good), good).is_ok(), "{good}");
        }
        let too_long = "p".repeat(MAX_NAME + 1);
        for bad in ["", "A", "a b", "a\"", "1a", "ü", "a.b", "a\0", &too_long] {
            assert!(named(Some(bad), "a_").is_err(), "{bad}");
            assert!(named(None, bad).is_err(), "{bad}");
        }
        let longest_index = format!("{longest}members_in_order").len();
        assert!(longest_index <= MAX_NAME);
    }

    #[test]
    fn tables_of_other_names_are_made_under_another_lock() {
        let lock = |schema, prefix| named(schema, prefix).unwrap().lock();
        assert_eq!(lock(None, "a_"), lock(None, "a_"));
        assert_ne!(lock(None, "a_"), lock(None, "b_"));
        assert_ne!(lock(None, "a_"), lock(Some("s"), "a_"));
    }
}

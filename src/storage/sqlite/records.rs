//! The verbs as SQL, on one connection.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Statement, ffi::ErrorCode, params};

use super::queue::Request;
use crate::error::StorageError;

pub(super) const SCHEMA: &str = "
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        value BLOB NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX records_by_expiry ON records (expires_at);";

/// Since version 2 of the schema.
pub(super) const LISTS: &str = "
    CREATE TABLE members (
        id INTEGER PRIMARY KEY,
        list TEXT NOT NULL,
        member TEXT NOT NULL,
        ends_at INTEGER NOT NULL,
        UNIQUE (list, member)
    ) STRICT;
    CREATE INDEX members_in_order ON members (list, ends_at, member);
    CREATE INDEX members_by_end ON members (ends_at);";

/// How long after its expiry a record's room is reclaimed: a clock that jumps ahead and back again,
/// within this, costs no one a login.
const SWEEP_DELAY: Duration = Duration::from_secs(60);
/// Free pages are given back to the file system when they are this many (4 MiB) and a quarter of the
/// file: below that the next writes will want them.
const MIN_FREE_PAGES: i64 = 1024;
/// Pages released at a time; each has to be moved: about a millisecond.
const RELEASE_PAGES: i64 = 64;

/// Read a record, or a page of a list. Times are milliseconds since the Unix epoch, of the caller's
/// clock.
pub(super) struct Read {
    pub(super) key: String,
    pub(super) now: i64,
    pub(super) what: What,
}

pub(super) enum What {
    Record,
    /// Members behind this place, up to a number.
    Members {
        end: i64,
        member: String,
        limit: usize,
    },
}

/// What a [`Read`] found.
pub(super) enum Found {
    Record(Option<Vec<u8>>),
    Members(Vec<(u64, String)>),
}

/// Change a record or a list.
pub(super) struct Write {
    pub(super) key: String,
    pub(super) verb: Verb,
    pub(super) now: i64,
}

pub(super) enum Verb {
    Set {
        value: Vec<u8>,
        expires_at: i64,
    },
    Insert {
        value: Vec<u8>,
        expires_at: i64,
    },
    Take,
    Swap {
        expected: Vec<u8>,
        new: Vec<u8>,
        expires_at: i64,
    },
    Remove,
    Add {
        member: String,
        ends_at: i64,
    },
    Unlist {
        member: String,
    },
}

/// What a change came to: whether it changed a record, and what [`Verb::Take`] took.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) changed: bool,
    pub(super) taken: Option<Vec<u8>>,
}

impl Request for Read {
    type Answer = Found;
}

impl Request for Write {
    type Answer = Outcome;
}

pub(super) struct Reader<'c> {
    get: Statement<'c>,
    members: Statement<'c>,
}

impl<'c> Reader<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let get =
            connection.prepare("SELECT value FROM records WHERE key = ?1 AND expires_at > ?2")?;
        let members = connection.prepare(
            "SELECT ends_at, member FROM members
             WHERE list = ?1 AND (ends_at, member) > (?2, ?3) AND ends_at > ?4
             ORDER BY ends_at, member LIMIT ?5",
        )?;
        Ok(Self { get, members })
    }

    pub(super) fn read(&mut self, read: &Read) -> rusqlite::Result<Found> {
        let Read { key, now, what } = read;
        match what {
            What::Record => {
                let row = self.get.query_row(params![key, now], |row| row.get(0));
                row.optional().map(Found::Record)
            }
            What::Members { end, member, limit } => {
                let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
                let row = params![key, end.max(now), member, now, limit];
                let rows = self.members.query_map(row, |row| {
                    let end: i64 = row.get(0)?;
                    Ok((end.unsigned_abs(), row.get(1)?))
                })?;
                rows.collect::<Result<_, _>>().map(Found::Members)
            }
        }
    }
}

pub(super) struct Writer<'c> {
    connection: &'c Connection,
    set: Statement<'c>,
    insert: Statement<'c>,
    take: Statement<'c>,
    swap: Statement<'c>,
    remove: Statement<'c>,
    add: Statement<'c>,
    unlist: Statement<'c>,
    sweep: Statement<'c>,
    sweep_lists: Statement<'c>,
    release: Statement<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        const UPSERT: &str = "INSERT INTO records (key, value, expires_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
        Ok(Self {
            connection,
            set: connection.prepare(UPSERT)?,
            insert: connection.prepare(&format!("{UPSERT} WHERE records.expires_at <= ?4"))?,
            take: connection
                .prepare("DELETE FROM records WHERE key = ?1 RETURNING value, expires_at > ?2")?,
            swap: connection.prepare(
                "UPDATE records SET value = ?3, expires_at = ?4
                 WHERE key = ?1 AND value = ?2 AND expires_at > ?5",
            )?,
            remove: connection.prepare("DELETE FROM records WHERE key = ?1")?,
            add: connection.prepare(
                "INSERT INTO members (list, member, ends_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (list, member) DO UPDATE SET ends_at = excluded.ends_at
                 WHERE members.ends_at < excluded.ends_at",
            )?,
            unlist: connection.prepare("DELETE FROM members WHERE list = ?1 AND member = ?2")?,
            sweep: connection.prepare(
                "DELETE FROM records WHERE id IN (
                     SELECT id FROM records WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
            )?,
            sweep_lists: connection.prepare(
                "DELETE FROM members WHERE id IN (
                     SELECT id FROM members WHERE ends_at <= ?1 ORDER BY ends_at LIMIT ?2)",
            )?,
            release: connection.prepare(&format!("PRAGMA incremental_vacuum({RELEASE_PAGES})"))?,
        })
    }

    /// Takes the write lock of the file; fails at once where another holds it.
    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.roll_back()?;
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    /// Ends the transaction that is open, if one is: some errors have ended it already.
    pub(super) fn roll_back(&self) -> rusqlite::Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK")
    }

    pub(super) fn apply(&mut self, write: &Write) -> rusqlite::Result<Outcome> {
        let Write { key, verb, now } = write;
        let changed = match verb {
            Verb::Set { value, expires_at } => self.set.execute(params![key, value, expires_at])?,
            Verb::Insert { value, expires_at } => {
                let row = params![key, value, expires_at, now];
                self.insert.execute(row)?
            }
            Verb::Swap {
                expected,
                new,
                expires_at,
            } => {
                let row = params![key, expected, new, expires_at, now];
                self.swap.execute(row)?
            }
            Verb::Remove => self.remove.execute([key])?,
            Verb::Add { member, ends_at } => self.add.execute(params![key, member, ends_at])?,
            Verb::Unlist { member } => self.unlist.execute([key, member])?,
            Verb::Take => return self.take(key, *now),
        };
        Ok(Outcome {
            changed: changed > 0,
            taken: None,
        })
    }

    fn take(&mut self, key: &str, now: i64) -> rusqlite::Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut rows = self.take.query(params![key, now])?;
        // To the end: an error of the deletion itself may come after its row.
        while let Some(row) = rows.next()? {
            outcome.changed = true;
            let is_live: bool = row.get(1)?;
            outcome.taken = if is_live { Some(row.get(0)?) } else { None };
        }
        Ok(outcome)
    }

    /// Removes at most `limit` expired records and as many members of lists, and gives back room when
    /// there is much.
    pub(super) fn sweep(&mut self, now: i64, limit: usize) -> rusqlite::Result<()> {
        let delay = i64::try_from(SWEEP_DELAY.as_millis()).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let until = now.saturating_sub(delay);
        self.sweep.execute(params![until, limit])?;
        self.sweep_lists.execute(params![until, limit])?;
        let free = pragma(self.connection, "freelist_count")?;
        if free >= MIN_FREE_PAGES && free >= pragma(self.connection, "page_count")? / 4 {
            // One page a step: it has to be run to its end.
            let mut pages = self.release.query([])?;
            while pages.next()?.is_some() {}
        }
        Ok(())
    }
}

/// The number that a pragma says.
pub(super) fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// In the trait's words. No text of SQLite's has a key or a value in it: they are all bound.
pub(super) fn storage_error(error: &rusqlite::Error) -> StorageError {
    let text = match error.sqlite_extended_error_code() {
        Some(code) => format!("SQLite: {error} (code {code})"),
        None => format!("SQLite: {error}"),
    };
    match error.sqlite_error_code() {
        // A read that found no such thing as was ever written.
        None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StorageError::Corrupt(text)
        }
        Some(_) => StorageError::unavailable(text),
    }
}

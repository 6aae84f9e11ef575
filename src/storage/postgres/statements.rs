//! The verbs as SQL, each one statement on one row.
//!
//! Why that is atomic under `READ COMMITTED`, PostgreSQL's own default, which each connection is set to: a
//! statement that meets a row in another's hands waits for it, then looks at its condition again on what the
//! other left behind. Of two that take, swap or insert, one does and the other finds nothing to do. None
//! holds more than one row, so none can wait in a circle.
//!
//! Times are the server's: `now()` is when the statement began.

use super::tables::Tables;

/// Expired rows that one statement removes, at most: some milliseconds of work.
pub(super) const SWEEP_ROWS: u64 = 500;
/// How long after its expiry a record's room is reclaimed: a clock that jumps ahead and back again,
/// within this, costs no one a login.
const SWEEP_DELAY: &str = "interval '60 seconds'";

pub(super) struct Statements {
    pub(super) get: String,
    pub(super) set: String,
    pub(super) insert: String,
    pub(super) take: String,
    pub(super) swap: String,
    pub(super) remove: String,
    pub(super) add: String,
    pub(super) unlist: String,
    pub(super) page: String,
    /// One for the records, one for the members of lists.
    pub(super) sweeps: [String; 2],
}

impl Statements {
    pub(super) fn on(tables: &Tables) -> Self {
        let Tables {
            records, members, ..
        } = tables;
        let end =
            |parameter: u8| format!("now() + ${parameter}::bigint * interval '1 millisecond'");
        let upsert = format!(
            "INSERT INTO {records} AS old (key, value, expires_at) VALUES ($1, $2, {}) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
            end(3)
        );
        let sweep = |table: &str, end: &str| {
            // By their places in the table, which needs no second look at a backlog. Rows in others' hands are
            // left to the next time, so that this waits for nothing; those that are found are held.
            format!(
                "DELETE FROM {table} WHERE ctid = ANY (ARRAY(\
                 SELECT ctid FROM {table} WHERE {end} <= now() - {SWEEP_DELAY} \
                 ORDER BY {end} LIMIT {SWEEP_ROWS} FOR UPDATE SKIP LOCKED))"
            )
        };
        Self {
            get: format!("SELECT value FROM {records} WHERE key = $1 AND expires_at > now()"),
            insert: format!("{upsert} WHERE old.expires_at <= now()"),
            set: upsert,
            take: format!(
                "DELETE FROM {records} WHERE key = $1 RETURNING value, expires_at > now()"
            ),
            swap: format!(
                "UPDATE {records} SET value = $3, expires_at = {} \
                 WHERE key = $1 AND value = $2 AND expires_at > now()",
                end(4)
            ),
            remove: format!("DELETE FROM {records} WHERE key = $1"),
            add: format!(
                "INSERT INTO {members} AS old (list, member, ends_at) VALUES ($1, $2, {}) \
                 ON CONFLICT (list, member) DO UPDATE SET ends_at = excluded.ends_at \
                 WHERE old.ends_at < excluded.ends_at",
                end(3)
            ),
            unlist: format!("DELETE FROM {members} WHERE list = $1 AND member = $2"),
            page: format!(
                "SELECT ends_at, member FROM {members} \
                 WHERE list = $1 AND (ends_at, member) > (greatest($2::timestamptz, now()), $3) \
                 AND ends_at > now() ORDER BY ends_at, member LIMIT $4"
            ),
            sweeps: [sweep(records, "expires_at"), sweep(members, "ends_at")],
        }
    }
}

//! Makes the tables, or makes sure that they are ours and of a version that this program knows.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Client, Error};

use super::tables::Tables;

/// What this program writes. A newer one is refused: its rules are unknown.
const VERSION: i32 = 1;

/// What one statement may take here, most of it the wait for another process that makes the tables.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10s'";

/// Why the tables cannot be used.
pub(super) enum Unfit {
    Failed(Error),
    /// In words for the operator.
    Refused(String),
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Any number of processes may do this at once: the first makes the tables, the others wait for it. A role
/// that may not make tables does well where they are there.
pub(super) async fn bring_up(client: &mut ClientWrapper, tables: &Tables) -> Result<(), Unfit> {
    if let Some(version) = version(client, tables).await? {
        return judge(version, tables);
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(PATIENCE).await?;
    // Until the end of the transaction, however it ends.
    let lock = "SELECT pg_advisory_xact_lock($1)";
    transaction.execute(lock, &[&tables.lock()]).await?;
    // Another process may have been first.
    if let Some(version) = version(transaction.client(), tables).await? {
        return judge(version, tables);
    }
    if let Some(schema) = &tables.schema
        && !has_schema(transaction.client(), schema).await?
    {
        let create = format!("CREATE SCHEMA \"{schema}\"");
        transaction.batch_execute(&create).await?;
    }
    transaction.batch_execute(&tables.definition()).await?;
    let write = format!("INSERT INTO {} VALUES ({VERSION})", tables.version);
    transaction.batch_execute(&write).await?;
    transaction.commit().await?;
    tracing::info!(
        target: "tower_oauth_proxy",
        prefix = %tables.prefix,
        version = VERSION,
        "made the tables of the token storage in PostgreSQL"
    );
    Ok(())
}

/// `None` where there are no tables; of a table without a row, 0.
async fn version(client: &Client, tables: &Tables) -> Result<Option<i32>, Error> {
    if !is_there(client, tables).await? {
        return Ok(None);
    }
    let read = format!("SELECT coalesce(max(version), 0) FROM {}", tables.version);
    let row = client.query_one(&read, &[]).await?;
    row.try_get(0).map(Some)
}

/// By the catalog itself: `to_regclass` answers from a cache that is not cleared within a transaction, and
/// says for ever what it said before another process made the table.
async fn is_there(client: &Client, tables: &Tables) -> Result<bool, Error> {
    let there = "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid \
                 WHERE relname = $1 AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(pg_class.oid) \
                 ELSE nspname = $2 END)";
    let name = format!("{}version", tables.prefix);
    let row = client.query_one(there, &[&name, &tables.schema]).await?;
    row.try_get(0)
}

async fn has_schema(client: &Client, schema: &str) -> Result<bool, Error> {
    let there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    client.query_one(there, &[&schema]).await?.try_get(0)
}

fn judge(version: i32, tables: &Tables) -> Result<(), Unfit> {
    let what = match version {
        VERSION => return Ok(()),
        newer if newer > VERSION => {
            "they were made by a newer version of tower-oauth-proxy; upgrade this program"
        }
        _ => "this program cannot migrate them",
    };
    Err(Unfit::Refused(format!(
        "the tables {}… are of version {version}, this program knows {VERSION}: {what}, or name others \
         with `table_prefix` or `schema`",
        tables.prefix
    )))
}

/// Whether a commit that PostgreSQL confirmed can be lost in a crash, by its own settings.
pub(super) async fn loses_commits(client: &Client) -> Result<Option<&'static str>, Error> {
    let settings = "SELECT current_setting('synchronous_commit'), current_setting('fsync')";
    let row = client.query_one(settings, &[]).await?;
    let is_off = |at: usize| row.try_get::<_, &str>(at).map(|value| value == "off");
    Ok(match (is_off(0)?, is_off(1)?) {
        (_, true) => Some("fsync"),
        (true, false) => Some("synchronous_commit"),
        (false, false) => None,
    })
}

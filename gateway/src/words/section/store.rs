//! `[storage]`: where grants are kept.

use tower_oauth_proxy::{
    MemoryStorage, OAuthProxyConfigBuilder,
    storage::{PostgresStorage, RedisStorage, SqliteStorage},
};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::{Refusal, words_of},
    table::Table,
};

/// The keys of `[storage]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["token_storage"],
        key(
            "url",
            Kind::Secret,
            "`memory`",
            "\"sqlite:/var/lib/gateway/grants.sqlite\"",
            "`memory` (a restart logs people out), `sqlite:PATH` (one host), `redis://…`, `rediss://…`, `postgres://…` (many hosts)",
        ),
    ),
    key(
        "prefix",
        Kind::Text,
        "the store's",
        "\"mcp\"",
        "what its keys or tables begin with, where several services share a store",
    ),
    key(
        "schema",
        Kind::Text,
        "the user's",
        "\"mcp\"",
        "of PostgreSQL: where its tables are",
    ),
    key(
        "connections",
        Kind::Number(1, 1000),
        "the store's",
        "8",
        "of PostgreSQL: connections at most",
    ),
    key(
        "ca_file",
        Kind::File,
        "the usual ones",
        "\"store-ca.pem\"",
        "the root certificate of the store's server",
    ),
    key(
        "connect_timeout",
        Kind::Time,
        "the store's",
        "\"2s\"",
        "how long a connection may take",
    ),
    key(
        "response_timeout",
        Kind::Time,
        "the store's",
        "\"2s\"",
        "how long an answer may take",
    ),
    key(
        "max_size",
        Kind::Size,
        "256 MiB in memory, 8 GiB in SQLite",
        "\"256MiB\"",
        "how much is kept",
    ),
    sets(
        &["insecure_without_storage_encryption"],
        key(
            "insecure_without_encryption",
            Kind::Switch,
            "`false`",
            "false",
            "weak: the store holds the provider's tokens in the clear",
        ),
    ),
];

pub(crate) async fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
    is_check: bool,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if said.is_on("insecure_without_encryption")? {
        builder = builder.insecure_without_storage_encryption();
    }
    let url = said.secret("url")?;
    let refused = |error| said.refuse("url", words_of(&error));
    match url.as_deref().map(|url| (url, url.split_once(':'))) {
        None | Some(("memory", None)) => {
            if let Some(size) = said.size("max_size")? {
                builder = builder.token_storage(MemoryStorage::with_max_bytes(size));
            }
            Ok(builder)
        }
        Some((_, Some(("sqlite", path)))) => {
            let mut store = SqliteStorage::builder(path);
            if let Some(size) = said.size("max_size")? {
                store = store.max_bytes(size);
            }
            if let Some(time) = said.time("response_timeout")? {
                store = store.busy_timeout(time);
            }
            Ok(builder.token_storage(store.open().map_err(refused)?))
        }
        Some((url, Some(("redis" | "rediss", _)))) => {
            let mut store = RedisStorage::builder(url);
            if let Some(prefix) = said.text("prefix")? {
                store = store.prefix(prefix);
            }
            if let Some(certificate) = said.bytes("ca_file")? {
                store = store.ca_certificate(certificate);
            }
            if let Some(time) = said.time("connect_timeout")? {
                store = store.connect_timeout(time);
            }
            if let Some(time) = said.time("response_timeout")? {
                store = store.response_timeout(time);
            }
            // What is only checked may be far from the store.
            let store = match is_check {
                true => store.lazy(),
                false => store.connect().await,
            };
            Ok(builder.token_storage(store.map_err(refused)?))
        }
        Some((url, Some(("postgres" | "postgresql", _)))) => {
            let mut store = PostgresStorage::builder(url);
            if let Some(schema) = said.text("schema")? {
                store = store.schema(schema);
            }
            if let Some(prefix) = said.text("prefix")? {
                store = store.table_prefix(prefix);
            }
            if let Some(connections) = said.number("connections")? {
                store = store.max_connections(connections);
            }
            if let Some(certificate) = said.bytes("ca_file")? {
                store = store.ca_certificate(certificate);
            }
            if let Some(time) = said.time("connect_timeout")? {
                store = store.connect_timeout(time);
            }
            if let Some(time) = said.time("response_timeout")? {
                store = store.response_timeout(time);
            }
            let store = match is_check {
                true => store.lazy(),
                false => store.connect().await,
            };
            Ok(builder.token_storage(store.map_err(refused)?))
        }
        // Not shown: it may hold a password.
        Some(_) => {
            let why = "is not one of memory, sqlite:PATH, redis://HOST:PORT, rediss://HOST:PORT, \
                       postgres://HOST:PORT/DATABASE";
            Err(said.refuse("url", why))
        }
    }
}

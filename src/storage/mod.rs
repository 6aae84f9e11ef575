//! Where grants live: the verbs of a store, and the stores that come with this crate.
//!
//! Only what a person's login created is stored (see the crate's front page): authorization codes,
//! grants, tombstones, leases, used callbacks and denied clients. Registrations and logins in progress never get here.
//!
//! - [`TokenStorage`] is the trait: bytes under a key, with a time to live.
//! - [`MemoryStorage`] is the default: one process, bounded, gone at restart.
//! - `SqliteStorage` (feature `sqlite`) is one file: durable, for the processes of one host.
//! - `RedisStorage` (feature `redis`) is for any number of hosts: as durable as the Redis is.
//! - `PostgresStorage` (feature `postgres`) is for any number of hosts that have a PostgreSQL already.
//! - Whatever the store, the proxy seals each record with XAES-256-GCM before it gets there, bound to
//!   the record's key, and makes keys from hashes: a stolen store yields no token. Lists of grants are
//!   not sealed: they show which grants belong together, by random names under MACs.
//! - `contract` (feature `storage-contract`) is the suite that every store has to pass; run it
//!   against your own.
//!
//! [`docs::stores`](crate::docs::stores) is the chapter on choosing one, its size, secrets and their
//! rotation, and outages.

#[cfg(test)]
mod by_hand;
#[cfg(any(test, feature = "storage-contract"))]
pub mod contract;
mod fallback;
mod list;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
mod traits;
mod verb;

#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresStorage, PostgresStorageBuilder};
#[cfg(feature = "redis")]
pub use self::redis::{RedisStorage, RedisStorageBuilder};
pub use list::{ListPage, MAX_LIST_PAGE};
pub use memory::MemoryStorage;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteStorage, SqliteStorageBuilder};
pub use traits::TokenStorage;
pub use verb::{MAX_VALUE_BYTES, StorageFuture};

pub use crate::error::StorageError;

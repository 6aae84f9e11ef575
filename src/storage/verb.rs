//! What one verb of a store takes and returns, and the verbs that lists made of records are made of.

use std::{pin::Pin, time::Duration};

use crate::error::StorageError;

/// The largest value that a store takes, in bytes: 64 KiB.
///
/// The largest record is a grant, which holds the provider's tokens; providers keep each of those
/// below the 8 to 16 KiB that web servers take as headers. The bound keeps one odd answer from
/// filling a store.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// What every verb of a store returns: a boxed future, so that the trait is object safe.
pub type StorageFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// Refuses a value that no store takes.
pub(super) fn check_value(value: &[u8]) -> Result<(), StorageError> {
    let (size, limit) = (value.len(), MAX_VALUE_BYTES);
    if size > limit {
        return Err(StorageError::TooLarge { size, limit });
    }
    Ok(())
}

/// The verbs of a store that its lists need where it has none of its own; see
/// [`TokenStorage`](super::TokenStorage) for their rules.
pub(super) trait Records: Send + Sync {
    /// `get`.
    fn read<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>>;

    /// `insert_if_absent`.
    fn insert<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration)
    -> StorageFuture<'a, bool>;

    /// `compare_and_swap`.
    fn swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool>;
}

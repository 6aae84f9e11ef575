//! The verbs that a store has to offer.

use std::time::Duration;

use super::{
    fallback,
    list::ListPage,
    verb::{self, StorageFuture},
};

/// A store of bytes under keys, each with a time to live.
///
/// The verbs are exactly those that some race needs: a code is redeemed once because
/// [`take`](Self::take) is atomic, a grant has one refresh chain because
/// [`compare_and_swap`](Self::compare_and_swap) is, one instance renews the provider's token because
/// [`insert_if_absent`](Self::insert_if_absent) is. The rules, each of which
/// `storage::contract::run` (feature `storage-contract`) tests:
///
/// - **Atomic per key**, for every caller of the same data, in other processes too. No verb spans
///   two keys. After a verb has returned, every later verb sees its effect.
/// - **Keys** come from the proxy: 1 to 200 bytes of printable ASCII without space, case
///   sensitive, compared whole. They are hashes or random ids, never secrets.
/// - **Values** are any bytes, empty too. A value over [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES) is refused with
///   [`StorageError::TooLarge`](super::StorageError::TooLarge) and changes nothing; a smaller one is taken.
/// - **Time to live** counts from the call that wrote the value; every write replaces it. Before its
///   end the record is there (a store with a size limit may lose records that were not
///   used for long, and says so in its log); from then on the record is absent for *every* verb,
///   whether it was swept or not. Milliseconds matter, less does not: round up. Zero ends at
///   once. Times above ten years may be cut to ten years.
/// - **Lists** are sets of short names, each with an end of its own, under names that no record has.
///   They keep the same rules: atomic for each list, over at the very end, a failure is an error. A
///   store that has nothing of the kind leaves the three verbs out and gets
///   [lists made of records](#lists-made-of-records).
/// - **A store with a size limit** should let go of records whose key begins with `denied:` last:
///   they are the operator's word, and small. Grants go first, those that were not used for longest
///   before others; the person who loses one logs in again.
/// - **A failure is an error, never an answer.** A store that cannot be reached, or times out,
///   returns [`StorageError::Unavailable`](super::StorageError::Unavailable): the client is then told to try again. Answering `None` or
///   `false` instead would log people out.
/// - Futures do nothing until they are polled, and may be dropped at any point.
///
/// # Lists made of records
///
/// A list is one for all people of a client, so thousands may add to it in the same second, and no
/// record that all of them swap can bear that. The verbs that come with the trait give each member a
/// record of its own, in slots chosen by hash, and keep all rules. What they cost, in verbs of the
/// store:
///
/// | verb | a list of a few | a list of thousands |
/// |---|---|---|
/// | [`list_add`](Self::list_add) | 2 | 2 to 6, some tens while the list grows |
/// | [`list_remove`](Self::list_remove) | 10 | 50 |
/// | [`list_page`](Self::list_page) | 9 | 2 to 9 for each member of the list, for every page, 64 at once |
///
/// A list holds some 80,000. A store with sorted sets, or a table, does each in one step: write the
/// verbs for it.
///
/// # A store of your own
///
/// ```
/// use std::{
///     collections::HashMap,
///     sync::{Mutex, MutexGuard},
///     time::{Duration, Instant},
/// };
/// use tower_oauth_proxy::storage::{MAX_VALUE_BYTES, StorageError, StorageFuture, TokenStorage};
///
/// #[derive(Default)]
/// struct MapStorage(Mutex<HashMap<String, (Vec<u8>, Instant)>>);
///
/// impl MapStorage {
///     /// The map without what has expired. One lock around each verb makes it atomic.
///     fn live(&self) -> MutexGuard<'_, HashMap<String, (Vec<u8>, Instant)>> {
///         let mut map = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
///         let now = Instant::now();
///         map.retain(|_, (_, expires)| *expires > now);
///         map
///     }
/// }
///
/// fn record(value: Vec<u8>, ttl: Duration) -> Result<(Vec<u8>, Instant), StorageError> {
///     let (size, limit) = (value.len(), MAX_VALUE_BYTES);
///     if size > limit {
///         return Err(StorageError::TooLarge { size, limit });
///     }
///     const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
///     Ok((value, Instant::now() + ttl.min(TEN_YEARS)))
/// }
///
/// impl TokenStorage for MapStorage {
///     fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
///         Box::pin(async move { Ok(self.live().get(key).map(|(value, _)| value.clone())) })
///     }
///
///     fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
///         Box::pin(async move {
///             let record = record(value, ttl)?;
///             self.live().insert(key.to_owned(), record);
///             Ok(())
///         })
///     }
///
///     fn insert_if_absent<'a>(
///         &'a self,
///         key: &'a str,
///         value: Vec<u8>,
///         ttl: Duration,
///     ) -> StorageFuture<'a, bool> {
///         Box::pin(async move {
///             let record = record(value, ttl)?;
///             let mut map = self.live();
///             if map.contains_key(key) {
///                 return Ok(false);
///             }
///             map.insert(key.to_owned(), record);
///             Ok(true)
///         })
///     }
///
///     fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
///         Box::pin(async move { Ok(self.live().remove(key).map(|(value, _)| value)) })
///     }
///
///     fn compare_and_swap<'a>(
///         &'a self,
///         key: &'a str,
///         expected: &'a [u8],
///         new: Vec<u8>,
///         ttl: Duration,
///     ) -> StorageFuture<'a, bool> {
///         Box::pin(async move {
///             let record = record(new, ttl)?;
///             match self.live().get_mut(key) {
///                 Some(current) if current.0 == expected => {
///                     *current = record;
///                     Ok(true)
///                 }
///                 _ => Ok(false),
///             }
///         })
///     }
///
///     fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
///         Box::pin(async move {
///             self.live().remove(key);
///             Ok(())
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StorageError> {
/// // The proxy speaks to a store only through `dyn TokenStorage`.
/// let store: Box<dyn TokenStorage> = Box::new(MapStorage::default());
/// let minute = Duration::from_secs(60);
/// store.set("code:1", b"grant 1".to_vec(), minute).await?;
/// assert_eq!(store.take("code:1").await?.as_deref(), Some(&b"grant 1"[..]));
/// assert_eq!(store.take("code:1").await?, None);
///
/// assert!(store.insert_if_absent("lease:1", vec![1], minute).await?);
/// assert!(!store.insert_if_absent("lease:1", vec![2], minute).await?);
/// assert!(store.compare_and_swap("lease:1", &[1], vec![3], minute).await?);
/// assert!(!store.compare_and_swap("lease:1", &[1], vec![4], minute).await?);
/// # Ok(())
/// # }
/// ```
pub trait TokenStorage: Send + Sync + 'static {
    /// The value under `key`, or `None` when it is absent or expired.
    ///
    /// # Errors
    ///
    /// [`StorageError`](super::StorageError) when the store cannot answer.
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>>;

    /// Writes `value`, whatever was there before.
    ///
    /// # Errors
    ///
    /// [`StorageError::TooLarge`](super::StorageError::TooLarge) above [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES); others when the store cannot answer.
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()>;

    /// Writes `value` only where nothing is; `true` when it did. Of concurrent callers exactly one
    /// hears `true`.
    ///
    /// # Errors
    ///
    /// [`StorageError::TooLarge`](super::StorageError::TooLarge) above [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES); others when the store cannot answer.
    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool>;

    /// Removes the record and returns its value. Of concurrent callers exactly one gets it.
    ///
    /// # Errors
    ///
    /// [`StorageError`](super::StorageError) when the store cannot answer.
    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>>;

    /// Writes `new` only where the value is byte for byte `expected`; `true` when it did. `false`
    /// when the record is absent, expired or different; it then stays as it is.
    ///
    /// # Errors
    ///
    /// [`StorageError::TooLarge`](super::StorageError::TooLarge) above [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES); others when the store cannot answer.
    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool>;

    /// Removes the record. That it was absent is no error.
    ///
    /// # Errors
    ///
    /// [`StorageError`](super::StorageError) when the store cannot answer.
    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()>;

    /// Puts `member` into a list for `ttl`, or prolongs its stay: an end only ever moves later. Both
    /// names are 1 to 100 bytes of printable ASCII without space, and stand in the store as they are.
    /// A list begins with its first member and ends with its last.
    ///
    /// Any number of callers may add to one list at once; each succeeds.
    ///
    /// # Errors
    ///
    /// [`StorageError`](super::StorageError) when the store cannot answer.
    fn list_add<'a>(
        &'a self,
        list: &'a str,
        member: &'a str,
        ttl: Duration,
    ) -> StorageFuture<'a, ()> {
        Box::pin(fallback::add(self, list, member, ttl))
    }

    /// Takes `member` out of a list. That it was not there is no error.
    ///
    /// # Errors
    ///
    /// [`StorageError`](super::StorageError) when the store cannot answer.
    fn list_remove<'a>(&'a self, list: &'a str, member: &'a str) -> StorageFuture<'a, ()> {
        Box::pin(fallback::remove(self, list, member))
    }

    /// The members that come after a page's [`next`](ListPage::next), or the first ones: at most
    /// `limit` and at most [`MAX_LIST_PAGE`](super::MAX_LIST_PAGE), the one with the earliest end
    /// first. A list that is not there is empty.
    ///
    /// From the first page to the one without `next`, every member that was there all the time comes
    /// at least once. One that was prolonged, or others that went meanwhile, can make it come twice.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`](super::StorageError::Corrupt) when `after` was not a `next`; others when the store cannot answer.
    fn list_page<'a>(
        &'a self,
        list: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> StorageFuture<'a, ListPage> {
        Box::pin(fallback::list_page(self, list, after, limit))
    }
}

/// Every store has what lists made of records need.
impl<S: TokenStorage + ?Sized> verb::Records for S {
    fn read<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.get(key)
    }

    fn insert<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.insert_if_absent(key, value, ttl)
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.compare_and_swap(key, expected, new, ttl)
    }
}

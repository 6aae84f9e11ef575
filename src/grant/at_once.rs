//! Some grants at once.

use super::GrantId;
use crate::{error::StorageError, limits::GRANTS_AT_ONCE};

/// The same work for many grants, in their order, a few at a time: one by one takes long where the
/// store is far, and all at once would hold up every other request. Returns the results up to the first
/// failure, and that failure; after it nothing more is begun.
pub(crate) async fn at_once<T, F>(
    ids: impl IntoIterator<Item = GrantId>,
    work: impl Fn(GrantId) -> F,
) -> (Vec<T>, Result<(), StorageError>)
where
    T: Send + 'static,
    F: Future<Output = Result<T, StorageError>> + Send + 'static,
{
    let (mut ids, mut done, mut outcome) = (ids.into_iter(), Vec::new(), Ok(()));
    while outcome.is_ok() {
        let some = ids.by_ref().take(GRANTS_AT_ONCE);
        let works: Vec<_> = some.map(|id| tokio::spawn(work(id))).collect();
        if works.is_empty() {
            break;
        }
        for work in works {
            match work.await {
                Ok(Ok(came)) => done.push(came),
                Ok(Err(error)) => outcome = Err(error),
                Err(_) => outcome = Err(StorageError::unavailable("the task ended early")),
            }
        }
    }
    (done, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_came_before_a_failure_counts_and_nothing_is_begun_after_it() {
        let ids: Vec<_> = (0..100).map(|n| GrantId::from_bytes([n; 16])).collect();
        let number = |id: &GrantId| id.as_bytes().first().copied();
        let (done, outcome) = at_once(ids.clone(), async |id| Ok(id)).await;
        assert_eq!((done, outcome.is_ok()), (ids.clone(), true));
        let fails = |id: GrantId| {
            let fails = number(&id) == Some(20);
            async move {
                (!fails)
                    .then_some(id)
                    .ok_or_else(|| StorageError::unavailable("20"))
            }
        };
        let (done, outcome) = at_once(ids, fails).await;
        assert!(outcome.is_err());
        assert_eq!(done.len(), 2 * GRANTS_AT_ONCE - 1);
    }
}

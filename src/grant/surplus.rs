//! A limit on one person's grants: the ones that were used longest ago make room.
//!
//! Otherwise one account that logs in again and again pushes everyone out of a store that has bounds.

use std::{collections::HashSet, sync::Arc};

use super::{Grant, GrantId, Grants, Owner, Phase, at_once};
use crate::{error::StorageError, event::Who, limits::SURPLUS_AT_ONCE, time::Unix};

/// A grant as this rule sees it. The order is that of its last use, and within a second that of the
/// list: the store's own clock, the same for all instances.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Held {
    /// Those of assertions come first: they are short, and another is soon made. None of them ends a login.
    is_login: bool,
    used_at: Unix,
    place: usize,
    id: GrantId,
}

impl Grants {
    /// Ends what the person has beyond the limit now that `new` has come, the ones used longest ago
    /// first, and some at a time where there are many. Costs one page of the person's list as long as
    /// they are within it, and a look at each of their grants where they are not.
    pub(crate) async fn end_surplus(
        self: &Arc<Self>,
        new: GrantId,
        subject: &str,
        limit: usize,
    ) -> Result<Vec<Who>, StorageError> {
        let ids = self.first_listed(subject, limit).await?;
        if ids.len() <= limit {
            return Ok(Vec::new());
        }
        let mut held = Vec::new();
        let look = |id: GrantId| {
            let grants = Arc::clone(self);
            async move { Ok((id, grants.stored(&id).await?)) }
        };
        let (found, outcome) = at_once(ids, look).await;
        outcome?;
        for (place, (id, grant)) in found.into_iter().enumerate() {
            match grant {
                // Another person had this name before.
                Some(grant) if self.subject_of(&grant) != subject => {}
                Some(grant) => {
                    held.push(Held {
                        is_login: grant.about().is_none(),
                        used_at: used_at(&grant),
                        place,
                        id,
                    });
                }
                // It has made room for another itself.
                None if id == new => return Ok(Vec::new()),
                None => {}
            }
        }
        let mut ended = Vec::new();
        for id in surplus(held, new, limit) {
            match self.end(&id).await {
                Ok(Some(grant)) => ended.push(self.who(&id, &grant)),
                Ok(None) => {}
                // What has ended is reported all the same.
                Err(_) if !ended.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }

    /// The ids of a person's grants, as listed: all of them up to the limit, and of more those listed
    /// longest ago.
    async fn first_listed(
        &self,
        subject: &str,
        limit: usize,
    ) -> Result<Vec<GrantId>, StorageError> {
        let most = limit.saturating_add(SURPLUS_AT_ONCE);
        let (mut ids, mut seen, mut after) = (Vec::new(), HashSet::new(), None);
        loop {
            let page = self.listed(Owner::Subject(subject), after.as_deref());
            let page = page.await?;
            ids.extend(page.ids.into_iter().filter(|id| seen.insert(*id)));
            after = page.next;
            if after.is_none() || ids.len() >= most {
                ids.truncate(most);
                return Ok(ids);
            }
        }
    }
}

fn used_at(grant: &Grant) -> Unix {
    match grant.phase {
        Phase::Active { rotated_at, .. } => rotated_at,
        Phase::Pending(_) | Phase::Spent(_) | Phase::Asserted { .. } => grant.created_at,
    }
}

/// Which of them end. Never the new one, and never one that was used after it came: of two logins at
/// once the later makes room, not both for each other. What is not among them came after all.
fn surplus(mut held: Vec<Held>, new: GrantId, limit: usize) -> Vec<GrantId> {
    held.sort();
    let too_many = held.len().saturating_sub(limit);
    let before_it = held.iter().take_while(|held| held.id != new);
    before_it.take(too_many).map(|held| held.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(used: &[u64]) -> Vec<Held> {
        let held = used.iter().zip(1..).map(|(used_at, n)| Held {
            is_login: true,
            used_at: Unix::at(*used_at),
            place: n.into(),
            id: id(n),
        });
        held.collect()
    }

    fn id(n: u8) -> GrantId {
        GrantId::from_bytes([n; 16])
    }

    #[test]
    fn the_ones_used_longest_ago_end_and_no_more_than_are_too_many() {
        let grants = held(&[30, 10, 20, 40]);
        assert_eq!(surplus(grants.clone(), id(4), 4), []);
        assert_eq!(surplus(grants.clone(), id(4), 3), [id(2)]);
        assert_eq!(surplus(grants.clone(), id(4), 1), [id(2), id(3), id(1)]);
        assert_eq!(surplus(grants, id(5), 3), [id(2)]);
    }

    #[test]
    fn the_new_one_never_ends_nor_what_came_after_it() {
        let grants = held(&[30, 10, 20, 40]);
        assert_eq!(surplus(grants.clone(), id(3), 1), [id(2)]);
        assert_eq!(surplus(grants, id(2), 1), []);
        // Two logins in the same second: the later makes room, the earlier does not.
        let twins = held(&[5, 5]);
        assert_eq!(surplus(twins.clone(), id(1), 1), []);
        assert_eq!(surplus(twins, id(2), 1), [id(1)]);
    }

    #[test]
    fn what_an_assertion_made_goes_first_and_ends_no_login() {
        let mut grants = held(&[30, 10, 20, 40]);
        for at in [0, 3] {
            grants[at].is_login = false;
        }
        assert_eq!(surplus(grants.clone(), id(4), 1), [id(1)]);
        assert_eq!(surplus(grants.clone(), id(1), 1), []);
        assert_eq!(surplus(grants, id(3), 2), [id(1), id(4)]);
    }
}

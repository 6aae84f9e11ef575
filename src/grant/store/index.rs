//! Which grants a person or a client has, without scanning the store.
//!
//! Each grant stands in two lists of the store, one of its person and one of its client, under its
//! id. There it outlives the grant a little: a reader of a list looks each grant up. Nothing that
//! fails here costs a login; a grant that could not be listed is listed with its next write.

use std::{
    collections::HashSet,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    super::{Grant, GrantId, Phase, at_once},
    Grants,
};
use crate::{
    error::{StorageError, with_causes},
    event::{Event, Reason, Step},
    key::MacKey,
    limits::GRANTS_PER_PAGE,
    time::Unix,
};

/// Whose list it is.
#[derive(Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// A person.
    Subject(&'a str),
    /// A client.
    Client(&'a str),
}

impl Owner<'_> {
    /// The list's name. A MAC and no bare hash: addresses and names are easily guessed.
    fn list(self, key: &MacKey) -> String {
        let (kind, name) = match self {
            Self::Subject(name) => ("subject", name),
            Self::Client(name) => ("client", name),
        };
        let tag = key.tag(format!("{kind}:{name}").as_bytes());
        let tag = tag.get(..16).unwrap_or(&tag);
        format!("{kind}:{}", URL_SAFE_NO_PAD.encode(tag))
    }
}

/// Ids in a list, those of the grants that were listed longest ago first; some may have ended.
#[derive(Default)]
pub(crate) struct Listed {
    pub(crate) ids: Vec<GrantId>,
    /// Where the next page begins; `None` after the last.
    pub(crate) next: Option<String>,
}

impl Grants {
    /// Puts a grant into its person's and its client's lists for the life that it has, or says there
    /// that it still lives. `false`, with an event, when that failed.
    pub(crate) async fn list(
        &self,
        id: &GrantId,
        subject: &str,
        client_id: &str,
        ttl: Duration,
    ) -> bool {
        let (ttl, member) = (listed_for(ttl), id.to_string());
        let add = async |owner: Owner<'_>| {
            let list = owner.list(self.index_keys.current());
            self.vault.list_add(&list, &member, ttl).await
        };
        let (person, client) =
            both(add(Owner::Subject(subject)), add(Owner::Client(client_id))).await;
        let Err(error) = person.and(client) else {
            return true;
        };
        let event = Event::refused(Step::Storage, Reason::StoreUnavailable);
        let why = with_causes(&error);
        let detail = format_args!("not listed until its next write: {why}");
        let event = event.grant(member).client(client_id, None);
        let event = event.person(Some(subject), None);
        self.events.emit(&event.detail(detail));
        false
    }

    /// Sees to it that the lists have a live grant for as long as its record is about to live: about
    /// once in a quarter of its life, and at once where that has become longer (another configuration).
    /// If that fails it is tried at the next write.
    pub(super) async fn stay_listed(
        &self,
        id: &GrantId,
        grant: &mut Grant,
        ttl: Duration,
        now: Unix,
    ) {
        let is_live = matches!(grant.phase, Phase::Active { .. });
        if !is_live || grant.listed_until >= now + ttl {
            return;
        }
        let subject = self.subject_of(grant);
        let listed = self.list(id, &subject, &grant.client_id, ttl).await;
        grant.listed_until = match listed {
            true => now + listed_for(ttl),
            false => Unix::EPOCH,
        };
    }

    /// A page of the ids in a list. Those listed under a previous secret come last, until they are
    /// listed again.
    pub(crate) async fn listed(
        &self,
        owner: Owner<'_>,
        after: Option<&str>,
    ) -> Result<Listed, StorageError> {
        let start = after.map_or(Ok(Start::default()), Start::parse)?;
        let mut keys = self.index_keys.all().skip(start.key);
        let Some(key) = keys.next() else {
            return Ok(Listed::default());
        };
        let list = owner.list(key);
        let page = self.vault.list_page(&list, start.after, GRANTS_PER_PAGE);
        let page = page.await?;
        let next = match (page.next, keys.next()) {
            (Some(next), _) => Some(format!("{}.{next}", start.key)),
            (None, Some(_)) => Some(format!("{}.", start.key + 1)),
            (None, None) => None,
        };
        let ids = page.members.iter();
        Ok(Listed {
            ids: ids.filter_map(|member| GrantId::parse(member)).collect(),
            next,
        })
    }

    /// What stands in the lists of a person, by each name that they may have had: some may be of others.
    pub(crate) async fn listed_of_person(
        &self,
        subject: &str,
    ) -> Result<Vec<GrantId>, StorageError> {
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        for name in self.listed_as(subject) {
            let mut after = None;
            loop {
                let page = self.listed(Owner::Subject(&name), after.as_deref());
                let page = page.await?;
                ids.extend(page.ids.into_iter().filter(|id| seen.insert(*id)));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(ids)
    }

    /// Of these, those that are not another person's by today's names. What cannot be read stays: it is no one's.
    pub(crate) async fn not_of_others(
        self: &Arc<Self>,
        ids: Vec<GrantId>,
        subject: &str,
    ) -> Result<Vec<GrantId>, StorageError> {
        let look = |id: GrantId| {
            let (grants, subject) = (Arc::clone(self), subject.to_owned());
            async move {
                let grant = grants.stored(&id).await?;
                let is_others = grant.is_some_and(|grant| grants.subject_of(&grant) != subject);
                Ok((!is_others).then_some(id))
            }
        };
        let (theirs, outcome) = at_once(ids, look).await;
        outcome.map(|()| theirs.into_iter().flatten().collect())
    }

    /// Takes a grant that has ended out of its lists. If that fails it stays until its own end, and
    /// a reader of the list finds that there is no such grant.
    pub(super) fn unlist(&self, id: GrantId, grant: &Grant) {
        let subject = self.subject_of(grant);
        let owners = [Owner::Subject(&subject), Owner::Client(&grant.client_id)];
        let keys = self.index_keys.all();
        let lists: Vec<_> = keys
            .flat_map(|key| owners.map(|owner| owner.list(key)))
            .collect();
        let vault = Arc::clone(&self.vault);
        // In a task of its own: no caller need wait for it.
        self.tasks.spawn(async move {
            let member = id.to_string();
            for list in lists {
                if vault.list_remove(&list, &member).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// How long a grant that lives so long stands in its lists: longer, so that not each of its writes is
/// one of the lists'.
fn listed_for(ttl: Duration) -> Duration {
    ttl.saturating_add(ttl / 4)
}

/// Awaits both at once: they are two round trips to the store, and neither needs the other.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut of_a, mut of_b) = (None, None);
    poll_fn(move |context| {
        if of_a.is_none()
            && let Poll::Ready(done) = a.as_mut().poll(context)
        {
            of_a = Some(done);
        }
        if of_b.is_none()
            && let Poll::Ready(done) = b.as_mut().poll(context)
        {
            of_b = Some(done);
        }
        match (of_a.take(), of_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (of_a, of_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

/// Where a page begins: in the list under which key, and where there.
#[derive(Default, PartialEq, Debug)]
struct Start<'a> {
    key: usize,
    after: Option<&'a str>,
}

impl<'a> Start<'a> {
    fn parse(text: &'a str) -> Result<Self, StorageError> {
        let start = text.split_once('.').and_then(|(key, after)| {
            let key = key.parse().ok()?;
            let after = (!after.is_empty()).then_some(after);
            Some(Self { key, after })
        });
        start.ok_or_else(|| StorageError::Corrupt("no page of grants begins there".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_page_is_a_key_and_a_place() {
        for (text, key, after) in [("0.17:a.b", 0, Some("17:a.b")), ("2.", 2, None)] {
            assert_eq!(Start::parse(text).unwrap(), Start { key, after });
        }
        for text in ["", "0", "x.1:a", "-1."] {
            assert!(Start::parse(text).is_err(), "{text}");
        }
    }
}

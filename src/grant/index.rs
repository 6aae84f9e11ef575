//! Which grants a person or a client has, without scanning the store.
//!
//! Each grant stands in two lists, one of its subject and one of its client. A list is cut into
//! shards by the grant's id, so that logins at the same time rarely meet and a client that many
//! people share fits. Entries are not taken out when a grant ends: whoever reads a list looks each
//! grant up, and old entries go when the list is written the next time.

use std::{collections::HashSet, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Grant, GrantId, Grants, grants::bounded};
use crate::{
    error::StorageError,
    key::MacKey,
    limits::{INDEX_SHARD_ENTRIES, INDEX_SHARDS, SWAP_ATTEMPTS},
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
    /// The record's key. A MAC and no bare hash: addresses and names are easily guessed.
    fn record_key(self, key: &MacKey, shard: u8) -> String {
        let (kind, name) = match self {
            Self::Subject(name) => ("subject", name),
            Self::Client(name) => ("client", name),
        };
        let tag = key.tag(format!("{kind}:{name}").as_bytes());
        let tag = tag.get(..16).unwrap_or(&tag);
        format!("{kind}:{}:{shard}", URL_SAFE_NO_PAD.encode(tag))
    }
}

/// One grant in a list: its id, and when it was last put there, in seconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    id: GrantId,
    touched_at: u64,
}

const ENTRY_BYTES: usize = 16 + 8;

impl Grants {
    /// Puts a grant into its subject's and its client's lists, or says there that it still lives.
    pub(crate) async fn index(
        &self,
        id: &GrantId,
        subject: &str,
        client_id: &str,
        ttl: Duration,
        now: u64,
    ) -> Result<(), StorageError> {
        for owner in [Owner::Subject(subject), Owner::Client(client_id)] {
            self.put(owner, id, ttl, now).await?;
        }
        Ok(())
    }

    /// Says in the lists that the grant still lives, once in a quarter of its life. If that fails it
    /// is tried at the next write.
    pub(crate) async fn stay_listed(
        &self,
        id: &GrantId,
        grant: &mut Grant,
        ttl: Duration,
        now: u64,
    ) {
        if now < grant.indexed_at.saturating_add(ttl.as_secs() / 4) {
            return;
        }
        let listed = self.index(id, &grant.subject, &grant.client_id, ttl, now);
        if listed.await.is_ok() {
            grant.indexed_at = now;
        }
    }

    /// The ids in a list; some may have ended.
    pub(crate) async fn listed(&self, owner: Owner<'_>) -> Result<Vec<GrantId>, StorageError> {
        let mut ids = HashSet::new();
        // Lists written under a previous secret are found too, until they are written anew.
        for key in self.index_keys.all() {
            for shard in 0..INDEX_SHARDS {
                let list = bounded(self.storage.get(&owner.record_key(key, shard))).await?;
                for entry in decode(&list.unwrap_or_default()) {
                    ids.insert(entry.id);
                }
            }
        }
        Ok(ids.into_iter().collect())
    }

    async fn put(
        &self,
        owner: Owner<'_>,
        id: &GrantId,
        ttl: Duration,
        now: u64,
    ) -> Result<(), StorageError> {
        let shard = id.as_bytes().first().map_or(0, |byte| byte % INDEX_SHARDS);
        let key = owner.record_key(self.index_keys.current(), shard);
        for _ in 0..SWAP_ATTEMPTS {
            let there = bounded(self.storage.get(&key)).await?;
            let list = with_entry(decode(there.as_deref().unwrap_or_default()), *id, ttl, now);
            let list = encode(&list);
            let written = match &there {
                Some(there) => self.storage.compare_and_swap(&key, there, list, ttl),
                None => self.storage.insert_if_absent(&key, list, ttl),
            };
            if bounded(written).await? {
                return Ok(());
            }
        }
        Err(StorageError::unavailable(
            "a list of grants changed at every attempt to write it",
        ))
    }
}

/// The list with this grant as the newest, without what is over, and no longer than it may be.
fn with_entry(mut list: Vec<Entry>, id: GrantId, ttl: Duration, now: u64) -> Vec<Entry> {
    list.retain(|entry| entry.id != id && now < entry.touched_at.saturating_add(ttl.as_secs()));
    list.sort_by_key(|entry| entry.touched_at);
    // Live grants are put anew long before they are over, so the oldest is the likeliest to be dead.
    let over = (list.len() + 1).saturating_sub(INDEX_SHARD_ENTRIES);
    list.drain(..over);
    list.push(Entry {
        id,
        touched_at: now,
    });
    list
}

fn encode(list: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(list.len() * ENTRY_BYTES);
    for entry in list {
        bytes.extend_from_slice(entry.id.as_bytes());
        bytes.extend_from_slice(&entry.touched_at.to_be_bytes());
    }
    bytes
}

/// Reads what [`encode`] wrote; an odd rest is left out.
fn decode(bytes: &[u8]) -> Vec<Entry> {
    bytes
        .chunks_exact(ENTRY_BYTES)
        .filter_map(|entry| {
            let (id, touched_at) = entry.split_first_chunk::<16>()?;
            Some(Entry {
                id: GrantId::from_bytes(*id),
                touched_at: u64::from_be_bytes(touched_at.try_into().ok()?),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(1_000);

    #[test]
    fn a_list_reads_back_and_leaves_an_odd_rest_out() {
        let list = with_entry(Vec::new(), GrantId::random(), TTL, 7);
        let mut bytes = encode(&list);
        assert_eq!(decode(&bytes), list);
        bytes.push(1);
        assert_eq!(decode(&bytes), list);
        assert!(decode(b"short").is_empty());
    }

    #[test]
    fn a_grant_stands_once_what_is_over_goes_and_the_oldest_makes_room() {
        let (first, second) = (GrantId::random(), GrantId::random());
        let list = with_entry(Vec::new(), first, TTL, 100);
        let list = with_entry(list, second, TTL, 200);
        let list = with_entry(list, first, TTL, 300);
        let ids: Vec<_> = list.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [second, first]);
        let later = with_entry(list, GrantId::random(), TTL, 1_250);
        assert!(later.iter().all(|entry| entry.id != second));
        assert!(later.iter().any(|entry| entry.id == first));

        let mut full = Vec::new();
        for n in 0..=INDEX_SHARD_ENTRIES as u64 {
            full = with_entry(full, GrantId::random(), TTL, n);
        }
        assert_eq!(full.len(), INDEX_SHARD_ENTRIES);
        assert_eq!(full.first().map(|entry| entry.touched_at), Some(1));
        assert!(encode(&full).len() + 64 < crate::storage::MAX_VALUE_BYTES);
    }
}

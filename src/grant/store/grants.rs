//! The record of a grant: read, created, taken a step further, kept, ended.

use std::{borrow::Cow, collections::HashSet, sync::Arc, time::Duration};

use super::{
    super::{
        Grant, GrantId, LiveGrant, Phase, RefreshTokens, RevocationMark, Revocations, Subjects,
        Vouchers, listed_as, live::LiveGrants,
    },
    undo::Undo,
};
use crate::{
    error::StorageError,
    event::{Event, Events, Reason, Step, Who},
    key::{MacKey, Rotating},
    provider::Providers,
    random,
    tasks::Tasks,
    time::Unix,
    vault::{Raw, Seen, Vault},
};

/// Reads and writes grants; every verb is bounded in time.
pub(crate) struct Grants {
    pub(super) vault: Arc<Vault>,
    /// Those that are configured. A grant of another one is as good as ended.
    providers: Providers,
    subjects: Subjects,
    vouchers: Vouchers,
    /// Subjects that are no person's: those of machines.
    taken: HashSet<Box<str>>,
    pub(super) index_keys: Rotating<MacKey>,
    live: LiveGrants,
    revocations: Arc<Revocations>,
    pub(super) events: Arc<Events>,
    pub(super) tasks: Tasks,
    pub(crate) refresh_tokens: RefreshTokens,
}

/// A grant as it stood in the store. Boxed: it is handed on through many futures, and would be copied
/// into each.
pub(crate) type SeenGrant = Seen<Box<Grant>>;

impl Grants {
    pub(crate) fn new(
        vault: Arc<Vault>,
        providers: Providers,
        (subjects, vouchers): (Subjects, Vouchers),
        refresh_tokens: RefreshTokens,
        index_keys: Rotating<MacKey>,
        events: Arc<Events>,
        tasks: Tasks,
    ) -> Self {
        Self {
            vault,
            providers,
            subjects,
            vouchers,
            taken: HashSet::new(),
            index_keys,
            live: LiveGrants::default(),
            revocations: Arc::new(Revocations::new()),
            events,
            tasks,
            refresh_tokens,
        }
    }

    /// Keeps these subjects from people.
    #[must_use]
    pub(crate) fn without_subjects<'a>(mut self, taken: impl Iterator<Item = &'a str>) -> Self {
        self.taken.extend(taken.map(Box::from));
        self
    }

    /// What sessions are compared with.
    pub(crate) fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// For the session of this grant; see [`Revocations::mark`] for the order that matters.
    pub(crate) fn revocation_mark(&self, id: GrantId) -> RevocationMark {
        self.revocations.mark(id)
    }

    /// This process's handle.
    pub(in crate::grant) fn handle(&self, id: GrantId) -> Arc<LiveGrant> {
        self.live.handle(id)
    }

    /// The grant as it stands, for a request that changes nothing. `None` when it has ended, does not
    /// open, or is of a provider that is not configured.
    pub(crate) async fn look(&self, id: &GrantId) -> Result<Option<Box<Grant>>, StorageError> {
        let grant = self.stored(id).await?;
        Ok(grant.filter(|grant| self.is_served(id, grant)))
    }

    /// The grant, whichever provider it is of: for those who list and end grants.
    pub(crate) async fn stored(&self, id: &GrantId) -> Result<Option<Box<Grant>>, StorageError> {
        let text = self.vault.peek(&id.record_key()).await;
        let text = self.sound(id, text)?;
        Ok(text.and_then(|text| self.parse(id, text)))
    }

    /// The grant, to be taken a step further. Waits a little for doubts to end.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`] also while the grant is in doubt: a token must not be judged by a
    /// record that may be wrong.
    pub(crate) async fn load(&self, id: &GrantId) -> Result<Option<SeenGrant>, StorageError> {
        match self.handle(*id).settles().await {
            true => self.load_in_doubt(id).await,
            false => Err(StorageError::unavailable(
                "whether the last change of this grant was written is not known yet",
            )),
        }
    }

    /// The same without waiting: for a renewal, whose own answer may be what the doubt is about.
    pub(in crate::grant) async fn load_in_doubt(
        &self,
        id: &GrantId,
    ) -> Result<Option<SeenGrant>, StorageError> {
        let seen = self.vault.read(&id.record_key()).await;
        let seen = self.sound(id, seen)?;
        let seen = seen.and_then(|seen| seen.and_then(|text| self.parse(id, text?)));
        Ok(seen.filter(|grant| self.is_served(id, grant)))
    }

    /// A record that the store itself reports as corrupt is absent, like one that does not
    /// open.
    fn sound<T>(
        &self,
        id: &GrantId,
        found: Result<Option<T>, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        match found {
            Err(StorageError::Corrupt(why)) => Ok(self.corrupt(id, why)),
            found => found,
        }
    }

    fn parse(&self, id: &GrantId, text: Vec<u8>) -> Option<Box<Grant>> {
        match Grant::decode(text) {
            Ok(grant) => Some(Box::new(grant)),
            Err(why) => self.corrupt(id, why.to_string()),
        }
    }

    /// A record of another version, or of other hands, is absent, too.
    fn corrupt<T>(&self, id: &GrantId, why: String) -> Option<T> {
        let event = Event::refused(Step::Storage, Reason::StoreCorrupt);
        self.events.emit(&event.grant(id.to_string()).detail(why));
        None
    }

    /// How a provider's person is named here; `None` where that could be another person's name, or a
    /// machine's. RFC 9068 section 5: "Authorization servers should prevent scenarios where clients can affect
    /// the value of the "sub" claim in ways that could confuse resource servers."
    pub(crate) fn name<'a>(&self, provider: &str, subject: &'a str) -> Option<Cow<'a, str>> {
        let name = match self.vouchers.name(provider, subject) {
            Some(name) => name,
            None => self.subjects.name(&self.providers, provider, subject)?,
        };
        (!self.taken.contains(&*name)).then_some(name)
    }

    /// The same of a grant, for those who list and show it.
    pub(crate) fn subject_of<'a>(&self, grant: &'a Grant) -> Cow<'a, str> {
        let name = self.name(&grant.provider, &grant.subject);
        // Not served, and so only ever listed.
        name.unwrap_or_else(|| format!("{}|{}", grant.provider, grant.subject).into())
    }

    /// The names by which this person's grants may be listed.
    pub(super) fn listed_as(&self, subject: &str) -> Vec<String> {
        listed_as(&self.providers, subject)
    }

    /// A grant of a provider that is not configured is never served: its tokens must not be sent to another.
    /// It comes back to life when its provider is configured again. Nor is one whose person cannot be told
    /// from another provider's, or from a machine.
    fn is_served(&self, id: &GrantId, grant: &Grant) -> bool {
        let provider = &grant.provider;
        let why = match self.providers.of(provider) {
            _ if !self.vouchers.stand_behind(grant) => format!(
                "the grant was made of an assertion, of an issuer that is not trusted with that any more; \
                 its provider is `{provider}`"
            ),
            // A login at a provider of this id, which went, is no grant of the issuer that has the id now.
            None if grant.about().is_some() && self.vouchers.have(provider) => return true,
            None => {
                format!("the grant belongs to provider `{provider}`, which is not configured")
            }
            Some(_) if self.name(provider, &grant.subject).is_none() => format!(
                "the person of the grant, of provider `{provider}`, cannot be told from another provider's, or \
                 from a machine"
            ),
            Some(_) => return true,
        };
        let event = Event::refused(Step::Storage, Reason::GrantEnded);
        let who = Who::default().grant(id).client(&grant.client_id, None);
        let event = event.about(who.person(Some(&grant.subject), None).provider(provider));
        self.events.emit(&event.detail(why));
        false
    }

    pub(crate) async fn create(
        &self,
        id: &GrantId,
        grant: &Grant,
        ttl: Duration,
    ) -> Result<(), StorageError> {
        self.vault.set(&id.record_key(), &grant.encode(), ttl).await
    }

    /// Takes a grant a step further: its code is redeemed, its token rotates. `None` when something
    /// else stands there by now.
    ///
    /// # Errors
    ///
    /// [`StorageError`] says that nothing has changed, and that is made true: a step that may have been
    /// written all the same is taken back, and `ttl_before` is the record's life then.
    pub(crate) async fn advance(
        &self,
        id: &GrantId,
        seen: &SeenGrant,
        to: Phase,
        ttl: Duration,
        ttl_before: Duration,
        now: Unix,
    ) -> Result<Option<SeenGrant>, StorageError> {
        let before = (seen.phase.clone(), seen.step);
        let mut grant = Grant::clone(seen);
        let step = u64::from_le_bytes(random::bytes());
        (grant.phase, grant.step) = (to, step);
        let written = self.write(id, seen.raw(), grant, ttl, now).await;
        if let Err(StorageError::Unavailable(_)) = &written {
            let undo = Undo {
                vault: Arc::clone(&self.vault),
                key: id.record_key(),
                step,
                before,
                ttl: ttl_before,
            };
            self.tasks.spawn(undo.run(self.handle(*id).in_doubt()));
        }
        written
    }

    /// Writes what a renewal found out; `None` when something else stands there by now.
    ///
    /// # Errors
    ///
    /// After [`StorageError::Unavailable`] it may have been written: the caller goes on until it is.
    pub(in crate::grant) async fn keep(
        &self,
        id: &GrantId,
        seen: &SeenGrant,
        grant: Grant,
        ttl: Duration,
        now: Unix,
    ) -> Result<Option<SeenGrant>, StorageError> {
        self.write(id, seen.raw(), grant, ttl, now).await
    }

    async fn write(
        &self,
        id: &GrantId,
        over: &Raw,
        mut grant: Grant,
        ttl: Duration,
        now: Unix,
    ) -> Result<Option<SeenGrant>, StorageError> {
        self.stay_listed(id, &mut grant, ttl, now).await;
        let key = id.record_key();
        let new = self.vault.seal(&key, &grant.encode());
        let written = self.vault.put_surely(&key, over, &new, ttl).await?;
        Ok(written.then(|| Seen::new(Box::new(grant), new)))
    }

    /// Ends a grant: no token of it is good any more, here at once, elsewhere within the session
    /// cache's life. Returns what was there, so that exactly one caller informs the provider.
    pub(crate) async fn end(&self, id: &GrantId) -> Result<Option<Grant>, StorageError> {
        let taken = self.vault.take(&id.record_key()).await?;
        self.revocations.revoke(*id);
        let grant = taken.and_then(|text| Grant::decode(text).ok());
        if let Some(grant) = &grant {
            self.unlist(*id, grant);
        }
        Ok(grant)
    }

    /// Ends a grant exactly as it was seen; `false` when something was written since, and it lives.
    pub(in crate::grant) async fn end_as_seen(
        &self,
        id: &GrantId,
        seen: &SeenGrant,
    ) -> Result<bool, StorageError> {
        let has_ended = self.vault.end(&id.record_key(), seen.raw()).await?;
        if has_ended {
            self.revocations.revoke(*id);
            self.unlist(*id, seen);
        }
        Ok(has_ended)
    }

    /// What this process knows of a grant whose record is gone goes too.
    pub(crate) fn forget(&self, id: GrantId) {
        self.revocations.revoke(id);
    }
}

#[cfg(test)]
mod tests;

//! What every renewal of a proxy works with, and the rules that hang on its configuration.

use std::{sync::Arc, time::Duration};

use super::{
    super::{Ending, Grant, Grants, backoff::Failures, lifetime, proof::ProofOfLife, term},
    due::{Due, Looks, Need, due},
};
use crate::{
    clock::Clock, error::StorageError, event::Events, limits::LATE_ANSWER,
    oauth::ScopeImplications, provider::Providers, tasks::Tasks, time::Unix, vault::Vault,
};

/// Why there is no fresh token.
#[derive(Debug)]
pub(crate) enum FreshnessError {
    /// The store could not answer.
    Store(StorageError),
    /// The provider could not be asked, or another is still asking; nothing is decided.
    Later,
    /// The grant has ended, or the provider refuses it.
    Ended,
}

impl From<StorageError> for FreshnessError {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

/// What the configuration says about renewals.
pub(crate) struct FreshnessSettings {
    /// The record's life after a renewal.
    pub(crate) grant_ttl: Duration,
    /// The limit on one request to the provider.
    pub(crate) upstream_request_timeout: Duration,
    /// How long a look at a person is good.
    pub(crate) identity_max_age: Duration,
    /// How old a grant may get, however often it is used.
    pub(crate) grant_max_age: Option<Duration>,
    /// Which scopes are good for which others.
    pub(crate) scope_implications: ScopeImplications,
}

/// What a [`Renewer`] works with.
pub(crate) struct FreshnessParts {
    pub(crate) vault: Arc<Vault>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) ending: Ending,
    pub(crate) providers: Providers,
    pub(crate) proof: Arc<dyn ProofOfLife>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) tasks: Tasks,
}

/// Renews provider's tokens, one grant at a time.
pub(in crate::grant) struct Renewer {
    /// For the leases.
    pub(super) vault: Arc<Vault>,
    pub(in crate::grant) grants: Arc<Grants>,
    pub(in crate::grant) ending: Ending,
    /// For answers that are worth more than a caller's time.
    pub(super) patient: Providers,
    pub(super) proof: Arc<dyn ProofOfLife>,
    clock: Arc<dyn Clock>,
    pub(super) events: Arc<Events>,
    pub(in crate::grant) tasks: Tasks,
    pub(in crate::grant) settings: FreshnessSettings,
    pub(in crate::grant) failures: Failures,
}

impl Renewer {
    pub(in crate::grant) fn new(parts: FreshnessParts, settings: FreshnessSettings) -> Self {
        Self {
            vault: parts.vault,
            grants: parts.grants,
            ending: parts.ending,
            patient: parts.providers.waiting_longer(LATE_ANSWER),
            proof: parts.proof,
            clock: parts.clock,
            events: parts.events,
            tasks: parts.tasks,
            settings,
            failures: Failures::new(),
        }
    }

    pub(in crate::grant) fn now(&self) -> Unix {
        Unix::from(self.clock.now())
    }

    pub(in crate::grant) fn due(&self, grant: &Grant, need: &Need) -> Due {
        due(grant, need, self.looks(grant), self.now())
    }

    pub(in crate::grant) fn looks(&self, grant: &Grant) -> Looks {
        Looks {
            max_age: self.settings.identity_max_age,
            can_ask: self.proof.can_ask(&grant.provider),
            can_ask_provider: self.proof.can_ask_provider(&grant.provider),
        }
    }

    /// When the grant ends, however often it is used.
    pub(in crate::grant) fn last_day(&self, grant: &Grant) -> Option<Unix> {
        let is_provable = self.looks(grant).can_prove(grant);
        lifetime::last_day(grant.created_at, self.settings.grant_max_age, is_provable)
    }

    /// The life of a record that is written now.
    pub(in crate::grant) fn record_ttl(&self, grant: &Grant, now: Unix) -> Duration {
        lifetime::cut_to(self.last_day(grant), self.settings.grant_ttl, now)
    }

    /// What is left of a record's life, for a write that is no use of the grant.
    pub(super) fn remaining_ttl(&self, grant: &Grant, now: Unix) -> Duration {
        let left = term::remaining(grant, self.settings.grant_ttl, now);
        lifetime::cut_to(self.last_day(grant), left, now)
    }
}

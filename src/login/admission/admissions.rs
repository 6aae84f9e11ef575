//! The admission of each provider. A grant is looked at by its own, and by no other.

use std::sync::Arc;

use super::admit::Admission;
use crate::{
    event::Reason,
    grant::{Grant, GrantId, Look, LookFuture, ProofOfLife},
    provider::TokenAnswer,
    time::Unix,
};

/// All the admissions of one proxy.
pub(crate) struct Admissions(Vec<Arc<Admission>>);

impl Admissions {
    pub(crate) fn new(all: impl IntoIterator<Item = Admission>) -> Self {
        Self(all.into_iter().map(Arc::new).collect())
    }

    /// That of the provider with this id; `None` where it is not configured.
    pub(crate) fn of(&self, provider: &str) -> Option<&Arc<Admission>> {
        self.0
            .iter()
            .find(|admission| admission.provider.about().id == provider)
    }
}

impl ProofOfLife for Admissions {
    fn read(&self, id: GrantId, grant: &Grant, renewed: &TokenAnswer, now: Unix) -> Option<Look> {
        match self.of(&grant.provider) {
            Some(admission) => admission.read(id, grant, renewed, now),
            None => Some(not_configured(grant)),
        }
    }

    fn can_ask(&self, provider: &str) -> bool {
        self.of(provider).is_some_and(|of| of.can_ask())
    }

    fn can_ask_provider(&self, provider: &str) -> bool {
        self.of(provider).is_some_and(|of| of.can_ask_provider())
    }

    fn ask<'a>(
        &'a self,
        id: GrantId,
        grant: &'a Grant,
        renewed: Option<&'a TokenAnswer>,
        now: Unix,
    ) -> LookFuture<'a> {
        Box::pin(async move {
            match self.of(&grant.provider) {
                Some(admission) => admission.look(id, grant, renewed, now).await,
                None => not_configured(grant),
            }
        })
    }
}

/// Such a grant is served no more, so no one comes here with it.
fn not_configured(grant: &Grant) -> Look {
    let provider = &grant.provider;
    Look::Later {
        reason: Reason::ProviderUnavailable,
        detail: format!("the provider `{provider}` is not configured").into(),
    }
}

//! The provider is asked for a new token, and its answer is awaited as long as it may be worth
//! something.

use std::{pin::pin, sync::Arc};

use super::{
    super::{FreshnessError, Grant, Loaded, proof::Look},
    Renewal,
    lease::Lease,
    save::{Answered, Change},
};
use crate::{
    event::Reason,
    limits::LATE_ANSWER,
    provider::{TokenAnswer, UpstreamError},
};

impl Renewal {
    pub(super) async fn renew(
        &mut self,
        lease: &Lease,
        loaded: Loaded,
    ) -> Result<Loaded, FreshnessError> {
        let Some(presented) = loaded.grant.upstream.refresh_token.clone() else {
            return Ok(loaded);
        };
        match self.ask_provider(lease, &loaded.grant, &presented).await {
            Ok(tokens) => {
                let answered = Answered {
                    presented,
                    replaced: loaded.grant.upstream.access_token.clone(),
                    tokens,
                    at: self.of.now(),
                };
                self.answered(lease, loaded, &answered).await
            }
            Err(error) => self.refused(lease, &error, &presented).await,
        }
    }

    /// A provider that rotates its refresh tokens and answers late has spent the old one: so its
    /// answer is awaited long after the callers were told to come back.
    async fn ask_provider(
        &mut self,
        lease: &Lease,
        grant: &Grant,
        refresh_token: &str,
    ) -> Result<TokenAnswer, UpstreamError> {
        let of = Arc::clone(&self.of);
        let (provider, offered) = (of.patient.about(), &of.settings.offered_scopes);
        let scope = provider.scope_param(&grant.scopes, offered);
        let extra = &of.settings.extra_params;
        let mut answer = pin!(of.patient.refresh(refresh_token, Some(&scope), extra));
        let in_time = tokio::time::timeout(of.settings.upstream_timeout, answer.as_mut());
        if let Ok(answer) = in_time.await {
            return answer;
        }
        let detail = format!(
            "the provider did not answer in time; its answer is awaited for {} seconds more",
            LATE_ANSWER.as_secs()
        );
        self.tell(Reason::ProviderUnavailable, detail);
        lease.mark_late();
        self.keep_nobody_waiting();
        answer.await
    }

    /// The provider gave a new token. What it says about the person is looked into, and all of it is
    /// written at once where the answer is enough; else the token first, which cannot be had again.
    async fn answered(
        &mut self,
        lease: &Lease,
        loaded: Loaded,
        answered: &Answered,
    ) -> Result<Loaded, FreshnessError> {
        let proof = &self.of.proof;
        let read = proof.read(self.id, &loaded.grant, &answered.tokens, answered.at);
        let (proven, look) = match read {
            Some(Look::Proven(proven)) => (Some(proven), None),
            Some(Look::No { reason, detail }) => {
                let new = loaded.grant.upstream.renewed(&answered.tokens, answered.at);
                return self.end(lease, reason, &detail, Some(new)).await;
            }
            nothing_yet => (None, Some(nothing_yet)),
        };
        let saved = self.keep(loaded, answered, proven.as_ref()).await?;
        self.of.failures.forget(self.id);
        let look = match look {
            None => return Ok(saved),
            Some(Some(said)) => said,
            Some(None) => self.ask_about(&saved.grant, Some(&answered.tokens)).await,
        };
        match look {
            Look::Proven(proven) => self.save(saved, &Change::proven(&proven)).await,
            Look::No { reason, detail } => self.end(lease, reason, &detail, None).await,
            nobody_knows => {
                self.tell_nobody_knows(lease, nobody_knows);
                Ok(saved)
            }
        }
    }
}

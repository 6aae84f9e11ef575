//! The provider is asked for a new token, and its answer is awaited as long as it may be worth
//! something.

use std::{pin::pin, sync::Arc};

use super::{
    super::{Grant, SeenGrant, proof::Look},
    lease::Lease,
    renewer::FreshnessError,
    save::{Answered, Change},
    task::Renewal,
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
        seen: SeenGrant,
    ) -> Result<SeenGrant, FreshnessError> {
        let Some(presented) = seen.upstream.refresh_token.clone() else {
            return Ok(seen);
        };
        match self.ask_provider(lease, &seen, &presented).await {
            Ok(tokens) => {
                let answered = Answered {
                    provider: seen.provider.clone(),
                    presented,
                    replaced: seen.upstream.access_token.clone(),
                    tokens,
                    at: self.of.now(),
                };
                self.answered(lease, seen, &answered).await
            }
            Err(error) => self.refused(lease, &error, &presented).await,
        }
    }

    /// A provider that rotates its refresh tokens and answers late has spent the old one: so its
    /// answer is awaited long after the callers got their 503.
    async fn ask_provider(
        &mut self,
        lease: &Lease,
        grant: &Grant,
        refresh_token: &str,
    ) -> Result<TokenAnswer, UpstreamError> {
        let of = Arc::clone(&self.of);
        let Some(provider) = of.patient.of(&grant.provider) else {
            // Such a grant is not served, so this is not reached: and nothing is sent to another.
            let why = format!("the provider `{}` is not configured", grant.provider);
            return Err(UpstreamError::Transport(why));
        };
        let (about, terms) = (provider.about(), provider.terms());
        let scope = about.scope_param(&grant.scopes, &terms.offered);
        let extra = &terms.token_params;
        let mut answer = pin!(provider.refresh(refresh_token, Some(&scope), extra));
        let in_time = tokio::time::timeout(of.settings.upstream_request_timeout, answer.as_mut());
        if let Ok(answer) = in_time.await {
            return answer;
        }
        let detail = format!(
            "the provider did not answer in time; its answer is awaited for {} seconds more",
            LATE_ANSWER.as_secs()
        );
        self.emit(Reason::ProviderUnavailable, detail);
        lease.mark_late();
        self.stop_waiting();
        answer.await
    }

    /// The provider gave a new token. What it says about the person is looked into, and all of it is
    /// written at once where the answer is enough; else the token first, which cannot be had again.
    async fn answered(
        &mut self,
        lease: &Lease,
        seen: SeenGrant,
        answered: &Answered,
    ) -> Result<SeenGrant, FreshnessError> {
        let proof = &self.of.proof;
        let read = proof.read(self.id, &seen, &answered.tokens, answered.at);
        let (proven, look) = match read {
            Some(Look::Proven(proven)) => (Some(proven), None),
            Some(Look::No { reason, detail }) => {
                let new = seen.upstream.renewed(&answered.tokens, answered.at);
                return self.end(lease, &seen, reason, detail, Some(new)).await;
            }
            nothing_yet => (None, Some(nothing_yet)),
        };
        let saved = self.keep(seen, answered, proven.as_ref()).await?;
        self.of.failures.forget(self.id);
        let look = match look {
            None => return Ok(saved),
            Some(Some(said)) => said,
            Some(None) => self.ask_about(&saved, Some(&answered.tokens)).await,
        };
        match look {
            Look::Proven(proven) => self.save(saved, &Change::proven(&proven)).await,
            Look::No { reason, detail } => self.end(lease, &saved, reason, detail, None).await,
            unknown => {
                self.not_known_now(lease, unknown);
                Ok(saved)
            }
        }
    }
}

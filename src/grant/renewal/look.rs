//! A look at the person behind a grant: are they still who they were, and may they still come in?

use super::{
    super::{
        Grant, SeenGrant, UpstreamGrant,
        backoff::Failure,
        proof::{Look, Proven},
    },
    due::Need,
    lease::Lease,
    renewer::FreshnessError,
    save::Change,
    task::Renewal,
};
use crate::{
    event::{Reason, Told},
    limits::{LATE_ANSWER, REPLACED_ONCE_IN},
    provider::TokenAnswer,
};

impl Renewal {
    /// Without a renewal: with the access token that is there.
    pub(super) async fn look(
        &mut self,
        lease: &Lease,
        seen: SeenGrant,
    ) -> Result<SeenGrant, FreshnessError> {
        match self.ask_about(&seen, None).await {
            Look::Proven(proven) => self.proven(lease, seen, &proven).await,
            Look::No { reason, detail } => self.end(lease, &seen, reason, detail, None).await,
            Look::TokenRefused if seen.upstream.can_renew() => self.renew(lease, seen).await,
            Look::TokenRefused => {
                let detail = "the provider's API refuses the token, and there is no other";
                self.end(lease, &seen, Reason::ProviderRejected, detail.into(), None)
                    .await
            }
            later @ Look::Later { .. } => {
                self.not_known_now(lease, later);
                Err(FreshnessError::Later)
            }
        }
    }

    async fn proven(
        &self,
        lease: &Lease,
        seen: SeenGrant,
        proven: &Proven,
    ) -> Result<SeenGrant, FreshnessError> {
        if matches!(self.need, Need::Another { .. }) {
            // The provider stands by a token that some API refused: not asked again at each call.
            let failure = Failure {
                count: 0,
                until: self.of.now() + REPLACED_ONCE_IN,
            };
            self.of.failures.remember(self.id, failure);
            lease.failed(failure);
        } else {
            self.of.failures.forget(self.id);
        }
        self.save(seen, &Change::proven(proven)).await
    }

    /// The one who answers is bounded in itself; this is for one that is not.
    pub(super) async fn ask_about(&self, grant: &Grant, renewed: Option<&TokenAnswer>) -> Look {
        let asked = self.of.proof.ask(self.id, grant, renewed, self.of.now());
        match tokio::time::timeout(LATE_ANSWER, asked).await {
            Ok(look) => look,
            Err(_) => Look::Later {
                reason: Reason::ProviderUnavailable,
                detail: "no answer in time".into(),
            },
        }
    }

    /// No answer: what was known stands, and it is not asked again at once.
    pub(super) fn not_known_now(&self, lease: &Lease, look: Look) {
        let (reason, detail) = match look {
            Look::Later { reason, detail } => (reason, detail),
            // Only a look without a renewal comes to this.
            _ => {
                let detail = "the provider's API refuses the token that was just renewed";
                (Reason::ProviderRejected, detail.into())
            }
        };
        let seconds = self.fail(lease).as_secs();
        self.emit(
            reason,
            detail.and(format_args!(
                ": what was known of the person stands; asked again in {seconds} s"
            )),
        );
    }

    /// They may no longer come in. The provider hears of it too: of the tokens in the record, and of
    /// those that it gave just now.
    pub(super) async fn end(
        &self,
        lease: &Lease,
        grant: &Grant,
        reason: Reason,
        why: Told,
        new: Option<UpstreamGrant>,
    ) -> Result<SeenGrant, FreshnessError> {
        let ended = self.of.grants.end(&self.id).await;
        let follows = match &ended {
            Ok(_) => "the grant ends",
            Err(_) => "the grant is to end, and the store does not answer",
        };
        self.emit(reason, why.and(format_args!(": {follows}")));
        let old = match ended {
            Ok(ended) => ended.map(|grant| grant.upstream),
            Err(error) => {
                // What the provider gave is dropped: not asked for again at each request.
                self.fail(lease);
                return Err(error.into());
            }
        };
        let given = new.into_iter().chain(old).collect();
        let provider = grant.provider.clone();
        let who = (*self.who).clone();
        self.of.ending.revoke_later(who, provider, given);
        Err(FreshnessError::Ended)
    }
}

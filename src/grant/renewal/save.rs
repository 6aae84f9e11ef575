//! What the provider gave, and what is now known of the person, are written over whatever else
//! happens to the record meanwhile (a rotation).

use tokio::time::Instant;

use super::{
    super::{Grant, SeenGrant, UpstreamGrant, proof::Proven, scopes},
    renewer::FreshnessError,
    task::Renewal,
};
use crate::{
    error::StorageError,
    event::{Event, Reason, Step},
    limits::{POLL, SETTLE_FOR, SETTLE_PAUSE, SWAP_ATTEMPTS},
    oauth::{ScopeImplications, SharedText},
    provider::TokenAnswer,
    time::Unix,
    token::CarriedClaims,
};

/// What the provider gave, and for which token.
pub(super) struct Answered {
    /// The id of the provider that answered.
    pub(super) provider: String,
    /// The refresh token that was presented, and the access token that is replaced.
    pub(super) presented: SharedText,
    pub(super) replaced: SharedText,
    pub(super) tokens: TokenAnswer,
    /// When.
    pub(super) at: Unix,
}

/// What a record is to say from now on.
pub(super) struct Change<'a> {
    answered: Option<&'a Answered>,
    proven: Option<&'a Proven>,
}

/// How much of it, where the whole does not fit into a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    /// The claims and the ID token of before.
    OldClaims,
    /// The claims of before, and no ID token.
    NoIdToken,
    /// Nothing of the person but who they are: fewer rights, and never a token that is lost.
    TokensOnly,
}

const FITS: [Fit; 4] = [Fit::Whole, Fit::OldClaims, Fit::NoIdToken, Fit::TokensOnly];

impl<'a> Change<'a> {
    pub(super) fn proven(proven: &'a Proven) -> Self {
        Self {
            answered: None,
            proven: Some(proven),
        }
    }

    /// Whether another instance has renewed since: what it has is newer.
    fn is_overtaken(&self, stored: &Grant) -> bool {
        self.answered.is_some_and(|answered| {
            stored.upstream.refresh_token.as_deref() != Some(&*answered.presented)
                || stored.upstream.access_token != answered.replaced
        })
    }

    fn made(&self, before: &Grant, implications: &ScopeImplications, fit: Fit, now: Unix) -> Grant {
        let mut grant = before.clone();
        if let Some(Answered { tokens, at, .. }) = self.answered {
            grant.upstream = before.upstream.renewed(tokens, *at);
            // Fewer scopes at the provider are fewer scopes here, at once.
            grant.scopes = scopes::granted(&before.scopes, tokens.scope.as_ref(), implications);
        }
        if let Some(Proven { known, id_token }) = self.proven {
            grant.proven_at = now;
            if let Some(known) = known {
                // A role that was taken away is gone, whatever does not fit.
                grant.roles.clone_from(&known.roles);
                if fit == Fit::Whole {
                    grant.claims.clone_from(&known.claims);
                }
            }
            if let (Fit::Whole, Some(id_token)) = (fit, id_token) {
                grant.upstream.id_token = Some(id_token.as_str().into());
            }
        }
        if matches!(fit, Fit::NoIdToken | Fit::TokensOnly) {
            grant.upstream.id_token = None;
        }
        if fit == Fit::TokensOnly {
            grant.claims = CarriedClaims::default();
            grant.roles.clear();
        }
        grant
    }
}

impl Renewal {
    /// Writes the provider's answer, which cannot be had again: it is kept until the store takes it.
    /// Meanwhile requests of this grant get 503, and none presents the spent token.
    pub(super) async fn keep(
        &mut self,
        seen: SeenGrant,
        answered: &Answered,
        proven: Option<&Proven>,
    ) -> Result<SeenGrant, FreshnessError> {
        let change = Change {
            answered: Some(answered),
            proven,
        };
        let error = match self.save(seen, &change).await {
            Err(error) if is_passing(&error) => error,
            result => return result,
        };
        self.answer(Err(error));
        let _doubt = self.live.in_doubt();
        let deadline = Instant::now() + SETTLE_FOR;
        let mut pause = POLL;
        while Instant::now() < deadline {
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(SETTLE_PAUSE);
            let saved = match self.of.grants.load_in_doubt(&self.id).await {
                Ok(Some(seen)) => self.save(seen, &change).await,
                Ok(None) => Err(self.is_gone(&change)),
                Err(error) => Err(error.into()),
            };
            match saved {
                Err(error) if is_passing(&error) => {}
                result => return result,
            }
        }
        self.emit(Reason::StoreUnavailable, "the provider's new token is lost");
        Err(FreshnessError::Later)
    }

    /// Writes a change, as much of it as fits.
    pub(super) async fn save(
        &self,
        seen: SeenGrant,
        change: &Change<'_>,
    ) -> Result<SeenGrant, FreshnessError> {
        let (mut seen, mut fits) = (seen, FITS.into_iter());
        let mut fit = fits.next().unwrap_or(Fit::TokensOnly);
        for _ in 0..SWAP_ATTEMPTS {
            if change.is_overtaken(&seen) {
                return Ok(seen);
            }
            let now = self.of.now();
            let rules = &self.of.settings.scope_implications;
            let grant = change.made(&seen, rules, fit, now);
            let (grants, ttl) = (&self.of.grants, self.of.record_ttl(&grant, now));
            let written = grants.keep(&self.id, &seen, grant, ttl, now);
            match written.await {
                Ok(Some(saved)) => {
                    self.written(&seen, &saved, now);
                    return Ok(saved);
                }
                Ok(None) => match self.of.grants.load_in_doubt(&self.id).await? {
                    Some(again) => seen = again,
                    None => return Err(self.is_gone(change)),
                },
                Err(error @ StorageError::TooLarge { .. }) => {
                    self.emit(Reason::TooLarge, error.to_string());
                    fit = fits.next().ok_or(error)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(FreshnessError::Later)
    }

    fn written(&self, before: &Grant, after: &Grant, now: Unix) {
        let is_someone_else = before.claims != after.claims
            || before.roles != after.roles
            || before.scopes != after.scopes;
        // Before its time: sessions in the cache still have the token that was replaced.
        let is_early = before.upstream.access_token != after.upstream.access_token
            && !before.upstream.wants_renewal(now);
        if is_someone_else || is_early {
            self.of.grants.forget(self.id);
        }
        let event = Event::done(Step::UpstreamRefresh).about(self.of.grants.who(&self.id, after));
        self.of
            .events
            .emit(&match after.proven_at == before.proven_at {
                true => event,
                false => event.detail("the person may still come in"),
            });
    }

    /// The grant ended meanwhile. What the provider gave for it has no owner.
    fn is_gone(&self, change: &Change<'_>) -> FreshnessError {
        if let Some(Answered {
            provider,
            tokens,
            at,
            ..
        }) = change.answered
        {
            let new = UpstreamGrant::new(tokens, *at);
            let provider = provider.clone();
            let who = (*self.who).clone();
            self.of.ending.revoke_later(who, provider, vec![new]);
        }
        FreshnessError::Ended
    }
}

/// Whether the store may take it later.
fn is_passing(error: &FreshnessError) -> bool {
    matches!(
        error,
        FreshnessError::Later | FreshnessError::Store(StorageError::Unavailable(_))
    )
}

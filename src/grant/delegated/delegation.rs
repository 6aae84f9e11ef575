//! Asks the provider for tokens of other APIs, and keeps them.

use std::sync::Arc;

use moka::{policy::EvictionPolicy, sync::Cache};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    flights::{Boarded, Flight, Flights, landed},
    kept::{Decision, Kept},
    token::{ExchangedToken, TokenForError},
};
use crate::{
    clock::Clock,
    event::{Event, Events, Reason, Step, Told, Who},
    grant::{
        Freshness, Grant, GrantId, Grants, Phase,
        renewal::{FreshnessError, Need},
    },
    limits::{EXCHANGED_BYTES, MAX_EXCHANGES_AT_WORK, RENEWAL_PATIENCE},
    provider::{Finality, OnBehalfError, Providers, TokenTarget, UpstreamError},
    tasks::Tasks,
    time::Unix,
};

/// Whose token is traded.
#[derive(Debug, Clone)]
pub(crate) enum Holder {
    /// The person of a grant: the provider's token is in the record, and is renewed first if need be.
    Grant(GrantId),
    /// Whoever presented this token of the provider's, in passthrough mode.
    Bearer {
        token: Arc<str>,
        expires_at: Option<Unix>,
    },
}

/// The same holder and the same target: the same token.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    holder: HolderKey,
    target: Arc<str>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum HolderKey {
    Grant(GrantId),
    Bearer([u8; 32]),
}

type Outcome = Result<ExchangedToken, TokenForError>;

/// What a [`Delegation`] works with.
pub(crate) struct DelegationParts {
    pub(crate) providers: Providers,
    pub(crate) grants: Arc<Grants>,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) tasks: Tasks,
}

/// Hands out tokens for other APIs, in the name of people who are logged in.
pub(crate) struct Delegation {
    parts: DelegationParts,
    kept: Cache<Key, Kept>,
    flights: Flights<Key, Outcome>,
}

impl Delegation {
    pub(crate) fn new(parts: DelegationParts) -> Self {
        // The key, and what the table needs for it.
        const FIXED: usize = 250;
        let kept = Cache::builder()
            .max_capacity(EXCHANGED_BYTES)
            .weigher(|key: &Key, kept: &Kept| {
                let size = FIXED + key.target.len() + kept.size();
                u32::try_from(size).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru());
        Self {
            parts,
            kept: kept.build(),
            flights: Flights::new(MAX_EXCHANGES_AT_WORK),
        }
    }

    /// What stands behind the grant, for other business with its tokens.
    pub(crate) fn freshness(&self) -> &Arc<Freshness> {
        &self.parts.freshness
    }

    /// A token for `target` in the holder's name. `refused` is one that the API did not take.
    ///
    /// The store is asked each time whether the grant still stands: a token that was kept here must not
    /// outlive it.
    pub(crate) async fn token_for(
        self: &Arc<Self>,
        holder: Holder,
        target: &TokenTarget,
        refused: Option<&str>,
    ) -> Outcome {
        target.check().map_err(TokenForError::Target)?;
        let key = Key::new(&holder, target);
        let grant = match self.standing(&holder).await {
            Ok(grant) => grant,
            Err(error) => {
                if error == TokenForError::Ended {
                    self.kept.invalidate(&key);
                    let who = self.holder(&holder, None);
                    self.refused(Reason::GrantEnded, who, target, "the login has ended");
                }
                return Err(error);
            }
        };
        let kept = self.kept.get(&key);
        let old = kept.and_then(|kept| kept.good(refused, self.now()));
        let known = || match self.known(&key, refused) {
            Decision::Hand(token) => Some(Ok(token)),
            Decision::Fail(error) => Some(Err(error)),
            Decision::Ask => None,
        };
        let answer = match self.flights.board(&key, known) {
            Ok(known) => return known,
            Err(Boarded::Waits(answer)) => answer,
            Err(Boarded::Full) => {
                let words = format!("{MAX_EXCHANGES_AT_WORK} are at the provider already");
                let who = self.holder(&holder, grant.as_deref());
                self.refused(Reason::Busy, who, target, words);
                return Err(TokenForError::Unavailable);
            }
            Err(Boarded::Starts(flight, answer)) => {
                let (this, target) = (Arc::clone(self), target.clone());
                // A task of its own: those who wait share the answer, though the first one hangs up.
                self.parts
                    .tasks
                    .spawn(async move { this.fly(flight, key, holder, grant, target).await });
                answer
            }
        };
        // While the old one is good, it is no matter that no other comes, or not soon.
        let answer = match &old {
            Some(_) => timeout(RENEWAL_PATIENCE, landed(answer)).await.ok(),
            None => Some(landed(answer).await),
        };
        match (answer.flatten(), old) {
            // The provider says the same token again, or another's answer is what was refused.
            (Some(Ok(token)), _) if refused == Some(token.access_token()) => {
                Err(TokenForError::Unavailable)
            }
            (Some(Ok(token)), _) => Ok(token),
            (Some(Err(TokenForError::Ended)), _) => Err(TokenForError::Ended),
            (_, Some(old)) => Ok(old),
            (Some(Err(error)), None) => Err(error),
            (None, None) => Err(TokenForError::Unavailable),
        }
    }

    fn known(&self, key: &Key, refused: Option<&str>) -> Decision {
        let kept = self.kept.get(key);
        kept.map_or(Decision::Ask, |kept| kept.decide(refused, self.now()))
    }

    /// Whether the holder is still logged in; the grant where there is one.
    async fn standing(&self, holder: &Holder) -> Result<Option<Box<Grant>>, TokenForError> {
        let now = self.now();
        match holder {
            Holder::Bearer { expires_at, .. } => match expires_at {
                Some(end) if now >= *end => Err(TokenForError::Ended),
                _ => Ok(None),
            },
            Holder::Grant(id) => {
                let grant = self.parts.grants.look(id).await;
                let grant = grant.map_err(|_| TokenForError::Unavailable)?;
                let grant = grant.filter(|grant| {
                    matches!(grant.phase, Phase::Active { .. })
                        && !grant.upstream.is_over(now)
                        && !self.parts.freshness.is_past_last_day(grant, now)
                });
                grant.map(Some).ok_or(TokenForError::Ended)
            }
        }
    }

    async fn fly(
        &self,
        flight: Flight<Key, Outcome>,
        key: Key,
        holder: Holder,
        grant: Option<Box<Grant>>,
        target: TokenTarget,
    ) {
        let outcome = self.exchanged(&holder, grant, &target).await;
        let now = self.now();
        let before = self.kept.get(&key).unwrap_or_default();
        match &outcome {
            Ok(token) => self.kept.insert(key, Kept::of(token.clone(), now)),
            // What ended is asked of the store; what is not offered costs no request.
            Err(TokenForError::Ended | TokenForError::NotOffered(_) | TokenForError::Target(_)) => {
                self.kept.invalidate(&key);
            }
            Err(error) => self
                .kept
                .insert(key.clone(), before.failed(error.clone(), now)),
        }
        flight.land(outcome);
    }

    /// One exchange, with a token of the provider that is good now.
    async fn exchanged(
        &self,
        holder: &Holder,
        grant: Option<Box<Grant>>,
        target: &TokenTarget,
    ) -> Outcome {
        let providers = &self.parts.providers;
        let who = self.holder(holder, grant.as_deref());
        let (provider, subject) = match (holder, grant) {
            (Holder::Bearer { token, .. }, _) => (providers.main(), token.to_string()),
            (Holder::Grant(id), Some(grant)) => {
                // A token of one provider is never shown to another.
                let provider = providers.of(&grant.provider).ok_or(TokenForError::Ended)?;
                (provider, self.fresh(*id, grant, target, &who).await?)
            }
            (Holder::Grant(_), None) => return Err(TokenForError::Ended),
        };
        let now = self.now();
        match provider.token_for(&subject, target).await {
            Ok(answer) => {
                // It may have been ended while the provider was asked.
                if let Err(error) = self.standing(holder).await {
                    let reason = match error {
                        TokenForError::Ended => Reason::GrantEnded,
                        _ => Reason::StoreUnavailable,
                    };
                    self.refused(reason, who, target, "a token came, and is dropped");
                    return Err(error);
                }
                let event = Event::done(Step::TokenExchange).about(who);
                self.parts.events.emit(&event.detail(target));
                Ok(ExchangedToken::new(answer, now))
            }
            Err(error) => {
                let reason = match &error {
                    OnBehalfError::NotOffered(_) => Reason::UnsupportedType,
                    OnBehalfError::Upstream(error) => error.reason(),
                };
                let why = match &error {
                    OnBehalfError::Upstream(error) => error.told(),
                    OnBehalfError::NotOffered(_) => error.to_string().into(),
                };
                self.refused(reason, who, target, why);
                Err(error.into())
            }
        }
    }

    async fn fresh(
        &self,
        id: GrantId,
        grant: Box<Grant>,
        target: &TokenTarget,
        who: &Who,
    ) -> Result<String, TokenForError> {
        match self.parts.freshness.ensure(id, &grant, Need::Token).await {
            Ok(Some(fresh)) => Ok(fresh.upstream.access_token.to_string()),
            Ok(None) => Ok(grant.upstream.access_token.to_string()),
            Err(FreshnessError::Ended) => {
                self.refused(
                    Reason::GrantEnded,
                    who.clone(),
                    target,
                    "the login has ended",
                );
                Err(TokenForError::Ended)
            }
            Err(FreshnessError::Later | FreshnessError::Store(_)) => {
                let words = "the provider's own token cannot be renewed right now";
                self.refused(Reason::ProviderUnavailable, who.clone(), target, words);
                Err(TokenForError::Unavailable)
            }
        }
    }

    /// For events.
    fn holder(&self, holder: &Holder, grant: Option<&Grant>) -> Who {
        let main = || self.parts.providers.main().about().id.as_str();
        match (holder, grant) {
            (Holder::Grant(id), Some(grant)) => self.parts.grants.who(id, grant),
            (Holder::Grant(id), None) => Who::default().grant(id),
            (Holder::Bearer { .. }, _) => Who::default().provider(main()),
        }
    }

    fn refused(&self, reason: Reason, who: Who, target: &TokenTarget, why: impl Into<Told>) {
        let event = Event::refused(Step::TokenExchange, reason).about(who);
        let lead = format!("{target}: ");
        let why = why.into().after(&lead, &lead);
        self.parts.events.emit(&event.told(&why));
    }

    fn now(&self) -> Unix {
        Unix::from(self.parts.clock.now())
    }
}

impl Key {
    fn new(holder: &Holder, target: &TokenTarget) -> Self {
        Self {
            holder: match holder {
                Holder::Grant(id) => HolderKey::Grant(*id),
                Holder::Bearer { token, .. } => {
                    HolderKey::Bearer(Sha256::digest(token.as_bytes()).into())
                }
            },
            target: target.key().into(),
        }
    }
}

impl From<OnBehalfError> for TokenForError {
    fn from(error: OnBehalfError) -> Self {
        match error {
            OnBehalfError::NotOffered(_) => Self::NotOffered(error.to_string()),
            // The operator's own credentials, say: for this caller it may work later.
            OnBehalfError::Upstream(UpstreamError::Rejected {
                code,
                description,
                finality: Finality::Ends | Finality::Bounded,
                ..
            }) => Self::Refused { code, description },
            OnBehalfError::Upstream(_) => Self::Unavailable,
        }
    }
}

//! The end of a grant: here first, then at the provider (RFC 7009).

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{GrantId, Grants, UpstreamGrant, at_once};
use crate::{
    error::{StorageError, with_causes},
    event::{Event, Events, Reason, Step, Who},
    limits::{REVOKE_WAIT, STORE_TIMEOUT},
    provider::{ProviderClient, Providers},
    tasks::Tasks,
};

/// Ends grants: a replayed code, a reused refresh token, a client's revocation, the operator, a
/// person who may no longer come in. Clones are the same.
#[derive(Clone)]
pub(crate) struct Ending {
    grants: Arc<Grants>,
    providers: Providers,
    events: Arc<Events>,
    tasks: Tasks,
}

impl Ending {
    pub(crate) fn new(
        grants: Arc<Grants>,
        providers: Providers,
        events: Arc<Events>,
        tasks: Tasks,
    ) -> Self {
        Self {
            grants,
            providers,
            events,
            tasks,
        }
    }

    /// Ends a grant here, then at the provider; `false` when there was none. The provider's answer is
    /// waited for a little and never decides: what the client held is dead either way.
    pub(crate) async fn end(&self, id: GrantId) -> Result<bool, StorageError> {
        let (done, told) = oneshot::channel();
        let ending = self.clone();
        // In a task of its own: a caller that hangs up must not end a grant by halves.
        let at_provider = self.tasks.spawn(async move {
            let ended = ending.grants.end(&id).await;
            let (grant, result) = match ended {
                Ok(grant) => {
                    let existed = grant.is_some();
                    (grant, Ok(existed))
                }
                Err(error) => (None, Err(error)),
            };
            let _ = done.send(result);
            if let Some(grant) = grant {
                let who = ending.grants.who(&id, &grant);
                ending
                    .at_provider(&who, &grant.provider, &grant.upstream)
                    .await;
            }
        });
        let early = |_| Err(StorageError::unavailable("the task ended early"));
        let ended = told.await.unwrap_or_else(early)?;
        if ended {
            let _ = tokio::time::timeout(REVOKE_WAIT, at_provider).await;
        }
        Ok(ended)
    }

    /// Ends many grants here, some at once; the provider hears of them one after the other, later.
    pub(crate) async fn end_many(&self, ids: Vec<GrantId>) -> Result<usize, StorageError> {
        let end = |id: GrantId| {
            let grants = Arc::clone(&self.grants);
            async move { Ok(grants.end(&id).await?.map(|grant| (id, grant))) }
        };
        let (ended, outcome) = at_once(ids, end).await;
        let ended: Vec<_> = ended.into_iter().flatten().collect();
        let count = ended.len();
        if count > 0 {
            let ending = self.clone();
            self.tasks.spawn(async move {
                for (id, grant) in ended {
                    let who = ending.grants.who(&id, &grant);
                    ending
                        .at_provider(&who, &grant.provider, &grant.upstream)
                        .await;
                }
            });
        }
        outcome.map(|()| count)
    }

    /// Ends what the person of a new grant has too many of; see
    /// [`grants_per_person`](crate::OAuthProxyConfigBuilder::grants_per_person). The login waits for
    /// that a little, so that a store with bounds is not filled faster than it is cleared, and never
    /// fails by it.
    ///
    /// The provider does not hear of it: where one token ends a person's whole approval of the app, as
    /// at Google, that would end all their other grants, and the login that is just being made.
    pub(crate) async fn end_surplus(&self, new: GrantId, subject: &str, limit: usize) {
        let (subject, grants) = (subject.to_owned(), Arc::clone(&self.grants));
        let events = Arc::clone(&self.events);
        // In a task of its own: a login that does not wait must not end a grant by halves.
        let ending = self.tasks.spawn(async move {
            match grants.end_surplus(new, &subject, limit).await {
                Ok(ended) => {
                    for who in ended {
                        let event = Event::refused(Step::Revoke, Reason::TooMany).about(who);
                        events.emit(&event.detail(format_args!(
                            "the person has more than {limit} grants: this one was used longest ago"
                        )));
                    }
                }
                Err(error) => {
                    let event = Event::refused(Step::Storage, Reason::StoreUnavailable);
                    let why = with_causes(&error);
                    let detail = format_args!("the person's other grants were not counted: {why}");
                    let event = event.grant(new).person(Some(&subject), None);
                    events.emit(&event.detail(detail));
                }
            }
        });
        let _ = tokio::time::timeout(STORE_TIMEOUT, ending).await;
    }

    /// Ends a grant that is past its last day. The provider does not hear of it: at some, one
    /// revocation ends the person's other grants as well, and those have days left.
    pub(crate) async fn expire(&self, id: GrantId) -> Result<(), StorageError> {
        if let Some(grant) = self.grants.end(&id).await? {
            let event = Event::refused(Step::UpstreamRefresh, Reason::Expired);
            let event = event.about(self.grants.who(&id, &grant));
            self.events
                .emit(&event.detail("the grant is as old as it may get: it ends"));
        }
        Ok(())
    }

    /// The grant has ended here: revokes at its provider what that gave for it, in a task of its own.
    pub(super) fn revoke_later(&self, who: Who, provider: String, given: Vec<UpstreamGrant>) {
        let ending = self.clone();
        self.tasks.spawn(async move {
            for given in given {
                ending.at_provider(&who, &provider, &given).await;
            }
        });
    }

    /// Revokes what a provider gave, at that provider: the tokens of one must never reach another.
    async fn at_provider(&self, who: &Who, provider: &str, given: &UpstreamGrant) {
        if given.revocable().next().is_none() {
            return;
        }
        if let Some(provider) = self.providers.of(provider) {
            return end_at_provider(provider, &self.events, who, given.revocable()).await;
        }
        let event = Event::refused(Step::UpstreamRevoke, Reason::GrantEnded);
        self.events
            .emit(&event.about(who.clone()).detail(format_args!(
            "the grant belongs to provider `{provider}`, which is not configured: its tokens are \
                 not revoked there"
        )));
    }
}

/// Revokes what the provider gave, each token with its hint, the strongest first, and reports how that
/// went.
pub(crate) async fn end_at_provider<'a>(
    provider: &ProviderClient,
    events: &Events,
    who: &Who,
    given: impl Iterator<Item = (&'a str, &'static str)>,
) {
    let mut outcome = Ok(false);
    for (token, hint) in given {
        outcome = provider.revoke(token, hint).await;
        // `false`: the provider does not revoke this kind; the other kind may do.
        if !matches!(outcome, Ok(false)) {
            break;
        }
    }
    match outcome {
        Ok(true) => events.emit(&Event::done(Step::UpstreamRevoke).about(who.clone())),
        Ok(false) => {}
        Err(error) => {
            let event = Event::refused(Step::UpstreamRevoke, error.reason());
            events.emit(&event.about(who.clone()).told(&error.told()));
        }
    }
}

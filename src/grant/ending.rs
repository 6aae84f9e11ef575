//! The end of a grant: here, and at the provider (RFC 7009).

use std::sync::Arc;

use super::{GrantId, Grants};
use crate::{
    event::{Event, Events, Reason, Step},
    limits::STORE_TIMEOUT,
    provider::ProviderClient,
    tasks::Tasks,
};

/// Ends grants.
pub(crate) struct Ending {
    grants: Arc<Grants>,
    events: Arc<Events>,
    tasks: Tasks,
}

impl Ending {
    pub(crate) fn new(grants: Arc<Grants>, events: Arc<Events>, tasks: Tasks) -> Self {
        Self {
            grants,
            events,
            tasks,
        }
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
                    for id in ended {
                        let event = Event::refused(Step::Revoke, Reason::TooMany);
                        let event = event.grant(id.to_string());
                        events.emit(&event.detail(format_args!(
                            "the person has more than {limit} grants: this one was used longest ago"
                        )));
                    }
                }
                Err(error) => {
                    let event = Event::refused(Step::Storage, Reason::StoreUnavailable);
                    let detail =
                        format_args!("the person's other grants were not counted: {error}");
                    events.emit(&event.grant(new.to_string()).detail(detail));
                }
            }
        });
        let _ = tokio::time::timeout(STORE_TIMEOUT, ending).await;
    }
}

/// Revokes what the provider gave, each token with its hint, the strongest first, and tells how that
/// went.
pub(crate) async fn end_at_provider<'a>(
    upstream: &ProviderClient,
    events: &Events,
    id: GrantId,
    given: impl Iterator<Item = (&'a str, &'static str)>,
) {
    let mut outcome = Ok(false);
    for (token, hint) in given {
        outcome = upstream.revoke(token, hint).await;
        // `false`: the provider does not revoke this kind; the other kind may do.
        if !matches!(outcome, Ok(false)) {
            break;
        }
    }
    match outcome {
        Ok(true) => events.emit(&Event::done(Step::UpstreamRevoke).grant(id.to_string())),
        Ok(false) => {}
        Err(error) => {
            let event = Event::refused(Step::UpstreamRevoke, Reason::ProviderUnavailable);
            events.emit(&event.grant(id.to_string()).detail(error));
        }
    }
}

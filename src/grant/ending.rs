//! The end of a grant at the provider (RFC 7009).

use super::GrantId;
use crate::{
    event::{Event, Events, Reason, Step},
    provider::ProviderClient,
};

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

//! What a browser has approved before, for `Consent::Remember`.

use serde::{Deserialize, Serialize};

use super::progress::AuthorizationRequest;
use crate::{key::sha256, limits, time::Unix};

/// A bounded list of approvals, the oldest first.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Approvals(Vec<Approval>);

#[derive(Serialize, Deserialize)]
struct Approval {
    hash: [u8; 16],
    given_at: Unix,
}

impl Approvals {
    pub(crate) fn still_live(mut self, now: Unix) -> Self {
        let ttl = limits::APPROVAL_TTL;
        self.0
            .retain(|approval| super::progress::is_live(approval.given_at, ttl, now));
        self
    }

    pub(crate) fn covers(&self, request: &AuthorizationRequest, provider: &str) -> bool {
        let hash = fingerprint(request, provider);
        self.0.iter().any(|approval| approval.hash == hash)
    }

    /// Remembers that the person approved this, with this provider. What was remembered of the same with one
    /// of the others goes: the last choice stands.
    #[must_use]
    pub(crate) fn with<'a>(
        mut self,
        request: &AuthorizationRequest,
        provider: &str,
        others: impl Iterator<Item = &'a str>,
        now: Unix,
    ) -> Self {
        let hash = fingerprint(request, provider);
        let others: Vec<_> = others.map(|other| fingerprint(request, other)).collect();
        self.0
            .retain(|approval| approval.hash != hash && !others.contains(&approval.hash));
        self.0.push(Approval {
            hash,
            given_at: now,
        });
        let over = self.0.len().saturating_sub(limits::MAX_APPROVALS);
        self.0.drain(..over);
        self
    }
}

/// The client, where its codes go, what it may do and where, and who logs the person in: all that they saw
/// on the page, and chose there.
/// A loopback port does not count, it changes with each start of the client.
fn fingerprint(request: &AuthorizationRequest, provider: &str) -> [u8; 16] {
    let mut scopes: Vec<&str> = request.scopes.iter().collect();
    scopes.sort_unstable();
    let seen = (
        request.client.id(),
        request.redirect_uri.place(),
        scopes,
        request.resource.as_str(),
        provider,
    );
    // Strings and lists of them always serialise, each with its length.
    let hash = sha256(&postcard::to_allocvec(&seen).unwrap_or_default());
    hash.first_chunk().copied().unwrap_or_default()
}

//! The record of a grant, and the bytes that it is stored as.
//!
//! ```text
//! record = version(1) || postcard of Grant                              version 1, or 3 of an assertion's
//!        | version(1) || postcard of Grant || postcard of seen_client   version 2
//! ```
//!
//! Version 2 is written only where there is a `seen_client`: an older instance of a rollout reads all others.
//!
//! [postcard](https://postcard.jamesmunns.com/wire-format) writes the fields in the order in which
//! they stand below, without their names: lengths and numbers as varints, a variant as its position.
//! So **the order of the fields and variants of this file is the format**; `record_read` has the same. To change it, raise
//! the version and keep the code that reads the old one; otherwise the samples beside the tests break.
//!
//! The record is read at every first sight of a token, so it is made to be read in one pass: short texts
//! are copied once, long ones and those that few requests need stay in the bytes that came from the store
//! ([`SharedText`]), and the claims stay text until someone asks for them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    grant::lifetime,
    oauth::{CodeChallenge, Resource, ScopeSet, SharedText},
    provider::TokenAnswer,
    time::Unix,
    token::CarriedClaims,
};

/// The first byte of a record.
pub(super) const VERSION: u8 = 1;
/// The same of one that ends with what the login saw of its client.
pub(super) const VERSION_WITH_CLIENT: u8 = 2;
/// The same of one that was made of an assertion, a phase that the others do not have.
pub(super) const VERSION_ASSERTED: u8 = 3;
/// What a record takes in addition to its longest texts, roughly, in bytes: saves growing while it is written.
const FIXED_BYTES: usize = 512;

/// A person's login for one client. Has no `Debug` outside tests: it holds the provider's tokens.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) struct Grant {
    /// The id of the provider that the person logged in at.
    pub(crate) provider: String,
    pub(crate) client_id: String,
    pub(crate) subject: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) resource: Resource,
    pub(crate) roles: Vec<String>,
    /// The provider's claims that the configuration lets through.
    pub(crate) claims: CarriedClaims,
    pub(crate) phase: Phase,
    /// When the person logged in.
    pub(crate) created_at: Unix,
    /// When the provider last vouched for the person, and the operator admitted them.
    pub(crate) proven_at: Unix,
    /// Until when the grant stands in the lists of its subject and client.
    pub(crate) listed_until: Unix,
    /// A random number of the write that brought the phase: tells it from another's of the same content.
    pub(crate) step: u64,
    /// Last: most of the record's bytes, and of those what is needed least comes last.
    pub(crate) upstream: UpstreamGrant,
    /// What the login saw of a client that can say something else by now, as the room `client` wrote it. The
    /// token endpoint holds the client to that.
    #[serde(skip)]
    pub(crate) seen_client: Option<Bytes>,
}

impl Grant {
    /// The record's bytes. Equal grants give equal bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let UpstreamGrant {
            access_token,
            refresh_token,
            id_token,
            ..
        } = &self.upstream;
        let long = [
            Some(access_token),
            refresh_token.as_ref(),
            id_token.as_ref(),
        ];
        let long: usize = long.into_iter().flatten().map(SharedText::len).sum();
        let mut bytes = Vec::with_capacity(long + self.claims.json().len() + FIXED_BYTES);
        bytes.push(match (&self.phase, &self.seen_client) {
            (_, Some(_)) => VERSION_WITH_CLIENT,
            (Phase::Asserted { .. }, None) => VERSION_ASSERTED,
            (_, None) => VERSION,
        });
        // Texts, numbers and lists of known length, into memory: postcard refuses none of them.
        let written = postcard::to_extend(self, bytes);
        let written = match &self.seen_client {
            None => written,
            Some(seen) => written.and_then(|bytes| postcard::to_extend(&**seen, bytes)),
        };
        written.unwrap_or_else(|_| unreachable!("a grant is made of what postcard can write"))
    }

    /// A grant of passthrough mode, whose tokens the client holds: nothing of it is stored, and it is
    /// put together again for a look at its person.
    pub(crate) fn passed_through(
        client_id: &str,
        subject: &str,
        scopes: &ScopeSet,
        resource: &Resource,
        upstream: UpstreamGrant,
    ) -> Self {
        Self {
            provider: String::new(),
            client_id: client_id.to_owned(),
            subject: subject.to_owned(),
            scopes: scopes.clone(),
            resource: resource.clone(),
            claims: CarriedClaims::default(),
            roles: Vec::new(),
            upstream: UpstreamGrant {
                // Not checked yet: nothing to compare the next one with.
                id_token: None,
                ..upstream
            },
            phase: Phase::Active {
                generation: 0,
                rotated_at: Unix::EPOCH,
                code: None,
            },
            created_at: Unix::EPOCH,
            proven_at: Unix::EPOCH,
            listed_until: Unix::EPOCH,
            step: 0,
            seen_client: None,
        }
    }
}

/// Where in its life a grant is.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) enum Phase {
    /// The person is back from the provider; the client holds a code.
    Pending(CodeMark),
    /// The client holds tokens.
    Active {
        /// The generation of the live refresh token.
        generation: u32,
        rotated_at: Unix,
        /// Kept until the code's natural end, to know a replay.
        code: Option<CodeMark>,
    },
    /// Passthrough mode: the code was redeemed. The record stays until the code's own end, with the
    /// provider's tokens, so that a replay can revoke them.
    Spent(CodeMark),
    /// Made of an assertion that a trusted issuer signed. The client holds one access token and no refresh
    /// token, and nothing of a provider's stands behind it: the grant ends with the token, at the end of
    /// [`upstream`](Grant::upstream).
    Asserted {
        /// The id of the trusted issuer.
        issuer: String,
        /// Whom it vouched for.
        about: About,
    },
}

/// Whom an assertion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum About {
    /// A person.
    Person,
    /// A workload, behind which there is no person.
    Workload,
}

/// A code, by its hash, and what a request has to repeat and to prove with it: the first time, and
/// each later one, so that only its own client's replay counts as one.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) struct CodeMark {
    pub(crate) hash: SharedText,
    pub(crate) expires_at: Unix,
    /// Only ever compared: it is not read as a URI at each first sight of a token.
    pub(crate) redirect_uri: SharedText,
    pub(crate) challenge: CodeChallenge,
}

impl CodeMark {
    /// The end of a code that no one has been given yet: who guesses it, or finds it, comes too late.
    pub(crate) const HELD_BACK: Unix = Unix::EPOCH;

    pub(crate) fn is_held_back(&self) -> bool {
        self.expires_at == Self::HELD_BACK
    }
}

/// The provider's side of a grant.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) struct UpstreamGrant {
    /// When the access token ends; `None` when the provider did not say.
    pub(crate) expires_at: Option<Unix>,
    /// From when on it should be renewed.
    pub(crate) renew_at: Option<Unix>,
    /// When it was last renewed; `None` since the login.
    pub(crate) renewed_at: Option<Unix>,
    /// Since when the provider has refused to renew it, in words that do not end the grant at once.
    pub(crate) refused_since: Option<Unix>,
    pub(crate) access_token: SharedText,
    pub(crate) id_token: Option<SharedText>,
    pub(crate) refresh_token: Option<SharedText>,
}

impl UpstreamGrant {
    pub(crate) fn new(answer: &TokenAnswer, now: Unix) -> Self {
        let refresh_token = answer.refresh_token().map(SharedText::from);
        let expires_at = answer.expires_in.map(|life| now + life);
        Self {
            access_token: answer.access_token().into(),
            id_token: answer.id_token().map(SharedText::from),
            expires_at,
            renew_at: lifetime::renewal(now, answer.expires_in, refresh_token.is_some()),
            refresh_token,
            renewed_at: None,
            refused_since: None,
        }
    }

    /// Of a grant behind which nothing of a provider's stands: it ends then.
    pub(crate) fn none(until: Unix) -> Self {
        Self {
            access_token: "".into(),
            id_token: None,
            refresh_token: None,
            expires_at: Some(until),
            renew_at: None,
            renewed_at: None,
            refused_since: None,
        }
    }

    /// The state after a renewal. What the provider leaves out stands as it was (RFC 6749
    /// section 6). So does the ID token: the new one counts only once it was checked (OpenID Connect
    /// Core section 12.2).
    #[must_use]
    pub(crate) fn renewed(&self, answer: &TokenAnswer, now: Unix) -> Self {
        let new = Self::new(answer, now);
        let refresh_token = new.refresh_token.or_else(|| self.refresh_token.clone());
        Self {
            id_token: self.id_token.clone(),
            renew_at: lifetime::renewal(now, answer.expires_in, refresh_token.is_some()),
            refresh_token,
            renewed_at: Some(now),
            ..new
        }
    }

    pub(crate) fn can_renew(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Whether the access token should be renewed before it is used.
    pub(crate) fn wants_renewal(&self, now: Unix) -> bool {
        self.can_renew() && self.renew_at.is_some_and(|at| now >= at)
    }

    /// Whether the access token has ended and cannot be renewed.
    pub(crate) fn is_over(&self, now: Unix) -> bool {
        !self.can_renew() && self.expires_at.is_some_and(|at| now >= at)
    }

    /// What ends the grant at the provider, the strongest first (RFC 7009 section 2.1: revoking a
    /// refresh token ends its access tokens).
    pub(crate) fn revocable(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let refresh_token = self.refresh_token.as_deref();
        let access_token = Some(&*self.access_token).filter(|token| !token.is_empty());
        refresh_token
            .map(|token| (token, "refresh_token"))
            .into_iter()
            .chain(access_token.map(|token| (token, "access_token")))
    }
}

#[cfg(test)]
mod tests;

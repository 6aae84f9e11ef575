//! Whether what was true of a person at login still is. The grant's room says when it asks; who
//! answers stands above it.

use std::{future::Future, pin::Pin};

use super::{Grant, GrantId};
use crate::{
    event::{Reason, Told},
    provider::TokenAnswer,
    time::Unix,
    token::CarriedClaims,
};

/// What [`ProofOfLife::ask`] returns.
pub(crate) type LookFuture<'a> = Pin<Box<dyn Future<Output = Look> + Send + 'a>>;

/// Asks the provider who a grant's person is now, and the operator whether they may still come in.
pub(crate) trait ProofOfLife: Send + Sync {
    /// What the answer to a renewal says by itself, without another request. `None`: the provider or
    /// the operator's hook has to be asked, with [`ask`](Self::ask).
    fn read(&self, id: GrantId, grant: &Grant, renewed: &TokenAnswer, now: Unix) -> Option<Look>;

    /// Whether [`ask`](Self::ask) can learn anything without a renewal about the people of this provider,
    /// from it or from the operator.
    fn can_ask(&self, provider: &str) -> bool;

    /// Whether this provider can be asked about a person without a renewal.
    fn can_ask_provider(&self, provider: &str) -> bool;

    /// Asks the provider and the operator. `renewed` is the answer to the renewal before it; without
    /// one the provider is asked with the grant's own access token.
    fn ask<'a>(
        &'a self,
        id: GrantId,
        grant: &'a Grant,
        renewed: Option<&'a TokenAnswer>,
        now: Unix,
    ) -> LookFuture<'a>;
}

/// What a look at a person came to.
pub(crate) enum Look {
    /// The provider vouches for them, and the operator still admits them.
    Proven(Proven),
    /// No answer for now: what was known stands for a while.
    Later {
        /// For the operator.
        reason: Reason,
        /// What was said.
        detail: Told,
    },
    /// The provider's API refused the grant's own access token (401). Only a look without a renewal
    /// comes to this.
    TokenRefused,
    /// They may no longer come in: the grant ends, here and at the provider.
    No {
        /// For the operator.
        reason: Reason,
        /// Which rule, and what was said.
        detail: Told,
    },
}

/// What a look found.
pub(crate) struct Proven {
    /// The claims and roles that replace the grant's; `None` when none were named.
    pub(crate) known: Option<Known>,
    /// The renewal's ID token, when it was checked and is about this person.
    pub(crate) id_token: Option<String>,
}

/// What sessions show of a person.
pub(crate) struct Known {
    /// The claims that the configuration lets through.
    pub(crate) claims: CarriedClaims,
    /// The roles.
    pub(crate) roles: Vec<String>,
}

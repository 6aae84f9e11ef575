//! What a login in progress has to remember, and how long.
//!
//! Two cookies, never one doing both jobs: the request cookie carries the validated authorization
//! request to the consent page, the login cookie exists only after the person has approved, and
//! only it knows the `state` that the provider will send back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Wishes, packed, stamp};
use crate::{
    client::{RedirectUri, SeenClient},
    event::Who,
    key::constant_time_eq,
    oauth::{CodeChallenge, CodeVerifier, Resource, ScopeSet},
    random,
    time::Unix,
};

/// An authorization request that passed every rule.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    #[serde(with = "packed::client")]
    pub(crate) client: SeenClient,
    pub(crate) redirect_uri: RedirectUri,
    /// The client's own, echoed byte for byte.
    #[serde(with = "packed::option")]
    pub(crate) state: Option<String>,
    pub(crate) challenge: CodeChallenge,
    pub(crate) scopes: ScopeSet,
    pub(crate) resource: Resource,
    /// What is passed on to the provider besides.
    pub(crate) wishes: Wishes,
}

impl AuthorizationRequest {
    /// For events.
    pub(crate) fn who(&self) -> Who {
        let host = self.redirect_uri.shown_address();
        let who = self.client.who().redirect_host(&host);
        who.access(self.resource.as_str(), &self.scopes)
    }
}

/// The request cookie: waits for the person's decision.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RequestedLogin {
    /// Names the login in the page's URL and in events.
    #[serde(with = "packed::text")]
    pub(crate) id: String,
    /// Proves that the decision comes from the page that this browser was shown.
    #[serde(with = "packed::text")]
    pub(crate) form_token: String,
    pub(crate) issued_at: Unix,
    pub(crate) start: Start,
    pub(crate) request: AuthorizationRequest,
}

/// How a login began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenStart", into = "WrittenStart")]
pub(crate) struct Start {
    /// A page of another site sent the browser here, and the person has not decided yet.
    pub(crate) from_elsewhere: bool,
    /// The id of the provider that the operator's rule chose for it.
    pub(crate) provider: Option<String>,
}

/// The same in a cookie. The first two are the bytes of a `bool`, which stood there alone before a rule
/// could choose.
#[derive(Serialize, Deserialize)]
enum WrittenStart {
    Here,
    Elsewhere,
    HereFor(String),
    ElsewhereFor(String),
}

impl From<Start> for WrittenStart {
    fn from(start: Start) -> Self {
        match (start.from_elsewhere, start.provider) {
            (false, None) => Self::Here,
            (true, None) => Self::Elsewhere,
            (false, Some(provider)) => Self::HereFor(provider),
            (true, Some(provider)) => Self::ElsewhereFor(provider),
        }
    }
}

impl From<WrittenStart> for Start {
    fn from(written: WrittenStart) -> Self {
        let (from_elsewhere, provider) = match written {
            WrittenStart::Here => (false, None),
            WrittenStart::Elsewhere => (true, None),
            WrittenStart::HereFor(provider) => (false, Some(provider)),
            WrittenStart::ElsewhereFor(provider) => (true, Some(provider)),
        };
        Self {
            from_elsewhere,
            provider,
        }
    }
}

impl RequestedLogin {
    pub(crate) fn new(request: AuthorizationRequest, start: Start, now: Unix) -> Self {
        Self {
            id: stamp::id(now),
            form_token: random::token::<16>(),
            issued_at: now,
            start,
            request,
        }
    }

    /// For events.
    pub(crate) fn who(&self) -> Who {
        let who = self.request.who().login(&self.id);
        match &self.start.provider {
            Some(provider) => who.provider(provider),
            None => who,
        }
    }

    /// The person said yes: from here on it is their own.
    #[must_use]
    pub(crate) fn approved(mut self) -> Self {
        self.start.from_elsewhere = false;
        self
    }
}

/// The login cookie: the person has approved and is at the provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    #[serde(with = "packed::text")]
    pub(crate) id: String,
    /// The id of the provider that the person was sent to.
    ///
    /// RFC 9700 section 4.4.2: "clients MUST store, for each authorization request, the issuer they
    /// sent the authorization request to and bind this information to the user agent."
    pub(crate) provider: String,
    /// What the provider sends back: random, and meaningless to anyone else but for the time in it.
    #[serde(with = "packed::text")]
    pub(crate) state: String,
    #[serde(with = "packed::text")]
    pub(crate) nonce: String,
    /// The proxy's own PKCE verifier, for the provider.
    pub(crate) verifier: CodeVerifier,
    pub(crate) issued_at: Unix,
    /// As in the request, when the consent page was skipped.
    pub(crate) from_elsewhere: bool,
    pub(crate) request: AuthorizationRequest,
}

impl Login {
    /// Everything secret about a login is made here, after approval and never before.
    pub(crate) fn begin(requested: RequestedLogin, provider: &str, now: Unix) -> Self {
        Self {
            id: requested.id,
            provider: provider.to_owned(),
            state: stamp::state(now),
            nonce: random::token::<16>(),
            verifier: CodeVerifier::generate(),
            issued_at: now,
            from_elsewhere: requested.start.from_elsewhere,
            request: requested.request,
        }
    }

    /// For events.
    pub(crate) fn who(&self) -> Who {
        let who = self.request.who().login(&self.id);
        who.provider(&self.provider)
    }

    pub(crate) fn answers_to(&self, state: &str) -> bool {
        constant_time_eq(self.state.as_bytes(), state.as_bytes())
    }
}

/// Whether something issued then is still good now. A time in the future is as bad as one past.
pub(crate) fn is_live(issued_at: Unix, ttl: Duration, now: Unix) -> bool {
    // Clocks of two instances may differ a little.
    const SKEW: Duration = Duration::from_secs(60);
    issued_at <= now + SKEW && now < issued_at + ttl
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_lives_to_the_second_and_not_from_the_future() {
        let ttl = Duration::from_secs(600);
        let is_good = |issued_at, now| is_live(issued_at, ttl, Unix::at(now));
        assert!(is_good(Unix::at(1_000), 1_000));
        assert!(is_good(Unix::at(1_000), 1_599));
        assert!(!is_good(Unix::at(1_000), 1_600));
        assert!(!is_good(Unix::at(2_000), 1_000));
        assert!(is_good(Unix::at(1_050), 1_000));
        assert!(!is_good(Unix::NEVER, 1_000));
    }
}

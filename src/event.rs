//! One typed event for each step and refusal.
//!
//! Events go to `tracing` under the target `tower_oauth_proxy` and to the operator's callback. They
//! carry a finite [`Reason`], so that "never came back" and "we refused" can be distinguished and
//! counted. They never carry a token, a code, a secret or a cookie.

use std::fmt;

use crate::limits::MAX_DETAIL;
pub(crate) use crate::oauth::printable;

/// Which part of the protocol an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The configuration, once at start.
    Configuration,
    /// A client registered itself.
    Register,
    /// An authorization request was validated.
    Authorize,
    /// A person decided on the consent page.
    Consent,
    /// The provider sent the person back.
    Callback,
    /// A person who is back from the provider saw the account page, and decided there.
    Account,
    /// A client redeemed an authorization code.
    Redeem,
    /// A client used its refresh token.
    Refresh,
    /// A client asked for a token in its own name, without a person.
    ClientCredentials,
    /// A client brought an assertion of a trusted issuer instead of a login.
    Assertion,
    /// A client revoked a token, or a grant ended to make room for another.
    Revoke,
    /// A service asked about a token. Only refusals are reported: what was not active, and services that may
    /// not ask.
    Introspect,
    /// A bearer token was checked. Only refusals are reported: successes are the hot path.
    Bearer,
    /// A guard on a route or in an extractor was asked. Only refusals are reported.
    Guard,
    /// The provider's access token was renewed.
    UpstreamRefresh,
    /// The provider was asked to revoke its token.
    UpstreamRevoke,
    /// A document of another server was fetched, such as its keys. Only failures that an older document
    /// hides are reported here: the others are part of the step that needed the document.
    Document,
    /// The provider was asked for a token of another API, in a person's name: see
    /// [`AuthSession::token_for`](crate::AuthSession::token_for). The detail names the API.
    TokenExchange,
    /// [`OAuthProxyHandle::probe`](crate::OAuthProxyHandle::probe) found that a part had stopped working, or that it
    /// works again. The detail names the part.
    Probe,
    /// The store failed, or held a record that cannot be opened.
    Storage,
    /// Any other request: a wrong method, an unknown document.
    Http,
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The body, the query or a header cannot be parsed.
    Malformed,
    /// The body or a parameter is over its limit.
    TooLarge,
    /// The request's method or content type is not served here.
    NotServed,
    /// A required parameter is missing.
    MissingParameter,
    /// A parameter came twice.
    DuplicateParameter,
    /// No token came. Every client starts like this, so it is logged at `debug`.
    NoCredentials,
    /// This proxy does not know the client.
    UnknownClient,
    /// The operator denied this client.
    DeniedClient,
    /// The client did not authenticate as it registered.
    ClientAuthentication,
    /// The keys of a client could not be fetched, so it is not known whether it is the one.
    ClientKeys,
    /// The client's metadata cannot be accepted.
    ClientMetadata,
    /// The document about the client could not be fetched. Its source may be down, or strangers made this
    /// server ask for too many.
    ClientDocument,
    /// The redirect URI is not one of the client's, or the policy does not allow it.
    RedirectUri,
    /// The response type or grant type is not served, or not to this client.
    UnsupportedType,
    /// PKCE is missing, has a wrong method, or its verifier does not match.
    Pkce,
    /// No requested scope can be granted, or a refresh asked for more.
    Scope,
    /// The resource is not this server.
    Resource,
    /// The browser holds no login in progress that matches, or the form is not this browser's.
    Browser,
    /// The person said no.
    PersonDenied,
    /// The provider had brought the person to another account than they meant, and they are on their way to
    /// choose again.
    AnotherAccount,
    /// The operator's hook said no.
    HookDenied,
    /// A required role is missing, or a rule of the application is not met.
    Forbidden,
    /// The person is on no allow list, or in none of the allowed groups, claims or organizations.
    NotAllowed,
    /// A step was repeated that may happen once.
    Replayed,
    /// A refresh token that was exchanged earlier came back: the grant has ended.
    RefreshReuse,
    /// The person logged in again and has more grants than `grants_per_person`: the one that was used
    /// longest ago is ended.
    TooMany,
    /// A lifetime has ended.
    Expired,
    /// The token's form, signature or type is wrong.
    InvalidToken,
    /// The token is for another resource or from another issuer.
    WrongAudience,
    /// The grant was ended before, or a machine's token revoked.
    GrantEnded,
    /// The token, code or grant belongs to another client.
    ForeignClient,
    /// The provider that `choose_provider` or the consent page's form names is not configured, or cannot be
    /// chosen for this login.
    UnknownProvider,
    /// The provider answered with an error at the callback.
    ProviderDenied,
    /// The provider refused a token request.
    ProviderRejected,
    /// The provider could not be reached, timed out or failed.
    ProviderUnavailable,
    /// This server has no credential to show to the provider: the callback that supplies it failed.
    ClientCredential,
    /// The provider's answer is malformed.
    ProviderMalformed,
    /// The ID token breaks a rule.
    IdToken,
    /// A document could not be fetched anew. The older one stands in, for a day at most.
    StaleDocument,
    /// The store could not answer.
    StoreUnavailable,
    /// A record cannot be opened or parsed; it is treated as absent.
    StoreCorrupt,
    /// The store holds records of a secret that is not known here; they are treated as absent. Reported
    /// once for each such secret: see [one roll](crate::docs::keys#in-one-roll).
    OtherSecret,
    /// The key of access tokens did not sign: the system gave no randomness, say.
    Unsigned,
    /// The clock of this server and that of a provider differ by more than tokens bear.
    Clock,
    /// Concurrent work on one grant, or on one login, did not settle in time.
    Contention,
    /// This process handles as many logins as it takes on at once.
    Busy,
    /// An option weakens security; reported once, at start.
    WeakOption,
    /// An option may not mean what it says; reported once, at start.
    OddOption,
}

/// What happened, without anything secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// The step it is about.
    pub step: Step,
    /// `None` when the step succeeded.
    pub reason: Option<Reason>,
    /// The login it belongs to, from authorize to callback.
    pub login: Option<String>,
    /// The grant it belongs to, from callback to revocation.
    pub grant: Option<String>,
    /// The id of the provider, for a step of a login that goes to it or comes back from it.
    pub provider: Option<String>,
    /// More words for the operator, printable and bounded.
    pub detail: Option<String>,
}

impl Event {
    /// A step that succeeded.
    pub(crate) fn done(step: Step) -> Self {
        Self {
            step,
            reason: None,
            login: None,
            grant: None,
            provider: None,
            detail: None,
        }
    }

    /// A step that was refused.
    pub(crate) fn refused(step: Step, reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::done(step)
        }
    }

    #[must_use]
    pub(crate) fn login(mut self, id: impl Into<String>) -> Self {
        self.login = Some(id.into());
        self
    }

    #[must_use]
    pub(crate) fn grant(mut self, id: impl Into<String>) -> Self {
        self.grant = Some(id.into());
        self
    }

    #[must_use]
    pub(crate) fn provider(mut self, id: impl Into<String>) -> Self {
        self.provider = Some(id.into());
        self
    }

    /// Adds words for the operator. Invisible characters are replaced, so that no stranger's input starts a
    /// new line in a log or reorders it.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(printable(&detail.to_string(), MAX_DETAIL));
        self
    }
}

/// The operator's callback.
pub(crate) type EventCallback = Box<dyn Fn(&Event) + Send + Sync>;

/// Where events go.
#[derive(Default)]
pub(crate) struct Events {
    callback: Option<EventCallback>,
}

impl Events {
    pub(crate) fn new(callback: Option<EventCallback>) -> Self {
        Self { callback }
    }

    /// Hands the event to `tracing` and to the operator's callback.
    pub(crate) fn emit(&self, event: &Event) {
        let Event {
            step,
            reason,
            login,
            grant,
            provider,
            detail,
        } = event;
        let (login, grant) = (login.as_deref(), grant.as_deref());
        let (provider, detail) = (provider.as_deref(), detail.as_deref());
        match reason {
            None => {
                tracing::info!(target: "tower_oauth_proxy", ?step, login, grant, provider, detail, "done");
            }
            Some(reason @ Reason::NoCredentials) => {
                tracing::debug!(target: "tower_oauth_proxy", ?step, ?reason, login, grant, provider, detail, "refused");
            }
            Some(reason) => {
                tracing::warn!(target: "tower_oauth_proxy", ?step, ?reason, login, grant, provider, detail, "refused");
            }
        }
        if let Some(callback) = &self.callback {
            callback(event);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_cannot_forge_a_log_line_or_reorder_text() {
        let event = Event::refused(Step::Register, Reason::Malformed)
            .detail(format!("a\r\nb\u{202e}c{}", "x".repeat(1_000)));
        let detail = event.detail.unwrap();
        assert!(detail.starts_with("a\u{fffd}\u{fffd}b\u{fffd}c"));
        assert_eq!(detail.chars().count(), MAX_DETAIL);
    }
}

//! The bearer check: from a token to a session, or to the complete answer of a refusal.
//!
//! Whatever can be decided at once is: a session in the cache, and a token that is none. Only a token
//! that may be good, seen for the first time, is worth a future and a question to the store.

use std::sync::Arc;

use super::{
    own::{self, OwnToken},
    passthrough,
    refusal::Refusal,
};
use crate::{
    body::OwnResponse,
    challenge::Refused,
    event::{Event, Reason, Step},
    proxy::Proxy,
    session::AuthSession,
};

/// How far a check came without waiting.
pub(crate) enum Check {
    Passed(AuthSession),
    Refused(OwnResponse),
    /// The store or the provider has to be asked.
    Asks(Question),
}

/// A token that may be good.
pub(crate) struct Question {
    proxy: Arc<Proxy>,
    token: String,
    path: String,
    /// `None` in passthrough mode.
    verified: Option<OwnToken>,
}

/// Checks a token for a request of this path.
pub(crate) fn check(proxy: &Arc<Proxy>, token: &[u8], path: &str) -> Check {
    let now = proxy.now();
    if let Some(session) = proxy.sessions.get(token, now) {
        return judged(proxy, session, path).map_or_else(Check::Refused, Check::Passed);
    }
    let Some(token) = super::as_token68(token) else {
        return Check::Refused(malformed(proxy, path));
    };
    let verified = match proxy.verifier {
        Some(_) => None,
        None => match own::verify(proxy, token, now) {
            Ok(verified) => Some(verified),
            Err(refusal) => return Check::Refused(refused(proxy, &refusal, path)),
        },
    };
    Check::Asks(Question {
        proxy: Arc::clone(proxy),
        token: token.to_owned(),
        path: path.to_owned(),
        verified,
    })
}

impl Question {
    /// The session, or the answer of a refusal.
    pub(crate) async fn ask(self) -> Result<AuthSession, OwnResponse> {
        let Self {
            proxy,
            token,
            path,
            verified,
        } = self;
        let found = match verified {
            Some(verified) => own::look_up(&proxy, verified).await,
            None => passthrough::verify(&proxy, &token).await,
        };
        match found {
            Ok(session) => {
                let now = proxy.now();
                proxy.sessions.put(token.as_bytes(), session.clone(), now);
                judged(&proxy, session, &path)
            }
            Err(refusal) => Err(refused(&proxy, &refusal, &path)),
        }
    }
}

/// Whether a good token is good for this request.
fn judged(proxy: &Proxy, session: AuthSession, path: &str) -> Result<AuthSession, OwnResponse> {
    if !covers(proxy, &session, path) {
        let text = "the token is for another resource";
        let refusal = Refusal::token(Reason::WrongAudience, text).of(&session);
        return Err(refused(proxy, &refusal, path));
    }
    if !session.is_sufficient() {
        tell(proxy, Reason::Scope, session.grant_id(), None);
        let needed = Refused::InsufficientScope(&proxy.settings.required_scopes);
        return Err(proxy.challenges.refuse(path, &needed));
    }
    Ok(session)
}

/// RFC 8707: a token is for the resource that the person approved, and what is below it.
fn covers(proxy: &Proxy, session: &AuthSession, path: &str) -> bool {
    !proxy.settings.audience_by_path || session.covers(&proxy.settings.base, path)
}

fn refused(proxy: &Proxy, refusal: &Refusal, path: &str) -> OwnResponse {
    let Refusal {
        reason,
        description,
        grant,
        detail,
    } = refusal;
    tell(proxy, *reason, grant.as_deref(), detail.as_deref());
    let refused = match description {
        Some(description) => Refused::InvalidToken(description),
        None => Refused::Unavailable,
    };
    proxy.challenges.refuse(path, &refused)
}

/// The answer where no credentials came.
pub(crate) fn no_credentials(proxy: &Proxy, path: &str) -> OwnResponse {
    tell(proxy, Reason::NoCredentials, None, None);
    proxy.challenges.refuse(path, &Refused::NoCredentials)
}

/// The answer to what claims to be a bearer token and cannot be one.
pub(crate) fn malformed(proxy: &Proxy, path: &str) -> OwnResponse {
    tell(proxy, Reason::Malformed, None, None);
    let refused = Refused::InvalidToken("the Authorization header is malformed");
    proxy.challenges.refuse(path, &refused)
}

/// Tells the operator of a refusal.
fn tell(proxy: &Proxy, reason: Reason, grant: Option<&str>, detail: Option<&str>) {
    let mut event = Event::refused(Step::Bearer, reason);
    if let Some(grant) = grant {
        event = event.grant(grant);
    }
    if let Some(detail) = detail {
        event = event.detail(detail);
    }
    proxy.emit(&event);
}

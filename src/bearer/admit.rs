//! The bearer check: from a token to a session, or to the complete answer of a refusal.
//!
//! Whatever can be decided at once is: a session in the cache, and a token that is none. Only a token
//! that may be good, seen for the first time, is worth a future and a question to the store.

use std::sync::Arc;

use http::{Method, Uri};

use super::{
    credentials::is_token68,
    objection::Refusal,
    source::{
        own::{self, OwnToken},
        upstream,
    },
};
use crate::{
    body::OwnResponse,
    challenge::{Refused, words},
    event::{Event, Reason, Step},
    mode::Mode,
    proxy::Proxy,
    session::{AuthSession, Validated},
    token::VerifyRequest,
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
    method: Method,
    /// Shared with the request, not copied.
    uri: Uri,
    now: u64,
    /// `None` in passthrough mode.
    verified: Option<OwnToken>,
}

/// Checks a token for a request of this method and URI.
pub(crate) fn check(proxy: &Arc<Proxy>, token: &[u8], method: &Method, uri: &Uri) -> Check {
    let (now, path) = (proxy.now(), uri.path());
    if let Some(validated) = proxy.sessions.get(token, now) {
        return match objection(proxy, &validated, path) {
            None => Check::Passed(validated.session),
            Some(refusal) => Check::Refused(refusal),
        };
    }
    let Ok(token) = std::str::from_utf8(token) else {
        return Check::Refused(malformed(proxy, path));
    };
    let verified = match &proxy.mode {
        Mode::Swap(tokens) => match own::verify(proxy, tokens, token, now) {
            Ok(verified) => Some(verified),
            // Looked through only now: what verifies has the form of a token.
            Err(_) if !is_token68(token) => return Check::Refused(malformed(proxy, path)),
            Err(refusal) => return Check::Refused(refused(proxy, &refusal, path)),
        },
        Mode::Passthrough(_) if !is_token68(token) => {
            return Check::Refused(malformed(proxy, path));
        }
        Mode::Passthrough(_) => None,
    };
    Check::Asks(Question {
        proxy: Arc::clone(proxy),
        token: token.to_owned(),
        method: method.clone(),
        uri: uri.clone(),
        now,
        verified,
    })
}

impl Question {
    /// The session, or the answer of a refusal.
    pub(crate) async fn ask(self) -> Result<AuthSession, OwnResponse> {
        let Self {
            proxy,
            token,
            method,
            uri,
            now,
            verified,
        } = self;
        let path = uri.path();
        let found = match (verified, &proxy.mode) {
            (Some(verified), _) => own::look_up(&proxy, verified, now).await,
            (None, Mode::Passthrough(mode)) => {
                let request = VerifyRequest::new(&token).on(&method, &uri);
                upstream::verify(&proxy, mode, request, now).await
            }
            (None, Mode::Swap(_)) => Err(Refusal::invalid()),
        };
        match found {
            Ok(session) => {
                let token = token.into_boxed_str().into();
                proxy.sessions.put(token, session.clone(), now);
                match objection(&proxy, &session, path) {
                    None => Ok(session.session),
                    Some(refusal) => Err(refusal),
                }
            }
            Err(refusal) => Err(refused(&proxy, &refusal, path)),
        }
    }
}

/// The refusal, where a good token is not good for this request.
fn objection(proxy: &Proxy, validated: &Validated, path: &str) -> Option<OwnResponse> {
    let session = &validated.session;
    if !covers(proxy, session, path) {
        return Some(refused(proxy, &Refusal::elsewhere().of(session), path));
    }
    if !validated.is_sufficient {
        tell(proxy, Reason::Scope, session.grant_id(), None);
        let needed = Refused::InsufficientScope(&proxy.options.required_scopes);
        return Some(proxy.challenges.refuse(path, &needed));
    }
    None
}

/// RFC 8707: a token is for the resource that the person approved, and what is below it.
fn covers(proxy: &Proxy, session: &AuthSession, path: &str) -> bool {
    !proxy.options.audience_by_path || session.covers(&proxy.options.base, path)
}

fn refused(proxy: &Proxy, refusal: &Refusal, path: &str) -> OwnResponse {
    let Refusal {
        reason,
        words,
        grant,
        detail,
    } = refusal;
    tell(proxy, *reason, grant.as_deref(), detail.as_deref());
    let refused = match words {
        Some(words) => Refused::InvalidToken(words),
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
    proxy
        .challenges
        .refuse(path, &Refused::InvalidToken(&words::MALFORMED))
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

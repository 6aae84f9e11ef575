//! The decision on a request for a protected path.
//!
//! It is made at once wherever it can be: for a session in the cache, and for a token that no source
//! accepts. Only a token that may be good, seen for the first time, is worth a future and a question.

use std::{
    ops::ControlFlow,
    slice,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Extensions, HeaderMap, Method, Request, Uri};

use super::{
    credentials::{Credentials, credentials, is_token68},
    for_people,
    objection::Objection,
    source::{SOURCES, last_tried},
    verdict::{NamedSource, Presented, Question, Verdict},
};
use crate::{
    body::OwnResponse,
    challenge::{Asked, Form, Problem},
    event::{Event, Reason, Step},
    metrics::{self, Check, NO_SOURCE, Stopwatch},
    resource_server::ResourceServer,
    session::{AuthSession, Validated},
    time::Unix,
};

/// What becomes of a request.
pub(crate) enum Decision {
    Admitted(Caller),
    Refused(OwnResponse),
    /// The store or the provider has to be asked.
    Asks(Asking),
}

/// Who is let in.
pub(crate) enum Caller {
    /// By a token.
    Known(AuthSession),
    /// Without one. A guard may still want to challenge as this layer would.
    Stranger(Asked),
}

/// What of a request counts here.
#[derive(Clone, Copy)]
struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

impl<'a> Head<'a> {
    #[inline]
    fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
        }
    }
}

/// Decides on a request, by its `Authorization` header alone.
pub(crate) fn admit<B>(server: &Arc<ResourceServer>, request: &Request<B>) -> Decision {
    let head = Head::of(request);
    let uri = head.uri;
    let token = match credentials(request.headers()) {
        Credentials::Bearer(token) => token,
        Credentials::None if server.options.optional_auth => {
            return Decision::Admitted(stranger(server, uri));
        }
        // RFC 6750 section 3.1: "If the request lacks any authentication information [...], the resource
        // server SHOULD NOT include an error code or other error information."
        Credentials::None => {
            metrics::bearer(Check::Absent, NO_SOURCE, None);
            return Decision::Refused(for_people::challenge(server, request));
        }
        Credentials::Malformed => {
            return Decision::Refused(refused(server, &Objection::malformed(), head, None));
        }
    };
    let now = server.now();
    if let Some(validated) = server.sessions.get(token, now) {
        return Decision::of(let_in(server, validated, head, None));
    }
    let watch = Stopwatch::start();
    let Ok(token) = std::str::from_utf8(token) else {
        return Decision::Refused(refused(server, &Objection::malformed(), head, None));
    };
    let presented = Presented {
        token,
        method: request.method(),
        uri,
        now,
    };
    let mut untried = SOURCES.iter();
    match follow(server, &presented, Verdict::NotMine, &mut untried) {
        ControlFlow::Continue(question) => Decision::Asks(Asking {
            server: Arc::clone(server),
            token: token.into(),
            now,
            question,
            untried,
            watch,
        }),
        ControlFlow::Break(Ok(validated)) => {
            Decision::of(keep(server, token.into(), validated, now, watch, head))
        }
        ControlFlow::Break(Err(objection)) => {
            Decision::Refused(refused(server, &objection, head, Some(watch)))
        }
    }
}

/// A request for this URI without a session.
pub(crate) fn stranger(server: &ResourceServer, uri: &Uri) -> Caller {
    Caller::Stranger(Asked {
        challenges: server.challenges.clone(),
        path: uri.path_and_query().cloned(),
    })
}

impl Decision {
    #[inline]
    fn of(found: Result<AuthSession, OwnResponse>) -> Self {
        match found {
            Ok(session) => Self::Admitted(Caller::Known(session)),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}

impl Caller {
    /// Makes the caller known to the inner service.
    #[inline]
    pub(crate) fn enter(self, extensions: &mut Extensions) {
        match self {
            Self::Known(session) => drop(extensions.insert(session)),
            Self::Stranger(asked) => drop(extensions.insert(asked)),
        }
    }
}

/// A token that may be good, and the source that is asking for it.
pub(crate) struct Asking {
    server: Arc<ResourceServer>,
    token: Box<str>,
    now: Unix,
    question: Question,
    untried: slice::Iter<'static, NamedSource>,
    watch: Stopwatch,
}

impl Asking {
    /// The session, or the answer of a refusal, for this request.
    pub(crate) fn poll<B>(
        &mut self,
        cx: &mut Context<'_>,
        request: &Request<B>,
    ) -> Poll<Result<AuthSession, OwnResponse>> {
        let head = Head::of(request);
        loop {
            let verdict = ready!(self.question.as_mut().poll(cx));
            let presented = Presented {
                token: &self.token,
                method: head.method,
                uri: head.uri,
                now: self.now,
            };
            match follow(&self.server, &presented, verdict, &mut self.untried) {
                ControlFlow::Continue(question) => self.question = question,
                ControlFlow::Break(Ok(validated)) => {
                    let token = std::mem::take(&mut self.token);
                    let (server, now, watch) = (&self.server, self.now, self.watch);
                    return Poll::Ready(keep(server, token, validated, now, watch, head));
                }
                ControlFlow::Break(Err(objection)) => {
                    let (server, watch) = (&self.server, Some(self.watch));
                    return Poll::Ready(Err(refused(server, &objection, head, watch)));
                }
            }
        }
    }
}

/// Where a verdict leads: to an end, or to a question. A source that says that the token is not its
/// own hands it on to those not yet tried.
fn follow(
    server: &Arc<ResourceServer>,
    presented: &Presented<'_>,
    mut verdict: Verdict,
    untried: &mut slice::Iter<'_, NamedSource>,
) -> ControlFlow<Result<Validated, Objection>, Question> {
    loop {
        verdict = match verdict {
            Verdict::Session(validated) => return ControlFlow::Break(Ok(validated)),
            Verdict::Refused(objection) => {
                return ControlFlow::Break(Err(objection.by(last_tried(untried))));
            }
            Verdict::Ask(question) => return ControlFlow::Continue(question),
            Verdict::NotMine => match untried.next() {
                Some((_, source)) => source(server, presented),
                // Looked through only now: what a source recognises has the form of a token.
                None if !is_token68(presented.token) => {
                    return ControlFlow::Break(Err(Objection::malformed()));
                }
                None => return ControlFlow::Break(Err(Objection::invalid())),
            },
        }
    }
}

/// Remembers a session that was validated now, and lets it in.
#[expect(
    clippy::result_large_err,
    reason = "once a request, and answered where it is made"
)]
fn keep(
    server: &ResourceServer,
    token: Box<str>,
    validated: Validated,
    now: Unix,
    watch: Stopwatch,
    head: Head<'_>,
) -> Result<AuthSession, OwnResponse> {
    server
        .sessions
        .put(token.into_boxed_bytes(), validated.clone(), now);
    let_in(server, validated, head, Some(watch))
}

/// What is asked of every good token: whether it is good for this request. With a watch where it had to be checked.
#[expect(
    clippy::result_large_err,
    reason = "once a request, and answered where it is made"
)]
fn let_in(
    server: &ResourceServer,
    validated: Validated,
    head: Head<'_>,
    watch: Option<Stopwatch>,
) -> Result<AuthSession, OwnResponse> {
    let (session, uri) = (validated.session, head.uri);
    let source = session.source();
    if !covers(server, &session, uri.path()) {
        let why = format!(
            "the token is for {}, and {} is not of it",
            session.resource(),
            uri.path()
        );
        let objection = Objection::elsewhere().of(&session).detail(why);
        return Err(refused(server, &objection, head, watch));
    }
    // RFC 6750 section 3.1, `insufficient_scope`: "The request requires higher privileges than provided
    // by the access token. The resource server SHOULD respond with the HTTP 403 (Forbidden) status code".
    if !validated.is_sufficient {
        metrics::bearer(Check::Insufficient, source.as_str(), watch);
        let needed = &server.options.required_scopes;
        let event = Event::refused(Step::Bearer, Reason::Scope).about(session.who());
        server.emit(&event.detail(format_args!("`required_scopes` are `{needed}`")));
        let needed = Problem::InsufficientScope(needed);
        let form = Form::of(head.method, head.headers);
        return Err(server.challenges.refuse_in(form, uri.path(), &needed));
    }
    let (place, name) = (source as usize, || source.as_str());
    match watch {
        None => server.checks.cached(place, name),
        Some(watch) => server.checks.first_sight(place, name, watch),
    }
    Ok(session.asked_at(uri))
}

/// RFC 8707: a token is for the resource that the person approved, and what is below it.
fn covers(server: &ResourceServer, session: &AuthSession, path: &str) -> bool {
    !server.options.audience_by_path || session.covers(&server.options.base, path)
}

fn refused(
    server: &ResourceServer,
    objection: &Objection,
    head: Head<'_>,
    watch: Option<Stopwatch>,
) -> OwnResponse {
    let Objection {
        reason,
        words,
        who,
        detail,
        source,
    } = objection;
    metrics::bearer(objection.check(), source, watch);
    let mut event = Event::refused(Step::Bearer, *reason);
    if let Some(who) = who {
        event = event.about((**who).clone());
    }
    if let Some(detail) = detail {
        event = event.told(detail);
    }
    server.emit(&event);
    let problem = match words {
        Some(words) => Problem::InvalidToken(words),
        None => Problem::Unavailable,
    };
    let (form, path) = (Form::of(head.method, head.headers), head.uri.path());
    server.challenges.refuse_in(form, path, &problem)
}

#[cfg(test)]
mod tests;

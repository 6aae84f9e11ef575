//! The future of the rules' service: nothing is boxed where nothing waits.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use super::{
    call_headers::Claim,
    held_body::{McpBody, Outcome, Unread},
    reader::{Ambiguous, Message},
    refused_call::{Called, Unjudged, refused},
    rules::McpRules,
};
use crate::{
    body::{OwnResponse, ResponseBody},
    guard::{
        Denied,
        layer::{PassedBy, refuse},
    },
    inner::InnerFuture,
    limits::BODY_TIMEOUT,
    oauth::ScopeSet,
    session::AuthSession,
};

pin_project! {
    /// The future of [`McpRulesService`](super::McpRulesService).
    #[must_use = "futures do nothing unless polled"]
    pub struct McpRulesFuture<S, B>
    where
        S: Service<Request<McpBody<B>>>,
    {
        #[pin]
        kind: Kind<S, B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, B>
    where
        S: Service<Request<McpBody<B>>>,
    {
        // The body's call is not known yet: the request waits, with an instance of the inner service that was not
        // asked yet whether it is ready.
        Reading {
            next: Option<Box<(S, Request<McpBody<B>>)>>,
            rules: McpRules,
            deadline: Option<Pin<Box<Sleep>>>,
        },
        // The inner service is at work, and may still read a body that turns out to say two things.
        Inner { #[pin] future: InnerFuture<S, Request<McpBody<B>>>, outcome: Option<Outcome> },
        Refused { response: Option<OwnResponse> },
    }
}

impl<S, B> McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>>,
{
    fn refused(response: OwnResponse) -> Self {
        let response = Some(response);
        Self {
            kind: Kind::Refused { response },
        }
    }

    /// Every call needs a session: nothing has to be read to say so.
    pub(super) fn without_session<Any>(request: &Request<Any>) -> Self {
        let path = request.uri().path();
        Self::refused(refuse(path, request.extensions(), &Denied::NoSession, None))
    }

    pub(super) fn unjudged(unjudged: &Unjudged, session: &AuthSession) -> Self {
        unjudged.report(session);
        Self::refused(unjudged.answer())
    }
}

impl<S, B> McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>> + Clone,
{
    /// On to the inner service.
    pub(super) fn inner(service: &mut S, request: Request<McpBody<B>>) -> Self {
        Self::following(service, request, None)
    }

    fn following(service: &mut S, request: Request<McpBody<B>>, outcome: Option<Outcome>) -> Self {
        let future = InnerFuture::new(service, request);
        Self {
            kind: Kind::Inner { future, outcome },
        }
    }

    /// On, if the call that the headers say is allowed.
    pub(super) fn by_headers(
        service: &mut S,
        judged: Result<ScopeSet, OwnResponse>,
        mut request: Request<McpBody<B>>,
    ) -> Self {
        match judged {
            Ok(by) => {
                PassedBy::note(by, request.extensions_mut());
                Self::inner(service, request)
            }
            Err(refusal) => Self::refused(refusal),
        }
    }
}

impl<S, B> McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>> + Clone,
    B: Body + Unpin,
{
    /// On, if the call that the body says is allowed: at once where it is there already.
    pub(super) fn by_body(
        service: &mut S,
        rules: &McpRules,
        mut request: Request<McpBody<B>>,
    ) -> Self {
        // This poll registers no waker: a body that is not there yet is polled again by the future.
        let cx = &mut Context::from_waker(Waker::noop());
        match request.body_mut().poll_call(cx, rules.held_back()) {
            Poll::Ready(read) => match judge(rules, &mut request, read) {
                Ok(outcome) => Self::following(service, request, outcome),
                Err(refusal) => Self::refused(refusal),
            },
            Poll::Pending => Self {
                kind: Kind::Reading {
                    next: Some(Box::new((service.clone(), request))),
                    rules: rules.clone(),
                    deadline: None,
                },
            },
        }
    }
}

/// Judges what the headers say.
pub(super) fn judge_headers<B>(
    rules: &McpRules,
    (method, name): (&str, Option<&str>),
    request: &Request<B>,
) -> Result<ScopeSet, OwnResponse> {
    let session = AuthSession::from_extensions(request.extensions());
    let judged = rules.judge(Some(method), name, session);
    judged.map_err(|no| {
        let method = Some(method);
        let call = Called { method, name };
        refused(request.uri().path(), request.extensions(), call, &no)
    })
}

/// Judges what the body says, as far as it is read; and where to look for what the rest of it says.
fn judge<B>(
    rules: &McpRules,
    request: &mut Request<McpBody<B>>,
    read: Result<(), Unread>,
) -> Result<Option<Outcome>, OwnResponse> {
    let by = judge_body(rules, request, read)?;
    PassedBy::note(by, request.extensions_mut());
    if request.body().is_read() {
        return Ok(None);
    }
    let session = AuthSession::from_extensions(request.extensions()).cloned();
    let report = move |ambiguous: &Ambiguous| {
        if let Some(session) = session {
            Unjudged::ambiguous(ambiguous).report(&session);
        }
    };
    Ok(request.body_mut().outcome(report))
}

fn judge_body<B>(
    rules: &McpRules,
    request: &Request<McpBody<B>>,
    read: Result<(), Unread>,
) -> Result<ScopeSet, OwnResponse> {
    let session = AuthSession::from_extensions(request.extensions());
    let unjudged = |unjudged: &Unjudged| {
        if let Some(session) = session {
            unjudged.report(session);
        }
        unjudged.answer()
    };
    read.map_err(|unread| unjudged(&Unjudged::unread(&unread, rules.held_back())))?;
    if request.body().is_empty() {
        return Ok(ScopeSet::default());
    }
    // Fails closed: what is read has a message.
    let message = request.body().message();
    let message = message.ok_or_else(|| unjudged(&Unjudged::odd("the body says no call")))?;
    let claim = Claim::read(request.headers());
    let claim = claim.map_err(|words| unjudged(&Unjudged::header(words)))?;
    let judge = |call| {
        let called = Called::of(call);
        let judged = rules.judge(called.method, called.name, session);
        judged.map_err(|no| (called, no))
    };
    match message {
        Message::One(call) => {
            let mismatch = |words| unjudged(&Unjudged::header(words).of(Called::of(call)));
            claim.compare(call).map_err(mismatch)?;
            let path = request.uri().path();
            judge(call).map_err(|(call, no)| refused(path, request.extensions(), call, &no))
        }
        Message::Batch(_) if !claim.is_empty() => {
            let words = "the headers say one call, and the body is a batch";
            Err(unjudged(&Unjudged::header(words)))
        }
        Message::Batch(_) => {
            let judged: Result<Vec<ScopeSet>, _> = message.calls().iter().map(judge).collect();
            let judged = judged.map_err(|(call, no)| unjudged(&Unjudged::batch(&no).of(call)))?;
            let unite = |all: ScopeSet, by: ScopeSet| all.union(&by);
            Ok(judged.into_iter().fold(ScopeSet::default(), unite))
        }
    }
}

impl<S, B, ResBody> Future for McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>, Response = Response<ResBody>>,
    B: Body + Unpin,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut kind = self.project().kind;
        loop {
            let on = match kind.as_mut().project() {
                KindProjection::Refused { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(response.map(ResponseBody::own))),
                        // Polled again after completion: that is the caller's bug, not an input.
                        None => Poll::Pending,
                    };
                }
                KindProjection::Inner { future, outcome } => {
                    let answer = ready!(future.poll(cx));
                    // Whatever the server made of a body that ended in an error.
                    return Poll::Ready(match outcome.as_ref().and_then(Outcome::get) {
                        Some(ambiguous) => {
                            let answer = Unjudged::ambiguous(ambiguous).answer();
                            Ok(answer.map(ResponseBody::own))
                        }
                        None => answer.map(|response| response.map(ResponseBody::inner)),
                    });
                }
                KindProjection::Reading {
                    next,
                    rules,
                    deadline,
                } => {
                    let Some((_, request)) = next.as_deref_mut() else {
                        return Poll::Pending;
                    };
                    let read = match request.body_mut().poll_call(cx, rules.held_back()) {
                        Poll::Ready(read) => read,
                        Poll::Pending => {
                            let sleep = || Box::pin(tokio::time::sleep(BODY_TIMEOUT));
                            ready!(deadline.get_or_insert_with(sleep).as_mut().poll(cx));
                            Err(Unread::TooSlow)
                        }
                    };
                    let Some(mut next) = next.take() else {
                        return Poll::Pending;
                    };
                    match judge(rules, &mut next.1, read) {
                        Err(refusal) => Kind::Refused {
                            response: Some(refusal),
                        },
                        Ok(outcome) => Kind::Inner {
                            future: InnerFuture::readying(next),
                            outcome,
                        },
                    }
                }
            };
            kind.set(on);
        }
    }
}

impl<S, B> fmt::Debug for McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpRulesFuture").finish_non_exhaustive()
    }
}

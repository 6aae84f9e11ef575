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
    answer_body::McpAnswer,
    held_body::{McpBody, Outcome, Unread},
    judging::{On, Refusal, judge},
    listing::Listing,
    refused_call::Unjudged,
    rules::McpRules,
};
use crate::{
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
        Inner { #[pin] future: InnerFuture<S, Request<McpBody<B>>>, on: On },
        Refused { response: Option<Refusal> },
    }
}

impl<S, B> McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>>,
{
    fn refused(response: Refusal) -> Self {
        let response = Some(response);
        Self {
            kind: Kind::Refused { response },
        }
    }

    /// Every call needs a session: nothing has to be read to say so.
    pub(super) fn without_session<Any>(request: &Request<Any>) -> Self {
        let path = request.uri().path();
        let refusal = refuse(path, request.extensions(), &Denied::NoSession, None);
        Self::refused(Box::new(refusal))
    }

    pub(super) fn unjudged(unjudged: &Unjudged, session: &AuthSession) -> Self {
        unjudged.report(session);
        Self::refused(Box::new(unjudged.answer()))
    }
}

impl<S, B> McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>> + Clone,
{
    /// On to the inner service.
    pub(super) fn inner(service: &mut S, request: Request<McpBody<B>>) -> Self {
        Self::following(service, request, On::default())
    }

    /// On, with a request that calls nothing.
    pub(super) fn without_call(
        service: &mut S,
        rules: &McpRules,
        request: Request<McpBody<B>>,
    ) -> Self {
        let on = On::without_call(rules, &request);
        Self::following(service, request, on)
    }

    fn following(service: &mut S, mut request: Request<McpBody<B>>, on: On) -> Self {
        if on.listing.is_some() {
            Listing::ask(request.headers_mut());
        }
        let future = InnerFuture::new(service, request);
        Self {
            kind: Kind::Inner { future, on },
        }
    }

    /// On, if the call that the headers say is allowed.
    pub(super) fn by_headers(
        service: &mut S,
        judged: Result<(ScopeSet, On), Refusal>,
        mut request: Request<McpBody<B>>,
    ) -> Self {
        match judged {
            Ok((by, on)) => {
                PassedBy::note(by, request.extensions_mut());
                Self::following(service, request, on)
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
                Ok(on) => Self::following(service, request, on),
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

impl<S, B, ResBody> Future for McpRulesFuture<S, B>
where
    S: Service<Request<McpBody<B>>, Response = Response<ResBody>>,
    B: Body + Unpin,
{
    type Output = Result<Response<McpAnswer<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut kind = self.project().kind;
        loop {
            let on = match kind.as_mut().project() {
                KindProjection::Refused { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(McpAnswer::own(*response))),
                        // Polled again after completion: that is the caller's bug, not an input.
                        None => Poll::Pending,
                    };
                }
                KindProjection::Inner { future, on } => {
                    let answer = ready!(future.poll(cx));
                    // Whatever the server made of a body that ended in an error.
                    return Poll::Ready(match on.outcome.as_ref().and_then(Outcome::get) {
                        Some(ambiguous) => {
                            Ok(McpAnswer::own(Unjudged::ambiguous(ambiguous).answer()))
                        }
                        None => answer.map(|response| McpAnswer::of(response, on.listing.take())),
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
                        Ok(on) => {
                            if on.listing.is_some() {
                                Listing::ask(next.1.headers_mut());
                            }
                            let future = InnerFuture::readying(next);
                            Kind::Inner { future, on }
                        }
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

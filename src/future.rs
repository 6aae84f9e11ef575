//! The layer's future: the inner service's own future, unboxed, wherever nothing has to be awaited.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    bearer::{Asking, Caller},
    body::{OwnResponse, ResponseBody},
    cors,
    inner::InnerFuture,
    metrics::Stopwatch,
};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pin_project! {
    /// The future of [`OAuthProxyService`](crate::OAuthProxyService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        kind: Kind<S, ReqBody>,
        // Whether pages of any origin may read the answer.
        with_cors: bool,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        // Known at once: a refusal.
        Ready { response: Option<OwnResponse> },
        // One of the proxy's endpoints at work.
        Endpoint { future: BoxFuture<OwnResponse>, endpoint: &'static str, watch: Stopwatch },
        // The bearer token has to be looked up; the request waits, with an instance of the inner
        // service that was not asked yet whether it is ready.
        Asking { asking: Asking, next: Option<Box<(S, Request<ReqBody>)>> },
        // The inner service gets ready, or is at work.
        Inner { #[pin] future: InnerFuture<S, Request<ReqBody>> },
    }
}

impl<S, ReqBody> ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    #[inline]
    fn of(kind: Kind<S, ReqBody>) -> Self {
        let with_cors = false;
        Self { kind, with_cors }
    }

    pub(crate) fn ready(response: OwnResponse) -> Self {
        Self::of(Kind::Ready {
            response: Some(response),
        })
    }

    /// One of the proxy's endpoints, by its name, and since when it is asked.
    pub(crate) fn endpoint(
        future: BoxFuture<OwnResponse>,
        endpoint: &'static str,
        watch: Stopwatch,
    ) -> Self {
        Self::of(Kind::Endpoint {
            future,
            endpoint,
            watch,
        })
    }

    pub(crate) fn asking(asking: Asking, service: S, request: Request<ReqBody>) -> Self {
        Self::of(Kind::Asking {
            asking,
            next: Some(Box::new((service, request))),
        })
    }

    #[inline]
    pub(crate) fn inner(service: &mut S, request: Request<ReqBody>) -> Self
    where
        S: Clone,
    {
        let future = InnerFuture::new(service, request);
        Self::of(Kind::Inner { future })
    }

    /// Lets pages of any origin read the answer, where the operator wants it.
    #[inline]
    pub(crate) fn readable_by_any_origin(&mut self, with_cors: bool) {
        self.with_cors = with_cors;
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Changed where it stands: a response is too large to be moved for nothing.
        let mut answer = this.kind.poll(cx);
        if *this.with_cors
            && let Poll::Ready(Ok(response)) = &mut answer
        {
            cors::expose(response.headers_mut());
        }
        answer
    }
}

impl<S, ReqBody, ResBody> Kind<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    #[inline]
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<ResponseBody<ResBody>>, S::Error>> {
        loop {
            let future = match self.as_mut().project() {
                KindProjection::Ready { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(response.map(ResponseBody::own))),
                        // Polled again after completion: that is the caller's bug, not an input.
                        None => Poll::Pending,
                    };
                }
                KindProjection::Endpoint {
                    future,
                    endpoint,
                    watch,
                } => {
                    let response = ready!(future.as_mut().poll(cx));
                    watch.endpoint(endpoint, response.status());
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                KindProjection::Inner { future } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                KindProjection::Asking { asking, next } => {
                    let Some((_, request)) = next.as_deref() else {
                        return Poll::Pending;
                    };
                    let answer = ready!(asking.poll(cx, request));
                    // Polled again after a refusal, there is nothing left to ask for.
                    let Some(mut next) = next.take() else {
                        return Poll::Pending;
                    };
                    match answer {
                        Err(refusal) => return Poll::Ready(Ok(refusal.map(ResponseBody::own))),
                        Ok(session) => {
                            Caller::Known(session).enter(next.1.extensions_mut());
                            InnerFuture::readying(next)
                        }
                    }
                }
            };
            self.set(Self::Inner { future });
        }
    }
}

impl<S, ReqBody> std::fmt::Debug for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

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
    body::{OwnResponse, ResponseBody},
    cors,
    inner::InnerFuture,
    session::AuthSession,
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
        // Whether answers of the inner service get the CORS headers for browser clients.
        cors: bool,
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
        Endpoint { future: BoxFuture<OwnResponse> },
        // The bearer token needs the store; the request waits, with an instance of the inner service
        // that was not asked yet whether it is ready.
        Checking { future: BoxFuture<Result<AuthSession, OwnResponse>>, next: Option<Box<(S, Request<ReqBody>)>> },
        // The inner service gets ready, or is at work.
        Inner { #[pin] future: InnerFuture<S, Request<ReqBody>> },
    }
}

impl<S, ReqBody> ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn of(kind: Kind<S, ReqBody>) -> Self {
        Self { kind, cors: false }
    }

    pub(crate) fn ready(response: OwnResponse) -> Self {
        Self::of(Kind::Ready {
            response: Some(response),
        })
    }

    pub(crate) fn endpoint(future: BoxFuture<OwnResponse>) -> Self {
        Self::of(Kind::Endpoint { future })
    }

    pub(crate) fn checking(
        future: BoxFuture<Result<AuthSession, OwnResponse>>,
        service: S,
        request: Request<ReqBody>,
        cors: bool,
    ) -> Self {
        let kind = Kind::Checking {
            future,
            next: Some(Box::new((service, request))),
        };
        Self { kind, cors }
    }

    #[inline]
    pub(crate) fn inner(service: &mut S, request: Request<ReqBody>, cors: bool) -> Self
    where
        S: Clone,
    {
        let future = InnerFuture::new(service, request);
        let kind = Kind::Inner { future };
        Self { kind, cors }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let future = match this.kind.as_mut().project() {
                KindProjection::Ready { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(response.map(ResponseBody::own))),
                        // Polled again after completion: that is the caller's bug, not an input.
                        None => Poll::Pending,
                    };
                }
                KindProjection::Endpoint { future } => {
                    let response = ready!(future.as_mut().poll(cx));
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                KindProjection::Inner { future } => {
                    let mut response = ready!(future.poll(cx))?;
                    if *this.cors {
                        cors::expose(response.headers_mut());
                    }
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                KindProjection::Checking { future, next } => {
                    match ready!(future.as_mut().poll(cx)) {
                        Err(refusal) => return Poll::Ready(Ok(refusal.map(ResponseBody::own))),
                        Ok(session) => {
                            let Some(mut next) = next.take() else {
                                return Poll::Pending;
                            };
                            let request = &mut next.1;
                            let session = session.asked_at(request.uri());
                            request.extensions_mut().insert(session);
                            InnerFuture::readying(next)
                        }
                    }
                }
            };
            this.kind.set(Kind::Inner { future });
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

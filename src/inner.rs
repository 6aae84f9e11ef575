//! The service inside: asked whether it is ready when a request is about to reach it, not before.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

pin_project! {
    /// A request on its way through the inner service.
    ///
    /// Like `tower::util::Oneshot`, but a service that is ready at once, as nearly all are, costs
    /// neither a clone nor the room for a request that waits.
    #[project = Projection]
    pub(crate) enum InnerFuture<S, R>
    where
        S: Service<R>,
    {
        Called { #[pin] future: S::Future },
        // Not ready yet: the request waits, with an instance of its own.
        Readying { next: Option<Box<(S, R)>> },
        // It will never be ready again.
        Failed { error: Option<S::Error> },
    }
}

impl<S: Service<R>, R> InnerFuture<S, R> {
    /// Calls the service as soon as it is ready.
    #[inline]
    pub(crate) fn new(service: &mut S, request: R) -> Self
    where
        S: Clone,
    {
        // This poll registers no waker: an instance that is not ready is polled again below.
        match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Self::Called {
                future: service.call(request),
            },
            Poll::Ready(Err(error)) => Self::Failed { error: Some(error) },
            Poll::Pending => Self::waiting(service, request),
        }
    }

    /// It may stand in a queue by now (`ConcurrencyLimit`, `Buffer`). Left behind, it would be given
    /// a permit that is never used, so the instance goes with the request, and a fresh clone stays.
    #[cold]
    fn waiting(service: &mut S, request: R) -> Self
    where
        S: Clone,
    {
        let fresh = service.clone();
        Self::readying(Box::new((mem::replace(service, fresh), request)))
    }

    /// The same for an instance that belongs to this request alone.
    pub(crate) fn readying(next: Box<(S, R)>) -> Self {
        Self::Readying { next: Some(next) }
    }
}

impl<S: Service<R>, R> Future for InnerFuture<S, R> {
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            if let Projection::Called { future } = self.as_mut().project() {
                return future.poll(cx);
            }
            let future = ready!(self.as_mut().poll_call(cx))?;
            self.set(Self::Called { future });
        }
    }
}

impl<S: Service<R>, R> InnerFuture<S, R> {
    /// Calls the service once it is ready.
    #[cold]
    fn poll_call(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Future, S::Error>> {
        match self.project() {
            Projection::Readying { next } => {
                if let Some((service, _)) = next.as_deref_mut() {
                    ready!(service.poll_ready(cx))?;
                }
                if let Some(next) = next.take() {
                    let (mut service, request) = *next;
                    return Poll::Ready(Ok(service.call(request)));
                }
            }
            Projection::Failed { error } => {
                if let Some(error) = error.take() {
                    return Poll::Ready(Err(error));
                }
            }
            Projection::Called { .. } => {}
        }
        // Polled again after completion: that is the caller's bug, not an input.
        Poll::Pending
    }
}

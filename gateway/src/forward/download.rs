//! The answer of the server behind, on its way to the client.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tower_oauth_proxy::BoxError;

use super::{failure::reason, service::Permit};
use crate::{headers::end_hop_of_trailers, shutdown::Phases};

/// Ends the stream when its time is over. When the client leaves, this is dropped, and with it the body: hyper closes
/// the connection to the server behind at once (in HTTP/2 it resets the stream), also between two events.
pub(super) struct Download<B: Body> {
    body: B,
    over: Over,
    /// Ends in silence: the client knows how to go on.
    is_events: bool,
    is_done: bool,
    _permit: Permit,
}

/// When a stream has to end: at its age, or with the gateway.
struct Over {
    age: Pin<Box<Sleep>>,
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The gateway ended a stream.
#[derive(Debug)]
struct Ended;

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ended by the gateway")
    }
}

impl std::error::Error for Ended {}

impl<B: Body> Download<B> {
    /// The body of an answer, with all that ends it.
    pub(super) fn of(
        answer: Response<B>,
        age: Duration,
        mut phases: Phases,
        permit: Permit,
    ) -> Response<Self> {
        let (parts, body) = answer.into_parts();
        let kind = parts.headers.get(http::header::CONTENT_TYPE);
        let kind = kind.map_or(&b""[..], |kind| kind.as_bytes());
        let events = b"text/event-stream";
        let is_events = kind
            .get(..events.len())
            .is_some_and(|kind| kind.eq_ignore_ascii_case(events));
        let download = Self {
            is_done: body.is_end_stream(),
            body,
            over: Over {
                age: Box::pin(sleep(age)),
                ending: Box::pin(async move { phases.ending().await }),
            },
            is_events,
            _permit: permit,
        };
        let mut answer = Response::from_parts(parts, download);
        // What the connection carries is for this side alone.
        answer.extensions_mut().clear();
        answer
    }
}

impl Over {
    fn is_now(&mut self, cx: &mut Context<'_>) -> bool {
        self.age.as_mut().poll(cx).is_ready() || self.ending.as_mut().poll(cx).is_ready()
    }
}

impl<B> Body for Download<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.is_done {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending if !this.over.is_now(cx) => return Poll::Pending,
            Poll::Pending => {
                this.is_done = true;
                return Poll::Ready(match this.is_events {
                    true => None,
                    false => Some(Err(Ended.into())),
                });
            }
            Poll::Ready(frame) => frame,
        };
        Poll::Ready(match frame {
            None => {
                this.is_done = true;
                None
            }
            Some(Err(error)) => {
                this.is_done = true;
                let error: BoxError = error.into();
                tracing::warn!(
                    why = reason(&*error),
                    "the answer of the server behind broke off"
                );
                Some(Err(error))
            }
            Some(Ok(frame)) => Some(Ok(frame.map_trailers())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_done || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

trait MapTrailers {
    fn map_trailers(self) -> Self;
}

impl MapTrailers for Frame<Bytes> {
    fn map_trailers(self) -> Self {
        match self.into_trailers() {
            Ok(mut trailers) => {
                end_hop_of_trailers(&mut trailers);
                Self::trailers(trailers)
            }
            Err(frame) => frame,
        }
    }
}

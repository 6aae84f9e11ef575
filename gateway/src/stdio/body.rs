//! The bodies of answers: one message as JSON, or a stream of events.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use super::{process::Held, settings::BEAT};

/// A message for a client.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// One line of JSON.
    pub(super) text: Bytes,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The last message for a request; the code where it is an error.
    Answer(Option<i64>),
    Message,
    /// The process has ended before it answered.
    Ended,
}

/// A body that the stdio server's answers have.
pub(crate) struct StdioBody(Inner);

enum Inner {
    Whole(Bytes),
    Events(Box<Events>),
}

struct Events {
    first: VecDeque<Bytes>,
    rest: mpsc::Receiver<Event>,
    beat: Interval,
    /// Then the stream ends, whatever it waits for.
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Dropped with the body: then the client has gone, or has all.
    _held: Held,
}

impl StdioBody {
    pub(super) fn whole(text: impl Into<Bytes>) -> Self {
        Self(Inner::Whole(text.into()))
    }

    /// What came already, and what will come.
    pub(super) fn events(
        came: impl IntoIterator<Item = Bytes>,
        rest: mpsc::Receiver<Event>,
        held: Held,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let mut first: VecDeque<Bytes> = came.into_iter().map(|text| event(&text)).collect();
        if first.is_empty() {
            // So that the headers leave at once.
            first.push_back(COMMENT);
        }
        let mut beat = interval_at(Instant::now() + BEAT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(Inner::Events(Box::new(Events {
            first,
            rest,
            beat,
            end: Box::pin(end),
            _held: held,
        })))
    }
}

/// "Any line beginning with a colon is a comment that carries no event data."
const COMMENT: Bytes = Bytes::from_static(b": \n\n");

fn event(text: &[u8]) -> Bytes {
    const BEFORE: &[u8] = b"event: message\ndata: ";
    let mut event = BytesMut::with_capacity(BEFORE.len() + text.len() + 2);
    event.put_slice(BEFORE);
    event.put_slice(text);
    event.put_slice(b"\n\n");
    event.freeze()
}

impl Body for StdioBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = match &mut self.0 {
            Inner::Whole(text) if text.is_empty() => None,
            Inner::Whole(text) => Some(std::mem::take(text)),
            Inner::Events(events) => match events.poll(context) {
                Poll::Ready(chunk) => chunk,
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Inner::Whole(text) if text.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(text) => SizeHint::with_exact(text.len() as u64),
            Inner::Events(_) => SizeHint::default(),
        }
    }
}

impl Events {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(chunk) = self.first.pop_front() {
            return Poll::Ready(Some(chunk));
        }
        match self.rest.poll_recv(context) {
            Poll::Ready(Some(Event { text, .. })) => {
                self.beat.reset();
                Poll::Ready(Some(event(&text)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.end.as_mut().poll(context).is_ready() => Poll::Ready(None),
            Poll::Pending => self.beat.poll_tick(context).map(|_| Some(COMMENT)),
        }
    }
}

impl fmt::Debug for StdioBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Whole(_) => "StdioBody(whole)",
            Inner::Events(_) => "StdioBody(events)",
        })
    }
}

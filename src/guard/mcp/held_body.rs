//! The request's body behind the rules: held back until its call is known, then read along while it streams on.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::reader::{Ambiguous, Message, Reader, Seen};
use crate::{error::BoxError, limits::MAX_CALL_NAME};

/// The body that the server behind [`McpRulesLayer`](super::McpRulesLayer) gets: what came, frame by frame.
///
/// What was held back while the call was not known comes first. Of the rest nothing is kept. It is read along: where
/// it says a second method, name or message, the body ends in an error, before the bytes that say so are handed on.
pub struct McpBody<B> {
    body: B,
    /// `None`: nobody reads it along.
    reading: Option<Box<Reading>>,
}

struct Reading {
    reader: Reader,
    /// Whether a message is expected, or nothing at all.
    is_message: bool,
    held: Held,
    /// To the end, or to where nothing more is handed on.
    is_read: bool,
    /// What the answer is told of, should the rest be ambiguous.
    outcome: Outcome,
    on_ambiguous: Option<OnAmbiguous>,
}

/// What is held back, to be handed on in this order. All but the last piece is copied together: of a body that comes
/// byte by byte, each byte would keep the buffer alive that it was read into.
#[derive(Default)]
struct Held {
    before: Vec<u8>,
    last: Bytes,
    trailers: Option<HeaderMap>,
}

impl Held {
    fn push(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => {
                self.before.extend_from_slice(&self.last);
                self.last = data;
            }
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
    }

    fn pop(&mut self) -> Option<Frame<Bytes>> {
        if !self.before.is_empty() {
            return Some(Frame::data(std::mem::take(&mut self.before).into()));
        }
        if !self.last.is_empty() {
            return Some(Frame::data(std::mem::take(&mut self.last)));
        }
        self.trailers.take().map(Frame::trailers)
    }

    fn len(&self) -> usize {
        self.before.len() + self.last.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0 && self.trailers.is_none()
    }
}

type OnAmbiguous = Box<dyn FnOnce(&Ambiguous) + Send + Sync>;

/// What the rest of a body turned out to be, for whoever may still answer.
#[derive(Clone, Default)]
pub(super) struct Outcome(Arc<OnceLock<Ambiguous>>);

impl Outcome {
    pub(super) fn get(&self) -> Option<&Ambiguous> {
        self.0.get()
    }
}

/// Why a body says no call.
pub(super) enum Unread {
    Ambiguous(Ambiguous),
    /// Neither method nor name in the part that is held back.
    TooLong,
    /// There is one, where none is expected.
    Unexpected,
    /// Neither in the time that is given.
    TooSlow,
    /// The connection broke.
    Broken,
}

impl<B> McpBody<B> {
    /// A body that nobody reads along.
    pub(super) fn unread(body: B) -> Self {
        Self {
            body,
            reading: None,
        }
    }

    /// A body that is read, and held back first.
    pub(super) fn read(body: B) -> Self {
        Self::reading(body, true)
    }

    /// A body that has to be empty.
    pub(super) fn empty(body: B) -> Self {
        Self::reading(body, false)
    }

    fn reading(body: B, is_message: bool) -> Self {
        let reading = Reading {
            reader: Reader::new(MAX_CALL_NAME),
            is_message,
            held: Held::default(),
            is_read: false,
            outcome: Outcome::default(),
            on_ambiguous: None,
        };
        Self {
            body,
            reading: Some(Box::new(reading)),
        }
    }

    /// The message, as far as it is known.
    pub(super) fn message(&self) -> Option<&Message> {
        let reading = self.reading.as_ref();
        reading.and_then(|reading| reading.reader.message())
    }

    /// Whether nothing was to come, and nothing came.
    pub(super) fn is_empty(&self) -> bool {
        let reading = self.reading.as_ref();
        reading.is_some_and(|reading| !reading.is_message && reading.is_read)
    }

    /// Whether there is nothing left that could say another call.
    pub(super) fn is_read(&self) -> bool {
        let reading = self.reading.as_ref();
        reading.is_none_or(|reading| reading.is_read)
    }

    /// Where to look for what the rest turns out to be. The closure is called once, should it be ambiguous.
    pub(super) fn outcome(
        &mut self,
        on_ambiguous: impl FnOnce(&Ambiguous) + Send + Sync + 'static,
    ) -> Option<Outcome> {
        let reading = self.reading.as_deref_mut()?;
        reading.on_ambiguous = Some(Box::new(on_ambiguous));
        Some(reading.outcome.clone())
    }
}

impl<B> McpBody<B>
where
    B: Body + Unpin,
{
    /// Holds back until the call is known, up to `limit` bytes.
    pub(super) fn poll_call(
        &mut self,
        cx: &mut Context<'_>,
        limit: usize,
    ) -> Poll<Result<(), Unread>> {
        let Some(reading) = self.reading.as_deref_mut() else {
            return Poll::Ready(Ok(()));
        };
        loop {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            let known = match frame {
                Some(Ok(frame)) => reading.hold(plain(frame), limit),
                Some(Err(_)) => return Poll::Ready(Err(Unread::Broken)),
                None => return Poll::Ready(reading.end().map_err(Unread::Ambiguous)),
            };
            match known {
                Err(unread) => return Poll::Ready(Err(unread)),
                Ok(false) => {}
                // A body that is there whole is judged whole, before any of it is handed on.
                Ok(true) if self.body.is_end_stream() => {
                    return Poll::Ready(reading.end().map_err(Unread::Ambiguous));
                }
                Ok(true) => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Reading {
    /// Keeps a frame, and says whether the call is known by now. Where a body is cut into frames makes no difference.
    fn hold(&mut self, frame: Frame<Bytes>, limit: usize) -> Result<bool, Unread> {
        let mut is_known = false;
        if let Some(data) = frame.data_ref() {
            if !self.is_message && !data.is_empty() {
                return Err(Unread::Unexpected);
            }
            let room = limit.saturating_sub(self.held.len());
            let (within, over) = data.split_at(room.min(data.len()));
            let mut feed = |chunk| match self.reader.feed(chunk) {
                Ok(seen) => Ok(matches!(seen, Seen::Call)),
                Err(ambiguous) => Err(Unread::Ambiguous(ambiguous)),
            };
            is_known = feed(within)?;
            if !over.is_empty() {
                if !is_known {
                    return Err(Unread::TooLong);
                }
                feed(over)?;
            }
        }
        self.held.push(frame);
        Ok(is_known)
    }

    /// The body is over: was it one message?
    fn end(&mut self) -> Result<(), Ambiguous> {
        self.is_read = true;
        match self.is_message {
            true => self.reader.finish().map(drop),
            false => Ok(()),
        }
    }

    /// Reads along what is handed on.
    fn follow(&mut self, frame: &Frame<Bytes>, is_last: bool) -> Result<(), Ambiguous> {
        if let Some(data) = frame.data_ref() {
            self.reader.feed(data)?;
        }
        match is_last && !self.is_read {
            true => self.end(),
            false => Ok(()),
        }
    }

    /// What the body's reader sees of it.
    fn broken(&mut self, ambiguous: Ambiguous) -> BoxError {
        self.is_read = true;
        let words = ambiguous.to_string();
        if let Some(on_ambiguous) = self.on_ambiguous.take() {
            on_ambiguous(&ambiguous);
        }
        let _ = self.outcome.0.set(ambiguous);
        words.into()
    }
}

/// The frame with its data in one piece, which costs nothing where it is in one already.
fn plain<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

impl<B> Body for McpBody<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, reading } = self.get_mut();
        let Some(reading) = reading.as_deref_mut() else {
            let frame = ready!(Pin::new(body).poll_frame(cx));
            return Poll::Ready(frame.map(|frame| frame.map(plain).map_err(Into::into)));
        };
        if let Some(frame) = reading.held.pop() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if reading.outcome.get().is_some() {
            return Poll::Ready(None);
        }
        let handed_on = match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                let frame = plain(frame);
                let is_last = frame.is_trailers() || body.is_end_stream();
                let followed = reading.follow(&frame, is_last);
                Some(followed.map(|()| frame))
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None if reading.is_read => None,
            None => reading.end().err().map(Err),
        };
        let handed_on = handed_on.map(|frame| frame.map_err(|ambiguous| reading.broken(ambiguous)));
        Poll::Ready(handed_on)
    }

    fn is_end_stream(&self) -> bool {
        let is_settled = |reading: &Reading| {
            reading.held.is_empty() && (reading.is_read || reading.outcome.get().is_some())
        };
        self.body.is_end_stream() && self.reading.as_deref().is_none_or(is_settled)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let held = self
            .reading
            .as_ref()
            .map_or(0, |reading| reading.held.len());
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        if held > 0 {
            // In this order: a lower bound may not pass the upper one.
            if let Some(upper) = hint.upper() {
                hint.set_upper(upper.saturating_add(held));
            }
            hint.set_lower(hint.lower().saturating_add(held));
        }
        hint
    }
}

impl<B> fmt::Debug for McpBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::BodyExt;

    use super::*;

    /// A body that is there, in frames of one byte each, with empty ones between them.
    struct Bytewise(Vec<u8>, usize);

    impl Body for Bytewise {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            let at = self.1;
            self.1 += 1;
            let byte = self.0.get(at / 2).copied();
            Poll::Ready(byte.map(|byte| {
                let data = if at.is_multiple_of(2) {
                    Bytes::new()
                } else {
                    vec![byte].into()
                };
                Ok(Frame::data(data))
            }))
        }
    }

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_is_held_in_one_piece() {
        let filling = "x".repeat(5_000);
        let text =
            format!(r#"{{"params":{{"arguments":"{filling}","name":"a"}},"method":"tools/call"}}"#);
        let mut body = McpBody::read(Bytewise(text.clone().into_bytes(), 0));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(matches!(body.poll_call(cx, 64 * 1024), Poll::Ready(Ok(()))));
        let held = &body.reading.as_ref().unwrap().held;
        assert!(held.before.len() > 5_000 && held.last.len() == 1);
        let (mut frames, mut whole) = (0, Vec::new());
        while let Some(frame) = body.frame().await {
            whole.extend_from_slice(frame.unwrap().data_ref().unwrap());
            frames += 1;
        }
        assert_eq!(whole, text.into_bytes());
        assert!(frames < 5, "{frames}");
    }

    #[test]
    fn a_body_says_how_long_it_is_whatever_is_held_of_it() {
        let text = r#"{"method":"tools/list"}"#;
        let whole = || http_body_util::Full::<Bytes>::from(text);
        let cx = &mut Context::from_waker(Waker::noop());
        let length = u64::try_from(text.len()).ok();
        let mut body = McpBody::read(whole());
        assert_eq!(body.size_hint().exact(), length);
        assert!(matches!(body.poll_call(cx, 1_000), Poll::Ready(Ok(()))));
        assert!(body.is_read() && !body.is_end_stream());
        assert_eq!(body.size_hint().exact(), length);
        assert!(Pin::new(&mut body).poll_frame(cx).is_ready());
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert_eq!(McpBody::unread(whole()).size_hint().exact(), length);
    }
}

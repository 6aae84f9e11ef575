//! The body of a request on its way in: counted, timed, and without trailers that only this gateway may send.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    answer::{AnswerBody, refusal},
    headers::{drop_odd_names, end_hop_of_trailers},
    identity::Identity,
};

/// A request's body.
pub(crate) struct Upload {
    body: Incoming,
    left: u64,
    patience: Duration,
    /// Since the client was waited for.
    waits: Option<Pin<Box<Sleep>>>,
    /// What `Connection` named ends here in trailers too.
    named: Vec<HeaderName>,
    identity: Arc<Identity>,
    state: Arc<UploadState>,
}

/// How far a body has come, for those who wait for the answer.
#[derive(Debug)]
pub(crate) struct UploadState(Mutex<(Instant, Option<UploadError>)>);

/// Why a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadError {
    /// Longer than the limit.
    TooLarge,
    /// The client sent nothing for too long.
    Stalled,
    /// The client went away, or sent what is no HTTP.
    Broken,
}

impl Upload {
    pub(crate) fn new(
        body: Incoming,
        most: u64,
        patience: Duration,
        named: Vec<HeaderName>,
        identity: Arc<Identity>,
    ) -> Self {
        Self {
            body,
            left: most,
            patience,
            waits: None,
            named,
            identity,
            state: Arc::new(UploadState(Mutex::new((Instant::now(), None)))),
        }
    }

    pub(crate) fn state(&self) -> Arc<UploadState> {
        Arc::clone(&self.state)
    }

    fn cleaned(&self, mut trailers: HeaderMap) -> HeaderMap {
        drop_odd_names(&mut trailers);
        end_hop_of_trailers(&mut trailers);
        for name in &self.named {
            trailers.remove(name);
        }
        self.identity.strip(&mut trailers);
        trailers
    }

    fn taken(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, UploadError> {
        let frame = match frame.into_data() {
            Ok(data) => {
                let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                self.left = self.left.checked_sub(length).ok_or(UploadError::TooLarge)?;
                Frame::data(data)
            }
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => Frame::trailers(self.cleaned(trailers)),
                Err(other) => other,
            },
        };
        Ok(frame)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let this = &mut *self;
        if let Some(error) = this.state.error() {
            // It ended with an error, and has no other end.
            return Poll::Ready(Some(Err(error)));
        }
        let outcome = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending => {
                let patience = this.patience;
                let waits = this.waits.get_or_insert_with(|| Box::pin(sleep(patience)));
                if waits.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                Some(Err(UploadError::Stalled))
            }
            Poll::Ready(None) => None,
            Poll::Ready(Some(Err(_))) => Some(Err(UploadError::Broken)),
            Poll::Ready(Some(Ok(frame))) => Some(this.taken(frame)),
        };
        this.waits = None;
        let error = outcome.as_ref().and_then(|frame| frame.as_ref().err());
        this.state.came(error.copied());
        Poll::Ready(outcome)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl UploadState {
    fn state(&self) -> MutexGuard<'_, (Instant, Option<UploadError>)> {
        // Each change is one assignment: half of one cannot be seen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn came(&self, error: Option<UploadError>) {
        *self.state() = (Instant::now(), error);
    }

    /// When something last came.
    pub(crate) fn last(&self) -> Instant {
        self.state().0
    }

    /// Why it ended before its end.
    pub(crate) fn error(&self) -> Option<UploadError> {
        self.state().1
    }
}

impl UploadError {
    /// Where no answer has begun. What is left of the body is not read.
    pub(crate) fn answer(self) -> Response<AnswerBody> {
        let status = match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        };
        let mut answer = refusal(status, "invalid_request", self.words());
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
        answer
    }

    fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is larger than allowed",
            Self::Stalled => "the rest of the body did not come in time",
            Self::Broken => "the body ended before its end",
        }
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for UploadError {}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

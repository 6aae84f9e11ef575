//! The body of an answer: a short one of the gateway's own, or a stream.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use tower_oauth_proxy::BoxError;

/// The body of what stands behind the layer.
pub(crate) struct AnswerBody(Kind);

enum Kind {
    Own(Full<Bytes>),
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl AnswerBody {
    /// A whole one.
    pub(crate) fn own(body: impl Into<Bytes>) -> Self {
        Self(Kind::Own(Full::new(body.into())))
    }

    /// One that comes bit by bit.
    pub(crate) fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Kind::Stream(body.map_err(Into::into).boxed_unsync()))
    }
}

impl Default for AnswerBody {
    fn default() -> Self {
        Self::own(Bytes::new())
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Own(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Kind::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(body) => body.is_end_stream(),
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(body) => body.size_hint(),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}

/// An answer of the gateway itself, as the errors of OAuth look: a code, and a sentence that says nothing of what
/// stands behind.
pub(crate) fn refusal(
    status: StatusCode,
    code: &'static str,
    words: &'static str,
) -> Response<AnswerBody> {
    let body = serde_json::json!({ "error": code, "error_description": words });
    let mut answer = Response::new(AnswerBody::own(body.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

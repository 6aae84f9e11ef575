//! The body of an answer on its way to the client.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_oauth_proxy::{BoxError, ResponseBody};

use super::activity::OpenRequest;
use crate::answer::AnswerBody;

pin_project! {
    /// Tells the connection whether its client takes it.
    pub(crate) struct Delivered {
        #[pin]
        from: From,
        open: OpenRequest,
    }
}

pin_project! {
    #[project = FromProjection]
    enum From {
        Layer { #[pin] body: ResponseBody<AnswerBody> },
        Door { #[pin] body: AnswerBody },
    }
}

impl Delivered {
    /// What came through the layer.
    pub(super) fn of_layer(body: ResponseBody<AnswerBody>, open: OpenRequest) -> Self {
        Self::new(From::Layer { body }, open)
    }

    /// What was refused before it.
    pub(super) fn of_door(body: AnswerBody, open: OpenRequest) -> Self {
        Self::new(From::Door { body }, open)
    }

    fn new(from: From, open: OpenRequest) -> Self {
        // The header of the answer waits too.
        open.gave();
        Self { from, open }
    }
}

impl Body for Delivered {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        this.open.is_asked();
        let frame = ready!(match this.from.project() {
            FromProjection::Layer { body } => body.poll_frame(cx),
            FromProjection::Door { body } => body.poll_frame(cx),
        });
        this.open.gave();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.from {
            From::Layer { body } => body.is_end_stream(),
            From::Door { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.from {
            From::Layer { body } => body.size_hint(),
            From::Door { body } => body.size_hint(),
        }
    }
}

//! The server's answer behind the rules: as it came, or with its lists filtered while it streams by.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{
    list_filter::Unlistable,
    listing::{Form, Listing},
};
use crate::{
    body::{OwnResponse, ResponseBody},
    error::BoxError,
};

pin_project! {
    /// The body of every answer that comes through [`McpRulesLayer`](super::McpRulesLayer): the server's, frame by
    /// frame, or a short one of a refusal. Where lists are filtered ([`McpRules::list`](super::McpRules::list)), an
    /// entry is kept until its name is known, and nothing else. A list that cannot be read ends in an error.
    pub struct McpAnswer<B> {
        #[pin]
        body: ResponseBody<B>,
        filter: Option<Box<Filter>>,
    }
}

struct Filter {
    listing: Box<Listing>,
    form: Form,
    is_over: bool,
}

impl<B> McpAnswer<B> {
    /// A short answer of ours.
    pub(super) fn own(response: OwnResponse) -> Response<Self> {
        response.map(|body| Self::whole(ResponseBody::own(body)))
    }

    /// An answer that is handed on as it is.
    fn whole(body: ResponseBody<B>) -> Self {
        Self { body, filter: None }
    }

    /// The server's answer, with its lists filtered where that was asked for. One that cannot be read is not handed on.
    pub(super) fn of(response: Response<B>, listing: Option<Box<Listing>>) -> Response<Self> {
        let Some(listing) = listing else {
            return response.map(|body| Self::whole(ResponseBody::inner(body)));
        };
        let (mut head, body) = response.into_parts();
        let filter = match listing.form(head.status, &mut head.headers) {
            Ok(form) => form.map(|form| {
                Box::new(Filter {
                    listing,
                    form,
                    is_over: false,
                })
            }),
            Err(words) => return Self::own(listing.unlisted(words)),
        };
        let body = ResponseBody::inner(body);
        Response::from_parts(head, Self { body, filter })
    }
}

impl Filter {
    fn feed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Unlistable> {
        let mut out = Vec::with_capacity(bytes.len());
        let shown = |of, name: &str| self.listing.shows(of, name);
        match &mut self.form {
            Form::Json(filter) => filter.feed(bytes, &shown, &mut out)?,
            Form::Events(filter) => filter.feed(bytes, &shown, &mut out)?,
        }
        Ok(out)
    }

    /// The answer is over: what is left of it.
    fn end(&mut self) -> Result<Vec<u8>, Unlistable> {
        self.is_over = true;
        let mut out = Vec::new();
        match &mut self.form {
            Form::Json(filter) => filter.finish()?,
            Form::Events(filter) => filter.finish(&mut out),
        }
        Ok(out)
    }

    /// What the answer's reader sees of it.
    fn broken(&mut self, unlistable: Unlistable) -> BoxError {
        self.is_over = true;
        let _ = self.listing.unlisted(&unlistable.to_string());
        unlistable.into()
    }
}

/// An empty body: outer layers such as a timeout make responses of their own.
impl<B> Default for McpAnswer<B> {
    fn default() -> Self {
        Self::whole(ResponseBody::default())
    }
}

impl<B> Body for McpAnswer<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let Some(filter) = this.filter.as_deref_mut() else {
            let frame = ready!(this.body.poll_frame(cx));
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        loop {
            if filter.is_over {
                return Poll::Ready(None);
            }
            let frame = match ready!(this.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    let end = filter.end().map_err(|unlistable| filter.broken(unlistable));
                    let end = end.map(|left| (!left.is_empty()).then(|| Frame::data(left.into())));
                    return Poll::Ready(end.transpose());
                }
            };
            let left = match frame {
                Ok(data) => filter.feed(&data),
                // The last frame. Of a list in events nothing is left that would be one.
                Err(trailers) => match filter.end() {
                    Ok(_) => return Poll::Ready(Some(Ok(trailers))),
                    Err(unlistable) => Err(unlistable),
                },
            };
            match left {
                // All of it was taken out, or is kept for the moment.
                Ok(left) if left.is_empty() => {}
                Ok(left) => return Poll::Ready(Some(Ok(Frame::data(left.into())))),
                Err(unlistable) => return Poll::Ready(Some(Err(filter.broken(unlistable)))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.filter {
            None => self.body.is_end_stream(),
            Some(filter) => filter.is_over,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.filter {
            None => self.body.size_hint(),
            Some(_) => SizeHint::default(),
        }
    }
}

impl<B> fmt::Debug for McpAnswer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpAnswer").finish_non_exhaustive()
    }
}

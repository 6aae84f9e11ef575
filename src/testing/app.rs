//! The finished app, asked as a stranger asks it: without a token.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tower_service::Service;

use super::{mistake::Mistake, typed::Typed};
use crate::error::BoxError;

/// The largest document that is read: ours take about a kibibyte.
const MAX_DOCUMENT: usize = 1 << 16;

/// The empty body of the checks' requests.
///
/// axum's `Router` and most services take any body. One that insists on its own type is wrapped:
///
/// ```
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use tower::ServiceExt;
/// use tower_oauth_proxy::testing::{self, NoBody};
///
/// let router: Router = Router::new().route("/health", get(async || "ok"));
/// let picky = router.into_service::<Body>();
/// let app = picky.map_request(|request: Request<NoBody>| request.map(|_| Body::empty()));
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(
/// testing::assert_public(&app, "https://mcp.example.com/health")
/// # );
/// # /*
///     .await;
/// # */
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct NoBody;

impl Body for NoBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

/// A finished app: any service that can be cloned and takes requests with [`NoBody`], such as axum's
/// `Router` or an [`OAuthProxyService`](crate::OAuthProxyService).
pub trait App: Clone {
    /// The body of its responses.
    type Body: Body<Error: Into<BoxError>>;

    /// Sends one request.
    fn send(
        self,
        request: Request<NoBody>,
    ) -> impl Future<Output = Result<Response<Self::Body>, BoxError>>;
}

impl<S, R> App for S
where
    S: Service<Request<NoBody>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
    R::Error: Into<BoxError>,
{
    type Body = R;

    async fn send(mut self, request: Request<NoBody>) -> Result<Response<R>, BoxError> {
        let ready = poll_fn(|context| self.poll_ready(context)).await;
        ready.map_err(Into::into)?;
        self.call(request).await.map_err(Into::into)
    }
}

/// Asks an app without a token.
pub(super) struct Stranger<'a, A> {
    pub(super) app: &'a A,
    pub(super) typed: &'a Typed,
}

impl<A: App> Stranger<'_, A> {
    /// One request, as a server hands it on: the path, and a `Host` header.
    pub(super) async fn ask(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Response<A::Body>, Mistake> {
        let failed = |error: BoxError| Mistake::new(format!("`{target}` failed: {error}"));
        let host = self.typed.host();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in [("host", host)].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let request = request.body(NoBody);
        let request = request.map_err(|error| failed(error.into()))?;
        self.app.clone().send(request).await.map_err(failed)
    }

    /// A document that anyone may read.
    pub(super) async fn document(&self, target: &str) -> Result<Value, Mistake> {
        let response = self.ask(Method::GET, target, &[]).await?;
        if response.status() != StatusCode::OK {
            return Err(Mistake::new(format!(
                "`{target}` is {}: the layer does not see requests for it, because it is inside \
                 `Router::nest` or a `route_layer`, or because something in front of it answers. Put \
                 it outermost, with `Router::layer` after the last route.",
                response.status().as_u16()
            )));
        }
        let unreadable = |error: BoxError| {
            Mistake::new(format!(
                "`{target}` is not a JSON document ({error}), so something in front of the layer \
                 answers it. Put the layer outermost."
            ))
        };
        let body = Box::pin(Limited::new(response.into_body(), MAX_DOCUMENT));
        let body = body.collect().await.map_err(unreadable)?;
        serde_json::from_slice(&body.to_bytes()).map_err(|error| unreadable(error.into()))
    }
}

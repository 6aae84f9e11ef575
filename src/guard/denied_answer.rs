//! A denial that a handler found, as the layer would have answered it.

use bytes::Bytes;
use http::{Extensions, Response};

use super::{
    Denied,
    layer::{Needs, refuse},
};

/// What the event says of the rule, which is the handler's.
const INSIDE: &str = "a check inside of the handler";

impl Denied {
    /// The answer that a [`RequireLayer`](super::RequireLayer) would have given to this request, for a check inside of
    /// a handler: 401 with the layer's challenge, 403 `insufficient_scope` with all scopes that are needed, or 403
    /// without a challenge. It reports the refusal as an event, so make it once for each refusal.
    ///
    /// The extensions are those of the request: they hold the session, or where to log in.
    ///
    /// ```
    /// use axum::{body::Body, extract::Request, response::Response};
    /// use tower_oauth_proxy::{AuthSession, guard::require_role};
    ///
    /// async fn handler(request: Request) -> Response {
    ///     let session = AuthSession::from_extensions(request.extensions());
    ///     if let Err(denied) = require_role("admin").check(session) {
    ///         return denied.response(request.extensions()).map(Body::from);
    ///     }
    ///     Response::new("inside".into())
    /// }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// // Without the layer around it, it fails closed.
    /// assert_eq!(handler(Request::default()).await.status(), 401);
    /// # });
    /// ```
    #[must_use]
    pub fn response(&self, extensions: &Extensions) -> Response<Bytes> {
        let needs = Needs {
            full: INSIDE.to_owned(),
            without_person: INSIDE.to_owned(),
        };
        refuse("", extensions, self, Some(needs))
    }
}

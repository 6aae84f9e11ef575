//! The layer and the service: is this request ours, or the inner service's?

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, header};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    admin::OAuthProxyAdmin,
    bearer::{self, Caller, Credentials, Decision},
    body::ResponseBody,
    config::OAuthProxyConfig,
    cors,
    endpoint::{self, Answer},
    error::BoxError,
    future::ResponseFuture,
    metrics::Stopwatch,
    probe::OAuthProxyHandle,
    resource_server::ResourceServer,
    route::Route,
    session::AuthSession,
};

/// The Tower layer that turns a service into a protected resource and its authorization server.
///
/// A request goes one of three ways:
///
/// 1. **An endpoint of the proxy** (`{base}/oauth/*`, the well-known documents): answered here; the
///    inner service never sees it.
/// 2. **A public path**, compared exactly: to the inner service, without a session.
/// 3. **Anything else is protected**: the bearer token becomes an [`AuthSession`] in the request's
///    extensions, or the request is refused with a challenge.
///
/// Put it outermost: with `Router::route_layer`, or inside `nest`, the well-known documents are
/// 404. The inner service's error type and streaming bodies are untouched.
///
/// # Readiness
///
/// The inner service is asked whether it is ready when a request is about to reach it: after the
/// token was checked, and not at all for documents, logins and refusals. So a token that is being
/// checked, a store that hangs or a request that is refused never holds a permit of a
/// `ConcurrencyLimit`, `Buffer` or rate limit **inside** the layer, and the proxy's own endpoints
/// answer while the inner service is busy.
///
/// `poll_ready` of the layer's own service therefore always says yes, and says nothing of the inner
/// service. A request that finds that one busy waits inside its response future, and what
/// `poll_ready` reports as an error comes out of that future.
///
/// - `LoadShed` around the layer never sheds. Put it **inside**, around the limit that it watches.
/// - A limit around the layer counts everything, checks and documents included. A generous one there
///   bounds how many requests may wait.
/// - A service that is not ready is cloned once for each request that waits for it.
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct OAuthProxyLayer {
    server: Arc<ResourceServer>,
    handle: OAuthProxyHandle,
}

impl OAuthProxyLayer {
    /// A layer with this configuration. Clones, and all services that it makes, share one state.
    pub fn new(config: OAuthProxyConfig) -> Self {
        let server = Arc::new(ResourceServer::new(config));
        let handle = OAuthProxyHandle::new(&server);
        Self { server, handle }
    }

    /// Administration of the running proxy: list and end grants, deny clients.
    #[must_use]
    pub fn admin(&self) -> OAuthProxyAdmin {
        OAuthProxyAdmin::new(&self.server)
    }

    /// What watches the running proxy, and changes nothing: for a readiness endpoint.
    #[must_use]
    pub fn handle(&self) -> OAuthProxyHandle {
        self.handle.clone()
    }
}

impl<S> Layer<S> for OAuthProxyLayer {
    type Service = OAuthProxyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        OAuthProxyService {
            inner,
            server: Arc::clone(&self.server),
        }
    }
}

/// The service that [`OAuthProxyLayer`] makes.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct OAuthProxyService<S> {
    inner: S,
    server: Arc<ResourceServer>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for OAuthProxyService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Send,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    /// Always ready: most requests never reach the inner service, or only after a check. It is asked
    /// when a request is about to reach it.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        // Only this layer says who is calling, whatever an outer layer or a forged request holds.
        request.extensions_mut().remove::<AuthSession>();
        match self.server.routes.find(request.uri().path()) {
            Route::Protected => self.protected(request),
            Route::Public => {
                // A client sends its token everywhere; here it was not asked for. What is no bearer
                // token is the service's own business.
                if bearer::credentials(request.headers()) != Credentials::None {
                    self.hide_token(&mut request);
                }
                let stranger = bearer::stranger(&self.server, request.uri());
                self.inside(stranger, request)
            }
            Route::Own(row) => {
                let (watch, name) = (Stopwatch::start(), row.endpoint.name());
                match endpoint::answer(&self.server, row, request) {
                    Answer::Ready(response) => {
                        watch.endpoint(name, response.status());
                        ResponseFuture::ready(response)
                    }
                    Answer::Pending(future) => ResponseFuture::endpoint(future, name, watch),
                }
            }
        }
    }
}

impl<S> OAuthProxyService<S> {
    #[inline]
    fn protected<ReqBody>(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>> + Clone,
    {
        let with_cors = self.server.options.cors_on_protected_paths;
        if with_cors && cors::is_preflight(&request) {
            return ResponseFuture::ready(cors::preflight_of_protected());
        }
        let mut future = match bearer::admit(&self.server, &request) {
            Decision::Admitted(caller) => {
                if matches!(caller, Caller::Known(_)) {
                    self.hide_token(&mut request);
                }
                self.inside(caller, request)
            }
            Decision::Asks(asking) => {
                self.hide_token(&mut request);
                ResponseFuture::asking(asking, self.inner.clone(), request)
            }
            Decision::Refused(response) => ResponseFuture::ready(response),
        };
        future.readable_by_any_origin(with_cors);
        future
    }

    /// On to the inner service.
    #[inline]
    fn inside<ReqBody>(
        &mut self,
        caller: Caller,
        mut request: Request<ReqBody>,
    ) -> ResponseFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>> + Clone,
    {
        caller.enter(request.extensions_mut());
        ResponseFuture::inner(&mut self.inner, request)
    }

    /// The token is for this layer alone: behind it, it could leak further.
    fn hide_token<ReqBody>(&self, request: &mut Request<ReqBody>) {
        if !self.server.options.keep_authorization_header {
            request.headers_mut().remove(header::AUTHORIZATION);
        }
    }
}

impl fmt::Debug for OAuthProxyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyLayer").finish_non_exhaustive()
    }
}

impl<S: fmt::Debug> fmt::Debug for OAuthProxyService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

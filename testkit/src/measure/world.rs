//! A proxy on a memory store with people logged in, driven without sockets and without a runtime's
//! scheduler: a call is one poll.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use tokio::runtime::Runtime;
use tower::{Layer, Service};
use tower_oauth_proxy::{
    Clock, Consent, OAuthProxyConfigBuilder, OAuthProxyLayer, OAuthProxyService,
};

use super::login::{self, Deployment};
use crate::Tokens;

/// How long a session may be served from the cache, in seconds, where each call should look again: the
/// shortest there is.
const SHORT: u64 = 1;
pub const SHORT_LIFE: Duration = Duration::from_secs(SHORT);
/// Where it should never be too old: the longest there is.
pub const LONG_LIFE: Duration = Duration::from_secs(3600);
/// Access tokens outlive all that the clock is set ahead.
const DAY: Duration = Duration::from_secs(24 * 3600);

pub type Body = Full<Bytes>;

/// The service behind the layer: as little as an answer can be.
#[derive(Clone, Copy)]
pub struct Inner;

impl<B> Service<Request<B>> for Inner {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(request);
        ready(Ok(Response::new(Full::new(Bytes::from_static(b"inside")))))
    }
}

pub type Layered = OAuthProxyService<Inner>;

/// People logged in behind one layer.
pub struct World {
    layer: OAuthProxyLayer,
    clock: Ahead,
    /// One of each grant.
    pub tokens: Vec<String>,
}

impl World {
    /// Logs `people` in, one grant each.
    pub fn new(
        runtime: &Runtime,
        provider: &str,
        people: usize,
        adjust: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Self {
        let clock = Ahead::default();
        let layer = layer(provider, &clock, adjust);
        let tokens = runtime.block_on(async {
            let mut on = Deployment::new("", &layer).await;
            let mut tokens = Vec::with_capacity(people);
            for code in on.log_in(people).await {
                let answer = on.client.redeem_code(&code, &on.pkce).await;
                tokens.push(Tokens::read(&answer).access);
            }
            tokens
        });
        Self {
            layer,
            clock,
            tokens,
        }
    }

    pub fn service(&self) -> Layered {
        self.before(Inner)
    }

    /// The proxy before another service.
    pub fn before<S>(&self, inner: S) -> OAuthProxyService<S> {
        self.layer.layer(inner)
    }

    /// Visitors who find their sessions too old whenever they come.
    pub fn first_sights(&self, tokens: &[String]) -> Visitors<Layered> {
        Visitors {
            clock: Some(self.clock.clone()),
            ..Visitors::new(self.service(), tokens)
        }
    }
}

/// A second instance of a proxy: its clock and its cache are its own, its store what `adjust` gives it.
pub fn second(
    provider: &str,
    adjust: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Layered {
    layer(provider, &Ahead::default(), adjust).layer(Inner)
}

fn layer(
    provider: &str,
    clock: &Ahead,
    adjust: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> OAuthProxyLayer {
    let config = login::config(provider)
        .consent(Consent::Disabled)
        .access_token_ttl(DAY)
        .clock(clock.clone());
    OAuthProxyLayer::new(adjust(config).build().unwrap())
}

/// Who presents a token each, in turn.
pub struct Visitors<S> {
    service: S,
    headers: HeaderMap,
    credentials: Vec<Vec<u8>>,
    next: usize,
    /// Set ahead when all have been there: no session of before is fresh any more.
    clock: Option<Ahead>,
    has_extensions: bool,
    method: Method,
    body: Bytes,
}

impl<S> Visitors<S> {
    /// With no token at all, one visitor without credentials.
    pub fn new(service: S, tokens: &[String]) -> Self {
        let credentials = tokens.iter().map(|token| format!("Bearer {token}").into());
        Self {
            service,
            headers: headers(!tokens.is_empty()),
            credentials: credentials.collect(),
            next: 0,
            clock: None,
            has_extensions: false,
            method: Method::GET,
            body: Bytes::new(),
        }
    }

    /// Each request is a `POST` of this body, with these headers besides.
    pub fn posting(mut self, body: &str, headers: &[(&'static str, &'static str)]) -> Self {
        self.method = Method::POST;
        self.body = Bytes::copy_from_slice(body.as_bytes());
        for (name, value) in headers {
            self.headers.insert(*name, HeaderValue::from_static(value));
        }
        self
    }

    /// Something is in the extensions of each request already.
    pub fn with_extensions(self) -> Self {
        Self {
            has_extensions: true,
            ..self
        }
    }

    /// The token is copied for each request, as a server copies it from the socket: the service finds
    /// its bytes close by, however many people there are.
    fn request(&mut self) -> Request<Body> {
        let mut request = Request::new(Body::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from_static("/mcp");
        request.headers_mut().clone_from(&self.headers);
        if self.has_extensions {
            request.extensions_mut().insert(7_u64);
        }
        if let Some(credentials) = self.credentials.get(self.next) {
            let value = HeaderValue::from_bytes(credentials).unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
            self.next += 1;
        }
        if self.next == self.credentials.len() {
            self.next = 0;
            self.clock.iter().for_each(|clock| clock.skip(SHORT));
        }
        request
    }

    /// The next one's request and its answer. Nothing here waits: whatever is not ready at once is a
    /// mistake.
    pub fn call<R>(&mut self, status: StatusCode) -> Response<R>
    where
        S: Service<Request<Body>, Response = Response<R>, Error = Infallible>,
    {
        let request = self.request();
        let future = pin!(self.service.call(request));
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(answer)) => {
                assert_eq!(answer.status(), status);
                answer
            }
            Poll::Pending => panic!("the call waits for something"),
        }
    }
}

/// What an MCP client sends.
fn headers(with_credentials: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "proxy.example"),
        ("user-agent", "mcp-client/1.0"),
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-session-id", "7d1c2b8e-6d0f-4f0e-9a55-0a4f6a3c9b11"),
        ("mcp-protocol-version", "2026-07-28"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if with_credentials {
        // Keeps the place.
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer"));
    }
    headers
}

/// The system's clock, some time ahead.
#[derive(Clone, Default)]
pub struct Ahead(Arc<AtomicU64>);

impl Ahead {
    pub fn skip(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

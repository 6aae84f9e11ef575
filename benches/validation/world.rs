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
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use tokio::runtime::Runtime;
use tower::{Layer, Service};
use tower_oauth_proxy::{
    Clock, Consent, OAuthProxyConfigBuilder, OAuthProxyLayer, OAuthProxyService,
};

use crate::{
    common::Tokens,
    support::login::{self, Deployment},
};

pub(crate) type Body = Full<Bytes>;

/// The service behind the layer: as little as an answer can be.
#[derive(Clone, Copy)]
pub(crate) struct Inner;

impl Service<Request<Body>> for Inner {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(request);
        ready(Ok(Response::new(Full::new(Bytes::from_static(b"inside")))))
    }
}

pub(crate) type Layered = OAuthProxyService<Inner>;

/// People logged in behind one layer.
pub(crate) struct World {
    layer: OAuthProxyLayer,
    pub(crate) clock: Ahead,
    /// One of each grant.
    pub(crate) tokens: Vec<String>,
}

impl World {
    /// Logs `people` in, one grant each.
    pub(crate) fn new(
        runtime: &Runtime,
        provider: &str,
        people: usize,
        adjust: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Self {
        let clock = Ahead::default();
        let config = login::config(provider)
            .consent(Consent::Disabled)
            .clock(clock.clone());
        let layer = OAuthProxyLayer::new(adjust(config).build().unwrap());
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

    pub(crate) fn service(&self) -> Layered {
        self.layer.layer(Inner)
    }
}

/// One request and its answer. Nothing here waits: whatever is not ready at once is a mistake.
pub(crate) fn call<S, R>(service: &mut S, request: Request<Body>) -> R
where
    S: Service<Request<Body>, Response = R, Error = Infallible>,
{
    let future = pin!(service.call(request));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => answer,
        Poll::Pending => panic!("the call waits for something"),
    }
}

pub(crate) trait Answered: Sized {
    /// The answer, which must have this status.
    fn with(self, status: StatusCode) -> Self;
}

impl<B> Answered for Response<B> {
    fn with(self, status: StatusCode) -> Self {
        assert_eq!(self.status(), status);
        self
    }
}

/// What an MCP client sends, copied for each call.
pub(crate) struct Template(HeaderMap);

impl Template {
    pub(crate) fn new(token: Option<&str>) -> Self {
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
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            headers.insert(header::AUTHORIZATION, value);
        }
        Self(headers)
    }

    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::default());
        *request.uri_mut() = http::Uri::from_static("/mcp");
        request.headers_mut().clone_from(&self.0);
        request
    }
}

/// The system's clock, some time ahead.
#[derive(Clone, Default)]
pub(crate) struct Ahead(Arc<AtomicU64>);

impl Ahead {
    pub(crate) fn skip(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

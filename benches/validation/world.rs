//! A proxy on a memory store with people logged in, driven without sockets and without a runtime's
//! scheduler: a call is one poll.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::pin,
    sync::{
        Arc, Mutex,
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
    Clock, Consent, OAuthProxyConfig, OAuthProxyConfigBuilder, OAuthProxyLayer, OAuthProxyService,
    SecretKey, TokenStorage,
    provider::generic,
    storage::{MemoryStorage, StorageFuture},
};

use crate::{
    common::{Client, Pkce, Tokens, Wire, client::CALLBACK, client::native_metadata},
    login,
};

pub(crate) const BASE: &str = "https://proxy.example";

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

/// Key and value of each grant, as the store was given them.
pub(crate) type Records = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// People logged in behind one layer.
pub(crate) struct World {
    pub(crate) layer: OAuthProxyLayer,
    pub(crate) clock: Ahead,
    /// One of each grant.
    pub(crate) tokens: Vec<String>,
    /// What the store was given, key and value, where it was asked to remember.
    pub(crate) records: Records,
    pub(crate) store: Arc<MemoryStorage>,
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
        let store = MemoryStorage::with_max_bytes(16 << 30);
        let store = Arc::new(store.with_clock(Arc::new(clock.clone())));
        let records = Arc::default();
        let remembering = Remembering {
            store: store.clone(),
            records: Arc::clone(&records),
        };
        let secret = "a provider's client secret of good length";
        let url = |path| format!("{provider}{path}");
        let upstream = generic(&url("/authorize"), &url("/token"), login::APP, secret);
        let key = SecretKey::from_bytes(*b"an operator's secret of 32 bytes").unwrap();
        let builder = OAuthProxyConfig::builder(upstream.scopes(["openid", "email"]), BASE)
            .secret_key(key)
            .scopes(["openid", "email"])
            .consent(Consent::Disabled)
            .clock(clock.clone())
            .token_storage(remembering);
        let layer = OAuthProxyLayer::new(adjust(builder).build().unwrap());
        let wire = Wire::new(BASE, layer.layer(Inner));
        let tokens = runtime.block_on(async {
            let client = Client::register(&wire, "", &native_metadata(CALLBACK)).await;
            let pkce = Pkce::new();
            let mut tokens = Vec::with_capacity(people);
            for person in 0..people {
                let subject = format!("person-{person:08}");
                let code = login::log_in(client.clone(), pkce.clone(), subject).await;
                let answer = client.redeem_code(&code, &pkce).await;
                tokens.push(Tokens::read(&answer).access);
            }
            tokens
        });
        Self {
            layer,
            clock,
            tokens,
            records,
            store,
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

/// A memory store that also keeps a list of the grants' records.
struct Remembering {
    store: Arc<MemoryStorage>,
    records: Records,
}

impl TokenStorage for Remembering {
    fn get<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.store.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Duration) -> StorageFuture<'a, ()> {
        self.store.set(key, value, ttl)
    }

    fn insert_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        self.store.insert_if_absent(key, value, ttl)
    }

    fn take<'a>(&'a self, key: &'a str) -> StorageFuture<'a, Option<Vec<u8>>> {
        self.store.take(key)
    }

    /// A grant becomes what it stays by its redemption.
    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        expected: &'a [u8],
        new: Vec<u8>,
        ttl: Duration,
    ) -> StorageFuture<'a, bool> {
        if key.starts_with("grant:") {
            let record = (key.to_owned(), new.clone());
            self.records.lock().unwrap().push(record);
        }
        self.store.compare_and_swap(key, expected, new, ttl)
    }

    fn remove<'a>(&'a self, key: &'a str) -> StorageFuture<'a, ()> {
        self.store.remove(key)
    }
}

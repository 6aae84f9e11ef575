//! A service inside that has no room: who waits for it, who does not, and who holds its permits.
//!
//! Futures are looked at by hand, so that what a request holds at a moment can be seen.

use std::{
    convert::Infallible,
    future::{Future, Ready, pending, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{sync::Semaphore, time::timeout};
use tower::{
    BoxError, Layer, Service, ServiceExt,
    buffer::Buffer,
    limit::{ConcurrencyLimit, RateLimit, rate::Rate},
    load_shed::{LoadShed, error::Overloaded},
    util::ServiceFn,
};
use tower_oauth_proxy::{
    OAuthProxyService, TokenVerifier, VerifiedToken, VerifyFuture, VerifyRequest,
    guard::{RequireLayer, RequireService, require},
};

use crate::inside::{bearer, request};
use testkit::{
    FakeClock, Provider, Proxy,
    proxy::{BASE, builder_from, upstream},
    store::Health,
};

const SOON: Duration = Duration::from_secs(10);
const DOCUMENT: &str = "/.well-known/oauth-protected-resource/mcp";

type Ask = Request<Full<Bytes>>;
type Answer = Result<Response<Full<Bytes>>, Infallible>;
type Inner = ServiceFn<fn(Ask) -> Ready<Answer>>;
type Limited = ConcurrencyLimit<Inner>;

fn inner() -> Inner {
    tower::service_fn(|_| ready(Ok(Response::default())))
}

/// As many at once as the semaphore has permits.
fn limited(permits: &Arc<Semaphore>) -> Limited {
    ConcurrencyLimit::with_semaphore(inner(), permits.clone())
}

/// One look at a future.
fn look<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The status of the answer to a request at a clone of the service.
async fn status<S, B>(service: &S, path: &str, authorization: Option<&str>) -> u16
where
    S: Service<Ask, Response = Response<B>, Error: std::fmt::Debug> + Clone,
{
    let answer = service.clone().oneshot(request(path, authorization));
    let answer = timeout(SOON, answer).await.expect(path).expect(path);
    answer.status().as_u16()
}

/// What never needs the service inside.
async fn answers_without_the_service<S, B>(service: &S)
where
    S: Service<Ask, Response = Response<B>, Error: std::fmt::Debug> + Clone,
{
    assert_eq!(status(service, DOCUMENT, None).await, 200);
    assert_eq!(status(service, "/oauth/token", None).await, 405);
    assert_eq!(status(service, "/mcp", None).await, 401);
    assert_eq!(status(service, "/mcp", Some("Bearer x")).await, 401);
}

/// Never answers, but for one token.
struct Hanging;

impl TokenVerifier for Hanging {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            match request.token() {
                "good" => Ok(VerifiedToken::new("ada")),
                _ => pending().await,
            }
        })
    }
}

async fn with_a_hanging_verifier() -> Proxy {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let builder = builder_from(upstream(&provider), BASE)
        .passthrough(Hanging)
        .public_paths(["/open"]);
    Proxy::built(provider, clock, BASE, builder)
}

/// While requests with these tokens are being checked, nobody else notices.
async fn checks_hold_nothing(proxy: &Proxy, good: &str, unchecked: &[String]) {
    let permits = Arc::new(Semaphore::new(1));
    let service = proxy.layer.layer(limited(&permits));
    assert_eq!(status(&service, "/mcp", Some(good)).await, 200);
    let checks = unchecked.iter().map(|token| {
        let mut service = service.clone();
        Box::pin(async move {
            service
                .ready()
                .await?
                .call(request("/mcp", Some(token)))
                .await
        })
    });
    let mut checks: Vec<_> = checks.collect();
    for check in &mut checks {
        assert!(look(check).is_pending());
    }
    assert_eq!(permits.available_permits(), 1, "a check holds a permit");
    assert_eq!(status(&service, "/open", None).await, 200);
    assert_eq!(status(&service, "/mcp", Some(good)).await, 200); // cached
    assert_eq!(status(&service, DOCUMENT, None).await, 200);
    assert_eq!(permits.available_permits(), 1);
}

#[tokio::test]
async fn strangers_tokens_at_a_verifier_that_hangs_hold_no_permit() {
    let proxy = with_a_hanging_verifier().await;
    let strangers: Vec<_> = (0..20).map(|n| format!("Bearer stranger{n}")).collect();
    checks_hold_nothing(&proxy, "Bearer good", &strangers).await;
}

#[tokio::test]
async fn a_store_that_hangs_holds_no_permit() {
    let (proxy, store) = Proxy::with_store(|b| b.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let good = bearer(&proxy.journey(&client).await);
    let others = [
        bearer(&proxy.journey(&client).await),
        bearer(&proxy.journey(&client).await),
    ];
    let service = proxy.layer.layer(inner());
    assert_eq!(status(&service, "/mcp", Some(&good)).await, 200); // cached from here on
    store.be(Health::Frozen);
    checks_hold_nothing(&proxy, &good, &others).await;
}

#[tokio::test]
async fn while_all_permits_are_taken_the_layer_is_ready_and_answers_what_is_its_own() {
    let proxy = Proxy::with(|b| b.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let cached = bearer(&proxy.journey(&client).await);
    let first_seen = bearer(&proxy.journey(&client).await);
    let service = proxy.layer.layer(inner());
    assert_eq!(status(&service, "/mcp", Some(&cached)).await, 200);

    let permits = Arc::new(Semaphore::new(0));
    let mut service = proxy.layer.layer(limited(&permits));
    let mut cx = Context::from_waker(Waker::noop());
    let is_ready = Service::<Ask>::poll_ready(&mut service, &mut cx);
    assert!(matches!(is_ready, Poll::Ready(Ok(()))));
    answers_without_the_service(&service).await;

    // Those that need it wait, and are woken when there is room.
    let waiting = [
        ("/open", None),
        ("/mcp", Some(cached)),
        ("/mcp", Some(first_seen)),
    ];
    let waiting = waiting.map(|(path, token)| {
        let answer = service.call(request(path, token.as_deref()));
        let mut answer = Box::pin(answer);
        assert!(look(&mut answer).is_pending());
        tokio::spawn(answer)
    });
    answers_without_the_service(&service).await;
    permits.add_permits(1);
    for answer in waiting {
        let answer = timeout(SOON, answer).await.expect("woken").unwrap();
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!(permits.available_permits(), 1, "a permit was lost");
}

#[tokio::test]
async fn a_request_that_gives_up_waiting_leaves_no_permit_behind() {
    let proxy = Proxy::with(|b| b.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let permits = Arc::new(Semaphore::new(0));
    // One instance for all requests, as in a server without clones.
    let mut service = proxy.layer.layer(limited(&permits));
    for (path, authorization) in [("/open", None), ("/mcp", Some(&*token))] {
        for _ in 0..2 {
            let mut answer = Box::pin(service.call(request(path, authorization)));
            assert!(look(&mut answer).is_pending());
        }
        // It waits in no queue any more, where this permit would be given to it.
        permits.add_permits(1);
        assert_eq!(permits.available_permits(), 1, "{path}");
        assert_eq!(status(&service, path, authorization).await, 200);
        assert_eq!(permits.available_permits(), 1, "{path}");
        permits.forget_permits(1);
    }
}

/// Never ready.
#[derive(Clone)]
struct Stuck;

impl Service<Ask> for Stuck {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Ask) -> Self::Future {
        panic!("called without being ready");
    }
}

#[tokio::test]
async fn a_service_that_is_never_ready_hides_no_document_and_no_refusal() {
    let proxy = Proxy::with(|b| b.public_paths(["/open"])).await;
    let service: OAuthProxyService<Stuck> = proxy.layer.layer(Stuck);
    answers_without_the_service(&service).await;
    // The whole login is the layer's own.
    let wire = testkit::Wire::new(BASE, service.clone());
    let client = testkit::Client {
        wire,
        ..proxy.client().await
    };
    let token = bearer(&proxy.journey(&client).await);
    for (path, authorization) in [("/open", None), ("/mcp", Some(&*token))] {
        let mut answer = Box::pin(service.clone().oneshot(request(path, authorization)));
        assert!(look(&mut answer).is_pending());
    }
}

#[tokio::test]
async fn load_shed_inside_sheds_what_would_reach_a_busy_service_and_nothing_else() {
    let proxy = Proxy::with(|b| b.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let permits = Arc::new(Semaphore::new(0));
    let service = proxy.layer.layer(LoadShed::new(limited(&permits)));
    answers_without_the_service(&service).await;
    for (path, authorization) in [
        ("/open", None),
        ("/mcp", Some(&*token)), // looked up
        ("/mcp", Some(&*token)), // cached
    ] {
        let answer = service.clone().oneshot(request(path, authorization));
        let error: BoxError = timeout(SOON, answer).await.expect(path).unwrap_err();
        assert!(error.is::<Overloaded>(), "{error}");
    }
    permits.add_permits(1);
    assert_eq!(status(&service, "/mcp", Some(&token)).await, 200);
}

#[tokio::test]
async fn a_rate_limit_inside_counts_only_what_reaches_the_service() {
    let proxy = Proxy::with(|b| b.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let twice = Rate::new(2, Duration::from_secs(3600));
    let service = Buffer::new(RateLimit::new(inner(), twice), 8);
    let service = proxy.layer.layer(service);
    answers_without_the_service(&service).await;
    assert_eq!(status(&service, "/mcp", Some(&token)).await, 200);
    answers_without_the_service(&service).await;
    assert_eq!(status(&service, "/open", None).await, 200);
    answers_without_the_service(&service).await;
    let mut third = Box::pin(service.oneshot(request("/mcp", Some(&token))));
    tokio::task::yield_now().await;
    assert!(look(&mut third).is_pending());
}

#[tokio::test]
async fn what_a_guard_refuses_neither_waits_for_the_service_nor_holds_its_permit() {
    let proxy = Proxy::with(|b| b.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let permits = Arc::new(Semaphore::new(0));
    let guarded: RequireService<Limited> =
        RequireLayer::new(require(|_| false)).layer(limited(&permits));
    // One instance for all requests, as in a server without clones.
    let mut service = proxy.layer.layer(guarded);
    for (path, authorization, status) in [
        ("/open", None, 401),
        ("/mcp", Some(&*token), 403), // looked up
        ("/mcp", Some(&*token), 403), // cached
    ] {
        let answer = timeout(SOON, service.call(request(path, authorization)));
        let answer = answer.await.expect(path).unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    permits.add_permits(1);
    assert_eq!(
        permits.available_permits(),
        1,
        "a refusal stands in the queue"
    );
    // One that is let in is called when there is room.
    let admitted = RequireLayer::new(require(|_| true)).layer(limited(&permits));
    let service = proxy.layer.layer(admitted);
    assert_eq!(status(&service, "/mcp", Some(&token)).await, 200);
}

//! The contract of `tower::Service`: readiness, errors, and who is called at all.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::time::timeout;
use tower::{Layer, Service, ServiceExt, buffer::Buffer, limit::ConcurrencyLimit};

use crate::inside::{Witness, bearer, request};
use testkit::{Proxy, Wire};

const SOON: Duration = Duration::from_secs(10);
const DOCUMENT: &str = "/.well-known/oauth-protected-resource/mcp";

type Answer = Response<Full<Bytes>>;

/// Panics when it is called without having been polled ready. A clone is not ready.
#[derive(Default)]
struct Picky {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Picky {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: self.calls.clone(),
        }
    }
}

impl<B> Service<Request<B>> for Picky {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(self.ready, "called without being ready");
        self.ready = false;
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(Full::default())))
    }
}

#[tokio::test]
async fn the_service_inside_is_polled_ready_before_each_call() {
    let proxy = Proxy::with(|b| b.optional_auth(true).public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let picky = Picky::default();
    let calls = picky.calls.clone();
    // One instance for all requests, as in a server without clones.
    let mut service = proxy.layer.layer(picky);
    let mut expected = 0;
    for (path, authorization, status, inside) in [
        ("/open", None, 200, true),
        ("/mcp", None, 200, true),
        ("/mcp", Some("Bearer x"), 401, false),
        ("/mcp", Some(&*token), 200, true), // looked up
        ("/mcp", Some(&*token), 200, true), // cached
        ("/oauth/token", None, 405, false),
        ("/mcp", Some(&*token), 200, true),
        ("/mcp", Some("Bearer y"), 401, false),
        ("/mcp", Some(&*token), 200, true),
    ] {
        // Readiness of the layer says nothing of the service inside, so it needs not be asked.
        let reply = service.call(request(path, authorization)).await.unwrap();
        assert_eq!(reply.status(), status, "{path} {authorization:?}");
        expected += usize::from(inside);
        assert_eq!(calls.load(Ordering::SeqCst), expected, "{path}");
    }
}

#[tokio::test]
async fn a_concurrency_limit_inside_holds_and_refusals_leak_no_permit() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, seen) = (now.clone(), most.clone());
    let inner = tower::service_fn(move |_: Request<Full<Bytes>>| {
        let (now, most) = (counted.clone(), seen.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(2)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Answer::default())
        }
    });
    let limited = ConcurrencyLimit::new(inner, 2);
    let wire = Wire::new(&*proxy.base, proxy.layer.layer(limited));
    let all = (0..60).map(|n| {
        let (wire, token) = (wire.clone(), token.clone());
        tokio::spawn(async move {
            let (path, authorization, status) = match n % 4 {
                0 => ("/mcp", "Bearer x", 401),
                1 => ("/oauth/token", "", 405),
                _ => ("/mcp", &*token, 200),
            };
            let reply = wire.get(path, &[("authorization", authorization)]).await;
            assert_eq!(reply.status, status, "{path} {authorization}");
        })
    });
    let all: Vec<_> = all.collect();
    for task in all {
        timeout(SOON, task).await.expect("a permit leaked").unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_buffer_inside_is_called_only_with_its_permit() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let witness = Witness::default();
    // Panics when called without a permit; has one only.
    let buffer = Buffer::new(witness.service::<Full<Bytes>>(), 1);
    let mut service = proxy.layer.layer(buffer);
    for (path, authorization, status) in [
        ("/mcp", Some(&*token), 200), // looked up
        ("/mcp", Some(&*token), 200), // cached
        ("/mcp", Some("Bearer x"), 401),
        ("/oauth/token", None, 405),
        ("/mcp", None, 401),
        ("/mcp", Some(&*token), 200),
    ] {
        let reply = timeout(SOON, service.call(request(path, authorization)));
        let reply = reply.await.expect(path).unwrap();
        assert_eq!(reply.status(), status, "{path} {authorization:?}");
    }
    assert_eq!(witness.calls(), 3);
}

/// An error of no common type.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Own {
    Ready,
    Call,
}

#[derive(Clone)]
struct Failing(Own);

impl<B> Service<Request<B>> for Failing {
    type Response = Answer;
    type Error = Own;
    type Future = Ready<Result<Answer, Own>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Own>> {
        Poll::Ready(match self.0 {
            Own::Ready => Err(Own::Ready),
            Own::Call => Ok(()),
        })
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Err(Own::Call))
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_keeps_its_type() {
    let proxy = Proxy::with(|builder| builder.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let service = proxy.layer.layer(Failing(Own::Call));
    for (path, authorization) in [
        ("/open", None),
        ("/mcp", Some(&*token)), // looked up
        ("/mcp", Some(&*token)), // cached
    ] {
        let outcome = service.clone().oneshot(request(path, authorization)).await;
        let error: Own = outcome.unwrap_err();
        assert_eq!(error, Own::Call);
    }
}

#[tokio::test]
async fn an_error_of_readiness_comes_out_of_the_requests_that_need_the_service() {
    let proxy = Proxy::with(|builder| builder.public_paths(["/open"])).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let service = proxy.layer.layer(Failing(Own::Ready));
    for (path, authorization) in [
        ("/open", None),
        ("/mcp", Some(&*token)), // looked up
        ("/mcp", Some(&*token)), // cached
    ] {
        let outcome = service.clone().oneshot(request(path, authorization)).await;
        assert_eq!(outcome.unwrap_err(), Own::Ready, "{path}");
    }
    for (path, authorization, status) in [
        (DOCUMENT, None, 200),
        ("/mcp", None, 401),
        ("/mcp", Some("Bearer x"), 401),
    ] {
        let reply = service.clone().oneshot(request(path, authorization)).await;
        assert_eq!(reply.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn what_is_ours_never_reaches_the_inner_service() {
    let proxy = Proxy::with(|b| b.optional_auth(true)).await;
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let witness = Witness::default();
    let wire = Wire::new(&*proxy.base, proxy.layer.layer(witness.service()));
    for path in [
        "/oauth/register",
        "/oauth/authorize",
        "/oauth/consent",
        "/oauth/callback",
        "/oauth/token",
        "/oauth/revoke",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/other",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "X",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let headers = [("authorization", &*token)];
            let path = format!("{path}?x=y");
            wire.request(method, &path, &headers, "x".into()).await;
            assert_eq!(witness.calls(), 0, "{path}");
        }
    }
    wire.get("/mcp", &[]).await.expect(200);
    assert_eq!(witness.calls(), 1);
}

//! The layer around services of other kinds: axum, hyper, tonic, and one that is picky.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};
use tower_oauth_proxy::{
    AuthSession,
    guard::{RequireLayer, require_role, require_scopes},
};

use testkit::{Pkce, Proxy, Tokens, Wire};

fn with_bearer(path: &str, token: &str) -> Request<Full<Bytes>> {
    Request::get(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn around_an_axum_router_also_over_a_socket() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let who = async |extensions: http::Extensions| {
        let session = AuthSession::from_extensions(&extensions).unwrap();
        session.subject().to_owned()
    };
    let app = axum::Router::new()
        .route("/mcp", axum::routing::any(who))
        .layer(proxy.layer.clone());
    let reply = app
        .clone()
        .oneshot(with_bearer("/mcp", &tokens.access))
        .await
        .unwrap();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "person-1");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let document = reqwest::get(format!("{origin}/.well-known/oauth-authorization-server"))
        .await
        .unwrap();
    assert_eq!(document.status(), 200);
    let refused = reqwest::get(format!("{origin}/mcp")).await.unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn around_a_hyper_service() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let inner = tower::service_fn(async |request: Request<hyper::body::Incoming>| {
        let known = AuthSession::from_extensions(request.extensions()).is_some();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(known.to_string()))))
    });
    let service = hyper_util::service::TowerToHyperService::new(proxy.layer.layer(inner));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let io = hyper_util::rt::TokioIo::new(stream);
            let serving =
                hyper::server::conn::http1::Builder::new().serve_connection(io, service.clone());
            tokio::spawn(serving);
        }
    });
    let answer = reqwest::Client::new()
        .get(format!("{origin}/mcp"))
        .header("authorization", format!("Bearer {}", tokens.access))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "true");
}

/// Fails with an error of its own, and counts how it was treated.
#[derive(Clone)]
struct Picky {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

#[derive(Debug, PartialEq)]
struct OwnError;

impl Service<Request<Full<Bytes>>> for Picky {
    type Response = Response<Full<Bytes>>;
    type Error = OwnError;
    type Future = std::future::Ready<Result<Self::Response, OwnError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OwnError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err(OwnError))
    }
}

#[tokio::test]
async fn the_inner_service_is_called_when_ready_and_its_error_is_its_own() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let picky = Picky {
        ready: false,
        calls: calls.clone(),
    };
    let mut service = proxy.layer.layer(picky);
    for expected in 1..=3 {
        let service = service.ready().await.unwrap();
        let error = service
            .call(with_bearer("/mcp", &tokens.access))
            .await
            .err();
        assert_eq!(error, Some(OwnError));
        assert_eq!(calls.load(Ordering::SeqCst), expected);
    }
    let document = Request::get("/.well-known/oauth-authorization-server");
    let document = document.body(Full::default()).unwrap();
    assert!(service.ready().await.unwrap().call(document).await.is_ok());
    let refused = Request::get("/mcp").body(Full::default()).unwrap();
    assert!(service.ready().await.unwrap().call(refused).await.is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 3, "not reached");
}

/// Two events, the second of which waits until the first was read.
struct Events {
    sent: usize,
    gate: tokio::sync::mpsc::UnboundedReceiver<()>,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.sent == 2 {
            return Poll::Ready(None);
        }
        if self.sent == 1 {
            std::task::ready!(self.gate.poll_recv(context));
        }
        self.sent += 1;
        let event = format!("data: {}\n\n", self.sent);
        Poll::Ready(Some(Ok(Frame::data(event.into()))))
    }
}

#[tokio::test]
async fn a_stream_of_events_passes_as_it_comes() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let (open, gate) = tokio::sync::mpsc::unbounded_channel();
    let gate = Arc::new(std::sync::Mutex::new(Some(gate)));
    let inner = tower::service_fn(move |_: Request<Full<Bytes>>| {
        let gate = gate.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(Response::new(Events { sent: 0, gate })) }
    });
    let service = proxy.layer.layer(inner);
    let response = service
        .oneshot(with_bearer("/mcp", &tokens.access))
        .await
        .unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "data: 1\n\n");
    open.send(()).unwrap();
    let second = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(second, "data: 2\n\n");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn around_a_tonic_server() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let routes = tonic::service::Routes::default().prepare();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = tonic::transport::Server::builder()
        .accept_http1(true)
        .layer(proxy.layer.clone())
        .add_routes(routes)
        .serve(address);
    tokio::spawn(server);
    let http = reqwest::Client::new();
    let url = format!("http://{address}/mcp/Call");
    let mut refused = None;
    for _ in 0..50 {
        match http.post(&url).send().await {
            Ok(answer) => {
                refused = Some(answer.status());
                break;
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    assert_eq!(refused.unwrap(), 401);
    let bearer = format!("Bearer {}", tokens.access);
    let answer = http
        .post(&url)
        .header("authorization", bearer)
        .send()
        .await
        .unwrap();
    // tonic's own answer to a method that it does not know.
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["grpc-status"], "12");
}

#[tokio::test]
async fn a_guard_on_routes_answers_403_with_all_scopes_or_401_without_a_session() {
    let proxy = Proxy::with(|builder| builder.optional_auth(true)).await;
    let guard = RequireLayer::new(require_scopes(["read", "write"]).unwrap());
    let inner = tower::service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("in"))))
    });
    let service = proxy.layer.layer(guard.layer(inner));
    let guarded = Wire::new(proxy.wire.origin.clone(), service);

    let reply = guarded.get("/mcp", &[]).await.expect(401);
    assert!(
        reply
            .header("www-authenticate")
            .unwrap()
            .contains("resource_metadata=")
    );

    let mut client = proxy.client().await;
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").with("scope", "read").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let less = Tokens::read(&client.redeem(&callback, &pkce).await);
    let whole = proxy.journey(&client).await;
    client.wire = guarded;
    let reply = client.call("/mcp", &less.access).await.expect(403);
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"read write\""), "{challenge}");
    client.call("/mcp", &whole.access).await.expect(200);
}

#[tokio::test]
async fn a_role_that_is_missing_is_403() {
    let proxy = Proxy::start().await;
    let guard = RequireLayer::new(require_role("admin"));
    let inner = tower::service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("in"))))
    });
    let mut client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    client.wire = Wire::new(
        proxy.wire.origin.clone(),
        proxy.layer.layer(guard.layer(inner)),
    );
    client.call("/mcp", &tokens.access).await.expect(403);
}

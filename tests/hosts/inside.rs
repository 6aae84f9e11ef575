//! Sockets, bodies and services that the tests of this crate share.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};
use tower::ServiceExt;
use tower_oauth_proxy::{AuthSession, OAuthProxyConfigBuilder};

use testkit::{Proxy, Tokens, Wire};

/// A proxy whose base URL is a port that listens. Its `wire` goes through that port, so somebody has
/// to serve `proxy.layer` there.
pub(crate) async fn bind(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> (Proxy, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut proxy = Proxy::at(&base, change).await;
    proxy.wire = socket(&base);
    (proxy, listener)
}

/// Real HTTP to an origin.
fn socket(origin: &str) -> Wire {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let prefix = origin.to_owned();
    let forward = move |request: Request<Full<Bytes>>| {
        let (http, prefix) = (http.clone(), prefix.clone());
        async move {
            let (mut parts, body) = request.into_parts();
            parts.uri = format!("{prefix}{}", parts.uri).parse().unwrap();
            let body = http_body_util::BodyExt::collect(body).await.unwrap();
            let request = Request::from_parts(parts, body.to_bytes());
            let response = http.execute(request.try_into().unwrap()).await?;
            Ok::<Response<reqwest::Body>, reqwest::Error>(response.into())
        }
    };
    Wire::new(origin, tower::service_fn(forward))
}

/// Who is calling, as a service inside sees it.
pub(crate) fn who(extensions: &Extensions) -> Value {
    let session = AuthSession::from_extensions(extensions);
    json!({ "subject": session.map(AuthSession::subject), "inside": true })
}

/// What every host has to do: show the documents, challenge, and let the whole journey through.
pub(crate) async fn serves_the_whole_journey(proxy: &Proxy) -> Tokens {
    let document = "/.well-known/oauth-protected-resource/mcp";
    let document = proxy.wire.get(document, &[]).await.expect(200).json();
    assert_eq!(document["resource"], format!("{}/mcp", proxy.base));
    let metadata = "/.well-known/oauth-authorization-server";
    let metadata = proxy.wire.get(metadata, &[]).await.expect(200).json();
    assert_eq!(metadata["issuer"], proxy.base);

    let reply = proxy.wire.get("/mcp", &[]).await.expect(401);
    let challenge = reply.header("www-authenticate").unwrap();
    let expected = format!(
        "resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"",
        proxy.base
    );
    assert!(challenge.contains(&expected), "{reply:?}");
    assert!(!reply.text().contains("inside"), "{reply:?}");

    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let renewed = client.refresh(tokens.refresh()).await;
    Tokens::read(&renewed)
}

/// Bearer header of a token.
pub(crate) fn bearer(tokens: &Tokens) -> String {
    format!("Bearer {}", tokens.access)
}

/// A body that says what it is sent, without a known length, until the sender is dropped.
pub(crate) struct Frames(mpsc::Receiver<Result<Bytes, &'static str>>);

impl Frames {
    pub(crate) fn new() -> (mpsc::Sender<Result<Bytes, &'static str>>, Self) {
        let (sender, receiver) = mpsc::channel(1);
        (sender, Self(receiver))
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = std::task::ready!(self.0.poll_recv(cx));
        Poll::Ready(frame.map(|frame| frame.map(Frame::data)))
    }
}

/// A service that remembers whom it saw.
#[derive(Clone, Default)]
pub(crate) struct Witness {
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) last: Arc<Mutex<Option<AuthSession>>>,
    pub(crate) authorization: Arc<Mutex<Option<String>>>,
}

impl Witness {
    /// The service.
    pub(crate) fn service<B: Send + 'static>(
        &self,
    ) -> impl tower::Service<
        Request<B>,
        Response = Response<Full<Bytes>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + use<B> {
        let witness = self.clone();
        tower::service_fn(move |request: Request<B>| {
            witness.calls.fetch_add(1, Ordering::SeqCst);
            let session = AuthSession::from_extensions(request.extensions());
            *witness.last.lock().unwrap() = session.cloned();
            let header = request.headers().get("authorization");
            let header = header.map(|value| value.to_str().unwrap().to_owned());
            *witness.authorization.lock().unwrap() = header;
            std::future::ready(Ok(Response::new(Full::from("inside"))))
        })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The session of the last request.
    pub(crate) fn session(&self) -> Option<AuthSession> {
        self.last.lock().unwrap().clone()
    }
}

/// A request without a body.
pub(crate) fn request(path: &str, authorization: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Full::default()).unwrap()
}

/// A real session of a fresh login, as a handler could hand it on.
pub(crate) async fn real_session(proxy: &Proxy) -> (AuthSession, String) {
    let client = proxy.client().await;
    let token = bearer(&proxy.journey(&client).await);
    let witness = Witness::default();
    let service = tower::Layer::layer(&proxy.layer, witness.service());
    let response = service.oneshot(request("/mcp", Some(&token))).await;
    assert_eq!(response.unwrap().status(), 200);
    (witness.session().expect("a session"), token)
}

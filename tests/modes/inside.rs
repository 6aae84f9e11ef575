//! What the tests of this crate share.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use tower::Layer;
use tower_oauth_proxy::{AuthSession, TokenStorage, storage::StorageFuture};

use testkit::{
    Browser, Client, Landing, Pkce, Proxy, Tokens, Wire,
    meddler::{Meddled, Meddler},
    wire::query_param,
};

/// The whole session that the service inside sees with this token.
pub(crate) async fn session(proxy: &Proxy, token: &str) -> AuthSession {
    let seen = Arc::new(Mutex::new(None));
    let keep = seen.clone();
    let inner = tower::service_fn(move |request: Request<Full<_>>| {
        let session = AuthSession::from_extensions(request.extensions());
        *keep.lock().unwrap() = session.cloned();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::default())))
    });
    let wire = Wire::new(&*proxy.base, proxy.layer.layer(inner));
    let bearer = format!("Bearer {token}");
    wire.get(&proxy.path("/mcp"), &[("authorization", &bearer)])
        .await
        .expect(200);
    let session = seen.lock().unwrap().take();
    session.expect("a session")
}

/// The claims of one of our access tokens.
pub(crate) fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&B64.decode(payload).unwrap()).unwrap()
}

/// A login with another authorization request.
pub(crate) async fn tokens_of(proxy: &Proxy, client: &Client, changes: &[(&str, &str)]) -> Tokens {
    let pkce = Pkce::new();
    let asked = client.authorize(&pkce, "s");
    let asked = changes
        .iter()
        .fold(asked, |asked, (name, value)| asked.with(name, value));
    let callback = proxy.approve(&mut proxy.browser(), &asked.url()).await;
    let callback = callback.left();
    assert_eq!(query_param(&callback, "error"), None, "{callback}");
    Tokens::read(&client.redeem(&callback, &pkce).await)
}

/// The OAuth error that a login ends with at the client, and its words without the login's ID.
pub(crate) async fn failed_login(proxy: &Proxy) -> (String, String) {
    let client = proxy.client().await;
    let url = client.authorize(&Pkce::new(), "s").url();
    let back = proxy.approve(&mut proxy.browser(), &url).await.left();
    assert_eq!(query_param(&back, "code"), None, "{back}");
    let read = |name| query_param(&back, name).unwrap_or_default();
    let words = read("error_description");
    let (words, id) = words.split_once(" (ID ").expect("the login's ID");
    let id = Some(id.trim_end_matches(')'));
    let events = proxy.events();
    let mut refusals = events.iter().filter(|event| event.reason.is_some());
    assert!(refusals.any(|event| event.login.as_deref() == id), "{back}");
    (read("error"), words.to_owned())
}

/// A login that stops with the provider's redirect, not yet followed: browser and callback URL.
pub(crate) async fn before_callback(
    proxy: &Proxy,
    client: &Client,
    pkce: &Pkce,
) -> (Browser, String) {
    let mut browser = proxy.browser();
    let url = client.authorize(pkce, "client-state").url();
    browser.open(&url).await.page();
    let show = testkit::AuthorizeAnswer::Show;
    proxy.provider.next_authorize(show);
    let at_provider = match browser.press("approve").await {
        Landing::Page(page) => page.url,
        Landing::Left(url) => panic!("went on to {url}"),
    };
    let reply = proxy.browser().open_once(&at_provider).await;
    (browser, reply.location().to_owned())
}

/// A store behind a network, as an operator writes one: others get a turn before each verb. Clones
/// are the same store.
pub(crate) fn remote(storage: impl TokenStorage) -> Meddled<Remote> {
    Meddled(Remote(Arc::new(storage)))
}

#[derive(Clone)]
pub(crate) struct Remote(Arc<dyn TokenStorage>);

impl Meddler for Remote {
    fn store(&self) -> &dyn TokenStorage {
        &*self.0
    }

    fn any<'a, T: Send + 'a>(&'a self, work: StorageFuture<'a, T>) -> StorageFuture<'a, T> {
        Box::pin(async {
            tokio::task::yield_now().await;
            work.await
        })
    }
}

//! What several attacks need.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Barrier;
use tower::Layer;
use tower_oauth_proxy::AuthSession;

use testkit::{
    AuthorizeAnswer, Browser, Client, Pkce, Proxy, Reply, Store, Wire, wire::query_param,
};

/// Two instances of one deployment: one store, one clock, one provider.
pub(crate) async fn two_instances() -> (Proxy, Proxy, Store) {
    let (first, store) = Proxy::with_store(|builder| builder).await;
    let second = first.sibling(|builder| builder.token_storage(store.clone()));
    (first, second, store)
}

/// The same client, speaking to another instance.
pub(crate) fn at(client: &Client, instance: &Proxy) -> Client {
    Client {
        wire: instance.wire.clone(),
        ..client.clone()
    }
}

/// Runs this many tasks that all start at the same moment; their results in order.
pub(crate) async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|turn| {
            let (barrier, work) = (barrier.clone(), task(turn));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.expect("a task panicked"));
    }
    results
}

/// How many replies have this status.
pub(crate) fn count(replies: &[Reply], status: u16) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status)
        .count()
}

/// A path of the proxy behind which a service answers with the provider's access token: what a
/// handler would use, and no client ever sees.
pub(crate) fn handlers_view(proxy: &Proxy) -> Wire {
    let inner = tower::service_fn(async |request: Request<Full<Bytes>>| {
        let session = AuthSession::from_extensions(request.extensions()).expect("a session");
        let token = session.upstream().access_token().to_owned();
        Ok::<_, Infallible>(Response::new(Full::from(token)))
    });
    Wire::new(proxy.wire.origin.clone(), proxy.layer.layer(inner))
}

/// The provider's access token as a handler sees it.
pub(crate) async fn upstream_token(proxy: &Proxy, access_token: &str) -> String {
    let bearer = format!("Bearer {access_token}");
    let reply = handlers_view(proxy)
        .get(&proxy.path("/mcp"), &[("authorization", &bearer)])
        .await;
    reply.expect(200).text()
}

/// Approves, and stops where the provider sends the browser: the callback URL, not yet opened.
pub(crate) async fn before_callback(proxy: &Proxy, client: &Client) -> (Browser, String, Pkce) {
    let (mut browser, pkce) = (proxy.browser(), Pkce::new());
    let url = client.authorize(&pkce, "client-state").url();
    browser.open(&url).await.page();
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    browser.press("approve").await.page();
    let at_provider = browser.page().url.clone();
    let reply = proxy.browser().open_once(&at_provider).await;
    (browser, reply.location().to_owned(), pkce)
}

/// A code that was not redeemed yet.
pub(crate) async fn code(proxy: &Proxy, client: &Client) -> (String, Pkce) {
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), client, &pkce).await;
    (query_param(&callback, "code").unwrap(), pkce)
}

/// Waits until the provider has seen this many token requests of a kind.
pub(crate) async fn provider_saw(proxy: &Proxy, grant_type: &str, count: usize) {
    let start = std::time::Instant::now();
    while proxy.provider.count_grant(grant_type) < count {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the provider was never asked"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

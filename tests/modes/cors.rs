//! Browser clients on protected paths.

use std::convert::Infallible;

use http::{Method, Response};
use http_body_util::Full;
use tower::Layer;
use tower_oauth_proxy::OAuthProxyConfigBuilder;

use testkit::{Proxy, Reply, Wire, proxy::INSIDE, store::Health};

const FROM: (&str, &str) = ("origin", "https://inspector.example");
const ASKS: (&str, &str) = ("access-control-request-method", "POST");

fn allowed(reply: &Reply) -> Option<&str> {
    reply.header("access-control-allow-origin")
}

fn is_readable(reply: &Reply) {
    assert_eq!(allowed(reply), Some("*"), "{reply:?}");
    let exposed = reply.header("access-control-expose-headers").unwrap();
    let exposed = exposed.to_lowercase();
    for header in ["www-authenticate", "mcp-session-id"] {
        assert!(exposed.contains(header), "{reply:?}");
    }
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn every_answer_on_a_protected_path_is_readable_refusals_included() {
    let change =
        |b: OAuthProxyConfigBuilder| b.cors_on_protected_paths(true).required_scopes(["write"]);
    let (proxy, store) = Proxy::with_store(change).await;
    let client = proxy.client().await;
    let good = proxy.journey(&client).await;
    let narrow = crate::inside::tokens_of(&proxy, &client, &[("scope", "read")]).await;
    for (token, status) in [
        ("", 401),
        ("x", 401),
        (&*narrow.access, 403),
        (&*good.access, 200), // looked up
        (&*good.access, 200), // cached
    ] {
        let bearer = format!("Bearer {token}");
        let headers = [FROM, ("authorization", &bearer)];
        let headers = if token.is_empty() {
            &headers[..1]
        } else {
            &headers
        };
        let reply = proxy.wire.get("/mcp", headers).await.expect(status);
        is_readable(&reply);
    }
    // Nothing is remembered any more, and the store is down.
    proxy.clock.advance_secs(10);
    store.be(Health::Down);
    let reply = client.call("/mcp", &good.access).await.expect(503);
    is_readable(&reply);
}

#[tokio::test]
async fn a_preflight_is_an_options_request_that_says_so_and_nothing_else_passes_as_one() {
    let proxy = Proxy::with(|b| b.cors_on_protected_paths(true).public_paths(["/open"])).await;
    let ask = async |method, path, headers: &[_]| {
        proxy.wire.request(method, path, headers, "".into()).await
    };
    let preflight = ask(Method::OPTIONS, "/mcp", &[FROM, ASKS]).await;
    assert!(preflight.status.is_success());
    assert_eq!(preflight.header(INSIDE), None, "the service is not asked");
    let methods = preflight.header("access-control-allow-methods").unwrap();
    for method in ["GET", "POST", "DELETE"] {
        assert!(methods.contains(method), "{methods}");
    }
    for headers in [&[FROM][..], &[ASKS], &[]] {
        let reply = ask(Method::OPTIONS, "/mcp", headers).await.expect(401);
        assert_eq!(reply.header(INSIDE), None);
    }
    for method in [Method::GET, Method::POST, Method::HEAD] {
        ask(method, "/mcp", &[FROM, ASKS]).await.expect(401);
    }
    // A public path is the service's own business.
    let open = ask(Method::OPTIONS, "/open", &[FROM, ASKS]).await;
    assert_eq!(open.expect(200).header(INSIDE), Some("yes"));
}

#[tokio::test]
async fn by_default_the_layer_says_nothing_about_origins_on_protected_paths() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let bearer = format!("Bearer {}", tokens.access);
    let good = [FROM, ("authorization", &bearer)];
    for (method, headers, status) in [
        (Method::OPTIONS, &[FROM, ASKS], 401),
        (Method::GET, &[FROM, ("authorization", "Bearer x")], 401),
        (Method::GET, &good, 200),
        (Method::GET, &good, 200),
    ] {
        let reply = proxy.wire.request(method, "/mcp", headers, "".into()).await;
        assert_eq!(reply.status, status);
        assert_eq!(allowed(&reply), None, "{reply:?}");
    }
}

#[tokio::test]
async fn what_the_service_itself_says_about_origins_stands() {
    let proxy = Proxy::with(|b| b.cors_on_protected_paths(true)).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let inner = tower::service_fn(async |_| {
        let response = Response::builder()
            .header("access-control-allow-origin", "https://only.example")
            .header("access-control-expose-headers", "x-own");
        Ok::<_, Infallible>(response.body(Full::default()).unwrap())
    });
    let wire = Wire::new(&*proxy.base, proxy.layer.layer(inner));
    let bearer = format!("Bearer {}", tokens.access);
    for _ in 0..2 {
        let reply = wire.get("/mcp", &[FROM, ("authorization", &bearer)]).await;
        assert_eq!(allowed(&reply), Some("https://only.example"));
        let exposed = reply.header("access-control-expose-headers");
        assert_eq!(exposed, Some("x-own"));
    }
}

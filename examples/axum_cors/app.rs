//! The service, with its layers in their order.

use axum::{
    Extension, Json, Router,
    http::{HeaderName, Method, header},
    routing::{any, get},
};
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};
use tower_oauth_proxy::{AuthSession, ConfigError, OAuthProxyConfig, OAuthProxyLayer, Provider};

/// What stands at `{base_url}/mcp`. The base URL may have a path, which requests arrive with.
pub(crate) fn app(base_url: &str, upstream: Provider) -> Result<Router, ConfigError> {
    let host_and_path = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    let below = host_and_path
        .find('/')
        .map_or("", |at| host_and_path.split_at(at).1);
    let config = OAuthProxyConfig::builder(upstream, base_url)
        .scopes(["openid", "profile"])
        // Compared exactly, with the path of the base URL.
        .public_paths([format!("{below}/health")])
        .build()?;

    let routes = Router::new()
        .route("/mcp", any(who_am_i))
        .route("/health", get(async || "ok\n"));
    let routes = match below {
        "" => routes,
        below => Router::new().nest(below, routes),
    };
    // The last layer is the outermost. Ours stands around the router and not inside `nest`: the documents under
    // `/.well-known` are at the root of the host. Other origins are let in around it, for refusals and preflights too.
    Ok(routes.layer(OAuthProxyLayer::new(config)).layer(cors()))
}

/// Browser clients of any origin may call, without cookies. **Never add `allow_credentials`**: together with an origin
/// that is echoed it would let a page on a neighbouring subdomain act with the cookies of this host.
///
/// Where no other part of your app needs this, `cors_on_protected_paths(true)` does it without a layer.
fn cors() -> CorsLayer {
    let of_mcp = [
        "mcp-protocol-version",
        "mcp-session-id",
        "mcp-method",
        "mcp-name",
        "last-event-id",
    ];
    let sent = of_mcp.map(HeaderName::from_static).into_iter();
    let sent: Vec<HeaderName> = sent
        .chain([header::AUTHORIZATION, header::CONTENT_TYPE])
        .collect();
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(sent)
        // Without the challenge a page cannot find out where to log in.
        .expose_headers([
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("mcp-session-id"),
        ])
}

async fn who_am_i(Extension(session): Extension<AuthSession>) -> Json<Value> {
    Json(json!({ "subject": session.subject(), "client": session.client_id() }))
}

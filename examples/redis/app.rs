//! The instances, and what stands before them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Extension, Json, Router, extract::Request, routing::any};
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_oauth_proxy::{
    AuthSession, ConfigError, OAuthProxyAdmin, OAuthProxyConfig, OAuthProxyLayer, Provider,
    SecretKey, storage::RedisStorage,
};

/// Two instances in one process. On two hosts, each would be a process with the same arguments.
pub(crate) async fn two_instances(
    base_url: &str,
    redis_url: &str,
    secret: &SecretKey,
    upstream: &Provider,
) -> Result<(Router, [OAuthProxyAdmin; 2]), ConfigError> {
    let instance = async |name| instance(name, base_url, redis_url, secret, upstream).await;
    let ((one, first), (two, second)) = (instance("one").await?, instance("two").await?);
    Ok((in_turn([one, two]), [first, second]))
}

async fn instance(
    name: &'static str,
    base_url: &str,
    redis_url: &str,
    secret: &SecretKey,
    upstream: &Provider,
) -> Result<(Router, OAuthProxyAdmin), ConfigError> {
    let config = OAuthProxyConfig::builder(upstream.clone(), base_url)
        .secret_key(secret.clone())
        .scopes(["openid", "profile"])
        .token_storage(RedisStorage::connect(redis_url).await?)
        .instance_name(name)
        .build()?;
    let who_am_i = async move |Extension(session): Extension<AuthSession>| -> Json<Value> {
        Json(json!({ "instance": name, "subject": session.subject() }))
    };
    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new().route("/mcp", any(who_am_i)).layer(layer);
    Ok((app, admin))
}

/// A balancer in a few lines: each request goes to the next instance.
fn in_turn(instances: [Router; 2]) -> Router {
    let instances = Arc::new(instances);
    let turn = Arc::new(AtomicUsize::new(0));
    Router::new().fallback(async move |request: Request| {
        let [one, two] = &*instances;
        let next = match turn.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => one,
            _ => two,
        };
        next.clone().oneshot(request).await
    })
}

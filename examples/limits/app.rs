//! Three kinds of limits, from the outside in: by address before what browsers open, for all together in the layer,
//! and for the service around the service.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    BoxError, Extension, Json, Router,
    error_handling::HandleErrorLayer,
    extract::ConnectInfo,
    http::{HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, any_service},
};
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower_governor::{
    GovernorError, GovernorLayer, governor::GovernorConfigBuilder, key_extractor::KeyExtractor,
};
use tower_oauth_proxy::{AuthSession, OAuthProxyConfig, OAuthProxyLayer, Provider};

/// Paths that a person's browser opens, so that an address is a person, or an office.
const OF_BROWSERS: [&str; 3] = ["/oauth/authorize", "/oauth/consent", "/oauth/callback"];

/// So many from one address at once, and then one each two seconds.
pub(crate) const OF_ONE_ADDRESS: u32 = 30;
const ANOTHER_AFTER: Duration = Duration::from_secs(2);

/// Requests that the service works on at once.
const AT_WORK: usize = 64;

pub(crate) fn app(base_url: &str, upstream: Provider) -> Result<Router, Box<dyn Error>> {
    let config = OAuthProxyConfig::builder(upstream, base_url)
        .scopes(["openid", "profile"])
        .registrations_per_minute(60)
        .logins_per_minute(120)
        .callbacks_at_once(200)
        .token_requests_per_minute(30)
        .build()?;

    // Inside the layer: only requests with a session take a place. One that finds none hears so at once.
    let busy = HandleErrorLayer::new(busy);
    let service = ServiceBuilder::new().layer(busy).load_shed();
    let service = service.concurrency_limit(AT_WORK);
    let protected = Router::new()
        .route("/mcp", any(who_am_i))
        .layer(service)
        .layer(OAuthProxyLayer::new(config));

    // Outside the layer, and before these paths alone. Hosted clients call `/mcp`, `/oauth/token` and
    // `/oauth/register` from a few addresses for all of their users.
    let by_address = GovernorConfigBuilder::default()
        .key_extractor(Network)
        .period(ANOTHER_AFTER)
        .burst_size(OF_ONE_ADDRESS)
        .finish()
        .ok_or("a limit of zero")?;
    let known = by_address.limiter().clone();
    tokio::spawn(async move {
        let mut minute = tokio::time::interval(Duration::from_secs(60));
        loop {
            minute.tick().await;
            // Else it would keep every address that ever came.
            known.retain_recent();
        }
    });
    let browsers = protected.clone().layer(GovernorLayer::new(by_address));
    let front = OF_BROWSERS.into_iter().fold(Router::new(), |front, path| {
        front.route(path, any_service(browsers.clone()))
    });
    Ok(front.fallback_service(protected))
}

async fn who_am_i(Extension(session): Extension<AuthSession>) -> Json<Value> {
    Json(json!({ "subject": session.subject() }))
}

/// Load shedding has no other error.
async fn busy(_: BoxError) -> Response {
    let later = (header::RETRY_AFTER, HeaderValue::from_static("1"));
    (StatusCode::SERVICE_UNAVAILABLE, [later], "busy\n").into_response()
}

/// Whose requests are counted together: an IPv4 address, or the network of an IPv6 one, of which a customer has at
/// least 2^64.
///
/// It is the peer's. Behind a reverse proxy that is the proxy's, for everybody: have the proxy count, or take the
/// address from a header that your proxy sets anew for each request.
#[derive(Debug, Clone, Copy)]
struct Network;

impl KeyExtractor for Network {
    type Key = u64;

    fn extract<B>(&self, request: &Request<B>) -> Result<u64, GovernorError> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(peer) = peer.ok_or(GovernorError::UnableToExtractKey)?;
        Ok(match peer.ip().to_canonical() {
            IpAddr::V4(address) => u64::from(u32::from(address)),
            // The upper half. Its first bits are never those of an IPv4 address: `::/32` is no customer's.
            IpAddr::V6(address) => (u128::from(address) >> 64) as u64,
        })
    }
}

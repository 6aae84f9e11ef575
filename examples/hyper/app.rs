//! The service, the layer around it, and the loop that serves both.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use serde_json::json;
use tokio::net::TcpListener;
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, ConfigError, OAuthProxyConfig, OAuthProxyLayer, Provider, guard::require_role,
};

/// How long a connection may take for the header of a request. A loop for the open internet bounds more:
/// `examples/support/serve.rs`.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// Serves HTTP/1 and HTTP/2 until the process ends.
pub(crate) async fn serve(
    listener: TcpListener,
    base_url: &str,
    upstream: Provider,
) -> Result<(), ConfigError> {
    let config = OAuthProxyConfig::builder(upstream, base_url)
        .scopes(["openid", "profile"])
        .build()?;
    let service = OAuthProxyLayer::new(config).layer(tower::service_fn(answer));
    loop {
        // Mostly: no file descriptor is left. Those who are there go on.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            let timer = TokioTimer::new();
            server.http1().timer(timer).header_read_timeout(HEADER_TIME);
            // A client that is gone is no error of ours.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Who comes this far has a session: the layer refused all others, for every path.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let session = AuthSession::from_extensions(request.extensions());
    let (status, body) = match (request.uri().path(), session) {
        ("/mcp", Some(session)) => (StatusCode::OK, json!({ "subject": session.subject() })),
        // A rule of the application, asked by hand: there is no router to put a `RequireLayer` on.
        ("/admin", session) if require_role("admin").check(session).is_err() => {
            (StatusCode::FORBIDDEN, json!({ "error": "for admins only" }))
        }
        ("/admin", _) => (StatusCode::OK, json!({ "people": 2 })),
        _ => (
            StatusCode::NOT_FOUND,
            json!({ "error": "there is nothing here" }),
        ),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

//! The pages of the admin listener.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower_oauth_proxy::OAuthProxyHandle;

use super::readiness::Readiness;
use crate::{forward::Forward, identity::Identity, limits, shutdown::Phases};

/// What the pages show. Clones are the same.
#[derive(Clone)]
pub(crate) struct Admin {
    readiness: Readiness,
    numbers: PrometheusHandle,
    /// That the server behind verifies by who is calling.
    key_set: Option<Arc<str>>,
}

/// From the start of a connection to its end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The exporter keeps each time that was measured until it is read, or until this.
const UPKEEP: Duration = Duration::from_secs(5);

impl Admin {
    pub(crate) fn new(
        handle: OAuthProxyHandle,
        forward: Forward,
        numbers: PrometheusHandle,
        phases: Phases,
        identity: &Identity,
    ) -> Self {
        let readiness = Readiness {
            handle,
            forward,
            phases,
        };
        Self {
            readiness,
            numbers,
            key_set: identity.key_set().map(Into::into),
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new());
            let allowed = HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(header::ALLOW, allowed);
            return answer;
        }
        match request.uri().path() {
            // The process runs and answers: nothing else, or a store that is down would have it restarted.
            "/healthz" => page(StatusCode::OK, "text/plain", "ok\n".to_owned()),
            "/readyz" => {
                let (is_ready, told) = self.readiness.look().await;
                let status = match is_ready {
                    true => StatusCode::OK,
                    false => StatusCode::SERVICE_UNAVAILABLE,
                };
                page(status, "application/json", format!("{told:#}\n"))
            }
            "/metrics" => {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                page(StatusCode::OK, kind, self.numbers.render())
            }
            "/identity/jwks" if self.key_set.is_some() => {
                let keys = self.key_set.as_deref().unwrap_or_default().to_owned();
                page(StatusCode::OK, "application/json", keys)
            }
            _ => page(
                StatusCode::NOT_FOUND,
                "text/plain",
                "not found\n".to_owned(),
            ),
        }
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Serves the pages for as long as it is polled: through the end of the gateway too, for it is then that readiness says
/// no.
pub(crate) async fn serve_admin(listener: TcpListener, admin: Admin) {
    let places = Arc::new(Semaphore::new(limits::ADMIN_CONNECTIONS));
    let mut upkeep = tokio::time::interval(UPKEEP);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = upkeep.tick() => {
                admin.numbers.run_upkeep();
                continue;
            }
        };
        let Ok((stream, _)) = accepted else {
            sleep(limits::PAUSE).await;
            continue;
        };
        // Those that find no place are closed: a probe asks again.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let admin = admin.clone();
        tokio::spawn(async move {
            let _held = place;
            let service = service_fn(move |request| {
                let admin = admin.clone();
                async move { Ok::<_, Infallible>(admin.answer(request).await) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).keep_alive(false);
            let serving = server.serve_connection(TokioIo::new(stream), service);
            let _ = timeout(PATIENCE, serving).await;
        });
    }
}

/// Opens the admin listener.
///
/// # Errors
///
/// A sentence that names the address.
pub(crate) async fn open_admin(address: SocketAddr) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("cannot listen at {address} for the operator: {error}"))
}

//! Stands before the kit's provider: knows which process asks, keeps what it was answered, and can
//! kill it in the middle.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{Router, body::Body, extract::State};
use http::{Request, Response, StatusCode};
use serde_json::Value;

use testkit::{Provider, Wire};

/// One request of a process to the provider.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) incarnation: u32,
    pub(crate) path: String,
    pub(crate) params: HashMap<String, String>,
    /// When the provider had done its work; `None` while it has not.
    pub(crate) worked: Option<Instant>,
    pub(crate) status: u16,
    pub(crate) answer: Value,
}

impl Exchange {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    pub(crate) fn is(&self, grant_type: &str) -> bool {
        self.path == "/token" && self.param("grant_type") == Some(grant_type)
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It has arrived; nothing is done.
    Before,
    /// The provider has done its work; the answer is not sent.
    After,
}

/// Whether the request goes on.
type Waiting = Pin<Box<dyn Future<Output = bool> + Send>>;
type Hook = Arc<dyn Fn(Moment, &Exchange) -> Waiting + Send + Sync>;

/// The provider, as the processes see it.
#[derive(Clone)]
pub(crate) struct Front {
    origin: String,
    provider: Arc<Provider>,
    wire: Wire,
    log: Arc<Mutex<Vec<Exchange>>>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Front {
    pub(crate) async fn start(provider: Arc<Provider>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            wire: provider.wire(),
            provider,
            log: Arc::default(),
            hook: Arc::default(),
        };
        let app = Router::new().fallback(serve).with_state(front.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        front
    }

    /// What a process is told of the provider.
    pub(crate) fn environment(&self, incarnation: u32) -> Vec<(&'static str, String)> {
        let settings = self.provider.settings();
        let url = |path: &str| format!("{}/{incarnation}{path}", self.origin);
        vec![
            ("UPSTREAM_AUTHORIZE_URL", self.provider.url("/authorize")),
            ("UPSTREAM_TOKEN_URL", url("/token")),
            ("UPSTREAM_REVOCATION_URL", url("/revoke")),
            ("UPSTREAM_USERINFO_URL", url("/userinfo")),
            ("UPSTREAM_CLIENT_ID", settings.client_id),
            ("UPSTREAM_CLIENT_SECRET", settings.client_secret),
        ]
    }

    /// Called at both moments of each request, and waited for; whatever is not let go on is lost.
    pub(crate) fn at_each<F>(&self, hook: impl Fn(Moment, &Exchange) -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let hook =
            move |moment, exchange: &Exchange| -> Waiting { Box::pin(hook(moment, exchange)) };
        *self.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    pub(crate) fn no_more(&self) {
        *self.hook.lock().unwrap() = None;
    }

    pub(crate) fn log(&self) -> Vec<Exchange> {
        self.log.lock().unwrap().clone()
    }

    /// Requests of this grant type so far.
    pub(crate) fn count(&self, grant_type: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|exchange| exchange.is(grant_type))
            .count()
    }

    async fn goes_on(&self, moment: Moment, exchange: &Exchange) -> bool {
        let hook = self.hook.lock().unwrap().clone();
        match hook {
            Some(hook) => hook(moment, exchange).await,
            None => true,
        }
    }
}

async fn serve(State(front): State<Front>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().trim_start_matches('/');
    let (incarnation, path) = path.split_once('/').expect("a path of ours");
    let mut exchange = Exchange {
        incarnation: incarnation.parse().expect("a number of ours"),
        path: format!("/{path}"),
        params: url::form_urlencoded::parse(&body).into_owned().collect(),
        worked: None,
        status: 0,
        answer: Value::Null,
    };
    let at = {
        let mut log = front.log.lock().unwrap();
        log.push(exchange.clone());
        log.len() - 1
    };
    // The provider does not forget what it was asked because the one who asked has died.
    let work = tokio::spawn(async move {
        if !front.goes_on(Moment::Before, &exchange).await {
            return None;
        }
        let mut forward = Request::builder()
            .method(parts.method)
            .uri(&exchange.path)
            .body(body)
            .unwrap();
        *forward.headers_mut() = parts.headers;
        let reply = front.wire.send(forward).await;
        exchange.worked = Some(Instant::now());
        exchange.status = reply.status.as_u16();
        exchange.answer = serde_json::from_slice(&reply.body).unwrap_or_default();
        front.log.lock().unwrap()[at] = exchange.clone();
        let goes_on = front.goes_on(Moment::After, &exchange).await;
        goes_on.then_some(reply)
    });
    let Some(reply) = work.await.expect("the provider works") else {
        let mut answer = Response::new(Body::from("whoever asked is dead"));
        *answer.status_mut() = StatusCode::GATEWAY_TIMEOUT;
        return answer;
    };
    let mut answer = Response::new(Body::from(reply.body));
    *answer.status_mut() = reply.status;
    *answer.headers_mut() = reply.headers;
    answer
}

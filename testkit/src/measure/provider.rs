//! A provider that answers at once, with tokens of ordinary size.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Form, Json, Router,
    extract::State,
    routing::{get, post},
    serve::ListenerExt,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    child::{Child, live_as_long_as_parent},
    host,
};

pub const APP: &str = "upstream-app";

/// What the provider's tokens take, in bytes: JWTs of ordinary size, as Entra ID and Keycloak issue.
pub const ACCESS_TOKEN_BYTES: usize = 1200;
pub const ID_TOKEN_SIGNATURE_BYTES: usize = 342;
pub const REFRESH_TOKEN_BYTES: usize = 600;

/// Access tokens of people whose names begin so expire after a second, and have to be renewed.
pub const BRIEF: &str = "brief-";

/// The role of [`run`].
pub const ROLE: &str = "provider";

/// A provider in a process of its own, and its origin.
pub fn start() -> (Child, String) {
    let mut process = Child::start(ROLE);
    let origin = process.words().remove(0);
    (process, origin)
}

/// That process.
pub fn run() {
    live_as_long_as_parent();
    host::block_on(1, async {
        let (origin, _stop) = provider().await;
        println!("{origin}");
        future::pending::<()>().await;
    });
}

/// What it has done so far.
#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    answers: AtomicU64,
}

/// Its origin, and what stops it.
pub async fn provider() -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let counts = Arc::new(Counts::default());
    let app = Router::new()
        .route("/token", post(token))
        .route("/counts", get(count))
        .with_state(Arc::clone(&counts));
    let listener = listener.tap_io(move |_| {
        counts.connections.fetch_add(1, Relaxed);
    });
    let mut task = JoinSet::new();
    task.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (origin, task)
}

/// Connections that were made to it, the asking one included, and answers of its token endpoint.
async fn count(State(counts): State<Arc<Counts>>) -> String {
    let [connections, answers] =
        [&counts.connections, &counts.answers].map(|count| count.load(Relaxed));
    format!("{connections} {answers}")
}

/// The code says who logged in, and which nonce was sent; so does the refresh token, without nonce.
async fn token(
    State(counts): State<Arc<Counts>>,
    Form(asked): Form<Vec<(String, String)>>,
) -> Json<Value> {
    counts.answers.fetch_add(1, Relaxed);
    let field = |name| {
        asked
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    match (field("code"), field("refresh_token")) {
        (Some(code), _) => {
            let (subject, nonce) = code.split_once('~').unwrap();
            let mut answer = tokens(subject);
            answer["id_token"] = id_token(subject, nonce).into();
            Json(answer)
        }
        (None, Some(refresh)) => Json(tokens(refresh.trim_start_matches('r'))),
        (None, None) => panic!("neither code nor refresh token: {asked:?}"),
    }
}

fn tokens(subject: &str) -> Value {
    json!({
        "token_type": "Bearer",
        "access_token": format!("{subject:a>ACCESS_TOKEN_BYTES$}"),
        "refresh_token": format!("{subject:r>REFRESH_TOKEN_BYTES$}"),
        "expires_in": if subject.starts_with(BRIEF) { 1 } else { 86_400 },
        "scope": "openid email",
    })
}

pub fn id_token(subject: &str, nonce: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = json!({
        "iss": "https://provider.example",
        "aud": APP,
        "sub": subject,
        "email": format!("{subject}@example.com"),
        "email_verified": true,
        "name": "Ada Example",
        "iat": now.as_secs(),
        "exp": now.as_secs() + 300,
        "nonce": nonce,
    });
    let head = B64.encode(r#"{"alg":"RS256","kid":"key-1","typ":"JWT"}"#);
    let claims = B64.encode(claims.to_string());
    let signature = "s".repeat(ID_TOKEN_SIGNATURE_BYTES);
    format!("{head}.{claims}.{signature}")
}

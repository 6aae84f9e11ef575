//! A provider that answers at once, and a proxy on one store with a person logging in; none of this
//! is measured.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Form, Json, Router, routing::post};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::Layer;
use tower_oauth_proxy::{
    Consent, OAuthProxyConfig, OAuthProxyLayer, SecretKey, TokenStorage, provider::generic,
};

use crate::common::{
    Client, Pkce, Reply, Wire,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

const BASE: &str = "https://proxy.example";
pub(crate) const APP: &str = "upstream-app";

/// What the provider's tokens take, in bytes: JWTs of ordinary size, as Entra ID and Keycloak issue.
pub(crate) const ACCESS_TOKEN_BYTES: usize = 1200;
pub(crate) const ID_TOKEN_SIGNATURE_BYTES: usize = 342;
pub(crate) const REFRESH_TOKEN_BYTES: usize = 600;

/// Its origin, and what stops it.
pub(crate) async fn provider() -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/token", post(token));
    let mut task = JoinSet::new();
    task.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (origin, task)
}

/// The code says who logged in, and which nonce was sent.
async fn token(Form(asked): Form<Vec<(String, String)>>) -> Json<Value> {
    let code = asked.iter().find(|(name, _)| name == "code");
    let (subject, nonce) = code.unwrap().1.split_once('~').unwrap();
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
    Json(json!({
        "token_type": "Bearer",
        "access_token": format!("{subject:a>ACCESS_TOKEN_BYTES$}"),
        "refresh_token": format!("{subject:r>REFRESH_TOKEN_BYTES$}"),
        "id_token": format!("{head}.{claims}.{signature}"),
        "expires_in": 86_400,
        "scope": "openid email",
    }))
}

/// The whole layer on one store, with a registered client.
pub(crate) struct Deployment {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
    pub(crate) pkce: Pkce,
    /// Grants that live, by what the client holds.
    pub(crate) grants: Vec<Grant>,
    people: usize,
}

#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Deployment {
    pub(crate) async fn new(name: &'static str, provider: &str, store: impl TokenStorage) -> Self {
        let secret = "a provider's client secret of good length";
        let url = |path| format!("{provider}{path}");
        let upstream = generic(&url("/authorize"), &url("/token"), APP, secret);
        let key = SecretKey::from_bytes(*b"an operator's secret of 32 bytes").unwrap();
        let config = OAuthProxyConfig::builder(upstream.scopes(["openid", "email"]), BASE)
            .secret_key(key)
            .scopes(["openid", "email"])
            .consent(Consent::Disabled)
            .session_cache_ttl(Duration::ZERO)
            .token_storage(store)
            .build()
            .unwrap();
        let inside = tower::service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"inside"))))
        });
        let wire = Wire::new(BASE, OAuthProxyLayer::new(config).layer(inside));
        Self {
            name,
            client: Client::register(&wire, "", &native_metadata(CALLBACK)).await,
            pkce: Pkce::new(),
            grants: Vec::new(),
            people: 0,
        }
    }

    /// Logs so many new people in, some at a time; the codes that the client received.
    pub(crate) async fn log_in(&mut self, people: usize) -> Vec<String> {
        let mut codes = Vec::with_capacity(people);
        let mut logins = JoinSet::new();
        for _ in 0..people {
            if logins.len() == 16 {
                codes.push(logins.join_next().await.unwrap().unwrap());
            }
            self.people += 1;
            let subject = format!("person-{:08}", self.people);
            logins.spawn(log_in(self.client.clone(), self.pkce.clone(), subject));
        }
        codes.extend(logins.join_all().await);
        codes
    }
}

pub(crate) async fn log_in(client: Client, pkce: Pkce, subject: String) -> String {
    let url = client.authorize(&pkce, "client-state").url();
    let sent = client.wire.get(&url, &[]).await;
    let cookies = cookies(&sent);
    let state = query_param(sent.location(), "state").unwrap();
    let nonce = query_param(sent.location(), "nonce").unwrap_or_default();
    let back = format!("/oauth/callback?code={subject}~{nonce}&state={state}");
    let returned = client.wire.get(&back, &[("cookie", &cookies)]).await;
    query_param(returned.location(), "code")
        .unwrap_or_else(|| panic!("{subject} was not logged in: {returned:?}"))
}

fn cookies(reply: &Reply) -> String {
    let set = reply.headers.get_all(header::SET_COOKIE).iter();
    let pairs = set.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

//! A small identity provider, for examples only: it believes anyone who presses a button.
//!
//! OAuth 2.1 authorization code flow with PKCE for one registered app, rotating refresh tokens,
//! OpenID Connect ID tokens with a `roles` claim, userinfo and revocation. In memory, on loopback.

mod page;
pub mod people;
mod token;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Form, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use people::Person;
use token::{Chain, Ledger};
use tokio::net::TcpListener;

use crate::support::serve::{Limits, never, serve};

/// The one app registered here.
pub const CLIENT_ID: &str = "mcp-server";

/// How long a login page may stand open.
const LOGIN_TIME: Duration = Duration::from_secs(600);

/// How many login pages may stand open at once.
const MAX_LOGINS: usize = 100;

/// A provider that runs until the process ends.
pub struct IdentityProvider {
    /// Its origin, which is its issuer.
    pub issuer: String,
    /// The secret of [`CLIENT_ID`], made up at start.
    pub client_secret: String,
}

impl IdentityProvider {
    /// Serves on a loopback listener, for an app with this one redirect URI.
    pub fn start(listener: TcpListener, redirect_uri: String) -> io::Result<Self> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(io::Error::other("believes anyone: loopback only"));
        }
        let issuer = format!("http://{address}");
        let client_secret = random();
        let shared = Shared(Arc::new(Inner {
            issuer: issuer.clone(),
            client_secret: client_secret.clone(),
            redirect_uri,
            logins: Mutex::default(),
            ledger: Mutex::default(),
        }));
        let app = Router::new()
            .route("/authorize", get(authorize))
            .route("/login", post(login))
            .route("/token", post(token::token))
            .route("/userinfo", get(token::userinfo))
            .route("/revoke", post(token::revoke))
            .with_state(shared);
        tokio::spawn(serve(listener, app, Limits::small(), never()));
        Ok(Self {
            issuer,
            client_secret,
        })
    }

    /// The URL of an endpoint.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

#[derive(Clone)]
struct Shared(Arc<Inner>);

struct Inner {
    issuer: String,
    client_secret: String,
    redirect_uri: String,
    logins: Mutex<HashMap<String, Login>>,
    ledger: Mutex<Ledger>,
}

/// A login page that stands open.
struct Login {
    state: String,
    scope: String,
    nonce: Option<String>,
    challenge: String,
    opened: u64,
}

impl Inner {
    fn logins(&self) -> MutexGuard<'_, HashMap<String, Login>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Fields = HashMap<String, String>;

/// `GET /authorize`: checks the request and shows the login page.
async fn authorize(State(Shared(idp)): State<Shared>, Query(asked): Query<Fields>) -> Response {
    let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != CLIENT_ID || field("redirect_uri") != idp.redirect_uri {
        return (StatusCode::BAD_REQUEST, "unknown app or redirect URI").into_response();
    }
    if field("response_type") != "code" || field("code_challenge_method") != "S256" {
        let wrong = [("error", "invalid_request"), ("state", field("state"))];
        return send_back(&idp.redirect_uri, &wrong);
    }
    let id = random();
    let now = now();
    let mut logins = idp.logins();
    logins.retain(|_, login| now < login.opened + LOGIN_TIME.as_secs());
    if logins.len() >= MAX_LOGINS {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many open logins").into_response();
    }
    logins.insert(
        id.clone(),
        Login {
            state: field("state").to_owned(),
            scope: field("scope").to_owned(),
            nonce: asked.get("nonce").cloned(),
            challenge: field("code_challenge").to_owned(),
            opened: now,
        },
    );
    Html(page::login(&id, field("scope"))).into_response()
}

/// `POST /login`: whose button was pressed.
async fn login(State(Shared(idp)): State<Shared>, Form(form): Form<Fields>) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let Some(login) = idp.logins().remove(field("login")) else {
        return (StatusCode::BAD_REQUEST, "this login page is too old").into_response();
    };
    let Some(person) = Person::named(field("person")) else {
        let denied = [("error", "access_denied"), ("state", &login.state)];
        return send_back(&idp.redirect_uri, &denied);
    };
    let chain = Chain {
        person,
        scope: login.scope,
    };
    let code = idp.ledger().issue_code(chain, login.challenge, login.nonce);
    send_back(
        &idp.redirect_uri,
        &[("code", &code), ("state", &login.state)],
    )
}

fn send_back(redirect_uri: &str, params: &[(&str, &str)]) -> Response {
    match url::Url::parse_with_params(redirect_uri, params) {
        Ok(url) => Redirect::to(url.as_str()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// 256 random bits, base64url.
fn random() -> String {
    B64.encode(rand::random::<[u8; 32]>())
}

/// Seconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs())
}

//! A small identity provider, for examples only: it believes anyone who presses a button.
//!
//! OAuth 2.1 authorization code flow with PKCE for one registered app, rotating refresh tokens,
//! OpenID Connect with a document about itself, signed ID tokens with a `roles` claim, userinfo and
//! revocation. In memory, on loopback.

pub mod app;
mod document;
mod keys;
mod page;
pub mod people;
mod token;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::App;
use axum::{
    Form, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use keys::Keys;
use people::Person;
use token::{Chain, Grant, Ledger};
use tokio::net::TcpListener;

use crate::support::{
    pages,
    serve::{Limits, Stop, never, serve},
};

/// How long a login page may stand open.
const LOGIN_TIME: Duration = Duration::from_secs(600);

/// How many login pages may stand open at once.
const MAX_LOGINS: usize = 100;

/// A provider that runs until the process ends.
pub struct IdentityProvider {
    /// Its origin, which is its issuer.
    pub issuer: String,
    /// The one app registered here.
    pub app: App,
}

impl IdentityProvider {
    /// Serves on a loopback listener, for an app with this one redirect URI and a secret that is made up now.
    pub fn start(listener: TcpListener, redirect_uri: String) -> io::Result<Self> {
        let app = App::with_callback(redirect_uri);
        let (provider, router) = Self::new(&listener, app)?;
        tokio::spawn(serve(listener, router, Limits::small(), never()));
        Ok(provider)
    }

    /// Serves an app until a stop signal.
    pub async fn serve(
        listener: TcpListener,
        app: App,
        stop: Stop,
        ready: impl FnOnce(&Self),
    ) -> io::Result<()> {
        let (provider, router) = Self::new(&listener, app)?;
        ready(&provider);
        serve(listener, router, Limits::small(), stop).await;
        Ok(())
    }

    fn new(listener: &TcpListener, app: App) -> io::Result<(Self, Router)> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(io::Error::other("believes anyone: loopback only"));
        }
        let issuer = format!("http://{address}");
        let shared = Shared(Arc::new(Inner {
            issuer: issuer.clone(),
            app: app.clone(),
            keys: Keys::new()?,
            logins: Mutex::default(),
            ledger: Mutex::default(),
        }));
        let router = Router::new()
            .route("/", get(document::front))
            .route("/.well-known/openid-configuration", get(document::about))
            .route("/jwks", get(document::jwks))
            .route("/authorize", get(authorize))
            .route("/login", post(login))
            .route("/token", post(token::token))
            .route("/userinfo", get(token::userinfo))
            .route("/revoke", post(token::revoke))
            .with_state(shared);
        Ok((Self { issuer, app }, router))
    }
}

#[derive(Clone)]
struct Shared(Arc<Inner>);

struct Inner {
    issuer: String,
    app: App,
    keys: Keys,
    logins: Mutex<HashMap<String, Login>>,
    ledger: Mutex<Ledger>,
}

/// A login page that stands open.
struct Login {
    redirect_uri: String,
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
    let redirect_uri = field("redirect_uri");
    if field("client_id") != idp.app.id {
        return refuse(
            "client_id",
            field("client_id"),
            "not the app that is known here",
        );
    }
    if !idp.app.callback.admits(redirect_uri) {
        return refuse("redirect_uri", redirect_uri, idp.app.callback.expected());
    }
    if field("response_type") != "code" || field("code_challenge_method") != "S256" {
        return idp.send_back(redirect_uri, field("state"), [("error", "invalid_request")]);
    }
    // OpenID Connect Core section 3.1.2.1: nobody is logged in here before they press a button.
    if field("prompt").split(' ').any(|word| word == "none") {
        return idp.send_back(redirect_uri, field("state"), [("error", "login_required")]);
    }
    let id = random();
    let now = now();
    let mut logins = idp.logins();
    logins.retain(|_, login| now < login.opened + LOGIN_TIME.as_secs());
    if logins.len() >= MAX_LOGINS {
        let why = "Too many logins are open. Try again in ten minutes.";
        return pages::answer(StatusCode::SERVICE_UNAVAILABLE, page::refusal(why, None));
    }
    logins.insert(
        id.clone(),
        Login {
            redirect_uri: redirect_uri.to_owned(),
            state: field("state").to_owned(),
            scope: field("scope").to_owned(),
            nonce: asked.get("nonce").cloned(),
            challenge: field("code_challenge").to_owned(),
            opened: now,
        },
    );
    pages::answer(
        StatusCode::OK,
        page::login(&id, field("scope"), field("login_hint")),
    )
}

/// `POST /login`: whose button was pressed.
async fn login(State(Shared(idp)): State<Shared>, Form(form): Form<Fields>) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let Some(login) = idp.logins().remove(field("login")) else {
        let why = "This login page is too old, or was used before. Go back to your client and begin again.";
        return pages::answer(StatusCode::BAD_REQUEST, page::refusal(why, None));
    };
    let Some(person) = Person::named(field("person")) else {
        return idp.send_back(
            &login.redirect_uri,
            &login.state,
            [("error", "access_denied")],
        );
    };
    let grant = Grant {
        chain: Chain {
            person,
            scope: login.scope,
            since: now(),
        },
        redirect_uri: login.redirect_uri.clone(),
        challenge: login.challenge,
        nonce: login.nonce,
    };
    let code = idp.ledger().issue_code(grant);
    idp.send_back(&login.redirect_uri, &login.state, [("code", code.as_str())])
}

impl Inner {
    /// Back to the app, which RFC 9207 tells who answers.
    fn send_back(&self, redirect_uri: &str, state: &str, result: [(&str, &str); 1]) -> Response {
        let params = result
            .into_iter()
            .chain([("state", state), ("iss", &self.issuer)]);
        match url::Url::parse_with_params(redirect_uri, params) {
            Ok(url) => Redirect::to(url.as_str()).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// A request that cannot be answered by way of the app.
fn refuse(parameter: &str, value: &str, expected: &str) -> Response {
    let why = format!("The parameter {parameter} is {expected}.");
    pages::answer(StatusCode::BAD_REQUEST, page::refusal(&why, Some(value)))
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

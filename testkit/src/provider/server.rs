//! The provider as a server.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{Html, IntoResponse},
};
use http::{Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;

use super::{
    bodies::{Broken, Dripping},
    client,
    ledger::{Ledger, Params, get},
    metadata,
    script::{Answer, AuthorizeAnswer, Kind, Recorded, Settings},
    signing::{Signing, SigningKey},
};
use crate::{FakeClock, wire::Wire};

/// The largest request that a provider reads.
const MAX_REQUEST: usize = 1 << 20;

/// An identity provider on a loopback port, until dropped.
pub struct Provider {
    /// `http://127.0.0.1:port`.
    pub origin: String,
    shared: Shared,
    task: AbortHandle,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// Starts a well-behaved provider.
    pub async fn start(clock: FakeClock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared(Arc::new(Mutex::new(Inner {
            origin: origin.clone(),
            settings: Settings::new(origin.clone(), clock),
            ledger: Ledger::default(),
            next: HashMap::new(),
            always: HashMap::new(),
            at: HashMap::new(),
            authorize: VecDeque::new(),
            always_authorize: AuthorizeAnswer::Approve,
            requests: Vec::new(),
            assertions: HashSet::new(),
            objections: Vec::new(),
        })));
        let app = router(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            origin,
            shared,
            task: task.abort_handle(),
        }
    }

    /// For browsers, without the socket.
    pub fn wire(&self) -> Wire {
        Wire::new(self.origin.clone(), router(self.shared.clone()))
    }

    /// A URL of this provider.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Changes what kind of provider it is.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) -> &Self {
        change(&mut self.shared.lock().settings);
        self
    }

    pub fn settings(&self) -> Settings {
        self.shared.lock().settings.clone()
    }

    /// Signs with this key from now on, and publishes it alone: the keys before it are gone.
    pub fn signs(&self, key: &SigningKey) -> &Self {
        self.configure(|settings| {
            settings.signing = Signing::By(key.clone());
            settings.published = vec![key.clone()];
        })
    }

    /// What an endpoint says to its next request; then the one after that.
    pub fn next(&self, kind: Kind, answer: Answer) -> &Self {
        let mut inner = self.shared.lock();
        inner.next.entry(kind).or_default().push_back(answer);
        drop(inner);
        self
    }

    pub fn next_token(&self, answer: Answer) -> &Self {
        self.next(Kind::Token, answer)
    }

    /// What an endpoint says when nothing else is queued.
    pub fn always(&self, kind: Kind, answer: Answer) -> &Self {
        self.shared.lock().always.insert(kind, answer);
        self
    }

    /// What is said at this path, whatever is said elsewhere.
    pub fn always_at(&self, path: &str, answer: Answer) -> &Self {
        self.shared.lock().at.insert(path.to_owned(), answer);
        self
    }

    pub fn next_authorize(&self, answer: AuthorizeAnswer) -> &Self {
        self.shared.lock().authorize.push_back(answer);
        self
    }

    pub fn always_authorize(&self, answer: AuthorizeAnswer) -> &Self {
        self.shared.lock().always_authorize = answer;
        self
    }

    /// Everything that came in, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().requests.clone()
    }

    pub fn requests_of(&self, kind: Kind) -> Vec<Recorded> {
        let mut all = self.requests();
        all.retain(|request| request.kind == kind);
        all
    }

    pub fn last(&self, kind: Kind) -> Recorded {
        let last = self.requests_of(kind).pop();
        last.unwrap_or_else(|| panic!("no request of {kind:?} came in"))
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.requests_of(kind).len()
    }

    /// Token requests of one grant type.
    pub fn count_grant(&self, grant_type: &str) -> usize {
        self.requests_of(Kind::Token)
            .iter()
            .filter(|request| request.param("grant_type") == Some(grant_type))
            .count()
    }

    /// How many refresh tokens work now.
    pub fn live_refresh_tokens(&self) -> usize {
        self.shared.lock().ledger.live_chains()
    }

    /// Whether an access token works now.
    pub fn accepts(&self, access_token: &str) -> bool {
        let inner = self.shared.lock();
        let now = inner.settings.clock.unix();
        inner.ledger.is_live_access(access_token, now)
    }

    /// Why clients were refused so far.
    pub fn objections(&self) -> Vec<&'static str> {
        self.shared.lock().objections.clone()
    }

    /// As if the person had removed the app at the provider.
    pub fn remove_app(&self) {
        self.shared.lock().ledger.end_everything();
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Inner>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

struct Inner {
    origin: String,
    settings: Settings,
    ledger: Ledger,
    next: HashMap<Kind, VecDeque<Answer>>,
    always: HashMap<Kind, Answer>,
    /// By path, before all others.
    at: HashMap<String, Answer>,
    authorize: VecDeque<AuthorizeAnswer>,
    always_authorize: AuthorizeAnswer,
    requests: Vec<Recorded>,
    /// The `jti` of assertions that counted once.
    assertions: HashSet<String>,
    /// Why clients were refused.
    objections: Vec<&'static str>,
}

fn router(shared: Shared) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

async fn serve(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let request = record(&shared, request).await;
    if request.kind == Kind::Authorize {
        return shared.lock().authorize(&request.params);
    }
    let answer = {
        let mut inner = shared.lock();
        let here = inner.at.get(&request.path).cloned();
        let queued = inner.next.get_mut(&request.kind);
        match here.or_else(|| queued.and_then(VecDeque::pop_front)) {
            Some(answer) => answer,
            None => {
                let standing = inner.always.get(&request.kind);
                standing.cloned().unwrap_or(Answer::Normal)
            }
        }
    };
    say(answer, || shared.lock().work(&request)).await
}

async fn record(shared: &Shared, request: Request<Body>) -> Recorded {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST).await.unwrap();
    let pairs = |raw: &[u8]| -> Vec<(String, String)> {
        url::form_urlencoded::parse(raw).into_owned().collect()
    };
    let mut params = pairs(parts.uri.query().unwrap_or_default().as_bytes());
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    if content_type.is_some_and(|value| value == "application/x-www-form-urlencoded") {
        params.extend(pairs(&body));
    }
    let recorded = Recorded {
        kind: Kind::of(parts.uri.path()),
        method: parts.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        params,
        body,
    };
    shared.lock().requests.push(recorded.clone());
    recorded
}

async fn say(answer: Answer, work: impl FnOnce() -> Work) -> Response<Body> {
    match answer {
        Answer::Normal => work().into_response(),
        Answer::Without(fields) => work()
            .map(|answer| fields.iter().for_each(|field| drop(answer.remove(*field))))
            .into_response(),
        Answer::With(changes) => work()
            .map(|answer| answer.extend(changes.as_object().expect("an object").clone()))
            .into_response(),
        Answer::Form => work().into_form(),
        Answer::Padded(bytes) => work()
            .map(|answer| drop(answer.insert("padding".into(), "x".repeat(bytes).into())))
            .into_response(),
        Answer::Lost => {
            work();
            let headers = [
                ("content-type", "application/json"),
                ("content-length", "900"),
            ];
            (headers, Body::new(Broken)).into_response()
        }
        Answer::Held(gate) => {
            let done = work();
            gate.pass().await;
            done.into_response()
        }
        Answer::Slow(time) => {
            let done = work();
            tokio::time::sleep(time).await;
            done.into_response()
        }
        Answer::Hang => std::future::pending().await,
        Answer::Drip => {
            let headers = [("content-type", "application/json")];
            (headers, Body::new(Dripping::default())).into_response()
        }
        Answer::Error(status, code) => Work::error(status, code).into_response(),
        Answer::Status(status) => raw(status, "text/html", "<h1>PROVIDER-PAGE</h1>".to_owned()),
        Answer::Raw(status, content_type, body) => raw(status, content_type, body),
        Answer::Redirect(url) => (StatusCode::FOUND, [("location", url)]).into_response(),
    }
}

fn raw(status: u16, content_type: &'static str, body: String) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", content_type)], body).into_response()
}

impl Inner {
    fn authorize(&mut self, asked: &Params) -> Response<Body> {
        let answer = self.authorize.pop_front();
        let answer = answer.unwrap_or_else(|| self.always_authorize.clone());
        let settings = &self.settings;
        let mistake = if get(asked, "client_id") != Some(&settings.client_id) {
            Some("unknown client")
        } else if get(asked, "response_type") != Some("code") {
            Some("not a code request")
        } else if settings.require_pkce && get(asked, "code_challenge").is_none() {
            Some("no PKCE")
        } else {
            None
        };
        let back = match (mistake, get(asked, "redirect_uri")) {
            (None, Some(back)) => back,
            (mistake, _) => {
                let mistake = mistake.unwrap_or("no redirect URI");
                return (StatusCode::BAD_REQUEST, mistake).into_response();
            }
        };
        let state = get(asked, "state").unwrap_or_default();
        let mut params = match answer {
            AuthorizeAnswer::Show => return format!("{asked:#?}").into_response(),
            AuthorizeAnswer::Params(params) => {
                let fill = |v: String| if v == "{state}" { state.to_owned() } else { v };
                params.into_iter().map(|(k, v)| (k, fill(v))).collect()
            }
            AuthorizeAnswer::Deny(code) => {
                vec![("error", code.to_owned()), ("state", state.to_owned())]
            }
            AuthorizeAnswer::Approve => {
                let code = self.ledger.issue_code(asked);
                vec![("code", code), ("state", state.to_owned())]
            }
        };
        if self.settings.name_issuer {
            params.push(("iss", self.settings.issuer.clone()));
        }
        if get(asked, "response_mode") == Some("form_post") {
            // As Apple does, with its own extras.
            params.push(("user", r#"{"name":{"firstName":"Ada"}}"#.to_owned()));
            params.push(("id_token", "UPSTREAM-ID-TOKEN".to_owned()));
            return Html(form_post(back, &params)).into_response();
        }
        let mut back = url::Url::parse(back).unwrap();
        back.query_pairs_mut().extend_pairs(params);
        (StatusCode::FOUND, [("location", back.to_string())]).into_response()
    }

    fn work(&mut self, request: &Recorded) -> Work {
        match request.kind {
            Kind::Token | Kind::Revoke | Kind::Introspect if !self.is_client(request) => {
                Work::error(401, "invalid_client")
            }
            Kind::Token => match self.ledger.token(&request.params, &self.settings) {
                Ok(answer) => Work::ok(answer),
                Err(code) => Work::error(400, code),
            },
            Kind::Revoke => {
                self.ledger
                    .revoke(request.param("token").unwrap_or_default());
                Work::ok(json!({}))
            }
            Kind::Introspect => {
                let token = request.param("token").unwrap_or_default();
                Work::ok(self.ledger.introspect(token, &self.settings))
            }
            // Everybody is the one client.
            Kind::Register => Work {
                status: 201,
                ..Work::ok(json!({
                    "client_id": self.settings.client_id,
                    "client_secret": self.settings.client_secret,
                }))
            },
            Kind::UserInfo => {
                let now = self.settings.clock.unix();
                let bearer = request.header("authorization").unwrap_or_default();
                match bearer.strip_prefix("Bearer ") {
                    Some(token) if self.ledger.is_live_access(token, now) => {
                        Work::ok(Value::Object(self.settings.person.clone()))
                    }
                    _ => Work::error(401, "invalid_token"),
                }
            }
            Kind::Discovery if metadata::is_at(&self.settings, &request.path) => {
                Work::ok(metadata::document(&self.settings, &self.origin))
            }
            Kind::Keys => {
                let keys: Vec<Value> = self
                    .settings
                    .published
                    .iter()
                    .map(SigningKey::jwk)
                    .collect();
                Work::ok(json!({ "keys": keys }))
            }
            Kind::Authorize | Kind::Discovery | Kind::Other => Work::error(404, "not_found"),
        }
    }

    fn is_client(&mut self, request: &Recorded) -> bool {
        let known = client::known(request, &self.settings, &mut self.assertions);
        self.objections.extend(known.err());
        known.is_ok()
    }
}

/// The page that a browser with scripts submits by itself.
fn form_post(action: &str, params: &[(&str, String)]) -> String {
    let escape = |text: &str| {
        let text = text.replace('&', "&amp;").replace('"', "&quot;");
        text.replace('<', "&lt;")
    };
    let inputs: String = params
        .iter()
        .map(|(name, value)| {
            let value = escape(value);
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        })
        .collect();
    let action = escape(action);
    format!(
        "<form method=\"post\" action=\"{action}\">{inputs}\
         <button name=\"go\" value=\"on\">Continue</button></form>"
    )
}

/// What came of doing the normal thing.
struct Work {
    status: u16,
    answer: Map<String, Value>,
}

impl Work {
    fn ok(answer: Value) -> Self {
        let Value::Object(answer) = answer else {
            panic!("an object")
        };
        Self {
            status: 200,
            answer,
        }
    }

    fn error(status: u16, code: &str) -> Self {
        let description = "PROVIDER-DETAIL for the operator's eyes";
        Self {
            status,
            ..Self::ok(json!({ "error": code, "error_description": description }))
        }
    }

    fn map(mut self, change: impl FnOnce(&mut Map<String, Value>)) -> Self {
        if self.status == 200 {
            change(&mut self.answer);
        }
        self
    }

    fn into_response(self) -> Response<Body> {
        let body = Value::Object(self.answer).to_string();
        raw(self.status, "application/json", body)
    }

    fn into_form(self) -> Response<Body> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let pairs: Vec<_> = self.answer.iter().map(|(k, v)| (k, text(v))).collect();
        let body = serde_urlencoded::to_string(pairs).unwrap();
        raw(self.status, "application/x-www-form-urlencoded", body)
    }
}

//! The challenge: what a client learns from a refusal (RFC 6750 section 3, RFC 9728 section 5.1).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, uri::PathAndQuery};

use crate::{
    body::OwnResponse,
    event::{Event, Events},
    limits::{MAX_CHALLENGED_PATH, RETRY_AFTER_SECS},
    oauth::{BaseUrl, Resource, ScopeSet},
    route::protected_resource_url,
};

/// Makes the refusals of protected paths, and those of guards on routes.
#[derive(Clone)]
pub(crate) struct Challenges(Arc<Inner>);

struct Inner {
    base: BaseUrl,
    /// The scopes that every request needs, as the challenge names them.
    base_scopes: ScopeSet,
    events: Arc<Events>,
}

/// Beside a request without a session: the challenge, and the path that the layer saw.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) challenges: Challenges,
    pub(crate) path: Option<PathAndQuery>,
}

/// Why a request is refused, as the client may know it.
pub(crate) enum Refused<'a> {
    /// No credentials came: a bare challenge without `error` (RFC 6750 section 3.1).
    NoCredentials,
    /// Bad ones came.
    InvalidToken(&'static str),
    /// Good ones, for too little; all scopes that this request needs.
    InsufficientScope(&'a ScopeSet),
    /// Good ones, and another rule than a scope says no.
    Forbidden(&'a str),
    /// Nobody knows just now.
    Unavailable,
}

impl Challenges {
    pub(crate) fn new(base: &BaseUrl, base_scopes: &ScopeSet, events: Arc<Events>) -> Self {
        Self(Arc::new(Inner {
            base: base.clone(),
            base_scopes: base_scopes.clone(),
            events,
        }))
    }

    /// Tells the operator; a refusal that nobody hears of cannot be told from a client that gave up.
    pub(crate) fn tell(&self, event: &Event) {
        self.0.events.emit(event);
    }

    /// The whole answer to a request for `path`.
    pub(crate) fn refuse(&self, path: &str, refused: &Refused<'_>) -> OwnResponse {
        let (status, error, description) = match refused {
            Refused::NoCredentials => (
                StatusCode::UNAUTHORIZED,
                None,
                "a bearer token is needed here",
            ),
            Refused::InvalidToken(why) => (StatusCode::UNAUTHORIZED, Some("invalid_token"), *why),
            Refused::InsufficientScope(_) => (
                StatusCode::FORBIDDEN,
                Some("insufficient_scope"),
                "the token does not cover this request",
            ),
            Refused::Forbidden(why) => (StatusCode::FORBIDDEN, Some("access_denied"), *why),
            Refused::Unavailable => return unavailable(),
        };
        let mut body = serde_json::Map::new();
        if let Some(error) = error {
            body.insert("error".into(), error.into());
        }
        body.insert("error_description".into(), description.into());
        let mut response = json(status, &serde_json::Value::Object(body));
        if matches!(refused, Refused::Forbidden(_)) {
            return response;
        }
        let scopes = match refused {
            // What every request needs counts too: a token for the rest alone would not pass.
            Refused::InsufficientScope(needed) => self.0.base_scopes.union(needed),
            _ => self.0.base_scopes.clone(),
        };
        let mut challenge = String::from("Bearer ");
        if let Some(error) = error {
            challenge.push_str("error=\"");
            challenge.push_str(error);
            challenge.push_str("\", error_description=\"");
            challenge.push_str(description);
            challenge.push_str("\", ");
        }
        challenge.push_str("resource_metadata=\"");
        challenge.push_str(&self.metadata_url(path));
        challenge.push('"');
        if !scopes.is_empty() {
            challenge.push_str(", scope=\"");
            challenge.push_str(&scopes.to_string());
            challenge.push('"');
        }
        // Every part is our own words, a checked URL or a scope, none of which holds a quote.
        if let Ok(value) = HeaderValue::try_from(challenge) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }

    /// The document for the path asked for (claude.ai wants `resource` to be the URL the person
    /// typed), or the base document where the path is odd.
    fn metadata_url(&self, path: &str) -> String {
        let base = &self.0.base;
        let resource = (path.len() <= MAX_CHALLENGED_PATH)
            .then(|| Resource::at(base, path))
            .flatten()
            .unwrap_or_else(|| Resource::base(base));
        protected_resource_url(base, resource.as_str())
    }
}

/// The store or the provider cannot be asked: the token may be good, so this is not a 401.
fn unavailable() -> OwnResponse {
    let body = serde_json::json!({
        "error": "temporarily_unavailable",
        "error_description": "the session cannot be checked just now",
    });
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &body);
    response.headers_mut().insert(
        header::RETRY_AFTER,
        HeaderValue::from_static(RETRY_AFTER_SECS),
    );
    response
}

fn json(status: StatusCode, body: &serde_json::Value) -> OwnResponse {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("WWW-Authenticate"),
    );
    response
}

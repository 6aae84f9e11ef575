//! The challenge: what a client learns from a refusal (RFC 6750 section 3, RFC 9728 section 5.1).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, uri::PathAndQuery};
use serde::Serialize;

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
    /// The document of the base URL.
    metadata_url: String,
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
            metadata_url: protected_resource_url(base),
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
        let body = Refusal {
            error,
            error_description: description,
        };
        let mut response = json(status, &body);
        if matches!(refused, Refused::Forbidden(_)) {
            return response;
        }
        let mut challenge = String::with_capacity(256 + path.len());
        challenge.push_str("Bearer ");
        if let Some(error) = error {
            let parts = [
                "error=\"",
                error,
                "\", error_description=\"",
                description,
                "\", ",
            ];
            challenge.extend(parts);
        }
        let parts = [
            "resource_metadata=\"",
            &self.0.metadata_url,
            self.below(path),
            "\"",
        ];
        challenge.extend(parts);
        let base_scopes = &self.0.base_scopes;
        let scopes = match refused {
            // What every request needs counts too: a token for the rest alone would not pass.
            Refused::InsufficientScope(needed) => &base_scopes.union(needed),
            _ => base_scopes,
        };
        if !scopes.is_empty() {
            challenge.extend([", scope=\"", &scopes.to_string(), "\""]);
        }
        // Every part is our own words, a checked URL or a scope, none of which holds a quote.
        if let Ok(value) = HeaderValue::try_from(challenge) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }

    /// The path asked for, below the base URL: claude.ai wants the document whose `resource` is the
    /// URL the person typed. Where the path is odd it is the base document's.
    fn below<'a>(&self, path: &'a str) -> &'a str {
        let is_short = path.len() <= MAX_CHALLENGED_PATH;
        let below = is_short.then(|| Resource::below(&self.0.base, path));
        below.flatten().unwrap_or_default()
    }
}

/// The body of a refusal.
#[derive(Serialize)]
struct Refusal<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    error_description: &'a str,
}

/// The store or the provider cannot be asked: the token may be good, so this is not a 401.
fn unavailable() -> OwnResponse {
    let body = Refusal {
        error: Some("temporarily_unavailable"),
        error_description: "the session cannot be checked just now",
    };
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &body);
    response.headers_mut().insert(
        header::RETRY_AFTER,
        HeaderValue::from_static(RETRY_AFTER_SECS),
    );
    response
}

fn json(status: StatusCode, body: &Refusal<'_>) -> OwnResponse {
    // Two strings under fixed names are always JSON.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(4);
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

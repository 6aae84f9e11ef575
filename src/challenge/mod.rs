//! The challenge: what a client learns from a refusal (RFC 6750 section 3, RFC 9728 section 5.1).

mod grpc;
pub(crate) mod words;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, uri::PathAndQuery};

use crate::{
    body::OwnResponse,
    event::{Event, Events},
    limits::{MAX_CHALLENGED_PATH, RETRY_AFTER_SECS},
    oauth::{BaseUrl, Resource, ScopeImplications, ScopeSet},
    route::protected_resource_url,
};
pub(crate) use grpc::Form;
use words::Words;

/// Makes the refusals of protected paths, and those of guards on routes.
#[derive(Clone)]
pub(crate) struct Challenges(Arc<Inner>);

struct Inner {
    base: BaseUrl,
    /// The document of the base URL.
    metadata_url: String,
    /// The scopes that every request needs, as the challenge names them.
    base_scopes: ScopeSet,
    implications: ScopeImplications,
    events: Arc<Events>,
}

/// Beside a request without a session: the challenge, and the path that the layer saw.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) challenges: Challenges,
    pub(crate) path: Option<PathAndQuery>,
}

/// Why a request is refused, as the client may know it.
pub(crate) enum Problem<'a> {
    /// No credentials came: a bare challenge without `error` (RFC 6750 section 3.1).
    NoCredentials,
    /// Bad ones came.
    InvalidToken(&'static Words),
    /// Good ones, for too little; all scopes that this request needs.
    InsufficientScope(&'a ScopeSet),
    /// Good ones, and another rule than a scope says no.
    Forbidden,
    /// The token cannot be judged right now: it may be good, so this is not a 401.
    Unavailable,
}

impl Challenges {
    pub(crate) fn new(
        base: &BaseUrl,
        base_scopes: &ScopeSet,
        implications: &ScopeImplications,
        events: Arc<Events>,
    ) -> Self {
        Self(Arc::new(Inner {
            base: base.clone(),
            metadata_url: protected_resource_url(base),
            base_scopes: implications.shorten(base_scopes),
            implications: implications.clone(),
            events,
        }))
    }

    /// Where no configuration says anything: for sessions that tests make up.
    #[cfg(feature = "testing")]
    pub(crate) fn without_rules(base: &BaseUrl) -> Self {
        let (no_scopes, no_rules) = (ScopeSet::default(), ScopeImplications::default());
        Self::new(base, &no_scopes, &no_rules, Arc::default())
    }

    /// Reports a refusal to the operator: without that it looks like a client that gave up.
    pub(crate) fn report(&self, event: &Event) {
        self.0.events.emit(event);
    }

    /// The whole answer to a request for `path`, in the form that its client reads.
    ///
    /// A gRPC client has one credential for a connection, whichever methods it calls: its challenge names the base URL
    /// and not the path, or it would log in once for each method.
    pub(crate) fn refuse_in(&self, form: Form, path: &str, problem: &Problem<'_>) -> OwnResponse {
        match form {
            Form::Http => self.refuse(path, problem),
            Form::Grpc => form.spoken(self.refuse("", problem)),
        }
    }

    /// The whole answer to a request for `path`.
    pub(crate) fn refuse(&self, path: &str, problem: &Problem<'_>) -> OwnResponse {
        let base_scopes = &self.0.base_scopes;
        match problem {
            Problem::NoCredentials => self.challenge(
                StatusCode::UNAUTHORIZED,
                path,
                &words::NO_CREDENTIALS,
                base_scopes,
            ),
            Problem::InvalidToken(words) => {
                self.challenge(StatusCode::UNAUTHORIZED, path, words, base_scopes)
            }
            Problem::InsufficientScope(needed) => {
                // What every request needs counts too: a token for the rest alone would not pass.
                // What the rest implies would only make the page longer on which a person is asked.
                let scopes = self.0.implications.shorten(&base_scopes.union(needed));
                self.challenge(
                    StatusCode::FORBIDDEN,
                    path,
                    &words::INSUFFICIENT_SCOPE,
                    &scopes,
                )
            }
            Problem::Forbidden => json(StatusCode::FORBIDDEN, &words::FORBIDDEN),
            Problem::Unavailable => {
                let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &words::UNAVAILABLE);
                let later = HeaderValue::from_static(RETRY_AFTER_SECS);
                response.headers_mut().insert(header::RETRY_AFTER, later);
                response
            }
        }
    }

    /// What a client has to be given to reach this path: the resource of the challenge's document.
    pub(crate) fn address(&self, path: &str) -> String {
        [self.0.base.as_str(), self.below(path)].concat()
    }

    /// RFC 6750 section 3: "If the protected resource request does not include authentication credentials
    /// or does not contain an access token that enables access to the protected resource, the resource
    /// server MUST include the HTTP "WWW-Authenticate" response header field", and "All challenges
    /// defined by this specification MUST use the auth-scheme value "Bearer". This scheme MUST be
    /// followed by one or more auth-param values." Here that is always `resource_metadata` (RFC 9728
    /// section 5.1).
    fn challenge(
        &self,
        status: StatusCode,
        path: &str,
        words: &Words,
        scopes: &ScopeSet,
    ) -> OwnResponse {
        let mut response = json(status, words);
        let (url, below) = (self.0.metadata_url.as_str(), self.below(path));
        let bearer = [
            "Bearer ",
            words.challenge,
            "resource_metadata=\"",
            url,
            below,
            "\"",
        ];
        let scope = match scopes.is_empty() {
            true => [""; 3],
            false => [", scope=\"", scopes.as_str(), "\""],
        };
        let parts = || bearer.iter().chain(&scope);
        // Exactly as long as needed: a longer one would be moved once more.
        let mut challenge = String::with_capacity(parts().map(|part| part.len()).sum());
        parts().for_each(|part| challenge.push_str(part));
        // RFC 6750 section 3: the values of `error` and `error_description` "MUST NOT include characters
        // outside the set %x20-21 / %x23-5B / %x5D-7E". Every part is our own words, a checked URL or a
        // scope, none of which holds a quote.
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

fn json(status: StatusCode, words: &Words) -> OwnResponse {
    let mut response = Response::new(Bytes::from_static(words.body.as_bytes()));
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

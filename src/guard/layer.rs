//! A guard before routes.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Extensions, HeaderValue, Request, Response, StatusCode, header, uri::PathAndQuery};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{Denied, Guard};
use crate::{
    body::{OwnResponse, ResponseBody},
    challenge::{Asked, Form, Problem},
    event::{Event, Reason, Step, Told},
    inner::InnerFuture,
    oauth::ScopeSet,
    session::AuthSession,
};

/// Puts a [`Guard`] before a service, inside the [`OAuthProxyLayer`](crate::OAuthProxyLayer).
///
/// Without a session it answers 401 with the layer's challenge; with too few scopes 403
/// `insufficient_scope`, which makes MCP clients step up; for any other denial 403 without a
/// challenge.
///
/// The challenge names all scopes that this request needs at once, the ones held already included:
/// those of every request ([`required_scopes`](crate::OAuthProxyConfigBuilder::required_scopes)),
/// of the guards that it passed, and of this one. A token of just these passes. It does not name
/// what other requests need: MCP clients add up what they were asked for before.
///
/// ```
/// use tower_layer::Layer;
/// use tower_oauth_proxy::guard::{RequireLayer, require_scopes};
///
/// # fn wrap<S>(service: S) -> Result<impl Sized, tower_oauth_proxy::InvalidScope> {
/// let reports = RequireLayer::new(require_scopes(["reports:read"])?).layer(service);
/// # Ok(reports) }
/// # assert!(wrap(()).is_ok());
/// ```
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireLayer {
    guard: Guard,
}

impl RequireLayer {
    /// A layer that lets through what the guard admits.
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService {
            inner,
            guard: self.guard.clone(),
        }
    }
}

/// The service that [`RequireLayer`] makes.
#[derive(Debug, Clone)]
#[must_use = "services do nothing unless called"]
pub struct RequireService<S> {
    inner: S,
    guard: Guard,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = RequireFuture<S, ReqBody>;

    /// Always ready: a refusal needs nothing of the inner service, and must not reserve a permit of it.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let session = AuthSession::from_extensions(request.extensions());
        let judged = self.guard.admit(session);
        let judged = judged.map(|by| PassedBy::note(by, request.extensions_mut()));
        match judged {
            Ok(()) => RequireFuture {
                kind: Kind::Inner {
                    future: InnerFuture::new(&mut self.inner, request),
                },
            },
            Err(denied) => RequireFuture {
                kind: Kind::Denied {
                    response: Some(refuse_in(
                        Form::of(request.method(), request.headers()),
                        request.uri().path(),
                        request.extensions(),
                        &denied,
                        Some(Needs::of(&self.guard)),
                    )),
                },
            },
        }
    }
}

/// The scopes by which a request passed the guards on its way. A guard further inside names them too: a
/// token of that guard's scopes alone would not get there again.
#[derive(Clone)]
pub(super) struct PassedBy(ScopeSet);

impl PassedBy {
    pub(super) fn note(relied_on: ScopeSet, extensions: &mut Extensions) {
        if relied_on.is_empty() {
            return;
        }
        let all = match extensions.get::<Self>() {
            Some(Self(before)) => before.union(&relied_on),
            None => relied_on,
        };
        extensions.insert(Self(all));
    }
}

/// What a refused request would have needed, in words for the operator: all of them, and those that name no person.
#[derive(Default)]
pub(crate) struct Needs {
    pub(super) full: String,
    pub(super) without_person: String,
}

impl Needs {
    fn of(guard: &Guard) -> Self {
        let full = format!("{guard:?}");
        let without_person = full.clone();
        Self {
            full,
            without_person,
        }
    }
}

/// The answer to a request for `path` that a guard denied.
pub(crate) fn refuse(
    path: &str,
    extensions: &Extensions,
    denied: &Denied,
    needs: Option<Needs>,
) -> OwnResponse {
    refuse_in(Form::Http, path, extensions, denied, needs)
}

/// The same in the form that the client reads.
fn refuse_in(
    form: Form,
    path: &str,
    extensions: &Extensions,
    denied: &Denied,
    needs: Option<Needs>,
) -> OwnResponse {
    let session = AuthSession::from_extensions(extensions);
    let asked = extensions.get::<Asked>();
    let challenges = session
        .and_then(AuthSession::challenges)
        .or_else(|| asked.map(|asked| &asked.challenges));
    // A router may have cut the path since the layer saw it (axum's `nest`).
    let path = session
        .and_then(AuthSession::asked)
        .or_else(|| asked.and_then(|asked| asked.path.as_ref().map(PathAndQuery::path)))
        .unwrap_or(path);
    let passed_by = extensions.get::<PassedBy>();
    let needed = match denied {
        Denied::Scopes(needed) => passed_by.map_or(needed.clone(), |by| by.0.union(needed)),
        _ => ScopeSet::default(),
    };
    let problem = match denied {
        Denied::NoSession => Problem::NoCredentials,
        Denied::Scopes(_) => Problem::InsufficientScope(&needed),
        Denied::Forbidden => Problem::Forbidden,
    };
    match challenges {
        Some(challenges) => {
            let reason = match denied {
                Denied::NoSession => Reason::NoCredentials,
                Denied::Scopes(_) => Reason::Scope,
                Denied::Forbidden => Reason::Forbidden,
            };
            let mut event = Event::refused(Step::Guard, reason);
            if let Some(session) = session {
                let needs = needs.unwrap_or_default();
                event = event.about(session.who()).told(&why(path, session, &needs));
            }
            challenges.report(&event);
            challenges.refuse_in(form, path, &problem)
        }
        None => form.spoken(outside_the_layer()),
    }
}

/// What the guard asks for, and what the session has, in words for the operator. The roles are the person's.
fn why(path: &str, session: &AuthSession, needs: &Needs) -> Told {
    let (scopes, roles) = (session.effective_scopes(), session.roles().join(", "));
    let Needs {
        full,
        without_person,
    } = needs;
    Told::of_person(
        format!("{full} at {path}: the session has the scopes `{scopes}` and the roles [{roles}]"),
        format!("{without_person} at {path}: the session has the scopes `{scopes}`"),
    )
}

/// Without the proxy's layer around it, only the scheme is known. Fails closed.
fn outside_the_layer() -> OwnResponse {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

pin_project! {
    /// The future of [`RequireService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        kind: Kind<S, ReqBody>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Inner { #[pin] future: InnerFuture<S, Request<ReqBody>> },
        Denied { response: Option<OwnResponse> },
    }
}

impl<S, ReqBody, ResBody> Future for RequireFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Inner { future } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(response.map(ResponseBody::inner)))
            }
            KindProjection::Denied { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response.map(ResponseBody::own))),
                // Polled again after completion: that is the caller's bug, not an input.
                None => Poll::Pending,
            },
        }
    }
}

impl<S, ReqBody> std::fmt::Debug for RequireFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}

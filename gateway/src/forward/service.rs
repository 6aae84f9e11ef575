//! The service behind the layer.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;
use tower_oauth_proxy::{AuthSession, BoxError};

use super::{download::Download, failure::Failure, server::Server};
use crate::{
    answer::AnswerBody,
    identity::Identity,
    inbound::Arrival,
    numbers::Counted,
    settings::{BehindSettings, LimitSettings, PublicName},
    shutdown::Phases,
    stdio::StdioBehind,
};

/// A request's place among those at work, until the end of its answer.
pub(super) struct Permit {
    _place: OwnedSemaphorePermit,
    _counted: Counted,
}

/// What stands behind.
pub(crate) enum Behind {
    Http(Box<Server>),
    Stdio(Box<StdioBehind>),
}

/// Hands requests on; clones are the same.
#[derive(Clone)]
pub(crate) struct Forward(Arc<Shared>);

struct Shared {
    behind: Behind,
    identity: Arc<Identity>,
    places: Arc<Semaphore>,
    /// The longest that an answer may last.
    age: Duration,
    phases: Phases,
}

impl Behind {
    /// # Errors
    ///
    /// A sentence about what cannot work.
    pub(crate) fn new(
        settings: BehindSettings,
        public: &PublicName,
        cookie_prefix: &str,
        limits: &LimitSettings,
        phases: &Phases,
    ) -> Result<Self, String> {
        Ok(match settings {
            BehindSettings::Http(settings) => {
                let (public, phases) = (public.clone(), phases.clone());
                let server = Server::new(&settings, public, cookie_prefix, limits, phases)?;
                Self::Http(Box::new(server))
            }
            BehindSettings::Stdio(settings) => {
                Self::Stdio(Box::new(StdioBehind::new(settings, phases.clone())?))
            }
        })
    }

    /// Where it is, for the operator.
    fn name(&self) -> &str {
        match self {
            Self::Http(server) => server.name(),
            Self::Stdio(_) => "a process for each session",
        }
    }
}

impl Forward {
    pub(crate) fn new(
        behind: Behind,
        identity: Arc<Identity>,
        limits: &LimitSettings,
        phases: Phases,
    ) -> Self {
        Self(Arc::new(Shared {
            behind,
            identity,
            places: Arc::new(Semaphore::new(limits.requests)),
            age: limits.stream,
            phases,
        }))
    }

    /// Whether what stands behind works.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) async fn probe(&self) -> Result<(), String> {
        match &self.0.behind {
            Behind::Http(server) => server.probe().await,
            Behind::Stdio(stdio) => stdio.probe(),
        }
    }

    /// Ends what stands behind, where that is the gateway's own.
    pub(crate) async fn stop(&self) {
        if let Behind::Stdio(stdio) = &self.0.behind {
            stdio.stop().await;
        }
    }
}

impl Shared {
    async fn answer<B>(&self, mut request: Request<B>) -> Result<Response<AnswerBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let places = Arc::clone(&self.places);
        let permit = Permit {
            _place: places.try_acquire_owned().map_err(|_| Failure::Full)?,
            _counted: Counted::request(),
        };
        let session = request.extensions_mut().remove::<AuthSession>();
        let arrival = request.extensions_mut().remove::<Arrival>();
        match &self.behind {
            Behind::Http(server) => {
                let session = session.as_ref();
                let identity = &self.identity;
                server
                    .send(request, arrival, session, identity, permit)
                    .await
            }
            Behind::Stdio(stdio) => match session {
                Some(session) => {
                    let answer = stdio.handle(request, &session).await;
                    let answer = Download::of(answer, self.age, self.phases.clone(), permit);
                    Ok(answer.map(AnswerBody::stream))
                }
                None => Err(Failure::NoSession),
            },
        }
    }
}

impl<B> Service<Request<B>> for Forward
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Whether there is room is asked when the request is there: the one who waits is a client.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        Box::pin(async move {
            let answer = shared.answer(request).await;
            Ok(answer.unwrap_or_else(|failure| {
                failure.report(shared.behind.name(), &method, uri.path());
                failure.answer()
            }))
        })
    }
}

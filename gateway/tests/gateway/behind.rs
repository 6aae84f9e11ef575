//! A server behind the gateway, whose answers a test writes; it notes what came.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Parts};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::mpsc,
    task::AbortHandle,
};
use tower_oauth_proxy::BoxError;

pub(crate) type Sent = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// What came, whole.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Came {
    /// A header that came at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.parts.headers.get_all(name).iter();
        let first = all.next();
        assert!(all.next().is_none(), "{name} came twice");
        first.map(|value| value.to_str().unwrap())
    }
}

/// A server, until dropped.
pub(crate) struct Behind {
    pub(crate) address: SocketAddr,
    came: Arc<Mutex<VecDeque<Came>>>,
    task: AbortHandle,
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Behind {
    /// Answers each whole request with what it was sent.
    pub(crate) async fn echo() -> Self {
        let came = Arc::new(Mutex::new(VecDeque::new()));
        let notes = Arc::clone(&came);
        let mut behind = Self::answering(move |request| {
            let notes = Arc::clone(&notes);
            async move {
                let (parts, body) = request.into_parts();
                // A body that breaks on the way is no request.
                let Ok(body) = body.collect().await else {
                    return whole("broken");
                };
                let trailers = body.trailers().cloned();
                let body = body.to_bytes();
                notes.lock().unwrap().push_back(Came {
                    parts,
                    body: body.clone(),
                    trailers,
                });
                whole(body)
            }
        })
        .await;
        behind.came = came;
        behind
    }

    /// Answers with what `answer` says.
    pub(crate) async fn answering<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Sent> + Send + 'static,
    {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), answer).await
    }

    /// The same at this address.
    pub(crate) async fn at<F, A>(address: SocketAddr, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Sent> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async move {
            // Its connections end with it.
            let mut all = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                all.spawn(serve(stream, answer.clone()));
            }
        };
        Self {
            address,
            came: Arc::default(),
            task: tokio::spawn(serving).abort_handle(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came last, and how many there were; forgets them.
    #[track_caller]
    pub(crate) fn came(&self) -> Came {
        let mut came = self.came.lock().unwrap();
        assert_eq!(came.len(), 1, "not one request");
        came.pop_front().unwrap()
    }

    /// All that came; forgets it.
    pub(crate) fn all(&self) -> Vec<Came> {
        self.came.lock().unwrap().drain(..).collect()
    }

    /// How many came.
    pub(crate) fn count(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

/// The same at a Unix socket: answers with the path that was asked for.
pub(crate) fn at_socket(path: &std::path::Path) -> AbortHandle {
    let listener = UnixListener::bind(path).unwrap();
    let serving = async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, async |request: Request<Incoming>| {
                let host = request.headers()["host"].to_str().unwrap().to_owned();
                whole(format!("{} at {host}", request.uri()))
            }));
        }
    };
    tokio::spawn(serving).abort_handle()
}

async fn serve<S, F, A>(stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Sent> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer(request).await) }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    let _ = server
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
}

/// An answer that is there at once.
pub(crate) fn whole(body: impl Into<Bytes>) -> Sent {
    let body = Full::new(body.into()).map_err(|never| match never {});
    Response::new(body.boxed_unsync())
}

/// A body whose frames a test sends; it ends when the sender is dropped.
pub(crate) fn streamed() -> (mpsc::UnboundedSender<Frame<Bytes>>, Frames) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (gone, is_gone) = tokio::sync::watch::channel(false);
    (sender, Frames(receiver, gone, is_gone))
}

/// See [`streamed`].
pub(crate) struct Frames(
    mpsc::UnboundedReceiver<Frame<Bytes>>,
    tokio::sync::watch::Sender<bool>,
    tokio::sync::watch::Receiver<bool>,
);

impl Frames {
    /// Says when it was dropped.
    pub(crate) fn gone(&self) -> tokio::sync::watch::Receiver<bool> {
        self.2.clone()
    }

    pub(crate) fn answer(self, kind: &str) -> Sent {
        let body = self.map_err(|never| match never {}).boxed_unsync();
        let answer = Response::builder().header("content-type", kind);
        answer.body(body).unwrap()
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.1.send_replace(true);
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

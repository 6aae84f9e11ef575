//! Connections to the server behind: TCP, TLS, or a Unix socket.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::{
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tower::Service;
use tower_oauth_proxy::BoxError;

use crate::{
    limits,
    settings::{ServerAddress, UpstreamSettings},
};

/// Connects to the one server, whatever URI is asked for: what a request says never chooses where it goes.
#[derive(Clone)]
pub(super) struct Connector {
    way: Way,
    patience: Duration,
}

#[derive(Clone)]
enum Way {
    Plain(HttpConnector, Uri),
    Tls(HttpsConnector<HttpConnector>, Uri),
    Unix(Arc<Path>),
}

/// A connection, whichever way it goes.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TokioIo<TcpStream>),
    Tls(Box<MaybeHttpsStream<TokioIo<TcpStream>>>),
    Unix(TokioIo<UnixStream>),
}

/// The server was not reached in time.
#[derive(Debug)]
pub(super) struct ConnectTimeout(Duration);

impl std::fmt::Display for ConnectTimeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not reached within {:?}", self.0)
    }
}

impl std::error::Error for ConnectTimeout {}

/// HTTP versions to offer in TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    OneAlone,
    Both,
}

impl Connector {
    /// # Errors
    ///
    /// A sentence about the root certificates.
    pub(super) fn new(
        settings: &UpstreamSettings,
        versions: Versions,
        patience: Duration,
    ) -> Result<Self, String> {
        let way = match &settings.server {
            ServerAddress::Http(host) => Way::Plain(tcp(patience), uri("http", host.as_str())?),
            ServerAddress::Https(host) => {
                let builder = hyper_rustls::HttpsConnectorBuilder::new()
                    .with_tls_config(tls(settings.root_certificates.as_deref())?)
                    .https_only();
                let connector = match versions {
                    Versions::OneAlone => builder.enable_http1().wrap_connector(tcp(patience)),
                    Versions::Both => builder.enable_all_versions().wrap_connector(tcp(patience)),
                };
                Way::Tls(connector, uri("https", host.as_str())?)
            }
            ServerAddress::Unix(path) => Way::Unix(PathBuf::as_path(path).into()),
        };
        Ok(Self { way, patience })
    }
}

fn uri(scheme: &str, host: &str) -> Result<Uri, String> {
    let uri = format!("{scheme}://{host}/");
    uri.parse().map_err(|error| format!("{uri}: {error}"))
}

fn tcp(patience: Duration) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    // TLS stands above it.
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(patience));
    connector.set_keepalive(Some(limits::KEEPALIVE));
    connector.set_keepalive_interval(Some(limits::KEEPALIVE_INTERVAL));
    connector.set_keepalive_retries(Some(limits::KEEPALIVE_PROBES));
    connector
}

fn tls(roots: Option<&[u8]>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Some(pem) = roots else {
        let builder = builder
            .try_with_platform_verifier()
            .map_err(|error| format!("the system's root certificates: {error}"))?;
        return Ok(builder.with_no_client_auth());
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("not PEM: {error:?}"))?;
        store
            .add(certificate)
            .map_err(|error| format!("no root certificate: {error}"))?;
    }
    match store.is_empty() {
        true => Err("no certificate in it".to_owned()),
        false => Ok(builder.with_root_certificates(store).with_no_client_auth()),
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Neither way has a limit of its own.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (way, patience) = (self.way.clone(), self.patience);
        Box::pin(async move {
            match timeout(patience, way.connect()).await {
                Ok(stream) => stream,
                Err(_) => Err(ConnectTimeout(patience).into()),
            }
        })
    }
}

impl Way {
    async fn connect(self) -> Result<Stream, BoxError> {
        match self {
            Self::Plain(mut connector, uri) => Ok(Stream::Plain(connector.call(uri).await?)),
            Self::Tls(mut connector, uri) => {
                let stream = connector.call(uri).await?;
                Ok(Stream::Tls(Box::new(stream)))
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).await?;
                Ok(Stream::Unix(TokioIo::new(stream)))
            }
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(stream) => stream.connected(),
            Self::Tls(stream) => stream.connected(),
            Self::Unix(_) => Connected::new(),
        }
    }
}

/// What can be read and written.
trait Both: Read + Write + Unpin {}
impl<T: Read + Write + Unpin> Both for T {}

impl Stream {
    fn both(self: Pin<&mut Self>) -> Pin<&mut dyn Both> {
        let stream: &mut dyn Both = match self.get_mut() {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.as_mut(),
            Self::Unix(stream) => stream,
        };
        Pin::new(stream)
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.both().poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.both().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.both().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.both().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.both().poll_shutdown(cx)
    }
}

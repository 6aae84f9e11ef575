//! TLS, with the server's certificate checked against an authority and the name that was dialled.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::end_point;

/// What servers since PostgreSQL 17 want to hear, so that no other protocol's server can be led into this
/// conversation; older ones do not listen.
const PROTOCOL: &[u8] = b"postgresql";

/// A certificate of ours, and its key, in PEM.
pub(super) struct Own {
    pub(super) chain: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// Makes the client's side of TLS.
#[derive(Clone)]
pub(super) struct Encryption(TlsConnector);

impl Encryption {
    /// With these authorities (PEM) instead of the operating system's. The text of an error says what is
    /// wrong, and never repeats a key.
    pub(super) fn new(roots: Option<&[u8]>, own: Option<&Own>) -> Result<Self, String> {
        let chosen = CryptoProvider::get_default().cloned();
        let provider = chosen.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match roots {
            Some(pem) => builder.with_root_certificates(authorities(pem)?),
            None => {
                let verifier = rustls_platform_verifier::Verifier::new(provider);
                let verifier = verifier
                    .map_err(|error| format!("the system's authorities cannot be read: {error}"))?;
                let builder = builder.dangerous();
                builder.with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let mut config = match own {
            Some(own) => {
                let chain = certificates(&own.chain)
                    .ok_or("the client certificate for PostgreSQL is not PEM")?;
                let key = PrivateKeyDer::from_pem_slice(&own.key)
                    .map_err(|_| "the client key for PostgreSQL is not a private key in PEM")?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| format!("the client certificate does not work: {error}"))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    let found = certificates(pem).ok_or("the CA certificate for PostgreSQL is not PEM")?;
    let mut roots = RootCertStore::empty();
    for certificate in found {
        roots.add(certificate).map_err(|error| {
            format!("the CA certificate for PostgreSQL cannot be used: {error}")
        })?;
    }
    Ok(roots)
}

/// All of them, one at least.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty())
}

type Handshake<S> = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Encryption {
    type Stream = Encrypted<S>;
    type TlsConnect = Dial;
    type Error = io::Error;

    fn make_tls_connect(&mut self, name: &str) -> io::Result<Dial> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connector = self.0.clone();
        Ok(Dial { connector, name })
    }
}

pub(super) struct Dial {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Dial {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Handshake<S>;

    fn connect(self, stream: S) -> Handshake<S> {
        Box::pin(async move {
            let stream = self.connector.connect(self.name, stream).await?;
            Ok(Encrypted(stream))
        })
    }
}

/// A connection that is encrypted.
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    /// So that a login with a password is of use in this very connection alone (SCRAM-SHA-256-PLUS).
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        match certificate.and_then(|certificate| end_point::hash(certificate)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

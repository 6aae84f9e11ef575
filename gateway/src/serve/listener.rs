//! Where connections come from: TCP or a Unix socket.

use std::{io, net::IpAddr, path::PathBuf};

use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
};

use crate::{limits, settings::Listen};

/// An open listener.
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// A connection, whichever way it came.
pub(crate) type Stream = TokioIo<Box<dyn Duplex>>;

/// What a connection can do.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Listener {
    /// Opens it. A socket file that an ended process has left is replaced; one that is answered is not.
    ///
    /// # Errors
    ///
    /// A sentence that names the address.
    pub(crate) async fn open(listen: &Listen) -> Result<Self, String> {
        match listen {
            Listen::Tcp(address) => {
                let bound = TcpListener::bind(address).await;
                bound
                    .map(Self::Tcp)
                    .map_err(|error| format!("cannot listen at {address}: {error}"))
            }
            Listen::Unix(path) => {
                let wrong =
                    |error: io::Error| format!("cannot listen at {}: {error}", path.display());
                let bound = match UnixListener::bind(path) {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        if tokio::net::UnixStream::connect(path).await.is_ok() {
                            return Err(wrong(error));
                        }
                        std::fs::remove_file(path).map_err(wrong)?;
                        UnixListener::bind(path)
                    }
                    bound => bound,
                };
                Ok(Self::Unix(bound.map_err(wrong)?, path.clone()))
            }
        }
    }

    /// Where it listens, for people and tests.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => listener
                .local_addr()
                .map_or_else(|error| error.to_string(), |address| address.to_string()),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// The next connection, and the address of its other end.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                prepare(&stream);
                let stream: Box<dyn Duplex> = Box::new(stream);
                Ok((TokioIo::new(stream), Some(address.ip().to_canonical())))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let stream: Box<dyn Duplex> = Box::new(stream);
                Ok((TokioIo::new(stream), None))
            }
        }
    }
}

/// The file of a socket goes with its listener.
impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// An event waits for nothing, and a client that vanished is noticed though nothing is sent.
fn prepare(stream: &TcpStream) {
    use rustix::net::sockopt;
    // Without them the connection works all the same.
    let _ = stream.set_nodelay(true);
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, limits::KEEPALIVE);
    let _ = sockopt::set_tcp_keepintvl(stream, limits::KEEPALIVE_INTERVAL);
    let _ = sockopt::set_tcp_keepcnt(stream, limits::KEEPALIVE_PROBES);
}

/// It was gone before it was accepted: no reason for the others to make room.
pub(super) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

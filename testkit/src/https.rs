//! A server with TLS on a loopback address, for documents that have to come by https.
//!
//! A proxy reaches it with two options: `outbound_private_networks(["127.0.0.0/8"])` and
//! `outbound_root_certificates([testkit::https::ROOT])`.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// The root that signed the server's certificate, good until 2126. Its key is lost.
pub const ROOT: &str = include_str!("https/root.pem");
/// For `localhost`, `client.example` and names below it, `idp.internal`, 127.0.0.1, 127.0.0.2 and ::1.
const CERTIFICATE: &str = include_str!("https/server.pem");
const KEY: &str = include_str!("https/server_key.pem");

/// An https server, until dropped.
pub struct Https {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: AbortHandle,
}

impl Drop for Https {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Https {
    /// A server at 127.0.0.1 that answers each request, its head as text, with a whole response as text.
    /// One that says `connection: close` is the last on its connection.
    pub async fn start<F>(answer: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        Self::at(Ipv4Addr::LOCALHOST.into(), answer).await
    }

    /// The same at another loopback address.
    pub async fn at<F>(
        address: IpAddr,
        answer: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer, acceptor) = (Arc::clone(&requests), Arc::new(answer), acceptor());
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer, acceptor) = (seen.clone(), answer.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &acceptor, &seen, &*answer).await;
                });
            }
        };
        let task = tokio::spawn(serve).abort_handle();
        Self {
            address,
            requests,
            task,
        }
    }

    /// `https://host:port` and this path.
    pub fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.address.port())
    }

    /// The first lines of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A response of this status with a JSON body and more headers, each with its line end.
pub fn json(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes());
    let chain = chain.collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve<F: Future<Output = String>>(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    seen: &Mutex<Vec<String>>,
    answer: &(impl Fn(String) -> F + ?Sized),
) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    loop {
        let mut head = Vec::new();
        let mut some = [0; 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut some).await? {
                0 => return Ok(()),
                read => head.extend_from_slice(&some[..read]),
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let line = head.lines().next().unwrap_or_default().to_owned();
        seen.lock().unwrap().push(line);
        let response = answer(head).await;
        stream.write_all(response.as_bytes()).await?;
        stream.flush().await?;
        if response.contains("connection: close\r\n") {
            return stream.shutdown().await;
        }
    }
}

//! HTTP without sockets: a service as a function from request to reply, and what came back. Over one where the server
//! is a process or an example.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tower::{Service, ServiceExt};

type ReplyFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A server that can be asked any number of times at once.
#[derive(Clone)]
pub struct Wire {
    /// The origin it stands at, e.g. `https://proxy.example`.
    pub origin: String,
    ask: Arc<dyn Fn(Request<Full<Bytes>>) -> ReplyFuture + Send + Sync>,
}

impl Wire {
    /// Puts a service behind an origin. Each request goes to a clone of its own, as a server does
    /// for each connection.
    pub fn new<S, B>(origin: impl Into<String>, service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: fmt::Debug,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: fmt::Debug,
    {
        Self {
            origin: origin.into(),
            ask: Arc::new(move |request| {
                let service = service.clone();
                Box::pin(async move {
                    let response = service.oneshot(request).await.expect("the service failed");
                    let (parts, body) = response.into_parts();
                    Reply {
                        status: parts.status,
                        headers: parts.headers,
                        body: body.collect().await.expect("the body broke").to_bytes(),
                    }
                })
            }),
        }
    }

    /// A server that listens on this machine, as `http://127.0.0.1:8080`; each request has a connection of its own.
    pub fn to(origin: &str) -> Self {
        const LIMIT: Duration = Duration::from_secs(30);
        let address: Arc<str> = origin.strip_prefix("http://").expect("plain HTTP").into();
        let ask = async |address: Arc<str>, request| {
            let socket = TcpStream::connect(&*address).await.expect("a connection");
            let (mut server, connection) = http1::handshake(TokioIo::new(socket)).await?;
            tokio::spawn(connection);
            server.send_request(request).await
        };
        let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
            let asked = timeout(LIMIT, ask(address.clone(), request));
            async move { asked.await.expect("an answer in time") }
        });
        Self::new(origin, service)
    }

    /// Sends a request as it is. Its URI is a path, or a URL at this origin.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.to_string();
        if let Some(rest) = target.strip_prefix(&self.origin) {
            // What a server sees in HTTP/1.1: origin form and a Host header.
            let path = if rest.is_empty() || rest.starts_with('?') {
                format!("/{rest}")
            } else {
                rest.to_owned()
            };
            parts.uri = path.parse().expect("a path");
        }
        let host = self.origin.split("://").nth(1).expect("an origin");
        parts
            .headers
            .entry(header::HOST)
            .or_insert(host.parse().unwrap());
        (self.ask)(Request::from_parts(parts, Full::new(body))).await
    }

    /// `GET path` with extra headers.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.request(Method::GET, path, headers, Bytes::new()).await
    }

    /// Posts a form with extra headers.
    pub async fn form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Reply {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let headers = [
            &[("content-type", "application/x-www-form-urlencoded")],
            headers,
        ]
        .concat();
        self.request(Method::POST, path, &headers, body.into())
            .await
    }

    /// Posts JSON with extra headers.
    pub async fn json(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.request(Method::POST, path, &headers, body.to_string().into())
            .await
    }

    /// Any request.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body).expect("a request")).await
    }
}

/// What came back.
#[derive(Clone)]
pub struct Reply {
    /// Status line.
    pub status: StatusCode,
    /// Headers, repeated ones included.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}) in {self:?}"))
    }

    /// A header that stands once, or not at all.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?;
        assert!(all.next().is_none(), "{name} stands twice in {self:?}");
        Some(first.to_str().expect("a readable header"))
    }

    /// Where it redirects to.
    pub fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no Location in {self:?}"))
    }

    /// The OAuth error code of a JSON answer.
    pub fn error(&self) -> String {
        match self.json().get("error").and_then(Value::as_str) {
            Some(code) => code.to_owned(),
            None => panic!("no error in {self:?}"),
        }
    }

    /// Asserts status and OAuth error code at once.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!(
            (self.status.as_u16(), self.error().as_str()),
            (status, code),
            "{self:?}"
        );
        self
    }

    /// Asserts the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// Everything that a client could read, for leak tests.
    pub fn everything(&self) -> String {
        format!("{:?}\n{}", self.headers, self.text())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value:?}")?;
        }
        f.write_str(&self.text())
    }
}

/// The decoded query of a URL, in order.
pub fn query(url: &str) -> Vec<(String, String)> {
    let url = url::Url::parse(url).unwrap_or_else(|e| panic!("{url} is no URL: {e}"));
    url.query_pairs().into_owned().collect()
}

/// One query parameter of a URL; it must not stand twice.
pub fn query_param(url: &str, name: &str) -> Option<String> {
    let mut found = query(url).into_iter().filter(|(key, _)| key == name);
    let first = found.next().map(|(_, value)| value);
    assert!(found.next().is_none(), "{name} stands twice in {url}");
    first
}

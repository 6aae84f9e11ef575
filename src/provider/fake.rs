//! A provider that does exactly what each test wants, byte for byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    ProviderClient,
    answer::{Answer, Challenge},
    discovery_lookup::Lookups,
    token_answer::{TokenAnswer, token_answer},
    upstream_error::UpstreamError,
};
use crate::{
    clock::{Clock, SystemClock},
    outbound::{Customize, Outbound, WayOut},
    provider::{Provider, generic},
};

/// A time limit that no test should reach.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);

/// What the provider does with a connection once the request is in.
#[derive(Clone)]
pub(crate) enum Script {
    Send(Vec<u8>),
    Hang,
    /// Headers, then one byte of the body every few milliseconds.
    Drip,
    /// Headers without a length, then a body without an end.
    Endless,
    /// Closes without a word.
    Close,
}

impl Script {
    pub(crate) fn response(status: &str, content_type: &str, body: &str) -> Self {
        Self::Send(
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }

    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::response(status, "application/json", body)
    }
}

/// An answer as it comes out of the transport.
pub(crate) fn answer(status: u16, content_type: Option<&str>, body: &[u8]) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        content_type: content_type.map(str::to_owned),
        limited: false,
        challenge: Challenge::None,
        body: Bytes::copy_from_slice(body),
    }
}

pub(crate) fn json_answer(status: u16, body: &str) -> Answer {
    answer(status, Some("application/json"), body.as_bytes())
}

/// What this provider's token endpoint said, read.
pub(crate) fn tokens(
    provider: &Provider,
    status: u16,
    body: &Value,
) -> Result<TokenAnswer, UpstreamError> {
    token_answer(provider, &json_answer(status, &body.to_string()))
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

pub(crate) struct FakeProvider {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl FakeProvider {
    pub(crate) async fn start(script: Script) -> Self {
        Self::with(move |_| script.clone()).await
    }

    /// `answer` is given the request's first line.
    pub(crate) async fn with(answer: impl Fn(&str) -> Script + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &seen, &*answer).await;
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn about(&self) -> Provider {
        generic(
            "https://idp.example/authorize",
            format!("http://{}/token", self.address),
            "app:1",
            "hunter2:+%/ ~",
        )
        .revocation_url(format!("http://{}/revoke", self.address))
    }

    pub(crate) fn client(&self) -> ProviderClient {
        client(self.about(), PATIENT)
    }

    pub(crate) fn request(&self) -> String {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let request = self.request();
        let body = request.split_once("\r\n\r\n").unwrap().1;
        url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Script + Send + Sync),
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let complete = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        (body.len() >= length.unwrap_or(0)).then_some(text)
    };
    let request = loop {
        if let Some(text) = complete(&request) {
            break text;
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let script = answer(request.lines().next().unwrap_or_default());
    seen.lock().unwrap().push(request);
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    match script {
        Script::Send(bytes) => stream.write_all(&bytes).await?,
        Script::Hang => tokio::time::sleep(PATIENT).await,
        Script::Close => {}
        Script::Drip => {
            stream.write_all(head).await?;
            stream.write_all(b"content-length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Script::Endless => {
            stream.write_all(head).await?;
            stream.write_all(b"\r\n").await?;
            loop {
                stream.write_all(&[b' '; 8192]).await?;
            }
        }
    }
    Ok(())
}

pub(crate) fn client(provider: Provider, timeout: Duration) -> ProviderClient {
    let direct: Customize = Box::new(reqwest::ClientBuilder::no_proxy);
    let outbound = outbound(direct, timeout);
    client_by(provider, &outbound, timeout)
}

pub(crate) fn client_by(
    provider: Provider,
    outbound: &Outbound,
    timeout: Duration,
) -> ProviderClient {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let lookups = Lookups::new(outbound, &clock);
    ProviderClient::new(Arc::new(provider), outbound, &lookups, timeout, clock)
}

pub(crate) fn outbound(customize: Customize, timeout: Duration) -> Outbound {
    let way = WayOut {
        customize: Some(customize),
        timeout,
        ..WayOut::default()
    };
    Outbound::new(&way).unwrap()
}

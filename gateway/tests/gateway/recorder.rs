//! A server behind that takes nothing but what the grammar of HTTP/1.1 says, to the byte, and notes it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// One request as its bytes came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Recorded {
    /// Each value of a field, in the spelling of RFC 9110 alone.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let all = self.fields.iter();
        let all = all.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        all.map(|(_, value)| &**value).collect()
    }
}

type Answer = Arc<dyn Fn(&Recorded) -> Vec<u8> + Send + Sync>;
type Noted = Arc<Mutex<(Vec<Recorded>, Vec<String>)>>;

/// A server, until dropped.
pub(crate) struct Recorder {
    address: SocketAddr,
    noted: Noted,
    task: AbortHandle,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Recorder {
    /// Answers each request with its target, so that it shows whose answer it is.
    pub(crate) async fn new() -> Self {
        Self::answering(own).await
    }

    /// Answers with these bytes.
    pub(crate) async fn answering(
        answer: impl Fn(&Recorded) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let noted = Noted::default();
        let (notes, answer): (_, Answer) = (Arc::clone(&noted), Arc::new(answer));
        let serving = async move {
            let mut all = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                all.spawn(serve(stream, Arc::clone(&notes), Arc::clone(&answer)));
            }
        };
        let task = tokio::spawn(serving).abort_handle();
        Self {
            address,
            noted,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All whole requests since the last time, on whatever connection. None may have been out of the grammar.
    #[track_caller]
    pub(crate) fn all(&self) -> Vec<Recorded> {
        let (requests, odd) = std::mem::take(&mut *self.noted.lock().unwrap());
        assert!(odd.is_empty(), "the gateway sent {odd:?}");
        requests
    }
}

/// The usual answer.
pub(crate) fn own(request: &Recorded) -> Vec<u8> {
    let length = request.target.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let body = match &*request.method {
        "HEAD" => "",
        _ => &request.target,
    };
    format!("{head}{body}").into_bytes()
}

async fn serve(mut stream: TcpStream, noted: Noted, answer: Answer) {
    let mut bytes = Vec::new();
    loop {
        match whole(&bytes) {
            Err(odd) => {
                let sent = String::from_utf8_lossy(&bytes).into_owned();
                noted.lock().unwrap().1.push(format!("{odd}: {sent:?}"));
                return;
            }
            Ok(Some((request, length))) => {
                bytes.drain(..length);
                let answer = answer(&request);
                noted.lock().unwrap().0.push(request);
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
            Ok(None) => {
                let mut part = [0; 16 << 10];
                let Ok(length @ 1..) = stream.read(&mut part).await else {
                    return;
                };
                bytes.extend_from_slice(&part[..length]);
            }
        }
    }
}

type Fields = Vec<(String, String)>;

/// The first request of these bytes and its length; `None` until it is whole.
fn whole(bytes: &[u8]) -> Result<Option<(Recorded, usize)>, String> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "not UTF-8")?;
    let (line, rest) = head.split_once("\r\n").unwrap_or((head, ""));
    let words: Vec<_> = line.split(' ').collect();
    let [method, target, "HTTP/1.1"] = words[..] else {
        return Err("the request line".to_owned());
    };
    if !target.starts_with('/') {
        return Err("the target".to_owned());
    }
    let mut request = Recorded {
        method: method.to_owned(),
        target: target.to_owned(),
        fields: fields(rest)?,
        ..Recorded::default()
    };
    let start = end + 4;
    let body = &bytes[start..];
    let (lengths, codings) = (
        request.values("content-length"),
        request.values("transfer-encoding"),
    );
    if request.values("host").len() != 1 {
        return Err("not one Host".to_owned());
    }
    let length = match (&lengths[..], &codings[..]) {
        ([], []) => 0,
        ([length], []) => {
            let length: usize = length.parse().map_err(|_| "the length")?;
            if body.len() < length {
                return Ok(None);
            }
            request.body = body[..length].to_vec();
            length
        }
        ([], ["chunked"]) => {
            let Some((data, trailers, length)) = chunked(body)? else {
                return Ok(None);
            };
            (request.body, request.trailers) = (data, trailers);
            length
        }
        _ => return Err("two ways to say the length".to_owned()),
    };
    Ok(Some((request, start + length)))
}

type Chunks = (Vec<u8>, Fields, usize);

fn chunked(body: &[u8]) -> Result<Option<Chunks>, String> {
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&body[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&body[at..at + line]).map_err(|_| "a chunk's size")?;
        let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk's size")?;
        at += line + 2;
        if size == 0 {
            break;
        }
        if body.len() < at + size + 2 {
            return Ok(None);
        }
        data.extend_from_slice(&body[at..at + size]);
        if &body[at + size..at + size + 2] != b"\r\n" {
            return Err("a chunk's end".to_owned());
        }
        at += size + 2;
    }
    if body[at..].starts_with(b"\r\n") {
        return Ok(Some((data, Vec::new(), at + 2)));
    }
    let Some(end) = find(&body[at..], b"\r\n\r\n") else {
        return Ok(None);
    };
    let trailers = std::str::from_utf8(&body[at..at + end]).map_err(|_| "a trailer")?;
    Ok(Some((data, fields(trailers)?, at + end + 4)))
}

fn fields(lines: &str) -> Result<Fields, String> {
    let lines = lines.split("\r\n").filter(|line| !line.is_empty());
    let field = |line: &str| {
        let (name, value) = line.split_once(':').ok_or("a line without a colon")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || !name.bytes().all(plain) || value.contains(['\r', '\n', '\0']) {
            return Err(format!("the field {line:?}"));
        }
        Ok((name.to_owned(), value.trim().to_owned()))
    };
    lines.map(field).collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}

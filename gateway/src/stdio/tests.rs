//! The endpoint, with real processes behind it.

use std::{convert::Infallible, path::Path, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tower_oauth_proxy::{AuthSession, testing::session as person};

use super::{StdioBehind, StdioSettings, body::StdioBody};
use crate::shutdown::{Phases, Shutdown};

mod alone;
mod bounds;
mod sessions;

/// No test waits longer for anything.
const LONG: Duration = Duration::from_secs(60);

fn settings(arguments: &[&str]) -> StdioSettings {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stdio/tests/server.py");
    let mut command = vec!["python3".into(), script.into_os_string()];
    command.extend(arguments.iter().map(std::ffi::OsString::from));
    let mut settings = StdioSettings::new(command);
    settings.limits.grace = Duration::from_millis(200);
    settings.check().unwrap();
    settings
}

/// No signal comes here.
fn running() -> Phases {
    let (shutdown, phases) = Shutdown::new();
    Box::leak(Box::new(shutdown));
    phases
}

fn behind(settings: StdioSettings) -> StdioBehind {
    StdioBehind::new(settings, running()).unwrap()
}

fn server() -> StdioBehind {
    behind(settings(&[]))
}

fn ada() -> AuthSession {
    person("ada").scopes(["read"]).build()
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: StdioBody,
    rest: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next message of the stream, or the whole body.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if self.header("content-type") == Some("text/event-stream") {
                while let Some((event, rest)) = self.rest.split_once("\n\n") {
                    let data = event
                        .lines()
                        .find_map(|line| line.strip_prefix("data: "))
                        .map(str::to_owned);
                    self.rest = rest.to_owned();
                    if let Some(data) = data {
                        return Some(serde_json::from_str(&data).unwrap());
                    }
                }
            }
            match timeout(LONG, self.body.frame()).await.unwrap() {
                Some(frame) => self
                    .rest
                    .push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap()),
                None if self.rest.is_empty() => return None,
                None => {
                    return Some(serde_json::from_str(&std::mem::take(&mut self.rest)).unwrap());
                }
            }
        }
    }
}

async fn send(
    server: &StdioBehind,
    who: &AuthSession,
    method: Method,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = Request::builder().method(method).uri("/mcp");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body: Full<Bytes> = Full::new(body.into());
    let request = request
        .body(body.map_err(|never: Infallible| match never {}))
        .unwrap();
    let answer = timeout(LONG, server.handle(request, who)).await.unwrap();
    let (parts, body) = answer.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
        rest: String::new(),
    }
}

const BOTH: (&str, &str) = ("accept", "application/json, text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

#[expect(clippy::needless_pass_by_value, reason = "so that calls read well")]
fn message(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

fn initialize() -> Value {
    message(
        0,
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
    )
}

/// A session of one person: its id, and the process.
struct Session<'a> {
    server: &'a StdioBehind,
    who: AuthSession,
    id: String,
    pid: i32,
}

impl<'a> Session<'a> {
    async fn begin(server: &'a StdioBehind, who: AuthSession) -> Self {
        let mut answer = send(
            server,
            &who,
            Method::POST,
            &[BOTH, JSON],
            initialize().to_string(),
        )
        .await;
        assert_eq!(answer.status, 200);
        let id = answer.header("mcp-session-id").unwrap().to_owned();
        let pid = answer.next().await.unwrap()["result"]["pid"]
            .as_i64()
            .unwrap();
        Self {
            server,
            who,
            id,
            pid: pid.try_into().unwrap(),
        }
    }

    async fn post(&self, body: Value) -> Answer {
        self.post_as(&self.who, body).await
    }

    async fn post_as(&self, who: &AuthSession, body: Value) -> Answer {
        let headers = [BOTH, JSON, ("mcp-session-id", &self.id)];
        send(self.server, who, Method::POST, &headers, body.to_string()).await
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let mut answer = self.post(message("c", method, params)).await;
        assert_eq!(answer.status, 200);
        loop {
            let told = answer.next().await.unwrap();
            if told["id"] == "c" {
                return told;
            }
        }
    }

    async fn with(&self, method: Method) -> Answer {
        let headers = [
            ("accept", "text/event-stream"),
            ("mcp-session-id", &*self.id),
        ];
        send(self.server, &self.who, method, &headers, Bytes::new()).await
    }
}

/// Whether there is such a process; one that nobody has reaped counts.
fn lives(pid: i32) -> bool {
    rustix::process::test_kill_process(rustix::process::Pid::from_raw(pid).unwrap()).is_ok()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = timeout(LONG, async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}

//! Requests over real sockets, each with its answer written down and judged.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;

/// The headers that matter to the protocol; the others would only fill the screen.
const SHOWN_HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "cache-control",
    "content-type",
    "cookie",
    "location",
    "origin",
    "set-cookie",
    "www-authenticate",
];

/// How much of a body is shown.
const SHOWN: usize = 1_600;

/// An HTTP client that follows no redirects and keeps a record.
pub(crate) struct Wire {
    http: reqwest::Client,
    /// Everything so far.
    pub(crate) steps: Vec<Step>,
    /// Whether to print each step as it happens.
    live: bool,
}

/// One request and its answer, secrets shortened.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) title: String,
    pub(crate) request: String,
    pub(crate) answer: String,
    /// What the answer had to be.
    pub(crate) expected: String,
    pub(crate) right: bool,
}

/// An answer, unshortened.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A step was not right; the record says how.
#[derive(Debug)]
pub(crate) struct Wrong;

impl Wire {
    pub(crate) fn new(live: bool) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            steps: Vec::new(),
            live,
        })
    }

    /// Sends a request and holds the answer against what is expected.
    pub(crate) async fn send(
        &mut self,
        title: &str,
        request: http::request::Builder,
        body: impl Into<String>,
        expected: &str,
        is_right: impl FnOnce(&Reply) -> bool,
    ) -> Result<Reply, Wrong> {
        let request = match request.body(body.into()) {
            Ok(request) => request,
            Err(error) => return self.fail(title, error),
        };
        let asked = written(
            &format!("{} {}", request.method(), request.uri()),
            request.headers(),
            request.body(),
        );
        let reply = match self.exchange(request).await {
            Ok(reply) => reply,
            Err(error) => return self.fail(title, error),
        };
        let right = is_right(&reply);
        self.record(Step {
            title: title.to_owned(),
            request: asked,
            answer: written(&reply.status.to_string(), &reply.headers, &reply.body),
            expected: expected.to_owned(),
            right,
        });
        if right { Ok(reply) } else { Err(Wrong) }
    }

    /// Writes down something that needed no request.
    pub(crate) fn note(
        &mut self,
        title: &str,
        seen: &str,
        expected: &str,
        right: bool,
    ) -> Result<(), Wrong> {
        self.record(Step {
            title: title.to_owned(),
            request: shorten(seen),
            answer: String::new(),
            expected: expected.to_owned(),
            right,
        });
        if right { Ok(()) } else { Err(Wrong) }
    }

    async fn exchange(&self, request: Request<String>) -> Result<Reply, reqwest::Error> {
        let request = reqwest::Request::try_from(request.map(Bytes::from))?;
        let answer = self.http.execute(request).await?;
        Ok(Reply {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.text().await?,
        })
    }

    fn fail<T>(&mut self, title: &str, error: impl fmt::Display) -> Result<T, Wrong> {
        self.note(title, &error.to_string(), "an answer", false)?;
        Err(Wrong)
    }

    fn record(&mut self, step: Step) {
        if self.live {
            println!("{}. {step}\n", self.steps.len() + 1);
        }
        self.steps.push(step);
    }
}

impl Reply {
    /// The answer to an MCP call: plain JSON, or the last event of a stream.
    pub(crate) fn json(&self) -> Value {
        let event = self
            .body
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: {"));
        match event {
            Some(event) => serde_json::from_str(&format!("{{{event}")),
            None => serde_json::from_str(&self.body),
        }
        .unwrap_or_default()
    }

    /// A text member of the JSON.
    pub(crate) fn member(&self, name: &str) -> String {
        let json = self.json();
        let member = json.get(name).and_then(Value::as_str);
        member.unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for line in self.request.lines() {
            writeln!(f, "   > {line}")?;
        }
        for line in self.answer.lines() {
            writeln!(f, "   < {line}")?;
        }
        let verdict = if self.right { "right" } else { "WRONG" };
        write!(f, "   {verdict}: expected {}", self.expected)
    }
}

fn written(first: &str, headers: &HeaderMap, body: &str) -> String {
    let mut text = format!("{first}\n");
    for (name, value) in headers {
        if SHOWN_HEADERS.contains(&name.as_str()) {
            text += &format!("{name}: {}\n", value.to_str().unwrap_or("(binary)"));
        }
    }
    let body = match serde_json::from_str::<Value>(body) {
        Ok(json) => format!("{json:#}"),
        Err(_) if body.starts_with("<!DOCTYPE") => format!("(a page of {} bytes)", body.len()),
        Err(_) => body.chars().take(SHOWN).collect(),
    };
    shorten(&(text + &body))
}

/// Cuts whatever looks like a secret: long runs that mix cases, or cases and digits, as random
/// values and tokens do and words do not.
pub(crate) fn shorten(text: &str) -> String {
    let in_run = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(in_run) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !in_run(c)).unwrap_or(from.len()));
        out += before;
        let mixed = run.contains(|c: char| c.is_ascii_uppercase())
            && run.contains(|c: char| c.is_ascii_lowercase());
        let digits = run.contains(|c: char| c.is_ascii_digit());
        if mixed && (run.len() >= 40 || run.len() >= 20 && digits) {
            out.extend(run.chars().take(8));
            out += "...";
        } else {
            out += run;
        }
        rest = after;
    }
    out + rest
}

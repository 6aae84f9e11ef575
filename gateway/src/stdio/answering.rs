//! How a process's messages become the answer to a request: JSON where there is one message and it comes soon, else a
//! stream of events.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    body::{Event, StdioBody, What},
    message::{Kind, Message},
    mux::Era,
    process::{Held, Outgoing, Unheard},
    refusal::{Refusal, empty, json},
    settings::{PATIENCE, QUEUE},
};

/// What one HTTP request has sent to a process, and where its answers come.
pub(super) struct Waiting {
    held: Held,
    outlet: Option<Outgoing>,
    events: mpsc::Receiver<Event>,
    requests: usize,
}

impl Waiting {
    pub(super) fn new(held: Held) -> Self {
        let (outlet, events) = mpsc::channel(QUEUE);
        Self {
            held,
            outlet: Some(outlet),
            events,
            requests: 0,
        }
    }

    pub(super) async fn send(&mut self, message: Message<'_>) -> Result<(), Unheard> {
        let process = Arc::clone(&self.held.process);
        match message.kind() {
            Kind::Request { .. } => {
                let Some(outlet) = self.outlet.clone() else {
                    return Ok(());
                };
                self.requests += 1;
                process.request(message, outlet, &mut self.held).await
            }
            Kind::Notification { .. } => process.notification(message).await,
            Kind::Response { .. } => process.response(message).await,
        }
    }

    /// The answer to the one request that was sent, without what comes before it.
    pub(super) async fn answer(mut self, most: Duration) -> Option<Event> {
        self.outlet = None;
        let end = Instant::now() + most;
        loop {
            match timeout_at(end, self.events.recv()).await {
                Ok(Some(Event {
                    what: What::Message,
                    ..
                })) => {}
                Ok(event) => return event,
                Err(_) => return None,
            }
        }
    }

    /// A stream ends at `end`, whatever it still waits for.
    pub(super) async fn into_answer(
        mut self,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Response<StdioBody>, Refusal> {
        // From here on the stream ends when the last request is answered.
        self.outlet = None;
        if self.requests == 0 {
            // "The server MUST return HTTP status code 202 Accepted with no body."
            return Ok(empty(StatusCode::ACCEPTED));
        }
        let first = match timeout(PATIENCE, self.events.recv()).await {
            Ok(Some(Event {
                text,
                what: What::Answer(code),
            })) if self.requests == 1 => {
                return Ok(json(self.status(code), text));
            }
            Ok(Some(Event {
                text,
                what: What::Ended,
            })) if self.requests == 1 => {
                return Ok(json(StatusCode::BAD_GATEWAY, text));
            }
            Ok(event) => event,
            Err(_) => None,
        };
        Ok(events(
            first.map(|event| event.text),
            self.events,
            self.held,
            end,
        ))
    }

    /// 2026-07-28 gives some errors a status; before, every answer is 200.
    fn status(&self, code: Option<i64>) -> StatusCode {
        match (self.held.era(), code) {
            (Era::Alone, Some(-32022..=-32020)) => StatusCode::BAD_REQUEST,
            (Era::Alone, Some(-32601)) => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        }
    }
}

/// The answer to `initialize`: with the session's id where it succeeds, and only there.
pub(super) async fn begins_session(
    message: Message<'_>,
    held: Held,
    id: &str,
    most: Duration,
) -> Result<Response<StdioBody>, Refusal> {
    let mut waiting = Waiting::new(held);
    waiting.send(message).await?;
    match waiting.answer(most).await {
        Some(Event {
            text,
            what: What::Answer(None),
        }) => {
            let mut answer = json(StatusCode::OK, text);
            let id = HeaderValue::from_str(id).map_err(|_| Refusal::not_started())?;
            answer.headers_mut().insert("mcp-session-id", id);
            Ok(answer)
        }
        Some(Event {
            text,
            what: What::Answer(Some(_)),
        }) => Ok(json(StatusCode::OK, text)),
        Some(Event {
            what: What::Ended | What::Message,
            ..
        }) => Err(Refusal::not_started()),
        None => Err(Refusal::no_answer()),
    }
}

/// A stream for what belongs to no request.
pub(super) fn stream(
    held: Held,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<Response<StdioBody>, Refusal> {
    let (outlet, rest) = mpsc::channel(QUEUE);
    let kept = held.process.mux().listen(outlet).map_err(Unheard::from)?;
    Ok(events(kept, rest, held, end))
}

fn events(
    came: impl IntoIterator<Item = Bytes>,
    rest: mpsc::Receiver<Event>,
    held: Held,
    end: impl Future<Output = ()> + Send + 'static,
) -> Response<StdioBody> {
    let mut answer = Response::new(StdioBody::events(came, rest, held, end));
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    // "Servers SHOULD include the X-Accel-Buffering: no header."
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

//! The endpoint: Streamable HTTP on one side, processes on the other.

use std::{error::Error, fmt};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use tokio::time::timeout;
use tower_oauth_proxy::{AuthSession, BoxError};

use super::{
    answering::{Waiting, begins_session, stream},
    asked::{Asked, has_json, takes},
    body::StdioBody,
    message::{Kind, Message, messages},
    mux::Era,
    pool::{Caller, Pool},
    process::Held,
    program::found,
    refusal::{Refusal, empty},
    settings::{BATCH, BODY, StdioSettings},
};
use crate::{inbound::UploadError, shutdown::Phases};

type Answer = Result<Response<StdioBody>, Refusal>;

/// A local MCP server that speaks on standard streams, as an endpoint of Streamable HTTP: a process for each session,
/// and one for each person and client whose requests have none.
pub(crate) struct StdioBehind {
    pool: Pool,
    phases: Phases,
}

impl StdioBehind {
    /// # Errors
    ///
    /// A sentence about what cannot work.
    pub(crate) fn new(settings: StdioSettings, phases: Phases) -> Result<Self, String> {
        settings.check()?;
        found(&settings)?;
        hide_from_children();
        let pool = Pool::new(settings);
        Ok(Self { pool, phases })
    }

    /// The answer to one request of this session.
    pub(crate) async fn handle<B>(
        &self,
        request: Request<B>,
        session: &AuthSession,
    ) -> Response<StdioBody>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        if parts.uri.path() != self.pool.settings.path {
            return empty(StatusCode::NOT_FOUND);
        }
        let caller = Caller::of(session, &self.pool.settings);
        let answer = match parts.method {
            Method::POST => self.post(&parts.headers, body, &caller).await,
            Method::GET => self.get(&parts.headers, &caller),
            Method::DELETE => self.delete(&parts.headers, &caller),
            _ => Err(Refusal::not_allowed()),
        };
        answer.unwrap_or_else(|refusal| {
            let status = refusal.status.as_u16();
            tracing::debug!(status, "refused before the MCP server: {}", refusal.words);
            refusal.answer()
        })
    }

    /// Whether the command can be started, for the readiness endpoint.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn probe(&self) -> Result<(), String> {
        found(&self.pool.settings)
    }

    /// Starts nothing any more, ends every process, and waits until nothing is left of them.
    pub(crate) async fn stop(&self) {
        self.pool.stop().await;
    }

    /// How many processes there are.
    #[cfg(test)]
    pub(super) fn processes(&self) -> usize {
        self.pool.len()
    }

    async fn post<B>(&self, headers: &HeaderMap, body: B, caller: &Caller) -> Answer
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        takes(headers, &["application/json", "text/event-stream"])?;
        has_json(headers)?;
        let asked = Asked::read(headers)?;
        let body = whole(body, self.pool.settings.limits.request_bytes).await?;
        let mut messages = messages(&body, BATCH)?;
        if body.trim_ascii_start().starts_with(b"[") {
            return self.batch(&asked, messages, caller).await;
        }
        let Some(message) = messages.pop() else {
            return Err(Refusal::bad("the body is empty"));
        };
        let id = message.id().cloned();
        let answer = match asked.era_of(&message) {
            Ok(Era::Alone) => self.alone(message, caller).await,
            Ok(Era::Sessions) => self.in_session(&asked, message, caller).await,
            Err(refusal) => Err(refusal),
        };
        answer.map_err(|refusal| refusal.of(id.as_ref()))
    }

    /// One message of a session, or the first.
    async fn in_session(&self, asked: &Asked<'_>, message: Message<'_>, caller: &Caller) -> Answer {
        if message.method() == Some("initialize") && message.id().is_some() {
            if asked.session.is_some() {
                let words = "`initialize` begins a session: it cannot be sent in one";
                return Err(Refusal::bad(words));
            }
            return self.initialize(message, caller).await;
        }
        let held = self.pool.session(asked.session()?, caller)?;
        self.pass_on(vec![message], held).await
    }

    /// Messages of one session, of which none begins it.
    async fn batch(
        &self,
        asked: &Asked<'_>,
        messages: Vec<Message<'_>>,
        caller: &Caller,
    ) -> Answer {
        if !asked.may_batch() {
            return Err(Refusal::bad("this protocol version has no batches"));
        }
        for message in &messages {
            if asked.era_of(message)? == Era::Alone || message.method() == Some("initialize") {
                return Err(Refusal::bad("such a message does not stand in a batch"));
            }
        }
        let held = self.pool.session(asked.session()?, caller)?;
        self.pass_on(messages, held).await
    }

    async fn initialize(&self, message: Message<'_>, caller: &Caller) -> Answer {
        let (id, held) = self.pool.begin(caller).await?;
        let mut unless = Unless::new(&self.pool, &id, caller);
        let answer = begins_session(message, held, &id, self.pool.settings.limits.start).await;
        unless.has_begun = answer
            .as_ref()
            .is_ok_and(|answer| answer.headers().contains_key("mcp-session-id"));
        answer
    }

    /// A request that stands alone.
    async fn alone(&self, message: Message<'_>, caller: &Caller) -> Answer {
        // "The client MUST NOT send JSON-RPC responses."
        if matches!(message.kind(), Kind::Response { .. }) {
            let words = "this protocol version has no responses from clients";
            return Err(Refusal::bad(words));
        }
        if self.pool.speaks(caller).await? == Era::Sessions {
            return Err(Refusal::only_sessions());
        }
        let held = self.pool.shared(caller).await?;
        self.pass_on(vec![message], held).await
    }

    async fn pass_on(&self, messages: Vec<Message<'_>>, held: Held) -> Answer {
        let mut waiting = Waiting::new(held);
        for message in messages {
            waiting.send(message).await?;
        }
        let mut phases = self.phases.clone();
        waiting
            .into_answer(async move { phases.ending().await })
            .await
    }

    /// The stream for what belongs to no request. Nothing is at work on it: it ends when the gateway begins to stop.
    fn get(&self, headers: &HeaderMap, caller: &Caller) -> Answer {
        let asked = Asked::read(headers)?;
        if asked.era() == Era::Alone {
            return Err(Refusal::not_allowed());
        }
        takes(headers, &["text/event-stream"])?;
        let held = self.pool.session(asked.session()?, caller)?;
        let mut phases = self.phases.clone();
        stream(held, async move { phases.stopping().await })
    }

    fn delete(&self, headers: &HeaderMap, caller: &Caller) -> Answer {
        let asked = Asked::read(headers)?;
        if asked.era() == Era::Alone {
            return Err(Refusal::not_allowed());
        }
        self.pool.end(asked.session()?, caller)?;
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

/// Ends a session that has not begun, also where its client has gone meanwhile: no one knows its id.
struct Unless<'a> {
    pool: &'a Pool,
    id: &'a str,
    caller: &'a Caller,
    has_begun: bool,
}

impl<'a> Unless<'a> {
    fn new(pool: &'a Pool, id: &'a str, caller: &'a Caller) -> Self {
        Self {
            pool,
            id,
            caller,
            has_begun: false,
        }
    }
}

impl Drop for Unless<'_> {
    fn drop(&mut self) {
        if !self.has_begun {
            // It may have ended by itself.
            drop(self.pool.end(self.id, self.caller));
        }
    }
}

async fn whole<B>(body: B, most: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    match timeout(BODY, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(Collected::to_bytes(body)),
        Ok(Err(error)) if is_too_large(&*error) => Err(Refusal::too_large(most)),
        Ok(Err(_)) => Err(Refusal::bad("the body could not be read")),
        Err(_) => Err(Refusal::slow()),
    }
}

fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    let upload = error.downcast_ref::<UploadError>();
    error.is::<LengthLimitError>()
        || upload == Some(&UploadError::TooLarge)
        || error.source().is_some_and(is_too_large)
}

/// Children run as the same user: without this each could read the gateway's memory and environment, where its
/// secrets are.
fn hide_from_children() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "processes of the same user can look into the gateway");
        }
    }
}

impl fmt::Debug for StdioBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("StdioBehind");
        told.field("processes", &self.pool.len())
            .finish_non_exhaustive()
    }
}

//! The endpoint: Streamable HTTP on one side, processes on the other.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;
use tower_oauth_proxy::AuthSession;

use super::{
    answering::{Waiting, begins_session, stream},
    asked::{Asked, has_json, takes},
    body::StdioBody,
    environment::environment,
    era::{DISCOVER, Known, patience},
    message::{Kind, Message, messages},
    mux::Era,
    owner::{Owner, Told},
    process::{Held, Process},
    refusal::{Refusal, empty},
    settings::{BATCH, BODY, StdioSettings},
    table::{Place, Table, Worker},
};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Answer = Result<Response<StdioBody>, Refusal>;

/// A local MCP server that speaks on standard streams, as an endpoint of Streamable HTTP: a process for each session,
/// and one for each person and client whose requests have none. Cloning is one reference count.
#[derive(Clone)]
pub(crate) struct StdioBehind {
    inner: Arc<Inner>,
}

struct Inner {
    settings: StdioSettings,
    table: Mutex<Table<Arc<Process>>>,
    known: tokio::sync::Mutex<Option<Known>>,
}

/// Who asks.
struct Caller {
    owner: Owner,
    told: Told,
}

impl StdioBehind {
    /// Of settings that were checked.
    pub(crate) fn new(settings: StdioSettings) -> Self {
        hide_from_children();
        let inner = Inner {
            settings,
            table: Mutex::new(Table::new()),
            known: tokio::sync::Mutex::new(None),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The answer to one request of this session.
    pub(crate) async fn handle<B>(
        &self,
        request: Request<B>,
        session: &AuthSession,
    ) -> Response<StdioBody>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Error>,
    {
        let (parts, body) = request.into_parts();
        if parts.uri.path() != self.inner.settings.path {
            return empty(StatusCode::NOT_FOUND);
        }
        let told = if self.inner.settings.tell_identity {
            Told::of(session)
        } else {
            Told::default()
        };
        let caller = Caller {
            owner: Owner::of(session),
            told,
        };
        let answer = match parts.method {
            Method::POST => self.post(&parts.headers, body, &caller).await,
            Method::GET => self.get(&parts.headers, &caller),
            Method::DELETE => self.delete(&parts.headers, &caller),
            _ => Err(not_allowed()),
        };
        answer.unwrap_or_else(|refusal| {
            tracing::debug!(
                status = refusal.status.as_u16(),
                "refused before the MCP server: {}",
                refusal.words
            );
            refusal.answer()
        })
    }

    /// How many processes there are.
    pub(crate) fn processes(&self) -> usize {
        self.table().len()
    }

    /// Starts nothing any more, ends every process, and waits until nothing is left of them.
    pub(crate) async fn close(&self) {
        let all = self.table().shut();
        all.iter().for_each(|process| process.end());
        for process in all {
            process.ended().await;
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<Arc<Process>>> {
        self.inner
            .table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn post<B>(&self, headers: &HeaderMap, body: B, caller: &Caller) -> Answer
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Error>,
    {
        takes(headers, &["application/json", "text/event-stream"])?;
        has_json(headers)?;
        let asked = Asked::read(headers)?;
        let body = whole(body, self.inner.settings.limits.request_bytes).await?;
        let mut messages = messages(&body, BATCH)?;
        if messages.len() > 1 || body.trim_ascii_start().starts_with(b"[") {
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
        let is_first = message.method() == Some("initialize") && message.id().is_some();
        if is_first {
            if asked.session.is_some() {
                return Err(Refusal::bad(
                    "`initialize` begins a session: it cannot be sent in one",
                ));
            }
            return self.initialize(message, caller).await;
        }
        let held = self.session(asked, caller)?;
        pass_on(vec![message], held).await
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
        let held = self.session(asked, caller)?;
        pass_on(messages, held).await
    }

    /// The process of the session that the request names.
    fn session(&self, asked: &Asked<'_>, caller: &Caller) -> Result<Held, Refusal> {
        // "Servers that require a session ID SHOULD respond to requests without an Mcp-Session-Id header (other than
        // initialization) with HTTP 400 Bad Request."
        let missing = || Refusal::bad("Bad Request: the header Mcp-Session-Id is missing");
        let id = asked.session.ok_or_else(missing)?;
        let table = self.table();
        let process = table
            .find(id, &caller.owner, &caller.told)
            .ok_or_else(Refusal::no_session)?;
        Ok(Held::new(process))
    }

    async fn initialize(&self, message: Message<'_>, caller: &Caller) -> Answer {
        let id = new_id()?;
        let held = self.start(&id, caller, Era::Sessions).await?;
        let process = Arc::clone(&held.process);
        let answer = begins_session(message, held, &id, self.inner.settings.limits.start).await;
        // What did not begin is no session.
        if !answer
            .as_ref()
            .is_ok_and(|answer| answer.headers().contains_key("mcp-session-id"))
        {
            drop(self.table().close(&id, &caller.owner));
            process.end();
        }
        answer
    }

    /// A request that stands alone.
    async fn alone(&self, message: Message<'_>, caller: &Caller) -> Answer {
        // "The client MUST NOT send JSON-RPC responses."
        if matches!(message.kind(), Kind::Response { .. }) {
            return Err(Refusal::bad(
                "this protocol version has no responses from clients",
            ));
        }
        if self.speaks(caller).await? == Era::Sessions {
            return Err(Refusal::only_sessions());
        }
        let held = self.shared(caller).await?;
        pass_on(vec![message], held).await
    }

    /// The process for the caller's requests without a session.
    async fn shared(&self, caller: &Caller) -> Result<Held, Refusal> {
        if let Some(process) = self.table().shared(&caller.owner, &caller.told) {
            return Ok(Held::new(process));
        }
        self.start(&new_id()?, caller, Era::Alone).await
    }

    /// Which revisions the command speaks. One asks, and others wait for what it learns.
    async fn speaks(&self, caller: &Caller) -> Result<Era, Refusal> {
        let mut known = self.inner.known.lock().await;
        if let Some(known) = known.filter(|known| known.holds(Instant::now())) {
            return Ok(known.era);
        }
        let held = self.shared(caller).await?;
        let process = Arc::clone(&held.process);
        let mut waiting = Waiting::new(held);
        waiting.send(Message::read(DISCOVER.as_bytes())?).await?;
        let answer = waiting
            .answer(patience(self.inner.settings.limits.start))
            .await;
        let learnt = Known::by(answer.as_ref(), Instant::now());
        if learnt.era == Era::Sessions {
            process.end();
        }
        *known = Some(learnt);
        Ok(learnt.era)
    }

    /// One more process, when there is room for it.
    async fn start(&self, id: &str, caller: &Caller, era: Era) -> Result<Held, Refusal> {
        loop {
            let leaving = {
                let mut table = self.table();
                if let Some(process) = table
                    .shared(&caller.owner, &caller.told)
                    .filter(|_| era == Era::Alone)
                {
                    return Ok(Held::new(process));
                }
                match table.place(&caller.owner, &self.inner.settings.limits) {
                    Place::Free => return self.start_in(&mut table, id, caller, era),
                    Place::After(process) => process,
                    Place::Full => return Err(Refusal::full()),
                    Place::Shut => return Err(Refusal::stopping()),
                }
            };
            leaving.end();
            leaving.ended().await;
        }
    }

    fn start_in(
        &self,
        table: &mut Table<Arc<Process>>,
        id: &str,
        caller: &Caller,
        era: Era,
    ) -> Result<Held, Refusal> {
        let Caller { owner, told } = caller;
        let settings = &self.inner.settings;
        let Ok(environment) = environment(settings, told, |name| std::env::var_os(name)) else {
            tracing::warn!(
                "no MCP server was started: the subject or the client of the session has control characters"
            );
            return Err(Refusal::not_started());
        };
        let process = Process::start(settings, environment, era)
            .map_err(|error| not_started(&error, settings))?;
        tracing::info!(
            pid = process.pid,
            subject = owner.subject(),
            "an MCP server was started"
        );
        let held = Held::new(&process);
        table.add(
            id.into(),
            owner.clone(),
            told.clone(),
            era == Era::Alone,
            process,
        );
        Ok(held)
    }

    /// The stream for what belongs to no request.
    fn get(&self, headers: &HeaderMap, caller: &Caller) -> Answer {
        let asked = Asked::read(headers)?;
        if asked.era() == Era::Alone {
            return Err(not_allowed());
        }
        takes(headers, &["text/event-stream"])?;
        let held = self.session(&asked, caller)?;
        stream(held)
    }

    fn delete(&self, headers: &HeaderMap, caller: &Caller) -> Answer {
        let asked = Asked::read(headers)?;
        if asked.era() == Era::Alone {
            return Err(not_allowed());
        }
        let missing = || Refusal::bad("Bad Request: the header Mcp-Session-Id is missing");
        let id = asked.session.ok_or_else(missing)?;
        let process = self
            .table()
            .close(id, &caller.owner)
            .ok_or_else(Refusal::no_session)?;
        process.end();
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

async fn pass_on(messages: Vec<Message<'_>>, held: Held) -> Answer {
    let mut waiting = Waiting::new(held);
    for message in messages {
        waiting.send(message).await?;
    }
    waiting.into_answer().await
}

async fn whole<B>(body: B, most: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<Error>,
{
    let collected = match timeout(BODY, Limited::new(body, most).collect()).await {
        Ok(collected) => collected,
        Err(_) => {
            return Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                -32000,
                "the body did not come in time",
            ));
        }
    };
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                let words = format!("the body is longer than {most} bytes");
                Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, -32000, words)
            } else {
                Refusal::bad("the body could not be read")
            }
        })
}

fn not_allowed() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        -32000,
        "Method not allowed.",
    )
}

fn not_started(error: &io::Error, settings: &StdioSettings) -> Refusal {
    let program = settings
        .command
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    tracing::error!(%error, program, "the MCP server could not be started");
    Refusal::not_started()
}

/// "The session ID SHOULD be globally unique and cryptographically secure": 192 random bits.
fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes).map_err(|_| Refusal::not_started())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Children run as the same user: without this each could read the gateway's memory and environment, where its
/// secrets are.
fn hide_from_children() {
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "processes of the same user can look into the gateway");
    }
}

impl fmt::Debug for StdioBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioBehind")
            .field("processes", &self.processes())
            .finish_non_exhaustive()
    }
}

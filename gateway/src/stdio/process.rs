//! One running command, and who uses it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use tokio::{
    process::Command,
    sync::{
        mpsc::{self, error::SendTimeoutError},
        watch,
    },
};

use super::{
    body::{Event, What},
    message::{Message, messages},
    mux::{Barred, Era, Heard, Mux, Outlet},
    settings::{BATCH, QUEUE, SLOW_PROCESS, SLOW_READER, StdioLimits, StdioSettings},
    supervisor,
    table::Worker,
};

pub(super) type Outgoing = mpsc::Sender<Event>;

impl Outlet for Outgoing {
    fn is_open(&self) -> bool {
        !self.is_closed()
    }

    fn is(&self, other: &Self) -> bool {
        self.same_channel(other)
    }
}

pub(super) struct Process {
    /// For the log.
    pub(super) pid: u32,
    era: Era,
    mux: Mutex<Mux<Outgoing>>,
    input: mpsc::Sender<Bytes>,
    users: AtomicUsize,
    used: Mutex<Instant>,
    stop: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

/// Why a message does not reach a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unheard {
    Barred(Barred),
    /// It does not read what it is sent.
    Busy,
}

impl From<Barred> for Unheard {
    fn from(barred: Barred) -> Self {
        Self::Barred(barred)
    }
}

impl Process {
    /// Starts the command, in a group of its own, with this environment and no other.
    pub(super) fn start(
        settings: &StdioSettings,
        environment: BTreeMap<OsString, OsString>,
        era: Era,
    ) -> io::Result<Arc<Self>> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "there is no command");
        let (program, arguments) = settings.command.split_first().ok_or_else(missing)?;
        let signals = supervisor::signals()?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(environment)
            .process_group(0)
            .kill_on_drop(true);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(folder) = &settings.folder {
            command.current_dir(folder);
        }
        let child = command.spawn()?;
        let pid = child.id().ok_or_else(missing)?;
        let (input, lines) = mpsc::channel(QUEUE);
        let process = Arc::new(Self {
            pid,
            era,
            mux: Mutex::new(Mux::new(era, settings.limits.pending)),
            input,
            users: AtomicUsize::new(0),
            used: Mutex::new(Instant::now()),
            stop: watch::Sender::new(false),
            ended: watch::Sender::new(false),
        });
        tokio::spawn(supervisor::supervise(
            Arc::clone(&process),
            child,
            lines,
            signals,
            settings.limits.clone(),
        ));
        Ok(process)
    }

    pub(super) fn mux(&self) -> MutexGuard<'_, Mux<Outgoing>> {
        self.mux.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks it to end; see [`ended`](Self::ended).
    pub(super) fn end(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn asked_to_end(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(super) fn has_been_reaped(&self) {
        self.ended.send_replace(true);
    }

    /// When it has ended, and nothing is left of it.
    pub(super) async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        // The sender stands beside: there is no error.
        drop(ended.wait_for(|ended| *ended).await);
    }

    /// Sends a request of a client.
    pub(super) async fn request(
        &self,
        message: Message<'_>,
        outlet: Outgoing,
        held: &mut Held,
    ) -> Result<(), Unheard> {
        let (ours, line) = self.mux().request(message, outlet, Instant::now())?;
        held.calls.push(ours);
        let sent = self.say(line).await;
        if sent.is_err() {
            self.mux().abandon(ours);
        }
        sent
    }

    pub(super) async fn notification(&self, message: Message<'_>) -> Result<(), Unheard> {
        let line = self.mux().notification(message)?;
        match line {
            Some(line) => self.say(line).await,
            None => Ok(()),
        }
    }

    pub(super) async fn response(&self, message: Message<'_>) -> Result<(), Unheard> {
        let line = self.mux().response(&message)?;
        self.say(line).await
    }

    async fn say(&self, line: Bytes) -> Result<(), Unheard> {
        match self.input.send_timeout(line, SLOW_PROCESS).await {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Timeout(_)) => Err(Unheard::Busy),
            Err(SendTimeoutError::Closed(_)) => Err(Barred::Ended.into()),
        }
    }

    /// Without waiting: what waits here reads what the process writes, and each would wait for the other.
    fn mention(&self, line: Bytes) {
        if self.input.try_send(line).is_err() {
            tracing::debug!(
                pid = self.pid,
                "the MCP server does not read: a message for it was left out"
            );
        }
    }

    /// A line of the process.
    pub(super) async fn heard(&self, line: &[u8]) {
        let Ok(messages) = messages(line, BATCH) else {
            tracing::warn!(
                pid = self.pid,
                bytes = line.len(),
                "the MCP server wrote what is no message to its standard output"
            );
            return;
        };
        for message in messages {
            let code = message.error_code();
            let heard = self.mux().heard(message);
            match heard {
                Heard::Answer(outlet, text) => self.deliver(outlet, text, What::Answer(code)).await,
                Heard::Message(outlet, text) => self.deliver(outlet, text, What::Message).await,
                Heard::Back(line) => self.mention(line),
                Heard::Nothing => {}
            }
        }
    }

    async fn deliver(&self, outlet: Outgoing, text: Bytes, what: What) {
        // An answer for a client that has gone is lost: nothing is kept for it.
        let sent = outlet.send_timeout(Event { text, what }, SLOW_READER).await;
        if let Err(SendTimeoutError::Timeout(_)) = sent {
            tracing::warn!(
                pid = self.pid,
                "a client does not read its stream, and loses it"
            );
            let lines = self.mux().lose(&outlet);
            lines.into_iter().for_each(|line| self.mention(line));
        }
    }

    /// Ends the requests that have waited for too long.
    pub(super) fn give_up(&self, limits: &StdioLimits) {
        let late = self.mux().overdue(Instant::now(), limits.answer);
        for (outlet, text, line) in late {
            drop(outlet.try_send(Event {
                text,
                what: What::Answer(Some(-32001)),
            }));
            self.mention(line);
        }
    }

    /// Tells all who wait that it has ended.
    pub(super) fn farewell(&self, reason: &str) {
        let waiting = self.mux().end(reason);
        for (outlet, text) in waiting {
            // A stream that is full ends without it.
            drop(outlet.try_send(Event {
                text,
                what: What::Ended,
            }));
        }
    }
}

impl Worker for Arc<Process> {
    fn idle_since(&self) -> Option<Instant> {
        if self.users.load(Ordering::Acquire) > 0 || self.mux().waits() {
            return None;
        }
        Some(*self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }
}

/// That somebody uses a process: a request on its way, or a stream.
pub(super) struct Held {
    pub(super) process: Arc<Process>,
    calls: Vec<i64>,
}

impl Held {
    pub(super) fn new(process: &Arc<Process>) -> Self {
        process.users.fetch_add(1, Ordering::AcqRel);
        Self {
            process: Arc::clone(process),
            calls: Vec::new(),
        }
    }

    pub(super) fn era(&self) -> Era {
        self.process.era
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let process = &self.process;
        // "The server MUST treat the client disconnecting as cancellation of that request", from 2026-07-28 on. Before,
        // "disconnection SHOULD NOT be interpreted as the client cancelling its request".
        if process.era == Era::Alone {
            for call in &self.calls {
                let line = process.mux().abandon(*call);
                line.into_iter().for_each(|line| process.mention(line));
            }
        }
        *process.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        process.users.fetch_sub(1, Ordering::AcqRel);
    }
}

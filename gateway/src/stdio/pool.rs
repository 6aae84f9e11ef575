//! The processes there are: found, started when there is room, and ended.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::time::timeout;
use tower_oauth_proxy::AuthSession;

use super::{
    answering::Waiting,
    environment::environment,
    era::{DISCOVER, Known, patience},
    message::Message,
    mux::Era,
    owner::{Owner, Told},
    process::{Held, Process},
    refusal::Refusal,
    settings::{STOP, StdioSettings},
    table::{Place, Table},
};

pub(super) struct Pool {
    pub(super) settings: StdioSettings,
    table: Mutex<Table<Arc<Process>>>,
    known: tokio::sync::Mutex<Option<Known>>,
}

/// Who asks.
pub(super) struct Caller {
    owner: Owner,
    told: Told,
}

impl Caller {
    pub(super) fn of(session: &AuthSession, settings: &StdioSettings) -> Self {
        // What a process is not told it cannot hold for true.
        let told = match settings.tell_identity {
            true => Told::of(session, settings.trusts_any_email),
            false => Told::default(),
        };
        Self {
            owner: Owner::of(session),
            told,
        }
    }
}

impl Pool {
    pub(super) fn new(settings: StdioSettings) -> Self {
        Self {
            settings,
            table: Mutex::new(Table::new()),
            known: tokio::sync::Mutex::new(None),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<Arc<Process>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.table().len()
    }

    /// Starts nothing any more, ends every process, and waits until nothing is left of them.
    pub(super) async fn stop(&self) {
        let all = self.table().shut();
        all.iter().for_each(|process| process.end());
        let ends = async {
            for process in all {
                process.ended().await;
            }
        };
        // Signals that cannot be ignored were sent long before.
        if timeout(self.settings.limits.grace * 2 + STOP, ends)
            .await
            .is_err()
        {
            tracing::warn!("some MCP servers did not end in time");
        }
    }

    /// The process of this session.
    pub(super) fn session(&self, id: &str, caller: &Caller) -> Result<Held, Refusal> {
        let table = self.table();
        let process = table.find(id, &caller.owner, &caller.told);
        process.map(Held::new).ok_or_else(Refusal::no_session)
    }

    /// A process for a new session, and the session's id.
    pub(super) async fn begin(&self, caller: &Caller) -> Result<(String, Held), Refusal> {
        let id = new_id()?;
        let held = self.start(&id, caller, Era::Sessions).await?;
        Ok((id, held))
    }

    /// Ends a session of the caller's.
    pub(super) fn end(&self, id: &str, caller: &Caller) -> Result<(), Refusal> {
        let process = self.table().close(id, &caller.owner);
        process.ok_or_else(Refusal::no_session)?.end();
        Ok(())
    }

    /// The process for the caller's requests without a session.
    pub(super) async fn shared(&self, caller: &Caller) -> Result<Held, Refusal> {
        if let Some(process) = self.table().shared(&caller.owner, &caller.told) {
            return Ok(Held::new(process));
        }
        self.start(&new_id()?, caller, Era::Alone).await
    }

    /// Which revisions the command speaks. One asks, and others wait for what it learns.
    pub(super) async fn speaks(&self, caller: &Caller) -> Result<Era, Refusal> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.filter(|known| known.holds(Instant::now())) {
            return Ok(known.era);
        }
        let held = self.shared(caller).await?;
        let process = Arc::clone(&held.process);
        let mut waiting = Waiting::new(held);
        waiting.send(Message::read(DISCOVER.as_bytes())?).await?;
        let answer = waiting.answer(patience(self.settings.limits.start)).await;
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
                let shared = table.shared(&caller.owner, &caller.told);
                if let Some(process) = shared.filter(|_| era == Era::Alone) {
                    return Ok(Held::new(process));
                }
                match table.place(&caller.owner, &self.settings.limits) {
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
        let own = |name: &str| std::env::var_os(name);
        let Ok(environment) = environment(&self.settings, told, own) else {
            tracing::warn!(
                "no MCP server was started: the subject or the client of the session has control characters"
            );
            return Err(Refusal::not_started());
        };
        let process = Process::start(&self.settings, environment, era);
        let process = process.map_err(|error| self.not_started(&error))?;
        tracing::info!(
            pid = process.pid,
            subject = self.settings.logs_persons.then(|| owner.subject()),
            "an MCP server was started"
        );
        metrics::counter!("oauth_gateway_stdio_starts_total").increment(1);
        let held = Held::new(&process);
        let is_shared = era == Era::Alone;
        table.add(id.into(), owner.clone(), told.clone(), is_shared, process);
        Ok(held)
    }

    fn not_started(&self, error: &io::Error) -> Refusal {
        let program = self.settings.command.first();
        tracing::error!(%error, ?program, "the MCP server could not be started");
        Refusal::not_started()
    }
}

/// "The session ID SHOULD be globally unique and cryptographically secure": 192 random bits.
fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes).map_err(|_| Refusal::not_started())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

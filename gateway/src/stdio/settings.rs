//! What the operator says of the command, and the bounds of its processes.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    time::Duration,
};

/// `--stdio -- COMMAND …`, checked by [`check`](Self::check).
#[derive(Debug, Clone)]
pub(crate) struct StdioSettings {
    /// The program and its arguments. No shell reads them. A program without a slash is looked for in `PATH`.
    pub(crate) command: Vec<OsString>,
    /// The folder in which it runs; the gateway's own unless set.
    pub(crate) folder: Option<PathBuf>,
    /// The path of the MCP endpoint, as clients ask for it.
    pub(crate) path: String,
    /// Variables of its environment.
    pub(crate) variables: BTreeMap<String, String>,
    /// Variables of the gateway's own environment that it may see, beside those that every program needs.
    pub(crate) pass: Vec<String>,
    /// Whether its environment says for whom it works: `MCP_AUTH_SUBJECT` and the rest.
    pub(crate) tell_identity: bool,
    /// Whether that is so of an address that the provider does not vouch for.
    pub(crate) trusts_any_email: bool,
    /// Whether the log says for whom a process works.
    pub(crate) logs_persons: bool,
    pub(crate) limits: StdioLimits,
}

impl StdioSettings {
    pub(crate) fn new(command: Vec<OsString>) -> Self {
        Self {
            command,
            folder: None,
            path: "/mcp".to_owned(),
            variables: BTreeMap::new(),
            pass: Vec::new(),
            tell_identity: true,
            trusts_any_email: false,
            logs_persons: true,
            limits: StdioLimits::default(),
        }
    }

    /// # Errors
    ///
    /// What is wrong, in words for the operator.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self
            .command
            .first()
            .is_none_or(|program| program.is_empty())
        {
            return Err(
                "`--stdio` needs a command after `--`, such as `--stdio -- npx -y some-mcp-server`"
                    .to_owned(),
            );
        }
        if self.command.iter().any(|word| has_nul(word)) {
            return Err("the command of `--stdio` contains a NUL character".to_owned());
        }
        if !self.path.starts_with('/') {
            return Err(format!(
                "the path of the MCP endpoint has to begin with `/`, and `{}` does not",
                self.path
            ));
        }
        for name in self.variables.keys().chain(&self.pass) {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(format!("`{name}` is no name of an environment variable"));
            }
            // Secrets of the gateway come by such variables.
            if name.starts_with("GATEWAY_") {
                return Err(format!(
                    "`{name}` is the gateway's own: no process behind it may see it"
                ));
            }
            if name.starts_with("MCP_AUTH_") {
                return Err(format!(
                    "`{name}` is set by the gateway: it says for whom a process works"
                ));
            }
        }
        if let Some((name, _)) = self
            .variables
            .iter()
            .find(|(_, value)| value.contains('\0'))
        {
            return Err(format!("the value of `{name}` contains a NUL character"));
        }
        self.limits.check()
    }
}

fn has_nul(word: &OsStr) -> bool {
    word.as_bytes().contains(&0)
}

/// Bounds, each of which the operator may change.
#[derive(Debug, Clone)]
pub(crate) struct StdioLimits {
    /// Processes at once. An interpreter takes 40 to 150 MB.
    pub(crate) processes: usize,
    /// Of them, for one person: a client that never ends its sessions costs others nothing.
    pub(crate) processes_of_one: usize,
    /// Without a request and without a stream for so long, a process ends.
    pub(crate) idle: Duration,
    /// From the start to the first answer: package runners such as `npx` load a package first.
    pub(crate) start: Duration,
    /// From a request to its answer. Subscriptions have no end.
    pub(crate) answer: Duration,
    /// From closing its input to the first signal, and from there to the last.
    pub(crate) grace: Duration,
    /// Bytes of one message of a client.
    pub(crate) request_bytes: usize,
    /// Bytes of one message of a process: pictures come as text.
    pub(crate) message_bytes: usize,
    /// Requests that wait for one process.
    pub(crate) pending: usize,
}

impl Default for StdioLimits {
    fn default() -> Self {
        Self {
            processes: 64,
            processes_of_one: 8,
            idle: Duration::from_secs(15 * 60),
            start: Duration::from_secs(60),
            answer: Duration::from_secs(60 * 60),
            grace: Duration::from_secs(2),
            request_bytes: 4 * 1024 * 1024,
            message_bytes: 16 * 1024 * 1024,
            pending: 64,
        }
    }
}

impl StdioLimits {
    fn check(&self) -> Result<(), String> {
        let numbers = [
            ("processes", self.processes),
            ("processes_of_one", self.processes_of_one),
            ("request_bytes", self.request_bytes),
            ("message_bytes", self.message_bytes),
            ("pending", self.pending),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return Err(format!("`{name}` of a stdio server cannot be 0"));
        }
        let spans = [
            ("idle", self.idle),
            ("start", self.start),
            ("answer", self.answer),
        ];
        match spans.iter().find(|(_, span)| span.is_zero()) {
            Some((name, _)) => Err(format!("`{name}` of a stdio server cannot be 0 s")),
            None => Ok(()),
        }
    }
}

/// Beyond the signals, for the processes to be reaped when the gateway stops.
pub(super) const STOP: Duration = Duration::from_secs(5);

/// Messages of one batch, which only 2025-03-26 has.
pub(super) const BATCH: usize = 32;

/// Messages that wait for a client to read them, and lines that wait for a process.
pub(super) const QUEUE: usize = 8;

/// A client that reads nothing for so long loses its stream: others of the same process wait meanwhile.
pub(super) const SLOW_READER: Duration = Duration::from_secs(30);

/// A process that reads nothing for so long is busy, and a client is told so.
pub(super) const SLOW_PROCESS: Duration = Duration::from_secs(10);

/// The time to send a whole body.
pub(super) const BODY: Duration = Duration::from_secs(60);

/// An answer that comes within this time is plain JSON with a status of its own; after it a stream begins.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// A comment on a stream that is silent, so that proxies and clients keep it, and a lost client is noticed.
pub(super) const BEAT: Duration = Duration::from_secs(25);

/// "A legacy server … may not respond at all" to what it does not know.
pub(super) const PROBE: Duration = Duration::from_secs(10);

/// What was guessed from silence is asked again after this time.
pub(super) const GUESS: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(change: impl Fn(&mut StdioSettings)) -> String {
        let mut settings = StdioSettings::new(vec!["cat".into()]);
        settings.check().unwrap();
        change(&mut settings);
        settings.check().unwrap_err()
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert!(fault(|s| s.command.clear()).contains("needs a command"));
        assert!(fault(|s| s.command = vec![OsString::new()]).contains("needs a command"));
        assert!(fault(|s| s.path = "mcp".to_owned()).contains("`mcp`"));
        assert!(fault(|s| s.pass.push("A=B".to_owned())).contains("`A=B`"));
        assert!(fault(|s| s.limits.pending = 0).contains("`pending`"));
        assert!(fault(|s| s.limits.idle = Duration::ZERO).contains("`idle`"));
    }

    #[test]
    fn the_gateways_own_variables_cannot_be_passed_on() {
        assert!(fault(|s| s.pass.push("GATEWAY_SECRET".to_owned())).contains("the gateway's own"));
        let set = |name: &str| {
            let name = name.to_owned();
            fault(move |s| drop(s.variables.insert(name.clone(), "x".to_owned())))
        };
        assert!(set("MCP_AUTH_SUBJECT").contains("set by the gateway"));
        assert!(set("GATEWAY_X").contains("the gateway's own"));
    }
}

//! The life of a process: its streams are read and written, and it ends with all that it started.

use std::{process::ExitStatus, sync::Arc, time::Duration};

use bytes::Bytes;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    signal::unix::{self, SignalKind},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    framing::{Lines, Said},
    process::Process,
    settings::StdioLimits,
    table::Worker,
};

/// Wakes when some child has ended. Asked for before the child starts, so that none is missed.
pub(super) fn signals() -> std::io::Result<unix::Signal> {
    unix::signal(SignalKind::child())
}

/// Why a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Exited,
    ClosedItsOutput,
    WroteTooMuch,
    Idle,
    Asked,
}

impl Why {
    /// For metrics.
    fn word(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::ClosedItsOutput => "closed_its_output",
            Self::WroteTooMuch => "wrote_too_much",
            Self::Idle => "idle",
            Self::Asked => "asked",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Exited => "it exited",
            Self::ClosedItsOutput => "it closed its standard output",
            Self::WroteTooMuch => "it wrote a message that is longer than `message_size`",
            Self::Idle => "nobody used it",
            Self::Asked => "its session ended",
        }
    }
}

/// What was written before a process died is still read, but no longer than this: a process that has left the group
/// may hold the stream open.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(super) async fn supervise(
    process: Arc<Process>,
    mut child: Child,
    lines: mpsc::Receiver<Bytes>,
    mut signals: unix::Signal,
    limits: StdioLimits,
) {
    let pid = process.pid;
    let running = metrics::gauge!("oauth_gateway_stdio_processes");
    running.increment(1);
    let writer = child
        .stdin
        .take()
        .map(|stdin| tokio::spawn(write(stdin, lines)));
    let mut reader = tokio::spawn(read(
        Arc::clone(&process),
        child.stdout.take(),
        limits.message_bytes,
    ));
    let listener = tokio::spawn(listen(pid, child.stderr.take()));

    let why = live(&process, &mut reader, &mut signals, &limits).await;

    // "The client SHOULD initiate shutdown by: First, closing the input stream to the child process".
    if let Some(writer) = writer {
        writer.abort();
        drop(writer.await);
    }
    end_group(pid, &mut signals, limits.grace).await;
    if !reader.is_finished() && timeout(LAST_WORDS, &mut reader).await.is_err() {
        reader.abort();
    }
    // Only now: until it is reaped, its number and that of its group are nobody else's.
    let status = child.wait().await.ok();
    process.farewell("the MCP server ended before it answered");
    process.has_been_reaped();
    running.decrement(1);
    if timeout(LAST_WORDS, listener).await.is_err() {
        tracing::debug!(
            pid,
            "something that the MCP server started still holds its standard error"
        );
    }
    tell(pid, why, status);
}

fn tell(pid: u32, why: Why, status: Option<ExitStatus>) {
    let status = status.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
    let why_words = why.words();
    metrics::counter!("oauth_gateway_stdio_ends_total", "reason" => why.word()).increment(1);
    if matches!(why, Why::Asked | Why::Idle) {
        tracing::info!(pid, %status, "the MCP server ended: {why_words}");
    } else {
        tracing::warn!(pid, %status, "the MCP server ended: {why_words}");
    }
}

/// Until there is a reason to end.
async fn live(
    process: &Arc<Process>,
    reader: &mut JoinHandle<Why>,
    signals: &mut unix::Signal,
    limits: &StdioLimits,
) -> Why {
    let mut stop = process.asked_to_end();
    let mut looks = interval(
        limits
            .idle
            .min(limits.answer)
            .div_f32(4.0)
            .clamp(SHORTEST_LOOK, LONGEST_LOOK),
    );
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if has_exited(process.pid) {
            return Why::Exited;
        }
        tokio::select! {
            _ = signals.recv() => {}
            _ = stop.wait_for(|stop| *stop) => return Why::Asked,
            why = &mut *reader => return why.unwrap_or(Why::ClosedItsOutput),
            _ = looks.tick() => {
                process.give_up(limits);
                if process.idle_since().is_some_and(|since| since.elapsed() >= limits.idle) {
                    return Why::Idle;
                }
            }
        }
    }
}

const SHORTEST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_secs(15);

/// Its input is closed. What does not end by that gets a signal, and then one that cannot be ignored: the whole group,
/// with what the command has started.
async fn end_group(pid: u32, signals: &mut unix::Signal, grace: Duration) {
    if !exits_within(pid, signals, grace).await {
        signal(pid, Signal::TERM);
        exits_within(pid, signals, grace).await;
    }
    signal(pid, Signal::KILL);
}

async fn exits_within(pid: u32, signals: &mut unix::Signal, grace: Duration) -> bool {
    let end = Instant::now() + grace;
    loop {
        if has_exited(pid) {
            return true;
        }
        tokio::select! {
            _ = signals.recv() => {}
            () = sleep_until(end) => return has_exited(pid),
        }
    }
}

/// Whether it has exited. It is not reaped by this.
fn has_exited(pid: u32) -> bool {
    let Some(pid) = to_pid(pid) else {
        return true;
    };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error: there is no such child, so nothing to wait for.
    waitid(WaitId::Pid(pid), options).map_or(true, |status| status.is_some())
}

fn signal(pid: u32, signal: Signal) {
    if let Some(group) = to_pid(pid) {
        // An error: nobody of the group is left.
        let _ = kill_process_group(group, signal);
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Bytes>) {
    while let Some(line) = lines.recv().await {
        let written = async {
            stdin.write_all(&line).await?;
            stdin.write_all(b"\n").await?;
            stdin.flush().await
        };
        if written.await.is_err() {
            return;
        }
    }
}

async fn read(process: Arc<Process>, stdout: Option<ChildStdout>, most: usize) -> Why {
    let Some(mut stdout) = stdout else {
        return Why::ClosedItsOutput;
    };
    let mut lines = Lines::new(most);
    loop {
        match stdout.read_buf(lines.room()).await {
            Ok(0) | Err(_) => return Why::ClosedItsOutput,
            Ok(_) => {}
        }
        loop {
            match lines.next() {
                Ok(Some(line)) => process.heard(&line).await,
                Ok(None) => break,
                Err(_) => return Why::WroteTooMuch,
            }
        }
    }
}

/// What it writes to its standard error goes to the log.
async fn listen(pid: u32, stderr: Option<ChildStderr>) {
    let Some(mut stderr) = stderr else {
        return;
    };
    let (mut said, mut chunk) = (Said::new(), vec![0; 4096]);
    let mut whiles = interval(Duration::from_secs(Said::WHILE));
    loop {
        tokio::select! {
            read = stderr.read(&mut chunk) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    let lines = said.heard(chunk.get(..length).unwrap_or_default());
                    lines.into_iter().for_each(|line| tracing::info!(target: "stdio", pid, "{line}"));
                }
            },
            _ = whiles.tick() => {
                let lost = said.go_on();
                if lost > 0 {
                    tracing::warn!(target: "stdio", pid, "{lost} lines of the MCP server's standard error were left out");
                }
            }
        }
    }
    if let Some(line) = said.end() {
        tracing::info!(target: "stdio", pid, "{line}");
    }
}

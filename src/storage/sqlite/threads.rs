//! The threads that own the connections: one writes, a few read.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::mpsc::Receiver;

use super::{
    file::{Opened, Place},
    queue::{Job, Queue},
    records::{Outcome, Read, Reader, Write, Writer, is_busy, is_full, storage_error},
};
use crate::error::{ConfigError, StorageError};

/// The most verbs that share one commit, and its flush to the disk.
const MAX_BATCH: usize = 64;
/// Expired records removed with a commit, and more of them for each verb in it: more than the
/// verbs can add, so that what has expired never piles up.
const SWEEP_BASE: usize = 16;
const SWEEP_PER_VERB: usize = 2;
/// Expired records removed when the file is full.
const SWEEP_WHEN_FULL: usize = 1024;
/// How long to sleep before asking again for a lock that another process holds; SQLite's own wait
/// grows to a tenth of a second, and starves among busy neighbours.
const LOCK_POLL: Duration = Duration::from_micros(500);

/// Ends with the queues: drop those first. Each thread hands back its connection, and they are closed
/// one after the other: of two that close at once neither is the last one, which tidies up.
pub(super) struct Threads(Vec<JoinHandle<Connection>>);

impl Drop for Threads {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            // It panics nowhere; if it did, there is nothing left to do.
            drop(thread.join());
        }
    }
}

pub(super) fn start(
    opened: Opened,
    busy_timeout: Duration,
    wait: Duration,
) -> Result<(Queue<Read>, Queue<Write>, Threads), ConfigError> {
    let Opened {
        path,
        place,
        writer,
        readers,
    } = opened;
    let place = Arc::new(place);
    let (reads, read_jobs) = Queue::new(wait);
    let (writes, write_jobs) = Queue::new(wait);
    let mut handles = Vec::with_capacity(readers.len() + 1);
    let spawned = (|| {
        let at = Arc::clone(&place);
        handles.push(spawn("sqlite-write", move || {
            serve_writes(&writer, write_jobs, &at, busy_timeout);
            writer
        })?);
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for reader in readers {
            let (jobs, at) = (Arc::clone(&read_jobs), Arc::clone(&place));
            handles.push(spawn("sqlite-read", move || {
                serve_reads(&reader, &jobs, &at);
                reader
            })?);
        }
        std::io::Result::Ok(())
    })();
    match spawned {
        Ok(()) => Ok((reads, writes, Threads(handles))),
        Err(error) => {
            drop((reads, writes));
            drop(Threads(handles));
            Err(super::file::refuse(
                &path,
                format_args!("no thread for it: {error}"),
            ))
        }
    }
}

fn spawn(
    name: &str,
    body: impl FnOnce() -> Connection + Send + 'static,
) -> std::io::Result<JoinHandle<Connection>> {
    thread::Builder::new().name(name.to_owned()).spawn(body)
}

fn serve_reads(connection: &Connection, jobs: &Mutex<Receiver<Job<Read>>>, place: &Place) {
    let mut reader = None;
    loop {
        let next = || {
            let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.blocking_recv()
        };
        let Some(job) = next() else { return };
        if job.is_abandoned() {
            continue;
        }
        let answer = place.check().and_then(|()| {
            let reader = prepared(&mut reader, || Reader::prepare(connection))?;
            reader
                .read(&job.request)
                .map_err(|error| storage_error(&error))
        });
        job.answer(answer);
    }
}

fn serve_writes(
    connection: &Connection,
    mut jobs: Receiver<Job<Write>>,
    place: &Place,
    busy_timeout: Duration,
) {
    let mut writer = None;
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while jobs.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
        batch.retain(|job| !job.is_abandoned());
        let ready = place
            .check()
            .and_then(|()| prepared(&mut writer, || Writer::prepare(connection)));
        match ready {
            Ok(writer) => serve_batch(writer, &mut batch, busy_timeout),
            Err(error) => {
                let text = match &error {
                    StorageError::Unavailable(cause) => cause.to_string(),
                    error => error.to_string(),
                };
                for job in batch.drain(..) {
                    job.answer(Err(StorageError::unavailable(text.clone())));
                }
            }
        }
    }
}

/// Prepared once it is needed and possible: a file that is damaged for now is no end of the thread.
fn prepared<T>(
    slot: &mut Option<T>,
    prepare: impl FnOnce() -> rusqlite::Result<T>,
) -> Result<&mut T, StorageError> {
    match slot {
        Some(ready) => Ok(ready),
        None => Ok(slot.insert(prepare().map_err(|error| storage_error(&error))?)),
    }
}

fn serve_batch(writer: &mut Writer<'_>, batch: &mut Vec<Job<Write>>, busy_timeout: Duration) {
    let error = match commit(writer, batch, busy_timeout) {
        Ok(outcomes) => {
            for (job, outcome) in batch.drain(..).zip(outcomes) {
                job.answer(Ok(outcome));
            }
            return;
        }
        Err(error) => error,
    };
    if is_busy(&error) {
        for job in batch.drain(..) {
            job.answer(Err(storage_error(&error)));
        }
        return;
    }
    if is_full(&error) {
        // Alone, so that it is not undone with the verb that found no room.
        let _ = sweep(writer, batch, busy_timeout);
    }
    // One verb that fails must not take the others with it: now each alone.
    for job in batch.drain(..) {
        let mut alone = vec![job];
        let outcome = commit(writer, &mut alone, busy_timeout);
        let outcome = outcome.map(|mut outcomes| outcomes.pop().unwrap_or_default());
        if let Some(job) = alone.pop() {
            job.answer(outcome.map_err(|error| storage_error(&error)));
        }
    }
}

/// All of the batch or nothing. What comes back is on the disk, one outcome for each job that is left: those
/// whose callers leave before the file is ours are dropped. They were told that it did not work, and it must not
/// come true behind their backs once the lock is free.
fn commit(
    writer: &mut Writer<'_>,
    batch: &mut Vec<Job<Write>>,
    busy_timeout: Duration,
) -> rusqlite::Result<Vec<Outcome>> {
    let is_ours = begin(writer, busy_timeout, || {
        batch.retain(|job| !job.is_abandoned());
        !batch.is_empty()
    })?;
    if !is_ours {
        return Ok(Vec::new());
    }
    in_transaction(writer, |writer| {
        let mut outcomes = Vec::with_capacity(batch.len());
        for job in batch.iter() {
            outcomes.push(writer.apply(&job.request)?);
        }
        let limit = SWEEP_BASE + SWEEP_PER_VERB * batch.len();
        writer.sweep(now(batch), limit)?;
        Ok(outcomes)
    })
}

fn sweep(
    writer: &mut Writer<'_>,
    batch: &[Job<Write>],
    busy_timeout: Duration,
) -> rusqlite::Result<()> {
    begin(writer, busy_timeout, || true)?;
    in_transaction(writer, |writer| writer.sweep(now(batch), SWEEP_WHEN_FULL))
}

fn now(batch: &[Job<Write>]) -> i64 {
    batch.iter().map(|job| job.request.now).min().unwrap_or(0)
}

/// The one that has begun.
fn in_transaction<'c, T>(
    writer: &mut Writer<'c>,
    body: impl FnOnce(&mut Writer<'c>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let result = body(writer).and_then(|result| writer.commit().map(|()| result));
    if result.is_err() {
        // The error that was first counts; `begin` tries this again.
        let _ = writer.roll_back();
    }
    result
}

/// Only this waits for other processes: once it has the lock, nothing else is contended. `false` without it, once
/// it is not wanted any more.
fn begin(
    writer: &Writer<'_>,
    busy_timeout: Duration,
    mut is_wanted: impl FnMut() -> bool,
) -> rusqlite::Result<bool> {
    let start = Instant::now();
    while is_wanted() {
        match writer.begin() {
            Err(error) if is_busy(&error) && start.elapsed() < busy_timeout => {
                thread::sleep(LOCK_POLL);
            }
            begun => return begun.map(|()| true),
        }
    }
    Ok(false)
}

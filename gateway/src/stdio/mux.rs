//! Who gets what: many requests share the two streams of one process.
//!
//! Towards the process each request has an id of ours, so that no two are the same, whoever made them; the client
//! sees its own again. Nothing here reads or writes a stream.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::message::{CANCELLED, Id, Message, PROGRESS_OF_REQUEST, cancelled, error};

/// Where messages for a client go.
pub(super) trait Outlet: Clone {
    /// Whether there is still a client behind it.
    fn is_open(&self) -> bool;
    /// Whether the two lead to one client.
    fn is(&self, other: &Self) -> bool;
}

/// Which revisions of MCP are spoken with this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// Up to 2025-11-25: `initialize`, a session, requests in both directions.
    Sessions,
    /// From 2026-07-28 on: each request stands alone.
    Alone,
}

/// A request that waits for its answer.
struct Pending<S> {
    id: Id,
    token: Option<Id>,
    listens: bool,
    /// Its end is looked for elsewhere, or it has none.
    has_time: bool,
    since: Instant,
    outlet: S,
}

/// What to do with a message of the process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<S> {
    /// The answer to a request: the last that its client gets for it.
    Answer(S, Bytes),
    /// Something before the answer, or beside all requests.
    Message(S, Bytes),
    /// For the process: we answer in the client's place.
    Back(Bytes),
    /// Kept until a client listens, or of no use to anyone.
    Nothing,
}

/// Why a message of a client does not reach the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Barred {
    /// So many requests wait already.
    Full,
    /// The process has ended.
    Ended,
    /// The process asked for no such answer.
    Unasked,
}

pub(super) struct Mux<S> {
    era: Era,
    next: i64,
    pending: BTreeMap<i64, Pending<S>>,
    most: usize,
    /// Requests of the process that the client has not answered.
    asked: HashSet<Id>,
    /// The client's stream for what belongs to none of its requests.
    beside: Option<S>,
    /// What waits for that stream.
    kept: VecDeque<Bytes>,
    ended: bool,
}

/// So many messages wait for a client that does not listen; then the oldest is forgotten.
const KEPT: usize = 32;

impl<S: Outlet> Mux<S> {
    pub(super) fn new(era: Era, most: usize) -> Self {
        Self {
            era,
            next: 0,
            pending: BTreeMap::new(),
            most,
            asked: HashSet::new(),
            beside: None,
            kept: VecDeque::new(),
            ended: false,
        }
    }

    pub(super) fn waits(&self) -> bool {
        !self.pending.is_empty()
    }

    /// A request of a client: our name for it, and the line for the process.
    pub(super) fn request(
        &mut self,
        mut message: Message<'_>,
        outlet: S,
        now: Instant,
    ) -> Result<(i64, Bytes), Barred> {
        if self.ended {
            return Err(Barred::Ended);
        }
        if self.pending.len() >= self.most {
            return Err(Barred::Full);
        }
        let Some(id) = message.id().cloned() else {
            return Err(Barred::Unasked);
        };
        self.next += 1;
        let ours = Id::Number(self.next);
        let token = message.id_at(PROGRESS_OF_REQUEST);
        let listens = message.method() == Some("subscriptions/listen");
        let has_time =
            listens || matches!(message.method(), Some("initialize" | "server/discover"));
        message.set_id(&ours);
        message.set_id_at(PROGRESS_OF_REQUEST, &ours);
        let waiting = Pending {
            id,
            token,
            listens,
            has_time,
            since: now,
            outlet,
        };
        self.pending.insert(self.next, waiting);
        Ok((self.next, message.line()))
    }

    /// A notification of a client: the line for the process, if it is of use there.
    pub(super) fn notification(
        &mut self,
        mut message: Message<'_>,
    ) -> Result<Option<Bytes>, Barred> {
        if self.ended {
            return Err(Barred::Ended);
        }
        if message.method() == Some("notifications/cancelled") {
            // Where requests stand alone it could be another client's: there a stream that is closed says so.
            if self.era == Era::Alone {
                return Ok(None);
            }
            let Some(ours) = message.id_at(CANCELLED).and_then(|id| self.ours(&id)) else {
                // Unknown or answered already: "Invalid cancellation notifications SHOULD be ignored".
                return Ok(None);
            };
            // Receivers "SHOULD … not send a response for the cancelled request": then the stream would stay open.
            self.pending.remove(&ours);
            message.set_id_at(CANCELLED, &Id::Number(ours));
        }
        Ok(Some(message.line()))
    }

    /// A client's answer to a request of the process.
    pub(super) fn response(&mut self, message: &Message<'_>) -> Result<Bytes, Barred> {
        if self.ended {
            return Err(Barred::Ended);
        }
        let asked = message.id().is_some_and(|id| self.asked.remove(id));
        if asked {
            Ok(message.line())
        } else {
            Err(Barred::Unasked)
        }
    }

    /// The newest of a client's requests of this name.
    fn ours(&self, id: &Id) -> Option<i64> {
        let found = self
            .pending
            .iter()
            .rev()
            .find(|(_, waiting)| waiting.id == *id);
        found.map(|(ours, _)| *ours)
    }

    /// The client has gone: the line that tells the process so, if it still works on the request.
    pub(super) fn abandon(&mut self, ours: i64) -> Option<Bytes> {
        self.pending.remove(&ours)?;
        Some(cancelled(&Id::Number(ours), "the client has gone"))
    }

    /// A client does not read its stream: it is taken from it. Gives the lines for the process, as
    /// [`abandon`](Self::abandon) does.
    pub(super) fn lose(&mut self, outlet: &S) -> Vec<Bytes> {
        self.beside = self.beside.take().filter(|beside| !beside.is(outlet));
        let lost = self
            .pending
            .iter()
            .filter(|(_, waiting)| waiting.outlet.is(outlet));
        let lost: Vec<i64> = lost.map(|(ours, _)| *ours).collect();
        lost.into_iter()
            .filter_map(|ours| self.abandon(ours))
            .collect()
    }

    /// Requests that have waited for too long: an error for the client, and a line for the process.
    pub(super) fn overdue(&mut self, now: Instant, most: Duration) -> Vec<(S, Bytes, Bytes)> {
        let late = |waiting: &Pending<S>| {
            !waiting.has_time && now.saturating_duration_since(waiting.since) > most
        };
        let late = self.pending.iter().filter(|(_, waiting)| late(waiting));
        let late: Vec<i64> = late.map(|(ours, _)| *ours).collect();
        let removed = late
            .into_iter()
            .filter_map(|ours| Some((ours, self.pending.remove(&ours)?)));
        removed
            .map(|(ours, waiting)| {
                let text = error(
                    Some(&waiting.id),
                    -32001,
                    "the MCP server did not answer in time",
                );
                (
                    waiting.outlet,
                    text,
                    cancelled(&Id::Number(ours), "it took too long"),
                )
            })
            .collect()
    }

    /// The process has ended: what each waiting client is told. From now on nothing is taken.
    pub(super) fn end(&mut self, reason: &str) -> Vec<(S, Bytes)> {
        self.ended = true;
        self.beside = None;
        self.kept.clear();
        let pending = std::mem::take(&mut self.pending);
        let told = pending
            .into_values()
            .map(|waiting| (waiting.outlet, error(Some(&waiting.id), -32603, reason)));
        told.collect()
    }

    /// A client listens for what belongs to no request. An earlier stream ends: it may be one whose client has gone.
    /// Gives what has waited.
    pub(super) fn listen(&mut self, outlet: S) -> Result<Vec<Bytes>, Barred> {
        if self.ended {
            return Err(Barred::Ended);
        }
        self.beside = Some(outlet);
        Ok(self.kept.drain(..).collect())
    }
}

mod hearing;
#[cfg(test)]
mod tests;

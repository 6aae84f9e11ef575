//! The other direction: for whom a message of the process is.

use bytes::Bytes;

use super::{Era, Heard, KEPT, Mux, Outlet, Pending};
use crate::stdio::message::{
    CANCELLED, Id, Kind, Message, PROGRESS, SUBSCRIPTION, SUBSCRIPTION_OF_RESULT, error, pong,
};

impl<S: Outlet> Mux<S> {
    /// A message of the process.
    pub(in super::super) fn heard(&mut self, mut message: Message<'_>) -> Heard<S> {
        match message.kind().clone() {
            Kind::Response { id } => self.answer(message, id.as_ref()),
            Kind::Request { id, .. } => self.asks(&message, id),
            Kind::Notification { method } => match &*method {
                "notifications/progress" => self.progress(message),
                "notifications/cancelled" => self.ends(message),
                _ if self.era == Era::Alone => self.of_a_request(&mut message),
                // "These messages SHOULD relate to the originating client request": a log line may.
                "notifications/message" => self.send(message.line(), true),
                _ => self.send(message.line(), false),
            },
        }
    }

    fn answer(&mut self, mut message: Message<'_>, id: Option<&Id>) -> Heard<S> {
        let Some(&Id::Number(ours)) = id else {
            return Heard::Nothing;
        };
        // A late answer to what was cancelled finds nothing.
        let Some(waiting) = self.pending.remove(&ours) else {
            return Heard::Nothing;
        };
        message.set_id(&waiting.id);
        message.set_id_at(SUBSCRIPTION_OF_RESULT, &waiting.id);
        Heard::Answer(waiting.outlet, message.line())
    }

    fn asks(&mut self, message: &Message<'_>, id: Id) -> Heard<S> {
        // "The server MUST NOT write JSON-RPC requests to stdout", from 2026-07-28 on.
        if self.era == Era::Alone {
            return Heard::Back(error(
                Some(&id),
                -32601,
                "there are no requests to the client in this protocol version",
            ));
        }
        if message.method() == Some("ping") && self.newest().is_none() && !self.is_heard_beside() {
            // No client listens at the moment, but the line works.
            return Heard::Back(pong(&id));
        }
        if self.asked.len() >= self.most {
            return Heard::Back(error(
                Some(&id),
                -32603,
                "too many requests wait for the client",
            ));
        }
        self.asked.insert(id);
        self.send(message.line(), true)
    }

    fn progress(&mut self, mut message: Message<'_>) -> Heard<S> {
        let Some(Id::Number(ours)) = message.id_at(PROGRESS) else {
            return Heard::Nothing;
        };
        let Some(Pending {
            token: Some(token),
            outlet,
            ..
        }) = self.pending.get(&ours)
        else {
            return Heard::Nothing;
        };
        message.set_id_at(PROGRESS, token);
        Heard::Message(outlet.clone(), message.line())
    }

    /// The process takes a request back, or ends a subscription.
    fn ends(&mut self, mut message: Message<'_>) -> Heard<S> {
        let Some(id) = message.id_at(CANCELLED) else {
            return Heard::Nothing;
        };
        if self.era == Era::Sessions {
            return if self.asked.remove(&id) {
                self.send(message.line(), true)
            } else {
                Heard::Nothing
            };
        }
        let Id::Number(ours) = id else {
            return Heard::Nothing;
        };
        let Some(waiting) = self.pending.remove(&ours) else {
            return Heard::Nothing;
        };
        message.set_id_at(CANCELLED, &waiting.id);
        message.set_id_at(SUBSCRIPTION, &waiting.id);
        Heard::Answer(waiting.outlet, message.line())
    }

    /// Of a subscription that it names, else of the newest request.
    fn of_a_request(&mut self, message: &mut Message<'_>) -> Heard<S> {
        if let Some(id) = message.id_at(SUBSCRIPTION) {
            let Id::Number(ours) = id else {
                return Heard::Nothing;
            };
            let Some(waiting) = self.pending.get(&ours) else {
                return Heard::Nothing;
            };
            message.set_id_at(SUBSCRIPTION, &waiting.id);
            return Heard::Message(waiting.outlet.clone(), message.line());
        }
        match self.newest() {
            Some(outlet) => Heard::Message(outlet, message.line()),
            None => Heard::Nothing,
        }
    }

    /// To one stream and no other: the server "MUST NOT broadcast the same message across multiple streams".
    fn send(&mut self, line: Bytes, is_related: bool) -> Heard<S> {
        let beside = self.beside.clone().filter(Outlet::is_open);
        let newest = self.newest();
        let (first, second) = if is_related {
            (newest, beside)
        } else {
            (beside, newest)
        };
        if let Some(outlet) = first.or(second) {
            return Heard::Message(outlet, line);
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(line);
        Heard::Nothing
    }

    fn is_heard_beside(&self) -> bool {
        self.beside.as_ref().is_some_and(Outlet::is_open)
    }

    fn newest(&self) -> Option<S> {
        let mut open = self
            .pending
            .values()
            .rev()
            .filter(|waiting| !waiting.listens && waiting.outlet.is_open());
        open.next().map(|waiting| waiting.outlet.clone())
    }
}

//! Reads from a JSON-RPC body what it asks for, chunk by chunk, and refuses what two JSON readers could understand
//! differently.
//!
//! The server behind has a reader of its own, in a language that is not known here. So the rule is: what is let
//! through says the same method and name to every reader that accepts it. A key that stands twice counts as its
//! first to some, as its last to others; one that differs in case only counts as the same in Go and .NET; a reader
//! in C ends a text at NUL. All these are refused at the levels where method and name stand. What is deeper
//! (`arguments`, `_meta`) has to be JSON and no more.
//!
//! Only a key, the method and the name are kept, so a body may have any length.

mod ambiguous;
mod call;
mod envelope;
mod grammar;
mod key_name;
mod member;
mod scalar;
#[cfg(test)]
mod tests;
mod utf8;

pub(crate) use ambiguous::Ambiguous;
#[cfg(test)]
pub(crate) use call::NameKey;
pub(crate) use call::{Call, Message, name_key};
pub(crate) use grammar::{Grammar, Hears};

use envelope::Envelope;

/// A body that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    grammar: Grammar,
    envelope: Envelope,
    failed: Option<Ambiguous>,
}

/// How much of a body was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// What it asks for is not yet known.
    More,
    /// It is known: see [`Reader::message`]. What follows is still read: it may make the body ambiguous.
    Call,
}

impl Reader {
    /// A method or a name may have so many bytes.
    pub(crate) fn new(longest_name: usize) -> Self {
        Self {
            grammar: Grammar::new(),
            envelope: Envelope::new(longest_name),
            failed: None,
        }
    }

    /// Reads the next bytes. After an error, every later call says the same error.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<Seen, Ambiguous> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        if let Err(wrong) = self.grammar.feed(chunk, &mut self.envelope) {
            self.failed = Some(wrong);
            return Err(wrong);
        }
        match self.envelope.message {
            Some(_) => Ok(Seen::Call),
            None => Ok(Seen::More),
        }
    }

    /// There are no more bytes.
    pub(crate) fn finish(&mut self) -> Result<&Message, Ambiguous> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        self.grammar.finish()?;
        self.message().ok_or(Ambiguous::Unfinished)
    }

    /// What the body asks for, as soon as that is known.
    pub(crate) fn message(&self) -> Option<&Message> {
        self.envelope.message.as_ref()
    }
}

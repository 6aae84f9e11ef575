//! Takes from the lists in a JSON-RPC answer what is not to be shown, and leaves every other byte as it is.

use super::reader::{Ambiguous, Grammar, Hears};
use crate::limits::{MAX_CALL_NAME, MAX_LISTED};

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListOf {
    Tools,
    Prompts,
    Resources,
}

impl ListOf {
    /// By the member of the answer's `result`.
    fn member(name: &[u8]) -> Option<Self> {
        match name {
            b"tools" => Some(Self::Tools),
            b"prompts" => Some(Self::Prompts),
            b"resources" => Some(Self::Resources),
            _ => None,
        }
    }

    /// The member of an entry by which it is called.
    fn name_key(self) -> &'static [u8] {
        match self {
            Self::Tools | Self::Prompts => b"name",
            Self::Resources => b"uri",
        }
    }
}

/// Why a list is not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unlistable {
    #[error("the server's list cannot be read: {0}")]
    NotJson(#[from] Ambiguous),
    #[error("an entry of the server's list is longer than {MAX_LISTED} bytes")]
    TooLong,
}

/// One JSON document that is being filtered. It keeps the entry at hand, and nothing else.
#[derive(Debug)]
pub(super) struct ListFilter {
    grammar: Grammar,
    ear: Ear,
    entry: Vec<u8>,
    /// An entry of the list at hand was handed on.
    is_begun: bool,
}

impl ListFilter {
    pub(super) fn new() -> Self {
        Self {
            grammar: Grammar::new(),
            ear: Ear::new(),
            entry: Vec::new(),
            is_begun: false,
        }
    }

    /// Reads on, and writes to `out` what is handed on. `shown` judges entries by their names.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        shown: &dyn Fn(ListOf, &str) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unlistable> {
        while !bytes.is_empty() {
            // The place changes at single bytes; a long text is taken at once.
            let (piece, rest) = bytes.split_at(self.grammar.run(bytes).max(1));
            bytes = rest;
            let before = self.ear.place();
            self.grammar.feed(piece, &mut self.ear)?;
            match (before, self.ear.place()) {
                (Place::Outside, Place::Outside) | (Place::List, Place::Outside) => {
                    out.extend_from_slice(piece);
                }
                (_, Place::Entry) => self.hold(piece)?,
                (Place::Outside, Place::List) => {
                    self.is_begun = false;
                    out.extend_from_slice(piece);
                }
                // Commas are written anew, and what is no object is no entry.
                (Place::List, Place::List) => {}
                (Place::Entry, _) => {
                    self.hold(piece)?;
                    if self.ear.entry_is(shown) {
                        if self.is_begun {
                            out.push(b',');
                        }
                        self.is_begun = true;
                        out.extend_from_slice(&self.entry);
                    }
                    self.entry.clear();
                }
            }
        }
        Ok(())
    }

    /// The document is over.
    pub(super) fn finish(&self) -> Result<(), Unlistable> {
        match self.grammar.finish() {
            Err(Ambiguous::Empty) => Ok(()),
            finished => Ok(finished?),
        }
    }

    fn hold(&mut self, piece: &[u8]) -> Result<(), Unlistable> {
        if self.entry.len() + piece.len() > MAX_LISTED {
            return Err(Unlistable::TooLong);
        }
        self.entry.extend_from_slice(piece);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// Inside of a list, between entries.
    List,
    Entry,
}

/// The member whose value comes next, where it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Other,
    Result,
    List(ListOf),
    Name,
}

/// Listens for `result.tools[].name` and the like, in one answer or in each of a batch.
#[derive(Debug)]
struct Ear {
    /// How many containers are open inside a message: 2 in a batch.
    level: u8,
    in_result: bool,
    list: Option<ListOf>,
    in_entry: bool,
    next: Next,
    text: Vec<u8>,
    /// The text at hand is longer than a name may be, or no text.
    is_bad: bool,
    /// The names of the entry: one, else it cannot be called.
    name: Option<String>,
    has_bad_name: bool,
}

impl Ear {
    fn new() -> Self {
        Self {
            level: 1,
            in_result: false,
            list: None,
            in_entry: false,
            next: Next::Other,
            text: Vec::new(),
            is_bad: false,
            name: None,
            has_bad_name: false,
        }
    }

    fn place(&self) -> Place {
        match (self.list, self.in_entry) {
            (None, _) => Place::Outside,
            (Some(_), false) => Place::List,
            (Some(_), true) => Place::Entry,
        }
    }

    /// Whether the entry that has just ended is shown.
    fn entry_is(&mut self, shown: &dyn Fn(ListOf, &str) -> bool) -> bool {
        let name = self.name.take().filter(|_| !self.has_bad_name);
        match (self.list, name) {
            (Some(list), Some(name)) => shown(list, &name),
            _ => false,
        }
    }

    /// Whether the members at this depth count.
    fn counts(&self, depth: u8) -> bool {
        depth == self.level
            || (self.in_result && depth == self.level + 1)
            || (self.in_entry && depth == self.level + 3)
    }

    /// A value that is no text, where the name should be.
    fn no_name(&mut self) {
        if std::mem::replace(&mut self.next, Next::Other) == Next::Name {
            self.has_bad_name = true;
        }
    }
}

impl Hears for Ear {
    fn opens(&mut self, depth: u8, object: bool) -> Result<(), Ambiguous> {
        let next = self.next;
        self.no_name();
        if depth == 1 && !object {
            self.level = 2;
        } else if next == Next::Result && depth == self.level + 1 {
            self.in_result = object;
        } else if let Next::List(list) = next
            && !object
        {
            self.list = Some(list);
        } else if self.list.is_some() && depth == self.level + 3 {
            self.in_entry = true;
            // An array is no entry: it has no name.
            (self.name, self.has_bad_name) = (None, !object);
        }
        Ok(())
    }

    fn closes(&mut self, depth: u8) -> Result<(), Ambiguous> {
        match depth.checked_sub(self.level) {
            Some(1) => self.in_result = false,
            Some(2) => self.list = None,
            Some(3) => self.in_entry = false,
            _ => {}
        }
        Ok(())
    }

    fn scalar(&mut self, _: u8, _: bool) -> Result<(), Ambiguous> {
        self.no_name();
        Ok(())
    }

    fn begins(&mut self, depth: u8, key: bool) -> Result<bool, Ambiguous> {
        self.text.clear();
        self.is_bad = false;
        if !key {
            let is_name = self.next == Next::Name;
            self.next = Next::Other;
            return Ok(is_name);
        }
        self.next = Next::Other;
        Ok(self.counts(depth))
    }

    fn text(&mut self, piece: &[u8]) {
        match self.text.len() + piece.len() <= MAX_CALL_NAME {
            true => self.text.extend_from_slice(piece),
            false => self.is_bad = true,
        }
    }

    fn half(&mut self) {
        self.is_bad = true;
    }

    fn ends(&mut self, depth: u8, key: bool) -> Result<(), Ambiguous> {
        if !key {
            let name = std::str::from_utf8(&self.text).ok().map(str::to_owned);
            self.has_bad_name |= self.is_bad || self.name.is_some() || name.is_none();
            self.name = name;
            return Ok(());
        }
        self.next = match (self.list, depth - self.level) {
            (_, 0) if self.text == b"result" => Next::Result,
            (_, 1) => ListOf::member(&self.text).map_or(Next::Other, Next::List),
            (Some(list), 3) if self.text == list.name_key() => Next::Name,
            _ => Next::Other,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing that begins with `x`.
    fn shown(_: ListOf, name: &str) -> bool {
        !name.starts_with('x')
    }

    fn filtered(body: &str, size: usize) -> Result<String, Unlistable> {
        let (mut filter, mut out) = (ListFilter::new(), Vec::new());
        for piece in body.as_bytes().chunks(size) {
            filter.feed(piece, &shown, &mut out)?;
        }
        filter.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn an_entry_that_is_not_shown_is_missing_and_all_else_is_as_it_was() {
        for (body, expected) in [
            (
                r#"{"id":1,"result":{"tools":[{"name":"a"},{"name":"xb"},{"name":"c"}]}}"#,
                r#"{"id":1,"result":{"tools":[{"name":"a"},{"name":"c"}]}}"#,
            ),
            // The first, the last, all.
            (
                r#"{"result":{"tools":[{"name":"x"},{"n":1.50,"name":"c"}],"nextCursor":"x"}}"#,
                r#"{"result":{"tools":[{"n":1.50,"name":"c"}],"nextCursor":"x"}}"#,
            ),
            (
                r#"{"result":{"tools":[ {"name":"a", "e":"\u00e9é"} , {"name":"x"} ] } }"#,
                r#"{"result":{"tools":[{"name":"a", "e":"\u00e9é"}] } }"#,
            ),
            (
                r#"{"result":{"tools":[{"name":"x"},{"name":"xx"}]}}"#,
                r#"{"result":{"tools":[]}}"#,
            ),
            (r#"{"result":{"tools":[]}}"#, r#"{"result":{"tools":[]}}"#),
            // The name as it is read, wherever it stands; only that of the entry.
            (
                r#"{"result":{"tools":[{"inputSchema":{"name":"a","x":[{"name":"y"}]},"n\u0061me":"\u0078"}]}}"#,
                r#"{"result":{"tools":[]}}"#,
            ),
            (
                r#"{"result":{"tools":[{"name":"a","inputSchema":{"tools":[{"name":"x"}],"name":"x"}}]}}"#,
                r#"{"result":{"tools":[{"name":"a","inputSchema":{"tools":[{"name":"x"}],"name":"x"}}]}}"#,
            ),
            // What has no name, or two, or is no entry.
            (
                r#"{"result":{"tools":[{},{"name":1},{"name":"a","name":"x"},{"name":"x","name":"a"},{"name":{}},1,"a",null,["a"],[[{"name":"a"}]],{"name":"\ud800"},{"name":"a"}]}}"#,
                r#"{"result":{"tools":[{"name":"a"}]}}"#,
            ),
            // Other lists, several of them.
            (
                r#"{"result":{"prompts":[{"name":"x"}],"resources":[{"name":"x","uri":"a"},{"name":"a","uri":"x"}]}}"#,
                r#"{"result":{"prompts":[],"resources":[{"name":"x","uri":"a"}]}}"#,
            ),
            (
                r#"[{"result":{"tools":[{"name":"x"}]}},{"result":{"tools":[{"name":"b"}]}}]"#,
                r#"[{"result":{"tools":[]}},{"result":{"tools":[{"name":"b"}]}}]"#,
            ),
            // Not a list.
            (
                r#"{"tools":[{"name":"x"}],"result":{"a":{"tools":[{"name":"x"}]},"tools":{"name":"x"}}}"#,
                r#"{"tools":[{"name":"x"}],"result":{"a":{"tools":[{"name":"x"}]},"tools":{"name":"x"}}}"#,
            ),
            (
                r#"{"error":{"code":-1},"id":"result"}"#,
                r#"{"error":{"code":-1},"id":"result"}"#,
            ),
            (
                r#"{"result":[{"tools":[{"name":"x"}]}],"id":{"tools":[]}}"#,
                r#"{"result":[{"tools":[{"name":"x"}]}],"id":{"tools":[]}}"#,
            ),
            ("", ""),
        ] {
            for size in [1, 2, 7, 1000] {
                assert_eq!(filtered(body, size).as_deref(), Ok(expected), "{body}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_handed_on() {
        for body in [
            r#"{"result":{"tools":[{"name":"a"}}}"#,
            r#"{"result":{"tools":[{"name":"a"}]"#,
            r#"{"result":{}}{}"#,
            "<html>",
        ] {
            assert!(filtered(body, 5).is_err(), "{body}");
        }
        let long = "y".repeat(MAX_LISTED);
        let body = format!(r#"{{"result":{{"tools":[{{"name":"a","d":"{long}"}}]}}}}"#);
        assert_eq!(filtered(&body, 4096), Err(Unlistable::TooLong));
        // Between entries, and outside, any length goes by.
        let body = format!(r#"{{"x":"{long}{long}","result":{{"tools":["{long}{long}"]}}}}"#);
        assert!(filtered(&body, 4096).is_ok());
    }
}

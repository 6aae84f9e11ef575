//! The same for a stream of events: filters the JSON-RPC messages in it, and leaves the rest of it as it is.
//!
//! HTML Living Standard section 9.2.6, "Interpreting an event stream", says what a line is and what its data are.

use super::list_filter::{ListFilter, ListOf, Unlistable};

const MARK: &[u8] = b"\xef\xbb\xbf";
const DATA: &[u8] = b"data:";

/// A stream that is being filtered.
#[derive(Debug)]
pub(super) struct EventFilter {
    line: Line,
    /// The beginning of a line whose field is not known yet.
    prefix: Vec<u8>,
    /// No line has ended yet: a byte order mark may stand before the first one.
    is_first: bool,
    /// The last byte was a carriage return: a line feed belongs to it.
    after_return: bool,
    /// The end of the last data line. The next one may go on where it ended.
    line_end: Vec<u8>,
    data: Data,
    piece: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Start,
    /// Right after the colon: one space is not part of the data.
    DataStart,
    Data,
    Other,
}

/// The data of the event at hand.
#[derive(Debug)]
enum Data {
    None,
    /// White space alone.
    Blank,
    Json(Box<ListFilter>),
    /// No message: an endpoint's address, a word.
    Text,
}

impl EventFilter {
    pub(super) fn new() -> Self {
        Self {
            line: Line::Start,
            prefix: Vec::new(),
            is_first: true,
            after_return: false,
            line_end: Vec::new(),
            data: Data::None,
            piece: Vec::new(),
        }
    }

    /// Reads on, and writes to `out` what is handed on.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        shown: &dyn Fn(ListOf, &str) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unlistable> {
        while let Some((&byte, tail)) = bytes.split_first() {
            let after_return = std::mem::take(&mut self.after_return);
            if byte == b'\n' && after_return {
                match self.line_end.is_empty() {
                    true => out.push(byte),
                    false => self.line_end.push(byte),
                }
                bytes = tail;
                continue;
            }
            if matches!(byte, b'\n' | b'\r') {
                self.after_return = byte == b'\r';
                self.end_line(byte, shown, out)?;
                bytes = tail;
                continue;
            }
            // To the end of the line, where its field is known.
            let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
            let end = bytes.iter().position(is_end).unwrap_or(bytes.len());
            let (within, rest) = bytes.split_at(end);
            match self.line {
                Line::Start => {
                    self.begin_line(byte, shown, out)?;
                    bytes = tail;
                }
                Line::DataStart => {
                    self.line = Line::Data;
                    if byte == b' ' {
                        bytes = tail;
                    }
                }
                Line::Data => {
                    self.take(within, shown, out)?;
                    bytes = rest;
                }
                Line::Other => {
                    out.extend_from_slice(within);
                    bytes = rest;
                }
            }
        }
        Ok(())
    }

    /// The stream is over: an event that is not complete is none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.line_end);
        out.append(&mut self.prefix);
    }

    fn begin_line(
        &mut self,
        byte: u8,
        shown: &dyn Fn(ListOf, &str) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unlistable> {
        self.prefix.push(byte);
        if self.prefix == DATA {
            return self.begin_data(shown, out);
        }
        let is_mark = self.is_first && MARK.starts_with(&self.prefix);
        if is_mark && self.prefix == MARK {
            self.is_first = false;
            out.append(&mut self.prefix);
        } else if !is_mark && !DATA.starts_with(&self.prefix) {
            self.line = Line::Other;
            out.append(&mut self.line_end);
            out.append(&mut self.prefix);
        }
        Ok(())
    }

    /// The data go on with a line feed, which the lines stand for.
    fn begin_data(
        &mut self,
        shown: &dyn Fn(ListOf, &str) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unlistable> {
        self.prefix.clear();
        self.line = Line::DataStart;
        let goes_on = !std::mem::take(&mut self.line_end).is_empty();
        if !goes_on {
            out.extend_from_slice(b"data: ");
        }
        match self.data {
            Data::None => {
                self.data = Data::Blank;
                Ok(())
            }
            // Lines of other fields stood between: the new line is there already.
            _ if !goes_on => {
                let mut out = Vec::new();
                self.take(b"\n", shown, &mut out)
            }
            _ => self.take(b"\n", shown, out),
        }
    }

    /// Takes data.
    fn take(
        &mut self,
        bytes: &[u8],
        shown: &dyn Fn(ListOf, &str) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unlistable> {
        if let Data::Blank = self.data {
            let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n');
            self.data = match bytes.iter().find(|byte| !blank(byte)) {
                None => Data::Blank,
                Some(b'{' | b'[') => Data::Json(Box::new(ListFilter::new())),
                Some(_) => Data::Text,
            };
        }
        self.piece.clear();
        match &mut self.data {
            Data::Json(filter) => filter.feed(bytes, shown, &mut self.piece)?,
            _ => self.piece.extend_from_slice(bytes),
        }
        for byte in &self.piece {
            match byte {
                b'\n' => out.extend_from_slice(b"\ndata: "),
                byte => out.push(*byte),
            }
        }
        Ok(())
    }

    fn end_line(
        &mut self,
        byte: u8,
        shown: &dyn Fn(ListOf, &str) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Unlistable> {
        self.is_first = false;
        // A field without a colon has no value.
        if self.prefix == b"data" {
            self.begin_data(shown, out)?;
        }
        match std::mem::replace(&mut self.line, Line::Start) {
            Line::DataStart | Line::Data => {
                self.line_end.push(byte);
                return Ok(());
            }
            Line::Start if self.prefix.is_empty() => {
                out.append(&mut self.line_end);
                if let Data::Json(filter) = std::mem::replace(&mut self.data, Data::None) {
                    filter.finish()?;
                }
            }
            Line::Start => {
                out.append(&mut self.line_end);
                out.append(&mut self.prefix);
            }
            Line::Other => {}
        }
        out.push(byte);
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

    fn filtered(stream: &str, size: usize) -> Result<String, Unlistable> {
        let (mut filter, mut out) = (EventFilter::new(), Vec::new());
        for piece in stream.as_bytes().chunks(size) {
            filter.feed(piece, &shown, &mut out)?;
        }
        filter.finish(&mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    const LIST: &str = r#"{"id":1,"result":{"tools":[{"name":"x1"},{"name":"a"},{"name":"x2"}]}}"#;
    const SHORT: &str = r#"{"id":1,"result":{"tools":[{"name":"a"}]}}"#;

    #[test]
    fn lists_in_events_are_filtered_and_all_else_flows_as_it_was() {
        for (stream, expected) in [
            (format!("data: {LIST}\n\n"), format!("data: {SHORT}\n\n")),
            (
                format!(": hello\nevent: message\nid: 7\ndata: {LIST}\nretry: 5\n\ndata: {LIST}\n\n"),
                format!(": hello\nevent: message\nid: 7\ndata: {SHORT}\nretry: 5\n\ndata: {SHORT}\n\n"),
            ),
            (format!("data:{LIST}\r\n\r\n"), format!("data: {SHORT}\r\n\r\n")),
            (format!("data:{LIST}\r\rdata\r\r"), format!("data: {SHORT}\r\rdata: \r\r")),
            (format!("\u{feff}data: {LIST}\n\n"), format!("\u{feff}data: {SHORT}\n\n")),
            // An event of several lines, cut inside of what is taken out.
            (
                "data: {\"result\":\ndata: {\"tools\":[{\"name\":\ndata: \"x\"},\ndata: {\"a\":1,\ndata:  \"name\":\"a\"}\ndata: ]}}\n\n".to_owned(),
                "data: {\"result\":\ndata: {\"tools\":[{\"a\":1,\ndata:  \"name\":\"a\"}]}}\n\n".to_owned(),
            ),
            (
                "data: {\"result\":{\"tools\":[{\"name\":\nid: 1\ndata: \"x\"}]}}\n\n".to_owned(),
                "data: {\"result\":{\"tools\":[\nid: 1\ndata: ]}}\n\n".to_owned(),
            ),
            // No message.
            (
                "event: endpoint\ndata: /messages?a=b\ndata: c\n\nid: 1\ndata: \n\ndata\n\ndat\ndatax: {\nx:{\n\n".to_owned(),
                "event: endpoint\ndata: /messages?a=b\ndata: c\n\nid: 1\ndata: \n\ndata: \n\ndat\ndatax: {\nx:{\n\n".to_owned(),
            ),
            ("data: {\"method\":\"x\"}\n\n".to_owned(), "data: {\"method\":\"x\"}\n\n".to_owned()),
            // A line is over with its event, a mark stands at the front only.
            (": a\n\n\n\u{feff}data: {\n\n".to_owned(), ": a\n\n\n\u{feff}data: {\n\n".to_owned()),
            (String::new(), String::new()),
            (": end".to_owned(), ": end".to_owned()),
            ("dat".to_owned(), "dat".to_owned()),
        ] {
            for size in [1, 2, 3, 11, 1000] {
                assert_eq!(filtered(&stream, size).as_deref(), Ok(&*expected), "{stream:?} by {size}");
            }
        }
    }

    #[test]
    fn a_message_that_cannot_be_read_ends_the_stream() {
        for stream in ["data: {\"result\":\n\n", "data: {]\n\n", "data:  [1 2]\n\n"] {
            for size in [1, 1000] {
                assert!(filtered(stream, size).is_err(), "{stream:?}");
            }
        }
    }
}

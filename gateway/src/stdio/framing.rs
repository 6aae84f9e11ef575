//! Lines: how messages stand on a child's standard streams.

use bytes::{BufMut, Bytes, BytesMut};

/// A line is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// Cuts a stream of bytes into lines. Read into [`room`](Self::room), then take lines until there is none.
pub(super) struct Lines {
    held: BytesMut,
    /// So far there is no line break.
    looked: usize,
    most: usize,
}

/// So much is read at once, at least.
const ROOM: usize = 8 * 1024;

impl Lines {
    pub(super) fn new(most: usize) -> Self {
        Self {
            held: BytesMut::new(),
            looked: 0,
            most,
        }
    }

    pub(super) fn room(&mut self) -> &mut (impl BufMut + use<>) {
        self.held.reserve(ROOM);
        &mut self.held
    }

    /// The next whole line, without its end; empty ones are left out.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, TooLong> {
        loop {
            let rest = self.held.get(self.looked..).unwrap_or_default();
            let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
                self.looked = self.held.len();
                return if self.looked > self.most {
                    Err(TooLong)
                } else {
                    Ok(None)
                };
            };
            let line = self.held.split_to(self.looked + at + 1).freeze();
            self.looked = 0;
            let line = line.slice(..line.len() - 1);
            if line.len() > self.most {
                return Err(TooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }
}

/// What a child writes to its standard error, for the log: cleaned, cut, and no more than so many lines in a while.
pub(super) struct Said {
    line: Vec<u8>,
    left: u32,
    lost: u64,
}

impl Said {
    pub(super) fn new() -> Self {
        Self {
            line: Vec::new(),
            left: Self::LINES,
            lost: 0,
        }
    }

    /// A line of a log is read by people.
    const LENGTH: usize = 2000;
    /// So many lines in each while; more would fill the disk that the log stands on.
    const LINES: u32 = 100;
    /// The while, in seconds.
    pub(super) const WHILE: u64 = 10;

    /// What these bytes bring to an end.
    pub(super) fn heard(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                lines.extend(self.end());
            } else if self.line.len() < Self::LENGTH {
                self.line.push(*byte);
            }
        }
        lines
    }

    /// The line that has no end yet.
    pub(super) fn end(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        let clean = clean(&String::from_utf8_lossy(&line));
        if clean.trim().is_empty() {
            return None;
        }
        if self.left == 0 {
            self.lost += 1;
            return None;
        }
        self.left -= 1;
        Some(clean)
    }

    /// A new while begins: how many lines the last one lost.
    pub(super) fn go_on(&mut self) -> u64 {
        self.left = Self::LINES;
        std::mem::take(&mut self.lost)
    }
}

/// Without what moves a cursor, colours a terminal or turns a text around.
fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .map(|c| if c.is_control() || turns(c) { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(most: usize, chunks: &[&str]) -> Result<Vec<String>, TooLong> {
        let (mut lines, mut found) = (Lines::new(most), Vec::new());
        for chunk in chunks {
            lines.room().put_slice(chunk.as_bytes());
            while let Some(line) = lines.next()? {
                found.push(String::from_utf8(line.to_vec()).unwrap());
            }
        }
        Ok(found)
    }

    #[test]
    fn lines_are_found_wherever_the_chunks_end() {
        let text = "one\ntwo\r\n\n  \nthree\n";
        let whole = lines(10, &[text]).unwrap();
        assert_eq!(whole, ["one", "two\r", "three"]);
        for at in 0..text.len() {
            assert_eq!(
                lines(10, &[&text[..at], &text[at..]]).unwrap(),
                whole,
                "{at}"
            );
        }
        assert!(lines(10, &["no end"]).unwrap().is_empty());
    }

    #[test]
    fn a_line_has_a_bound_with_and_without_its_end() {
        assert_eq!(lines(3, &["abc\n"]).unwrap(), ["abc"]);
        assert_eq!(lines(3, &["abcd\n"]), Err(TooLong));
        assert_eq!(lines(3, &["ab", "cd"]), Err(TooLong));
    }

    #[test]
    fn what_a_child_says_is_cleaned_and_cut() {
        let mut said = Said::new();
        assert_eq!(said.heard(b"a\x1b[31mb\xff\r\n\n"), ["a [31mb\u{fffd} "]);
        let long = format!("{}\n", "x".repeat(5000));
        assert_eq!(said.heard(long.as_bytes())[0].len(), Said::LENGTH);
        assert!(said.heard(b"half").is_empty());
        assert_eq!(said.end().as_deref(), Some("half"));
    }

    #[test]
    fn a_child_that_shouts_is_not_written_down_for_ever() {
        let mut said = Said::new();
        let shouted = "x\n".repeat(250);
        assert_eq!(said.heard(shouted.as_bytes()).len(), 100);
        assert_eq!(said.go_on(), 150);
        assert_eq!(said.heard(b"y\n"), ["y"]);
        assert_eq!(said.go_on(), 0);
    }
}

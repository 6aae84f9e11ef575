//! The grammar of RFC 8259 over chunks, strictly, without keeping anything but where it is.

use super::{
    ambiguous::Ambiguous,
    scalar::{Number, Word},
    utf8::{Utf8, run_of_text},
};
use crate::limits::MAX_JSON_DEPTH;

/// What listens to the values as they go by. `depth` is how many containers are open around the value.
pub(crate) trait Hears {
    /// A container opens; `depth` counts it.
    fn opens(&mut self, depth: u8, object: bool) -> Result<(), Ambiguous>;
    /// A container closes; `depth` still counts it.
    fn closes(&mut self, depth: u8) -> Result<(), Ambiguous>;
    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self, depth: u8, null: bool) -> Result<(), Ambiguous>;
    /// A string begins. `true`: its text is wanted.
    fn begins(&mut self, depth: u8, key: bool) -> Result<bool, Ambiguous>;
    /// A piece of the wanted text, decoded.
    fn text(&mut self, piece: &[u8]);
    /// Half a surrogate pair in the wanted text: no character.
    fn half(&mut self);
    /// The wanted text ends.
    fn ends(&mut self, depth: u8, key: bool) -> Result<(), Ambiguous>;
}

#[derive(Debug, Clone, Copy)]
enum At {
    /// Before the first byte.
    Start,
    Value,
    /// After `[`.
    ValueOrEnd,
    /// After `{`.
    KeyOrEnd,
    /// After a comma in an object.
    Key,
    Colon,
    /// After a value in a container.
    Next,
    /// After the document.
    Done,
    Text,
    Escape,
    Hex {
        left: u8,
        unit: u16,
    },
    Word(Word),
    Number(Number),
}

/// Where in a document the reader is.
#[derive(Debug)]
pub(crate) struct Grammar {
    at: At,
    depth: u8,
    /// One bit for each open container: is it an object?
    objects: u128,
    utf8: Utf8,
    /// The string at hand is a key.
    key: bool,
    /// Its text is wanted.
    wanted: bool,
    /// The first half of a surrogate pair, just read.
    high: Option<u16>,
}

impl Grammar {
    pub(crate) fn new() -> Self {
        Self {
            at: At::Start,
            depth: 0,
            objects: 0,
            utf8: Utf8::default(),
            key: false,
            wanted: false,
            high: None,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], ear: &mut impl Hears) -> Result<(), Ambiguous> {
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            match self.at {
                At::Text => {
                    rest = self.text(rest, ear)?;
                    continue;
                }
                At::Number(number) => match number.takes(byte)? {
                    Some(number) => self.at = At::Number(number),
                    // The byte belongs to what follows.
                    None => {
                        self.after_value();
                        continue;
                    }
                },
                At::Word(word) => match word.takes(byte)? {
                    Some(word) => self.at = At::Word(word),
                    None => self.after_value(),
                },
                At::Escape => self.escape(byte, ear)?,
                At::Hex { left, unit } => self.hex(left, unit, byte, ear)?,
                _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
                _ => self.structure(byte, ear)?,
            }
            rest = tail;
        }
        Ok(())
    }

    /// How many of these bytes can only be text of the string at hand.
    pub(crate) fn run(&self, bytes: &[u8]) -> usize {
        match self.at {
            At::Text => run_of_text(bytes).0,
            _ => 0,
        }
    }

    /// After the last byte.
    pub(crate) fn finish(&self) -> Result<(), Ambiguous> {
        match self.at {
            At::Done => Ok(()),
            At::Start => Err(Ambiguous::Empty),
            _ => Err(Ambiguous::Unfinished),
        }
    }

    /// A byte that is neither part of a string, a number or a word, nor white space.
    fn structure(&mut self, byte: u8, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        match (byte, self.at) {
            (_, At::Done) => Err(Ambiguous::Trailing),
            (b'"', At::KeyOrEnd | At::Key) => self.string(true, ear),
            (b':', At::Colon) => {
                self.at = At::Value;
                Ok(())
            }
            (b',', At::Next) => {
                self.at = match self.in_object() {
                    true => At::Key,
                    false => At::Value,
                };
                Ok(())
            }
            (b'}', At::KeyOrEnd) | (b']', At::ValueOrEnd) => self.close(ear),
            (b'}', At::Next) if self.in_object() => self.close(ear),
            (b']', At::Next) if !self.in_object() => self.close(ear),
            // The first bytes of U+FEFF in UTF-8, and in both orders of UTF-16.
            (0xef | 0xfe | 0xff, At::Start) => Err(Ambiguous::ByteOrderMark),
            (_, At::Start | At::Value | At::ValueOrEnd) => self.value(byte, ear),
            _ => Err(Ambiguous::NotJson),
        }
    }

    fn value(&mut self, byte: u8, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        match byte {
            b'{' => return self.open(true, ear),
            b'[' => return self.open(false, ear),
            b'"' => return self.string(false, ear),
            _ => {}
        }
        self.at = match byte {
            b't' => At::Word(Word::T),
            b'f' => At::Word(Word::F),
            b'n' => At::Word(Word::N),
            _ => At::Number(Number::begin(byte)?),
        };
        ear.scalar(self.depth, byte == b'n')
    }

    fn open(&mut self, object: bool, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        if self.depth >= MAX_JSON_DEPTH {
            return Err(Ambiguous::TooDeep);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        self.at = match object {
            true => At::KeyOrEnd,
            false => At::ValueOrEnd,
        };
        ear.opens(self.depth, object)
    }

    fn close(&mut self, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        ear.closes(self.depth)?;
        self.depth -= 1;
        self.objects >>= 1;
        self.after_value();
        Ok(())
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn after_value(&mut self) {
        self.at = match self.depth {
            0 => At::Done,
            _ => At::Next,
        };
    }

    fn string(&mut self, key: bool, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        (self.at, self.key) = (At::Text, key);
        self.wanted = ear.begins(self.depth, key)?;
        Ok(())
    }

    /// Reads on inside a string, and says what is left.
    fn text<'a>(
        &mut self,
        mut bytes: &'a [u8],
        ear: &mut impl Hears,
    ) -> Result<&'a [u8], Ambiguous> {
        loop {
            let (length, is_ascii) = run_of_text(bytes);
            let (text, rest) = bytes.split_at(length);
            let is_plain = is_ascii && self.utf8.is_whole();
            if !is_plain && !self.utf8.check(text, rest.is_empty()) {
                return Err(Ambiguous::NotUtf8);
            }
            if !text.is_empty() {
                self.no_second_half(ear);
                if self.wanted {
                    ear.text(text);
                }
            }
            bytes = match rest {
                [] => return Ok(rest),
                // Nobody wants to know what it stands for.
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    rest @ ..,
                ] if !self.wanted => {
                    self.high = None;
                    rest
                }
                [b'\\', rest @ ..] => {
                    self.at = At::Escape;
                    return Ok(rest);
                }
                [b'"', rest @ ..] => {
                    self.end_string(ear)?;
                    return Ok(rest);
                }
                // RFC 8259 section 7: "All Unicode characters may be placed within the quotation marks, except for
                // the characters that MUST be escaped: quotation mark, reverse solidus, and the control characters
                // (U+0000 through U+001F)."
                _ => return Err(Ambiguous::NotJson),
            };
        }
    }

    fn end_string(&mut self, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        self.no_second_half(ear);
        match self.key {
            true => self.at = At::Colon,
            false => self.after_value(),
        }
        match self.wanted {
            true => ear.ends(self.depth, self.key),
            false => Ok(()),
        }
    }

    fn escape(&mut self, byte: u8, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        let plain = match byte {
            b'u' => {
                self.at = At::Hex { left: 4, unit: 0 };
                return Ok(());
            }
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => return Err(Ambiguous::NotJson),
        };
        self.no_second_half(ear);
        if self.wanted {
            ear.text(&[plain]);
        }
        self.at = At::Text;
        Ok(())
    }

    fn hex(
        &mut self,
        left: u8,
        unit: u16,
        byte: u8,
        ear: &mut impl Hears,
    ) -> Result<(), Ambiguous> {
        let digit = char::from(byte).to_digit(16).ok_or(Ambiguous::NotJson)?;
        let unit = unit << 4 | u16::try_from(digit).unwrap_or_default();
        if left > 1 {
            let left = left - 1;
            self.at = At::Hex { left, unit };
            return Ok(());
        }
        self.at = At::Text;
        let units = match (self.high, unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                self.high = None;
                [high, unit]
            }
            (_, 0xd800..=0xdbff) => {
                self.no_second_half(ear);
                self.high = Some(unit);
                return Ok(());
            }
            // The second is no character: `decode_utf16` is only asked for the first.
            _ => {
                self.no_second_half(ear);
                [unit, 0]
            }
        };
        if !self.wanted {
            return Ok(());
        }
        match char::decode_utf16(units).next() {
            Some(Ok(char)) => ear.text(char.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => ear.half(),
        }
        Ok(())
    }

    /// What follows the first half of a pair is no second half.
    fn no_second_half(&mut self, ear: &mut impl Hears) {
        if self.high.take().is_some() && self.wanted {
            ear.half();
        }
    }
}

//! The grammar of RFC 8259 over chunks, strictly, without keeping anything but where it is.

use super::{ambiguous::Ambiguous, number::Number, utf8::Utf8};
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
    Word(&'static [u8]),
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

    pub(crate) fn feed(&mut self, mut rest: &[u8], ear: &mut impl Hears) -> Result<(), Ambiguous> {
        while let Some((&byte, tail)) = rest.split_first() {
            rest = match &mut self.at {
                At::Text => self.text(rest, ear)?,
                At::Number(number) => match number.takes(byte)? {
                    true => tail,
                    // The byte belongs to what follows.
                    false => {
                        self.after_value();
                        rest
                    }
                },
                _ => {
                    self.step(byte, ear)?;
                    tail
                }
            };
        }
        Ok(())
    }

    /// How many of these bytes can only be text of the string at hand.
    pub(crate) fn run(&self, bytes: &[u8]) -> usize {
        match self.at {
            At::Text => plain(bytes),
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

    fn step(&mut self, byte: u8, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        match (self.at, byte) {
            (At::Escape, _) => return self.escape(byte, ear),
            (At::Hex { .. }, _) => return self.hex(byte, ear),
            (At::Word(rest), _) => match rest.split_first() {
                Some((first, [])) if *first == byte => self.after_value(),
                Some((first, rest)) if *first == byte => self.at = At::Word(rest),
                _ => return Err(Ambiguous::NotJson),
            },
            (_, b' ' | b'\t' | b'\n' | b'\r') => {}
            (At::Done, _) => return Err(Ambiguous::Trailing),
            // The first bytes of U+FEFF in UTF-8, and in both orders of UTF-16.
            (At::Start, 0xef | 0xfe | 0xff) => return Err(Ambiguous::ByteOrderMark),
            (At::KeyOrEnd | At::Key, b'"') => self.string(true, ear)?,
            (At::Colon, b':') => self.at = At::Value,
            (At::Next, b',') => {
                self.at = match self.in_object() {
                    true => At::Key,
                    false => At::Value,
                }
            }
            (At::KeyOrEnd, b'}') => self.close(ear)?,
            (At::Next, b'}') if self.in_object() => self.close(ear)?,
            (At::ValueOrEnd, b']') => self.close(ear)?,
            (At::Next, b']') if !self.in_object() => self.close(ear)?,
            (At::Start | At::Value | At::ValueOrEnd, _) => self.value(byte, ear)?,
            _ => return Err(Ambiguous::NotJson),
        }
        Ok(())
    }

    fn value(&mut self, byte: u8, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        match byte {
            b'{' => return self.open(true, ear),
            b'[' => return self.open(false, ear),
            b'"' => return self.string(false, ear),
            _ => {}
        }
        self.at = match byte {
            b't' => At::Word(b"rue"),
            b'f' => At::Word(b"alse"),
            b'n' => At::Word(b"ull"),
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
    fn text<'a>(&mut self, bytes: &'a [u8], ear: &mut impl Hears) -> Result<&'a [u8], Ambiguous> {
        // A chunk may have ended within a character.
        if !self.utf8.is_whole() && bytes.first().is_some_and(u8::is_ascii) {
            return Err(Ambiguous::NotUtf8);
        }
        let mut length = 0;
        let special = loop {
            length += plain(bytes.get(length..).unwrap_or_default());
            match bytes.get(length) {
                Some(byte) if !byte.is_ascii() => length = self.characters(bytes, length)?,
                other => break other,
            }
        };
        if length > 0 || special.is_some_and(|special| *special != b'\\') {
            self.no_second_half(ear);
        }
        if self.wanted && length > 0 {
            ear.text(bytes.get(..length).unwrap_or_default());
        }
        match special {
            None => {}
            Some(b'\\') => self.at = At::Escape,
            Some(b'"') => {
                match self.key {
                    true => self.at = At::Colon,
                    false => self.after_value(),
                }
                if self.wanted {
                    ear.ends(self.depth, self.key)?;
                }
            }
            // RFC 8259 section 7: "All Unicode characters may be placed within the quotation marks, except for
            // the characters that MUST be escaped: quotation mark, reverse solidus, and the control characters
            // (U+0000 through U+001F)."
            Some(_) => return Err(Ambiguous::NotJson),
        }
        Ok(bytes.get(length + 1..).unwrap_or_default())
    }

    /// Takes the characters that are not ASCII, and says where they end.
    fn characters(&mut self, bytes: &[u8], from: usize) -> Result<usize, Ambiguous> {
        let mut at = from;
        while let Some(byte) = bytes.get(at).filter(|byte| !byte.is_ascii()) {
            if !self.utf8.take(*byte) {
                return Err(Ambiguous::NotUtf8);
            }
            at += 1;
        }
        match self.utf8.is_whole() || at == bytes.len() {
            true => Ok(at),
            false => Err(Ambiguous::NotUtf8),
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

    fn hex(&mut self, byte: u8, ear: &mut impl Hears) -> Result<(), Ambiguous> {
        let At::Hex { left, unit } = &mut self.at else {
            return Ok(());
        };
        let digit = char::from(byte).to_digit(16).ok_or(Ambiguous::NotJson)?;
        *unit = *unit << 4 | u16::try_from(digit).unwrap_or_default();
        *left -= 1;
        if *left > 0 {
            return Ok(());
        }
        let unit = *unit;
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

/// How many bytes at the beginning are ASCII, and neither a quotation mark, a backslash nor a control character.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut rest = bytes;
    // Eight at a time. A borrow can only mark a byte above one that is marked rightly: the lowest is exact.
    while let Some((eight, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
        let special = (word | control | quote | backslash) & HIGH;
        if special != 0 {
            let before = usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
            return bytes.len() - rest.len() + before;
        }
        rest = tail;
    }
    let is_special = |byte: &u8| !(0x20..0x80).contains(byte) || matches!(byte, b'"' | b'\\');
    let tail = rest.iter().position(is_special).unwrap_or(rest.len());
    bytes.len() - rest.len() + tail
}

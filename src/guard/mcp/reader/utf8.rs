//! The text of strings: where it ends, and UTF-8 as RFC 3629 has it. A chunk may end within a character.

/// What the next byte of a character has to be.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    left: u8,
    lowest: u8,
    highest: u8,
}

impl Utf8 {
    /// Whether no character is open.
    pub(super) fn is_whole(&self) -> bool {
        self.left == 0
    }

    /// Whether this goes on as UTF-8. Only text that is cut may end within a character.
    pub(super) fn check(&mut self, text: &[u8], is_cut: bool) -> bool {
        let mut rest = text;
        while self.left > 0 {
            let Some((byte, tail)) = rest.split_first() else {
                return is_cut;
            };
            if !self.take(*byte) {
                return false;
            }
            rest = tail;
        }
        let Err(error) = std::str::from_utf8(rest) else {
            return true;
        };
        let (_, open) = rest.split_at(error.valid_up_to());
        error.error_len().is_none() && is_cut && open.iter().all(|byte| self.take(*byte))
    }

    /// Takes one byte of a character of several. `false`: this is not UTF-8. Overlong forms, surrogates and what is
    /// above U+10FFFF are not.
    fn take(&mut self, byte: u8) -> bool {
        if self.left > 0 {
            let fits = (self.lowest..=self.highest).contains(&byte);
            self.left -= 1;
            (self.lowest, self.highest) = (0x80, 0xbf);
            return fits;
        }
        (self.left, self.lowest, self.highest) = match byte {
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xe1..=0xec | 0xee..=0xef => (2, 0x80, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return false,
        };
        true
    }
}

/// How many bytes at the beginning are neither a quotation mark, a backslash nor a control character, and whether they
/// are ASCII, as far as that is seen: `false` may mean a byte behind them.
pub(super) fn run_of_text(bytes: &[u8]) -> (usize, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut rest = bytes;
    let mut seen = 0;
    // Eight at a time. A borrow can only mark a byte above one that is marked rightly: the lowest is exact.
    while let Some((eight, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        seen |= word;
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
        let special = (control | quote | backslash) & HIGH;
        if special != 0 {
            let before = usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
            return (bytes.len() - rest.len() + before, seen & HIGH == 0);
        }
        rest = tail;
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let tail = rest.iter().position(is_special).unwrap_or(rest.len());
    let is_ascii = seen & HIGH == 0 && rest.is_ascii();
    (bytes.len() - rest.len() + tail, is_ascii)
}

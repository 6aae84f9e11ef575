//! UTF-8 as RFC 3629 has it, byte by byte: a chunk may end within a character.

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

    /// Takes one byte that is not ASCII. `false`: this is not UTF-8. Overlong forms, surrogates and what is above
    /// U+10FFFF are not.
    pub(super) fn take(&mut self, byte: u8) -> bool {
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

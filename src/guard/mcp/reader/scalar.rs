//! What stands without quotation marks: numbers (RFC 8259 section 6) and the three words.

use super::ambiguous::Ambiguous;

/// How far a number has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Minus,
    /// A zero at the front: no digit may follow.
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

impl Number {
    pub(super) fn begin(byte: u8) -> Result<Self, Ambiguous> {
        match byte {
            b'-' => Ok(Self::Minus),
            b'0' => Ok(Self::Zero),
            b'1'..=b'9' => Ok(Self::Whole),
            _ => Err(Ambiguous::NotJson),
        }
    }

    /// How far it is with this byte; `None` where it has ended before it.
    pub(super) fn takes(self, byte: u8) -> Result<Option<Self>, Ambiguous> {
        Ok(Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::E,
            (Self::E, b'+' | b'-') => Self::Sign,
            (Self::E | Self::Sign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
            (Self::Zero | Self::Whole | Self::Fraction | Self::Exponent, _) => return Ok(None),
            _ => return Err(Ambiguous::NotJson),
        }))
    }
}

/// How far one of the three words has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    T,
    Tr,
    Tru,
    F,
    Fa,
    Fal,
    Fals,
    N,
    Nu,
    Nul,
}

impl Word {
    /// What the word is after this byte; `None` where it is over.
    pub(super) fn takes(self, byte: u8) -> Result<Option<Self>, Ambiguous> {
        Ok(Some(match (self, byte) {
            (Self::T, b'r') => Self::Tr,
            (Self::Tr, b'u') => Self::Tru,
            (Self::F, b'a') => Self::Fa,
            (Self::Fa, b'l') => Self::Fal,
            (Self::Fal, b's') => Self::Fals,
            (Self::N, b'u') => Self::Nu,
            (Self::Nu, b'l') => Self::Nul,
            (Self::Tru | Self::Fals, b'e') | (Self::Nul, b'l') => return Ok(None),
            _ => return Err(Ambiguous::NotJson),
        }))
    }
}

//! The grammar of a JSON number, RFC 8259 section 6.

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

    /// Whether the number goes on with this byte. If not, it has ended before it.
    pub(super) fn takes(&mut self, byte: u8) -> Result<bool, Ambiguous> {
        *self = match (*self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::E,
            (Self::E, b'+' | b'-') => Self::Sign,
            (Self::E | Self::Sign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
            (Self::Zero | Self::Whole | Self::Fraction | Self::Exponent, _) => return Ok(false),
            _ => return Err(Ambiguous::NotJson),
        };
        Ok(true)
    }
}

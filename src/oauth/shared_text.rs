//! Text that is a part of a larger buffer, and shares it.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use serde::{Serialize, Serializer};

/// Text that is cut out of a record without being copied. Cloning counts a reference.
///
/// Read as a `str` it is looked through once more, some nanoseconds for each hundred bytes: right for what is
/// long and rarely read, such as a token of the provider.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct SharedText(Bytes);

impl SharedText {
    /// A part of this buffer; `None` when it is not UTF-8.
    pub(crate) fn cut(buffer: &Bytes, part: &[u8]) -> Option<Self> {
        // Almost every part is a token, which is ASCII; that is seen at once.
        let is_text = part.is_ascii() || str::from_utf8(part).is_ok();
        is_text.then(|| Self(buffer.slice_ref(part)))
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialEq<String> for SharedText {
    fn eq(&self, other: &String) -> bool {
        *self == **other
    }
}

impl Serialize for SharedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// It may be a secret.
impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_as_it_stands_and_what_is_no_text_is_refused() {
        let buffer = Bytes::from_static(b"\x02ada\xc3\xa9\xff");
        let cut = |from, to| SharedText::cut(&buffer, &buffer[from..to]);
        assert_eq!(cut(1, 4).unwrap(), *"ada");
        assert_eq!(&*cut(1, 6).unwrap(), "adaé");
        assert_eq!(&*cut(1, 1).unwrap(), "");
        assert!(cut(1, 5).is_none(), "half a character");
        assert!(cut(6, 7).is_none());
        assert_eq!(format!("{:?}", cut(1, 4)), "Some([redacted])");
    }
}

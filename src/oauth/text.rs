//! Deserializing types that are made from text, without a copy of the text in between.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

/// The value that `read` makes of a string.
pub(super) fn deserialize<'de, D, T, E>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    deserializer.deserialize_str(Reader {
        read,
        makes: PhantomData,
    })
}

struct Reader<F, T> {
    read: F,
    makes: PhantomData<fn() -> T>,
}

impl<F, T, E> Visitor<'_> for Reader<F, T>
where
    F: FnOnce(&str) -> Result<T, E>,
    E: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<Fault: Error>(self, text: &str) -> Result<T, Fault> {
        (self.read)(text).map_err(Fault::custom)
    }
}

//! What was said, key by key, and where; before anything is made of it.

use std::{cell::Cell, collections::BTreeMap};

use super::refusal::Place;

/// The keys of a table.
pub(crate) type Entries = BTreeMap<String, Node>;

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
    /// Whether anything asked for it. What was said and is never asked for has no meaning, and is told.
    pub(crate) is_read: Cell<bool>,
}

/// A value of the settings file, or of a variable. Prints without texts: some are secrets.
pub(crate) enum Value {
    Text(String),
    Number(i64),
    Switch(bool),
    List(Vec<Node>),
    Table(Entries),
    /// Of a type that no key has.
    Other(&'static str),
}

impl Node {
    pub(crate) fn new(value: Value, place: Place) -> Self {
        Self {
            value,
            place,
            is_read: Cell::new(false),
        }
    }
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Switch(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(nodes) => f.debug_list().entries(nodes).finish(),
            Self::Table(entries) => f.debug_map().entries(entries).finish(),
            other => f.write_str(other.kind()),
        }
    }
}

//! Reading a table by the kinds of its keys. What is asked for is noted: at the end, what was said and never asked
//! for has no meaning here, and is told.

use std::{fmt::Display, path::Path, time::Duration};

use super::{
    judge::{bytes, join, seconds},
    key::{Key, Kind, kind_of},
    refusal::{Place, Refusal, missing},
    value::{Entries, Node, Value},
};

/// A table of the settings, or none.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    keys: &'static [Key],
    pub(super) entries: Option<&'a Entries>,
    path: &'a str,
    /// Where the table stands.
    place: Option<&'a Place>,
    /// The settings file. File names in it begin at its folder.
    pub(super) file: Option<&'a Path>,
}

/// A table inside of another, whose path is its own.
pub(crate) struct Inner<'a> {
    pub(crate) name: String,
    path: String,
    keys: &'static [Key],
    entries: Option<&'a Entries>,
    place: Option<&'a Place>,
    file: Option<&'a Path>,
}

impl Inner<'_> {
    pub(crate) fn table(&self) -> Table<'_> {
        Table {
            keys: self.keys,
            entries: self.entries,
            path: &self.path,
            place: self.place,
            file: self.file,
        }
    }

    /// A mistake in the table itself: in the name that the operator gave it, say.
    pub(crate) fn refuse(&self, why: impl Display) -> Refusal {
        match self.place {
            Some(place) => Refusal::at(place, &self.path, why),
            None => Refusal::new(format!("{}: {why}", self.path)),
        }
    }
}

impl<'a> Table<'a> {
    pub(super) fn whole(said: &'a Entries, keys: &'static [Key], file: Option<&'a Path>) -> Self {
        Self {
            keys,
            entries: Some(said),
            path: "",
            place: None,
            file,
        }
    }

    fn node(&self, name: &str) -> Option<&'a Node> {
        let node = self.entries?.get(name)?;
        node.is_read.set(true);
        Some(node)
    }

    /// Whether the key is said.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries
            .is_some_and(|entries| entries.contains_key(name))
    }

    /// Whether the key is said, and no empty table.
    pub(crate) fn says(&self, name: &str) -> bool {
        let node = self.entries.and_then(|entries| entries.get(name));
        node.is_some_and(says)
    }

    /// Whether anything is said in this table. An empty table in it says nothing.
    pub(crate) fn is_said(&self) -> bool {
        self.entries.is_some_and(says_anything)
    }

    /// A mistake in a key, or in the absence of it.
    pub(crate) fn refuse(&self, name: &str, why: impl Display) -> Refusal {
        let path = join(self.path, name);
        let said = self.entries.and_then(|entries| entries.get(name));
        match said.map(|node| &node.place).or(self.place) {
            Some(place @ Place::File { .. }) => Refusal::at(place, &path, why),
            Some(place) if said.is_some() => Refusal::at(place, &path, why),
            _ => Refusal::new(format!("{path}: {why}")),
        }
    }

    fn unfit(&self, name: &str, node: &Node) -> Refusal {
        let words = kind_of(self.keys, name).map_or("known", Kind::words);
        let why = format!("is {}, and not {words}", node.value.kind());
        Refusal::at(&node.place, &join(self.path, name), why)
    }

    fn get<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(node) = self.node(name) else {
            return Ok(None);
        };
        let read = read(&node.value).ok_or_else(|| self.unfit(name, node))?;
        Ok(Some(read))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.get(name, text)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        let missing = || self.refuse(name, missing(&join(self.path, name), self.file));
        self.text(name)?.ok_or_else(missing)
    }

    pub(crate) fn switch(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.get(name, |value| match value {
            Value::Switch(on) => Some(*on),
            _ => None,
        })
    }

    pub(crate) fn is_on(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.switch(name)?.unwrap_or(false))
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.get(name, |value| match value {
            Value::Number(number) => T::try_from(*number).ok(),
            _ => None,
        })
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<Duration>, Refusal> {
        self.get(name, |value| {
            let seconds = match value {
                Value::Number(number) => u64::try_from(*number).ok(),
                Value::Text(text) => seconds(text),
                _ => None,
            };
            seconds.map(Duration::from_secs)
        })
    }

    pub(crate) fn size(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.get(name, |value| match value {
            Value::Number(number) => u64::try_from(*number).ok(),
            Value::Text(text) => bytes(text),
            _ => None,
        })
    }

    pub(crate) fn words(&self, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
        self.get(name, texts)
    }

    /// Pairs of a name and a text.
    pub(crate) fn pairs(&self, name: &str) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
        let pairs = self.get(name, |value| named(value, text))?;
        Ok(pairs.unwrap_or_default())
    }

    /// Pairs of a name and a list.
    pub(crate) fn lists(&self, name: &str) -> Result<Vec<(&'a str, Vec<&'a str>)>, Refusal> {
        let pairs = self.get(name, |value| named(value, texts))?;
        Ok(pairs.unwrap_or_default())
    }

    /// Names, each with pairs of a name and a text.
    #[expect(clippy::type_complexity, reason = "two tables, one in the other")]
    pub(crate) fn texts_by_name(
        &self,
        name: &str,
    ) -> Result<Vec<(&'a str, Vec<(&'a str, &'a str)>)>, Refusal> {
        let read = |value| named(value, |value| named(value, text));
        Ok(self.get(name, read)?.unwrap_or_default())
    }

    /// A table in this one. Where none is said, an empty one.
    pub(crate) fn table(&self, name: &str) -> Result<Inner<'a>, Refusal> {
        let keys = match kind_of(self.keys, name) {
            Some(Kind::Table(keys)) => keys,
            _ => &[],
        };
        let entries = self.get(name, |value| match value {
            Value::Table(entries) => Some(entries),
            _ => None,
        })?;
        let node = self.entries.and_then(|entries| entries.get(name));
        Ok(self.inner(name, join(self.path, name), keys, entries, node))
    }

    /// The tables of a list.
    pub(crate) fn tables(&self, name: &str) -> Result<Vec<Inner<'a>>, Refusal> {
        let keys = match kind_of(self.keys, name) {
            Some(Kind::Tables(keys)) => keys,
            _ => &[],
        };
        let path = join(self.path, name);
        let Some(node) = self.node(name) else {
            return Ok(Vec::new());
        };
        let Value::List(members) = &node.value else {
            return Err(self.unfit(name, node));
        };
        let member = |(number, member): (usize, &'a Node)| match &member.value {
            Value::Table(entries) => {
                member.is_read.set(true);
                let path = format!("{path}[{number}]");
                Ok(self.inner(name, path, keys, Some(entries), Some(member)))
            }
            _ => Err(self.unfit(name, member)),
        };
        (1..).zip(members).map(member).collect()
    }

    /// The tables that the operator named.
    pub(crate) fn named(&self, name: &str) -> Result<Vec<Inner<'a>>, Refusal> {
        let keys = match kind_of(self.keys, name) {
            Some(Kind::Named(keys)) => keys,
            _ => &[],
        };
        let path = join(self.path, name);
        let Some(node) = self.node(name) else {
            return Ok(Vec::new());
        };
        let Value::Table(members) = &node.value else {
            return Err(self.unfit(name, node));
        };
        let member = |(own, member): (&String, &'a Node)| match &member.value {
            Value::Table(entries) => {
                member.is_read.set(true);
                Ok(self.inner(own, join(&path, own), keys, Some(entries), Some(member)))
            }
            _ => Err(self.unfit(name, member)),
        };
        members.iter().map(member).collect()
    }

    fn inner(
        &self,
        name: &str,
        path: String,
        keys: &'static [Key],
        entries: Option<&'a Entries>,
        node: Option<&'a Node>,
    ) -> Inner<'a> {
        Inner {
            name: name.to_owned(),
            path,
            keys,
            entries,
            place: node.map(|node| &node.place).or(self.place),
            file: self.file,
        }
    }
}

fn says_anything(entries: &Entries) -> bool {
    entries.values().any(says)
}

fn says(node: &Node) -> bool {
    match &node.value {
        Value::Table(inner) => says_anything(inner),
        _ => true,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    let Value::List(members) = value else {
        return None;
    };
    members.iter().map(|member| text(&member.value)).collect()
}

fn named<'a, T>(
    value: &'a Value,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Option<Vec<(&'a str, T)>> {
    let Value::Table(entries) = value else {
        return None;
    };
    let pair = |(name, node): (&'a String, &'a Node)| {
        node.is_read.set(true);
        Some((name.as_str(), read(&node.value)?))
    };
    entries.iter().map(pair).collect()
}

/// What was said and is read by nothing: a key of a provider that this provider does not have, say.
pub(super) fn unread(said: &Entries, above: &str) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (name, node) in said {
        let path = join(above, name);
        if !node.is_read.get() {
            let why = "has no meaning beside what else is said here: take it out";
            found.push(Refusal::at(&node.place, &path, why));
            continue;
        }
        match &node.value {
            Value::Table(entries) => found.extend(unread(entries, &path)),
            Value::List(members) => {
                for (number, member) in (1..).zip(members) {
                    if let Value::Table(entries) = &member.value {
                        found.extend(unread(entries, &format!("{path}[{number}]")));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

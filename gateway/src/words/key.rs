//! The shape of the settings: each key with its kind, its default and its meaning. The readers of the file and of
//! the environment, the example and the reference in the documentation all follow these tables.

use super::refusal::variable;

/// A key of the settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// For the documentation; empty where the meaning says it.
    pub(crate) default: &'static str,
    pub(crate) what: &'static str,
    /// The options of the library that it sets, by which the library names its mistakes.
    pub(crate) sets: &'static [&'static str],
    /// A value as it could stand in the file.
    pub(crate) sample: &'static str,
}

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// A text that is never shown. `NAME_file` names a file that holds it instead.
    Secret,
    /// The same, several: `NAME_file` is a list of files.
    Secrets,
    /// The name of a file.
    File,
    Files,
    Switch,
    /// A whole number from the first to the last.
    Number(i64, i64),
    /// Seconds, or a number and `s`, `m`, `h` or `d`.
    Time,
    /// Bytes, or a number and `KiB`, `MiB` or `GiB`.
    Size,
    /// A list of texts.
    Words,
    /// The same, of which a variable may have spaces between, as OAuth writes scopes.
    Scopes,
    Choice(&'static [&'static str]),
    Choices(&'static [&'static str]),
    /// Names of the operator's, each with a text.
    Texts,
    /// Names of the operator's, each with a list of texts.
    Lists,
    /// Names of the operator's, each with a table of texts.
    TextsByName,
    Table(&'static [Key]),
    /// A list of tables.
    Tables(&'static [Key]),
    /// Names of the operator's, each with a table.
    Named(&'static [Key]),
}

/// A key without more to say of it than its meaning.
pub(super) const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    sample: &'static str,
    what: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        what,
        sets: &[],
        sample,
    }
}

/// A key that sets an option of the library.
pub(super) const fn sets(sets: &'static [&'static str], key: Key) -> Key {
    let Key {
        name,
        kind,
        default,
        what,
        sample,
        ..
    } = key;
    Key {
        name,
        kind,
        default,
        what,
        sets,
        sample,
    }
}

impl Kind {
    /// What the key holds, for messages and the documentation.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Text | Self::Choice(_) => "a text",
            Self::Secret => "a secret text",
            Self::Secrets => "a list of secret texts",
            Self::File => "the name of a file",
            Self::Files => "a list of names of files",
            Self::Switch => "true or false",
            Self::Number(..) => "a whole number",
            Self::Time => "a time, such as 30, \"30s\", \"5m\", \"2h\" or \"7d\"",
            Self::Size => "a size, such as 4096, \"64KiB\" or \"10MiB\"",
            Self::Words | Self::Scopes | Self::Choices(_) => "a list of texts",
            Self::Texts => "a table of texts",
            Self::Lists => "a table of lists of texts",
            Self::TextsByName => "a table of tables of texts",
            Self::Table(_) => "a table",
            Self::Tables(_) => "a list of tables",
            Self::Named(_) => "a table of tables",
        }
    }

    /// Of a secret, what its other key holds: the file.
    fn of_file(self) -> Option<Self> {
        match self {
            Self::Secret => Some(Self::File),
            Self::Secrets => Some(Self::Files),
            _ => None,
        }
    }
}

/// The kind of a name in a table, that of the file of a secret included.
pub(crate) fn kind_of(keys: &[Key], name: &str) -> Option<Kind> {
    let find = |name: &str| keys.iter().find(|key| key.name == name);
    let file = || find(name.strip_suffix("_file")?)?.kind.of_file();
    find(name).map(|key| key.kind).or_else(file)
}

/// Every name of a table, those of the files of secrets included.
pub(crate) fn names(keys: &'static [Key]) -> impl Iterator<Item = (String, &'static Key)> {
    keys.iter().flat_map(|key| {
        let file = key
            .kind
            .of_file()
            .map(|_| (format!("{}_file", key.name), key));
        std::iter::once((key.name.to_owned(), key)).chain(file)
    })
}

/// A key that has a variable.
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) variable: String,
    pub(crate) kind: Kind,
}

/// All that have one, in the order of the tables: what is in a list of tables has that of the list.
pub(crate) fn leaves(keys: &'static [Key]) -> Vec<Leaf> {
    let mut found = Vec::new();
    gather(keys, "", &mut found);
    found
}

fn gather(keys: &'static [Key], above: &str, found: &mut Vec<Leaf>) {
    for (name, key) in names(keys) {
        let path = format!("{above}{name}");
        match key.kind {
            Kind::Table(inner) => gather(inner, &format!("{path}."), found),
            kind => found.push(Leaf {
                variable: variable(&path),
                kind: kind_of(keys, &name).unwrap_or(kind),
                path,
            }),
        }
    }
}

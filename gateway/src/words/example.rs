//! The settings as a file: every key with its meaning, its default and its variable. What is optional is commented
//! out, so that the file says nothing by itself but what has to be said.

use std::fmt::Write as _;

use super::{
    key::{Key, Kind, leaves},
    keys::KEYS,
    refusal::variable,
};

/// The file of `--print-example`.
pub(crate) fn example() -> String {
    let mut text = String::from(
        "# The settings of tower-oauth-gateway. Each key has a variable, which counts where both are said; of a secret,\n\
         # `NAME_file` is the file that holds it.\n",
    );
    // Keys of no table come before the first table.
    let (tables, plain): (Vec<&Key>, Vec<&Key>) = KEYS.iter().partition(|key| is_table(key.kind));
    for key in plain {
        entry(&mut text, key, "");
    }
    for key in tables {
        part(&mut text, key, "", "");
    }
    text
}

fn is_table(kind: Kind) -> bool {
    matches!(kind, Kind::Table(_) | Kind::Tables(_))
}

/// A table; those inside of it come after its own keys.
fn part(text: &mut String, key: &Key, above: &str, mark: &str) {
    let path = format!("{above}{}", key.name);
    let (keys, open, close) = match key.kind {
        Kind::Table(keys) => (keys, "[", "]"),
        Kind::Tables(keys) => (keys, "[[", "]]"),
        _ => return,
    };
    // Of a list, each table needs its keys at once: all of it is commented out.
    let mark = if open == "[[" { "# " } else { mark };
    let default = if key.default.is_empty() {
        String::new()
    } else {
        format!(" Default: {}.", key.default)
    };
    let variable = match key.kind {
        Kind::Tables(_) => format!(" {}", variable(&path)),
        _ => String::new(),
    };
    let _ = write!(
        text,
        "\n# {}.{default}{variable}\n{mark}{open}{path}{close}\n",
        capital(key.what)
    );
    let (tables, plain): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|key| is_table(key.kind));
    for key in plain {
        entry(text, key, &format!("{path}."));
    }
    for key in tables {
        part(text, key, &format!("{path}."), mark);
    }
}

fn entry(text: &mut String, key: &Key, above: &str) {
    let path = format!("{above}{}", key.name);
    // What stands in a list of tables has that of the list.
    let has_own = leaves(KEYS).iter().any(|leaf| leaf.path == path);
    let variable = if has_own {
        format!(" {}", variable(&path))
    } else {
        String::new()
    };
    let default = match key.default {
        "" => String::new(),
        default if default.starts_with("required") => format!(" {}.", capital(default)),
        default => format!(" Default: {default}."),
    };
    let what = match key.what {
        "" => String::new(),
        what => format!("{}.", capital(what)),
    };
    let told = format!("{what}{default}{variable}");
    for line in wrapped(told.trim()) {
        let _ = writeln!(text, "# {line}");
    }
    let is_said = above.matches('.').count() <= 1
        && matches!(
            &*path,
            "base_url"
                | "upstream.url"
                | "provider.preset"
                | "provider.client_id"
                | "provider.client_secret"
        );
    let mark = if is_said { "" } else { "#" };
    let _ = writeln!(text, "{mark}{} = {}", key.name, key.sample);
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Lines of a readable length.
fn wrapped(words: &str) -> Vec<String> {
    const WIDTH: usize = 110;
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        if let Some(line) = lines.last_mut()
            && (line.is_empty() || line.len() + word.len() < WIDTH)
        {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

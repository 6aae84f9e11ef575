//! Whether all that was said has a key, and is of its kind: one pass that names every mistake at once.

use super::{
    key::{Key, Kind, kind_of, names},
    nearest::nearest,
    refusal::{Refusal, shown},
    value::{Entries, Node, Value},
};

/// What is wrong with a table and all in it.
pub(super) fn judge(said: &Entries, keys: &'static [Key], above: &str) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    for (name, node) in said {
        let path = join(above, name);
        match kind_of(keys, name) {
            Some(kind) => judge_value(node, kind, &path, &mut wrong),
            None => {
                let known: Vec<String> = names(keys).map(|(name, _)| name).collect();
                let near = nearest(name, known.iter().map(String::as_str));
                let hint = match near {
                    Some(near) => format!("is `{}` meant?", join(above, near)),
                    None => format!("known are {}", known.join(", ")),
                };
                let why = format!("the gateway has no such key: {hint}");
                wrong.push(Refusal::at(&node.place, &path, why));
            }
        }
    }
    wrong
}

/// The path of a key in a table. Names that the operator chose stand in quotes.
pub(super) fn join(above: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => {
            let cut: String = name.chars().take(100).collect();
            format!("\"{}\"", cut.escape_debug())
        }
    };
    match above {
        "" => name,
        above => format!("{above}.{name}"),
    }
}

fn judge_value(node: &Node, kind: Kind, path: &str, wrong: &mut Vec<Refusal>) {
    let mut refuse = |why: String| wrong.push(Refusal::at(&node.place, path, why));
    match (kind, &node.value) {
        (Kind::Text | Kind::Secret | Kind::File, Value::Text(text)) => {
            if text.trim().is_empty() {
                refuse("is empty: leave the key out, or say something".to_owned());
            }
        }
        (Kind::Switch, Value::Switch(_)) => {}
        (Kind::Number(least, most), Value::Number(number)) => {
            if !(least..=most).contains(number) {
                refuse(format!("{number} is not from {least} to {most}"));
            }
        }
        (Kind::Time, Value::Number(number)) | (Kind::Size, Value::Number(number)) => {
            if *number < 0 {
                refuse(format!("{number} is not {}", kind.words()));
            }
        }
        (Kind::Time, Value::Text(text)) if seconds(text).is_some() => {}
        (Kind::Size, Value::Text(text)) if bytes(text).is_some() => {}
        (Kind::Choice(choices), Value::Text(text)) => {
            if let Err(why) = choose(text, choices) {
                refuse(why);
            }
        }
        (Kind::Words | Kind::Scopes | Kind::Files | Kind::Secrets, Value::List(members)) => {
            for member in members {
                judge_value(member, Kind::Text, path, wrong);
            }
        }
        (Kind::Choices(choices), Value::List(members)) => {
            for member in members {
                judge_value(member, Kind::Choice(choices), path, wrong);
            }
        }
        (Kind::Texts | Kind::Lists | Kind::TextsByName, Value::Table(entries)) => {
            let kind = match kind {
                Kind::Texts => Kind::Text,
                Kind::TextsByName => Kind::Texts,
                _ => Kind::Words,
            };
            for (name, node) in entries {
                judge_value(node, kind, &join(path, name), wrong);
            }
        }
        (Kind::Table(keys), Value::Table(entries)) => wrong.extend(judge(entries, keys, path)),
        (Kind::Tables(keys), Value::List(members)) => {
            for (number, member) in (1..).zip(members) {
                judge_value(
                    member,
                    Kind::Table(keys),
                    &format!("{path}[{number}]"),
                    wrong,
                );
            }
        }
        (Kind::Named(keys), Value::Table(entries)) => {
            for (name, node) in entries {
                judge_value(node, Kind::Table(keys), &join(path, name), wrong);
            }
        }
        // A text may be a secret in the wrong place, but one that is short and where a time is meant helps.
        (Kind::Time | Kind::Size | Kind::Switch | Kind::Number(..), Value::Text(text)) => {
            refuse(format!("{} is not {}", shown(text), kind.words()));
        }
        (kind, value) => refuse(format!("is {}, and not {}", value.kind(), kind.words())),
    }
}

fn choose(text: &str, choices: &[&str]) -> Result<(), String> {
    if choices.contains(&text) {
        return Ok(());
    }
    let hint = match nearest(text, choices.iter().copied()) {
        Some(near) => format!(": is `{near}` meant?"),
        None => String::new(),
    };
    let choices = choices.join(", ");
    Err(format!("{} is not one of {choices}{hint}", shown(text)))
}

/// `30`, `30s`, `5m`, `2h`, `7d`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let unit = UNITS.iter().find(|(letter, _)| text.ends_with(*letter));
    let (digits, factor) = match unit {
        Some((letter, factor)) => (text.strip_suffix(*letter).unwrap_or_default(), *factor),
        None => (text, 1),
    };
    whole(digits)?.checked_mul(factor)
}

/// `4096`, `64KiB`, `10MiB`, `1GiB`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let unit = |(name, factor): &(&str, u64)| Some((text.strip_suffix(name)?, *factor));
    let (digits, factor) = UNITS.iter().find_map(unit).unwrap_or((text, 1));
    whole(digits.trim_end())?.checked_mul(factor)
}

/// Without a sign, and not nothing.
fn whole(digits: &str) -> Option<u64> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{document::parse, key::key};

    const RULE: &[Key] = &[key("role", Kind::Text, "", "", "")];
    const INNER: &[Key] = &[
        key("allowed_domains", Kind::Words, "", "", ""),
        key("password", Kind::Secret, "", "", ""),
        key("time", Kind::Time, "", "", ""),
        key("size", Kind::Size, "", "", ""),
        key("count", Kind::Number(1, 10), "", "", ""),
        key("on", Kind::Switch, "", "", ""),
        key("consent", Kind::Choice(&["always", "remember"]), "", "", ""),
        key("texts", Kind::Texts, "", "", ""),
        key("lists", Kind::Lists, "", "", ""),
        key("rules", Kind::Named(RULE), "", "", ""),
        key("many", Kind::Tables(RULE), "", "", ""),
    ];
    const KEYS: &[Key] = &[key("inner", Kind::Table(INNER), "", "", "")];

    fn told(inner: &str) -> Vec<String> {
        let said = parse("gateway.toml", &format!("[inner]\n{inner}")).unwrap();
        let wrong = judge(&said, KEYS, "");
        wrong.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_of_its_kind_is_let_be() {
        let said = "allowed_domains = [\"a\"]\npassword_file = \"f\"\ntime = \"5m\"\nsize = \"64KiB\"\n\
                    count = 10\non = true\nconsent = \"always\"\ntexts = { \"a b\" = \"c\" }\n\
                    lists = { a = [\"b\"] }\nrules = { \"delete_*\" = { role = \"x\" } }\n\
                    [[inner.many]]\nrole = \"y\"";
        assert_eq!(told(said), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_is_named_with_file_line_and_key() {
        for (said, expected) in [
            (
                "allowed_domain = [\"a\"]",
                "gateway.toml:2: inner.allowed_domain: the gateway has no such key: is \
                 `inner.allowed_domains` meant?",
            ),
            (
                "allowed_domains = \"a\"",
                "gateway.toml:2: inner.allowed_domains: is a text, and not a list of texts",
            ),
            (
                "allowed_domains = [\"a\",\n 1]",
                "gateway.toml:3: inner.allowed_domains: is a number, and not a text",
            ),
            (
                "password = 1",
                "gateway.toml:2: inner.password: is a number, and not a secret text",
            ),
            (
                "password = \"\"",
                "gateway.toml:2: inner.password: is empty: leave the key out, or say something",
            ),
            (
                "time = \"5 weeks\"",
                "gateway.toml:2: inner.time: `5 weeks` is not a time, such as 30, \"30s\", \"5m\", \"2h\" or \
                 \"7d\"",
            ),
            (
                "size = -1",
                "gateway.toml:2: inner.size: -1 is not a size, such as 4096, \"64KiB\" or \"10MiB\"",
            ),
            (
                "count = 11",
                "gateway.toml:2: inner.count: 11 is not from 1 to 10",
            ),
            (
                "on = \"yes\"",
                "gateway.toml:2: inner.on: `yes` is not true or false",
            ),
            (
                "consent = \"alwaysx\"",
                "gateway.toml:2: inner.consent: `alwaysx` is not one of always, remember: is `always` meant?",
            ),
            (
                "rules = { \"delete_*\" = { rolex = \"x\" } }",
                "gateway.toml:2: inner.rules.\"delete_*\".rolex: the gateway has no such key: is \
                 `inner.rules.\"delete_*\".role` meant?",
            ),
            (
                "[[inner.many]]\nrole = \"y\"\n[[inner.many]]\nrole = 1",
                "gateway.toml:5: inner.many[2].role: is a number, and not a text",
            ),
            (
                "texts = { a = 1 }",
                "gateway.toml:2: inner.texts.a: is a number, and not a text",
            ),
        ] {
            assert_eq!(told(said), [expected], "{said}");
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        assert_eq!(told("count = 0\non = 1\nx = 1").len(), 3);
    }

    #[test]
    fn times_and_sizes_are_read_strictly() {
        for (text, expected) in [
            ("30", Some(30)),
            ("30s", Some(30)),
            ("5m", Some(300)),
            ("2h", Some(7200)),
            ("7d", Some(604_800)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5h", None),
            ("5mm", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for (text, expected) in [
            ("4096", Some(4096)),
            ("64KiB", Some(65_536)),
            ("64 KiB", Some(65_536)),
            ("10MiB", Some(10 << 20)),
            ("1GiB", Some(1 << 30)),
            ("1KB", None),
            ("KiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}

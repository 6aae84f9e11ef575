//! The environment: each key of the file has one variable, and what a variable says counts.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    document::parse_value,
    key::{Key, Kind, Leaf, leaves},
    nearest::nearest,
    refusal::{PREFIX, Place, Refusal},
    value::{Entries, Node, Value},
};

/// Whether a variable is one of the gateway's, or looks like it.
pub(crate) fn is_ours(name: &str) -> bool {
    name.to_ascii_uppercase().starts_with(PREFIX)
}

/// The variables that are no settings: where the settings are.
pub(crate) const OTHERS: &[&str] = &["GATEWAY_CONFIG"];

/// Puts the variables of the gateway over what the file says. A variable that is not known may be a slip in
/// one that says who may log in: it is a mistake.
pub(super) fn lay_over(
    said: &mut Entries,
    keys: &'static [Key],
    variables: &BTreeMap<String, String>,
) -> Vec<Refusal> {
    let leaves = leaves(keys);
    let mut wrong = Vec::new();
    for (name, text) in variables {
        if !is_ours(name) || OTHERS.contains(&&**name) || is_of_kubernetes(name, text) {
            continue;
        }
        let Some(leaf) = leaves.iter().find(|leaf| leaf.variable == *name) else {
            wrong.push(unknown(name, &leaves));
            continue;
        };
        match read(leaf, text) {
            Ok(node) => {
                if let Err(refusal) = put(said, &leaf.path, node) {
                    wrong.push(refusal);
                }
            }
            Err(refusal) => wrong.push(refusal),
        }
    }
    wrong
}

/// Kubernetes sets variables in each container for each service, by its name: `GATEWAY_SERVICE_HOST`, where one is
/// called `gateway`. They are not for us.
pub(super) fn is_of_kubernetes(name: &str, text: &str) -> bool {
    let is_url = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let is_of_port = |rest: &str| {
        let mut parts = rest.split('_');
        let number = parts.next().unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.split("_PORT_").skip(1).any(is_of_port)
        || (name.ends_with("_PORT") && is_url)
}

fn unknown(name: &str, leaves: &[Leaf]) -> Refusal {
    let known = leaves.iter().map(|leaf| &*leaf.variable);
    let hint = match nearest(name, known.chain(OTHERS.iter().copied())) {
        Some(near) => format!(": is {near} meant?"),
        None => String::new(),
    };
    let name: String = name.chars().take(100).collect();
    Refusal::new(format!(
        "{}: the gateway has no such variable{hint}",
        name.escape_debug()
    ))
}

fn read(leaf: &Leaf, text: &str) -> Result<Node, Refusal> {
    let variable: Rc<str> = leaf.variable.as_str().into();
    let place = Place::Variable(Rc::clone(&variable));
    if text.trim().is_empty() {
        let why = "is empty, as a variable is whose value was lost: unset it, or say something";
        return Err(Refusal::new(format!("{variable}: {why}")));
    }
    let member = |text: &str| Node::new(Value::Text(text.to_owned()), place.clone());
    let list = |separators: &[char]| {
        let members = text.split(separators).map(str::trim);
        let members = members.filter(|text| !text.is_empty());
        Value::List(members.map(member).collect())
    };
    let value = match leaf.kind {
        Kind::Text | Kind::Secret | Kind::File | Kind::Choice(_) => Value::Text(text.to_owned()),
        Kind::Switch => match text.trim() {
            "true" | "on" => Value::Switch(true),
            "false" | "off" => Value::Switch(false),
            _ => Value::Text(text.to_owned()),
        },
        Kind::Number(..) | Kind::Time | Kind::Size => match text.trim().parse() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Text(text.trim().to_owned()),
        },
        Kind::Words | Kind::Secrets | Kind::Files | Kind::Scopes | Kind::Choices(_)
            if text.trim_start().starts_with('[') =>
        {
            parse_value(&variable, text.trim())?
        }
        Kind::Scopes => list(&[',', ' ', '\t', '\n']),
        Kind::Words | Kind::Secrets | Kind::Files | Kind::Choices(_) => list(&[',']),
        Kind::Texts
        | Kind::Lists
        | Kind::TextsByName
        | Kind::Table(_)
        | Kind::Tables(_)
        | Kind::Named(_) => parse_value(&variable, text.trim())?,
    };
    Ok(Node::new(value, place))
}

/// Puts a node at its path. What the file says there is not counted.
fn put(said: &mut Entries, path: &str, node: Node) -> Result<(), Refusal> {
    let Some((table, rest)) = path.split_once('.') else {
        said.insert(path.to_owned(), node);
        return Ok(());
    };
    let place = node.place.clone();
    let inner = said
        .entry(table.to_owned())
        .or_insert_with(|| Node::new(Value::Table(Entries::new()), place));
    match &mut inner.value {
        Value::Table(entries) => put(entries, rest, node),
        other => {
            let why = format!("is {}, and not a table", other.kind());
            Err(Refusal::at(&inner.place, table, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::key::key;

    const INNER: &[Key] = &[
        key("words", Kind::Words, "", "[]", ""),
        key("scopes", Kind::Scopes, "", "[]", ""),
        key("on", Kind::Switch, "", "true", ""),
        key("time", Kind::Time, "", "1", ""),
        key("password", Kind::Secret, "", "", ""),
        key("rules", Kind::Named(&[]), "", "", ""),
    ];
    const KEYS: &[Key] = &[
        key("base_url", Kind::Text, "", "", ""),
        key("inner", Kind::Table(INNER), "", "", ""),
    ];

    fn over(file: &str, variables: &[(&str, &str)]) -> (Entries, Vec<String>) {
        let mut said = super::super::document::parse("gateway.toml", file).unwrap();
        let variables = variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let wrong = lay_over(&mut said, KEYS, &variables.collect());
        (said, wrong.iter().map(ToString::to_string).collect())
    }

    fn inner<'a>(said: &'a Entries, name: &str) -> &'a Value {
        let Value::Table(inner) = &said["inner"].value else {
            panic!()
        };
        &inner[name].value
    }

    fn words(value: &Value) -> Vec<&str> {
        let Value::List(members) = value else {
            panic!()
        };
        members
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => text.as_str(),
                _ => panic!(),
            })
            .collect()
    }

    #[test]
    fn a_variable_counts_and_not_the_file() {
        let file = "base_url = \"a\"\n[inner]\ntime = 5\non = false\n";
        let (said, wrong) = over(
            file,
            &[("GATEWAY_INNER_ON", "true"), ("GATEWAY_BASE_URL", "b")],
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(matches!(inner(&said, "on"), Value::Switch(true)));
        assert!(matches!(inner(&said, "time"), Value::Number(5)));
        assert!(matches!(&said["base_url"].value, Value::Text(text) if text == "b"));
    }

    #[test]
    fn a_list_is_separated_by_commas_or_stands_as_in_the_file() {
        let variables = [
            ("GATEWAY_INNER_WORDS", "R and D, Sales"),
            ("GATEWAY_INNER_SCOPES", "read write,admin"),
        ];
        let (said, wrong) = over("", &variables);
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(words(inner(&said, "words")), ["R and D", "Sales"]);
        assert_eq!(words(inner(&said, "scopes")), ["read", "write", "admin"]);
        let (said, _) = over("", &[("GATEWAY_INNER_WORDS", "[\"a, b\", 'c']")]);
        assert_eq!(words(inner(&said, "words")), ["a, b", "c"]);
        let (said, _) = over(
            "",
            &[("GATEWAY_INNER_RULES", "{ \"delete_*\" = { role = \"a\" } }")],
        );
        assert!(matches!(inner(&said, "rules"), Value::Table(_)));
    }

    #[test]
    fn an_unknown_variable_names_the_nearest() {
        for (name, near) in [
            ("GATEWAY_BASEURL", Some("GATEWAY_BASE_URL")),
            ("GATEWAY_INNER_WORD", Some("GATEWAY_INNER_WORDS")),
            ("gateway_base_url", Some("GATEWAY_BASE_URL")),
            ("GATEWAY_CONFIX", Some("GATEWAY_CONFIG")),
            (
                "GATEWAY_INNER_PASSWORD_FIL",
                Some("GATEWAY_INNER_PASSWORD_FILE"),
            ),
            ("GATEWAY_NOTHING_LIKE_IT_AT_ALL", None),
        ] {
            let (_, wrong) = over("", &[(name, "s3cret")]);
            let [told] = &wrong[..] else {
                panic!("{wrong:?}")
            };
            assert!(told.starts_with(name) && !told.contains("s3cret"), "{told}");
            assert_eq!(near.is_some(), told.contains("meant?"));
            assert!(near.is_none_or(|near| told.contains(near)), "{told}");
        }
    }

    #[test]
    fn an_empty_variable_is_refused() {
        for text in ["", "  "] {
            let (_, wrong) = over("", &[("GATEWAY_INNER_WORDS", text)]);
            assert!(wrong[0].contains("is empty"), "{wrong:?}");
        }
    }

    #[test]
    fn what_others_set_is_let_be() {
        let others = [
            ("GATEWAY_SERVICE_HOST", "10.0.0.1"),
            ("GATEWAY_SERVICE_PORT", "80"),
            ("GATEWAY_SERVICE_PORT_HTTP", "80"),
            ("GATEWAY_PORT", "tcp://10.0.0.1:80"),
            ("GATEWAY_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("GATEWAY_BLUE_PORT_80_TCP_PROTO", "tcp"),
            ("GATEWAY_CONFIG", "/etc/gateway.toml"),
            ("PATH", "/bin"),
        ];
        assert_eq!(over("", &others).1, Vec::<String>::new());
        // What only looks like it.
        assert_eq!(over("", &[("GATEWAY_PORT", "80")]).1.len(), 1);
    }

    #[test]
    fn a_table_that_is_none_is_told() {
        let (_, wrong) = over("inner = 1", &[("GATEWAY_INNER_ON", "true")]);
        assert_eq!(
            wrong,
            ["gateway.toml:1: inner: is a number, and not a table"]
        );
    }
}

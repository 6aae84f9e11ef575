//! The settings file: TOML, with the line of each value.

use std::{ops::Range, rc::Rc};

use toml::de::{DeTable, DeValue, Error};

use super::{
    refusal::{Place, Refusal},
    value::{Entries, Node, Value},
};

/// Reads the text of a file.
pub(super) fn parse(name: &str, text: &str) -> Result<Entries, Refusal> {
    let lines = Lines {
        name: name.into(),
        starts: text.match_indices('\n').map(|(at, _)| at + 1).collect(),
    };
    match DeTable::parse(text) {
        Ok(table) => Ok(entries(table.get_ref(), &|span| lines.place(span))),
        Err(error) => {
            let line = error.span().map_or(1, |span| lines.number(&span));
            Err(Refusal::new(format!("{name}:{line}: {}", words(&error))))
        }
    }
}

/// Reads the value of a variable that holds a list or a table, as it would stand in the file.
pub(super) fn parse_value(variable: &Rc<str>, text: &str) -> Result<Value, Refusal> {
    let place = Place::Variable(Rc::clone(variable));
    let parsed = DeValue::parse(text);
    let parsed = parsed.map_err(|error| {
        let why = format!("not as it would stand in the file: {}", words(&error));
        Refusal::at(&place, "", why)
    })?;
    Ok(value(parsed.get_ref(), &|_| place.clone()))
}

struct Lines {
    name: Rc<str>,
    /// Where each line after the first begins.
    starts: Vec<usize>,
}

impl Lines {
    fn number(&self, span: &Range<usize>) -> usize {
        self.starts.partition_point(|start| *start <= span.start) + 1
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place::File {
            name: Rc::clone(&self.name),
            line: self.number(span),
        }
    }
}

/// What the parser says. It shows nothing of the text: that may be a secret.
fn words(error: &Error) -> String {
    error.message().lines().collect::<Vec<_>>().join("; ")
}

fn entries(table: &DeTable<'_>, place: &dyn Fn(&Range<usize>) -> Place) -> Entries {
    let entries = table.iter().map(|(name, inner)| {
        // Of a value that spans several lines, and of a table, the line of its name.
        let node = Node::new(value(inner.get_ref(), place), place(&name.span()));
        (name.get_ref().to_string(), node)
    });
    entries.collect()
}

fn value(said: &DeValue<'_>, place: &dyn Fn(&Range<usize>) -> Place) -> Value {
    match said {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or(Value::Other("a number that is too large"), Value::Number)
        }
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(members) => {
            let member = |member: &toml::Spanned<DeValue<'_>>| {
                Node::new(value(member.get_ref(), place), place(&member.span()))
            };
            Value::List(members.iter().map(member).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(node: &Node) -> usize {
        match &node.place {
            Place::File { line, .. } => *line,
            Place::Variable(_) => panic!("not of a file"),
        }
    }

    #[test]
    fn each_value_knows_its_line() {
        let text = "a = 1\n\n[people]\nallowed_domains = [\n  \"example.com\",\n  \"x\" ]\n[[more]]\nb = true\n";
        let said = parse("gateway.toml", text).unwrap();
        assert_eq!(line(&said["a"]), 1);
        assert_eq!(line(&said["people"]), 3);
        let Value::Table(people) = &said["people"].value else {
            panic!()
        };
        assert_eq!(line(&people["allowed_domains"]), 4);
        let Value::List(domains) = &people["allowed_domains"].value else {
            panic!()
        };
        assert_eq!(domains.iter().map(line).collect::<Vec<_>>(), [5, 6]);
        let Value::List(more) = &said["more"].value else {
            panic!()
        };
        assert_eq!(line(&more[0]), 7);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line_and_without_its_text() {
        for (text, line) in [
            ("a = 1\nb = \"s3cret\n", 2),
            ("a = 1\na = \"s3cret\"\n", 2),
            ("s3cret", 1),
            ("[provider]\nclient_secret = s3cret\n", 2),
        ] {
            let told = parse("gateway.toml", text).unwrap_err().to_string();
            let start = format!("gateway.toml:{line}: ");
            assert!(told.starts_with(&start), "{told}");
            assert!(!told.contains("s3cret") && !told.contains('\n'), "{told}");
        }
    }

    #[test]
    fn nothing_prints_a_text() {
        let said = parse("gateway.toml", "a = \"s3cret\"\nb = [\"s3cret\"]").unwrap();
        assert!(!format!("{said:?}").contains("s3cret"));
    }

    #[test]
    fn numbers_of_each_base_are_read_and_none_is_guessed() {
        let said = parse(
            "f",
            "a = 0x10\nb = 1_000\nc = 99999999999999999999\nd = 1.5",
        )
        .unwrap();
        let kinds: Vec<_> = said.values().map(|node| node.value.kind()).collect();
        let odd = ["a number that is too large", "a number with a fraction"];
        assert_eq!(kinds, ["a number", "a number", odd[0], odd[1]]);
        assert!(matches!(said["a"].value, Value::Number(16)));
        assert!(matches!(said["b"].value, Value::Number(1000)));
    }
}

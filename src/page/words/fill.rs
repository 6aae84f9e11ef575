//! Values in texts.

use maud::{Markup, html};

/// A piece of a text.
enum Piece<'a> {
    Ours(&'a str),
    Value(&'a str),
}

/// The pieces of a text, each value in the place of its name in braces. What stands in a value is not
/// looked at again; braces around anything else are text.
fn pieces<'a>(text: &'a str, values: &[(&str, &'a str)]) -> Vec<Piece<'a>> {
    let (mut pieces, mut ours, mut rest) = (Vec::new(), 0, text);
    while let Some(at) = rest.find('{') {
        let begins = text.len() - rest.len() + at;
        let inside = rest.get(at + 1..).unwrap_or_default();
        let found = values.iter().find_map(|(name, value)| {
            let after = inside.strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        rest = inside;
        if let Some((value, after)) = found {
            pieces.push(Piece::Ours(text.get(ours..begins).unwrap_or_default()));
            pieces.push(Piece::Value(value));
            (ours, rest) = (text.len() - after.len(), after);
        }
    }
    pieces.push(Piece::Ours(text.get(ours..).unwrap_or_default()));
    pieces
}

/// A text with values, each isolated in its direction from the words around it.
pub(in crate::page) fn fill(text: &str, values: &[(&str, &str)]) -> Markup {
    html! {
        @for piece in pieces(text, values) {
            @match piece {
                Piece::Ours(text) => (text),
                Piece::Value(value) => bdi { (value) },
            }
        }
    }
}

/// The same for the title bar, which knows no elements.
pub(in crate::page) fn fill_title(text: &str, values: &[(&str, &str)]) -> String {
    let is_one_way = text.is_ascii() && values.iter().all(|(_, value)| value.is_ascii());
    let pieces = pieces(text, values).into_iter().map(|piece| match piece {
        Piece::Ours(text) => text.to_owned(),
        Piece::Value(value) if is_one_way => value.to_owned(),
        // FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: a `bdi` in plain text.
        Piece::Value(value) => format!("\u{2068}{value}\u{2069}"),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_where_the_text_has_its_name_and_is_isolated() {
        let values = [("service", "<b>Notes</b>"), ("provider", "Acme")];
        let filled = fill("Log in to {service} with {provider}.", &values).into_string();
        assert_eq!(
            filled,
            "Log in to <bdi>&lt;b&gt;Notes&lt;/b&gt;</bdi> with <bdi>Acme</bdi>."
        );
    }

    #[test]
    fn what_stands_in_a_value_is_no_place_for_another() {
        let values = [("service", "{provider}"), ("provider", "{service}")];
        let filled = fill("{service}{provider}", &values).into_string();
        assert_eq!(filled, "<bdi>{provider}</bdi><bdi>{service}</bdi>");
    }

    #[test]
    fn braces_around_anything_else_are_text() {
        for text in [
            "{",
            "}",
            "{}",
            "{{",
            "{other}",
            "{service",
            "{ service }",
            "ü{é}",
        ] {
            let filled = fill(text, &[("service", "Notes")]).into_string();
            assert_eq!(filled, text);
        }
        let filled = fill("{{service}}", &[("service", "Notes")]).into_string();
        assert_eq!(filled, "{<bdi>Notes</bdi>}");
    }

    #[test]
    fn a_title_isolates_what_may_run_the_other_way() {
        let title = |text, value| fill_title(text, &[("service", value)]);
        assert_eq!(title("Access to {service}", "Notes"), "Access to Notes");
        assert_eq!(
            title("Access to {service}!", "مذكرات"),
            "Access to \u{2068}مذكرات\u{2069}!"
        );
        assert_eq!(
            title("الوصول إلى {service}", "Notes"),
            "الوصول إلى \u{2068}Notes\u{2069}"
        );
    }
}

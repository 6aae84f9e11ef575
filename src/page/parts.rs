//! The pieces that pages are made of.

use std::fmt::Display;

use maud::{Markup, html};

use super::signs::Sign;

/// A stranger's word, in quotation marks and at most three lines high.
pub(super) fn claim(word: &str) -> Markup {
    html! { dd .claim { q { bdi { (word) } } } }
}

/// Something that this server has checked.
pub(super) fn checked(value: &str) -> Markup {
    html! { dd .checked { (Sign::Shield.picture()) bdi { (value) } } }
}

/// What a technician wants to see, behind a click.
pub(super) fn on_demand<T: Display>(summary: &str, codes: impl Iterator<Item = T>) -> Markup {
    html! {
        details { summary { (summary) } @for code in codes { code { bdi { (code) } } } }
    }
}

/// A page that says something: its sign, its heading, its text, and what can be done.
pub(super) fn message(sign: Sign, title: &Markup, text: &Markup, more: &Markup) -> Markup {
    html! {
        div .stack {
            (sign.large())
            h1 { (title) }
            p { (text) }
            (more)
        }
    }
}

/// A link that looks like what it does: it goes on.
pub(super) fn onward(url: &str, label: &str) -> Markup {
    html! { a .button .yes href=(url) { (label) } }
}

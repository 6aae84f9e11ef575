//! The form of a page that asks for a decision: a no and a yes of one size, side by side.

use maud::{Markup, html};

/// What the person decides, and what the form knows.
pub(super) struct Decision<'a> {
    pub(super) action: &'a str,
    /// Names and values.
    pub(super) hidden: &'a [(&'a str, &'a str)],
    /// Something to choose first. A no needs no choice.
    pub(super) choice: Option<Markup>,
    pub(super) no: Button<'a>,
    pub(super) yes: Button<'a>,
    /// A third way, below the two.
    pub(super) other: Option<Button<'a>>,
}

/// One of the two.
pub(super) struct Button<'a> {
    /// What the form sends as `decision`.
    pub(super) value: &'a str,
    pub(super) label: Markup,
}

impl Decision<'_> {
    /// The form around what it asks. The caution stands right above the buttons, and in view as long as they do.
    pub(super) fn around(&self, content: &Markup, caution: Option<&str>) -> Markup {
        self.form(&html! {
            (content)
            @if let Some(choice) = &self.choice { (choice) }
            div .decide {
                @if let Some(caution) = caution { p .caution { (caution) } }
                (self.buttons())
            }
        })
    }

    /// The form by itself, for a page that is not ours.
    pub(super) fn alone(&self) -> Markup {
        self.form(&html! {
            @if let Some(choice) = &self.choice { (choice) }
            div .decide { (self.buttons()) }
        })
    }

    fn form(&self, content: &Markup) -> Markup {
        html! {
            form .stack method="post" action=(self.action) {
                @for (name, value) in self.hidden { input type="hidden" name=(name) value=(value); }
                // HTML has Enter press the first button of a form, also in a choice. A first one that is
                // disabled leaves both decisions to those who mean them.
                @if self.choice.is_some() { button type="submit" disabled hidden {} }
                (content)
            }
        }
    }

    fn buttons(&self) -> Markup {
        html! {
            div .pair {
                button type="submit" name="decision" value=(self.no.value) formnovalidate[self.choice.is_some()] {
                    (self.no.label)
                }
                div .yes-place {
                    button .yes type="submit" name="decision" value=(self.yes.value) { (self.yes.label) }
                }
            }
            @if let Some(other) = &self.other {
                button .other type="submit" name="decision" value=(other.value) { (other.label) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(choice: Option<Markup>) -> Decision<'static> {
        let button = |value, label: &'static str| Button {
            value,
            label: html! { (label) },
        };
        Decision {
            action: "https://notes.example/oauth/consent",
            hidden: &[("login", "t"), ("csrf", "\"f")],
            choice,
            no: button("deny", "Deny"),
            yes: button("approve", "Allow"),
            other: None,
        }
    }

    #[test]
    fn a_form_has_its_hidden_fields_and_two_buttons_and_the_caution_right_above() {
        let html = decision(None).around(&html! { h1 { "x" } }, Some("Mind"));
        assert_eq!(
            html.into_string(),
            "<form class=\"stack\" method=\"post\" action=\"https://notes.example/oauth/consent\">\
             <input type=\"hidden\" name=\"login\" value=\"t\">\
             <input type=\"hidden\" name=\"csrf\" value=\"&quot;f\"><h1>x</h1>\
             <div class=\"decide\"><p class=\"caution\">Mind</p><div class=\"pair\">\
             <button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button>\
             <div class=\"yes-place\"><button class=\"yes\" type=\"submit\" name=\"decision\" value=\"approve\">\
             Allow</button></div></div></div></form>"
        );
    }

    #[test]
    fn with_a_choice_a_no_needs_none_and_enter_decides_nothing() {
        let choice = html! { input type="radio" name="provider" value="a" required; };
        let html = decision(Some(choice)).alone().into_string();
        assert!(
            html.contains("value=\"deny\" formnovalidate>Deny"),
            "{html}"
        );
        let first = html.find("<button").unwrap();
        assert!(html[first..].starts_with("<button type=\"submit\" disabled hidden></button>"));
        assert!(first < html.find("radio").unwrap());
        assert!(!decision(None).alone().into_string().contains("disabled"));
    }
}

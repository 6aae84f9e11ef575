//! Where to log in: the choice on the consent page, and the page that asks for nothing else.

use maud::{Markup, html};

use super::{
    custom::PageKind,
    decision::{Button, Decision},
    frame::{About, Sheet},
    stage::Stage,
    words::{Words, fill, fill_title},
};

/// A provider that a person can choose.
pub(crate) struct ProviderOption<'a> {
    /// What the form sends.
    pub(crate) id: &'a str,
    /// What the person reads.
    pub(crate) name: &'a str,
}

/// Everything on the page that asks for the provider alone.
pub(crate) struct ProviderPage<'a> {
    pub(crate) options: &'a [ProviderOption<'a>],
    /// The form came without a choice.
    pub(crate) again: bool,
    pub(crate) action: &'a str,
    pub(crate) login: &'a str,
    pub(crate) form_token: &'a str,
}

pub(super) fn html(page: &ProviderPage<'_>, stage: &Stage<'_>) -> String {
    let (words, service) = (stage.words(), stage.service());
    let decision = Decision {
        action: page.action,
        hidden: &[("login", page.login), ("csrf", page.form_token)],
        choice: Some(choice(words, page.options, page.again)),
        no: Button {
            value: "deny",
            label: html! { (words.cancel) },
        },
        yes: Button {
            value: "approve",
            label: html! { (words.go_on) },
        },
        other: None,
    };
    let heading = html! { h1 { (fill(&words.log_in_to, &service)) } };
    let sheet = Sheet {
        kind: PageKind::Provider,
        title: &fill_title(&words.log_in_to, &service),
        content: decision.around(&heading, None),
        form: Some(decision.alone()),
        about: About::default(),
    };
    sheet.html(stage)
}

/// One of several, and none beforehand. A reader hears the legend with the first; the browser asks for a
/// choice before it sends the form, and moves to it.
pub(super) fn choice(words: &Words, options: &[ProviderOption<'_>], again: bool) -> Markup {
    html! {
        fieldset {
            legend { (words.log_in_with) }
            @if again { p .caution role="alert" { (words.choose) } }
            @for option in options {
                label {
                    input type="radio" name="provider" value=(option.id) required;
                    bdi { (option.name) }
                }
            }
        }
    }
}

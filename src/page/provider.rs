//! Where to log in: the choice on the consent page, and the page that asks for nothing else.

use maud::{Markup, html};

use super::{
    frame::frame_with,
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

/// In the style of the pages. A long list scrolls by itself, so that the buttons stay in view.
pub(super) const STYLE: &str = "\
fieldset{flex:1 0 100%;min-width:0;margin:0;padding:.5rem 1rem;border:1px solid #8888;\
border-radius:8px;max-height:40vh;overflow:auto}\
legend{font-weight:600}label{display:block;padding:.35rem 0;cursor:pointer}";

pub(super) fn html(page: &ProviderPage<'_>, stage: &Stage<'_>) -> String {
    let (words, service) = (stage.words(), stage.service());
    let content = html! {
        h1 { (fill(&words.log_in_to, &service)) }
        form method="post" action=(page.action) {
            input type="hidden" name="login" value=(page.login);
            input type="hidden" name="csrf" value=(page.form_token);
            (choice(words, page.options, page.again))
            button type="submit" name="decision" value="approve" { (words.go_on) }
            (deny(&words.cancel))
        }
    };
    frame_with(
        stage,
        &fill_title(&words.log_in_to, &service),
        STYLE,
        &content,
    )
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
                    " " bdi { (option.name) }
                }
            }
        }
    }
}

/// A no needs no choice.
pub(super) fn deny(label: &str) -> Markup {
    html! { button type="submit" name="decision" value="deny" formnovalidate { (label) } }
}

//! Every page there is.

use maud::html;

use super::{
    account::{self, YourAccount},
    consent::{self, ConsentPage},
    frame::frame,
    provider::{self, ProviderPage},
    words::Situation,
};

/// A page for a person.
pub(crate) enum Page<'a> {
    /// Asks the person to decide.
    Consent(ConsentPage<'a>),
    /// Asks the person where to log in, and nothing else.
    Provider(ProviderPage<'a>),
    /// Shows the person the account that they came back with.
    Account(YourAccount<'a>),
    /// Says what happened, and what to do.
    Message(Situation),
    /// The same, with a name for the operator and, where the person may, a way to try again.
    Failure(Failure<'a>),
}

/// What went wrong for reasons that only the operator can see.
pub(crate) struct Failure<'a> {
    pub(crate) situation: Situation,
    /// Names it in the events.
    pub(crate) id: &'a str,
    /// A URL of ours, which does the same once more.
    pub(crate) again: Option<&'a str>,
}

impl Page<'_> {
    /// The page as HTML, in the name of this service.
    pub(crate) fn html(&self, service: &str) -> String {
        match self {
            Self::Consent(page) => consent::html(page, service),
            Self::Provider(page) => provider::html(page, service),
            Self::Account(page) => account::html(page, service),
            Self::Message(situation) => message(*situation, service),
            Self::Failure(page) => failure(page, service),
        }
    }
}

fn message(situation: Situation, service: &str) -> String {
    let (title, words) = situation.words();
    let content = html! {
        h1 { (title) }
        p { (words) }
        small { (service) }
    };
    frame(title, &content)
}

fn failure(page: &Failure<'_>, service: &str) -> String {
    let (title, words) = page.situation.words();
    let content = html! {
        h1 { (title) }
        p { (words) }
        @if let Some(again) = page.again { p { a href=(again) { "Try again" } } }
        small { (service) " · " (page.id) }
    };
    frame(title, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_happened_and_escapes_the_services_name() {
        let html = Page::Message(Situation::AlreadyUsed).html("<b>Notes</b>");
        let (title, words) = Situation::AlreadyUsed.words();
        assert!(html.contains(&format!("<h1>{title}</h1><p>{words}</p>")));
        assert!(html.contains("<small>&lt;b&gt;Notes&lt;/b&gt;</small>"));
    }

    #[test]
    fn a_failure_has_a_name_for_the_operator_and_a_link_only_where_one_is_given() {
        let page = |again| {
            let (situation, id) = (Situation::NoDocument, "abc");
            Page::Failure(Failure {
                situation,
                id,
                again,
            })
            .html("Notes")
        };
        assert!(page(None).contains("<small>Notes · abc</small>"));
        assert!(!page(None).contains("<a "));
        let html = page(Some("https://notes.example/oauth/authorize?a=\"><b>&c='d'"));
        let link = "<a href=\"https://notes.example/oauth/authorize?a=&quot;&gt;&lt;b&gt;&amp;c='d'\">Try again</a>";
        assert!(html.contains(link), "{html}");
    }
}

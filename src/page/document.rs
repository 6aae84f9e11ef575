//! Every page there is.

use maud::html;

use super::{
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
    /// Says what happened, and what to do.
    Message(Situation),
}

impl Page<'_> {
    /// The page as HTML, in the name of this service.
    pub(crate) fn html(&self, service: &str) -> String {
        match self {
            Self::Consent(page) => consent::html(page, service),
            Self::Provider(page) => provider::html(page, service),
            Self::Message(situation) => message(*situation, service),
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
}

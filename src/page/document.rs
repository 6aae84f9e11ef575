//! Every page there is.

use maud::html;

use super::{
    account::{self, YourAccount},
    consent::{self, ConsentPage},
    custom::PageKind,
    for_apps::{self, ForApps},
    frame::Sheet,
    parts::{self, onward},
    provider::{self, ProviderPage},
    signs::Sign,
    stage::Stage,
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
    /// Says what an address is for that a person opened in a browser.
    ForApps(ForApps<'a>),
    /// Says what happened, and what to do.
    Message(Situation),
    /// The same, with a way to try again where the person may.
    Failure(Failure<'a>),
}

/// What went wrong for reasons that only the operator can see.
pub(crate) struct Failure<'a> {
    pub(crate) situation: Situation,
    /// A URL of ours, which does the same once more; empty for the one that the browser is at.
    pub(crate) again: Option<&'a str>,
}

impl Page<'_> {
    /// The page as HTML, on this stage.
    pub(crate) fn html(&self, stage: &Stage<'_>) -> String {
        match self {
            Self::Consent(page) => consent::html(page, stage),
            Self::Provider(page) => provider::html(page, stage),
            Self::Account(page) => account::html(page, stage),
            Self::ForApps(page) => for_apps::html(page, stage),
            Self::Message(situation) => message(*situation, None, stage),
            Self::Failure(page) => message(page.situation, page.again, stage),
        }
    }
}

fn message(situation: Situation, again: Option<&str>, stage: &Stage<'_>) -> String {
    let words = stage.words();
    let (title, text) = words.situation(situation);
    let content = parts::message(
        sign(situation),
        &html! { (title) },
        &html! { (text) },
        &html! { @if let Some(again) = again { (onward(again, &words.try_again)) } },
    );
    let kind = match situation {
        Situation::Finished | Situation::Cancelled => PageKind::Done,
        _ => PageKind::Message,
    };
    Sheet::plain(kind, title, content).html(stage)
}

/// Where the person has nothing to do, or may simply wait, nothing is drawn that alarms.
fn sign(situation: Situation) -> Sign {
    match situation {
        Situation::AlreadyUsed | Situation::WrongMethod => Sign::Info,
        Situation::Finished => Sign::Tick,
        Situation::CannotStart
        | Situation::CannotFinish
        | Situation::Crowded
        | Situation::NoDocument
        | Situation::Expired => Sign::Clock,
        Situation::DeniedClient | Situation::Cancelled => Sign::Stop,
        _ => Sign::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::stage::staged, *};

    #[test]
    fn a_message_says_what_happened_and_escapes_the_services_name() {
        let html = staged("<b>Notes</b>", |stage| {
            Page::Message(Situation::AlreadyUsed).html(stage)
        });
        assert!(html.contains("<h1>This login was already used</h1><p>If your app"));
        assert!(html.contains("<bdi>&lt;b&gt;Notes&lt;/b&gt;</bdi>"));
    }

    #[test]
    fn every_page_has_a_name_for_the_operator_and_its_time() {
        let html = staged("Notes", |stage| {
            Page::Message(Situation::AlreadyUsed).html(stage)
        });
        let foot = "<footer><p class=\"id\"><span>ID <bdi>K7</bdi></span>\
            <time datetime=\"2027-06-30T12:34:56Z\"><bdi>2027-06-30 12:34:56 UTC</bdi></time></p></footer>";
        assert!(html.contains(foot), "{html}");
    }

    #[test]
    fn a_failure_has_a_link_only_where_one_is_given() {
        let page = |again| {
            let situation = Situation::NoDocument;
            let page = Page::Failure(Failure { situation, again });
            staged("Notes", |stage| page.html(stage))
        };
        assert!(!page(None).contains("<a "));
        let html = page(Some("https://notes.example/oauth/authorize?a=\"><b>&c='d'"));
        let link = "<a class=\"button yes\" href=\"https://notes.example/oauth/authorize?a=&quot;&gt;&lt;b&gt;&amp;c='d'\">Try again</a>";
        assert!(html.contains(link), "{html}");
    }
}

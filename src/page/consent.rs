//! The consent page: who asks, where the answer goes, and for what.

use maud::{Markup, html};

use super::{
    frame::frame_with,
    provider::{self, ProviderOption},
    stage::Stage,
    words::{Words, fill, fill_title},
};
use crate::{
    limits::MAX_SHOWN,
    oauth::{ScopeSet, printable},
};

/// Everything on the page; the client's own words are shown, never trusted.
pub(crate) struct ConsentPage<'a> {
    /// The providers that the person can log in at: one, or a choice.
    pub(crate) options: &'a [ProviderOption<'a>],
    /// The form came without a choice.
    pub(crate) again: bool,
    pub(crate) client: Option<&'a str>,
    /// Whose server the app's own description came from: all about the app that was checked.
    pub(crate) host: Option<&'a str>,
    pub(crate) target: Target<'a>,
    pub(crate) trust: Trust,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a str,
    pub(crate) action: &'a str,
    pub(crate) login: &'a str,
    pub(crate) form_token: &'a str,
}

/// What speaks for the client's name.
pub(crate) enum Trust {
    /// The operator configured it.
    Configured,
    /// Nothing but the address that the answer goes to.
    Address,
    /// Not even that: some program on this computer.
    Local,
    /// The host that the app's description came from, which the answer goes to as well.
    Host,
    /// The same, and the answer goes to another address.
    OtherAddress,
}

/// Where the code will be sent.
pub(crate) enum Target<'a> {
    /// A host, with a port that is not the scheme's own.
    Host(&'a str),
    /// A program on the person's computer, at this address there.
    ThisComputer(&'a str),
    /// An app with a URI scheme of its own.
    App(&'a str),
}

/// A stranger's words are held apart from ours: the name stands in a box of its own that says whose
/// word it is, never inside a sentence of the page.
pub(super) fn html(page: &ConsentPage<'_>, stage: &Stage<'_>) -> String {
    let (words, service) = (stage.words(), stage.service());
    let client = page.client.map(|name| printable(name, MAX_SHOWN));
    let host = page.host.map(|host| printable(host, MAX_SHOWN));
    let is_choice = page.options.len() > 1;
    let caution = match page.trust {
        Trust::Configured => None,
        Trust::Local if host.is_some() => Some(&words.caution_local_described),
        Trust::Local => Some(&words.caution_local),
        Trust::Host => Some(&words.caution_host),
        Trust::OtherAddress => Some(&words.caution_other_address),
        Trust::Address => Some(&words.caution_address),
    };
    let content = html! {
        h1 { (fill(&words.consent_heading, &service)) }
        dl {
            @match (&client, &page.trust) {
                (Some(name), Trust::Configured) => { dt { (words.app) } dd .claim { bdi { (name) } } }
                (Some(name), _) => { dt { (words.calls_itself) } dd .claim { bdi { (name) } } }
                (None, _) => { dt { (words.app) } dd { (words.no_name) } }
            }
            @if let Some(host) = &host { dt { (words.described_by) } dd { bdi { (host) } } }
            dt { (words.goes_to) }
            dd { (goes_to(&page.target, words)) }
        }
        @if let Some(caution) = caution { p .caution { (caution) } }
        dl {
            dt { (words.at) }
            dd { bdi { (page.resource) } }
            @if !page.scopes.is_empty() {
                dt { (words.it_may) }
                dd { ul { @for scope in page.scopes.iter() { li { bdi { (scope) } } } } }
            }
        }
        @if let [only] = page.options {
            p { small { (fill(&words.log_in_at, &[("provider", only.name)])) } }
        }
        form method="post" action=(page.action) {
            input type="hidden" name="login" value=(page.login);
            input type="hidden" name="csrf" value=(page.form_token);
            @if is_choice { (provider::choice(words, page.options, page.again)) }
            button type="submit" name="decision" value="approve" { (words.allow) }
            @match is_choice {
                true => (provider::deny(&words.deny)),
                false => button type="submit" name="decision" value="deny" { (words.deny) },
            }
        }
    };
    let style = match is_choice {
        true => provider::STYLE,
        false => "",
    };
    frame_with(
        stage,
        &fill_title(&words.consent_title, &service),
        style,
        &content,
    )
}

/// The address, and what it is where it says that to nobody.
pub(super) fn goes_to(target: &Target<'_>, words: &Words) -> Markup {
    let (address, what) = match target {
        Target::Host(address) => (address, None),
        Target::ThisComputer(address) => (address, Some(&words.this_computer)),
        Target::App(address) => (address, Some(&words.app_on_this_computer)),
    };
    html! {
        bdi { (printable(address, MAX_SHOWN)) }
        @if let Some(what) = what { " (" (what) ")" }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::stage::staged, *};

    #[test]
    fn a_clients_name_cannot_leave_its_place() {
        let attack = "<script>alert(1)</script>\"'><img src=x onerror=1>";
        let page = ConsentPage {
            options: &[ProviderOption {
                id: attack,
                name: attack,
            }],
            again: false,
            client: Some(attack),
            host: Some(attack),
            target: Target::App(attack),
            trust: Trust::Local,
            scopes: &ScopeSet::parse("<b>x</b>").unwrap(),
            resource: attack,
            action: attack,
            login: attack,
            form_token: attack,
        };
        let html = staged(attack, |stage| html(&page, stage));
        assert!(!html.contains("<script"));
        assert!(!html.contains("<img"));
        assert!(!html.contains("<b>"));
        assert!(!html.contains("\"'>"));
        assert!(html.contains("&lt;script&gt;"));
    }

    const ACME: &[ProviderOption<'static>] = &[ProviderOption {
        id: "acme",
        name: "Acme",
    }];

    fn shown(name: &str, trust: Trust) -> ConsentPage<'_> {
        static NONE: std::sync::LazyLock<ScopeSet> = std::sync::LazyLock::new(ScopeSet::default);
        ConsentPage {
            options: ACME,
            again: false,
            client: Some(name),
            host: None,
            target: Target::Host("app.example"),
            trust,
            scopes: &NONE,
            resource: "https://notes.example",
            action: "https://notes.example/oauth/consent",
            login: "t",
            form_token: "f",
        }
    }

    fn named(name: &str, trust: Trust) -> String {
        staged("Notes", |stage| html(&shown(name, trust), stage))
    }

    #[test]
    fn a_clients_name_is_no_part_of_a_sentence_of_ours() {
        let claim = "Claude by Anthropic is verified and approved by your company IT";
        for trust in [Trust::Address, Trust::Local] {
            let html = named(claim, trust);
            let before = "<dt>It calls itself</dt><dd class=\"claim\"><bdi>";
            assert!(
                html.contains(&format!("{before}{claim}</bdi></dd>")),
                "{html}"
            );
            assert_eq!(html.matches(claim).count(), 1, "{html}");
        }
        // The operator's own word about an app of the operator's.
        assert!(named("Intranet", Trust::Configured).contains("<dt>App</dt>"));
    }

    #[test]
    fn the_host_that_was_checked_stands_apart_from_what_the_app_calls_itself() {
        let page = |trust| ConsentPage {
            host: Some("client.example"),
            trust,
            ..shown("Claude (described by claude.ai)", Trust::Host)
        };
        for (trust, says) in [
            (
                Trust::Host,
                "the address that describes it was checked. Go on",
            ),
            (Trust::OtherAddress, "goes to another one"),
            (Trust::Local, "and show this description. Go on"),
        ] {
            let html = staged("Notes", |stage| html(&page(trust), stage));
            assert!(
                html.contains(
                    "</bdi></dd><dt>Described by</dt><dd><bdi>client.example</bdi></dd>\
                     <dt>Access goes to</dt>"
                ),
                "{html}"
            );
            assert!(html.contains(says), "{html}");
        }
        assert!(!named("Kit", Trust::Address).contains("Described by"));
    }

    #[test]
    fn what_moves_or_hides_other_text_is_not_on_the_page() {
        let html = named("a\u{202e}b\u{2028}c\u{e0041}d", Trust::Local);
        assert!(html.contains("a\u{fffd}b\u{fffd}c\u{fffd}d"), "{html}");
    }

    fn with_options(options: &[ProviderOption<'_>]) -> String {
        let page = ConsentPage {
            options,
            again: false,
            client: Some("Kit"),
            host: None,
            target: Target::Host("app.example"),
            trust: Trust::Address,
            scopes: &ScopeSet::default(),
            resource: "https://notes.example",
            action: "https://notes.example/oauth/consent",
            login: "t",
            form_token: "f",
        };
        staged("Notes", |stage| html(&page, stage))
    }

    #[test]
    fn with_one_provider_there_is_nothing_to_choose_and_no_style_for_it() {
        let acme = ProviderOption {
            id: "acme",
            name: "Acme",
        };
        let html = with_options(&[acme]);
        let end = "<p><small>You will log in with <bdi>Acme</bdi>.</small></p><form method=\"post\" \
            action=\"https://notes.example/oauth/consent\"><input type=\"hidden\" name=\"login\" value=\"t\">\
            <input type=\"hidden\" name=\"csrf\" value=\"f\"><button type=\"submit\" name=\"decision\" \
            value=\"approve\">Allow and log in</button><button type=\"submit\" name=\"decision\" \
            value=\"deny\">Deny</button></form><footer>";
        assert!(html.contains(end), "{html}");
        assert!(!html.contains(provider::STYLE));
        assert!(html.contains("@keyframes ready{to{pointer-events:auto}}</style></head>"));
    }

    #[test]
    fn with_several_a_no_needs_no_choice_and_a_name_is_text() {
        let named = |id, name| ProviderOption { id, name };
        let html = with_options(&[named("a", "A & Co"), named("b", "<b>\"Bee\"</b>")]);
        assert!(!html.contains("You will log in with"));
        assert!(html.contains("<bdi>A &amp; Co</bdi>"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
        assert!(html.contains("value=\"deny\" formnovalidate>Deny</button>"));
        assert!(html.contains(provider::STYLE));
    }
}

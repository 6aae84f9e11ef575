//! The consent page: who asks, where the answer goes, and for what.

use maud::html;

use super::{
    frame::frame_with,
    provider::{self, ProviderOption},
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
    /// Where the code will be sent, in a person's words.
    pub(crate) target: &'a str,
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

/// A stranger's words are held apart from ours: the name stands in a box of its own that says whose
/// word it is, never inside a sentence of the page.
pub(super) fn html(page: &ConsentPage<'_>, service: &str) -> String {
    let client = page.client.map(|name| printable(name, MAX_SHOWN));
    let host = page.host.map(|host| printable(host, MAX_SHOWN));
    let target = printable(page.target, MAX_SHOWN);
    let is_choice = page.options.len() > 1;
    let content = html! {
        h1 { "An app asks for access to " (service) }
        dl {
            @match (&client, &page.trust) {
                (Some(name), Trust::Configured) => { dt { "App" } dd .claim { bdi { (name) } } }
                (Some(name), _) => { dt { "It calls itself" } dd .claim { bdi { (name) } } }
                (None, _) => { dt { "App" } dd { "It gives no name" } }
            }
            @if let Some(host) = &host { dt { "Described by" } dd { bdi { (host) } } }
            dt { "Access goes to" }
            dd { bdi { (target) } }
        }
        @match page.trust {
            Trust::Configured => {}
            Trust::Local => p .caution {
                "Any program on this computer can call itself by this name"
                @if host.is_some() { ", and show this description" }
                ". Go on only if you started this login yourself, just now."
            },
            Trust::Host => p .caution {
                "The name is the app's own word; the address that describes it was checked. Go on only if \
                 you know that address and started this login yourself."
            },
            Trust::OtherAddress => p .caution {
                "The name is the app's own word; the address that describes it was checked, and access \
                 goes to another one. Go on only if you know both and started this login yourself."
            },
            Trust::Address => p .caution {
                "The name is the app's own word. Go on only if you know the address above and \
                 started this login yourself."
            },
        }
        dl {
            dt { "At" }
            dd { (page.resource) }
            @if !page.scopes.is_empty() {
                dt { "It may" }
                dd { ul { @for scope in page.scopes.iter() { li { (scope) } } } }
            }
        }
        @if let [only] = page.options {
            p { small { "You will log in with " (only.name) "." } }
        }
        form method="post" action=(page.action) {
            input type="hidden" name="login" value=(page.login);
            input type="hidden" name="csrf" value=(page.form_token);
            @if is_choice { (provider::choice(page.options, page.again)) }
            button type="submit" name="decision" value="approve" { "Allow and log in" }
            @match is_choice {
                true => (provider::deny("Deny")),
                false => button type="submit" name="decision" value="deny" { "Deny" },
            }
        }
    };
    let style = match is_choice {
        true => provider::STYLE,
        false => "",
    };
    frame_with(&format!("Access to {service}"), style, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            target: attack,
            trust: Trust::Local,
            scopes: &ScopeSet::parse("<b>x</b>").unwrap(),
            resource: attack,
            action: attack,
            login: attack,
            form_token: attack,
        };
        let html = html(&page, attack);
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
            target: "app.example",
            trust,
            scopes: &NONE,
            resource: "https://notes.example",
            action: "https://notes.example/oauth/consent",
            login: "t",
            form_token: "f",
        }
    }

    fn named(name: &str, trust: Trust) -> String {
        html(&shown(name, trust), "Notes")
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
            let html = html(&page(trust), "Notes");
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
            target: "app.example",
            trust: Trust::Address,
            scopes: &ScopeSet::default(),
            resource: "https://notes.example",
            action: "https://notes.example/oauth/consent",
            login: "t",
            form_token: "f",
        };
        html(&page, "Notes")
    }

    #[test]
    fn with_one_provider_there_is_nothing_to_choose_and_no_style_for_it() {
        let acme = ProviderOption {
            id: "acme",
            name: "Acme",
        };
        let html = with_options(&[acme]);
        let end = "<p><small>You will log in with Acme.</small></p><form method=\"post\" \
            action=\"https://notes.example/oauth/consent\"><input type=\"hidden\" name=\"login\" value=\"t\">\
            <input type=\"hidden\" name=\"csrf\" value=\"f\"><button type=\"submit\" name=\"decision\" \
            value=\"approve\">Allow and log in</button><button type=\"submit\" name=\"decision\" \
            value=\"deny\">Deny</button></form></main></body></html>";
        assert!(html.ends_with(end), "{html}");
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

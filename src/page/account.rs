//! The account page: as whom, for which app, and where the access goes.

use maud::html;

use super::{
    consent::{Target, Trust, goes_to},
    frame::frame,
    stage::Stage,
    words::fill,
};
use crate::{
    limits::MAX_SHOWN,
    oauth::{ScopeSet, printable},
};

/// Everything on the page. The account is the provider's word, the app's name its own: both are shown, neither is
/// trusted.
pub(crate) struct YourAccount<'a> {
    /// Where the account is.
    pub(crate) provider: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
    /// Whether the provider vouches for the address.
    pub(crate) is_confirmed: bool,
    /// The name that the person logs in with there.
    pub(crate) login_name: Option<&'a str>,
    /// The provider's own name for the person.
    pub(crate) subject: Option<&'a str>,
    /// Whether the provider can be asked for another account.
    pub(crate) can_change: bool,
    pub(crate) client: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) target: Target<'a>,
    pub(crate) trust: Trust,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) action: &'a str,
    pub(crate) login: &'a str,
    pub(crate) form_token: &'a str,
}

/// Nothing that the provider or the app says of itself stands in a sentence of ours. The button that goes on is the
/// first, as on the consent page; what stands above it is all that a person needs to say no.
pub(super) fn html(page: &YourAccount<'_>, stage: &Stage<'_>) -> String {
    let words = stage.words();
    let shown = |text: Option<&str>| text.map(|text| printable(text, MAX_SHOWN));
    let (name, client, host) = (shown(page.name), shown(page.client), shown(page.host));
    // An address is what people know best; a number says at least that it is another account.
    let account = shown(page.address.or(page.login_name).or(page.subject));
    let is_claimed = page.address.is_some() && !page.is_confirmed;
    let content = html! {
        h1 { (words.account_heading) }
        dl .account {
            @if let Some(name) = &name { dt { (words.account_name) } dd .claim { bdi { (name) } } }
            @match &account {
                Some(account) => {
                    dt { (words.account_address) }
                    dd { bdi { (account) } @if is_claimed { " " small { (words.account_unconfirmed) } } }
                }
                None if name.is_none() => { dt { (words.account_name) } dd { (words.account_unnamed) } }
                None => {}
            }
            dt { (words.at) }
            dd { bdi { (page.provider) } }
        }
        p { (fill(&words.account_text, &stage.service())) }
        dl .app {
            @match (&client, &page.trust) {
                (Some(name), Trust::Configured) => { dt { (words.account_app) } dd .claim { bdi { (name) } } }
                (Some(name), _) => { dt { (words.calls_itself) } dd .claim { bdi { (name) } } }
                (None, _) => { dt { (words.account_app) } dd { (words.no_name) } }
            }
            @if let Some(host) = &host { dt { (words.described_by) } dd { bdi { (host) } } }
            dt { (words.goes_to) }
            dd { (goes_to(&page.target, words)) }
            @if !page.scopes.is_empty() {
                dt { (words.it_may) }
                dd { ul { @for scope in page.scopes.iter() { li { bdi { (scope) } } } } }
            }
        }
        p .caution { (words.account_caution) }
        @if !page.can_change { p { (words.account_log_out_first) } }
        form method="post" action=(page.action) {
            input type="hidden" name="login" value=(page.login);
            input type="hidden" name="csrf" value=(page.form_token);
            button type="submit" name="decision" value="approve" { (words.go_on) }
            @if page.can_change {
                button type="submit" name="decision" value="other" { (words.another_account) }
            }
            button type="submit" name="decision" value="deny" { (words.cancel) }
        }
    };
    frame(stage, &words.account_heading, &content)
}

#[cfg(test)]
mod tests {
    use super::{super::stage::staged, *};

    fn ada(scopes: &ScopeSet) -> YourAccount<'_> {
        YourAccount {
            provider: "Acme",
            name: Some("Ada"),
            address: Some("ada@notes.example"),
            is_confirmed: true,
            login_name: Some("ada"),
            subject: Some("7"),
            can_change: true,
            client: Some("Kit"),
            host: None,
            target: Target::Host("app.example"),
            trust: Trust::Address,
            scopes,
            action: "https://notes.example/oauth/account",
            login: "t",
            form_token: "f",
        }
    }

    fn shown(page: &YourAccount<'_>) -> String {
        staged("Notes", |stage| html(page, stage))
    }

    #[test]
    fn the_account_and_the_app_are_on_the_page_and_no_name_is_part_of_a_sentence() {
        let scopes = ScopeSet::parse("read").unwrap();
        let html = shown(&ada(&scopes));
        for part in [
            "<dd class=\"claim\"><bdi>Ada</bdi></dd>",
            "<dd><bdi>ada@notes.example</bdi></dd>",
            "<dd><bdi>Acme</bdi></dd>",
            "<dd class=\"claim\"><bdi>Kit</bdi></dd>",
            "<dd><bdi>app.example</bdi></dd>",
            "<li><bdi>read</bdi></li>",
        ] {
            assert_eq!(html.matches(part).count(), 1, "{part}: {html}");
        }
        assert_eq!(html.matches("Kit").count(), 1, "{html}");
    }

    #[test]
    fn an_address_that_nobody_vouches_for_says_so_and_a_number_is_better_than_nothing() {
        let (scopes, words) = (ScopeSet::default(), crate::page::Words::english());
        let claimed = &*words.account_unconfirmed;
        let page = |address, is_confirmed, login_name, subject, name| YourAccount {
            address,
            is_confirmed,
            login_name,
            subject,
            name,
            ..ada(&scopes)
        };
        let address = Some("ada@notes.example");
        assert!(!shown(&page(address, true, None, None, None)).contains(claimed));
        assert!(shown(&page(address, false, None, None, None)).contains(claimed));
        let named = shown(&page(None, false, Some("ada"), Some("7"), None));
        assert!(named.contains("<bdi>ada</bdi>") && !named.contains(claimed));
        assert!(shown(&page(None, false, None, Some("7"), None)).contains("<bdi>7</bdi>"));
        let unnamed = &*words.account_unnamed;
        assert!(shown(&page(None, false, None, None, None)).contains(unnamed));
        assert!(!shown(&page(None, false, None, None, Some("Ada"))).contains(unnamed));
    }

    #[test]
    fn where_the_provider_cannot_be_asked_for_another_account_no_button_promises_that() {
        let scopes = ScopeSet::default();
        let html = |can_change| {
            shown(&YourAccount {
                can_change,
                ..ada(&scopes)
            })
        };
        assert!(html(true).contains("value=\"other\""));
        assert!(!html(false).contains("value=\"other\""));
        let words = crate::page::Words::english();
        assert!(html(false).contains(&*words.account_log_out_first));
        assert!(!html(true).contains(&*words.account_log_out_first));
    }

    #[test]
    fn what_provider_and_app_say_is_text_and_cannot_leave_its_place() {
        let attack = "<script>alert(1)</script>\"'><img src=x>\u{202e}";
        let scopes = ScopeSet::default();
        let page = YourAccount {
            provider: attack,
            name: Some(attack),
            address: Some(attack),
            client: Some(attack),
            host: Some(attack),
            target: Target::App(attack),
            action: attack,
            login: attack,
            form_token: attack,
            ..ada(&scopes)
        };
        let html = shown(&page);
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("\"'>"));
    }
}

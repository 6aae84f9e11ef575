//! The account page: as whom, for which app, and where the access goes.

use maud::{Markup, html};

use super::{
    consent::{Target, Trust, client_box, page_client, what_for},
    custom::{PageAccount, PageKind, PageScope},
    decision::{Button, Decision},
    frame::{About, Sheet},
    scope_words::Rights,
    stage::Stage,
    words::{Words, fill},
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
    pub(crate) redirect_uri: &'a str,
    pub(crate) trust: Trust,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a str,
    pub(crate) action: &'a str,
    pub(crate) login: &'a str,
    pub(crate) form_token: &'a str,
}

/// Nothing that the provider or the app says of itself stands in a sentence of ours. What stands above the buttons is
/// all that a person needs to say no.
pub(super) fn html(page: &YourAccount<'_>, stage: &Stage<'_>) -> String {
    let words = stage.words();
    let shown = |text: Option<&str>| text.map(|text| printable(text, MAX_SHOWN));
    let (client, host) = (shown(page.client), shown(page.host));
    let (name, address) = (shown(page.name), shown(known_by(page)));
    let scopes = &stage.look.brand.scopes;
    let rights = Rights::of(page.scopes, scopes, words, stage.language.tag());
    let content = html! {
        h1 { (words.account_heading) }
        (account(page, words))
        p { (fill(&words.account_text, &stage.service())) }
        (client_box(client.as_deref(), host.as_deref(), page.trust, &page.target, page.redirect_uri, stage))
        (what_for(&rights, page.resource, stage))
        @if !page.can_change { p { small { (words.account_log_out_first) } } }
    };
    let button = |value, label: &str| Button {
        value,
        label: html! { (label) },
    };
    let decision = Decision {
        action: page.action,
        hidden: &[("login", page.login), ("csrf", page.form_token)],
        choice: None,
        no: button("deny", &words.cancel),
        yes: button("approve", &words.go_on),
        other: (page.can_change).then(|| button("other", &words.another_account)),
    };
    let caution = Some(&*words.account_caution);
    let sheet = Sheet {
        kind: PageKind::Account,
        title: &words.account_heading,
        content: decision.around(&content, caution),
        form: Some(decision.alone()),
        about: About {
            client: Some(page_client(
                client.as_deref(),
                host.as_deref(),
                page.trust,
                &page.target,
                page.redirect_uri,
                words,
            )),
            scopes: rights.iter().map(PageScope::from).collect(),
            account: Some(PageAccount {
                provider: page.provider,
                name: name.as_deref(),
                address: address.as_deref(),
                is_confirmed: page.is_confirmed && page.address.is_some(),
            }),
            resource: Some(page.resource),
            caution,
        },
    };
    sheet.html(stage)
}

/// What tells the account from another one.
fn known_by<'a>(page: &YourAccount<'a>) -> Option<&'a str> {
    page.address.or(page.login_name).or(page.subject)
}

/// As the provider has it. An address is what people know best; a number says at least that it is another account.
fn account(page: &YourAccount<'_>, words: &Words) -> Markup {
    let shown = |text: Option<&str>| text.map(|text| printable(text, MAX_SHOWN));
    let name = shown(page.name);
    let account = shown(known_by(page));
    let is_claimed = page.address.is_some() && !page.is_confirmed;
    html! {
        dl .box {
            @match &name {
                Some(name) => div { dt { (words.account_name) } dd .claim { bdi { (name) } } },
                None if account.is_none() => div { dt { (words.account_name) } dd { (words.account_unnamed) } },
                None => {}
            }
            @if let Some(account) = &account {
                div {
                    dt { (words.account_address) }
                    // Whole: what an address belongs to stands at its end.
                    dd { bdi { (account) } }
                    @if is_claimed { dd { (words.account_unconfirmed) } }
                }
            }
            div { dt { (words.at) } dd { bdi { (page.provider) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            custom::{CustomPages, PageContext},
            look::Brand,
            stage::{staged, staged_with},
        },
        *,
    };

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
            redirect_uri: "https://app.example/callback",
            trust: Trust::Address,
            scopes,
            resource: "https://notes.example",
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
            "<dd class=\"claim\"><q><bdi>Kit</bdi></q></dd>",
            "<dd><bdi>app.example</bdi></dd>",
            "<code><bdi>read</bdi></code>",
        ] {
            assert_eq!(html.matches(part).count(), 1, "{part}: {html}");
        }
        assert_eq!(html.matches("Kit").count(), 1, "{html}");
    }

    #[test]
    fn an_address_that_nobody_vouches_for_says_so_and_a_number_is_better_than_nothing() {
        let (scopes, words) = (ScopeSet::default(), Words::english());
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
    fn a_page_of_the_operators_tells_one_account_from_another_and_holds_no_sign_that_reorders_it() {
        let scopes = ScopeSet::default();
        let told = |page: &YourAccount<'_>| {
            let write = |context: &PageContext<'_>| {
                let of = context.account?;
                let (name, address) = (of.name.unwrap_or("-"), of.address.unwrap_or("-"));
                Some(format!(
                    "{name} {address} {}{}",
                    of.is_confirmed, context.form?
                ))
            };
            let brand = Brand {
                custom: Some(CustomPages::new(write)),
                ..Brand::default()
            };
            let html = staged_with("Notes", brand, |stage| html(page, stage));
            let said = html.split_once("<form").map(|(said, _)| said.to_owned());
            said.unwrap()
        };
        let page = ada(&scopes);
        assert_eq!(told(&page), "Ada ada@notes.example true");
        let unnamed = YourAccount {
            name: Some("a\u{202e}b"),
            address: None,
            ..page
        };
        assert_eq!(told(&unnamed), "a\u{fffd}b ada false");
        let numbered = YourAccount {
            name: None,
            login_name: None,
            ..unnamed
        };
        assert_eq!(told(&numbered), "- 7 false");
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
        let words = Words::english();
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

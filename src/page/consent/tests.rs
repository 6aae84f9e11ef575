use std::sync::LazyLock;

use super::{
    super::{
        custom::{CustomPages, PageContext},
        look::Brand,
        scope_words::{ScopeText, ScopeTexts},
        stage::{staged, staged_with},
    },
    *,
};

const ACME: &[ProviderOption<'static>] = &[ProviderOption {
    id: "acme",
    name: "Acme",
}];

fn shown(name: &str, trust: Trust) -> ConsentPage<'_> {
    static NONE: LazyLock<ScopeSet> = LazyLock::new(ScopeSet::default);
    ConsentPage {
        options: ACME,
        again: false,
        client: Some(name),
        host: None,
        target: Target::Host("app.example"),
        redirect_uri: "https://app.example/callback",
        trust,
        scopes: &NONE,
        resource: "https://notes.example/mcp",
        action: "https://notes.example/oauth/consent",
        login: "t",
        form_token: "f",
    }
}

fn of(page: &ConsentPage<'_>) -> String {
    staged("Notes", |stage| html(page, stage))
}

#[test]
fn a_clients_name_cannot_leave_its_place() {
    let attack = "<script>alert(1)</script>\"'><img src=x onerror=1>";
    let page = ConsentPage {
        options: &[ProviderOption {
            id: attack,
            name: attack,
        }],
        host: Some(attack),
        target: Target::App(attack),
        redirect_uri: attack,
        scopes: &ScopeSet::parse("<b>x</b>").unwrap(),
        resource: attack,
        action: attack,
        login: attack,
        form_token: attack,
        ..shown(attack, Trust::Local)
    };
    let html = staged(attack, |stage| html(&page, stage));
    assert!(!html.contains("<script"));
    assert!(!html.contains("<img"));
    assert!(!html.contains("<b>x"));
    assert!(!html.contains("\"'>"));
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn a_clients_name_is_no_part_of_a_sentence_of_ours() {
    let claim = "Claude by Anthropic is verified and approved by your company IT";
    for trust in [Trust::Address, Trust::Local] {
        let html = of(&shown(claim, trust));
        let place = format!(
            "<div><dt>It calls itself</dt><dd class=\"claim\"><q><bdi>{claim}</bdi></q></dd>\
             <dd><bdi>Notes</bdi> has not checked this name.</dd></div>"
        );
        assert!(html.contains(&place), "{html}");
        assert_eq!(html.matches(claim).count(), 1, "{html}");
    }
    // The operator's own word about an app of the operator's.
    let html = of(&shown("Intranet", Trust::Configured));
    assert!(html.contains("<dt>App</dt>"), "{html}");
    assert!(
        html.contains("<bdi>Notes</bdi> has set up this app."),
        "{html}"
    );
    assert!(!html.contains("class=\"caution\""), "{html}");
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
        let html = of(&page(trust));
        let (before, after) = html
            .split_once("<div><dt>Described by</dt><dd class=\"checked\">")
            .unwrap();
        assert!(
            before.contains("Claude (described by claude.ai)</bdi></q>"),
            "{html}"
        );
        assert!(
            after
                .contains("</svg><bdi>client.example</bdi></dd></div><div><dt>Access goes to</dt>"),
            "{html}"
        );
        assert!(after.contains(says), "{html}");
    }
    assert!(!of(&shown("Kit", Trust::Address)).contains("Described by"));
}

#[test]
fn what_moves_or_hides_other_text_is_not_on_the_page() {
    let html = of(&shown("a\u{202e}b\u{2028}c\u{e0041}d", Trust::Local));
    assert!(html.contains("a\u{fffd}b\u{fffd}c\u{fffd}d"), "{html}");
}

#[test]
fn where_access_goes_is_in_view_and_the_whole_address_on_demand() {
    for (target, says) in [
        (
            Target::Host("app.example:8443"),
            "<dd><bdi>app.example:8443</bdi></dd>",
        ),
        (
            Target::ThisComputer(Some(33418)),
            "<dd>this computer, port <bdi>33418</bdi></dd>",
        ),
        (Target::ThisComputer(None), "<dd>this computer</dd>"),
        (
            Target::App("cursor://"),
            "<dd><bdi>cursor://</bdi></dd><dd>an app on this computer</dd>",
        ),
    ] {
        let page = ConsentPage {
            target,
            ..shown("Kit", Trust::Address)
        };
        let html = of(&page);
        assert!(html.contains(says), "{says}: {html}");
        let whole = "<summary>Show the whole address</summary><code><bdi>https://app.example/callback</bdi></code>";
        assert!(html.contains(whole), "{html}");
    }
}

#[test]
fn of_a_long_host_the_end_is_in_view_because_that_is_whose_it_is() {
    let host = format!("{}evil.example:8443", "accounts.acme.example.".repeat(9));
    let page = |host| ConsentPage {
        host: Some(host),
        target: Target::Host(host),
        ..shown("Kit", Trust::OtherAddress)
    };
    let html = of(&page(&host));
    let end = "<bdi>…";
    assert_eq!(html.matches(end).count(), 2, "{html}");
    assert_eq!(
        html.matches(".example.evil.example:8443</bdi></dd>")
            .count(),
        2,
        "{html}"
    );
    assert!(!html.contains(&host), "{html}");
    // What fits stays as it is.
    let fits = format!("{}.example", "a".repeat(MAX_HOST_SHOWN - 8));
    let html = of(&page(&fits));
    assert_eq!(
        html.matches(&format!("<bdi>{fits}</bdi>")).count(),
        2,
        "{html}"
    );
}

fn with_scopes(scopes: &str) -> String {
    let text = |scope: &str, text: &str| ScopeText {
        scope: scope.to_owned(),
        language: None,
        text: text.to_owned(),
    };
    let brand = Brand {
        scopes: ScopeTexts(vec![text("read", "read <your> notes")]),
        ..Brand::default()
    };
    let scopes = ScopeSet::parse(scopes).unwrap();
    let page = ConsentPage {
        scopes: &scopes,
        ..shown("Kit", Trust::Address)
    };
    staged_with("Notes", brand, |stage| html(&page, stage))
}

#[test]
fn scopes_are_things_that_a_person_does_and_their_names_are_on_demand() {
    let page = with_scopes("read mcp:x email offline_access");
    let (seen, hidden) = page
        .split_once("<summary>Show the technical names</summary>")
        .unwrap();
    for text in [
        "<h2>If you allow it, it can</h2>",
        "<bdi>read &lt;your&gt; notes</bdi>",
        // No one has said what it means, and we do not guess.
        "<code><bdi>mcp:x</bdi></code>",
        "see your e-mail address",
        "stay connected until you end it",
    ] {
        assert!(seen.contains(text), "{text}: {page}");
    }
    assert!(!seen.contains("offline_access"), "{page}");
    assert!(
        hidden.contains("<code><bdi>offline_access</bdi></code>"),
        "{page}"
    );
    assert!(hidden.contains("https://notes.example/mcp"), "{page}");
    // So few need no headings.
    assert!(!page.contains("<h3>"), "{page}");
}

#[test]
fn many_scopes_are_all_in_view_under_headings() {
    let names: Vec<_> = (0..30).map(|n| format!("s{n}")).collect();
    let page = with_scopes(&format!("{} profile", names.join(" ")));
    assert!(page.contains("<h3>On <bdi>Notes</bdi></h3>"), "{page}");
    assert!(page.contains("<h3>About you</h3>"), "{page}");
    let (seen, _) = page
        .split_once("<summary>Show the technical names")
        .unwrap();
    for name in names {
        assert!(seen.contains(&format!("<bdi>{name}</bdi>")), "{name}");
    }
}

#[test]
fn an_app_that_asks_for_no_scope_is_said_to_act_for_the_person() {
    for scopes in ["", "email offline_access"] {
        let page = with_scopes(scopes);
        assert!(page.contains("use <bdi>Notes</bdi> in your name"), "{page}");
    }
    assert!(!with_scopes("read").contains("in your name"));
}

#[test]
fn with_one_provider_the_button_says_where_it_leads_and_there_is_nothing_to_choose() {
    let html = of(&shown("Kit", Trust::Address));
    assert!(
        html.contains("value=\"approve\">Allow, then log in with <bdi>Acme</bdi></button>"),
        "{html}"
    );
    assert!(!html.contains("type=\"radio\""), "{html}");
    let caution = html.find("class=\"caution\"").unwrap();
    let deny = html.find("value=\"deny\">Deny</button>").unwrap();
    assert!(caution < deny && deny < html.find("value=\"approve\"").unwrap());
}

#[test]
fn with_several_a_no_needs_no_choice_and_a_name_is_text() {
    let named = |id, name| ProviderOption { id, name };
    let options = [named("a", "A & Co"), named("b", "<b>\"Bee\"</b>")];
    let page = ConsentPage {
        options: &options,
        ..shown("Kit", Trust::Address)
    };
    let html = of(&page);
    assert!(html.contains("<bdi>A &amp; Co</bdi>"), "{html}");
    assert!(!html.contains("<b>\""), "{html}");
    assert!(
        html.contains("value=\"deny\" formnovalidate>Deny</button>"),
        "{html}"
    );
    assert!(
        html.contains("value=\"approve\">Allow and log in</button>"),
        "{html}"
    );
}

fn written(write: impl Fn(&PageContext<'_>) -> Option<String> + Send + Sync + 'static) -> String {
    let brand = Brand {
        custom: Some(CustomPages::new(write)),
        ..Brand::default()
    };
    let page = ConsentPage {
        host: Some("client.example"),
        ..shown("<Kit>", Trust::OtherAddress)
    };
    staged_with("Notes", brand, |stage| html(&page, stage))
}

#[test]
fn the_operators_page_stands_in_for_ours_as_long_as_our_form_is_in_it() {
    let with_form = |page: &PageContext<'_>| Some(format!("<p>Mine</p>{}", page.form?));
    let html = written(with_form);
    assert!(
        html.starts_with("<p>Mine</p><form class=\"stack\" method=\"post\""),
        "{html}"
    );
    assert!(html.contains("name=\"csrf\" value=\"f\""), "{html}");
    let around = written(|page| Some(format!("<main>{}</main>", page.content)));
    assert!(around.starts_with("<main><form"), "{around}");
    let ours = written(|_| None);
    assert!(ours.starts_with("<!DOCTYPE html>"), "{ours}");
    for html in [
        written(|_| Some("<p>Mine</p>".to_owned())),
        written(|page| Some(page.form?.replace("deny", "approve"))),
        written(|page| Some([page.form?, page.form?].concat())),
        written(|page| Some([page.form?, page.content].concat())),
        written(|page| Some([page.form?, &" ".repeat(crate::limits::MAX_CUSTOM_PAGE)].concat())),
        written(|page| panic!("the template of {:?} has no text", page.kind)),
    ] {
        assert_eq!(html, ours);
    }
}

#[test]
fn the_operators_function_is_told_all_that_the_page_says() {
    let html = written(|page| {
        let client = page.client.clone()?;
        let said = format!(
            "{:?} {:?} {} {}",
            page.kind, client.name, client.goes_to, page.id
        );
        assert_eq!(said, "Consent Some(\"<Kit>\") app.example K7");
        assert_eq!(client.verified_host, Some("client.example"));
        assert!(!client.is_configured && !client.is_on_this_computer);
        assert_eq!((page.language, page.direction), ("en", "ltr"));
        assert!(page.caution?.contains("goes to another one"));
        assert!(page.content.contains("&lt;Kit&gt;"));
        Some(PageContext::escape(client.name?) + page.form?)
    });
    assert!(html.starts_with("&lt;Kit&gt;<form"), "{html}");
}

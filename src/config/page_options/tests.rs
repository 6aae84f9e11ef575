use super::*;

fn said(say: impl FnOnce(&mut SaidPages)) -> SaidPages {
    let mut said = SaidPages::default();
    say(&mut said);
    said
}

fn refused(say: impl FnOnce(&mut SaidPages)) -> String {
    said(say).checked().unwrap_err().to_string()
}

#[test]
fn nothing_has_to_be_said() {
    let brand = SaidPages::default().checked().unwrap();
    assert!(brand.icon.is_none() && brand.contact.is_none() && brand.links.is_empty());
    assert_eq!(brand.theme, Theme::of(None));
}

#[test]
fn what_is_no_colour_or_no_picture_is_refused_with_what_to_do() {
    let why = refused(|said| said.color = Some("blue".into()));
    assert!(
        why.contains("page_color") && why.contains("\"blue\" is not a colour: write it as #2456e6")
    );
    let why = refused(|said| said.icon = Some(b"https://acme.example/icon.png".into()));
    assert!(
        why.contains("page_icon") && why.contains("is not a PNG, JPEG, WebP, GIF or SVG"),
        "{why}"
    );
}

#[test]
fn a_contact_is_an_address_for_mail_or_a_page() {
    for (contact, text, url) in [
        (
            "help@acme.example",
            "help@acme.example",
            "mailto:help@acme.example",
        ),
        (
            "first.last+notes@mail.acme.example",
            "first.last+notes@mail.acme.example",
            "mailto:first.last+notes@mail.acme.example",
        ),
        (
            "https://acme.example/help/",
            "acme.example/help",
            "https://acme.example/help/",
        ),
        (
            "http://localhost:3000/help",
            "localhost:3000/help",
            "http://localhost:3000/help",
        ),
    ] {
        let brand = said(|said| said.contact = Some(contact.into()))
            .checked()
            .unwrap();
        let found = brand.contact.unwrap();
        assert_eq!((&*found.text, &*found.url), (text, url));
    }
    for contact in [
        "",
        "@",
        "help",
        "help@",
        "@acme.example",
        "a@b@c",
        "help@acme.example?cc=all",
        "javascript:alert(1)",
        "javascript://acme.example/%0aalert(1)",
        "http://acme.example/help",
        "help @acme.example",
        "h%65lp@acme.example",
        "<help@acme.example>",
        "https://user@acme.example/",
    ] {
        let why = refused(|said| said.contact = Some(contact.into()));
        assert!(why.contains("page_contact"), "{contact}: {why}");
    }
    let long = format!("{}@acme.example", "a".repeat(MAX_MAIL_ADDRESS));
    assert!(refused(|said| said.contact = Some(long)).len() < 300);
}

#[test]
fn links_are_https_few_and_named() {
    let link = |text: &str, url: &str| (text.to_owned(), url.to_owned());
    let fine =
        said(|said| said.links = vec![link("Privacy", "https://acme.example/privacy?x=1#y")]);
    // A fragment is no part of an address that is compared; a link has none either.
    assert!(fine.checked().is_err());
    let fine = said(|said| said.links = vec![link("Privacy", "https://acme.example/privacy?x=1")]);
    assert_eq!(fine.checked().unwrap().links.len(), 1);
    for (text, url) in [
        ("", "https://acme.example/"),
        ("a\u{202e}b", "https://acme.example/"),
        ("Privacy", "http://acme.example/"),
        ("Privacy", "javascript:alert(1)"),
        ("Privacy", "/privacy"),
    ] {
        let why = refused(|said| said.links = vec![link(text, url)]);
        assert!(why.contains("page_link"), "{why}");
    }
    let many = vec![link("Privacy", "https://acme.example/"); MAX_PAGE_LINKS + 1];
    assert!(refused(|said| said.links = many).contains("at most 4"));
}

#[test]
fn a_text_of_a_scope_is_short_visible_and_there_once_a_language() {
    let text = |scope: &str, language: Option<&str>, text: &str| {
        let mut said = SaidPages::default();
        said.describe("read".into(), None, "read your notes".into());
        said.describe(scope.into(), language.map(str::to_owned), text.into());
        said
    };
    for fine in [
        text("write", None, "write notes"),
        text("read", Some("de"), "Notizen lesen"),
        text("read", Some("ar"), "قراءة ملاحظاتك"),
    ] {
        fine.checked().unwrap();
    }
    for (bad, word) in [
        (text("a b", None, "x"), "a b"),
        (text("read", Some("de_DE"), "x"), "no language tag"),
        (text("read", Some(""), "x"), "no language tag"),
        (text("write", None, " "), "is empty"),
        (text("write", None, "a\u{202e}b"), "direction"),
        (text("write", None, "a\nb"), "control"),
        (
            text("write", None, &"x".repeat(MAX_SCOPE_TEXT + 1)),
            "longer than 200",
        ),
        (text("read", None, "again"), "`read` has two texts:"),
    ] {
        let why = bad.checked().unwrap_err().to_string();
        assert!(
            why.contains("scope_description") && why.contains(word),
            "{why}"
        );
    }
    let mut twice = text("read", Some("de"), "x");
    twice.describe("read".into(), Some("DE".into()), "y".into());
    assert!(
        twice
            .checked()
            .unwrap_err()
            .to_string()
            .contains("two texts in `DE`")
    );
}

#[test]
fn a_text_that_no_page_can_show_is_odd() {
    let scopes = ScopeSet::parse("read openid").unwrap();
    let mut said = SaidPages::default();
    for scope in ["read", "offline_access", "writes", "writes"] {
        let language = (said.scopes.len() == 3).then(|| "de".to_owned());
        said.describe(scope.into(), language, "do it".into());
    }
    let odd = said.odd(&said.checked().unwrap(), &scopes);
    assert_eq!(
        odd,
        ["scope_description: `writes` is not one of `scopes`, so no page shows what it means"]
    );
}

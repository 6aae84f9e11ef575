//! Every page in every state, looked at by rules here, and by people and browsers as files:
//!
//! ```text
//! PAGES_DIR=target/pages cargo test --lib page::gallery
//! ```
//!
//! writes `{page}-{state}.{language}.html`, an `index.html` of them, and `pages.json`, which lists them. Each has the
//! policy of the real page in a `meta` element. Both schemes are in each file: a browser is told which one it
//! prefers.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde_json::json;

use super::{
    Brand, Color, ConsentPage, Failure, ForApps, Icon, Languages, Look, Page, PageLink,
    ProviderOption, ProviderPage, ScopeText, ScopeTexts, Situation, Stage, Target, Theme, Trust,
    YourAccount,
};
use crate::{
    oauth::{BaseUrl, ScopeSet},
    time::Unix,
};

const ACTION: &str = "https://notes.acme.example/oauth/consent";
const ONE: &[ProviderOption<'static>] = &[ProviderOption {
    id: "github",
    name: "Acme Accounts",
}];
const TWO: &[ProviderOption<'static>] = &[
    ProviderOption {
        id: "a",
        name: "Acme Accounts",
    },
    ProviderOption {
        id: "b",
        name: "Contoso",
    },
];
const SITUATIONS: &[Situation] = &[
    Situation::UnreadableRequest,
    Situation::Embedded,
    Situation::UnknownClient,
    Situation::DeniedClient,
    Situation::NoDocument,
    Situation::BadDocument,
    Situation::UnprovenRedirect,
    Situation::CannotStart,
    Situation::Crowded,
    Situation::NotWaiting,
    Situation::Expired,
    Situation::NoCookies,
    Situation::Finished,
    Situation::Cancelled,
    Situation::UnreadableForm,
    Situation::NotThisBrowser,
    Situation::UnreadableAnswer,
    Situation::AlreadyUsed,
    Situation::CannotFinish,
    Situation::WrongMethod,
];
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 36 36\"><rect width=\"36\" height=\"36\" rx=\"9\" \
    fill=\"#0a7d4f\"/><path d=\"M11 9h14v18l-7-5-7 5z\" fill=\"#fff\"/></svg>";

/// Names that try to be more than names.
const NAMES: &[(&str, &str)] = &[
    (
        "sentence",
        "Claude by Anthropic is verified and approved by your company IT",
    ),
    (
        "long",
        "Wissenschaftliche Mitarbeiterinnen und Mitarbeiter des Instituts für angewandte Sprachmodelle und ihrer \
         Schnittstellen, Arbeitsgruppe Gedächtnis, Notizen und Wissensverwaltung, Zweigstelle Nord, Gebäude 7b, \
         Raum 314, Ansprechpartnerin siehe Aushang im Erdgeschoss links neben der Treppe zum zweiten Hörsaal",
    ),
    (
        "one-word",
        "DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftDonaudampfschifffahrt\
         selektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    ),
    ("arabic", "مساعد الملاحظات الذكي"),
    ("hebrew-and-latin", "עוזר הפתקים Notes 2"),
    ("japanese", "ノート検索アシスタント"),
    ("marks", "Z̷̢̛͕̊͊͠a̴̡̛͔͊l̵̨̛͓̈́͊g̸̢̛͓͊̚ơ̷̢͔͑͊"),
    (
        "markup",
        "<script>alert(1)</script>\"'><img src=x onerror=1>",
    ),
    ("moving", "a\u{202e}b\u{2028}c\u{e0041}d"),
];

/// The operator of the gallery.
fn brand() -> Brand {
    let text = |scope: &str, language: Option<&str>, text: &str| ScopeText {
        scope: scope.to_owned(),
        language: language.map(str::to_owned),
        text: text.to_owned(),
    };
    Brand {
        contact: Some(PageLink {
            text: "help@acme.example".to_owned(),
            url: "mailto:help@acme.example".to_owned(),
        }),
        scopes: ScopeTexts(vec![
            text("notes:read", None, "read your notes"),
            text("notes:read", Some("de"), "Ihre Notizen lesen"),
            text("notes:read", Some("ar"), "قراءة ملاحظاتك"),
            text("notes:read", Some("ja"), "ノートを読む"),
            text("notes:write", None, "write and delete your notes"),
            text(
                "notes:write",
                Some("de"),
                "Ihre Notizen schreiben und löschen",
            ),
            text("notes:write", Some("ar"), "كتابة ملاحظاتك وحذفها"),
            text("notes:write", Some("ja"), "ノートを書く、削除する"),
        ]),
        ..Brand::default()
    }
}

/// The same with everything that an operator can say.
fn whole_brand(color: &str) -> Brand {
    let link = |text: &str, url: &str| PageLink {
        text: text.to_owned(),
        url: url.to_owned(),
    };
    Brand {
        theme: Theme::of(Some(Color::parse(color).unwrap())),
        icon: Some(Icon::of(ICON.as_bytes()).unwrap()),
        links: vec![
            link("Privacy", "https://acme.example/privacy"),
            link("Terms", "https://acme.example/terms"),
            link("Imprint", "https://acme.example/imprint"),
        ],
        ..brand()
    }
}

fn scopes(names: &str) -> ScopeSet {
    ScopeSet::parse(names).unwrap()
}

/// One that a program on this computer asks for.
fn asked(scopes: &ScopeSet) -> ConsentPage<'_> {
    ConsentPage {
        options: ONE,
        again: false,
        client: Some("Claude"),
        host: None,
        target: Target::ThisComputer(Some(33418)),
        redirect_uri: "http://127.0.0.1:33418/callback",
        trust: Trust::Local,
        scopes,
        resource: "https://notes.acme.example/mcp",
        action: ACTION,
        login: "bG9naW4",
        form_token: "Zm9ybQ",
    }
}

/// Calls back with each state of each page.
fn pages(each: &mut dyn FnMut(&str, &Page<'_>)) {
    consents(each);
    whose_word(each);
    let names: Vec<String> = (1..=12)
        .map(|n| format!("Organisation number {n} of twelve"))
        .collect();
    let twelve: Vec<_> = names
        .iter()
        .map(|name| ProviderOption { id: name, name })
        .collect();
    for (state, options, again) in [("two", TWO, false), ("twelve-again", &twelve, true)] {
        let page = ProviderPage {
            options,
            again,
            action: ACTION,
            login: "bG9naW4",
            form_token: "Zm9ybQ",
        };
        each(&format!("provider-{state}"), &Page::Provider(page));
    }
    accounts(each);
    let long = format!("https://notes.acme.example/{}", "mcp/".repeat(80));
    for (state, address) in [
        ("short", "https://notes.acme.example/mcp"),
        ("long", &*long),
    ] {
        each(
            &format!("for-apps-{state}"),
            &Page::ForApps(ForApps { address }),
        );
    }
    for situation in SITUATIONS {
        each(
            &format!("message-{}", kebab(*situation)),
            &Page::Message(*situation),
        );
    }
    let again = Some("https://notes.acme.example/oauth/authorize?client_id=x");
    let situation = Situation::NoDocument;
    each(
        "message-again",
        &Page::Failure(Failure { situation, again }),
    );
}

/// As whom, where the provider says all of it, nothing, or what the person would not believe.
fn accounts(each: &mut dyn FnMut(&str, &Page<'_>)) {
    let scopes = scopes("notes:read notes:write profile email offline_access");
    let mut show = |state: &str, page| each(&format!("account-{state}"), &Page::Account(page));
    let page = || YourAccount {
        provider: "Acme Accounts",
        name: Some("Ada Lovelace"),
        address: Some("ada@notes.acme.example"),
        is_confirmed: true,
        login_name: Some("ada"),
        subject: Some("7"),
        can_change: true,
        client: Some("Claude"),
        host: None,
        target: Target::ThisComputer(Some(33418)),
        redirect_uri: "http://127.0.0.1:33418/callback",
        trust: Trust::Local,
        scopes: &scopes,
        resource: "https://notes.acme.example/mcp",
        action: "https://notes.acme.example/oauth/account",
        login: "bG9naW4",
        form_token: "Zm9ybQ",
    };
    show("known", page());
    let claimed = YourAccount {
        is_confirmed: false,
        can_change: false,
        ..page()
    };
    show("claimed", claimed);
    let unnamed = YourAccount {
        name: None,
        address: None,
        login_name: None,
        subject: None,
        client: None,
        ..page()
    };
    show("unnamed", unnamed);
    for (what, name) in NAMES {
        let (name, address) = (Some(*name), Some(*name));
        show(
            &format!("name-{what}"),
            YourAccount {
                name,
                address,
                ..page()
            },
        );
    }
}

/// For what, and with what to choose.
fn consents(each: &mut dyn FnMut(&str, &Page<'_>)) {
    let some = scopes("notes:read notes:write profile email offline_access");
    let few = scopes("notes:read");
    let undescribed = scopes("mcp:tools:call https://www.acme.example/auth/notes.readonly openid");
    let many: Vec<String> = (1..=26).map(|n| format!("notes:folder{n}:read")).collect();
    let many = scopes(&many.join(" ")).union(&scopes("openid profile email offline_access"));
    let none = ScopeSet::default();
    let mut show = |state: &str, page| each(&format!("consent-{state}"), &Page::Consent(page));
    show("local", asked(&some));
    show("one-scope", asked(&few));
    show("no-scope", asked(&none));
    show("undescribed", asked(&undescribed));
    show("thirty-scopes", asked(&many));
    let choice = |again| ConsentPage {
        options: TWO,
        again,
        ..asked(&some)
    };
    show("choice", choice(false));
    show("choice-again", choice(true));
}

/// Who asks, whose word that is, and where access goes.
fn whose_word(each: &mut dyn FnMut(&str, &Page<'_>)) {
    let scopes = scopes("notes:read notes:write profile email offline_access");
    let long_host = format!("{}.evil.example", ["accounts-acme-example"; 8].join("."));
    let long_uri = format!("https://{long_host}/callback?{}", "a=b&".repeat(100));
    let mut show = |state: &str, page| each(&format!("consent-{state}"), &Page::Consent(page));
    let page = || asked(&scopes);
    show(
        "local-described",
        ConsentPage {
            host: Some("claude.ai"),
            ..page()
        },
    );
    show(
        "no-name",
        ConsentPage {
            client: None,
            ..page()
        },
    );
    show(
        "no-port",
        ConsentPage {
            target: Target::ThisComputer(None),
            ..page()
        },
    );
    let at = |trust, host, target, redirect_uri| ConsentPage {
        trust,
        host,
        target: Target::Host(target),
        redirect_uri,
        ..page()
    };
    show(
        "web",
        at(
            Trust::Address,
            None,
            "chat.example.com",
            "https://chat.example.com/aip/callback",
        ),
    );
    show(
        "verified",
        at(
            Trust::Host,
            Some("app.example"),
            "app.example",
            "https://app.example/callback",
        ),
    );
    let relay = "https://relay.example:8443/cb";
    show(
        "other-address",
        at(
            Trust::OtherAddress,
            Some("app.example"),
            "relay.example:8443",
            relay,
        ),
    );
    let intranet = "intranet.acme.example";
    show(
        "configured",
        at(
            Trust::Configured,
            None,
            intranet,
            "https://intranet.acme.example/cb",
        ),
    );
    show("long-host", at(Trust::Address, None, &long_host, &long_uri));
    let cursor = ConsentPage {
        target: Target::App("cursor://"),
        client: Some("Cursor"),
        redirect_uri: "cursor://anysphere.cursor-mcp/oauth/callback",
        ..page()
    };
    show("private-scheme", cursor);
    for (what, name) in NAMES {
        let client = Some(*name);
        show(&format!("name-{what}"), ConsentPage { client, ..page() });
    }
}

fn kebab(situation: Situation) -> String {
    let mut name = String::new();
    for c in format!("{situation:?}").chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}

/// Every page of the gallery: its name, its language, and its HTML with its policy.
fn gallery() -> BTreeMap<(String, String), String> {
    let base = BaseUrl::parse("https://notes.acme.example").unwrap();
    let languages = Languages::default();
    let mut gallery = BTreeMap::new();
    let mut show = |look: &Look, suffix: &str, only: Option<&str>| {
        for language in languages.iter() {
            let stage = Stage {
                look,
                language,
                id: "7K2M-Q9PX",
                at: Unix::at(1_814_358_896),
            };
            pages(&mut |name, page| {
                if only.is_some_and(|only| only != name) {
                    return;
                }
                let headers = look.headers();
                let policy = headers
                    .iter()
                    .find(|(name, _)| *name == "content-security-policy");
                let policy = policy.unwrap().1.to_str().unwrap();
                // A `meta` element has no say in this.
                let policy = policy.replace("; frame-ancestors 'none'", "");
                let meta = format!(
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"><title>"
                );
                let html = page.html(&stage).replacen("<title>", &meta, 1);
                let key = (format!("{name}{suffix}"), language.tag().to_owned());
                assert!(gallery.insert(key, html).is_none(), "{name} twice");
            });
        }
    };
    show(&Look::new(Some("Acme Notes"), &base, brand()), "", None);
    for (suffix, color) in [
        ("green", "#0a7d4f"),
        ("yellow", "#ffd400"),
        ("navy", "#0b1f4b"),
    ] {
        let look = Look::new(Some("Acme Notes"), &base, whole_brand(color));
        show(&look, &format!("-{suffix}"), Some("consent-local"));
    }
    let name = "Acme Notes for the whole of the very large and internationally distributed Acme organisation, Inc.";
    show(
        &Look::new(Some(name), &base, brand()),
        "-long-service",
        Some("consent-local"),
    );
    show(
        &Look::new(None, &base, Brand::default()),
        "-unnamed",
        Some("consent-local"),
    );
    gallery
}

#[test]
fn every_page_is_whole_in_every_language_and_loads_nothing() {
    let gallery = gallery();
    for ((name, language), html) in &gallery {
        let page = format!("{name}.{language}");
        for word in [
            "<script",
            " style=",
            "<iframe",
            "<object",
            " onerror=\"",
            "src=\"http",
            "{service}",
        ] {
            assert!(!html.contains(word), "{page}: {word}");
        }
        for word in [
            "<h1>",
            "<main>",
            "<header ",
            "<footer>",
            "<title>",
            "<link rel=\"icon\" href=\"data:",
        ] {
            assert_eq!(html.matches(word).count(), 1, "{page}: {word}");
        }
        assert!(
            html.contains(&format!("<html lang=\"{language}\" dir=\"")),
            "{page}"
        );
        assert!(html.matches(" id=\"").count() == 0, "{page}");
        assert_eq!(balance(html), Vec::<String>::new(), "{page}");
        let buttons = match name.split('-').next().unwrap() {
            "account" if name != "account-claimed" => 3,
            "account" | "consent" | "provider" => 2,
            _ => 0,
        };
        assert_eq!(html.matches("name=\"decision\"").count(), buttons, "{page}");
    }
    if let Some(directory) = std::env::var_os("PAGES_DIR") {
        write(&gallery, Path::new(&directory));
    }
}

/// The elements that are open at the end, or closed without having been open.
fn balance(html: &str) -> Vec<String> {
    const VOID: &[&str] = &["meta", "link", "input", "img", "!doctype"];
    let mut open: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1) {
        let name: String = tag
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != '>')
            .collect();
        let name = name.to_lowercase();
        if let Some(name) = name.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return vec![format!("</{name}>")];
            }
        } else if !VOID.contains(&&*name) {
            open.push(name);
        }
    }
    open
}

fn write(gallery: &BTreeMap<(String, String), String>, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let (mut index, mut list) = (
        String::from("<!DOCTYPE html><meta charset=\"utf-8\"><title>Pages</title><ul>"),
        Vec::new(),
    );
    for ((name, language), html) in gallery {
        let file = format!("{name}.{language}.html");
        fs::write(directory.join(&file), html).unwrap();
        write!(index, "<li><a href=\"{file}\">{file}</a>").unwrap();
        let (page, state) = name.split_once('-').unwrap();
        list.push(json!({ "file": file, "page": page, "state": state, "language": language }));
    }
    fs::write(directory.join("index.html"), index).unwrap();
    fs::write(directory.join("pages.json"), json!(list).to_string()).unwrap();
}

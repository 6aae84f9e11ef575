//! The person chooses, or a rule does.

use tower_oauth_proxy::{Consent, PassOn, ProviderChoice, Reason, Step};

use super::World;
use testkit::{Kind, Pkce, Proxy, Tokens, html, wire::query_param};

#[tokio::test]
async fn with_one_provider_the_page_names_it_and_offers_no_choice() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    browser
        .open(&client.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    let text = browser.page().reply.text();
    assert!(text.contains("Allow, then log in with <bdi>"), "{text}");
    for word in ["<fieldset", "type=\"radio\"", "formnovalidate"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    // What a form without a choice sends is what it always sent.
    assert_eq!(browser.form().hidden.len(), 2);
    assert!(browser.form().radios.is_empty());
}

#[tokio::test]
async fn the_page_offers_each_provider_and_none_beforehand() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let browser = world.at_consent(&client, &Pkce::new()).await;
    let (form, text) = (browser.form(), browser.page().reply.text());
    let values: Vec<_> = form
        .radios
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(values, ["oauth", "b"], "in the operator's order");
    assert!(form.radios.iter().all(|(name, _)| name == "provider"));
    let rest = text.replace("has not checked this name", "");
    assert!(!rest.contains(" checked"), "{text}");
    assert_eq!(text.matches(" required>").count(), 2, "{text}");
    assert!(!text.contains("then log in with"), "{text}");
    // A reader hears the question, then the answers, then what to do; a no needs no answer.
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    let order = [
        "<legend>Log in with</legend>",
        "value=\"oauth\"",
        "<bdi>Second</bdi>",
        "value=\"deny\" formnovalidate",
        "value=\"approve\"",
    ];
    assert!(
        order.windows(2).all(|pair| at(pair[0]) < at(pair[1])),
        "{text}"
    );
    assert_eq!(text.matches("<label>").count(), 2);
    assert!(!html::elements(&text).contains(&"script".to_owned()));
}

#[tokio::test]
async fn a_form_that_names_no_provider_or_an_unknown_one_is_asked_again() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    for wrong in [None, Some("c"), Some(""), Some("oauth\u{0}"), Some("OAUTH")] {
        let mut browser = world.browser();
        let pkce = Pkce::new();
        browser
            .open(&client.authorize(&pkce, "s").url())
            .await
            .page();
        let form = browser.form();
        let mut fields = form.hidden.clone();
        fields.extend(wrong.map(|id| ("provider".to_owned(), id.to_owned())));
        fields.push(("decision".to_owned(), "approve".to_owned()));
        let page = browser.submit(&form, &fields).await.page();
        assert_eq!(page.reply.status, 400, "{wrong:?}");
        assert!(
            page.reply
                .text()
                .contains("Choose where you want to log in.")
        );
        world.proxy.told(Step::Consent, Reason::UnknownProvider);
        // The login still waits.
        let callback = browser.choose("b", "approve").await.left();
        assert_eq!(client.redeem(&callback, &pkce).await.status, 200);
    }
    assert_eq!(world.proxy.provider.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn two_choices_in_one_form_are_none() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let mut browser = world.at_consent(&client, &Pkce::new()).await;
    let form = browser.form();
    let twice = [
        form.radios.clone(),
        vec![("decision".into(), "approve".into())],
    ]
    .concat();
    let fields = [form.hidden.clone(), twice].concat();
    assert_eq!(
        browser.submit(&form, &fields).await.page().reply.status,
        400
    );
    assert_eq!(world.proxy.provider.count(Kind::Authorize), 0);
    assert_eq!(world.second.count(Kind::Authorize), 0);
}

#[tokio::test]
async fn a_no_needs_no_choice() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let mut browser = world.at_consent(&client, &Pkce::new()).await;
    let back = browser.press("deny").await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn a_provider_that_knows_none_of_the_scopes_is_not_offered() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    for (scope, name, tokens_at) in [
        (
            "write offline_access",
            "Single Sign-On",
            &world.proxy.provider,
        ),
        ("repo", "Second", &world.second),
    ] {
        let (mut browser, pkce) = (world.browser(), Pkce::new());
        let url = client.authorize(&pkce, "s").with("scope", scope).url();
        let text = browser.open(&url).await.page().reply.text();
        assert!(browser.form().radios.is_empty(), "{scope}: {text}");
        assert!(text.contains("then log in with"), "{name}: {text}");
        let before = tokens_at.count(Kind::Token);
        let callback = browser.press("approve").await.left();
        assert_eq!(client.redeem(&callback, &pkce).await.status, 200);
        assert_eq!(tokens_at.count(Kind::Token), before + 1);
    }
}

#[tokio::test]
async fn a_rule_chooses_by_path_and_leaves_other_paths_to_the_person() {
    let world = World::with(|builder| {
        builder.choose_provider(|request| match &*request.path {
            "/b" => ProviderChoice::of("b"),
            _ => ProviderChoice::Person,
        })
    })
    .await;
    let client = world.proxy.client().await;
    let (mut browser, pkce) = (world.browser(), Pkce::new());
    let url = client
        .authorize(&pkce, "s")
        .with("resource", &format!("{}/b", world.proxy.base));
    let text = browser.open(&url.url()).await.page().reply.text();
    assert!(
        text.contains("then log in with <bdi>Second</bdi>"),
        "{text}"
    );
    assert!(browser.form().radios.is_empty());
    // Nor can the form say otherwise.
    let form = browser.form();
    let other = [("provider", "oauth"), ("decision", "approve")];
    let other = other.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let fields = [form.hidden.clone(), other.to_vec()].concat();
    assert_eq!(
        browser.submit(&form, &fields).await.page().reply.status,
        400
    );
    let callback = browser.press("approve").await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    let reply = client.call("/b", &tokens.access).await;
    assert_eq!(reply.json()["session"]["provider"], "b");
    assert_eq!(world.proxy.provider.count(Kind::Authorize), 0);
    browser
        .open(&client.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    assert_eq!(browser.form().radios.len(), 2);
}

#[tokio::test]
async fn a_rule_reads_all_that_the_client_says() {
    let (seen, heard) = std::sync::mpsc::channel();
    let seen = std::sync::Mutex::new(seen);
    let world = World::with(|builder| {
        builder.choose_provider(move |request| {
            seen.lock().unwrap().send(request.clone()).unwrap();
            ProviderChoice::Person
        })
    })
    .await;
    let client = world.proxy.client().await;
    let url = client
        .authorize(&Pkce::new(), "s")
        .with("scope", "read openid");
    let long = "x".repeat(321);
    for (hint, read) in [
        ("ada@example.com", Some("ada@example.com")),
        ("a\nb", None),
        (&*long, None),
    ] {
        world
            .browser()
            .open(&url.clone().with("login_hint", hint).url())
            .await
            .page();
        let asked = heard.try_recv().unwrap();
        assert_eq!(asked.login_hint.as_deref(), read);
        assert_eq!(asked.resource, "https://proxy.example/mcp");
        assert_eq!(asked.path, "/mcp");
        assert_eq!(asked.client_id, client.id);
        assert_eq!(asked.client_name.as_deref(), Some("Kit"));
        assert_eq!(asked.scopes.iter().collect::<Vec<_>>(), ["read", "openid"]);
    }
    assert!(heard.try_recv().is_err(), "once for each login");
}

#[tokio::test]
async fn an_unknown_id_of_a_rule_is_an_error_and_never_a_guess() {
    for consent in [Consent::Always, Consent::Disabled, Consent::Remember] {
        let world = World::with(|builder| {
            let builder = builder.consent(consent);
            builder.choose_provider(|_| ProviderChoice::of("c"))
        })
        .await;
        let client = world.proxy.client().await;
        let url = client.authorize(&Pkce::new(), "s").url();
        let back = world.browser().open(&url).await.left();
        assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
        assert_eq!(query_param(&back, "state").as_deref(), Some("s"));
        world.proxy.told(Step::Authorize, Reason::UnknownProvider);
        let events = world.proxy.events();
        let detail = events.last().unwrap().detail.clone().unwrap();
        assert!(detail.contains("`c`"), "{detail}");
        assert_eq!(world.proxy.provider.count(Kind::Authorize), 0);
        assert_eq!(world.second.count(Kind::Authorize), 0);
    }
}

#[tokio::test]
async fn a_chosen_provider_that_knows_none_of_the_scopes_is_an_error_of_the_scope() {
    let world = World::with(|b| b.choose_provider(|_| ProviderChoice::of("b"))).await;
    let client = world.proxy.client().await;
    let url = client
        .authorize(&Pkce::new(), "s")
        .with("scope", "write offline_access");
    let back = world.browser().open(&url.url()).await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("invalid_scope")
    );
    world.proxy.told(Step::Authorize, Reason::Scope);
}

#[tokio::test]
async fn without_a_consent_page_a_page_asks_for_the_provider_alone() {
    for consent in [Consent::External, Consent::Disabled] {
        let world = World::with(|builder| builder.consent(consent)).await;
        let client = world.proxy.client().await;
        let (mut browser, pkce) = (world.browser(), Pkce::new());
        let page = browser
            .open(&client.authorize(&pkce, "s").url())
            .await
            .page();
        let text = page.reply.text();
        assert_eq!(page.reply.status, 200);
        for (word, stands) in [
            ("Log in to", true),
            ("Second", true),
            ("Continue", true),
            ("Cancel", true),
            ("Kit", false),
            ("If you allow it", false),
        ] {
            assert_eq!(text.contains(word), stands, "{word}: {text}");
        }
        let policy = page.reply.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let form = browser.form();
        let mut nothing = form.hidden.clone();
        nothing.push(("decision".to_owned(), "approve".to_owned()));
        assert_eq!(
            browser.submit(&form, &nothing).await.page().reply.status,
            400
        );
        let callback = browser.choose("b", "approve").await.left();
        assert_eq!(client.redeem(&callback, &pkce).await.status, 200);
        browser
            .open(&client.authorize(&pkce, "s").url())
            .await
            .page();
        let back = browser.press("deny").await.left();
        assert_eq!(
            query_param(&back, "error").as_deref(),
            Some("access_denied")
        );
    }
}

#[tokio::test]
async fn without_a_consent_page_a_rule_sends_the_person_straight_on() {
    let world = World::with(|builder| {
        let builder = builder
            .consent(Consent::External)
            .pass_on([PassOn::LoginHint]);
        builder.choose_provider(|request| match &request.login_hint {
            Some(hint) if hint.ends_with("@b.example") => ProviderChoice::of("b"),
            _ => ProviderChoice::of("oauth"),
        })
    })
    .await;
    let client = world.proxy.client().await;
    for (hint, provider) in [
        ("ada@b.example", &world.second),
        ("ada@a.example", &world.proxy.provider),
    ] {
        let pkce = Pkce::new();
        let url = client.authorize(&pkce, "s").with("login_hint", hint).url();
        let callback = world.browser().open(&url).await.left();
        assert_eq!(client.redeem(&callback, &pkce).await.status, 200);
        assert_eq!(
            provider.last(Kind::Authorize).param("login_hint"),
            Some(hint)
        );
    }
}

#[tokio::test]
async fn the_page_that_asks_for_the_provider_is_as_hard_to_forge_as_the_other() {
    let world = World::with(|builder| builder.consent(Consent::External)).await;
    let client = world.proxy.client().await;
    let mut browser = world.at_consent(&client, &Pkce::new()).await;
    let form = browser.form();
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for (name, value) in &form.hidden {
        fields.push((name, value));
    }
    fields.extend([("provider", "b"), ("decision", "approve")]);
    let page = browser
        .forged_post("https://evil.example", &form.action, &fields)
        .await
        .page();
    assert_eq!(page.reply.status, 400);
    world.proxy.told(Step::Consent, Reason::Browser);
    assert_eq!(world.second.count(Kind::Authorize), 0);
}

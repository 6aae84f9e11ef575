//! Pages in the operator's name: sign, colour, contact, words for scopes, and whole pages of the operator's.

use tower_oauth_proxy::{OAuthProxyConfigBuilder, PageContext, PageKind, Reason, Step};

use testkit::{Kind, Pkce, Proxy, Tokens, browser::Browser, client::Client};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

async fn at_consent(proxy: &Proxy, client: &Client, pkce: &Pkce) -> Browser {
    let mut browser = proxy.browser();
    browser
        .open(&client.authorize(pkce, "s").url())
        .await
        .page();
    browser
}

async fn consent_page(
    say: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> String {
    let proxy = Proxy::with(say).await;
    let client = proxy.client().await;
    at_consent(&proxy, &client, &Pkce::new())
        .await
        .page()
        .reply
        .text()
}

#[tokio::test]
async fn a_page_is_in_the_operators_name_with_their_sign_colour_contact_and_links() {
    let page = consent_page(|builder| {
        builder
            .service_name("Acme Notes")
            .page_icon(PNG)
            .page_color("#0a7d4f")
            .page_contact("help@acme.example")
            .page_link("Privacy", "https://acme.example/privacy")
            .page_link("Terms", "https://acme.example/terms")
    })
    .await;
    for part in [
        "<b><bdi>Acme Notes</bdi></b>",
        "<link rel=\"icon\" href=\"data:image/png;base64,",
        "<img class=\"mark\" alt=\"\"",
        "--face:#0a7d4f;--on-face:#ffffff;",
        "<a href=\"mailto:help@acme.example\"",
        "<a href=\"https://acme.example/privacy\" target=\"_blank\" rel=\"noopener noreferrer\"><bdi>Privacy</bdi></a>",
        "<bdi>Terms</bdi>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Nothing of it is loaded from anywhere.
    assert!(!page.contains("src=\"http"), "{page}");
}

#[tokio::test]
async fn scopes_are_said_in_the_operators_words_and_in_the_language_of_the_page() {
    let proxy = Proxy::with(|builder| {
        builder
            .scope_description("read", "read your notes")
            .scope_description_in("de", "read", "Ihre Notizen lesen")
    })
    .await;
    let client = proxy.client().await;
    for (accepts, text) in [
        ("en", "read your notes"),
        ("de-AT", "Ihre Notizen lesen"),
        ("ja", "read your notes"),
    ] {
        let mut browser = proxy.browser().reading(accepts);
        let page = browser
            .open(&client.authorize(&Pkce::new(), "s").url())
            .await
            .page();
        let page = page.reply.text();
        assert!(
            page.contains(&format!("<span><bdi>{text}</bdi></span>")),
            "{accepts}: {page}"
        );
        // One of which nobody has said what it means.
        assert!(
            page.contains("</svg><code><bdi>write</bdi></code>"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn what_no_page_can_show_is_told_at_start() {
    let proxy = Proxy::with(|builder| {
        builder
            .scope_description("writes", "write notes")
            .page_color("#fefefe")
    })
    .await;
    let events = proxy.events();
    let odd = events
        .iter()
        .filter(|event| event.reason == Some(Reason::OddOption));
    let told: Vec<_> = odd.filter_map(|event| event.detail.clone()).collect();
    for word in ["scope_description: `writes`", "page_color: #fefefe"] {
        assert!(
            told.iter().any(|detail| detail.starts_with(word)),
            "{word}: {told:?}"
        );
    }
}

#[tokio::test]
async fn a_person_goes_through_a_login_on_the_operators_own_pages() {
    let proxy = Proxy::with(|builder| {
        builder.custom_pages(|page| match page.kind {
            PageKind::Consent => {
                let client = page.client.as_ref()?;
                let name = PageContext::escape(client.name?);
                let (style, form) = (page.style, page.form?);
                Some(format!(
                    "<!DOCTYPE html><title>Mine</title><style>{style}</style><h1>{name}?</h1>{form}"
                ))
            }
            _ => None,
        })
    })
    .await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let mut browser = at_consent(&proxy, &client, &pkce).await;
    let reply = browser.page().reply.clone();
    let page = reply.text();
    assert!(
        page.starts_with("<!DOCTYPE html><title>Mine</title>"),
        "{page}"
    );
    assert!(page.contains("<h1>Kit?</h1><form"), "{page}");
    // The headers stay ours.
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; img-src data:;"),
        "{policy}"
    );
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("script"),
        "{policy}"
    );
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    let callback = browser.press("approve").await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    client.call("/mcp", &tokens.access).await.expect(200);
}

#[tokio::test]
async fn a_page_of_the_operators_that_loses_our_form_is_not_shown() {
    let proxy = Proxy::with(|builder| {
        builder.custom_pages(|page| {
            let form = page.form.unwrap_or_default();
            // The buttons are told apart by what they send.
            Some(format!(
                "<title>Mine</title>{}",
                form.replace("value=\"deny\"", "value=\"approve\"")
            ))
        })
    })
    .await;
    let client = proxy.client().await;
    let mut browser = at_consent(&proxy, &client, &Pkce::new()).await;
    let page = browser.page().reply.text();
    assert!(
        !page.contains("Mine") && page.contains("It calls itself"),
        "{page}"
    );
    browser.press("deny").await.left();
    proxy.told(Step::Consent, Reason::PersonDenied);
    assert_eq!(proxy.provider.count(Kind::Authorize), 0);
    // A page without a form is the operator's alone.
    let gone = browser
        .open(&format!("{}/oauth/consent?login=gone", proxy.base))
        .await
        .page();
    assert!(
        gone.reply.text().starts_with("<title>Mine</title>"),
        "{gone:?}"
    );
}

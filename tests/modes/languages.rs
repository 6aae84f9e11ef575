//! Pages in the language of the person who reads them, and the id by which the operator finds their event.

use bytes::Bytes;
use http::Method;
use tower_oauth_proxy::{OAuthProxyConfigBuilder, Step, Words};

use testkit::{
    AuthorizeAnswer, Client, Pkce, Proxy, Reply,
    proxy::{builder_from, upstream},
};

async fn consent_page(proxy: &Proxy, accepts: &str, ui_locales: Option<&str>) -> Reply {
    let client = proxy.client().await;
    let request = client.authorize(&Pkce::new(), "s");
    let request = match ui_locales {
        Some(locales) => request.and("ui_locales", locales),
        None => request,
    };
    let mut browser = proxy.browser().reading(accepts);
    browser.open(&request.url()).await.page().reply
}

/// What says its language: to the browser, to readers, and by its words.
fn is_in(reply: &Reply, tag: &str, words: &Words) {
    let text = reply.text();
    let direction = if tag == "ar" { "rtl" } else { "ltr" };
    assert_eq!(reply.header("content-language"), Some(tag), "{text}");
    let html = format!("<html lang=\"{tag}\" dir=\"{direction}\">");
    assert!(text.contains(&html), "{tag}: {text}");
    assert!(text.contains(&*words.deny), "{tag}: {text}");
}

#[tokio::test]
async fn a_page_is_in_the_language_that_the_browser_names() {
    let proxy = Proxy::start().await;
    for (accepts, tag, words) in [
        ("de-AT,de;q=0.9,en;q=0.8", "de", Words::german()),
        ("pl, fr-CA;q=0.5, en;q=0.1", "fr", Words::french()),
        ("es-419", "es", Words::spanish()),
        ("ja", "ja", Words::japanese()),
        ("ar-EG, en", "ar", Words::arabic()),
        ("pl", "en", Words::english()),
        ("*", "en", Words::english()),
        ("%%%;;,,q=1", "en", Words::english()),
    ] {
        is_in(&consent_page(&proxy, accepts, None).await, tag, &words);
    }
}

#[tokio::test]
async fn the_language_that_the_app_names_goes_before_and_stays_to_the_end_of_the_login() {
    let proxy = Proxy::start().await;
    let page = consent_page(&proxy, "de", Some("pl fr-CA")).await;
    is_in(&page, "fr", &Words::french());
    is_in(
        &consent_page(&proxy, "de", Some("pl")).await,
        "de",
        &Words::german(),
    );
    is_in(
        &consent_page(&proxy, "de", Some("\"><b>")).await,
        "de",
        &Words::german(),
    );

    // A page after the provider: the callback comes twice.
    let client = proxy.client().await;
    let (mut browser, pkce) = (proxy.browser().reading("de"), Pkce::new());
    let request = client.authorize(&pkce, "s").and("ui_locales", "ja");
    browser.open(&request.url()).await.page();
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    let at_provider = browser.press("approve").await.page().url;
    let callback = proxy.browser().open_once(&at_provider).await;
    let callback = callback.location().to_owned();
    let mut again = browser.clone();
    browser.open(&callback).await.left();
    let page = again.open(&callback).await.page().reply;
    assert_eq!(page.header("content-language"), Some("ja"));
    assert!(page.text().contains(&*Words::japanese().already_used));
}

/// The id on a page, as a person would read it out.
fn id_on(page: &Reply) -> String {
    let text = page.text();
    let (_, after) = text
        .split_once("ID <bdi>")
        .unwrap_or_else(|| panic!("{text}"));
    after.split('<').next().unwrap().to_owned()
}

async fn pages_of(proxy: &Proxy, client: &Client) -> Vec<(Step, Reply)> {
    let (wire, path) = (&proxy.wire, |path| proxy.path(path));
    let authorize = client.authorize(&Pkce::new(), "s");
    let mut browser = proxy.browser();
    let mut pages = Vec::new();
    for (step, url) in [
        (Step::Authorize, authorize.url()),
        (
            Step::Authorize,
            client
                .authorize(&Pkce::new(), "s")
                .with("client_id", "x")
                .url(),
        ),
        (
            Step::Authorize,
            client
                .authorize(&Pkce::new(), "s")
                .with("redirect_uri", "https://evil.example/")
                .url(),
        ),
        (Step::Consent, format!("{}?login=x", path("/oauth/consent"))),
        (
            Step::Callback,
            format!("{}?state=x&code=y", path("/oauth/callback")),
        ),
        (
            Step::Callback,
            format!(
                "{}?state=x&code={}",
                path("/oauth/callback"),
                "y".repeat(16 * 1024)
            ),
        ),
    ] {
        let url = match url.strip_prefix('/') {
            Some(_) => format!("{}{url}", wire.origin),
            None => url,
        };
        pages.push((step, browser.open(&url).await.page().reply));
    }
    let put = wire
        .request(Method::PUT, &path("/oauth/consent"), &[], Bytes::new())
        .await;
    pages.push((Step::Http, put));
    pages
}

#[tokio::test]
async fn the_id_on_a_page_is_the_login_of_its_event_and_no_other_pages() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pages = pages_of(&proxy, &client).await;
    let events = proxy.events();
    let mut ids = Vec::new();
    for (step, page) in &pages {
        let id = id_on(page);
        let of_page: Vec<_> = events
            .iter()
            .filter(|event| event.login.as_ref() == Some(&id))
            .collect();
        let steps: Vec<_> = of_page.iter().map(|event| event.step).collect();
        assert_eq!(steps, [*step], "{}", page.text());
        assert!(
            page.text().contains("<time datetime=\"20"),
            "{}",
            page.text()
        );
        ids.push(id);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), pages.len());
}

#[tokio::test]
async fn the_operators_words_are_added_or_take_the_place_of_ours() {
    let mut welsh = Words::english();
    welsh.deny = "Nac ydw".into();
    welsh.consent_heading = "Mae ap <b> eisiau {service}, {service}".into();
    let mut german = Words::german();
    german.deny = "Nein".into();
    let proxy = Proxy::with(|builder| {
        let builder = builder
            .page_words("cy", welsh.clone())
            .page_words("de", german.clone());
        builder
            .page_languages(["cy", "de"])
            .service_name("Nodiadau")
    })
    .await;
    let page = consent_page(&proxy, "cy-GB", None).await;
    is_in(&page, "cy", &welsh);
    let heading = "<h1>Mae ap &lt;b&gt; eisiau <bdi>Nodiadau</bdi>, <bdi>Nodiadau</bdi></h1>";
    assert!(page.text().contains(heading), "{}", page.text());
    is_in(&consent_page(&proxy, "de", None).await, "de", &german);
    // Not shipped English: the first of those that are wanted.
    is_in(&consent_page(&proxy, "en", None).await, "cy", &welsh);
}

#[tokio::test]
async fn words_that_would_not_read_well_are_refused_at_start() {
    let proxy = Proxy::start().await;
    let refused = |change: fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder| {
        let builder = builder_from(upstream(&proxy.provider), &proxy.base);
        let error = change(builder).build().map(|_| ()).unwrap_err();
        error.to_string()
    };
    let said = refused(|builder| builder.page_words("pt_BR", Words::english()));
    assert!(
        said.contains("page_words") && said.contains("`pt_BR`"),
        "{said}"
    );
    let said = refused(|builder| {
        let mut words = Words::english();
        words.deny = "{client}".into();
        builder.page_words("cy", words)
    });
    assert!(said.contains("`deny` of `cy`"), "{said}");
    let said = refused(|builder| builder.page_languages(["cy"]));
    assert!(
        said.contains("page_languages") && said.contains("no words for `cy`"),
        "{said}"
    );
    let said = refused(|builder| builder.page_languages(Vec::<String>::new()));
    assert!(said.contains("page_languages"), "{said}");
}

//! A neighbouring subdomain plants cookies: what it can and cannot do where their names do not keep it out.
//!
//! It cannot make a cookie, but it can move one that was made in its own browser.

use tower_oauth_proxy::{Reason, Step};

use testkit::{
    AuthorizeAnswer, Browser, Client, Landing, Pkce, Proxy, Tokens,
    jar::{Cookie, SameSite},
    wire::query_param,
};

const NEIGHBOUR: &str = "https://evil.proxy.example";

async fn start() -> Proxy {
    Proxy::with(|builder| builder.cookie_prefix("my-")).await
}

/// All cookies of a browser, as the neighbour's pages set them in another one.
fn plant(from: &Browser, to: &mut Browser) {
    for cookie in from.jar.all() {
        let planted = Cookie {
            host: "proxy.example".to_owned(),
            domain: true,
            http_only: false,
            same_site: SameSite::None,
            ..cookie.clone()
        };
        to.jar.plant(planted);
    }
}

/// Approves in this browser, and stops where the provider would come.
async fn approved(proxy: &Proxy, client: &Client, pkce: &Pkce) -> (Browser, String) {
    let mut browser = proxy.browser();
    let url = client.authorize(pkce, "attackers-state").url();
    browser.open(&url).await.page();
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    let page = browser.press("approve").await.page();
    (browser, page.url)
}

/// The person whom the provider knows in whatever browser comes next.
fn logged_in(proxy: &Proxy, subject: &str, name: &str) {
    let (subject, name, email) = (
        subject.to_owned(),
        name.to_owned(),
        format!("{name}@example.com"),
    );
    proxy.provider.configure(|provider| {
        let person = &mut provider.person;
        person.insert("sub".into(), subject.into());
        person.insert("name".into(), name.into());
        person.insert("email".into(), email.into());
    });
}

#[tokio::test]
async fn an_attackers_app_gets_no_access_in_the_name_of_a_person_who_does_nothing() {
    let proxy = start().await;
    let (app, pkce) = (proxy.client().await, Pkce::new());
    let (attacker, at_provider) = approved(&proxy, &app, &pkce).await;
    logged_in(&proxy, "victim", "Vic");
    let mut victim = proxy.browser();
    plant(&attacker, &mut victim);
    // The provider knows the victim, and sends them back at once.
    let page = victim.click_on(NEIGHBOUR, &at_provider).await.page();
    assert!(page.url.contains("/oauth/account?login="), "{}", page.url);
    let html = page.reply.text();
    assert!(
        html.contains("Vic@example.com") && html.contains("127.0.0.1:9000"),
        "{html}"
    );
    // The neighbour cannot press the button: not with all that it knows, nor with all that the victim knows.
    let fields = |form: &testkit::html::Form| {
        let decision = ("decision".to_owned(), "approve".to_owned());
        [form.hidden.clone(), vec![decision]].concat()
    };
    let fields = fields(&victim.form());
    let fields: Vec<_> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
    let action = victim.form().action;
    let refused = victim
        .clone()
        .forged_post(NEIGHBOUR, &action, &fields)
        .await;
    assert_eq!(refused.page().reply.status, 400);
    proxy.told(Step::Account, Reason::Browser);
    // Nor does the attacker's browser have what it would take to go on without the victim.
    let url = page.url.clone();
    let mut attacker = attacker;
    let page = attacker.open(&url).await.page();
    assert_eq!(page.reply.status, 400, "{page:?}");
    // What the victim sees they can end.
    let back = victim.press("deny").await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(query_param(&back, "code"), None);
}

#[tokio::test]
async fn a_page_about_the_attackers_account_is_pressed_by_the_person_alone() {
    let proxy = start().await;
    let (app, pkce) = (proxy.client().await, Pkce::new());
    logged_in(&proxy, "attacker", "Mallory");
    let mut attacker = proxy.browser();
    let url = app.authorize(&pkce, "state").url();
    let page = proxy.approve(&mut attacker, &url).await.page();
    let form = attacker.form();
    let mut victim = proxy.browser();
    plant(&attacker, &mut victim);
    // The attacker knows the form's token: it is in the page that their own browser was shown.
    let field = |name: &str| {
        let found = form.hidden.iter().find(|(known, _)| known == name);
        found.unwrap().1.clone()
    };
    let (login, csrf) = (field("login"), field("csrf"));
    let fields = [
        ("login", &*login),
        ("csrf", &*csrf),
        ("decision", "approve"),
    ];
    let posted = victim
        .clone()
        .forged_post(NEIGHBOUR, &form.action, &fields)
        .await;
    assert_eq!(posted.page().reply.status, 400);
    // Nor where something on the way takes off what says where a form comes from, or the browser will not tell.
    let cookies: Vec<_> = victim.jar.all().into_iter().collect();
    let cookies = cookies.iter().map(|c| format!("{}={}", c.name, c.value));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let from: [&[(&str, &str)]; 4] = [
        &[],
        &[("origin", "null")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", NEIGHBOUR), ("sec-fetch-site", "same-origin")],
    ];
    for from in from {
        let headers = [from, &[("cookie", &*cookies)]].concat();
        let reply = proxy.wire.form("/oauth/account", &fields, &headers).await;
        assert_eq!(reply.status, 400, "{from:?}: {reply:?}");
        assert_eq!(reply.header("location"), None, "{from:?}");
        proxy.told(Step::Account, Reason::Browser);
    }
    // The page says whose account it is. That is all that there is against a person who goes on.
    let shown = victim.click_on(NEIGHBOUR, &page.url).await.page();
    assert!(
        shown.reply.text().contains("Mallory@example.com"),
        "{shown:?}"
    );
    assert!(matches!(victim.press("approve").await, Landing::Left(_)));
}

/// The attacker went through the same login before, so that their cookie has the very name of the victim's.
#[tokio::test]
async fn of_two_cookies_of_one_name_each_does_what_its_page_shows() {
    for planted_first in [true, false] {
        let proxy = start().await;
        let (app, pkce) = (proxy.client().await, Pkce::new());
        logged_in(&proxy, "attacker", "Mallory");
        let mut attacker = proxy.browser();
        let url = app.authorize(&pkce, "state").url();
        proxy.approve(&mut attacker, &url).await.page();
        let before = attacker.clone();
        // Off to the provider once more, under the same id.
        proxy.provider.next_authorize(AuthorizeAnswer::Show);
        let at_provider = attacker.press("other").await.page().url;
        logged_in(&proxy, "victim", "Vic");
        let mut victim = proxy.browser();
        plant(&attacker, &mut victim);
        if planted_first {
            plant(&before, &mut victim);
        }
        victim.open(&at_provider).await.page();
        if !planted_first {
            plant(&before, &mut victim);
        }
        let url = victim.page().url.clone();
        let html = victim.open(&url).await.page().reply.text();
        let shows_victim = html.contains("Vic@example.com");
        assert_ne!(shows_victim, html.contains("Mallory@example.com"), "{html}");
        match victim.press("approve").await {
            Landing::Page(page) => assert_eq!(page.reply.status, 400),
            Landing::Left(back) if query_param(&back, "code").is_none() => {
                assert!(
                    !shows_victim,
                    "the attacker's grant ended when they went on: {back}"
                );
            }
            Landing::Left(back) => {
                let tokens = Tokens::read(&app.redeem(&back, &pkce).await);
                let session = proxy.session(&app, &tokens.access).await;
                assert_eq!(session["subject"] == "victim", shows_victim, "{session}");
            }
        }
    }
}

/// An approval that was remembered in the attacker's browser passes the consent page in the victim's, and not this
/// one.
#[tokio::test]
async fn planted_approvals_pass_no_account_page() {
    use tower_oauth_proxy::Consent;
    let proxy = Proxy::with(|builder| {
        let builder = builder.cookie_prefix("my-");
        builder.consent(Consent::Remember)
    })
    .await;
    let (app, pkce) = (proxy.client().await, Pkce::new());
    let mut attacker = proxy.browser();
    let url = app.authorize(&pkce, "state").url();
    proxy.approve(&mut attacker, &url).await.page();
    attacker.press("approve").await.left();
    logged_in(&proxy, "victim", "Vic");
    let mut victim = proxy.browser();
    plant(&attacker, &mut victim);
    let page = victim.open(&url).await.page();
    assert!(page.url.contains("/oauth/account"), "{}", page.url);
    assert!(page.reply.text().contains("Vic@example.com"));
}

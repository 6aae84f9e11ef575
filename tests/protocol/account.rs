//! The account page: after the provider, and before the client gets anything.

use tower_oauth_proxy::{AccountPage, OAuthProxyConfigBuilder, PassOn, Reason, Step};

use testkit::{
    Browser, Client, Kind, Pkce, Proxy, Tokens,
    client::CALLBACK,
    provider::Recorded,
    store::Health,
    wire::{Reply, query_param},
};

fn always(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder.account_page(AccountPage::Always)
}

/// A login that waits at the account page.
pub(super) struct Waiting {
    pub(super) browser: Browser,
    pub(super) client: Client,
    pub(super) pkce: Pkce,
}

impl Waiting {
    pub(super) async fn at(proxy: &Proxy) -> Self {
        let (client, pkce, mut browser) = (proxy.client().await, Pkce::new(), proxy.browser());
        let url = client.authorize(&pkce, "client-state").url();
        let page = proxy.approve(&mut browser, &url).await.page();
        assert_eq!(page.reply.status, 200, "{page:?}");
        assert!(page.url.contains("/oauth/account?login="), "{}", page.url);
        Self {
            browser,
            client,
            pkce,
        }
    }

    pub(super) async fn redeem(&self, callback: &str) -> Reply {
        self.client.redeem(callback, &self.pkce).await
    }
}

/// How many grants the operator sees of the kit's person.
async fn grants(proxy: &Proxy) -> usize {
    let admin = proxy.layer.admin();
    admin.grants_of_subject("person-1").await.unwrap().len()
}

#[tokio::test]
async fn the_page_says_as_whom_for_which_app_and_whither_and_nothing_was_handed_out_before() {
    let proxy = Proxy::with(always).await;
    let mut waiting = Waiting::at(&proxy).await;
    let html = waiting.browser.page().reply.text();
    for shown in ["Ada Example", "ada@example.com", "Kit", "127.0.0.1:9000"] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let buttons = waiting.browser.form().buttons;
    let mut values: Vec<_> = buttons.iter().map(|(_, value)| &**value).collect();
    values.sort_unstable();
    assert_eq!(values, ["approve", "deny", "other"]);
    // Neither the client nor its callback has been heard of.
    let urls = waiting.browser.history.iter();
    assert!(urls.clone().all(|visit| !visit.url.starts_with(CALLBACK)));
    // The provider's code is not in the address bar any more.
    assert_eq!(query_param(&waiting.browser.page().url, "code"), None);

    let back = waiting.browser.press("approve").await.left();
    assert_eq!(query_param(&back, "state").as_deref(), Some("client-state"));
    assert_eq!(query_param(&back, "iss").as_deref(), Some(&*proxy.base));
    let tokens = Tokens::read(&waiting.redeem(&back).await);
    proxy.session(&waiting.client, &tokens.access).await;
    let events = proxy.events();
    let steps: Vec<_> = events.iter().map(|event| event.step).collect();
    let at = |step| steps.iter().position(|known| *known == step).unwrap();
    assert!(at(Step::Callback) < at(Step::Account) && at(Step::Account) < at(Step::Redeem));
    // One id joins them.
    let account = &events[at(Step::Account)];
    assert_eq!(account.login, events[at(Step::Authorize)].login);
    assert_eq!(account.grant, events[at(Step::Redeem)].grant);
    assert_eq!(account.reason, None);
}

#[tokio::test]
async fn of_two_tabs_the_one_that_says_no_counts() {
    let proxy = Proxy::with(always).await;
    let waiting = Waiting::at(&proxy).await;
    let (mut here, mut there) = (waiting.browser.clone(), waiting.browser.clone());
    let back = here.press("approve").await.left();
    // The other tab says no before the client came.
    there.press("deny").await.left();
    waiting.redeem(&back).await.refused(400, "invalid_grant");
    assert_eq!(grants(&proxy).await, 0);
}

#[tokio::test]
async fn cancel_tells_the_client_and_leaves_no_grant() {
    let proxy = Proxy::with(always).await;
    let mut waiting = Waiting::at(&proxy).await;
    assert_eq!(grants(&proxy).await, 1);
    let back = waiting.browser.press("deny").await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(query_param(&back, "state").as_deref(), Some("client-state"));
    proxy.told(Step::Account, Reason::PersonDenied);
    assert_eq!(grants(&proxy).await, 0);
    // Many providers would end the person's other grants along with this one.
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);
}

#[tokio::test]
async fn another_account_is_asked_of_the_provider_and_shown_again() {
    let proxy = Proxy::with(|builder| always(builder).pass_on([PassOn::LoginHint])).await;
    let (client, pkce, mut browser) = (proxy.client().await, Pkce::new(), proxy.browser());
    let request = client.authorize(&pkce, "client-state");
    let url = request.and("login_hint", "ada@example.com").url();
    proxy.approve(&mut browser, &url).await.page();
    let before = proxy.provider.last(Kind::Authorize);
    assert_eq!(before.param("login_hint"), Some("ada@example.com"));
    let first = browser.form();
    proxy.provider.configure(|provider| {
        let person = &mut provider.person;
        person.insert("sub".into(), "person-2".into());
        person.insert("name".into(), "Bob Example".into());
        person.insert("email".into(), "bob@example.com".into());
    });
    let page = browser.press("other").await.page();
    proxy.told(Step::Account, Reason::AnotherAccount);
    let asked = proxy.provider.last(Kind::Authorize);
    assert_eq!(asked.param("prompt"), Some("login"));
    assert_eq!(asked.param("login_hint"), None, "it names the account");
    let fresh = |name| Recorded::param(&asked, name) != before.param(name);
    assert!(fresh("state") && fresh("code_challenge"));
    let html = page.reply.text();
    assert!(html.contains("Bob Example") && !html.contains("Ada Example"));
    assert_eq!(grants(&proxy).await, 0, "the first one's grant has ended");
    // The page before knows another form token.
    let mut tab = browser.clone();
    let fields = [
        first.hidden.clone(),
        vec![("decision".into(), "approve".into())],
    ]
    .concat();
    let refused = tab.submit(&first, &fields).await.page();
    assert_eq!(refused.reply.status, 400);
    proxy.told(Step::Account, Reason::Browser);
    let back = browser.press("approve").await.left();
    let tokens = Tokens::read(&client.redeem(&back, &pkce).await);
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["subject"], "person-2");
}

#[tokio::test]
async fn reload_back_and_a_second_click_are_answered_like_the_first() {
    let proxy = Proxy::with(always).await;
    let waiting = Waiting::at(&proxy).await;
    let mut browser = waiting.browser.clone();
    let url = browser.page().url.clone();
    let form = browser.form();
    // The page again, and the callback again, which is where a browser's history leads.
    let visits = browser.history.clone();
    let callback = visits
        .iter()
        .map(|visit| visit.url.clone())
        .find(|url| url.contains("/oauth/callback?"))
        .unwrap();
    for again in [&url, &callback] {
        let page = browser.open(again).await.page();
        assert_eq!(page.url, url, "{page:?}");
        assert_eq!(browser.form().hidden, form.hidden);
    }
    assert_eq!(proxy.provider.count_grant("authorization_code"), 1);
    // Both clicks reach the server before the browser has the first one's answer.
    let mut twin = browser.clone();
    let (one, two) = tokio::join!(browser.press("approve"), twin.press("approve"));
    let (one, two) = (one.left(), two.left());
    assert_eq!(query_param(&one, "code"), query_param(&two, "code"));
    Tokens::read(&waiting.redeem(&two).await);
}

#[tokio::test]
async fn any_instance_serves_the_page_and_a_restart_changes_nothing() {
    let (proxy, store) = Proxy::with_store(always).await;
    let mut waiting = Waiting::at(&proxy).await;
    let other = proxy.sibling(|builder| always(builder).token_storage(store.clone()));
    waiting.browser = waiting.browser.knowing(other.wire.clone());
    let url = waiting.browser.page().url.clone();
    waiting.browser.open(&url).await.page();
    let back = waiting.browser.press("approve").await.left();
    let mut client = waiting.client.clone();
    client.wire = other.wire.clone();
    Tokens::read(&client.redeem(&back, &waiting.pkce).await);
}

#[tokio::test]
async fn a_person_may_take_their_time_and_the_client_has_its_own_from_then_on() {
    let proxy = Proxy::with(always).await;
    let mut waiting = Waiting::at(&proxy).await;
    // Longer than a code lives, shorter than a login.
    proxy.clock.advance_secs(9 * 60);
    let back = waiting.browser.press("approve").await.left();
    proxy.clock.advance_secs(4 * 60);
    Tokens::read(&waiting.redeem(&back).await);
    // And not for ever.
    let waiting = Waiting::at(&proxy).await;
    let (mut browser, url) = (waiting.browser.clone(), waiting.browser.page().url.clone());
    proxy.clock.advance_secs(10 * 60);
    let page = browser.open(&url).await.page();
    assert_eq!(page.reply.status, 400);
    proxy.told(Step::Account, Reason::Expired);
    let mut browser = waiting.browser.clone();
    let page = browser.press("approve").await.page();
    assert_eq!(page.reply.status, 400);
    assert_eq!(grants(&proxy).await, 1, "only the one that was redeemed");
}

#[tokio::test]
async fn a_store_that_is_down_costs_nothing_and_the_page_leads_back() {
    let (proxy, store) = Proxy::with_store(always).await;
    let mut waiting = Waiting::at(&proxy).await;
    store.be(Health::Down);
    let page = waiting.browser.clone().press("approve").await.page();
    assert_eq!(page.reply.status, 503);
    assert!(page.reply.header("retry-after").is_some());
    proxy.told(Step::Account, Reason::StoreUnavailable);
    let url = waiting.browser.page().url.clone();
    assert!(page.reply.text().contains(&url), "{page:?}");
    store.be(Health::Up);
    let back = waiting.browser.press("approve").await.left();
    Tokens::read(&waiting.redeem(&back).await);
}

#[tokio::test]
async fn where_the_operator_ended_the_grant_meanwhile_the_client_hears_no() {
    let proxy = Proxy::with(always).await;
    let mut waiting = Waiting::at(&proxy).await;
    let admin = proxy.layer.admin();
    admin.revoke_subject("person-1").await.unwrap();
    let back = waiting.browser.press("approve").await.left();
    assert_eq!(
        query_param(&back, "error").as_deref(),
        Some("access_denied")
    );
    proxy.told(Step::Account, Reason::GrantEnded);
}

/// A login that waits for the person's word costs them no other one.
#[tokio::test]
async fn older_grants_make_room_only_when_the_person_goes_on() {
    let proxy = Proxy::with(|builder| always(builder).grants_per_person(1)).await;
    let mut first = Waiting::at(&proxy).await;
    let back = first.browser.press("approve").await.left();
    let tokens = Tokens::read(&first.redeem(&back).await);
    proxy.clock.advance_secs(60);
    let second = Waiting::at(&proxy).await;
    second.browser.clone().press("deny").await.left();
    let next = Tokens::read(&first.client.refresh(tokens.refresh()).await);
    proxy.clock.advance_secs(60);
    let mut third = Waiting::at(&proxy).await;
    let back = third.browser.press("approve").await.left();
    Tokens::read(&third.redeem(&back).await);
    let gone = first.client.refresh(next.refresh()).await;
    gone.refused(400, "invalid_grant");
}

#[tokio::test]
async fn the_page_is_there_where_cookies_can_be_planted_and_only_there_by_default() {
    let is_shown = async |base: &str, prefix: Option<&str>, page: Option<AccountPage>| {
        let proxy = Proxy::at(base, |builder| {
            let builder = match prefix {
                Some(prefix) => builder.cookie_prefix(prefix),
                None => builder,
            };
            match page {
                Some(page) => builder.account_page(page),
                None => builder,
            }
        })
        .await;
        let client = proxy.client().await;
        let url = client.authorize(&Pkce::new(), "s").url();
        let landing = proxy.approve(&mut proxy.browser(), &url).await;
        matches!(landing, testkit::Landing::Page(_))
    };
    let (https, http) = ("https://proxy.example", "http://127.0.0.1:8080");
    assert!(!is_shown(https, None, None).await);
    assert!(!is_shown(https, Some("__Host-my-"), None).await);
    assert!(is_shown(https, Some("__Secure-"), None).await);
    assert!(is_shown(https, Some("my-"), None).await);
    assert!(is_shown(https, Some(""), None).await);
    assert!(!is_shown(http, None, None).await);
    assert!(is_shown(http, None, Some(AccountPage::Always)).await);
    assert!(!is_shown(https, None, Some(AccountPage::Never)).await);
}

#[tokio::test]
async fn where_cookies_can_be_planted_the_page_cannot_be_turned_off() {
    use testkit::proxy::{BASE, builder_from};
    let google = tower_oauth_proxy::provider::google("upstream-app", "another secret");
    let built = builder_from(google, BASE)
        .cookie_prefix("my-")
        .account_page(AccountPage::Never)
        .build();
    let error = built.unwrap_err().to_string();
    assert!(error.contains("account_page"), "{error}");
    assert!(error.contains("cookie_prefix \"my-\""), "{error}");
}

/// The cookie of the page is larger than the login's: what would not fit is refused before the provider is asked.
#[tokio::test]
async fn what_fits_into_a_login_fits_into_the_page() {
    let proxy = Proxy::with(always).await;
    proxy.provider.configure(|provider| {
        let (name, local) = ("ü".repeat(160), "é".repeat(140));
        let person = &mut provider.person;
        person.insert("name".into(), name.into());
        person.insert("email".into(), format!("{local}@example.com").into());
    });
    let client = proxy.client().await;
    let (mut shown, mut refused) = (0, 0);
    for length in (1_500..3_200).step_by(25) {
        let state = "~".repeat(length);
        let mut browser = proxy.browser();
        let url = client.authorize(&Pkce::new(), &state).url();
        match browser.open(&url).await {
            testkit::Landing::Left(back) => {
                assert!(query_param(&back, "error").is_some());
                refused += 1;
            }
            testkit::Landing::Page(_) => match browser.press("approve").await {
                testkit::Landing::Left(back) => {
                    let error = query_param(&back, "error");
                    assert_eq!(error.as_deref(), Some("invalid_request"), "{length}");
                    refused += 1;
                }
                testkit::Landing::Page(page) => {
                    assert!(page.url.contains("/oauth/account"), "{length}: {page:?}");
                    shown += 1;
                }
            },
        }
    }
    assert!(shown > 5 && refused > 5, "{shown} {refused}");
}

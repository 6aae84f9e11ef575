//! The two cookies of a login in every wrong place, hand and state.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};

use crate::support::before_callback;
use testkit::{Browser, Client, Pkce, Proxy, Reply, jar::Cookie, wire::query_param};

const REQUEST: &str = "__Host-oauth-request-";
const LOGIN: &str = "__Host-oauth-login-";
const FINISHED: &str = "__Host-oauth-finished-";

/// One login that waits at the consent page and at the callback at once.
struct Waiting {
    proxy: Proxy,
    /// As paths.
    consent: String,
    callback: String,
    request: Cookie,
    login: Cookie,
}

impl Waiting {
    async fn at(proxy: Proxy) -> Self {
        let client = proxy.client().await;
        let (browser, callback, _) = before_callback(&proxy, &client).await;
        let origin = proxy.wire.origin.clone();
        let path = |url: &str| url.strip_prefix(&origin).unwrap().to_owned();
        let shown = browser.history.iter().map(|visit| &visit.url);
        let consent = shown
            .filter(|url| url.contains("/oauth/consent?login="))
            .last();
        Self {
            consent: path(consent.unwrap()),
            callback: path(&callback),
            request: only(&browser, REQUEST),
            login: only(&browser, LOGIN),
            proxy,
        }
    }

    async fn get(&self, path: &str, name: &str, value: &str) -> Reply {
        let pair = format!("{name}={value}");
        self.proxy.wire.get(path, &[("cookie", &pair)]).await
    }

    async fn consent_with(&self, value: &str) -> Reply {
        self.get(&self.consent, &self.request.name, value).await
    }

    async fn callback_with(&self, value: &str) -> Reply {
        self.get(&self.callback, &self.login.name, value).await
    }

    /// Both right cookies still do their work, the callback last.
    async fn is_unharmed(&self) {
        self.consent_with(&self.request.value).await.expect(200);
        let reply = self.callback_with(&self.login.value).await.expect(302);
        assert!(query_param(reply.location(), "code").is_some(), "{reply:?}");
    }
}

fn only(browser: &Browser, prefix: &str) -> Cookie {
    let all = browser.jar.all();
    let mut found = all.into_iter().filter(|c| c.name.starts_with(prefix));
    let cookie = found.next().expect("a cookie").clone();
    assert!(found.next().is_none());
    cookie
}

/// Nothing happened, and the provider was not asked.
#[track_caller]
fn is_refused(proxy: &Proxy, reply: &Reply, case: &str) {
    assert_eq!(reply.status, 400, "{case}: {reply:?}");
    assert_eq!(reply.header("location"), None, "{case}: {reply:?}");
    assert!(!reply.text().contains("<form"), "{case}: {reply:?}");
    assert_eq!(
        proxy.provider.count_grant("authorization_code"),
        0,
        "{case}"
    );
}

#[tokio::test]
async fn neither_cookie_does_the_others_job() {
    let waiting = Waiting::at(Proxy::start().await).await;
    let (request, login) = (&waiting.request, &waiting.login);
    for (case, reply) in [
        ("login as request", waiting.consent_with(&login.value).await),
        (
            "request as login",
            waiting.callback_with(&request.value).await,
        ),
        (
            "under its own name",
            waiting
                .get(&waiting.callback, &request.name, &request.value)
                .await,
        ),
        (
            "under its own name",
            waiting
                .get(&waiting.consent, &login.name, &login.value)
                .await,
        ),
        ("none", waiting.get(&waiting.callback, "x", "y").await),
    ] {
        is_refused(&waiting.proxy, &reply, case);
    }
    waiting.is_unharmed().await;
}

#[tokio::test]
async fn cookies_cut_short_or_changed_in_any_bit_do_not_open() {
    let waiting = Waiting::at(Proxy::start().await).await;
    let changed = |value: &str| {
        let bytes = B64.decode(value).unwrap();
        let mut forms: Vec<String> = (0..bytes.len() * 8)
            .step_by(5)
            .map(|bit| {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                B64.encode(flipped)
            })
            .collect();
        forms.extend(
            (0..value.len())
                .step_by(7)
                .map(|end| value[..end].to_owned()),
        );
        forms.extend(
            (1..value.len())
                .step_by(31)
                .map(|start| value[start..].to_owned()),
        );
        for form in ["A", "=", "%00", "."] {
            forms.push(format!("{value}{form}"));
            forms.push(format!("{form}{value}"));
        }
        forms.push(value.to_lowercase());
        forms.push(format!("{value}{value}"));
        forms
    };
    for value in changed(&waiting.request.value) {
        let reply = waiting.consent_with(&value).await;
        is_refused(&waiting.proxy, &reply, &value);
    }
    for value in changed(&waiting.login.value) {
        let reply = waiting.callback_with(&value).await;
        is_refused(&waiting.proxy, &reply, &value);
    }
    waiting.is_unharmed().await;
}

/// Each names the other's login in the URL, with its own cookies.
#[tokio::test]
async fn cookies_of_one_browser_answer_to_no_login_of_another() {
    let first = Waiting::at(Proxy::start().await).await;
    let second = {
        let proxy = first.proxy.sibling(|builder| builder);
        Waiting::at(proxy).await
    };
    let proxy = &first.proxy;
    for (mine, theirs) in [(&first, &second), (&second, &first)] {
        for (path, cookie) in [
            (&theirs.consent, &mine.request),
            (&theirs.callback, &mine.login),
        ] {
            let reply = mine.get(path, &cookie.name, &cookie.value).await;
            is_refused(proxy, &reply, "under its own name");
        }
        // Renamed to what the other login's cookie is called.
        let reply = theirs.consent_with(&mine.request.value).await;
        is_refused(proxy, &reply, "a renamed request");
        let reply = theirs.callback_with(&mine.login.value).await;
        is_refused(proxy, &reply, "a renamed login");
    }
    first.is_unharmed().await;
    second.is_unharmed().await;
}

/// The same host under another secret, and the same secret under another base URL.
#[tokio::test]
async fn cookies_of_another_proxy_do_not_open() {
    let here = Waiting::at(Proxy::start().await).await;
    let other_secret = here.proxy.sibling(|builder| {
        let secret = testkit::proxy::secret(7);
        builder.secret_key(secret)
    });
    let other_port = Proxy::at("https://proxy.example:8443", |builder| builder).await;
    let other_path = Proxy::at("https://proxy.example/api", |builder| builder).await;
    for other in [other_secret, other_port, other_path] {
        let other = Waiting::at(other).await;
        // The name that this proxy would look for: its own prefix, the other login's tag.
        let renamed = |mine: &Cookie, theirs: &Cookie| {
            let (prefix, _) = mine.name.rsplit_once('-').unwrap();
            let (_, tag) = theirs.name.rsplit_once('-').unwrap();
            format!("{prefix}-{tag}")
        };
        let local = |path: &str| path.trim_start_matches("/api").to_owned();
        for (path, mine, theirs) in [
            (&other.consent, &here.request, &other.request),
            (&other.callback, &here.login, &other.login),
        ] {
            let name = renamed(mine, theirs);
            let reply = here.get(&local(path), &name, &theirs.value).await;
            is_refused(&here.proxy, &reply, &name);
            let reply = here.get(&local(path), &theirs.name, &theirs.value).await;
            is_refused(&here.proxy, &reply, &name);
        }
    }
    here.is_unharmed().await;
}

/// A browser that keeps cookies for ever, or a thief with a copy of them.
#[tokio::test]
async fn a_cookie_is_over_after_ten_minutes_whatever_the_browser_does() {
    for (seconds, is_over) in [(599, false), (600, true), (86_400, true)] {
        let waiting = Waiting::at(Proxy::start().await).await;
        waiting.proxy.clock.advance(Duration::from_secs(seconds));
        if is_over {
            let reply = waiting.consent_with(&waiting.request.value).await;
            is_refused(&waiting.proxy, &reply, "the request");
            let reply = waiting.callback_with(&waiting.login.value).await;
            is_refused(&waiting.proxy, &reply, "the login");
        } else {
            waiting.is_unharmed().await;
        }
    }
}

/// Another path or a neighbouring subdomain plants a cookie of the same name: the right one counts.
#[tokio::test]
async fn a_planted_cookie_beside_the_right_one_takes_nothing_away() {
    let waiting = Waiting::at(Proxy::start().await).await;
    for planted in ["x", "", "\"", &waiting.request.value] {
        let (login, request) = (&waiting.login, &waiting.request);
        let both = format!(
            "{}={planted}; {}={}",
            request.name, request.name, request.value
        );
        let reply = waiting
            .proxy
            .wire
            .get(&waiting.consent, &[("cookie", &both)])
            .await;
        reply.expect(200);
        let both = format!("{}={planted}; {}={}", login.name, login.name, login.value);
        if planted == "x" {
            let reply = waiting
                .proxy
                .wire
                .get(&waiting.callback, &[("cookie", &both)])
                .await;
            let reply = reply.expect(302);
            assert!(query_param(reply.location(), "code").is_some());
        }
    }
}

async fn walk_up_to_the_provider(
    proxy: &Proxy,
    browser: &mut Browser,
    client: &Client,
    state: &str,
) {
    use testkit::AuthorizeAnswer;
    let url = client.authorize(&Pkce::new(), state).url();
    browser.open(&url).await.page();
    proxy.provider.next_authorize(AuthorizeAnswer::Show);
    browser.press("approve").await.page();
}

#[tokio::test]
async fn a_browser_holds_three_of_each_at_most_and_the_newest_work() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let of = |browser: &Browser, prefix: &str| {
        let all = browser.jar.all();
        all.iter().filter(|c| c.name.starts_with(prefix)).count()
    };
    for turn in 1..=12 {
        walk_up_to_the_provider(&proxy, &mut browser, &client, "s").await;
        let held = (of(&browser, REQUEST), of(&browser, LOGIN));
        assert_eq!(held, (turn.min(3), turn.min(3)));
        proxy.clock.advance_secs(1);
    }
    // The three newest come back in any order; the fourth is over.
    let providers: Vec<String> = browser
        .history
        .iter()
        .filter(|visit| visit.url.starts_with(&proxy.provider.origin))
        .map(|visit| visit.url.clone())
        .collect();
    let back = async |turn: usize| {
        let reply = proxy.browser().open_once(&providers[turn]).await;
        reply.location().to_owned()
    };
    let fourth = browser.open(&back(8).await).await.page();
    assert_eq!(fourth.reply.status, 400);
    for turn in [10, 9, 11] {
        let landed = browser.open(&back(turn).await).await.left();
        assert!(query_param(&landed, "code").is_some(), "{turn}: {landed}");
    }
    let held = (of(&browser, REQUEST), of(&browser, LOGIN));
    assert_eq!(held, (0, 0), "a finished login takes its cookies along");
    // What is left says only that these logins are done: for a reload of the callback.
    assert_eq!(of(&browser, FINISHED), 3);
    assert_eq!(browser.jar.all().len(), 3);
}

/// What a server in front commonly reads in one header line. A page elsewhere can send a browser
/// through as many logins as it likes; the browser must not be locked out by its own cookies.
#[tokio::test]
async fn the_cookie_header_stays_small_whatever_the_clients_send() {
    const LINE: usize = 8 * 1024;
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut browser = proxy.browser();
    let mut largest = 0;
    for length in [10, 2_300, 2_300, 2_300, 10, 1_200, 1_200, 1_200, 300, 2_300] {
        let state = "s".repeat(length);
        walk_up_to_the_provider(&proxy, &mut browser, &client, &state).await;
        let sent = browser
            .history
            .iter()
            .filter_map(|visit| visit.sent_cookies.as_ref());
        largest = largest.max(sent.map(String::len).max().unwrap());
        proxy.clock.advance_secs(1);
        // The newest login always works.
        let provider = browser.page().url.clone();
        let mut twin = browser.clone();
        let callback = proxy
            .browser()
            .open_once(&provider)
            .await
            .location()
            .to_owned();
        let landed = twin.open(&callback).await.left();
        assert!(query_param(&landed, "code").is_some(), "{landed}");
    }
    assert!(largest < LINE, "{largest} bytes of cookies");
}

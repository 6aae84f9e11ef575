//! What strangers write reaches people: a consent page, an operator's log. None of it may hide there,
//! start a line, or turn the words around it.

use icu_properties::{CodePointMapData, props::GeneralCategory};

use crate::support::before_callback;
use testkit::{
    Client, Pkce, Proxy,
    client::{CALLBACK, native_metadata},
};

/// One of each: Cc, Cf (four kinds), Zl, Zp, Co, Cn.
const ODD: &str = "\u{85}\u{61c}\u{200b}\u{feff}\u{e0041}\u{2028}\u{2029}\u{e000}\u{378}";

/// Whether a character is of none of the categories Cc, Cf, Co, Cs, Zl, Zp and Cn.
pub(super) fn is_shown(c: char) -> bool {
    !matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Unassigned
    )
}

#[track_caller]
fn all_events_are_shown(proxy: &Proxy) {
    for event in proxy.events() {
        let words = event.detail.unwrap_or_default();
        assert!(words.chars().all(is_shown), "{words:?}");
    }
}

#[tokio::test]
async fn odd_characters_in_a_name_reach_no_answer_no_event_and_no_page() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["client_name"] = format!("a{ODD}b").into();
    let reply = Client::try_register(&proxy.wire, "", &metadata).await;
    let name = reply.expect(201).json()["client_name"].clone();
    let name = name.as_str().unwrap();
    assert!(name.chars().all(is_shown), "{name:?}");
    assert!(
        name.starts_with("a\u{fffd}") && name.ends_with("\u{fffd}b"),
        "{name:?}"
    );

    let client = proxy.register(&metadata).await;
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    let page = browser.open(&url).await.page().reply.text();
    assert!(page.contains(name), "{page}");
    assert!(page.chars().all(is_shown), "{page:?}");
    all_events_are_shown(&proxy);
}

#[tokio::test]
async fn a_name_that_shows_nothing_is_no_name() {
    let proxy = Proxy::start().await;
    for blank in ["\u{a0}\u{3000}", "\u{2800}\u{2800}", " \n "] {
        let mut metadata = native_metadata(CALLBACK);
        metadata["client_name"] = blank.into();
        let reply = Client::try_register(&proxy.wire, "", &metadata).await;
        let answer = reply.expect(201).json();
        assert_eq!(answer.get("client_name"), None, "{blank:?}");
    }
}

#[tokio::test]
async fn what_the_provider_says_at_the_callback_is_readable_by_the_operator() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (mut browser, callback, _) = before_callback(&proxy, &client).await;
    let mut url = url::Url::parse(&callback).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state");
    let state = state.unwrap().1.into_owned();
    let error = format!("access_denied{ODD}");
    let said = format!("no{ODD}");
    url.query_pairs_mut().clear().extend_pairs([
        ("error", error.as_str()),
        ("error_description", said.as_str()),
        ("state", state.as_str()),
    ]);
    browser.open(url.as_str()).await.left();
    all_events_are_shown(&proxy);
    let mut told = proxy.events().into_iter().filter_map(|event| event.detail);
    assert!(
        told.next_back()
            .is_some_and(|detail| detail.contains("no\u{fffd}"))
    );
}

/// A line that takes a cookie back repeats its name: only a name that we can have given is taken.
#[tokio::test]
async fn a_cookie_of_a_name_that_is_not_ours_is_never_repeated() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let url = client.authorize(&Pkce::new(), "s").url();
    let path = url.strip_prefix(&proxy.wire.origin).unwrap();
    let reply = proxy.wire.get(path, &[]).await.expect(302);
    let given = reply.header("set-cookie").unwrap();
    let prefix = given.split('=').next().unwrap().rsplit_once('-').unwrap().0;
    let ours = format!("{prefix}-0123456789ab");
    let odd = [
        "x\"><b>",
        "\u{e9}\u{202e}",
        "0123 456789a",
        "0123-456789a",
        "0123456789AB",
        "0123456789abc",
    ];
    let pairs = odd.iter().map(|tag| format!("{prefix}-{tag}=dead"));
    let line = pairs.chain([format!("{ours}=dead")]).collect::<Vec<_>>();
    let reply = proxy.wire.get(path, &[("cookie", &line.join("; "))]).await;
    let set: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
    let removed: Vec<_> = set
        .iter()
        .map(|line| line.to_str().unwrap())
        .filter(|line| line.contains("Max-Age=0"))
        .collect();
    assert_eq!(removed.len(), 1, "{set:?}");
    assert!(removed[0].starts_with(&ours), "{removed:?}");
}

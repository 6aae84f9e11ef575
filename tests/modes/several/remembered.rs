//! A remembered approval remembers the provider.

use tower_oauth_proxy::{Consent, PassOn, ProviderChoice};

use super::World;
use testkit::{Kind, Pkce};

#[tokio::test]
async fn an_approval_goes_to_the_provider_that_was_approved_and_the_last_choice_stands() {
    let world = World::with(|b| b.consent(Consent::Remember).pass_on([PassOn::Prompt])).await;
    let client = world.proxy.client().await;
    let mut browser = world.browser();
    let url = client.authorize(&Pkce::new(), "s");
    let asked = || {
        (
            world.proxy.provider.count(Kind::Authorize),
            world.second.count(Kind::Authorize),
        )
    };
    browser.open(&url.url()).await.page();
    browser.choose("b", "approve").await.left();
    assert_eq!(asked(), (0, 1));
    browser.open(&url.url()).await.left();
    assert_eq!(asked(), (0, 2), "not asked again, and not sent elsewhere");
    // A client that lets its person change accounts lets them change the provider.
    for prompt in ["consent", "select_account"] {
        browser
            .open(&url.clone().with("prompt", prompt).url())
            .await
            .page();
        assert_eq!(browser.form().radios.len(), 2, "{prompt}");
    }
    browser.choose("oauth", "approve").await.left();
    assert_eq!(asked(), (1, 2));
    browser.open(&url.url()).await.left();
    assert_eq!(asked(), (2, 2), "the last choice stands");
}

#[tokio::test]
async fn an_approval_of_one_provider_is_none_of_another_that_a_rule_chooses_now() {
    let world = World::with(|builder| builder.consent(Consent::Remember)).await;
    let client = world.proxy.client().await;
    let mut browser = world.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
    browser.choose("oauth", "approve").await.left();
    let also = super::about(&world.second);
    let ruled = world.again(|builder| {
        let builder = builder.also_provider(also).consent(Consent::Remember);
        builder.choose_provider(|_| ProviderChoice::of("b"))
    });
    let mut browser = browser.knowing(ruled.wire.clone());
    let text = browser.open(&url).await.page().reply.text();
    assert!(
        text.contains("then log in with <bdi>Second</bdi>"),
        "{text}"
    );
    browser.press("approve").await.left();
    let before = world.second.count(Kind::Authorize);
    browser.open(&url).await.left();
    assert_eq!(world.second.count(Kind::Authorize), before + 1);
}

#[tokio::test]
async fn an_approval_of_a_provider_that_is_gone_is_none() {
    let world = World::with(|builder| builder.consent(Consent::Remember)).await;
    let client = world.proxy.client().await;
    let mut browser = world.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    browser.open(&url).await.page();
    browser.choose("b", "approve").await.left();
    let alone = world.again(|builder| builder.consent(Consent::Remember));
    let mut browser = browser.knowing(alone.wire.clone());
    let text = browser.open(&url).await.page().reply.text();
    assert!(text.contains("then log in with"), "{text}");
    assert_eq!(world.proxy.provider.count(Kind::Authorize), 0);
}

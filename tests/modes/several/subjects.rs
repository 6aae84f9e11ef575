//! Two people of two providers are never one.

use tower_oauth_proxy::{Reason, Step, Subjects};

use super::{World, about};
use testkit::{
    Client, Kind, Pkce, Proxy, Tokens,
    proxy::{BASE, builder_from, upstream},
    wire::query_param,
};

/// The `sub` of an access token of ours.
fn sub(tokens: &Tokens) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = tokens.access.split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_sub_of_two_providers_is_two_people_everywhere() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let first = world.journey(&client, "oauth").await;
    let second = world.journey(&client, "b").await;
    assert_eq!(sub(&first), "person-1");
    assert_eq!(sub(&second), "b|person-1");
    let admin = world.proxy.layer.admin();
    for (subject, provider) in [("person-1", "oauth"), ("b|person-1", "b")] {
        let grants = admin.grants_of_subject(subject).await.unwrap();
        assert_eq!(grants.len(), 1, "{subject}");
        assert_eq!(grants[0].subject, subject);
        assert_eq!(grants[0].provider, provider);
    }
    // One that ends the people of one provider ends no one's of the other.
    assert_eq!(admin.revoke_subject("person-1").await.unwrap(), 1);
    assert_eq!(client.call("/mcp", &first.access).await.status, 401);
    let session = world.proxy.session(&client, &second.access).await;
    assert_eq!(session["subject"], "b|person-1");
    assert_eq!(session["claims"].get("sub"), None, "{session}");
}

#[tokio::test]
async fn the_grants_of_a_person_are_counted_without_those_of_another_providers() {
    let world = World::with(|builder| builder.grants_per_person(1)).await;
    let client = world.proxy.client().await;
    let first = world.journey(&client, "oauth").await;
    let second = world.journey(&client, "b").await;
    for tokens in [&first, &second] {
        assert_eq!(client.call("/mcp", &tokens.access).await.status, 200);
    }
    world
        .proxy
        .clock
        .advance(std::time::Duration::from_secs(60));
    world.journey(&client, "b").await;
    assert_eq!(client.call("/mcp", &second.access).await.status, 401);
    assert_eq!(client.call("/mcp", &first.access).await.status, 200);
}

#[tokio::test]
async fn a_sub_that_says_it_is_another_providers_person_does_not_come_in() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    for taken in ["b|person-1", "b|", "grant:1234"] {
        world.proxy.provider.configure(|settings| {
            settings.person.insert("sub".into(), taken.into());
        });
        let (back, _) = world.login(&client, "oauth").await;
        assert_eq!(
            query_param(&back, "error").as_deref(),
            Some("server_error"),
            "{taken}"
        );
        world.proxy.told(Step::Callback, Reason::IdToken);
    }
    for bare in ["c|person-1", "oauth|person-1", "b"] {
        world.proxy.provider.configure(|settings| {
            settings.person.insert("sub".into(), bare.into());
        });
        let tokens = world.journey(&client, "oauth").await;
        assert_eq!(sub(&tokens), bare);
    }
}

/// Logged in while there was one provider, with a name that another's person has now.
#[tokio::test]
async fn a_grant_whose_person_could_be_another_providers_is_not_served() {
    let world = World::start().await;
    let alone = world.again(|builder| builder);
    let client = alone.client().await;
    alone.provider.configure(|settings| {
        settings.person.insert("sub".into(), "b|person-1".into());
    });
    let tokens = alone.journey(&client).await;
    assert_eq!(
        alone.session(&client, &tokens.access).await["subject"],
        "b|person-1"
    );
    let there = Client {
        wire: world.proxy.wire.clone(),
        ..client
    };
    assert_eq!(there.call("/mcp", &tokens.access).await.status, 401);
    assert_eq!(there.refresh(tokens.refresh()).await.status, 400);
    let details: Vec<_> = world
        .proxy
        .events()
        .into_iter()
        .filter_map(|e| e.detail)
        .collect();
    let said = "cannot be told from another provider's";
    assert!(
        details.iter().any(|detail| detail.contains(said)),
        "{details:?}"
    );
    assert_eq!(world.second.requests().len(), 0);
    assert_eq!(world.proxy.provider.count(Kind::Revoke), 0);
}

#[tokio::test]
async fn all_are_qualified_or_named_by_a_function_where_the_operator_says_so() {
    for (subjects, first, second) in [
        (Subjects::qualified(), "oauth|person-1", "b|person-1"),
        (
            Subjects::by(|provider, sub| format!("{sub}@{provider}")),
            "person-1@oauth",
            "person-1@b",
        ),
    ] {
        let world = World::with(|builder| builder.subjects(subjects)).await;
        let client = world.proxy.client().await;
        for (id, subject) in [("oauth", first), ("b", second)] {
            let tokens = world.journey(&client, id).await;
            assert_eq!(sub(&tokens), subject);
            let session = world.proxy.session(&client, &tokens.access).await;
            assert_eq!(session["subject"], subject);
            assert_eq!(session["provider_subject"], "person-1");
            let admin = world.proxy.layer.admin();
            assert_eq!(admin.grants_of_subject(subject).await.unwrap().len(), 1);
            let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
            assert_eq!(sub(&tokens), subject);
        }
    }
}

#[tokio::test]
async fn a_person_for_whom_the_function_has_no_name_does_not_come_in() {
    let world = World::with(|builder| {
        builder.subjects(Subjects::by(|provider, sub| match provider {
            "b" => String::new(),
            _ => sub.to_owned(),
        }))
    })
    .await;
    let client = world.proxy.client().await;
    let (back, _) = world.login(&client, "b").await;
    assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
    world.journey(&client, "oauth").await;
}

#[tokio::test]
async fn someone_whom_their_provider_does_not_name_is_someone_else_at_each_login() {
    let world = World::start().await;
    let without = tower_oauth_proxy::provider::generic(
        world.second.url("/authorize"),
        world.second.url("/token"),
        world.second.settings().client_id,
        world.second.settings().client_secret,
    );
    let without = without.id("b").name("Second").scopes(["read"]);
    let proxy = world.again(|builder| builder.also_provider(without));
    let world = World { proxy, ..world };
    let client = world.proxy.client().await;
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let tokens = world.journey(&client, "b").await;
        let session = world.proxy.session(&client, &tokens.access).await;
        assert_eq!(session["provider"], "b");
        assert_eq!(session["provider_subject"], serde_json::Value::Null);
        subjects.push(session["subject"].as_str().unwrap().to_owned());
    }
    assert!(
        subjects.iter().all(|subject| subject.starts_with("grant:")),
        "{subjects:?}"
    );
    assert_ne!(subjects[0], subjects[1]);
}

/// Grants are listed by the name of their last write, and a restart has renamed their people since.
#[tokio::test]
async fn a_person_who_has_another_name_since_is_ended_by_it_and_no_one_who_has_the_old_one() {
    let world = World::with(|builder| builder.grants_per_person(1)).await;
    let client = world.proxy.client().await;
    let first = world.journey(&client, "oauth").await;
    let second = world.journey(&client, "b").await;
    let builder = builder_from(about(&world.second), BASE)
        .also_provider(upstream(&world.proxy.provider).scopes(["read"]))
        .grants_per_person(1)
        .token_storage(world.store.clone());
    let (provider, clock) = (world.proxy.provider.clone(), world.proxy.clock.clone());
    let turned = Proxy::built(provider, clock, BASE, builder);
    let there = Client {
        wire: turned.wire.clone(),
        ..client
    };
    let admin = turned.layer.admin();
    for (subject, provider) in [("oauth|person-1", "oauth"), ("person-1", "b")] {
        let grants = admin.grants_of_subject(subject).await.unwrap();
        let found: Vec<_> = grants.iter().map(|grant| &*grant.provider).collect();
        assert_eq!(found, [provider], "{subject}");
    }
    // A login of one ends nothing of the other, whose old name it has.
    let (mut browser, pkce) = (turned.browser().knowing(world.second.wire()), Pkce::new());
    browser
        .open(&there.authorize(&pkce, "s").url())
        .await
        .page();
    let callback = browser.choose("b", "approve").await.left();
    let third = Tokens::read(&there.redeem(&callback, &pkce).await);
    assert_eq!(there.call("/mcp", &first.access).await.status, 200);
    assert!(admin.revoke_subject("person-1").await.unwrap() >= 1);
    for tokens in [&second, &third] {
        assert_eq!(there.call("/mcp", &tokens.access).await.status, 401);
    }
    assert_eq!(there.call("/mcp", &first.access).await.status, 200);
    assert_eq!(admin.revoke_subject("oauth|person-1").await.unwrap(), 1);
    assert_eq!(there.call("/mcp", &first.access).await.status, 401);
}

#[tokio::test]
async fn a_person_who_is_qualified_since_is_ended_by_the_new_name() {
    let world = World::start().await;
    let client = world.proxy.client().await;
    let tokens = world.journey(&client, "oauth").await;
    let qualified = world.again(|builder| {
        let builder = builder.also_provider(about(&world.second));
        builder.subjects(Subjects::qualified())
    });
    let there = Client {
        wire: qualified.wire.clone(),
        ..client
    };
    let admin = qualified.layer.admin();
    assert_eq!(admin.revoke_subject("person-1").await.unwrap(), 0);
    assert_eq!(there.call("/mcp", &tokens.access).await.status, 200);
    assert_eq!(admin.revoke_subject("oauth|person-1").await.unwrap(), 1);
    assert_eq!(there.call("/mcp", &tokens.access).await.status, 401);
}

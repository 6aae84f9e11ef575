//! `grant_type=refresh_token`: one chain for each grant, and nobody logged out by mishap.

use std::time::Duration;

use tower_oauth_proxy::{Reason, Step};

use testkit::{
    Answer, Client, Kind, Pkce, Proxy, Tokens, client::native_metadata, provider::Gate,
    store::Health,
};

#[tokio::test]
async fn each_refresh_rotates_and_the_session_stays_the_same_persons() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut tokens = proxy.journey(&client).await;
    for _ in 0..5 {
        proxy.clock.advance_secs(3000);
        let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
        assert_ne!(renewed.refresh, tokens.refresh);
        assert_ne!(renewed.access, tokens.access);
        assert_eq!(renewed.scope, tokens.scope);
        let session = proxy.session(&client, &renewed.access).await;
        assert_eq!(session["subject"], "person-1");
        tokens = renewed;
    }
}

#[tokio::test]
async fn a_lost_answer_costs_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let lost = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.clock.advance_secs(59);
    let again = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(again.refresh, lost.refresh, "the same successor");
    proxy.session(&client, &again.access).await;
    Tokens::read(&client.refresh(again.refresh()).await);
}

#[tokio::test]
async fn an_older_token_is_reuse_and_ends_the_grant() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    let second = Tokens::read(&client.refresh(first.refresh()).await);
    let third = Tokens::read(&client.refresh(second.refresh()).await);
    client
        .refresh(first.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::RefreshReuse);
    client
        .refresh(third.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(client.call("/mcp", &third.access).await.status, 401);
}

#[tokio::test]
async fn twenty_concurrent_refreshes_give_one_chain() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (client, token) = (client.clone(), tokens.refresh().to_owned());
            tokio::spawn(async move { Tokens::read(&client.refresh(&token).await) })
        })
        .collect();
    let mut successors = std::collections::HashSet::new();
    let mut last = None;
    for task in tasks {
        let renewed = task.await.unwrap();
        proxy.session(&client, &renewed.access).await;
        successors.insert(renewed.refresh().to_owned());
        last = Some(renewed);
    }
    assert_eq!(successors.len(), 1);
    Tokens::read(&client.refresh(last.unwrap().refresh()).await);
}

#[tokio::test]
async fn another_clients_refresh_token_is_refused_and_untouched() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let thief = proxy
        .register(&native_metadata("http://127.0.0.1/thief"))
        .await;
    let tokens = proxy.journey(&client).await;
    thief
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::ForeignClient);
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn an_unknown_client_is_refused_before_its_token_is_looked_at() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let gone = Client {
        id: "gone".to_owned(),
        ..client.clone()
    };
    // A store that cannot be asked shows that nobody asks it.
    store.be(Health::Down);
    gone.refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    client
        .refresh(tokens.refresh())
        .await
        .refused(503, "temporarily_unavailable");
    store.be(Health::Up);
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let mut forged = tokens.refresh().to_owned();
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    for token in [&*forged, "x", &tokens.access, "UPSTREAM-REFRESH-2"] {
        client.refresh(token).await.refused(400, "invalid_grant");
    }
    client.refresh("").await.refused(400, "invalid_request");
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_scope_may_narrow_for_one_token_and_the_grant_stays_as_wide() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let ask = async |token: &str, scope: &str| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        client.token(&fields).await
    };
    let narrow = Tokens::read(&ask(tokens.refresh(), "read").await);
    assert_eq!(narrow.scope, "read");
    let session = proxy.session(&client, &narrow.access).await;
    assert_eq!(session["scopes"], serde_json::json!(["read"]));
    let whole = Tokens::read(&client.refresh(narrow.refresh()).await);
    assert_eq!(
        whole.scope, tokens.scope,
        "the grant itself is as wide as before"
    );
}

#[tokio::test]
async fn a_scope_that_authorize_dropped_is_dropped_at_refresh_too_and_none_is_added() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let original = "claudeai read profile";
    let url = client.authorize(&pkce, "s").with("scope", original).url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    assert_eq!(tokens.scope, "read");
    let ask = async |token: &str, scope: &str| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        client.token(&fields).await
    };
    let next = Tokens::read(&ask(tokens.refresh(), original).await);
    assert_eq!(next.scope, "read");
    let next = Tokens::read(&ask(next.refresh(), "read offline_access").await);
    assert_eq!(next.scope, "read");
    let session = proxy.session(&client, &next.access).await;
    assert_eq!(session["scopes"], serde_json::json!(["read"]));
    // One that is offered and was not granted is another matter, and so is a list of strangers.
    for wider in ["claudeai read write", "write", "claudeai"] {
        ask(next.refresh(), wider)
            .await
            .refused(400, "invalid_scope");
    }
    Tokens::read(&client.refresh(next.refresh()).await);
}

#[tokio::test]
async fn an_access_token_lives_an_hour_whatever_the_providers_lives() {
    for provider_says in [600, 3600, 315_360_000] {
        for renewable in [true, false] {
            let proxy = Proxy::start().await;
            proxy.provider.configure(|settings| {
                settings.expires_in = Some(provider_says);
                settings.issue_refresh = renewable;
            });
            let client = proxy.client().await;
            let tokens = proxy.journey(&client).await;
            // Without a way to renew it nothing can be done after the provider's end.
            let ours = if renewable {
                3600
            } else {
                provider_says.min(3600)
            };
            assert_eq!(tokens.expires_in, ours, "{provider_says} {renewable}");
            proxy.clock.advance_secs(ours - 1);
            proxy.session(&client, &tokens.access).await;
            proxy.clock.advance_secs(1);
            assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
        }
    }
}

#[tokio::test]
async fn a_resource_may_narrow_and_never_leave_the_granted_one() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let ask = async |resource: &str| {
        let token = tokens.refresh();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("resource", resource),
        ];
        client.token(&fields).await
    };
    for foreign in [
        "https://proxy.example",
        "https://proxy.example/mcpx",
        "https://evil.example/mcp",
    ] {
        ask(foreign).await.refused(400, "invalid_target");
    }
    let below = Tokens::read(&ask("https://proxy.example/mcp/tools").await);
    assert_eq!(client.call("/mcp/tools/x", &below.access).await.status, 200);
    assert_eq!(client.call("/mcp", &below.access).await.status, 401);
}

#[tokio::test]
async fn an_unused_grant_is_over_after_thirty_days_and_each_use_begins_them_anew() {
    let day = 24 * 60 * 60;
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let mut tokens = proxy.journey(&client).await;
    for _ in 0..3 {
        proxy.clock.advance_secs(29 * day);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    proxy.clock.advance_secs(30 * day);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_provider_that_is_down_changes_nothing() {
    let proxy = Proxy::with(|b| b.upstream_request_timeout(Duration::from_millis(300))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3600);
    for answer in [
        Answer::Status(500),
        Answer::Status(503),
        Answer::Status(429),
        Answer::Raw(200, "application/json", "{".to_owned()),
        Answer::Error(400, "temporarily_unavailable"),
        Answer::Error(401, "invalid_client"),
    ] {
        let said = format!("{answer:?}");
        proxy.provider.always(Kind::Token, answer);
        let reply = client.refresh(tokens.refresh()).await;
        assert_eq!(
            (reply.status.as_u16(), &*reply.error()),
            (503, "temporarily_unavailable"),
            "{said}"
        );
        assert!(reply.header("retry-after").is_some(), "{said}");
        proxy.clock.advance_secs(30);
    }
    assert_eq!(proxy.provider.count_grant("refresh_token"), 6);
    proxy.provider.always(Kind::Token, Answer::Normal);
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.session(&client, &renewed.access).await;
}

#[tokio::test]
async fn only_the_providers_own_refusal_of_the_token_ends_the_grant() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.provider.remove_app();
    proxy.clock.advance_secs(3600);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.provider.always(Kind::Token, Answer::Normal);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_provider_that_issues_no_refresh_token_and_no_expiry_still_lets_us_refresh() {
    let proxy = Proxy::with(|b| b.identity_max_age(Duration::from_secs(48 * 3600))).await;
    proxy.provider.configure(|settings| {
        settings.issue_refresh = false;
        settings.expires_in = None;
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    assert_eq!(tokens.expires_in, 3600);
    proxy.clock.advance_secs(24 * 3600);
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.session(&client, &renewed.access).await;
    assert_eq!(proxy.provider.count_grant("refresh_token"), 0);
}

#[tokio::test]
async fn where_the_provider_cannot_be_asked_again_our_token_ends_with_its_own() {
    let proxy = Proxy::with(|b| b.access_token_ttl(Duration::from_secs(7200))).await;
    proxy
        .provider
        .configure(|settings| settings.issue_refresh = false);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    assert_eq!(tokens.expires_in, 3600);
    proxy.clock.advance_secs(3600);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_provider_that_keeps_its_refresh_token_is_asked_with_the_old_one() {
    let proxy = Proxy::start().await;
    proxy.provider.configure(|settings| settings.rotate = false);
    let client = proxy.client().await;
    let mut tokens = proxy.journey(&client).await;
    for _ in 0..3 {
        proxy.clock.advance_secs(3600);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    let asked = proxy.provider.requests_of(Kind::Token);
    let used: std::collections::HashSet<_> = asked
        .iter()
        .filter_map(|request| request.param("refresh_token"))
        .collect();
    assert_eq!(used.len(), 1);
    assert_eq!(proxy.provider.count_grant("refresh_token"), 3);
}

#[tokio::test]
async fn concurrent_refreshes_ask_a_rotating_provider_once() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3600);
    let gate = Gate::default();
    proxy.provider.next_token(Answer::Held(gate.clone()));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (client, token) = (client.clone(), tokens.refresh().to_owned());
            tokio::spawn(async move { client.refresh(&token).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.open();
    for task in tasks {
        Tokens::read(&task.await.unwrap());
    }
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
    assert_eq!(proxy.provider.live_refresh_tokens(), 1);
}

#[tokio::test]
async fn two_instances_give_one_chain_and_ask_the_provider_once() {
    let (first, store) = Proxy::with_store(|builder| builder).await;
    let second = first.sibling(|b| b.token_storage(store.clone()));
    let here = first.client().await;
    let mut there = here.clone();
    there.wire = second.wire.clone();
    let tokens = first.journey(&here).await;
    first.clock.advance_secs(3600);
    let tasks: Vec<_> = (0..20)
        .map(|turn| {
            let client = if turn % 2 == 0 {
                here.clone()
            } else {
                there.clone()
            };
            let token = tokens.refresh().to_owned();
            tokio::spawn(async move { client.refresh(&token).await })
        })
        .collect();
    let mut successors = std::collections::HashSet::new();
    for task in tasks {
        successors.insert(Tokens::read(&task.await.unwrap()).refresh);
    }
    assert_eq!(successors.len(), 1);
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    assert_eq!(first.provider.live_refresh_tokens(), 1);
}

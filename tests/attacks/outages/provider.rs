//! The provider in trouble while a grant lives: only its own word on this very token ends it.

use std::time::Duration;

use serde_json::json;
use tower_oauth_proxy::{Reason, Step, provider::generic};

use super::{is_503_without_a_challenge, is_unavailable};
use testkit::{
    Answer, Client, FakeClock, Kind, Proxy, Tokens,
    provider::Gate,
    proxy::{BASE, builder_from},
};

/// Own access tokens that outlive the provider's.
const DAY: Duration = Duration::from_secs(86_400);

/// After a failure the provider is left alone no longer than this.
const BACK_OFF: u64 = 30;
/// And no longer than this after the first one.
const FIRST_BACK_OFF: u64 = 2;

async fn setup() -> (Proxy, Client, Tokens) {
    setup_for(DAY).await
}

async fn setup_for(access_token_ttl: Duration) -> (Proxy, Client, Tokens) {
    let proxy = Proxy::with(|builder| {
        builder
            .access_token_ttl(access_token_ttl)
            .upstream_request_timeout(Duration::from_millis(400))
    })
    .await;
    // Some of the troubles come after the provider has done its work.
    proxy.provider.configure(|provider| provider.rotate = false);
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    (proxy, client, tokens)
}

fn raw(status: u16, content_type: &'static str, body: &str) -> Answer {
    Answer::Raw(status, content_type, body.to_owned())
}

/// Trouble that says nothing about the token.
fn troubles() -> Vec<Answer> {
    let json = "application/json";
    vec![
        Answer::Status(500),
        Answer::Status(502),
        Answer::Status(503),
        Answer::Status(504),
        Answer::Status(429),
        Answer::Status(408),
        Answer::Status(404),
        Answer::Status(403),
        Answer::Status(400),
        Answer::Status(200),
        Answer::Lost,
        Answer::Padded(3 << 20),
        Answer::Without(&["access_token"]),
        Answer::Redirect("https://elsewhere.example/token".into()),
        Answer::Error(500, "invalid_grant"),
        Answer::Error(503, "temporarily_unavailable"),
        Answer::Error(400, "temporarily_unavailable"),
        Answer::Error(200, "temporarily_unavailable"),
        Answer::Error(200, "server_error"),
        Answer::Error(400, "server_error"),
        Answer::Error(400, "slow_down"),
        // The operator's own mistakes: the secret expired, the app was changed.
        Answer::Error(401, "invalid_client"),
        Answer::Error(400, "invalid_client"),
        Answer::Error(200, "incorrect_client_credentials"),
        Answer::Error(400, "invalid_request"),
        Answer::Error(400, "invalid_scope"),
        Answer::Error(403, "unauthorized"),
        raw(200, json, ""),
        raw(200, json, "{"),
        raw(200, json, "null"),
        raw(200, json, "[1]"),
        raw(200, json, r#"{"access_token":7,"token_type":"Bearer"}"#),
        raw(200, json, r#"{"access_token":"","token_type":"Bearer"}"#),
        raw(200, json, "\u{0}\u{1}\u{2}"),
        raw(200, "text/html", "<h1>Sign in to the hotel's wireless</h1>"),
        raw(400, "text/html", "invalid_grant"),
    ]
}

#[tokio::test]
async fn trouble_when_the_token_is_over_is_503_and_afterwards_everything_works() {
    let (proxy, client, mut tokens) = setup().await;
    for trouble in troubles() {
        let said = format!("{trouble:?}");
        let said = &said[..said.len().min(100)];
        proxy.clock.advance_secs(3600);
        for by_refresh in [false, true] {
            proxy.provider.always(Kind::Token, trouble.clone());
            proxy.forget_events();
            if by_refresh {
                let reply = client.refresh(tokens.refresh()).await;
                assert_eq!(reply.status, 503, "{said}: {reply:?}");
                is_unavailable(&reply);
            } else {
                let reply = client.call("/mcp", &tokens.access).await;
                assert_eq!(reply.status, 503, "{said}: {reply:?}");
                is_503_without_a_challenge(&reply);
            }
            let told = proxy.refusals();
            let is_told = told.iter().any(|(step, _)| *step == Step::UpstreamRefresh);
            assert!(is_told, "{said}: {told:?}");
            assert!(
                !told.iter().any(|(_, r)| *r == Reason::GrantEnded),
                "{said}"
            );
            proxy.clock.advance_secs(BACK_OFF);
        }
        proxy.provider.always(Kind::Token, Answer::Normal);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        proxy.session(&client, &tokens.access).await;
    }
}

#[tokio::test]
async fn trouble_while_the_token_still_lives_is_not_noticed() {
    let (proxy, client, mut tokens) = setup().await;
    for trouble in troubles() {
        let said = format!("{trouble:?}");
        let said = &said[..said.len().min(100)];
        // Within the last minute: a renewal is wanted, and not yet needed.
        proxy.clock.advance_secs(3600 - 50);
        let at_rest = async || {
            // A request waits half a second, then the renewal goes on alone.
            let admin = proxy.layer.admin();
            assert_eq!(admin.drain(Duration::from_secs(60)).await, 0, "{said}");
        };
        proxy.provider.always(Kind::Token, trouble);
        let asked = proxy.provider.count_grant("refresh_token");
        let reply = client.call("/mcp", &tokens.access).await;
        assert_eq!(reply.status, 200, "{said}: {reply:?}");
        at_rest().await;
        assert_eq!(
            proxy.provider.count_grant("refresh_token"),
            asked + 1,
            "{said}"
        );
        proxy.clock.advance_secs(FIRST_BACK_OFF);
        let reply = client.refresh(tokens.refresh()).await;
        assert_eq!(reply.status, 200, "{said}: {reply:?}");
        at_rest().await;
        assert_eq!(
            proxy.provider.count_grant("refresh_token"),
            asked + 2,
            "{said}"
        );
        tokens = Tokens::read(&reply);
        proxy.clock.advance_secs(2 * FIRST_BACK_OFF);
        proxy.provider.always(Kind::Token, Answer::Normal);
        proxy.session(&client, &tokens.access).await;
        at_rest().await;
        assert_eq!(
            proxy.provider.count_grant("refresh_token"),
            asked + 3,
            "{said}"
        );
    }
}

/// Nor does it hang every request, nor is it asked by each of them.
#[tokio::test]
async fn a_provider_that_hangs_is_asked_once_and_nobody_waits_for_it_after_the_first() {
    let proxy = Proxy::with(|builder| {
        builder
            .access_token_ttl(DAY)
            .upstream_request_timeout(Duration::from_millis(1_200))
    })
    .await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    proxy.clock.advance_secs(3600);
    proxy.provider.always(Kind::Token, Answer::Hang);
    is_503_without_a_challenge(&client.call("/mcp", &tokens.access).await);
    let begun = std::time::Instant::now();
    for _ in 0..10 {
        is_503_without_a_challenge(&client.call("/mcp", &tokens.access).await);
        is_unavailable(&client.refresh(tokens.refresh()).await);
        proxy.clock.advance_secs(BACK_OFF);
    }
    // Twenty that waited would take twenty times the timeout.
    assert!(begun.elapsed() < Duration::from_secs(12));
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
}

/// It has rotated its refresh token, and says the new one 200 ms after nobody listens any more.
#[tokio::test]
async fn an_answer_that_comes_after_the_timeout_is_awaited_and_kept() {
    for by_refresh in [false, true] {
        let proxy = Proxy::with(|builder| {
            builder
                .access_token_ttl(DAY)
                .upstream_request_timeout(Duration::from_millis(300))
        })
        .await;
        let client = proxy.client().await;
        let tokens = proxy.journey(&client).await;
        proxy.clock.advance_secs(3600);
        let gate = Gate::default();
        proxy.provider.next_token(Answer::Held(gate.clone()));
        match by_refresh {
            true => is_unavailable(&client.refresh(tokens.refresh()).await),
            false => is_503_without_a_challenge(&client.call("/mcp", &tokens.access).await),
        }
        let told = (Step::UpstreamRefresh, Reason::ProviderUnavailable);
        assert!(proxy.refusals().contains(&told));
        assert_eq!(proxy.layer.admin().drain(Duration::ZERO).await, 1);
        gate.open();
        assert_eq!(proxy.layer.admin().drain(Duration::from_secs(60)).await, 0);
        proxy.session(&client, &tokens.access).await;
        let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
        proxy.session(&client, &renewed.access).await;
        assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
        assert_eq!(proxy.provider.live_refresh_tokens(), 1);
    }
}

/// Bodies that are no OAuth error, and codes that say nothing about the token: an operator has a day.
#[tokio::test]
async fn a_refusal_in_other_words_is_503_for_a_day_and_then_the_person_logs_in_again() {
    let json = "application/json";
    for refusal in [
        raw(
            400,
            json,
            r#"{"status":400,"message":"Invalid refresh token"}"#,
        ),
        raw(401, json, r#"{"status":"BAD_REFRESH_TOKEN"}"#),
        Answer::Error(400, "invalid_request"),
        Answer::Error(400, "invalid_scope"),
    ] {
        for by_refresh in [false, true] {
            let (proxy, client, tokens) = setup_for(3 * DAY).await;
            let ask = async || match by_refresh {
                true => client.refresh(tokens.refresh()).await,
                false => client.call("/mcp", &tokens.access).await,
            };
            proxy.provider.always(Kind::Token, refusal.clone());
            for hour in [1, 5, 20] {
                proxy.clock.set_unix(FakeClock::START + hour * 3600);
                let reply = ask().await;
                assert_eq!(reply.status, 503, "{refusal:?} after {hour} h: {reply:?}");
            }
            proxy.clock.set_unix(FakeClock::START + 26 * 3600);
            let status = if by_refresh { 400 } else { 401 };
            assert_eq!(ask().await.status, status, "{refusal:?}");
            let refused = client.refresh(tokens.refresh()).await;
            refused.refused(400, "invalid_grant");
        }
    }
}

/// Fifty requests, one grant, one answer.
#[tokio::test]
async fn a_refused_renewal_is_not_asked_again_at_every_request() {
    let (proxy, client, tokens) = setup().await;
    proxy.clock.advance_secs(3600);
    proxy
        .provider
        .always(Kind::Token, Answer::Error(400, "invalid_request"));
    for _ in 0..50 {
        is_503_without_a_challenge(&client.call("/mcp", &tokens.access).await);
    }
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
    proxy.clock.advance_secs(BACK_OFF);
    proxy.provider.always(Kind::Token, Answer::Normal);
    proxy.session(&client, &tokens.access).await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_503_and_logs_nobody_out() {
    let (proxy, store) = Proxy::with_store(|builder| builder.access_token_ttl(DAY)).await;
    // The same deployment, as if the provider's host were gone.
    let settings = proxy.provider.settings();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let gone = generic(
        format!("{closed}/authorize"),
        format!("{closed}/token"),
        settings.client_id,
        settings.client_secret,
    );
    let builder = builder_from(gone, BASE)
        .access_token_ttl(DAY)
        .token_storage(store.clone());
    let cut_off = Proxy::built(proxy.provider.clone(), proxy.clock.clone(), BASE, builder);
    let client = proxy.client().await;
    let there = crate::support::at(&client, &cut_off);
    let tokens = proxy.journey(&client).await;
    cut_off.session(&there, &tokens.access).await;
    proxy.clock.advance_secs(3600);
    is_503_without_a_challenge(&there.call("/mcp", &tokens.access).await);
    cut_off.told(Step::Bearer, Reason::ProviderUnavailable);
    is_unavailable(&there.refresh(tokens.refresh()).await);
    // A revocation needs nobody else.
    let other = proxy.journey(&client).await;
    there.revoke(other.refresh()).await.expect(200);
    // And where the provider can be reached, all is well, after a moment.
    proxy.clock.advance_secs(BACK_OFF);
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

/// The words for "this token is dead", in the forms in which providers say it.
#[tokio::test]
async fn the_providers_own_word_on_the_token_ends_the_grant() {
    let (proxy, client, _) = setup().await;
    for refusal in [
        Answer::Error(400, "invalid_grant"),
        Answer::Error(401, "invalid_grant"),
        Answer::Error(403, "invalid_grant"),
        Answer::Error(200, "invalid_grant"),
        Answer::Error(200, "bad_refresh_token"),
        // Entra ID: a second factor, the sign-in frequency, a consent that was taken back.
        Answer::Error(400, "interaction_required"),
        Answer::Error(400, "login_required"),
        Answer::Error(400, "consent_required"),
        raw(
            403,
            "application/json",
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
        ),
    ] {
        for by_refresh in [false, true] {
            let tokens = proxy.journey(&client).await;
            proxy.clock.advance_secs(3600);
            proxy.provider.next_token(refusal.clone());
            if by_refresh {
                let reply = client.refresh(tokens.refresh()).await;
                assert_eq!(reply.status, 400, "{refusal:?}: {reply:?}");
                reply.refused(400, "invalid_grant");
            } else {
                let reply = client.call("/mcp", &tokens.access).await;
                assert_eq!(reply.status, 401, "{refusal:?}: {reply:?}");
            }
            let asked = proxy.provider.count_grant("refresh_token");
            let reply = client.refresh(tokens.refresh()).await;
            reply.refused(400, "invalid_grant");
            let reply = client.call("/mcp", &tokens.access).await;
            assert_eq!(reply.status, 401, "{refusal:?}: {reply:?}");
            assert_eq!(proxy.provider.count_grant("refresh_token"), asked);
        }
    }
}

#[tokio::test]
async fn what_a_renewal_leaves_out_stands_as_it_was() {
    let (proxy, client, tokens) = setup().await;
    for turn in 1..=3 {
        proxy.clock.advance_secs(3600);
        let without: &[_] = &["refresh_token", "scope", "id_token"];
        proxy.provider.next_token(Answer::Without(without));
        let session = proxy.session(&client, &tokens.access).await;
        assert_eq!(session["scopes"], json!(["openid", "read", "write"]));
        assert_eq!(session["subject"], "person-1");
        assert_eq!(proxy.provider.count_grant("refresh_token"), turn);
    }
    let asked = proxy.provider.requests_of(Kind::Token);
    let presented: Vec<_> = asked[1..]
        .iter()
        .map(|r| r.param("refresh_token"))
        .collect();
    assert!(
        presented.iter().all(|token| *token == presented[0]),
        "{presented:?}"
    );
}

#[tokio::test]
async fn scopes_that_the_provider_takes_back_are_gone_at_once() {
    let (proxy, client, tokens) = setup().await;
    proxy.clock.advance_secs(3600);
    proxy
        .provider
        .next_token(Answer::With(json!({ "scope": "openid read" })));
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["scopes"], json!(["openid", "read"]));
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(renewed.scope, "openid read");
    // It cannot be asked for again, and a provider that names it again gives it back to nobody.
    let wider = [
        ("grant_type", "refresh_token"),
        ("refresh_token", renewed.refresh()),
        ("scope", "read write"),
    ];
    client.token(&wider).await.refused(400, "invalid_scope");
    proxy.clock.advance_secs(3600);
    proxy
        .provider
        .next_token(Answer::With(json!({ "scope": "openid read write" })));
    let session = proxy.session(&client, &renewed.access).await;
    assert_eq!(session["scopes"], json!(["openid", "read"]));
}

//! The order of the checks at the token endpoint: what may end a grant, and what may hide a theft.
//! The table is in `src/endpoint/token/mod.rs`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use tower_oauth_proxy::{
    Reason, Step,
    storage::{StorageFuture, TokenStorage},
};

use testkit::{
    Answer, Client, FakeClock, Kind, Pkce, Provider, Proxy, Store, Tokens,
    client::{CALLBACK, native_metadata},
    meddler::{Meddled, Meddler},
    proxy::BASE,
};

/// The same client in all but its id.
async fn stranger(proxy: &Proxy) -> Client {
    let mut stranger = proxy
        .register(&native_metadata("http://127.0.0.1/stranger"))
        .await;
    stranger.redirect_uri = CALLBACK.to_owned();
    stranger
}

/// The code of the same grant with one bit of its secret changed.
fn with_another_secret(code: &str) -> String {
    let mut bytes = B64.decode(code).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    B64.encode(bytes)
}

#[tokio::test]
async fn a_code_with_the_id_of_a_grant_and_another_secret_is_refused_before_and_after_redemption() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let guess = with_another_secret(&code);
    let refused = async || {
        let reply = client.redeem_code(&guess, &pkce).await;
        reply.refused(400, "invalid_grant");
        proxy.told(Step::Redeem, Reason::InvalidToken);
        let event = proxy.events().pop().unwrap();
        assert!(event.grant.is_some(), "the guess reached the record");
    };
    refused().await;
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    refused().await;
    proxy.session(&client, &tokens.access).await;
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_stranger_with_a_leaked_code_ends_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let other = stranger(&proxy).await;
    let (code, pkce) = proxy.code(&client).await;
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    let foreign = "http://127.0.0.1:9000/elsewhere";
    let unknown = Pkce::new();
    let ask = async |client: &Client, redirect_uri: &str, verifier: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        client.token(&fields).await
    };
    for (asking, redirect_uri, verifier, error, reason) in [
        (
            &other,
            CALLBACK,
            &*pkce.verifier,
            "invalid_grant",
            Reason::ForeignClient,
        ),
        (
            &client,
            foreign,
            &*pkce.verifier,
            "invalid_grant",
            Reason::RedirectUri,
        ),
        (
            &client,
            CALLBACK,
            &*unknown.verifier,
            "invalid_grant",
            Reason::Pkce,
        ),
        (&client, CALLBACK, "short", "invalid_grant", Reason::Pkce),
        (
            &client,
            CALLBACK,
            "",
            "invalid_request",
            Reason::MissingParameter,
        ),
    ] {
        ask(asking, redirect_uri, verifier)
            .await
            .refused(400, error);
        proxy.told(Step::Redeem, reason);
        let detail = proxy.events().pop().unwrap().detail.unwrap();
        let is_told = detail.contains("redeemed before") || reason == Reason::MissingParameter;
        assert!(is_told, "{reason:?}: {detail}");
        proxy.session(&client, &tokens.access).await;
    }
    assert_eq!(proxy.provider.count(Kind::Revoke), 0);
    Tokens::read(&client.refresh(tokens.refresh()).await);
    // Whoever proves all that the client proved is no stranger: then two hold the code.
    ask(&client, CALLBACK, &pkce.verifier)
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Redeem, Reason::Replayed);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn strangers_in_a_race_with_the_client_end_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let other = stranger(&proxy).await;
    let (code, pkce) = proxy.code(&client).await;
    let tasks: Vec<_> = (0..40)
        .map(|turn| {
            let (code, right) = (code.clone(), pkce.clone());
            // The client in the middle of them.
            let (client, pkce) = match turn {
                20 => (client.clone(), right),
                odd if odd % 2 == 1 => (other.clone(), right),
                _ => (client.clone(), Pkce::new()),
            };
            tokio::spawn(async move { client.redeem_code(&code, &pkce).await })
        })
        .collect();
    let mut tokens = Vec::new();
    for task in tasks {
        let reply = task.await.unwrap();
        match reply.status.as_u16() {
            200 => tokens.push(Tokens::read(&reply)),
            _ => drop(reply.refused(400, "invalid_grant").clone()),
        }
    }
    assert_eq!(tokens.len(), 1);
    proxy.session(&client, &tokens[0].access).await;
    Tokens::read(&client.refresh(tokens[0].refresh()).await);
}

/// A store in which one swap finds another record than it expects.
struct Changed {
    store: Store,
    swaps: AtomicUsize,
}

impl Meddler for Changed {
    fn store(&self) -> &dyn TokenStorage {
        &self.store
    }

    fn swap<'a>(&'a self, key: &'a str, work: StorageFuture<'a, bool>) -> StorageFuture<'a, bool> {
        match key.starts_with("grant:") && self.swaps.fetch_add(1, Ordering::SeqCst) == 0 {
            true => Box::pin(async { Ok(false) }),
            false => work,
        }
    }
}

#[tokio::test]
async fn a_code_whose_record_changes_under_its_redemption_is_as_good_as_before() {
    let clock = FakeClock::default();
    let store = Changed {
        store: Store::new(&clock),
        swaps: AtomicUsize::new(0),
    };
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        builder
            .token_storage(Meddled(store))
            .insecure_without_storage_encryption()
    });
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let reply = client.redeem_code(&code, &pkce).await;
    reply.refused(503, "temporarily_unavailable");
    proxy.told(Step::Redeem, Reason::Contention);
    Tokens::read(&client.redeem_code(&code, &pkce).await);
}

#[tokio::test]
async fn an_old_code_from_a_log_ends_nothing() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    proxy.clock.advance_secs(300);
    client
        .redeem_code(&code, &pkce)
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Redeem, Reason::Expired);
    proxy.session(&client, &tokens.access).await;
    // The next rotation forgets the code; a replay can no longer be told from a guess.
    let next = Tokens::read(&client.refresh(tokens.refresh()).await);
    client
        .redeem_code(&code, &pkce)
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Redeem, Reason::GrantEnded);
    proxy.session(&client, &next.access).await;
}

#[tokio::test]
async fn a_resource_cannot_hide_a_replay() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (code, pkce) = proxy.code(&client).await;
    let ask = async |resource: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &*pkce.verifier),
            ("resource", resource),
        ];
        client.token(&fields).await
    };
    // Before it is redeemed a wrong resource costs nothing.
    ask("https://evil.example/")
        .await
        .refused(400, "invalid_target");
    let tokens = Tokens::read(&client.redeem_code(&code, &pkce).await);
    ask("https://evil.example/")
        .await
        .refused(400, "invalid_grant");
    proxy.told(Step::Redeem, Reason::Replayed);
    assert_eq!(client.call("/mcp", &tokens.access).await.status, 401);
}

/// Two rotations on, so that the first refresh token is reuse, whatever the grace.
async fn rotated_twice(proxy: &Proxy, client: &Client) -> (String, Tokens) {
    let first = proxy.journey(client).await;
    let second = Tokens::read(&client.refresh(first.refresh()).await);
    let third = Tokens::read(&client.refresh(second.refresh()).await);
    (first.refresh().to_owned(), third)
}

#[tokio::test]
async fn nothing_that_a_request_asks_for_hides_the_reuse_of_its_token() {
    for (name, value) in [
        ("scope", "openid read write admin"),
        ("scope", "claudeai"),
        ("scope", "\"\\"),
        ("resource", "https://evil.example/"),
        ("resource", "https://proxy.example/other"),
        ("unknown", "x"),
    ] {
        let proxy = Proxy::start().await;
        let client = proxy.client().await;
        let (old, live) = rotated_twice(&proxy, &client).await;
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &*old),
            (name, value),
        ];
        client.token(&fields).await.refused(400, "invalid_grant");
        proxy.told(Step::Refresh, Reason::RefreshReuse);
        assert_eq!(
            client.call("/mcp", &live.access).await.status,
            401,
            "{name}"
        );
        client
            .refresh(live.refresh())
            .await
            .refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_does_not_hide_the_reuse_of_a_token() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (old, live) = rotated_twice(&proxy, &client).await;
    proxy.clock.advance_secs(3600);
    proxy.provider.always(Kind::Token, Answer::Status(503));
    client.refresh(&old).await.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::RefreshReuse);
    proxy.provider.always(Kind::Token, Answer::Normal);
    client
        .refresh(live.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn only_the_grants_own_client_reuses_and_only_once_it_is_authenticated() {
    let proxy = Proxy::start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = "client_secret_post".into();
    let client = proxy.register(&metadata).await;
    let (old, live) = rotated_twice(&proxy, &client).await;
    let guess = Client {
        secret: Some("guess".to_owned()),
        ..client.clone()
    };
    guess.refresh(&old).await.refused(401, "invalid_client");
    let thief = stranger(&proxy).await;
    thief.refresh(&old).await.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::ForeignClient);
    proxy.session(&client, &live.access).await;
    client.refresh(&old).await.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::RefreshReuse);
    assert_eq!(client.call("/mcp", &live.access).await.status, 401);
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_again_is_told_before_a_wrong_scope_is() {
    let proxy = Proxy::start().await;
    proxy
        .provider
        .configure(|settings| settings.issue_refresh = false);
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").with("scope", "read").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    let wider = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("scope", "read write"),
    ];
    client.token(&wider).await.refused(400, "invalid_scope");
    proxy.clock.advance_secs(3600);
    client.token(&wider).await.refused(400, "invalid_grant");
    proxy.told(Step::Refresh, Reason::Expired);
}

#[tokio::test]
async fn what_a_request_may_not_have_is_refused_before_the_provider_is_asked() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").with("scope", "read").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    proxy.clock.advance_secs(3600);
    for (name, value, error) in [
        ("scope", "read write", "invalid_scope"),
        ("resource", "https://evil.example/", "invalid_target"),
    ] {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh()),
            (name, value),
        ];
        client.token(&fields).await.refused(400, error);
    }
    assert_eq!(proxy.provider.count_grant("refresh_token"), 0);
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

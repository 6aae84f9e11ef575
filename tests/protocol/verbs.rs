//! What each journey costs the store: its verbs, each of them one round trip to a Redis.
//!
//! The numbers are kept here so that none grows unseen. A list is touched about once in a quarter of a
//! grant's life, and otherwise costs nothing.

use std::time::Duration;

use testkit::{Client, Proxy, Store, Tokens};

struct At {
    proxy: Proxy,
    store: Store,
    client: Client,
}

impl At {
    async fn new() -> Self {
        let (proxy, store) =
            Proxy::with_store(|builder| builder.access_token_ttl(Duration::from_secs(86_400)))
                .await;
        let client = proxy.client().await;
        Self {
            proxy,
            store,
            client,
        }
    }

    /// The verbs that the store saw since it last forgot, with the kind of record they were for.
    async fn verbs(&self) -> Vec<String> {
        let left = self.proxy.layer.admin().drain(Duration::from_secs(5)).await;
        assert_eq!(left, 0, "work that goes on counts too");
        let seen = self.store.seen();
        self.store.forget();
        let of = |key: &str| key.split_once(':').unwrap().0.to_owned();
        seen.iter()
            .map(|seen| format!("{} {}", seen.verb, of(&seen.key)))
            .collect()
    }

    async fn cost(&self, verbs: &[&str]) {
        assert_eq!(self.verbs().await, verbs);
    }

    async fn tokens(&self) -> Tokens {
        let tokens = self.proxy.journey(&self.client).await;
        self.verbs().await;
        tokens
    }
}

#[tokio::test]
async fn a_login_from_authorize_to_the_code() {
    let at = At::new().await;
    at.proxy.code(&at.client).await;
    at.cost(&[
        "get denied",
        "insert_if_absent callback",
        "compare_and_swap callback",
        "set grant",
        // At the same time.
        "list_add subject",
        "list_add client",
        "list_page subject",
    ])
    .await;
}

#[tokio::test]
async fn a_redemption_of_a_code() {
    let at = At::new().await;
    let (code, pkce) = at.proxy.code(&at.client).await;
    at.verbs().await;
    Tokens::read(&at.client.redeem_code(&code, &pkce).await);
    at.cost(&[
        "get denied",
        "get grant",
        // At the same time: from now on it lives for a month.
        "list_add subject",
        "list_add client",
        "compare_and_swap grant",
    ])
    .await;
}

#[tokio::test]
async fn a_first_sight_of_an_access_token() {
    let at = At::new().await;
    let tokens = at.tokens().await;
    at.proxy.session(&at.client, &tokens.access).await;
    at.cost(&["get grant"]).await;
    at.proxy.session(&at.client, &tokens.access).await;
    at.cost(&[]).await;
}

#[tokio::test]
async fn a_rotation_of_a_refresh_token() {
    let at = At::new().await;
    let tokens = at.tokens().await;
    Tokens::read(&at.client.refresh(tokens.refresh()).await);
    at.cost(&["get denied", "get grant", "compare_and_swap grant"])
        .await;
}

#[tokio::test]
async fn a_renewal_of_the_providers_token_by_a_request() {
    let at = At::new().await;
    let tokens = at.tokens().await;
    at.proxy.clock.advance_secs(3_600);
    at.proxy.session(&at.client, &tokens.access).await;
    at.cost(&[
        "get grant",
        "insert_if_absent lease",
        // Again: another instance may have renewed before the lease was ours, and a provider that
        // rotates takes a spent token for theft.
        "get grant",
        "compare_and_swap grant",
        "compare_and_swap lease",
    ])
    .await;
}

#[tokio::test]
async fn a_rotation_that_renews_the_providers_token() {
    let at = At::new().await;
    let tokens = at.tokens().await;
    at.proxy.clock.advance_secs(3_600);
    Tokens::read(&at.client.refresh(tokens.refresh()).await);
    at.cost(&[
        "get denied",
        "get grant",
        "insert_if_absent lease",
        "get grant",
        "compare_and_swap grant",
        "compare_and_swap lease",
        "compare_and_swap grant",
    ])
    .await;
}

#[tokio::test]
async fn a_revocation_by_the_client() {
    let at = At::new().await;
    let tokens = at.tokens().await;
    at.client.revoke(tokens.refresh()).await.expect(200);
    at.cost(&[
        "get denied",
        "get grant",
        "take grant",
        // No caller waits for these.
        "list_remove subject",
        "list_remove client",
    ])
    .await;
}

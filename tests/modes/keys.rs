//! One secret, and what happens to everything sealed with it when it stays, rotates or changes.

use std::sync::Arc;

use serde_json::json;
use tower_oauth_proxy::{OAuthProxyConfig, OAuthProxyConfigBuilder, Reason, SecretKey, Step};

use crate::inside::{before_callback, remote};
use testkit::{
    Auth, Browser, Client, FakeClock, Pkce, Provider, Proxy, Store, Tokens,
    client::{CALLBACK, native_metadata},
    provider::MARK,
    proxy::{BASE, SECRET, secret as key, upstream},
    wire::query_param,
};

fn old_key() -> SecretKey {
    SecretKey::from_bytes(SECRET).unwrap()
}

fn at(proxy: &Proxy, client: &Client) -> Client {
    Client {
        wire: proxy.wire.clone(),
        ..client.clone()
    }
}

/// Everything that a person and a client hold before the operator does something.
struct Held {
    before: Proxy,
    store: Store,
    public: Client,
    confidential: Client,
    tokens: Tokens,
    /// A code that was not redeemed yet.
    code: (String, Pkce),
    /// A browser on the consent page.
    deciding: Browser,
    /// A browser at the provider, and the callback that it will be sent to.
    returning: (Browser, String, Pkce),
}

async fn held() -> Held {
    let (before, store) = Proxy::with_store(|builder| builder).await;
    let public = before.client().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = json!("client_secret_basic");
    let confidential = before.register(&metadata).await;
    assert_eq!(confidential.auth, Auth::Basic);
    let tokens = before.journey(&confidential).await;
    let pkce = Pkce::new();
    let callback = before.login(&mut before.browser(), &public, &pkce).await;
    let code = (query_param(&callback, "code").unwrap(), pkce);
    let mut deciding = before.browser();
    let url = public.authorize(&Pkce::new(), "s").url();
    deciding.open(&url).await.page();
    let pkce = Pkce::new();
    let (browser, callback) = before_callback(&before, &public, &pkce).await;
    Held {
        before,
        store,
        public,
        confidential,
        tokens,
        code,
        deciding,
        returning: (browser, callback, pkce),
    }
}

impl Held {
    /// Another instance with the same store.
    fn next(
        &self,
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Proxy {
        let store = self.store.clone();
        self.before
            .sibling(|builder| change(builder.token_storage(store)))
    }

    /// Whatever was held works at `next`.
    async fn all_of_it_works_at(self, next: &Proxy) {
        let confidential = at(next, &self.confidential);
        let public = at(next, &self.public);
        next.session(&confidential, &self.tokens.access).await;
        let reply = confidential.refresh(self.tokens.refresh()).await;
        let renewed = Tokens::read(&reply);
        next.session(&confidential, &renewed.access).await;
        let (code, pkce) = &self.code;
        public.redeem_code(code, pkce).await.expect(200);
        let mut deciding = self.deciding.knowing(next.wire.clone());
        let back = deciding.press("approve").await.left();
        assert!(query_param(&back, "code").is_some(), "{back}");
        let (browser, callback, pkce) = self.returning;
        let back = browser.knowing(next.wire.clone()).open(&callback).await;
        let reply = public.redeem(&back.left(), &pkce).await;
        let tokens = Tokens::read(&reply);
        next.session(&public, &tokens.access).await;
        next.journey(&confidential).await;
    }
}

#[tokio::test]
async fn a_restart_with_the_same_secret_and_store_is_not_noticed() {
    let held = held().await;
    let next = held.next(|builder| builder);
    held.all_of_it_works_at(&next).await;
}

#[tokio::test]
async fn a_rotated_secret_still_opens_what_the_previous_one_sealed() {
    let held = held().await;
    let next = held.next(|b| {
        b.secret_key(key(2))
            .previous_secret_keys([key(9), old_key()])
    });
    held.all_of_it_works_at(&next).await;
}

#[tokio::test]
async fn after_a_rotation_only_the_new_secret_seals() {
    let held = held().await;
    let rotated = held.next(|b| b.secret_key(key(2)).previous_secret_keys([old_key()]));
    let client = rotated.client().await;
    let tokens = rotated.journey(&client).await;
    // The previous secret is taken away, in the end.
    let last = held.next(|b| b.secret_key(key(2)));
    last.session(&at(&last, &client), &tokens.access).await;
    at(&last, &client)
        .refresh(tokens.refresh())
        .await
        .expect(200);
    // An instance that knows the old one alone does not know it.
    at(&held.before, &client)
        .call("/mcp", &tokens.access)
        .await
        .expect(401);
}

#[tokio::test]
async fn under_another_secret_nothing_opens() {
    let held = held().await;
    let next = held.next(|b| b.secret_key(key(2)));
    let confidential = at(&next, &held.confidential);
    let reply = confidential.call("/mcp", &held.tokens.access).await;
    reply.refused(401, "invalid_token");
    let reply = confidential.refresh(held.tokens.refresh()).await;
    reply.refused(401, "invalid_client");
    next.told(Step::Refresh, Reason::UnknownClient);
    let page = next
        .browser()
        .open(&held.public.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    assert_eq!(page.reply.status, 400);
    // A client that is known there: its neighbour's tokens and codes do not open all the same.
    let own = next.client().await;
    let reply = own.refresh(held.tokens.refresh()).await;
    reply.refused(400, "invalid_grant");
    let reply = own.redeem_code(&held.code.0, &held.code.1).await;
    reply.refused(400, "invalid_grant");
    let mut deciding = held.deciding.knowing(next.wire.clone());
    let page = deciding.press("approve").await.page();
    assert_eq!(page.reply.status, 400);
    let (browser, callback, _) = held.returning;
    let page = browser.knowing(next.wire.clone()).open(&callback).await;
    assert_eq!(page.page().reply.status, 400);
    // And nothing of it was harmed.
    let confidential = &held.confidential;
    let reply = confidential.refresh(held.tokens.refresh()).await;
    reply.expect(200);
}

/// A deployment without a secret of its own.
fn bare(provider: &Arc<Provider>, clock: &FakeClock, store: &Store) -> Proxy {
    let builder = OAuthProxyConfig::builder(upstream(provider), BASE)
        .scopes(["openid", "read", "write"])
        .token_storage(store.clone());
    Proxy::built(provider.clone(), clock.clone(), BASE, builder)
}

#[tokio::test]
async fn without_a_secret_of_its_own_the_providers_client_secret_makes_restarts_agree() {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let store = Store::new(&clock);
    // The second is too short to be used as it is: it is stretched.
    let mut last = None;
    for secret in [None, Some("UPSTREAM-SHORT-1")] {
        if let Some(secret) = secret {
            provider.configure(|settings| settings.client_secret = secret.to_owned());
        }
        let first = bare(&provider, &clock, &store);
        let client = first.client().await;
        let tokens = first.journey(&client).await;
        let second = bare(&provider, &clock, &store);
        let client = at(&second, &client);
        second.session(&client, &tokens.access).await;
        client.refresh(tokens.refresh()).await.expect(200);
        last = Some(client);
    }
    // Another client secret is another secret.
    provider.configure(|settings| settings.client_secret = "UPSTREAM-SHORT-2".to_owned());
    let other = bare(&provider, &clock, &store);
    let client = at(&other, &last.unwrap());
    client.refresh("x").await.refused(401, "invalid_client");
}

#[tokio::test]
async fn a_passphrase_is_a_secret_as_good_as_any() {
    let phrase = || SecretKey::from_passphrase("tulip gravel oxbow", BASE).unwrap();
    let (first, store) = Proxy::with_store(|b| b.secret_key(phrase())).await;
    let client = first.client().await;
    let tokens = first.journey(&client).await;
    let second = first.sibling(|b| b.secret_key(phrase()).token_storage(store));
    second.session(&at(&second, &client), &tokens.access).await;
}

#[tokio::test]
async fn keys_of_their_own_for_signing_and_storage_log_nobody_out_and_are_then_needed() {
    let held = held().await;
    let own = |b: OAuthProxyConfigBuilder| b.jwt_signing_key(key(3)).encryption_key(key(4));
    let with_keys = held.next(own);
    let client = with_keys.client().await;
    let tokens = with_keys.journey(&client).await;
    // Neither the secret alone nor another key verifies the signature or opens the record.
    for next in [
        held.next(|builder| builder),
        held.next(|b| b.jwt_signing_key(key(5)).encryption_key(key(4))),
        held.next(|b| b.jwt_signing_key(key(3)).encryption_key(key(5))),
        held.next(|b| b.jwt_signing_key(key(4)).encryption_key(key(3))),
    ] {
        let reply = at(&next, &client).call("/mcp", &tokens.access).await;
        reply.refused(401, "invalid_token");
    }
    let again = held.next(own);
    again.session(&at(&again, &client), &tokens.access).await;
    held.all_of_it_works_at(&with_keys).await;
}

#[tokio::test]
async fn a_replaced_key_of_their_own_still_verifies_and_opens() {
    let held = held().await;
    let with_keys = held.next(|b| b.jwt_signing_key(key(3)).encryption_key(key(4)));
    let client = with_keys.client().await;
    let tokens = with_keys.journey(&client).await;
    let replaced = held.next(|b| {
        b.jwt_signing_key(key(5))
            .previous_jwt_signing_keys([key(3)])
            .encryption_key(key(6))
            .previous_encryption_keys([key(4)])
    });
    let turned_off = held.next(|b| {
        b.previous_jwt_signing_keys([key(3)])
            .previous_encryption_keys([key(4)])
    });
    for next in [&replaced, &turned_off] {
        next.session(&at(next, &client), &tokens.access).await;
    }
    let renewed = Tokens::read(&at(&replaced, &client).refresh(tokens.refresh()).await);
    replaced
        .session(&at(&replaced, &client), &renewed.access)
        .await;
    // The new ones make: whoever was told of the old ones alone knows neither.
    for next in [&with_keys, &turned_off] {
        let reply = at(next, &client).call("/mcp", &renewed.access).await;
        reply.refused(401, "invalid_token");
    }
}

/// Whoever holds a signing key that was replaced, and makes all that a secret makes.
#[tokio::test]
async fn a_replaced_signing_key_makes_no_client_cookie_grant_or_refresh_token() {
    let held = held().await;
    let forger = held.next(|b| b.secret_key(key(3)));
    let client = forger.client().await;
    let tokens = forger.journey(&client).await;
    let pkce = Pkce::new();
    let callback = forger.login(&mut forger.browser(), &client, &pkce).await;
    let mut deciding = forger.browser();
    let url = client.authorize(&Pkce::new(), "s").url();
    deciding.open(&url).await.page();
    for next in [
        held.next(|b| {
            b.jwt_signing_key(key(5))
                .previous_jwt_signing_keys([key(3)])
        }),
        held.next(|b| b.encryption_key(key(5)).previous_encryption_keys([key(3)])),
    ] {
        let known = next.client().await;
        let forged = at(&next, &client);
        let reply = forged.refresh(tokens.refresh()).await;
        reply.refused(401, "invalid_client");
        let page = next.browser().open_once(&url).await;
        assert_eq!(page.status, 400, "{page:?}");
        let reply = known.refresh(tokens.refresh()).await;
        reply.refused(400, "invalid_grant");
        let reply = known.redeem(&callback, &pkce).await;
        reply.refused(400, "invalid_grant");
        let reply = known.call("/mcp", &tokens.access).await;
        reply.refused(401, "invalid_token");
        let mut deciding = deciding.clone().knowing(next.wire.clone());
        let page = deciding.press("approve").await.page();
        assert_eq!(page.reply.status, 400);
    }
    // Among the previous secrets it does all of that, which is why it has no place there.
    let trusting = held.next(|b| b.previous_secret_keys([key(3)]));
    let forged = at(&trusting, &client);
    Tokens::read(&forged.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn each_step_may_happen_at_another_instance() {
    let first = Proxy::start().await;
    let memory = tower_oauth_proxy::MemoryStorage::new().with_clock(Arc::new(first.clock.clone()));
    let shared = remote(memory);
    let instance = || {
        let shared = shared.clone();
        first.sibling(|builder| builder.token_storage(shared))
    };
    let [a, b, c, d, e, f] = [(); 6].map(|()| instance());
    // Register on A, authorize and decide on B, come back on C, redeem on D, call on E …
    let client = a.client().await;
    let pkce = Pkce::new();
    let (browser, callback) = before_callback(&b, &at(&b, &client), &pkce).await;
    let back = browser.knowing(c.wire.clone()).open(&callback).await.left();
    let reply = at(&d, &client).redeem(&back, &pkce).await;
    let tokens = Tokens::read(&reply);
    e.session(&at(&e, &client), &tokens.access).await;
    // … refresh on F, and what B knows of the callback everybody knows.
    let renewed = Tokens::read(&at(&f, &client).refresh(tokens.refresh()).await);
    a.session(&at(&a, &client), &renewed.access).await;
    let reply = at(&a, &client).redeem(&back, &pkce).await;
    reply.refused(400, "invalid_grant");
    a.told(Step::Redeem, Reason::Replayed);
    for instance in [&c, &d, &f] {
        let client = at(instance, &client);
        client.call("/mcp", &renewed.access).await.expect(401);
    }
}

#[tokio::test]
async fn the_store_holds_nothing_readable_unless_the_operator_says_so() {
    let is_readable = |store: &Store| {
        let seen = store.seen();
        let text = |seen: &testkit::store::Seen| {
            String::from_utf8_lossy(&seen.value).into_owned() + &seen.key
        };
        seen.iter().any(|seen| text(seen).contains(MARK))
    };
    let (sealed, store) = Proxy::with_store(|builder| builder).await;
    sealed.journey(&sealed.client().await).await;
    assert!(store.writes() > 0);
    assert!(!is_readable(&store));
    let clear = |b: OAuthProxyConfigBuilder| b.insecure_without_storage_encryption();
    let (open, store) = Proxy::with_store(clear).await;
    let client = open.client().await;
    open.journey(&client).await;
    assert!(is_readable(&store));
}

/// Rolled out in one go, which `docs::stores` advises against: what instances with the old secret
/// alone say to what the new ones made.
#[tokio::test]
async fn a_secret_rolled_out_in_one_go_makes_clients_register_and_people_log_in_again() {
    let (old, store) = Proxy::with_store(|builder| builder).await;
    let new = old.sibling(|builder| {
        builder
            .token_storage(store.clone())
            .secret_key(key(9))
            .previous_secret_keys([old_key()])
    });
    // A client that is known everywhere: its tokens of the new secret are good at a new instance.
    let client = old.client().await;
    let tokens = new.journey(&at(&new, &client)).await;
    client
        .call("/mcp", &tokens.access)
        .await
        .refused(401, "invalid_token");
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    old.told(Step::Refresh, Reason::InvalidToken);
    client.revoke(tokens.refresh()).await.expect(200);
    // A code of a new instance.
    let pkce = Pkce::new();
    let callback = new
        .login(&mut new.browser(), &at(&new, &client), &pkce)
        .await;
    client
        .redeem(&callback, &pkce)
        .await
        .refused(400, "invalid_grant");
    // A grant of the old secret that a new instance has rewritten.
    let mine = old.journey(&client).await;
    let renewed = Tokens::read(&at(&new, &client).refresh(mine.refresh()).await);
    client
        .refresh(mine.refresh())
        .await
        .refused(400, "invalid_grant");
    let told = |(step, reason)| (step, reason) == (Step::Storage, Reason::OtherSecret);
    assert_eq!(old.refusals().into_iter().filter(|r| told(*r)).count(), 1);
    // A client that registered at a new instance.
    let theirs = new.client().await;
    at(&old, &theirs)
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    let authorize = theirs.authorize(&Pkce::new(), "s").url();
    assert_eq!(old.browser().open_once(&authorize).await.status, 400);

    // Whoever kept its tokens in spite of all that goes on at a new instance.
    let at_new = at(&new, &client);
    Tokens::read(&at_new.refresh(renewed.refresh()).await);
    let kept = Tokens::read(&at_new.refresh(tokens.refresh()).await);
    new.session(&at_new, &kept.access).await;
    Tokens::read(&at_new.redeem(&callback, &pkce).await);
}

/// A secret that is not known here is just wrong: the client has to hear `invalid_client`, or it keeps
/// its dead registration for ever.
#[tokio::test]
async fn what_nobody_on_this_store_made_is_refused_for_good() {
    let stranger = Proxy::with(|builder| builder.secret_key(key(9))).await;
    let client = stranger.client().await;
    let tokens = stranger.journey(&client).await;
    let here = Proxy::start().await;
    at(&here, &client)
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    let known = here.client().await;
    known
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

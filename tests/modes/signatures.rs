//! ID tokens are believed by the provider's keys.

use std::time::Duration;

use serde_json::{Value, json};
use tower_oauth_proxy::{Reason, Step};

use crate::{
    inside::session,
    oidc::{by_issuer, refused, why},
};
use testkit::{
    Answer, Kind, Proxy,
    provider::{Signing, SigningKey},
    proxy::{BASE, builder_from, upstream},
};

const HOUR: u64 = 3600;
const DAY: Duration = Duration::from_secs(24 * HOUR);

async fn plain() -> Proxy {
    by_issuer("", |builder| builder.access_token_ttl(DAY)).await
}

fn roles(proxy: &Proxy, roles: Value) {
    proxy.provider.configure(|settings| {
        settings.person.insert("roles".to_owned(), roles);
    });
}

/// A provider whose keys are known by a URL that the operator gave.
async fn by_key_set() -> Proxy {
    let issuer = plain().await;
    let known = upstream(&issuer.provider).jwks_url(issuer.provider.url("/keys"));
    let (provider, clock) = (issuer.provider.clone(), issuer.clock.clone());
    Proxy::built(
        provider,
        clock,
        BASE,
        builder_from(known, BASE).access_token_ttl(DAY),
    )
}

#[tokio::test]
async fn an_id_token_is_refused_that_no_key_of_the_provider_signed() {
    let stranger = SigningKey::es256("key-1");
    let unpublished = SigningKey::es256("key-2");
    for (how, signing, words) in [
        (
            "a stranger's key",
            Signing::By(stranger),
            "signature is not that of its key",
        ),
        (
            "a key by another name",
            Signing::By(unpublished),
            "no key `key-2`",
        ),
        ("no signature", Signing::Mark, "signed JWT of three parts"),
        (
            "the client secret",
            Signing::Hs256 {
                kid: "key-1".to_owned(),
                secret: b"UPSTREAM-SECRET-8f2c71d05be946a3c1780e59d4".to_vec(),
            },
            "`HS256`",
        ),
    ] {
        for by_issuer in [true, false] {
            let proxy = match by_issuer {
                true => plain().await,
                false => by_key_set().await,
            };
            let client = proxy.client().await;
            let tokens = proxy.journey(&client).await;
            proxy
                .provider
                .configure(|settings| settings.signing = signing.clone());
            assert_eq!(refused(&proxy, &client).await, "server_error", "{how}");
            let said = why(&proxy, Step::Callback, Reason::IdToken);
            assert!(said.contains(words), "{how}: {said}");
            // Logins before are as they were.
            proxy.session(&client, &tokens.access).await;
        }
    }
}

/// The public key is known to all: a verifier that took it for a shared secret could be lied to.
#[tokio::test]
async fn an_id_token_that_is_signed_with_the_public_key_as_a_secret_is_refused() {
    let proxy = plain().await;
    let jwk = proxy.provider.settings().published[0].jwk();
    for secret in [jwk.to_string(), jwk["x"].as_str().unwrap().to_owned()] {
        let kid = "key-1".to_owned();
        proxy.provider.configure(|settings| {
            settings.signing = Signing::Hs256 {
                kid,
                secret: secret.into_bytes(),
            };
        });
        assert_eq!(refused(&proxy, &proxy.client().await).await, "server_error");
        why(&proxy, Step::Callback, Reason::IdToken);
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_once_it_signs_and_an_invented_one_is_asked_for_with_patience() {
    let proxy = plain().await;
    let client = proxy.client().await;
    proxy.journey(&client).await;
    proxy.provider.signs(&SigningKey::es256("key-2"));
    proxy.journey(&client).await;
    assert_eq!(proxy.provider.count(Kind::Keys), 2);
    let invented = SigningKey::es256("key-3");
    proxy
        .provider
        .configure(|settings| settings.signing = Signing::By(invented));
    proxy.clock.advance_secs(11);
    for _ in 0..3 {
        assert_eq!(refused(&proxy, &client).await, "server_error");
    }
    assert_eq!(proxy.provider.count(Kind::Keys), 3, "once in a cooldown");
}

#[tokio::test]
async fn keys_of_rsa_do_as_well() {
    let proxy = plain().await;
    proxy.provider.signs(&SigningKey::rs256("rsa-1"));
    proxy.journey(&proxy.client().await).await;
}

#[tokio::test]
async fn a_login_waits_for_keys_that_cannot_be_had_and_old_keys_serve() {
    let proxy = plain().await;
    let client = proxy.client().await;
    for (answer, words) in [
        (Answer::Status(503), "503"),
        (Answer::Padded(10 << 20), "larger than"),
        (
            Answer::Raw(200, "application/json", "[]".to_owned()),
            "key set",
        ),
    ] {
        proxy.provider.always(Kind::Keys, answer);
        assert_eq!(refused(&proxy, &client).await, "temporarily_unavailable");
        let said = why(&proxy, Step::Callback, Reason::ProviderUnavailable);
        assert!(said.contains("keys") && said.contains(words), "{said}");
        proxy.clock.advance_secs(11);
    }
    proxy.provider.always(Kind::Keys, Answer::Normal);
    proxy.journey(&client).await;
    proxy.provider.always(Kind::Keys, Answer::Status(503));
    proxy.clock.advance_secs(2 * HOUR);
    proxy.journey(&client).await;
    // A key that is not among the old ones may be new: nothing is known of the token.
    let key = SigningKey::es256("key-2");
    proxy
        .provider
        .configure(|settings| settings.signing = Signing::By(key));
    proxy.clock.advance_secs(2 * HOUR);
    assert_eq!(refused(&proxy, &client).await, "temporarily_unavailable");
}

#[tokio::test]
async fn a_document_without_keys_is_enough_only_where_no_id_token_comes() {
    let proxy = plain().await;
    proxy.provider.configure(|settings| {
        settings.metadata.insert("jwks_uri".to_owned(), Value::Null);
    });
    let client = proxy.client().await;
    assert_eq!(refused(&proxy, &client).await, "server_error");
    let said = why(&proxy, Step::Callback, Reason::ProviderMalformed);
    assert!(said.contains("`jwks_uri`"), "{said}");
    proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    proxy.journey(&client).await;
}

#[tokio::test]
async fn without_a_key_set_tls_vouches_as_before() {
    let proxy = Proxy::start().await;
    proxy.journey(&proxy.client().await).await;
    assert_eq!(proxy.provider.count(Kind::Keys), 0);
    assert_eq!(proxy.provider.count(Kind::Discovery), 0);
}

#[tokio::test]
async fn a_renewal_after_a_rotation_of_keys_brings_the_new_claims() {
    for proxy in [plain().await, by_key_set().await] {
        roles(&proxy, json!(["admin"]));
        let client = proxy.client().await;
        let tokens = proxy.journey(&client).await;
        assert_eq!(session(&proxy, &tokens.access).await.roles(), ["admin"]);
        proxy.provider.signs(&SigningKey::es256("key-2"));
        roles(&proxy, json!(["reader"]));
        proxy.clock.advance_secs(HOUR);
        let seen = session(&proxy, &tokens.access).await;
        assert_eq!(seen.roles(), ["reader"]);
        assert_eq!(proxy.refusals(), []);
        // The keys are at hand now: nothing else is asked.
        roles(&proxy, json!([]));
        proxy.clock.advance_secs(HOUR - 60);
        assert!(session(&proxy, &tokens.access).await.roles().is_empty());
    }
}

#[tokio::test]
async fn a_renewed_id_token_of_a_stranger_says_nothing_and_ends_nothing() {
    let proxy = by_key_set().await;
    roles(&proxy, json!(["reader"]));
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let stranger = Signing::By(SigningKey::es256("key-1"));
    proxy.provider.configure(|settings| {
        settings.signing = stranger;
        // About another person, which would end the grant if it were believed.
        settings.id_token.insert("sub".to_owned(), "eve".into());
        settings
            .id_token
            .insert("roles".to_owned(), json!(["admin"]));
    });
    for _ in 0..2 {
        proxy.forget_events();
        proxy.clock.advance_secs(HOUR);
        let seen = session(&proxy, &tokens.access).await;
        assert_eq!(seen.subject(), "person-1");
        assert_eq!(seen.roles(), ["reader"]);
        let refusals = proxy.refusals();
        assert_eq!(
            refusals,
            [(Step::UpstreamRefresh, Reason::IdToken)],
            "said once"
        );
        let said = why(&proxy, Step::UpstreamRefresh, Reason::IdToken);
        assert!(said.contains("is not used: its signature"), "{said}");
    }
    client.refresh(tokens.refresh()).await.expect(200);
}

#[tokio::test]
async fn a_renewal_whose_keys_cannot_be_had_keeps_what_was_known() {
    let proxy = plain().await;
    roles(&proxy, json!(["admin"]));
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    roles(&proxy, json!([]));
    proxy.provider.signs(&SigningKey::es256("key-2"));
    proxy.provider.always(Kind::Keys, Answer::Status(503));
    proxy.clock.advance_secs(HOUR);
    let seen = session(&proxy, &tokens.access).await;
    assert_eq!(seen.roles(), ["admin"], "not believed, and not lost");
    assert_eq!(
        proxy.provider.count_grant("refresh_token"),
        1,
        "the token is kept"
    );
    let said = why(&proxy, Step::UpstreamRefresh, Reason::ProviderUnavailable);
    assert!(said.contains("keys cannot be read"), "{said}");
    proxy.provider.always(Kind::Keys, Answer::Normal);
    proxy.clock.advance_secs(HOUR);
    assert!(session(&proxy, &tokens.access).await.roles().is_empty());
}

#[tokio::test]
async fn userinfo_that_is_a_jwt_is_refused_with_what_to_change() {
    let proxy = plain().await;
    proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJldmUifQ.c2ln".to_owned();
    proxy
        .provider
        .always(Kind::UserInfo, Answer::Raw(200, "application/jwt", jwt));
    assert_eq!(refused(&proxy, &proxy.client().await).await, "server_error");
    let said = why(&proxy, Step::Callback, Reason::ProviderMalformed);
    assert!(said.contains("userinfo_signed_response_alg"), "{said}");
}

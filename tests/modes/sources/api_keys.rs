//! Programs with a key.

use std::time::Duration;

use serde_json::json;
use tower_oauth_proxy::{
    ApiKey, AuthSession, ConfigError, OAuthProxyConfigBuilder, Reason, Step, TokenForError,
    TokenSource, UpstreamTokenError, guard, provider,
};

use super::{call, introspection, seen_by, start, words};
use crate::mistakes::{fault_showing, good, with};
use testkit::{Kind, Proxy, Resource, proxy::BASE};

fn made(name: &str) -> (ApiKey, String) {
    let new = ApiKey::generate();
    (ApiKey::new(name, new.hash()), new.reveal())
}

fn assert_is_ci(session: &AuthSession) {
    assert_eq!(session.source(), TokenSource::ApiKey);
    assert_eq!(
        (session.subject(), session.client_id()),
        ("key|ci", "key|ci")
    );
    assert!(!session.is_person());
    assert_eq!(
        (session.provider(), session.provider_subject()),
        (None, None)
    );
    assert_eq!(session.grant_id(), None);
    assert_eq!(session.scopes().to_string(), "read");
    assert_eq!(session.roles(), ["bot"]);
    assert!(session.claims().is_empty());
    assert!(!session.has_upstream());
    assert_eq!(session.upstream().access_token(), "");
}

#[tokio::test]
async fn a_key_is_a_session_of_a_program_in_every_mode() {
    let (key, text) = made("ci");
    let key = key.scopes(["read"]).roles(["bot"]);
    let with = |builder: OAuthProxyConfigBuilder| builder.api_key(key.clone());
    let swap = start(|builder, _| with(builder)).await.proxy;
    let passthrough = start(|builder, idp| with(builder).passthrough(introspection(idp))).await;
    let resource = Resource::at(BASE, introspection, |builder| {
        builder.api_keys([key.clone()])
    })
    .await;
    for layer in [&swap.layer, &passthrough.proxy.layer, &resource.layer] {
        let session = seen_by(layer, &text).await;
        assert_is_ci(&session);
        assert!(!format!("{session:?}").contains(&text[..20]), "{session:?}");
        // Of no provider, so nothing can be traded or renewed; a handler is told why.
        let none = session.token_for("api://billing").await.unwrap_err();
        assert!(
            matches!(&none, TokenForError::NotOffered(why) if why.contains("api_key")),
            "{none}"
        );
        let none = session.upstream_token_refused().await.err();
        assert_eq!(none, Some(UpstreamTokenError::NotRenewable));
    }
    // No other server ever saw the key.
    assert_eq!(passthrough.asked(Kind::Introspect), 0);
    assert_eq!(resource.provider.count(Kind::Introspect), 0);
}

#[tokio::test]
async fn a_key_ends_at_its_second_though_its_session_is_cached_and_the_event_names_it() {
    let (key, text) = made("ci");
    let at = start(|builder, idp| {
        let end = idp.settings().clock.unix() + 5;
        let end = std::time::UNIX_EPOCH + Duration::from_secs(end);
        builder.api_key(key.expires_at(end))
    })
    .await;
    let session = at.session(&text).await;
    let end = session.expires_at();
    at.proxy.clock.advance(Duration::from_secs(4));
    at.call(&text).await.expect(200);
    at.proxy.clock.advance(Duration::from_secs(1));
    assert_eq!(
        end,
        std::time::UNIX_EPOCH + Duration::from_secs(at.proxy.clock.unix())
    );
    let told = at.refused(&text, Reason::Expired).await;
    assert!(told.contains("the API key `ci` has expired"), "{told}");
}

#[tokio::test]
async fn what_begins_like_a_key_and_is_none_is_refused_and_no_other_source_sees_it() {
    let (key, text) = made("ci");
    let at = start(|builder, idp| {
        let builder = builder
            .api_key(key)
            .introspection("legacy", introspection(idp));
        builder.passthrough(introspection(idp))
    })
    .await;
    at.introspects(json!({"active": true, "sub": "eve", "aud": BASE}));
    let typo = format!(
        "{}{}",
        &text[..55],
        if text.ends_with('x') { 'y' } else { 'x' }
    );
    for mistyped in [
        &text[..55],
        &typo,
        "topkey_",
        "topkey_a.b.c",
        &format!("{text}="),
    ] {
        let told = at.refused(mistyped, Reason::InvalidToken).await;
        assert!(told.contains("mistyped or cut off"), "{told}");
    }
    let other = ApiKey::generate().reveal();
    let told = at.refused(&other, Reason::InvalidToken).await;
    assert!(told.contains("none of the configuration"), "{told}");
    assert_eq!(at.asked(Kind::Introspect), 0);
    // Another text is for those who may know it.
    assert_eq!(at.session("topkey-other").await.subject(), "legacy|eve");
}

#[tokio::test]
async fn without_keys_such_a_text_is_a_token_like_any_other() {
    let at = start(|builder, idp| builder.introspection("legacy", introspection(idp))).await;
    at.introspects(json!({"active": true, "sub": "eve", "aud": BASE}));
    let text = ApiKey::generate().reveal();
    assert_eq!(at.session(&text).await.subject(), "legacy|eve");
}

#[tokio::test]
async fn a_key_is_good_where_its_resource_is_and_by_its_own_scopes_and_roles() {
    let (narrow, narrow_text) = made("narrow");
    let (wide, wide_text) = made("wide");
    let (bare, bare_text) = made("bare");
    let at = start(|builder, _| {
        builder.required_scopes(["read"]).api_keys([
            narrow
                .scopes(["read"])
                .resource("https://proxy.example/mcp"),
            wide.scopes(["read", "write"]).roles(["admin"]),
            bare,
        ])
    })
    .await;
    for (path, token, status) in [
        ("/mcp", &narrow_text, 200),
        ("/mcp/tools", &narrow_text, 200),
        ("/other", &narrow_text, 401),
        ("/mcpx", &narrow_text, 401),
        ("/other", &wide_text, 200),
    ] {
        call(&at.proxy, path, token).await.expect(status);
    }
    at.proxy.told(Step::Bearer, Reason::WrongAudience);
    // A key without the scopes that every request needs: said at start, and at each request.
    let reply = at.call(&bare_text).await;
    reply.refused(403, "insufficient_scope");
    let odd = at
        .proxy
        .events()
        .into_iter()
        .filter_map(|event| event.detail);
    assert!(
        odd.into_iter()
            .any(|words| words.contains("`bare` lacks the scope `read`"))
    );
    // Guards read it like any session.
    let (narrow, wide) = (at.session(&narrow_text).await, at.session(&wide_text).await);
    let admin = guard::require_role("admin");
    assert!(admin.check(&wide).is_ok() && admin.check(&narrow).is_err());
    let writes = guard::require_scopes(["write"]).unwrap();
    assert!(writes.check(&wide).is_ok() && writes.check(&narrow).is_err());
}

#[tokio::test]
async fn a_key_that_a_new_configuration_lacks_is_gone() {
    let (key, text) = made("ci");
    let at = start(|builder, _| builder.api_key(key)).await;
    at.call(&text).await.expect(200);
    let after = at
        .proxy
        .sibling(|builder| builder.api_key(made("another").0));
    after.forget_events();
    let reply = call(&after, "/mcp", &text).await;
    reply.refused(401, "invalid_token");
    assert!(words(&after, &reply, &text, Reason::InvalidToken).contains("it was removed"));
}

#[tokio::test]
async fn a_person_who_could_be_taken_for_a_key_does_not_come_in() {
    let with_key = Proxy::with(|builder| builder.api_key(made("ci").0)).await;
    let without = Proxy::start().await;
    for (proxy, comes_in) in [(&with_key, false), (&without, true)] {
        proxy.provider.configure(|settings| {
            settings.person["sub"] = json!("key|ci");
        });
        if comes_in {
            let client = proxy.client().await;
            let tokens = proxy.journey(&client).await;
            let session = crate::inside::session(proxy, &tokens.access).await;
            assert_eq!((session.subject(), session.is_person()), ("key|ci", true));
            assert_eq!(session.source(), TokenSource::Login);
        } else {
            crate::inside::failed_login(proxy).await;
        }
    }
}

#[test]
fn keys_that_cannot_work_build_no_configuration() {
    let (one, text) = made("ci");
    let builds = |keys: Vec<ApiKey>| good().api_keys(keys).build().map(drop);
    builds(vec![one.clone(), made("other").0]).unwrap();
    let error: ConfigError = builds(vec![one.clone(), made("ci").0]).unwrap_err();
    assert_eq!(error.option(), "api_keys");
    let refused = |key: ApiKey, words: &str| {
        assert_eq!(fault_showing(good().api_key(key), words), "api_keys");
    };
    let named_so = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce").id("key");
    let named_so = with(named_so).api_key(one.clone());
    assert_eq!(
        fault_showing(named_so, "`key` is a provider's id"),
        "api_keys"
    );
    refused(ApiKey::new("ci", "sha256:00"), "64 hexadecimal digits");
    refused(ApiKey::new("ci", text), "a key where its hash belongs");
    refused(ApiKey::new("c i", ApiKey::generate().hash()), "is no name");
    refused(
        one.resource("https://other.example"),
        "neither the base URL",
    );
}

//! How a machine's token ends before its time: revoked, denied, or taken out of the configuration.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::json;
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, OAuthProxyConfigBuilder, Reason, StaticClient, Step, TokenForError, TokenSource,
    UpstreamTokenError,
};

use super::{SECRET, ask, call, ci, client, start, token};
use testkit::{Client, Proxy, Tokens, Wire, client::CALLBACK, store::Health};

/// The session cache's life, unless configured.
const REMEMBERED: u64 = 10;

#[tokio::test]
async fn a_machine_revokes_one_token_here_at_once_and_elsewhere_within_the_caches_life() {
    let (proxy, store) = start().await;
    let other = proxy.sibling(|b| b.static_client(ci()).token_storage(store.clone()));
    let ci = client(&proxy, "ci");
    let (token, kept) = (token(&proxy).await, token(&proxy).await);
    for instance in [&proxy, &other] {
        assert_eq!(call(instance, &token).await, 200);
        assert_eq!(call(instance, &kept).await, 200);
    }
    ci.revoke(&token).await.expect(200);
    assert_eq!(call(&proxy, &token).await, 401);
    proxy.told(Step::Bearer, Reason::GrantEnded);
    proxy.clock.advance_secs(REMEMBERED);
    assert_eq!(call(&other, &token).await, 401);
    for instance in [&proxy, &other] {
        assert_eq!(call(instance, &kept).await, 200, "another token lives on");
    }
    // Again is as good as once, and leaves one mark.
    ci.revoke(&token).await.expect(200);
    assert_eq!(store.records(), 1);
    let restarted = proxy.sibling(|b| b.static_client(super::ci()).token_storage(store.clone()));
    assert_eq!(call(&restarted, &token).await, 401);
    ask(&ci, &[]).await.expect(200);
}

#[tokio::test]
async fn a_client_revokes_no_token_of_a_machine_but_its_own() {
    let second = StaticClient::machine("second", SECRET);
    let (proxy, store) =
        Proxy::with_store(|builder| builder.static_client(ci()).static_client(second)).await;
    let token = token(&proxy).await;
    for other in [client(&proxy, "second"), proxy.client().await] {
        other.revoke(&token).await.expect(200);
        proxy.told(Step::Revoke, Reason::ForeignClient);
    }
    let wrong = Client {
        secret: Some("wrong".to_owned()),
        ..client(&proxy, "ci")
    };
    wrong.revoke(&token).await.refused(401, "invalid_client");
    for garbage in ["x", &format!("{token}x"), &token[1..]] {
        client(&proxy, "ci").revoke(garbage).await.expect(200);
        proxy.told(Step::Revoke, Reason::InvalidToken);
    }
    assert_eq!(store.writes(), 0);
    assert_eq!(call(&proxy, &token).await, 200);
}

#[tokio::test]
async fn a_revocation_that_the_store_cannot_keep_is_told_to_come_again() {
    let (proxy, store) = start().await;
    let ci = client(&proxy, "ci");
    let token = token(&proxy).await;
    store.be(Health::UpFor(1));
    let reply = ci.revoke(&token).await;
    reply.refused(503, "temporarily_unavailable");
    store.be(Health::Up);
    assert_eq!(call(&proxy, &token).await, 200);
    ci.revoke(&token).await.expect(200);
    assert_eq!(call(&proxy, &token).await, 401);
}

#[tokio::test]
async fn a_denied_machine_is_refused_here_at_once_and_elsewhere_within_the_caches_life() {
    let second = || StaticClient::machine("second", SECRET);
    let (proxy, store) =
        Proxy::with_store(|builder| builder.static_client(ci()).static_client(second())).await;
    let other = proxy.sibling(|b| {
        let b = b.static_client(ci()).static_client(second());
        b.token_storage(store.clone())
    });
    let token = token(&proxy).await;
    let others = Tokens::read(&ask(&client(&proxy, "second"), &[]).await).access;
    for instance in [&proxy, &other] {
        assert_eq!(call(instance, &token).await, 200);
    }
    proxy.layer.admin().deny_client("ci").await.unwrap();
    assert_eq!(call(&proxy, &token).await, 401);
    proxy.told(Step::Bearer, Reason::DeniedClient);
    proxy.clock.advance_secs(REMEMBERED);
    assert_eq!(call(&other, &token).await, 401);
    for instance in [&proxy, &other] {
        let reply = ask(&client(instance, "ci"), &[]).await;
        reply.refused(401, "invalid_client");
        instance.told(Step::ClientCredentials, Reason::DeniedClient);
        assert_eq!(call(instance, &others).await, 200);
    }
}

#[tokio::test]
async fn a_token_may_what_its_machine_may_now_and_never_more_than_it_asked_for() {
    let (proxy, store) = start().await;
    let all = token(&proxy).await;
    let some = Tokens::read(&ask(&client(&proxy, "ci"), &[("scope", "read")]).await).access;
    let less = StaticClient::machine("ci", SECRET)
        .scopes(["write"])
        .roles(["reader"]);
    let less = proxy.sibling(|b| b.static_client(less).token_storage(store.clone()));
    let session = less.session(&client(&less, "ci"), &all).await;
    assert_eq!(session["scopes"], json!(["write"]));
    assert_eq!(session["roles"], json!(["reader"]));
    let session = less.session(&client(&less, "ci"), &some).await;
    assert_eq!(session["scopes"], json!([]));
    let more = ci().scopes(["openid", "read", "write"]);
    let more = proxy.sibling(|b| b.static_client(more).token_storage(store.clone()));
    let session = more.session(&client(&more, "ci"), &all).await;
    assert_eq!(session["scopes"], json!(["read", "write"]));
    // What every request needs by now, and the token has not.
    let strict = proxy.sibling(|b| {
        let b = b.static_client(ci()).required_scopes(["write"]);
        b.token_storage(store)
    });
    let reply = client(&strict, "ci").call("/mcp", &some).await;
    reply.refused(403, "insufficient_scope");
}

#[tokio::test]
async fn a_machine_that_is_configured_no_more_is_refused_with_its_tokens() {
    let (proxy, store) = start().await;
    let token = token(&proxy).await;
    let app = StaticClient::confidential("ci", SECRET)
        .redirect_uri(CALLBACK)
        .unwrap();
    for change in [None, Some(app)] {
        let later = proxy.sibling(|b| {
            let b = b.token_storage(store.clone());
            change
                .into_iter()
                .fold(b, OAuthProxyConfigBuilder::static_client)
        });
        assert_eq!(call(&later, &token).await, 401);
        later.told(Step::Bearer, Reason::UnknownClient);
        let events = later.events();
        let detail = events.last().unwrap().detail.as_deref().unwrap();
        assert!(
            detail.contains("`ci`") && detail.contains("machine"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_person_who_is_called_like_a_machine_does_not_come_in() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    proxy.provider.configure(|settings| {
        settings.person.insert("sub".into(), "ci".into());
    });
    let person = proxy.client().await;
    let before = proxy.journey(&person).await;
    let with_machine = proxy.sibling(|b| b.static_client(ci()).token_storage(store));
    let there = Client {
        wire: with_machine.wire.clone(),
        ..person.clone()
    };
    // Who was in before there was such a machine is out, and the machine is in.
    there
        .call("/mcp", &before.access)
        .await
        .refused(401, "invalid_token");
    let reply = there.refresh(before.refresh()).await;
    reply.refused(400, "invalid_grant");
    assert_eq!(call(&with_machine, &token(&with_machine).await).await, 200);
    let url = there.authorize(&testkit::Pkce::new(), "s").url();
    let callback = with_machine
        .approve(&mut with_machine.browser(), &url)
        .await
        .left();
    assert!(callback.contains("error=server_error"), "{callback}");
    let events = with_machine.events();
    let refused = events.iter().rfind(|event| event.reason.is_some()).unwrap();
    assert_eq!(refused.step, Step::Callback);
    assert!(
        refused
            .detail
            .as_deref()
            .unwrap()
            .contains("from a machine"),
        "{refused:?}"
    );
}

/// What a service inside holds of a machine.
#[tokio::test]
async fn the_administrator_ends_the_token_behind_a_machines_session() {
    let (proxy, store) = start().await;
    let held = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&held);
    let inside = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let session = AuthSession::from_extensions(request.extensions()).cloned();
        *kept.lock().unwrap() = session;
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let wire = Wire::new(&*proxy.base, proxy.layer.clone().layer(inside));
    let (token, another) = (token(&proxy).await, token(&proxy).await);
    let ci = Client {
        wire,
        ..client(&proxy, "ci")
    };
    ci.call("/mcp", &token).await.expect(200);
    let session: AuthSession = held.lock().unwrap().take().unwrap();
    assert_eq!(session.source(), TokenSource::ClientCredentials);
    let refused = session.upstream_token_refused().await;
    assert_eq!(refused.unwrap_err(), UpstreamTokenError::NotRenewable);
    let other_api = session
        .token_for(tower_oauth_proxy::TokenTarget::audience("api://x"))
        .await;
    assert!(
        matches!(other_api, Err(TokenForError::NotOffered(_))),
        "{other_api:?}"
    );
    proxy.layer.admin().revoke(&session).await.unwrap();
    assert_eq!(call(&proxy, &token).await, 401);
    assert_eq!(call(&proxy, &another).await, 200);
    assert_eq!(store.records(), 1);
}

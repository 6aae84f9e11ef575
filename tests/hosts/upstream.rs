//! A handler that calls the provider's API, and a process that stops while the provider is asked.

use std::time::Duration;

use tower::ServiceExt;
use tower_oauth_proxy::{
    AuthSession, TokenVerifier, UpstreamTokenError, VerifiedToken, VerifyFuture, VerifyRequest,
};

use crate::inside::{Witness, real_session, request};
use testkit::{Answer, Kind, Proxy, Store, Tokens, provider::Gate};

/// The session of a request with this token, as a handler gets it.
async fn session(proxy: &Proxy, token: &str) -> AuthSession {
    let witness = Witness::default();
    let service = tower::Layer::layer(&proxy.layer, witness.service());
    let reply = service.oneshot(request("/mcp", Some(token))).await.unwrap();
    assert_eq!(reply.status(), 200);
    witness.session().expect("a session")
}

#[tokio::test]
async fn a_token_that_the_providers_api_refused_is_renewed_once_however_many_report_it() {
    let (first, store): (Proxy, Store) = Proxy::with_store(|builder| builder).await;
    let second = first.sibling(|builder| builder.token_storage(store));
    let (here, token) = real_session(&first).await;
    let there = session(&second, &token).await;
    let old = here.upstream().access_token().to_owned();
    let reports = (0..20).map(|turn| {
        let session = [&here, &there][turn % 2].clone();
        tokio::spawn(async move { session.upstream_token_refused().await })
    });
    for report in reports.collect::<Vec<_>>() {
        let tokens = report.await.unwrap().unwrap();
        assert_ne!(tokens.access_token(), old);
        assert!(first.provider.accepts(tokens.access_token()));
    }
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    // The session as it was stays; those of later requests have the new one.
    assert_eq!(here.upstream().access_token(), old);
    let next = session(&first, &token).await;
    assert_ne!(next.upstream().access_token(), old);

    // An API that refuses everything must not turn each call into a request at the provider.
    for _ in 0..10 {
        let again = next.upstream_token_refused().await.unwrap_err();
        assert_eq!(again, UpstreamTokenError::Unavailable);
    }
    assert_eq!(first.provider.count_grant("refresh_token"), 1);
    first.clock.advance_secs(30);
    assert!(next.upstream_token_refused().await.is_ok());
    assert_eq!(first.provider.count_grant("refresh_token"), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_says_why() {
    let proxy = Proxy::start().await;
    let (session, _) = real_session(&proxy).await;
    proxy.provider.always(Kind::Token, Answer::Status(503));
    let error = session.upstream_token_refused().await.unwrap_err();
    assert_eq!(error, UpstreamTokenError::Unavailable);
    proxy.provider.always(Kind::Token, Answer::Normal);
    proxy.provider.remove_app();
    proxy.clock.advance_secs(30);
    let error = session.upstream_token_refused().await.unwrap_err();
    assert_eq!(error, UpstreamTokenError::Ended);
    assert_eq!(error.to_string(), "the login behind this session has ended");
}

/// The client holds the token, and renews it itself.
#[tokio::test]
async fn in_passthrough_mode_no_token_is_renewed_here() {
    struct Ada;
    impl TokenVerifier for Ada {
        fn verify<'a>(&'a self, _: VerifyRequest<'a>) -> VerifyFuture<'a> {
            Box::pin(async { Ok(VerifiedToken::new("ada")) })
        }
    }
    let proxy = Proxy::with(|builder| builder.passthrough(Ada)).await;
    let session = session(&proxy, "Bearer a-token-of-the-provider").await;
    let error = session.upstream_token_refused().await.unwrap_err();
    assert_eq!(error, UpstreamTokenError::NotRenewable);
    assert_eq!(proxy.provider.count(Kind::Token), 0);
}

/// The client has hung up, and the server has closed its last connection.
#[tokio::test]
async fn a_process_that_stops_waits_for_what_is_at_the_provider() {
    let proxy = Proxy::with(|builder| builder.access_token_ttl(Duration::from_secs(86_400))).await;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let admin = proxy.layer.admin();
    assert_eq!(admin.drain(Duration::ZERO).await, 0, "nothing goes on");

    proxy.clock.advance_secs(3_600);
    let gate = Gate::default();
    proxy.provider.next_token(Answer::Held(gate.clone()));
    let call = tokio::spawn({
        let (client, access) = (client.clone(), tokens.access.clone());
        async move { client.call("/mcp", &access).await }
    });
    while proxy.provider.count_grant("refresh_token") == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert_eq!(admin.drain(Duration::from_millis(10)).await, 1);
    let draining = tokio::spawn({
        let admin = admin.clone();
        async move { admin.drain(Duration::from_secs(60)).await }
    });
    gate.open();
    assert_eq!(draining.await.unwrap(), 0);
    // The next process finds the token in the store; here the same one does.
    proxy.session(&client, &tokens.access).await;
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);

    // New work is accepted, and waited for: a revocation that nobody listens to.
    let gate = Gate::default();
    proxy
        .provider
        .next(Kind::Revoke, Answer::Held(gate.clone()));
    let other = Tokens::read(&client.refresh(tokens.refresh()).await);
    let revoking = tokio::spawn(async move { client.revoke(other.refresh()).await });
    while proxy.provider.count(Kind::Revoke) == 0 {
        tokio::task::yield_now().await;
    }
    revoking.abort();
    assert_eq!(admin.drain(Duration::from_millis(10)).await, 1);
    gate.open();
    assert_eq!(admin.drain(Duration::from_secs(60)).await, 0);
}

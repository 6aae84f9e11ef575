//! A handler that calls another API in the person's name.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tower::ServiceExt;
use tower_oauth_proxy::{
    AuthSession, ExchangedToken, OAuthProxyConfigBuilder, Reason, Step, TokenForError, TokenTarget,
    TokenVerifier, VerifiedToken, VerifyFuture, VerifyRequest, provider,
};

use crate::inside::{Witness, real_session, request};
use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy, Store,
    provider::Gate,
    proxy::{BASE, builder_from, upstream},
};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const FILES: &str = "https://files.example";

/// Before a provider that trades tokens.
async fn trading() -> Proxy {
    trading_with(|builder| builder).await
}

async fn trading_with(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Proxy {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let known = upstream(&idp).token_exchange(true);
    Proxy::built(idp, clock, BASE, change(builder_from(known, BASE)))
}

fn exchanges(proxy: &Proxy) -> usize {
    proxy.provider.count_grant(EXCHANGE)
}

/// The last event about an exchange: why it was refused, and its words.
fn told(proxy: &Proxy) -> (Option<Reason>, String) {
    let events = proxy.events();
    assert!(!format!("{events:?}").contains("UPSTREAM-"), "{events:#?}");
    let mut all = events.iter().rev();
    let last = all.find(|event| event.step == Step::TokenExchange).unwrap();
    (last.reason, last.detail.clone().unwrap())
}

#[tokio::test]
async fn a_token_for_another_api_is_asked_for_once_and_kept_until_it_nears_its_end() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    let target = || TokenTarget::audience(FILES).scopes(["files.read"]);
    let token = session.token_for(target()).await.unwrap();
    assert!(proxy.provider.accepts(token.access_token()));
    assert!(token.expires_at().is_some());
    assert_eq!(token.scopes().unwrap().to_string(), "files.read");
    assert!(!format!("{token:?}").contains("UPSTREAM-"), "{token:?}");
    let sent = proxy.provider.last(Kind::Token);
    for (name, expected) in [
        ("subject_token", Some(session.upstream().access_token())),
        (
            "subject_token_type",
            Some("urn:ietf:params:oauth:token-type:access_token"),
        ),
        ("audience", Some(FILES)),
        ("scope", Some("files.read")),
        ("resource", None),
    ] {
        assert_eq!(sent.param(name), expected, "{name}");
    }
    let (reason, words) = told(&proxy);
    assert_eq!(
        (reason, &*words),
        (None, "audience https://files.example, scope files.read")
    );
    let events = proxy.events();
    assert_eq!(events.last().unwrap().grant.as_deref(), session.grant_id());

    // An hour of life: kept for 59 minutes, and the person's own token is renewed meanwhile.
    for (passed, expected) in [(3_000, 1), (539, 1), (1, 2), (3_000, 2)] {
        proxy.clock.advance_secs(passed);
        session.token_for(target()).await.unwrap();
        assert_eq!(exchanges(&proxy), expected, "{passed}");
    }
    // Another target is another token.
    session.token_for(FILES).await.unwrap();
    assert_eq!(exchanges(&proxy), 3);
}

#[tokio::test]
async fn the_persons_own_token_is_made_fresh_first() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    proxy.clock.advance_secs(3_601);
    session.token_for(FILES).await.unwrap();
    let sent = proxy.provider.requests_of(Kind::Token);
    let types: Vec<_> = sent
        .iter()
        .map(|it| it.param("grant_type").unwrap())
        .collect();
    assert_eq!(types, ["authorization_code", "refresh_token", EXCHANGE]);
    let subject = sent[2].param("subject_token").unwrap();
    assert_ne!(subject, session.upstream().access_token());
}

#[tokio::test]
async fn a_hundred_callers_share_one_exchange_and_the_first_may_hang_up() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    let gate = Gate::default();
    proxy.provider.next_token(Answer::Held(gate.clone()));
    let call = || {
        let session = session.clone();
        tokio::spawn(async move { session.token_for(FILES).await })
    };
    let first = call();
    while exchanges(&proxy) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let calls: Vec<_> = (0..100).map(|_| call()).collect();
    let other = session.token_for("billing").await.unwrap();
    gate.open();
    let mut tokens = Vec::new();
    for call in calls {
        tokens.push(call.await.unwrap().unwrap().access_token().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_ne!(tokens[0], other.access_token());
    assert_eq!(exchanges(&proxy), 2);
    assert_eq!(proxy.layer.admin().drain(Duration::from_secs(60)).await, 0);
}

#[tokio::test]
async fn a_token_without_an_end_is_kept_for_a_burst() {
    let proxy = trading().await;
    proxy
        .provider
        .configure(|settings| settings.exchanged_expires_in = None);
    let (session, _) = real_session(&proxy).await;
    for (passed, expected) in [(0, 1), (50, 1), (10, 2)] {
        proxy.clock.advance_secs(passed);
        let token = session.token_for(FILES).await.unwrap();
        assert_eq!(token.expires_at(), None);
        assert_eq!(exchanges(&proxy), expected, "{passed}");
    }
}

#[tokio::test]
async fn a_token_that_the_other_api_refused_is_replaced_once_in_half_a_minute() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    let old = session.token_for(FILES).await.unwrap();
    let refused = |token: &ExchangedToken| {
        let (session, token) = (session.clone(), token.clone());
        async move { session.exchanged_token_refused(FILES, &token).await }
    };
    for _ in 0..10 {
        assert_eq!(refused(&old).await.unwrap_err(), TokenForError::Unavailable);
    }
    assert_eq!(exchanges(&proxy), 1, "it was made just now");
    proxy.clock.advance_secs(30);
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(refused(&old))).collect();
    for call in calls {
        let token = call.await.unwrap().unwrap();
        assert_ne!(token.access_token(), old.access_token());
    }
    assert_eq!(exchanges(&proxy), 2);
    // The one that stands now is not replaced by a late report about the old one.
    let new = session.token_for(FILES).await.unwrap();
    assert_eq!(
        refused(&old).await.unwrap().access_token(),
        new.access_token()
    );
    assert_eq!(exchanges(&proxy), 2);
}

#[tokio::test]
async fn when_the_login_ends_no_token_is_handed_out_whoever_kept_it() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let store = Store::new(&clock);
    let before = || {
        let known = upstream(&idp).token_exchange(true);
        let builder = builder_from(known, BASE).token_storage(store.clone());
        Proxy::built(idp.clone(), clock.clone(), BASE, builder)
    };
    let (here, there) = (before(), before());
    let (session, token) = real_session(&here).await;
    session.token_for(FILES).await.unwrap();
    let witness = Witness::default();
    let service = tower::Layer::layer(&there.layer, witness.service());
    let reply = service
        .oneshot(request("/mcp", Some(&token)))
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let elsewhere = witness.session().unwrap();
    // Another process, as after a restart, asks for one of its own.
    elsewhere.token_for(FILES).await.unwrap();
    assert_eq!(exchanges(&here), 2);

    let grant = session.grant_id().unwrap();
    assert!(here.layer.admin().revoke_grant(grant).await.unwrap());
    for session in [&session, &elsewhere] {
        let error = session.token_for(FILES).await.unwrap_err();
        assert_eq!(error, TokenForError::Ended);
    }
    assert_eq!(exchanges(&here), 2);
    assert_eq!(told(&there).0, Some(Reason::GrantEnded));
}

#[tokio::test]
async fn a_login_that_ends_while_the_provider_is_asked_gets_no_token() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    let gate = Gate::default();
    proxy.provider.next_token(Answer::Held(gate.clone()));
    let call = tokio::spawn({
        let session = session.clone();
        async move { session.token_for(FILES).await }
    });
    while exchanges(&proxy) == 0 {
        tokio::task::yield_now().await;
    }
    let grant = session.grant_id().unwrap();
    assert!(proxy.layer.admin().revoke_grant(grant).await.unwrap());
    gate.open();
    assert_eq!(call.await.unwrap().unwrap_err(), TokenForError::Ended);
    assert_eq!(told(&proxy).0, Some(Reason::GrantEnded));
}

#[tokio::test]
async fn a_refusal_has_the_providers_code_and_costs_no_login() {
    let proxy = trading().await;
    let (session, access) = real_session(&proxy).await;
    let refusal = |code: &str| {
        let body = json!({
            "error": code,
            "error_description": format!("no: {}", session.upstream().access_token()),
        });
        Answer::Raw(400, "application/json", body.to_string())
    };
    for code in [
        "invalid_target",
        "invalid_request",
        "invalid_grant",
        "interaction_required",
    ] {
        proxy.provider.next_token(refusal(code));
        let error = session.token_for(FILES).await.unwrap_err();
        let TokenForError::Refused {
            code: said,
            description,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(said, code);
        assert_eq!(description.as_deref(), Some("no: [redacted]"));
        let (reason, words) = told(&proxy);
        assert_eq!(reason, Some(Reason::ProviderRejected));
        assert!(words.contains(FILES) && words.contains(code), "{words}");
        // Repeated for seconds, without the provider.
        let asked = exchanges(&proxy);
        assert_eq!(session.token_for(FILES).await.unwrap_err(), error);
        assert_eq!(exchanges(&proxy), asked);
        proxy.clock.advance_secs(5);
    }
    session.token_for(FILES).await.unwrap();
    let reply = proxy.wire.get("/mcp", &[("authorization", &access)]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn trouble_is_later_and_an_old_token_is_used_to_its_end_meanwhile() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    let none = json!({"access_token": "UPSTREAM-X", "token_type": "N_A"});
    let kind = "urn:ietf:params:oauth:token-type:id_token";
    for answer in [
        Answer::Status(503),
        Answer::Status(429),
        Answer::Lost,
        Answer::Error(401, "invalid_client"),
        Answer::Raw(200, "application/json", none.to_string()),
        Answer::With(json!({ "issued_token_type": kind })),
        Answer::Without(&["access_token"]),
    ] {
        proxy.provider.next_token(answer.clone());
        let error = session.token_for(FILES).await.unwrap_err();
        assert_eq!(error, TokenForError::Unavailable, "{answer:?}");
        assert!(told(&proxy).0.is_some());
        proxy.clock.advance_secs(5);
    }
    let old = session.token_for(FILES).await.unwrap();
    proxy.provider.always(Kind::Token, Answer::Status(503));
    proxy.clock.advance_secs(3_560);
    let asked = exchanges(&proxy);
    for _ in 0..3 {
        let token = session.token_for(FILES).await.unwrap();
        assert_eq!(token.access_token(), old.access_token());
    }
    assert_eq!(exchanges(&proxy), asked + 1);
    proxy.clock.advance_secs(60);
    let error = session.token_for(FILES).await.unwrap_err();
    assert_eq!(error, TokenForError::Unavailable);
}

#[tokio::test]
async fn nobody_waits_for_a_slow_answer_while_the_old_token_is_good() {
    let proxy = trading().await;
    let (session, _) = real_session(&proxy).await;
    let old = session.token_for(FILES).await.unwrap();
    proxy.clock.advance_secs(3_560);
    // The person's own token first, then the exchange.
    let gate = Gate::default();
    proxy.provider.next_token(Answer::Normal);
    proxy.provider.next_token(Answer::Held(gate.clone()));
    let token = session.token_for(FILES).await.unwrap();
    assert_eq!(token.access_token(), old.access_token());
    gate.open();
    proxy.layer.admin().drain(Duration::from_secs(60)).await;
    let token = session.token_for(FILES).await.unwrap();
    assert_ne!(token.access_token(), old.access_token());
    assert_eq!(exchanges(&proxy), 2);
}

#[tokio::test]
async fn a_provider_that_offers_nothing_is_named_and_not_asked() {
    let proxy = Proxy::start().await;
    let (session, _) = real_session(&proxy).await;
    let asked = proxy.provider.requests().len();
    let error = session.token_for(FILES).await.unwrap_err();
    assert!(matches!(error, TokenForError::NotOffered(_)), "{error:?}");
    let words = error.to_string();
    assert!(
        words.starts_with("your identity provider is not known to"),
        "{words}"
    );
    assert!(words.contains("Provider::token_exchange"), "{words}");
    assert_eq!(told(&proxy).0, Some(Reason::UnsupportedType));
    let error = session.token_for("").await.unwrap_err();
    assert!(matches!(error, TokenForError::Target(_)), "{error:?}");
    assert_eq!(proxy.provider.requests().len(), asked);
}

#[tokio::test]
async fn a_document_that_names_token_exchange_offers_it_unless_the_operator_says_no() {
    for (listed, said, works) in [
        (json!(["authorization_code", EXCHANGE]), None, true),
        (json!(["authorization_code"]), None, false),
        (json!(null), None, false),
        (json!(["authorization_code", EXCHANGE]), Some(false), false),
        (json!(["authorization_code"]), Some(true), true),
    ] {
        let clock = FakeClock::default();
        let idp = Arc::new(Provider::start(clock.clone()).await);
        idp.signs(&testkit::provider::SigningKey::es256("k"));
        let grant_types = listed.clone();
        idp.configure(|settings| {
            settings
                .metadata
                .insert("grant_types_supported".into(), grant_types);
        });
        let settings = idp.settings();
        let known = provider::oidc(settings.issuer, settings.client_id, settings.client_secret);
        let known = said
            .into_iter()
            .fold(known, tower_oauth_proxy::Provider::token_exchange);
        let proxy = Proxy::built(idp, clock, BASE, builder_from(known, BASE));
        let (session, _) = real_session(&proxy).await;
        let outcome = session.token_for(FILES).await;
        assert_eq!(outcome.is_ok(), works, "{listed} {said:?} {outcome:?}");
    }
}

/// The operator's parameters for each token request do not move the target.
#[tokio::test]
async fn an_extra_audience_stays_with_the_login() {
    let proxy = trading_with(|builder| {
        builder.extra_token_params([("audience", "api"), ("resource", "x"), ("tenant", "a")])
    })
    .await;
    let (session, _) = real_session(&proxy).await;
    session
        .token_for(TokenTarget::audience(FILES))
        .await
        .unwrap();
    let sent = proxy.provider.last(Kind::Token);
    assert_eq!(sent.param("audience"), Some(FILES));
    assert_eq!(sent.param("resource"), None);
    assert_eq!(sent.param("tenant"), Some("a"));
}

/// Verifies nothing; the token ends in ten minutes.
struct Ada(FakeClock);

impl TokenVerifier for Ada {
    fn verify<'a>(&'a self, _: VerifyRequest<'a>) -> VerifyFuture<'a> {
        let end = std::time::UNIX_EPOCH + Duration::from_secs(self.0.unix() + 600);
        Box::pin(async move {
            let mut token = VerifiedToken::new("ada");
            token.expires_at = Some(end);
            Ok(token)
        })
    }
}

async fn passed_through(proxy: &Proxy, token: &str) -> AuthSession {
    let witness = Witness::default();
    let service = tower::Layer::layer(&proxy.layer, witness.service());
    let token = format!("Bearer {token}");
    let reply = service
        .oneshot(request("/mcp", Some(&token)))
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    witness.session().unwrap()
}

#[tokio::test]
async fn in_passthrough_mode_the_clients_token_is_traded_until_it_ends() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let known = upstream(&idp).token_exchange(true);
    let builder = builder_from(known, BASE).passthrough(Ada(clock.clone()));
    let proxy = Proxy::built(idp, clock, BASE, builder);
    let client = proxy.client().await;
    let first = proxy.journey(&client).await;
    let second = proxy.journey(&client).await;
    let session = passed_through(&proxy, &first.access).await;
    let token = session.token_for(FILES).await.unwrap();
    let again = session.token_for(FILES).await.unwrap();
    assert_eq!(token.access_token(), again.access_token());
    // Another client's token is another person's, for all that is known.
    let other = passed_through(&proxy, &second.access).await;
    let others = other.token_for(FILES).await.unwrap();
    assert_ne!(others.access_token(), token.access_token());
    let sent = proxy.provider.last(Kind::Token);
    assert_eq!(sent.param("subject_token"), Some(&*second.access));
    proxy.clock.advance_secs(600);
    assert_eq!(
        session.token_for(FILES).await.unwrap_err(),
        TokenForError::Ended
    );
}

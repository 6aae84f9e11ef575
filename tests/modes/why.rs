//! "She cannot log in: why?" An operator has the events, and nothing else.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tower_oauth_proxy::{Detail, Event, OAuthProxyConfigBuilder, Reason, Step, Veto};
use tracing_subscriber::fmt::{format::FmtSpan, writer::MakeWriter};

use crate::{inside::failed_login, people::person};
use testkit::{Answer, AuthorizeAnswer, Client, Kind, Pkce, Proxy, Tokens};

const EVE: &str = "eve@evil.example";

/// The last refusal, in which the operator finds the login by all that they may know of it.
fn refused(proxy: &Proxy, client: &Client, step: Step, reason: Reason) -> Event {
    let event = last_refusal(proxy);
    assert_eq!(
        (event.step, event.reason),
        (step, Some(reason)),
        "{event:#?}"
    );
    assert_eq!(event.client.as_deref(), Some(&*client.id), "{event:#?}");
    assert_eq!(
        event.client_name.as_deref(),
        Some("Test client"),
        "{event:#?}"
    );
    assert!(event.instance.is_some(), "{event:#?}");
    event
}

fn last_refusal(proxy: &Proxy) -> Event {
    let events = proxy.events();
    let last = events.iter().rfind(|event| event.reason.is_some());
    last.expect("a refusal").clone()
}

fn words(event: &Event) -> &str {
    event.detail.as_deref().unwrap_or_default()
}

async fn named_client(proxy: &Proxy) -> Client {
    let metadata = json!({
        "client_name": "Test client",
        "redirect_uris": ["http://127.0.0.1:7777/callback", "http://localhost/second"],
        "token_endpoint_auth_method": "none",
    });
    proxy.register(&metadata).await
}

/// A login that comes to nothing, after the person approved.
async fn fails(proxy: &Proxy, client: &Client) -> Event {
    let url = client.authorize(&Pkce::new(), "s").url();
    proxy.approve(&mut proxy.browser(), &url).await.left();
    let event = refused(
        proxy,
        client,
        Step::Callback,
        last_refusal(proxy).reason.unwrap(),
    );
    let began = proxy.events();
    let began = began
        .iter()
        .find(|began| began.step == Step::Authorize && began.login == event.login);
    let began = began.expect("the login began with an event of the same id");
    assert_eq!(began.client, event.client);
    assert!(began.redirect_host.is_some() && began.redirect_host == event.redirect_host);
    assert_eq!(event.provider.as_deref(), Some("oauth"), "{event:#?}");
    assert_eq!(event.resource, Some(format!("{}/mcp", proxy.base)));
    assert!(event.scopes.is_some());
    event
}

#[tokio::test]
async fn a_person_whom_a_rule_refuses_is_named_with_the_option_and_the_value() {
    type Change = fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder;
    let cases: [(Change, Value, Reason, &str); 7] = [
        (
            |b| b.allowed_domains(["example.com"]),
            json!({ "email": EVE, "email_verified": true }),
            Reason::NotAllowed,
            "`allowed_domains`: eve@evil.example is not of example.com",
        ),
        (
            |b| b.allowed_emails(["ada@example.com"]),
            json!({ "email": EVE, "email_verified": true }),
            Reason::NotAllowed,
            "`allowed_emails`: eve@evil.example is none of the 1 addresses",
        ),
        (
            |b| b.allowed_domains(["example.com"]),
            json!({ "email": null }),
            Reason::NotAllowed,
            "`allowed_domains`: the provider vouched for no address: ask it for the scope that brings one, mostly \
             `email`",
        ),
        (
            |b| b.allowed_domains(["evil.example"]),
            json!({ "email": EVE, "email_verified": false }),
            Reason::NotAllowed,
            "does not vouch for the address eve@evil.example",
        ),
        (
            |b| b.allowed_groups(["eng"]),
            json!({ "email": EVE, "groups": ["hr"] }),
            Reason::NotAllowed,
            "has [hr] in `groups`, and is in none of [eng]",
        ),
        (
            |b| b.allowed_claim("clearance", ["3"]),
            json!({ "email": EVE }),
            Reason::NotAllowed,
            "`allowed_claim`: subject person-1 with the verified address eve@evil.example has no claim `clearance`",
        ),
        (
            |b| b.on_login(async |_| Err(Veto::new("the trial is over"))),
            json!({ "email": EVE }),
            Reason::HookDenied,
            "`on_login` refused subject person-1 with the verified address eve@evil.example: the trial is over",
        ),
    ];
    for (change, claims, reason, why) in cases {
        let proxy = Proxy::with(change).await;
        person(&proxy, &claims);
        let client = named_client(&proxy).await;
        let event = fails(&proxy, &client).await;
        assert_eq!(event.reason, Some(reason), "{event:#?}");
        assert!(words(&event).contains(why), "{event:#?}");
        assert_eq!(event.subject.as_deref(), Some("person-1"));
        assert_eq!(event.email.as_deref(), claims["email"].as_str());
    }
}

#[tokio::test]
async fn what_the_provider_said_is_in_the_event_with_its_code() {
    const SAID: &str =
        "AADSTS50105: the signed in user 'eve@evil.example' is not assigned to a role";
    let proxy = Proxy::start().await;
    let client = named_client(&proxy).await;
    proxy.provider.next_authorize(AuthorizeAnswer::Params(vec![
        ("error", "access_denied".to_owned()),
        ("error_description", SAID.to_owned()),
        ("state", "{state}".to_owned()),
    ]));
    let event = fails(&proxy, &client).await;
    assert_eq!(event.reason, Some(Reason::ProviderDenied));
    assert_eq!(
        words(&event),
        format!("the provider answered with `access_denied`: {SAID}")
    );
    let refusal =
        json!({ "error": "invalid_client", "error_description": "AADSTS7000215: bad secret" });
    let answer = Answer::Raw(401, "application/json", refusal.to_string());
    proxy.provider.next(Kind::Token, answer);
    let event = fails(&proxy, &client).await;
    assert_eq!(event.reason, Some(Reason::ProviderRejected));
    assert!(
        words(&event).contains("invalid_client: AADSTS7000215: bad secret"),
        "{event:#?}"
    );
}

#[tokio::test]
async fn a_request_that_is_refused_says_what_was_asked_and_what_would_be_right() {
    let proxy = Proxy::start().await;
    let client = named_client(&proxy).await;
    for (parameter, value, reason, why) in [
        (
            "redirect_uri",
            "http://localhost:1/other?token=x",
            Reason::RedirectUri,
            "redirect_uri http://localhost:1/other?\u{2026} is not registered: registered are \
             http://127.0.0.1:7777/callback, http://localhost/second",
        ),
        (
            "scope",
            "admin",
            Reason::Scope,
            "none of the requested scopes exists here: scope is `admin`; offered are `openid read write`",
        ),
        (
            "resource",
            "https://other.example/",
            Reason::Resource,
            "resource is `https://other.example/`; this server is ",
        ),
        (
            "response_type",
            "token",
            Reason::UnsupportedType,
            "only response_type=code is served: response_type is `token`",
        ),
        (
            "code_challenge_method",
            "plain",
            Reason::Pkce,
            "code_challenge_method is `plain`",
        ),
    ] {
        let asked = client.authorize(&Pkce::new(), "s").with(parameter, value);
        proxy.browser().open_once(&asked.url()).await;
        let event = refused(&proxy, &client, Step::Authorize, reason);
        assert!(words(&event).contains(why), "{event:#?}");
    }
    let stranger = client
        .authorize(&Pkce::new(), "s")
        .with("client_id", "nobody\n\u{202e}");
    proxy.browser().open_once(&stranger.url()).await;
    let event = last_refusal(&proxy);
    assert_eq!(event.reason, Some(Reason::UnknownClient));
    assert_eq!(event.client.as_deref(), Some("nobody\u{fffd}\u{fffd}"));
    assert_eq!(event.client_name, None);
}

#[tokio::test]
async fn a_grant_is_followed_from_the_callback_to_its_end_with_its_person_and_client() {
    let proxy = Proxy::with(|builder| builder.instance_name("web-1")).await;
    let client = named_client(&proxy).await;
    let pkce = Pkce::new();
    let url = client.authorize(&pkce, "s").url();
    let callback = proxy.approve(&mut proxy.browser(), &url).await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.revoke(&tokens.access).await.expect(200);
    client.call("/mcp", &tokens.access).await.expect(401);
    let events = proxy.events();
    let of = |step: Step| {
        let found = events.iter().rfind(|event| event.step == step);
        found.unwrap_or_else(|| panic!("no {step} in {events:#?}"))
    };
    let back = of(Step::Callback);
    assert!(back.login.is_some() && back.grant.is_some());
    assert_eq!(back.scopes.as_deref(), Some("openid read write"));
    for step in [Step::Callback, Step::Redeem, Step::Refresh, Step::Revoke] {
        let event = of(step);
        assert_eq!(event.grant, back.grant, "{step}");
        assert_eq!(event.client.as_deref(), Some(&*client.id), "{step}");
        assert_eq!(event.client_name.as_deref(), Some("Test client"), "{step}");
        assert_eq!(event.subject.as_deref(), Some("person-1"), "{step}");
        assert_eq!(event.email.as_deref(), Some("ada@example.com"), "{step}");
        assert_eq!(event.provider.as_deref(), Some("oauth"), "{step}");
        assert_eq!(event.instance.as_deref(), Some("web-1"), "{step}");
    }
    let bearer = of(Step::Bearer);
    assert_eq!(bearer.reason, Some(Reason::GrantEnded));
    assert_eq!((&bearer.grant, &bearer.client), (&back.grant, &back.client));
}

#[tokio::test]
async fn an_expired_token_and_one_of_another_client_say_whose_they_are() {
    let proxy = Proxy::with(|builder| builder.access_token_ttl(Duration::from_secs(60))).await;
    let client = named_client(&proxy).await;
    let tokens = proxy.journey(&client).await;
    let other = named_client(&proxy).await;
    proxy.clock.advance(Duration::from_secs(61));
    client.call("/mcp", &tokens.access).await.expect(401);
    let event = refused(&proxy, &client, Step::Bearer, Reason::Expired);
    assert_eq!(event.subject.as_deref(), Some("person-1"));
    assert!(event.grant.is_some() && event.scopes.is_some());
    assert_ne!(other.id, client.id);
    other.refresh(tokens.refresh()).await.expect(400);
    let event = refused(&proxy, &other, Step::Refresh, Reason::ForeignClient);
    assert_eq!(event.email.as_deref(), Some("ada@example.com"));
    assert!(words(&event).contains(&client.id), "{event:#?}");
}

#[tokio::test]
async fn where_no_person_may_be_named_no_event_of_a_whole_journey_names_one() {
    let proxy = Proxy::with(|builder| {
        builder
            .event_detail(Detail::NoPersons)
            .allowed_domains(["example.com"])
            .allowed_groups(["eng"])
    })
    .await;
    person(&proxy, &json!({ "groups": ["eng"] }));
    let client = named_client(&proxy).await;
    let tokens = proxy.journey(&client).await;
    client.refresh(tokens.refresh()).await.expect(200);
    person(&proxy, &json!({ "groups": ["the-secret-group"] }));
    failed_login(&proxy).await;
    assert_eq!(
        words(&last_refusal(&proxy)),
        "`allowed_groups`: the person is in none of [eng] by `groups`"
    );
    person(&proxy, &json!({ "email": EVE }));
    failed_login(&proxy).await;
    assert_eq!(
        words(&last_refusal(&proxy)),
        "`allowed_domains`: (person) is not of example.com"
    );
    proxy.provider.next_authorize(AuthorizeAnswer::Params(vec![
        ("error", "access_denied".to_owned()),
        (
            "error_description",
            "AADSTS50105: Eve Evil may not".to_owned(),
        ),
        ("state", "{state}".to_owned()),
    ]));
    failed_login(&proxy).await;
    let all = format!("{:?}", proxy.events());
    assert!(all.contains("AADSTS50105"), "{all}");
    for person in ["person-1", "ada@", "eve@", "Eve Evil", "the-secret-group"] {
        assert!(!all.contains(person), "{person} in {all}");
    }
    assert!(all.contains("Test client"));
}

/// What a process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn what_a_hook_logs_while_a_login_is_at_work_carries_the_ids_of_the_login() {
    let log = Log::default();
    // With one subscriber only, what other tests do first decides for all whether a span is of interest.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(log.clone())
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let proxy = Proxy::with(|builder| {
        builder.on_login(async |_| {
            tracing::info!("the hook speaks");
            Ok(())
        })
    })
    .await;
    let client = named_client(&proxy).await;
    let tokens = proxy.journey(&client).await;
    let events = proxy.events();
    let back = events.iter().find(|event| event.step == Step::Callback);
    let (login, grant) = (
        back.and_then(|event| event.login.clone()).unwrap(),
        back.and_then(|event| event.grant.clone()).unwrap(),
    );
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = |text: &str| {
        let found = log.lines().find(|line| line.contains(text));
        found.unwrap_or_else(|| panic!("no {text:?} in {log}"))
    };
    let hook = line("the hook speaks");
    assert!(hook.contains(&format!("login=\"{login}\"")), "{hook}");
    assert!(hook.contains(&format!("grant=\"{grant}\"")), "{hook}");
    let done = line("step=\"redeem\"");
    assert!(
        done.contains("endpoint=\"/oauth/token\"") && done.contains(&grant),
        "{done}"
    );
    let refused = line("step=\"callback\"");
    assert!(refused.contains("client_name=\"Test client\""), "{refused}");
    for secret in [&tokens.access, tokens.refresh()] {
        assert!(!log.contains(secret));
    }
}

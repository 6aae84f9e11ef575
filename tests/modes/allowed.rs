//! Who may log in by groups, claims and organizations: at login, at a renewal, and at a look.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tower_oauth_proxy::{
    OAuthProxyConfig, OAuthProxyConfigBuilder, Provider as About, Reason, Step, UserInfoVerifier,
    provider,
};

use crate::{
    inside::{failed_login, session},
    people::person,
    proof::{is_over, logged_in, without_renewals},
};
use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy, Tokens,
    provider::SigningKey,
    proxy::{BASE, builder_from, upstream},
};

const HOUR: u64 = 3600;

fn eng(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder
        .allowed_groups(["eng", "ops"])
        .access_token_ttl(Duration::from_secs(24 * HOUR))
}

async fn is_in(proxy: &Proxy) {
    let client = proxy.client().await;
    proxy.journey(&client).await;
}

/// Nothing but `access_denied`, and the words of its event.
async fn is_out(proxy: &Proxy) -> String {
    let (error, words) = failed_login(proxy).await;
    assert_eq!(error, "access_denied", "{:#?}", proxy.events());
    assert_eq!(words, "this account may not use this service");
    proxy.told(Step::Callback, Reason::NotAllowed);
    last_words(proxy)
}

fn last_words(proxy: &Proxy) -> String {
    let events = proxy.events();
    let last = events.iter().rfind(|event| event.reason.is_some());
    last.and_then(|event| event.detail.clone()).expect("words")
}

fn access_token_says(proxy: &Proxy, claims: &Value) {
    proxy.provider.configure(|settings| {
        settings.jwt_access = true;
        settings.access_claims = claims.as_object().unwrap().clone();
    });
}

#[tokio::test]
async fn people_of_one_of_the_groups_come_in_and_no_others() {
    let proxy = Proxy::with(eng).await;
    for groups in [json!(["eng"]), json!(["hr", "ops"]), json!("ops")] {
        person(&proxy, &json!({ "groups": groups }));
        is_in(&proxy).await;
    }
    for groups in [
        json!(["hr"]),
        json!([]),
        json!(["ENG"]),
        json!("eng ops"),
        json!({"eng": true}),
        Value::Null,
    ] {
        person(&proxy, &json!({ "groups": groups, "group": "eng" }));
        let words = is_out(&proxy).await;
        assert!(words.starts_with("`allowed_groups`: "), "{words}");
        assert!(words.contains("person-1") && words.contains("ada@example.com"));
    }
    person(&proxy, &json!({ "groups": ["hr", "sales"] }));
    let words = is_out(&proxy).await;
    assert!(
        words.ends_with("has [hr, sales] in `groups`, and is in none of [eng, ops]"),
        "{words}"
    );
}

#[tokio::test]
async fn groups_count_in_userinfo_and_in_an_access_token_for_us_and_not_in_one_for_others() {
    let proxy = Proxy::with(eng).await;
    let groups = json!({ "groups": ["eng"] });
    proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    person(&proxy, &groups);
    is_in(&proxy).await;
    person(&proxy, &json!({ "groups": null }));
    is_out(&proxy).await;
    for (claims, is_ours) in [
        (
            json!({"aud": "upstream-app", "sub": "person-1", "groups": ["eng"]}),
            true,
        ),
        (
            json!({"aud": "payroll", "sub": "person-1", "groups": ["eng"]}),
            false,
        ),
        (
            json!({"aud": "upstream-app", "sub": "person-2", "groups": ["eng"]}),
            false,
        ),
    ] {
        access_token_says(&proxy, &claims);
        match is_ours {
            true => is_in(&proxy).await,
            false => drop(is_out(&proxy).await),
        }
    }
}

#[tokio::test]
async fn each_option_has_to_be_met_and_the_event_names_the_one_that_is_not() {
    let proxy = Proxy::with(|builder| {
        eng(builder)
            .group_claims(["teams", "cognito:groups"])
            .allowed_domains(["example.com"])
            .allowed_claim("/realm_access/roles", ["staff", "guest"])
            .allowed_claim("clearance", ["3", "4"])
    })
    .await;
    let fits = json!({
        "cognito:groups": ["eng"], "realm_access": {"roles": ["staff"]}, "clearance": 3,
        "groups": ["hr"], "email": "ada@example.com",
    });
    person(&proxy, &fits);
    is_in(&proxy).await;
    for (change, named) in [
        (json!({"cognito:groups": ["hr"]}), "`allowed_groups`"),
        (
            json!({"cognito:groups": null, "groups": ["eng"]}),
            "`allowed_groups`",
        ),
        (json!({"realm_access": {"roles": ["x"]}}), "`allowed_claim`"),
        (
            json!({"realm_access": null, "/realm_access/roles": ["staff"]}),
            "`allowed_claim`",
        ),
        (json!({"clearance": 30}), "`clearance`"),
        (json!({"email": "ada@evil.example"}), "allowed_domains"),
    ] {
        person(&proxy, &change);
        let words = is_out(&proxy).await;
        assert!(words.contains(named), "{change}: {words}");
        person(&proxy, &fits);
    }
    is_in(&proxy).await;
}

#[tokio::test]
async fn who_leaves_the_group_is_out_with_the_next_renewal() {
    let proxy = Proxy::with(eng).await;
    person(&proxy, &json!({ "groups": ["eng"] }));
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(200);
    person(&proxy, &json!({ "groups": ["hr"] }));
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
    assert!(proxy.provider.count(Kind::Revoke) > 0);
    let events = proxy.events();
    let why = events
        .iter()
        .find(|event| event.reason == Some(Reason::NotAllowed));
    let why = why.unwrap().detail.clone().unwrap();
    assert!(why.contains("`allowed_groups`: subject person-1"), "{why}");
}

#[tokio::test]
async fn a_renewed_id_token_without_the_claim_has_userinfo_asked_and_its_silence_is_a_no() {
    let proxy = Proxy::with(eng).await;
    person(&proxy, &json!({ "groups": ["eng"] }));
    let (client, tokens) = logged_in(&proxy).await;
    proxy.provider.configure(|settings| {
        settings.id_token.insert("groups".into(), Value::Null);
    });
    let before = proxy.provider.count(Kind::UserInfo);
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(proxy.provider.count(Kind::UserInfo), before + 1);
    // The provider does not answer: what was known stands.
    proxy.provider.always(Kind::UserInfo, Answer::Status(503));
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(200);
    proxy.provider.always(Kind::UserInfo, Answer::Normal);
    person(&proxy, &json!({ "groups": null }));
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

#[tokio::test]
async fn who_leaves_the_group_is_out_with_the_next_look_and_trouble_puts_no_one_out() {
    let proxy = Proxy::with(eng).await;
    proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    without_renewals(&proxy);
    person(&proxy, &json!({ "groups": ["eng"] }));
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR + 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    person(&proxy, &json!({ "groups": ["hr"] }));
    proxy.provider.always(Kind::UserInfo, Answer::Status(500));
    proxy.clock.advance_secs(HOUR + 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.clock.advance_secs(HOUR);
    client.refresh(tokens.refresh()).await.expect(503);
    proxy.provider.always(Kind::UserInfo, Answer::Normal);
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

/// Keycloak, for one, leaves a claim out that would be an empty list.
#[tokio::test]
async fn who_leaves_the_last_group_is_out_although_the_login_s_id_token_named_it() {
    let proxy = Proxy::with(eng).await;
    without_renewals(&proxy);
    person(&proxy, &json!({ "groups": ["eng"] }));
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR + 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    person(&proxy, &json!({ "groups": null }));
    proxy.clock.advance_secs(HOUR + 1);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

#[tokio::test]
async fn an_access_token_from_before_says_nothing_against_what_userinfo_says_now() {
    let proxy = Proxy::with(eng).await;
    without_renewals(&proxy);
    let claims = json!({"aud": "upstream-app", "sub": "person-1", "groups": ["eng"]});
    access_token_says(&proxy, &claims);
    let (client, tokens) = logged_in(&proxy).await;
    // Where userinfo names no groups, the token is all there is.
    proxy.clock.advance_secs(HOUR + 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    person(&proxy, &json!({ "groups": ["hr"] }));
    proxy.clock.advance_secs(HOUR + 1);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

/// The operator changes the list and restarts; the provider has no place to ask at.
#[tokio::test]
async fn a_group_that_is_taken_off_the_list_puts_its_people_out() {
    let (proxy, store) = Proxy::with_store(eng).await;
    person(&proxy, &json!({ "groups": ["eng"] }));
    let (client, tokens) = logged_in(&proxy).await;
    let restarted = proxy.sibling(|b| b.allowed_groups(["ops"]).token_storage(store));
    let client = testkit::Client {
        wire: restarted.wire.clone(),
        ..client
    };
    proxy.clock.advance_secs(HOUR);
    is_over(&restarted, &client, &tokens, Reason::NotAllowed).await;
}

#[tokio::test]
async fn groups_of_a_renewed_access_token_that_is_for_us_count_as_at_login() {
    let proxy = Proxy::with(eng).await;
    let says = |groups: Value| {
        let claims = json!({"aud": "upstream-app", "sub": "person-1", "groups": groups});
        access_token_says(&proxy, &claims);
    };
    says(json!(["eng"]));
    let (client, tokens) = logged_in(&proxy).await;
    let before = proxy.provider.count(Kind::UserInfo);
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(200);
    assert_eq!(proxy.provider.count_grant("refresh_token"), 1);
    assert_eq!(
        proxy.provider.count(Kind::UserInfo),
        before,
        "it says enough"
    );
    says(json!(["hr"]));
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

/// A provider without userinfo, whose renewals bring no ID token: the login's says `eng` for ever.
#[tokio::test]
async fn a_renewed_access_token_outvotes_the_id_token_of_the_login() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let settings = idp.settings();
    let (authorize, token) = (idp.url("/authorize"), idp.url("/token"));
    let (id, secret) = (settings.client_id, settings.client_secret);
    let about = provider::generic(authorize, token, id, secret).scopes(["openid", "read"]);
    let proxy = Proxy::built(idp, clock, BASE, eng(builder_from(about, BASE)));
    let says = |groups: Value| {
        let claims = json!({"aud": "upstream-app", "sub": "person-1", "groups": groups});
        access_token_says(&proxy, &claims);
    };
    person(&proxy, &json!({ "groups": ["eng"] }));
    says(json!(["eng"]));
    let (client, tokens) = logged_in(&proxy).await;
    proxy
        .provider
        .configure(|settings| settings.issue_id_token = false);
    proxy.clock.advance_secs(HOUR);
    client.call("/mcp", &tokens.access).await.expect(200);
    says(json!(["hr"]));
    proxy.clock.advance_secs(HOUR);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

/// Userinfo knows no groups and ID tokens do: a look that hears nothing renews, and the new ID token says it.
#[tokio::test]
async fn where_userinfo_is_silent_a_renewal_is_asked_before_anyone_is_put_out() {
    let proxy = Proxy::with(|builder| eng(builder).identity_max_age(Duration::from_secs(60))).await;
    let id_token = |groups: Value| {
        proxy.provider.configure(|settings| {
            settings.id_token.insert("groups".to_owned(), groups);
        });
    };
    id_token(json!(["eng"]));
    let (client, mut tokens) = logged_in(&proxy).await;
    for _ in 0..2 {
        proxy.clock.advance_secs(61);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        client.call("/mcp", &tokens.access).await.expect(200);
    }
    id_token(json!(["hr"]));
    proxy.clock.advance_secs(61);
    is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
}

/// What userinfo leaves out, the token that it was asked with still says.
#[tokio::test]
async fn groups_of_the_access_token_at_hand_count_at_a_look() {
    let proxy = Proxy::with(eng).await;
    without_renewals(&proxy);
    let groups = json!({"aud": "upstream-app", "sub": "person-1", "groups": ["eng"]});
    access_token_says(&proxy, &groups);
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR + 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(proxy.provider.count(Kind::UserInfo), 1);
    client.call("/mcp", &tokens.access).await.expect(200);
}

/// Without userinfo and renewals the operator is asked all the same, with what was known at login.
#[tokio::test]
async fn a_list_is_asked_again_where_the_provider_cannot_be() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let store = testkit::Store::new(&clock);
    let proxy_with = |group: &str| {
        let settings = idp.settings();
        let (authorize, token) = (idp.url("/authorize"), idp.url("/token"));
        let (id, secret) = (settings.client_id, settings.client_secret);
        let about = provider::generic(authorize, token, id, secret).scopes(["openid", "read"]);
        let builder = builder_from(about, BASE)
            .allowed_groups([group])
            .token_storage(store.clone());
        Proxy::built(idp.clone(), clock.clone(), BASE, builder)
    };
    let proxy = proxy_with("eng");
    without_renewals(&proxy);
    person(&proxy, &json!({ "groups": ["eng"] }));
    let (client, tokens) = logged_in(&proxy).await;
    proxy.clock.advance_secs(HOUR + 1);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    let restarted = proxy_with("ops");
    let client = testkit::Client {
        wire: restarted.wire.clone(),
        ..client
    };
    restarted.clock.advance_secs(HOUR + 1);
    is_over(&restarted, &client, &tokens, Reason::NotAllowed).await;
}

#[tokio::test]
async fn with_groups_the_provider_is_asked_for_their_scope_whatever_the_client_asks_for() {
    let proxy = Proxy::with(|builder| eng(builder).scopes(["openid", "read", "groups"])).await;
    person(&proxy, &json!({ "groups": ["eng"] }));
    let client = proxy.client().await;
    crate::inside::tokens_of(&proxy, &client, &[("scope", "read")]).await;
    let asked = proxy.provider.last(Kind::Authorize);
    let scope = asked.param("scope").unwrap();
    assert!(scope.split(' ').any(|scope| scope == "groups"), "{scope}");
}

// ---- organizations

const TID: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";

/// Entra, whose tokens are of this tenant.
async fn tenant_of(tid: &str, preset: impl Fn(About) -> About) -> Proxy {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.signs(&SigningKey::es256("key-1"));
    idp.configure(|settings| {
        settings.issuer = format!("{}/{tid}/v2.0", idp.origin);
        settings.person.insert("tid".into(), tid.into());
    });
    let document = json!({
        "issuer": idp.url("/{tenantid}/v2.0"), "jwks_uri": idp.url("/keys"),
        "authorization_endpoint": idp.url("/authorize"), "token_endpoint": idp.url("/token"),
    });
    let json = Answer::Raw(200, "application/json", document.to_string());
    idp.always_at("/organizations/v2.0/.well-known/openid-configuration", json);
    let settings = idp.settings();
    let azure = provider::azure("organizations", settings.client_id, settings.client_secret);
    let azure = preset(azure.authority(&idp.url("")));
    Proxy::built(idp, clock, BASE, builder_from(azure, BASE))
}

#[tokio::test]
async fn people_of_the_named_tenants_come_in_and_those_of_others_do_not() {
    let upper = TID.to_uppercase();
    let named = |azure: About| azure.allowed_organizations([OTHER, &upper]);
    is_in(&tenant_of(TID, named).await).await;
    let proxy = tenant_of("00000000-2222-3333-4444-555555555555", named).await;
    let words = is_out(&proxy).await;
    assert!(
        words.contains("`allowed_organizations`") && words.contains("[00000000-"),
        "{words}"
    );
}

#[tokio::test]
async fn groups_that_the_token_only_points_to_let_no_one_in_and_the_event_says_why() {
    for pointer in [
        json!({"_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": "https://graph.example/users/eng"}}}),
        json!({"hasgroups": true}),
    ] {
        let proxy = tenant_of(TID, |azure| azure.allowed_claim("groups", ["eng", "src1"])).await;
        person(&proxy, &pointer);
        let words = is_out(&proxy).await;
        assert!(words.contains("too many of `groups`"), "{words}");
    }
}

/// A server of GitHub's layout.
async fn github(organizations: &[&str]) -> Proxy {
    github_with(organizations, |builder| builder).await
}

async fn github_with(
    organizations: &[&str],
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Proxy {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    idp.configure(|settings| {
        settings.issue_id_token = false;
        settings.issue_refresh = false;
        settings.expires_in = None;
    });
    says(
        &idp,
        "user",
        200,
        &json!({"id": 7, "login": "Ada-L", "organizations": ["acme"]}),
    );
    says(&idp, "user/emails", 200, &json!([]));
    let settings = idp.settings();
    let github = provider::github(settings.client_id, settings.client_secret);
    let github = github.authority(&idp.url(""));
    let github = github.allowed_organizations(organizations.iter().copied());
    let builder = OAuthProxyConfig::builder(github, BASE)
        .secret_key(testkit::proxy::secret(1))
        .scopes(["read:user", "repo"])
        .access_token_ttl(Duration::from_secs(24 * HOUR));
    Proxy::built(idp, clock, BASE, change(builder))
}

fn says(idp: &Provider, path: &str, status: u16, document: &Value) {
    let json = Answer::Raw(status, "application/json", document.to_string());
    idp.always_at(&format!("/api/v3/{path}"), json);
}

const ACME: &str = "user/memberships/orgs/acme";
const TEAM: &str = "orgs/acme/teams/platform/memberships/Ada-L";

#[tokio::test]
async fn members_of_an_organization_or_a_team_come_in_and_no_others() {
    for (wanted, path) in [(["acme"], ACME), (["Acme/Platform"], TEAM)] {
        let proxy = github(&wanted).await;
        let words = is_out(&proxy).await;
        assert!(words.contains("has [] in `organizations`"), "{words}");
        for no in [
            json!({"state": "pending"}),
            json!({"message": "Not Found"}),
            json!([]),
        ] {
            says(&proxy.provider, path, 200, &no);
            is_out(&proxy).await;
        }
        says(
            &proxy.provider,
            path,
            200,
            &json!({"state": "active", "role": "member"}),
        );
        let tokens = proxy.journey(&proxy.client().await).await;
        let asked = proxy.provider.last(Kind::Authorize);
        let scope = asked.param("scope").unwrap();
        assert!(scope.split(' ').any(|scope| scope == "read:org"), "{scope}");
        let seen = session(&proxy, &tokens.access).await;
        assert_eq!(seen.subject(), "7");
    }
    // A member of the one is in, whatever the other says.
    let proxy = github(&["gone", "acme"]).await;
    says(&proxy.provider, ACME, 200, &json!({"state": "active"}));
    is_in(&proxy).await;
    says(
        &proxy.provider,
        "user/memberships/orgs/gone",
        403,
        &json!({"message": "blocked"}),
    );
    is_in(&proxy).await;
}

#[tokio::test]
async fn an_api_that_does_not_say_lets_no_one_in_and_puts_no_one_out() {
    let proxy = github(&["acme"]).await;
    let active = json!({"state": "active"});
    says(&proxy.provider, ACME, 200, &active);
    let (client, tokens) = logged_in(&proxy).await;
    let mut tokens = tokens;
    for (status, body) in [
        (500, json!({})),
        (429, json!({})),
        (200, json!("not JSON that says anything")),
    ] {
        let is_trouble = status != 200;
        says(&proxy.provider, ACME, status, &body);
        let (error, _) = failed_login(&proxy).await;
        assert_eq!(error == "access_denied", !is_trouble, "{status}: {error}");
        if !is_trouble {
            continue;
        }
        proxy.clock.advance_secs(HOUR + 1);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        client.call("/mcp", &tokens.access).await.expect(200);
        // Asked again, and proven.
        says(&proxy.provider, ACME, 200, &active);
        proxy.clock.advance_secs(HOUR + 1);
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    // Who left is out, and so is who cannot show it.
    for (status, said) in [
        (404, "Not Found"),
        (403, "`acme` has enabled OAuth App access restrictions"),
    ] {
        says(&proxy.provider, ACME, 200, &active);
        let (client, tokens) = logged_in(&proxy).await;
        let no = json!({ "message": said });
        says(&proxy.provider, ACME, status, &no);
        let words = is_out(&proxy).await;
        assert_eq!(words.contains(said), status == 403, "{words}");
        proxy.forget_events();
        proxy.clock.advance_secs(HOUR + 1);
        is_over(&proxy, &client, &tokens, Reason::NotAllowed).await;
    }
}

#[tokio::test]
async fn a_slow_api_takes_no_more_than_the_time_of_one_answer() {
    let patience = Duration::from_secs(2);
    let proxy = github_with(&["a", "b", "acme"], |b| {
        b.upstream_request_timeout(patience)
    })
    .await;
    for organization in ["a", "b", "acme"] {
        let path = format!("/api/v3/user/memberships/orgs/{organization}");
        proxy.provider.always_at(&path, Answer::Hang);
    }
    let (error, _) = failed_login(&proxy).await;
    assert_eq!(error, "temporarily_unavailable");
    assert!(
        !proxy
            .provider
            .requests()
            .iter()
            .any(|r| r.path.ends_with("orgs/b"))
    );
}

/// A refresh is a renewal; and a verifier that knows the person judges them at each first sight.
#[tokio::test]
async fn in_passthrough_mode_a_refresh_and_a_first_sight_are_judged_too() {
    let clock = FakeClock::default();
    let idp = Arc::new(Provider::start(clock.clone()).await);
    let known = upstream(&idp).allowed_claim("team", ["blue"]);
    let verifier = UserInfoVerifier::new(known)
        .without_audience()
        .cache_ttl(Duration::ZERO);
    let proxy = Proxy::before(idp, clock, BASE, |b| {
        b.allowed_groups(["eng"])
            .passthrough(verifier)
            .session_cache_ttl(Duration::ZERO)
    });
    person(&proxy, &json!({ "groups": ["eng"], "team": "blue" }));
    let (client, tokens) = logged_in(&proxy).await;
    client.call("/mcp", &tokens.access).await.expect(200);
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.call("/mcp", &tokens.access).await.expect(200);
    person(&proxy, &json!({ "team": "red" }));
    client.call("/mcp", &tokens.access).await.expect(401);
    assert!(last_words(&proxy).contains("has [red] in `team`"));
    person(&proxy, &json!({ "groups": ["hr"], "team": "blue" }));
    let reply = client.refresh(tokens.refresh()).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
    client.call("/mcp", &tokens.access).await.expect(401);
}

/// What only one provider's people have to meet.
#[tokio::test]
async fn a_condition_on_one_providers_people_does_not_touch_those_of_another() {
    let clock = FakeClock::default();
    let first = Arc::new(Provider::start(clock.clone()).await);
    let second = Arc::new(Provider::start(clock.clone()).await);
    let guests = upstream(&second)
        .id("b")
        .name("Second")
        .scopes(["openid", "read"])
        .allowed_claim("groups", ["eng"]);
    let proxy = Proxy::before(first, clock, BASE, |builder| builder.also_provider(guests));
    let at = async |id: &str| {
        let (client, pkce) = (proxy.client().await, testkit::Pkce::new());
        let mut browser = proxy.browser().knowing(second.wire());
        browser
            .open(&client.authorize(&pkce, "s").url())
            .await
            .page();
        let back = browser.choose(id, "approve").await.left();
        testkit::wire::query_param(&back, "error")
    };
    assert_eq!(at("oauth").await, None);
    assert_eq!(at("b").await.as_deref(), Some("access_denied"));
    assert!(last_words(&proxy).contains("`allowed_claim`"));
    second.configure(|settings| {
        settings.person.insert("groups".into(), json!(["eng"]));
    });
    assert_eq!(at("b").await, None);
}

// ---- mistakes

#[test]
fn a_condition_that_no_one_could_meet_is_refused_and_the_error_says_what_to_do() {
    const SECRET: &str = "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8";
    type Change = fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder;
    let fault = |provider: About, change: Change| {
        let builder = OAuthProxyConfig::builder(provider, BASE);
        let error = change(builder).build().expect_err("it cannot work");
        (error.option(), error.to_string())
    };
    let oidc = || provider::oidc("https://sso.example", "id", SECRET);
    let of_all: [(About, Change, &str, &str); 10] = [
        (
            oidc(),
            |b| b.allowed_claim("email", ["boss@corp.example"]),
            "allowed_claim",
            "allowed_emails",
        ),
        (
            oidc(),
            |b| b.allowed_groups([""; 0]),
            "allowed_groups",
            "empty",
        ),
        (
            oidc(),
            |b| b.allowed_groups(["eng", ""]),
            "allowed_groups",
            "comma",
        ),
        (
            oidc(),
            |b| b.allowed_claim("tenant", [""; 0]),
            "allowed_claim",
            "empty",
        ),
        (
            oidc(),
            |b| b.allowed_claim(" ", ["a"]),
            "allowed_claim",
            "no name",
        ),
        (
            oidc(),
            |b| b.group_claims(["teams"]),
            "group_claims",
            "allowed_groups",
        ),
        (
            oidc(),
            |b| b.allowed_groups(["a"]).group_claims([""; 0]),
            "allowed_groups",
            "no name",
        ),
        (
            provider::github("id", SECRET),
            |b| b.allowed_groups(["eng"]),
            "allowed_groups",
            "allowed_organizations",
        ),
        (
            provider::google("id", SECRET),
            |b| b.allowed_groups(["eng"]),
            "allowed_groups",
            "never gives",
        ),
        (
            provider::okta("https://acme.okta.com", "id", SECRET),
            |b| b.allowed_groups(["eng"]),
            "allowed_groups",
            "the scope `groups`: add it to `scopes`",
        ),
    ];
    for (provider, change, option, words) in of_all {
        let (named, said) = fault(provider, change);
        assert!(named == option && said.contains(words), "{named}: {said}");
    }
    for (provider, words) in [
        (
            oidc().allowed_organizations(["acme"]),
            "says nothing of organizations",
        ),
        (
            provider::github("id", SECRET).allowed_organizations([""; 0]),
            "empty",
        ),
        (
            provider::github("id", SECRET).allowed_organizations(["a/b/c"]),
            "a/b/c",
        ),
        (
            provider::github("id", SECRET).allowed_organizations(["a/.."]),
            "team",
        ),
        (
            provider::github("id", SECRET)
                .allowed_organizations((0..21).map(|n| format!("org-{n}"))),
            "more than 20",
        ),
        (
            provider::google("id", SECRET).allowed_organizations(["example"]),
            "Workspace",
        ),
        (
            provider::azure("common", "id", SECRET).allowed_organizations(["common"]),
            "tenant",
        ),
    ] {
        let (named, said) = fault(provider, |b| b);
        assert!(
            named == "allowed_organizations" && said.contains(words),
            "{named}: {said}"
        );
    }
    let (named, said) = fault(oidc(), |b| {
        b.also_provider(provider::github("id", SECRET).allowed_organizations([""; 0]))
    });
    assert!(
        named == "also_provider" && said.contains("allowed_organizations"),
        "{named}: {said}"
    );
    let okta = provider::okta("https://acme.okta.com", "id", SECRET).scopes(["openid", "groups"]);
    let okta = OAuthProxyConfig::builder(okta, BASE).allowed_groups(["eng"]);
    let _ = okta.build().expect("it can work");
}

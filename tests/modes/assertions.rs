//! Identity assertions (ID-JAG): a client brings what the person's company signed, and gets a token.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Map, Value, json};
use tower_oauth_proxy::{
    Detail, OAuthProxyConfigBuilder, Occasion, Reason, StaticClient, Step, TokenSource,
    TrustedIssuer, Veto,
};

use crate::inside::{payload, session};
use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy, Reply, Store, Wire,
    client::{CALLBACK, basic},
    provider::SigningKey,
    proxy::BASE,
    store::Health,
};

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const ISSUER: &str = "https://acme.example/";
const SECRET: &str = "r7Kq2ZtV9wLx4MbY";

/// A proxy that trusts an issuer, whose keys another server has.
pub(crate) struct Setup {
    pub(crate) proxy: Proxy,
    /// The issuer's server.
    pub(crate) issuer: Arc<Provider>,
    pub(crate) key: SigningKey,
}

pub(crate) fn client(id: &str) -> StaticClient {
    let client = StaticClient::confidential(id, SECRET);
    client.redirect_uri(CALLBACK).unwrap()
}

pub(crate) async fn start_with(
    trust: impl FnOnce(TrustedIssuer) -> TrustedIssuer,
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Setup {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let issuer = Arc::new(Provider::start(clock.clone()).await);
    let key = SigningKey::es256("2026-a");
    issuer.signs(&key);
    let trusted = TrustedIssuer::new("acme", ISSUER).jwks_url(issuer.url("/keys"));
    let trusted = trust(trusted);
    let proxy = Proxy::before(provider, clock, BASE, |builder| {
        let builder = builder.trusted_issuer(trusted);
        let public = StaticClient::public("public").redirect_uri(CALLBACK);
        let builder = builder.static_client(public.unwrap());
        change(
            builder
                .static_client(client("app"))
                .static_client(client("other")),
        )
    });
    Setup { proxy, issuer, key }
}

async fn start() -> Setup {
    start_with(TrustedIssuer::assertions, |builder| builder).await
}

impl Setup {
    pub(crate) fn claims(&self, changes: &Value) -> Map<String, Value> {
        let now = self.proxy.clock.unix();
        let jti = format!("{:x}", rand::random::<u128>());
        let mut claims = json!({
            "iss": ISSUER, "aud": BASE, "sub": "U1", "client_id": "app", "jti": jti, "iat": now,
            "exp": now + 300, "email": "ada@acme.example", "email_verified": true, "roles": ["staff"],
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        members.clone()
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "`json!` is written in its place"
    )]
    pub(crate) fn assertion(&self, changes: Value) -> String {
        self.typed("oauth-id-jag+jwt", &changes)
    }

    pub(crate) fn typed(&self, typ: &str, changes: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": "2026-a", "typ": typ});
        self.key.sign_with(&header, &self.claims(changes))
    }

    /// Whatever the client sends.
    pub(crate) async fn send(&self, fields: &[(&str, &str)], client: Option<&str>) -> Reply {
        send(&self.proxy.wire, fields, client).await
    }

    pub(crate) async fn bring(&self, assertion: &str, more: &[(&str, &str)]) -> Reply {
        let fields = [&[("grant_type", GRANT), ("assertion", assertion)], more].concat();
        self.send(&fields, Some("app")).await
    }

    pub(crate) async fn token(&self, changes: Value) -> String {
        let reply = self.bring(&self.assertion(changes), &[]).await.expect(200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The words that the operator gets about the refusal, of which the client gets none.
    pub(crate) fn words(&self, reply: &Reply, reason: Reason) -> String {
        self.proxy.told(Step::Assertion, reason);
        let events = self.proxy.events();
        let words = events.last().unwrap().detail.clone().unwrap_or_default();
        assert!(!reply.everything().contains(&words), "{words}");
        words
    }

    async fn refused(&self, changes: Value) -> String {
        let reason = self.why(changes).await;
        reason.1
    }

    async fn why(&self, changes: Value) -> (Reason, String) {
        let reply = self.bring(&self.assertion(changes), &[]).await;
        reply.refused(400, "invalid_grant");
        let events = self.proxy.events();
        let last = events.last().unwrap();
        assert_eq!(last.step, Step::Assertion);
        let words = last.detail.clone().unwrap();
        assert!(words.contains("acme"), "names the issuer: {words}");
        assert!(!reply.everything().contains(&words), "{words}");
        (last.reason.unwrap(), words)
    }
}

pub(crate) async fn send(wire: &Wire, fields: &[(&str, &str)], client: Option<&str>) -> Reply {
    let path = "/oauth/token";
    match client {
        None => wire.form(path, fields, &[]).await,
        Some(id) => {
            let basic = basic(id, SECRET);
            let headers = [("authorization", basic.as_str())];
            wire.form(path, fields, &headers).await
        }
    }
}

#[tokio::test]
async fn an_assertion_gives_a_session_of_its_person_and_no_refresh_token() {
    let at = start().await;
    let reply = at.bring(&at.assertion(json!({})), &[]).await.expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let answer = reply.json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900);
    assert!(answer.get("refresh_token").is_none(), "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let seen = session(&at.proxy, token).await;
    assert_eq!(seen.subject(), "acme|U1");
    assert_eq!(seen.provider_subject(), Some("U1"));
    assert_eq!(seen.provider(), None);
    assert_eq!(seen.client_id(), "app");
    assert_eq!(seen.source(), TokenSource::Assertion);
    assert!(seen.is_person());
    assert!(!seen.has_upstream());
    assert_eq!(seen.roles(), ["staff"]);
    assert_eq!(seen.claims()["email"], "ada@acme.example");
    assert_eq!(seen.resource(), BASE);
    assert_eq!(seen.scopes().to_string(), "openid read write");
    assert_eq!(payload(token)["sub"], "acme|U1");
    // The operator reads of it, and of no secret.
    let events = at.proxy.events();
    let done = events
        .iter()
        .find(|event| event.step == Step::Assertion)
        .unwrap();
    assert_eq!(
        (done.reason, done.provider.as_deref()),
        (None, Some("acme"))
    );
    let words = done.detail.as_deref().unwrap();
    assert!(
        words.contains("subject U1") && words.contains("client `app`"),
        "{words}"
    );
    assert!(!format!("{events:?}").contains(token));
}

#[tokio::test]
async fn a_token_of_an_assertion_ends_by_itself_and_no_provider_is_asked_about_it() {
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder
            .assertion_token_ttl(Duration::from_secs(120))
            .identity_max_age(Duration::from_secs(1))
    })
    .await;
    let token = at.token(json!({})).await;
    let app = at.proxy.client().await;
    at.proxy.clock.advance(Duration::from_secs(119));
    app.call("/mcp", &token).await.expect(200);
    at.proxy.clock.advance(Duration::from_secs(1));
    app.call("/mcp", &token).await.refused(401, "invalid_token");
    assert_eq!(at.proxy.provider.requests().len(), 0);
}

#[tokio::test]
async fn people_of_a_provider_are_the_same_as_at_a_login() {
    let at = start_with(
        |trusted| trusted.people_of("oauth").assertions(),
        |builder| builder,
    )
    .await;
    let provider = at.proxy.provider.settings();
    let sub = provider.person["sub"].as_str().unwrap().to_owned();
    let app = at.proxy.client().await;
    let login = at.proxy.journey(&app).await;
    let token = at.token(json!({"sub": sub})).await;
    let (one, two) = (
        session(&at.proxy, &login.access).await,
        session(&at.proxy, &token).await,
    );
    assert_eq!(one.subject(), two.subject());
    assert_eq!(one.provider(), two.provider());
    assert_eq!(two.source(), TokenSource::Assertion);
    let admin = at.proxy.layer.admin();
    let grants = admin.grants_of_subject(one.subject()).await.unwrap();
    assert_eq!(grants.len(), 2, "{grants:?}");
    let ours = grants
        .iter()
        .find(|grant| grant.client_id == "app")
        .unwrap();
    assert!(ours.refreshed_at.is_some());
    assert_eq!(admin.revoke_subject(one.subject()).await.unwrap(), 2);
    app.call("/mcp", &token).await.refused(401, "invalid_token");
    app.call("/mcp", &login.access)
        .await
        .refused(401, "invalid_token");
    // What the provider gave at the login is revoked there; of the assertion it never knew.
    admin.drain(Duration::from_secs(10)).await;
    let revoked = at.proxy.provider.requests_of(Kind::Revoke);
    assert!(
        revoked
            .iter()
            .all(|request| request.param("token") != Some(""))
    );
}

#[tokio::test]
async fn a_clients_revocation_and_the_operators_end_it() {
    let at = start().await;
    let app = at.proxy.client().await;
    let basic = basic("app", SECRET);
    let headers = [("authorization", basic.as_str())];
    let token = at.token(json!({})).await;
    let fields = [("token", &*token)];
    at.proxy
        .wire
        .form("/oauth/revoke", &fields, &headers)
        .await
        .expect(200);
    app.call("/mcp", &token).await.refused(401, "invalid_token");

    let admin = at.proxy.layer.admin();
    let token = at.token(json!({})).await;
    let listed = admin.grants_of_client("app").await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].subject, "acme|U1");
    assert!(admin.revoke_grant(&listed[0].id).await.unwrap());
    app.call("/mcp", &token).await.refused(401, "invalid_token");

    at.token(json!({})).await;
    admin.deny_client("app").await.unwrap();
    let reply = at.bring(&at.assertion(json!({})), &[]).await;
    reply.refused(401, "invalid_client");
}

#[tokio::test]
async fn an_assertion_that_breaks_a_rule_gives_nothing_and_the_operator_hears_which() {
    let at = start().await;
    let now = at.proxy.clock.unix();
    for (changes, reason, word) in [
        (
            json!({"aud": "https://other.example"}),
            Reason::WrongAudience,
            "`aud`",
        ),
        (
            json!({"aud": [BASE, "https://other.example"]}),
            Reason::WrongAudience,
            "`aud`",
        ),
        (
            json!({"aud": format!("{BASE}/oauth/token")}),
            Reason::WrongAudience,
            "`aud`",
        ),
        (json!({"aud": null}), Reason::WrongAudience, "`aud`"),
        (json!({"exp": now - 61}), Reason::Expired, "expired"),
        (json!({"exp": now + 86_400}), Reason::InvalidToken, "`exp`"),
        (json!({"exp": null}), Reason::InvalidToken, "`exp`"),
        (json!({"iat": null}), Reason::InvalidToken, "`iat`"),
        (json!({"iat": now + 61}), Reason::InvalidToken, "`iat`"),
        (json!({"nbf": now + 61}), Reason::InvalidToken, "`nbf`"),
        (json!({"jti": null}), Reason::InvalidToken, "`jti`"),
        (json!({"sub": null}), Reason::InvalidToken, "`sub`"),
        (
            json!({"client_id": null}),
            Reason::ForeignClient,
            "`client_id`",
        ),
        (
            json!({"client_id": "other"}),
            Reason::ForeignClient,
            "client `app`",
        ),
        (
            json!({"resource": "https://other.example"}),
            Reason::Resource,
            "`resource`",
        ),
        (json!({"scope": ["read"]}), Reason::Scope, "`scope`"),
        (json!({"cnf": {"jkt": "x"}}), Reason::InvalidToken, "`cnf`"),
        (
            json!({"authorization_details": []}),
            Reason::InvalidToken,
            "`authorization_details`",
        ),
        (json!({"tenant": "t"}), Reason::NotAllowed, "`tenant`"),
        (json!({"sub": "grant:1"}), Reason::IdToken, "told from"),
    ] {
        let (got, words) = at.why(changes.clone()).await;
        assert_eq!(got, reason, "{changes}: {words}");
        assert!(words.contains(word), "{changes}: {words}");
    }
    // Within the leeway.
    at.token(json!({"exp": now - 59})).await;
}

#[tokio::test]
async fn only_the_issuers_keys_and_the_assertions_type_count() {
    let at = start().await;
    for typ in ["JWT", "at+jwt", "id+jag"] {
        let reply = at.bring(&at.typed(typ, &json!({})), &[]).await;
        reply.refused(400, "invalid_grant");
    }
    let forger = SigningKey::es256("2026-a");
    let header = json!({"alg": "ES256", "kid": "2026-a", "typ": "oauth-id-jag+jwt"});
    let forged = forger.sign_with(&header, &at.claims(&json!({})));
    at.bring(&forged, &[]).await.refused(400, "invalid_grant");
    at.proxy.told(Step::Assertion, Reason::InvalidToken);
    let header = json!({"alg": "none", "typ": "oauth-id-jag+jwt"});
    let unsigned = forger.sign_with(&header, &at.claims(&json!({})));
    at.bring(&unsigned, &[]).await.refused(400, "invalid_grant");
    // A stranger's issuer, and none: no key is asked for.
    let fetches = at.issuer.count(Kind::Keys);
    for iss in [
        json!("https://evil.example"),
        json!("https://acme.example"),
        json!(null),
    ] {
        let reply = at.bring(&at.assertion(json!({"iss": iss})), &[]).await;
        reply.refused(400, "invalid_grant");
        assert!(
            at.words(&reply, Reason::WrongAudience)
                .contains("trusted_issuer")
        );
    }
    for garbage in ["x", "a.b.c", "e30.e30."] {
        at.bring(garbage, &[]).await.refused(400, "invalid_grant");
    }
    assert_eq!(at.issuer.count(Kind::Keys), fetches);
    let reply = at.send(&[("grant_type", GRANT)], Some("app")).await;
    reply.refused(400, "invalid_request");
}

#[tokio::test]
async fn the_client_of_the_assertion_brings_it_and_authenticates() {
    let at = start().await;
    let assertion = at.assertion(json!({"client_id": "public"}));
    let fields = [("grant_type", GRANT), ("assertion", &*assertion)];
    // No client, a public one, a wrong secret, another client.
    at.send(&fields, None).await.refused(401, "invalid_client");
    let public = [&fields[..], &[("client_id", "public")]].concat();
    at.send(&public, None).await.refused(401, "invalid_client");
    assert!(
        at.proxy
            .refusals()
            .contains(&(Step::Assertion, Reason::ClientAuthentication))
    );
    let assertion = at.assertion(json!({}));
    let fields = [("grant_type", GRANT), ("assertion", &*assertion)];
    let wrong = [("authorization", &*basic("app", "wrong"))];
    let reply = at.proxy.wire.form("/oauth/token", &fields, &wrong).await;
    reply.refused(401, "invalid_client");
    at.send(&fields, Some("other"))
        .await
        .refused(400, "invalid_grant");
    // None of these used it up.
    at.bring(&assertion, &[]).await.expect(200);
}

#[tokio::test]
async fn the_operator_says_which_clients_and_whether_public_ones() {
    let at = start_with(|trusted| trusted.assertions_for(["other"]), |it| it).await;
    let reply = at.bring(&at.assertion(json!({})), &[]).await;
    reply.refused(400, "invalid_grant");
    assert!(
        at.words(&reply, Reason::NotAllowed)
            .contains("assertions_for")
    );
    let assertion = at.assertion(json!({"client_id": "other"}));
    let fields = [("grant_type", GRANT), ("assertion", &*assertion)];
    at.send(&fields, Some("other")).await.expect(200);

    let at = start_with(TrustedIssuer::assertions_of_public_clients, |it| it).await;
    let assertion = at.assertion(json!({"client_id": "public"}));
    let fields = [
        ("grant_type", GRANT),
        ("assertion", &*assertion),
        ("client_id", "public"),
    ];
    at.send(&fields, None).await.expect(200);
    at.send(&fields, None).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn where_no_person_may_be_named_no_refusal_of_an_assertion_names_one() {
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder.event_detail(Detail::NoPersons)
    })
    .await;
    let eve = |changes: Value| {
        let mut all = json!({"sub": "eve-evil", "email": "eve@evil.example"});
        let members = all.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        at.assertion(all)
    };
    let (mcp, other) = (format!("{BASE}/mcp"), format!("{BASE}/other"));
    let elsewhere = [("resource", &*other)];
    let of_mcp = eve(json!({"resource": mcp}));
    at.bring(&of_mcp, &elsewhere).await.expect(400);
    let unknown = [("scope", "no-such-scope")];
    at.bring(&eve(json!({})), &unknown).await.expect(400);
    let assertion = eve(json!({"client_id": "public"}));
    let fields = [
        ("grant_type", GRANT),
        ("assertion", &*assertion),
        ("client_id", "public"),
    ];
    at.send(&fields, None).await.refused(401, "invalid_client");
    let events = at.proxy.events();
    let refused = events.iter().filter(|event| event.reason.is_some());
    let words: Vec<_> = refused.filter_map(|event| event.detail.clone()).collect();
    for does in ["another resource", "none of the scopes", "authenticate"] {
        let is_it = |words: &&String| words.contains(does) && words.contains("issuer `acme`");
        assert_eq!(words.iter().filter(is_it).count(), 1, "{does}: {words:?}");
    }
    let all = format!("{events:?}");
    assert!(!all.contains("eve"), "{all}");
}

#[tokio::test]
async fn the_token_is_for_the_resource_of_the_assertion_or_one_below_it() {
    let at = start().await;
    let resource = |path: &str| format!("{BASE}{path}");
    let aud = async |claim: Value, asked: Option<&str>| {
        let assertion = at.assertion(json!({"resource": claim}));
        let more: Vec<_> = asked.map(|asked| ("resource", asked)).into_iter().collect();
        let reply = at.bring(&assertion, &more).await;
        if reply.status != StatusCode::OK {
            return Err(reply.error());
        }
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        Ok((
            token.clone(),
            payload(&token)["aud"].as_str().unwrap().to_owned(),
        ))
    };
    let (token, audience) = aud(json!(resource("/mcp")), None).await.unwrap();
    assert_eq!(audience, resource("/mcp"));
    let app = at.proxy.client().await;
    app.call("/mcp", &token).await.expect(200);
    app.call("/other", &token)
        .await
        .refused(401, "invalid_token");
    // As rmcp's clients have it: neither names one.
    assert_eq!(aud(json!(null), None).await.unwrap().1, BASE);
    assert_eq!(
        aud(json!(null), Some(&resource("/a"))).await.unwrap().1,
        resource("/a")
    );
    let below = aud(json!(resource("/mcp")), Some(&resource("/mcp/x"))).await;
    assert_eq!(below.unwrap().1, resource("/mcp/x"));
    let two = json!([resource("/a"), resource("/b")]);
    assert_eq!(
        aud(two.clone(), Some(&resource("/b"))).await.unwrap().1,
        resource("/b")
    );
    for (claim, asked) in [
        (json!(resource("/mcp")), Some(&*resource("/other"))),
        (json!(resource("/mcp")), Some(BASE)),
        (json!(resource("/mcp")), Some("https://other.example")),
        (two, None),
    ] {
        let error = aud(claim.clone(), asked).await.unwrap_err();
        assert_eq!(error, "invalid_target", "{claim} {asked:?}");
    }
}

#[tokio::test]
async fn scopes_are_those_that_the_assertion_the_request_and_the_operator_agree_on() {
    let at = start().await;
    let scope = async |claim: Value, asked: Option<&str>| {
        let assertion = at.assertion(json!({"scope": claim}));
        let more: Vec<_> = asked.map(|asked| ("scope", asked)).into_iter().collect();
        let reply = at.bring(&assertion, &more).await;
        match reply.status {
            StatusCode::OK => Ok(reply.json()["scope"].as_str().unwrap().to_owned()),
            _ => Err(reply.error()),
        }
    };
    for (claim, asked, granted) in [
        (json!("read admin"), None, "read"),
        (json!("read write"), Some("write admin"), "write"),
        (json!("read"), Some("read write"), "read"),
        (json!(null), Some("read offline_access"), "read"),
        (json!(""), None, ""),
    ] {
        assert_eq!(scope(claim, asked).await.as_deref(), Ok(granted));
    }
    for (claim, asked) in [
        (json!("read"), Some("write")),
        (json!("admin"), None),
        (json!(null), Some("admin")),
        (json!(null), Some("a\"b")),
    ] {
        assert_eq!(scope(claim, asked).await.unwrap_err(), "invalid_scope");
    }
}

#[tokio::test]
async fn an_assertion_is_used_once_however_many_bring_it_at_once_to_however_many_instances() {
    let clock = FakeClock::default();
    let store = Store::new(&clock);
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder.token_storage(store.clone())
    })
    .await;
    let trusted = TrustedIssuer::new("acme", ISSUER).jwks_url(at.issuer.url("/keys"));
    let sibling = at.proxy.sibling(|builder| {
        let builder = builder.trusted_issuer(trusted.assertions());
        builder
            .static_client(client("app"))
            .token_storage(store.another_line())
    });
    store.be(Health::Slow);
    for _ in 0..5 {
        let assertion = at.assertion(json!({}));
        let all = (0..20).map(|n| {
            let proxy = if n % 2 == 0 { &at.proxy } else { &sibling };
            let (wire, assertion) = (proxy.wire.clone(), assertion.clone());
            tokio::spawn(async move {
                let fields = [("grant_type", GRANT), ("assertion", &*assertion)];
                send(&wire, &fields, Some("app")).await
            })
        });
        let mut replies = Vec::new();
        for reply in all.collect::<Vec<_>>() {
            replies.push(reply.await.unwrap());
        }
        let won = replies
            .iter()
            .filter(|reply| reply.status == StatusCode::OK);
        assert_eq!(won.count(), 1);
        for lost in replies
            .iter()
            .filter(|reply| reply.status != StatusCode::OK)
        {
            lost.refused(400, "invalid_grant");
        }
        at.bring(&assertion, &[])
            .await
            .refused(400, "invalid_grant");
        at.proxy.told(Step::Assertion, Reason::Replayed);
    }
    // One grant each, and no more.
    let listed = at
        .proxy
        .layer
        .admin()
        .grants_of_client("app")
        .await
        .unwrap();
    assert_eq!(listed.len(), 5);
    // Another issuer's or another assertion's `jti` is another one.
    at.token(json!({"jti": "same"})).await;
    assert!(
        at.refused(json!({"jti": "same"}))
            .await
            .contains("used before")
    );
    at.token(json!({"jti": "same2"})).await;
}

#[tokio::test]
async fn allow_lists_claims_and_the_hook_are_asked_as_at_a_login() {
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder
            .allowed_domains(["acme.example"])
            .allowed_groups(["mcp"])
            .on_login(async |request| {
                assert_eq!(request.occasion, Occasion::Assertion);
                assert_eq!(
                    request.subject,
                    format!("acme|{}", request.person.subject.unwrap())
                );
                assert_eq!((&*request.provider, &*request.client_id), ("acme", "app"));
                match request.person.claims.get("dept") {
                    Some(_) => Err(Veto::new("not this department")),
                    None => Ok(()),
                }
            })
    })
    .await;
    let good = json!({"groups": ["mcp"]});
    at.token(good.clone()).await;
    for (change, reason, word) in [
        (
            json!({"groups": ["x"]}),
            Reason::NotAllowed,
            "allowed_groups",
        ),
        (
            json!({"groups": null}),
            Reason::NotAllowed,
            "allowed_groups",
        ),
        (
            json!({"groups": ["mcp"], "email_verified": null}),
            Reason::NotAllowed,
            "does not vouch",
        ),
        (
            json!({"groups": ["mcp"], "email": "ada@evil.example"}),
            Reason::NotAllowed,
            "allowed_domains",
        ),
        (
            json!({"groups": ["mcp"], "email": null}),
            Reason::NotAllowed,
            "no address",
        ),
        (
            json!({"groups": ["mcp"], "dept": 1}),
            Reason::HookDenied,
            "this department",
        ),
    ] {
        let assertion = at.assertion(change.clone());
        let reply = at.bring(&assertion, &[]).await;
        reply.refused(400, "invalid_grant");
        let events = at.proxy.events();
        let last = events.last().unwrap();
        let words = last.detail.as_deref().unwrap();
        assert_eq!(last.reason, Some(reason), "{change} {words}");
        assert!(words.contains(word), "{change} {words}");
    }
    let reply = at
        .bring(&at.assertion(json!({"groups": ["mcp"], "dept": 1})), &[])
        .await;
    assert_eq!(reply.json()["error_description"], "not this department");
}

#[tokio::test]
async fn a_hook_that_does_not_answer_uses_no_assertion_up() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let panics = Arc::new(AtomicBool::new(true));
    let seen = panics.clone();
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder.on_login(move |_| {
            assert!(!seen.load(Ordering::SeqCst), "on purpose");
            std::future::ready(Ok(()))
        })
    })
    .await;
    let assertion = at.assertion(json!({}));
    let reply = at.bring(&assertion, &[]).await.expect(503);
    assert!(reply.header("retry-after").is_some());
    panics.store(false, Ordering::SeqCst);
    at.bring(&assertion, &[]).await.expect(200);
}

#[tokio::test]
async fn a_key_set_may_change_between_two_assertions_and_an_issuer_that_is_down_is_503() {
    let mut at = start().await;
    at.token(json!({})).await;
    let old = at.key.clone();
    let new = SigningKey::es256("2026-b");
    at.issuer.signs(&new);
    at.proxy.clock.advance(Duration::from_secs(120));
    let header = json!({"alg": "ES256", "kid": "2026-b", "typ": "oauth-id-jag+jwt"});
    let by_new = new.sign_with(&header, &at.claims(&json!({})));
    at.bring(&by_new, &[]).await.expect(200);
    at.key = old;
    at.bring(&at.assertion(json!({})), &[])
        .await
        .refused(400, "invalid_grant");

    let at = start().await;
    at.issuer.always(Kind::Keys, Answer::Status(500));
    let assertion = at.assertion(json!({}));
    let reply = at.bring(&assertion, &[]).await.expect(503);
    assert!(
        at.words(&reply, Reason::ProviderUnavailable)
            .contains("acme")
    );
    at.issuer.always(Kind::Keys, Answer::Normal);
    at.proxy.clock.advance(Duration::from_secs(60));
    at.bring(&assertion, &[]).await.expect(200);
}

#[tokio::test]
async fn a_store_that_fails_uses_no_assertion_up() {
    let store = Store::new(&FakeClock::default());
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder.token_storage(store.clone())
    })
    .await;
    // A read of the deny list; with it the use; all but the grant itself.
    for works in [0, 1, 2] {
        let assertion = at.assertion(json!({}));
        store.be(Health::UpFor(works));
        at.bring(&assertion, &[]).await.expect(503);
        store.be(Health::Up);
        let again = at.bring(&assertion, &[]).await;
        // Where the store died after the use, the use cannot be taken back either.
        match works {
            2 => drop(again.refused(400, "invalid_grant")),
            _ => assert_eq!(again.status, StatusCode::OK),
        };
    }
}

#[tokio::test]
async fn assertions_make_no_more_grants_than_a_person_may_have_and_end_no_login() {
    let at = start_with(
        |trusted| trusted.people_of("oauth").assertions(),
        |builder| builder.grants_per_person(2),
    )
    .await;
    let sub = at.proxy.provider.settings().person["sub"].clone();
    let app = at.proxy.client().await;
    let login = at.proxy.journey(&app).await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        at.proxy.clock.advance(Duration::from_secs(1));
        tokens.push(at.token(json!({"sub": sub})).await);
    }
    app.call("/mcp", &login.access).await.expect(200);
    app.call("/mcp", tokens.last().unwrap()).await.expect(200);
    for old in &tokens[..3] {
        app.call("/mcp", old).await.refused(401, "invalid_token");
    }
}

#[tokio::test]
async fn an_issuer_that_is_trusted_no_more_takes_its_grants_along() {
    let store = Store::new(&FakeClock::default());
    let at = start_with(TrustedIssuer::assertions, |builder| {
        builder.token_storage(store.clone())
    })
    .await;
    let token = at.token(json!({})).await;
    let keys = at.issuer.url("/keys");
    for change in [
        None,
        Some(
            TrustedIssuer::new("acme", ISSUER)
                .jwks_url(keys)
                .access_tokens(["x"]),
        ),
    ] {
        let other = at.proxy.sibling(|builder| {
            let builder = builder.token_storage(store.another_line());
            match change {
                Some(trusted) => builder.trusted_issuer(trusted),
                None => builder,
            }
        });
        let app = other.client().await;
        app.call("/mcp", &token).await.refused(401, "invalid_token");
    }
}

#[tokio::test]
async fn the_grant_type_and_its_profile_are_advertised_and_served_only_where_configured() {
    let metadata = async |proxy: &Proxy| {
        let path = "/.well-known/oauth-authorization-server";
        proxy.wire.get(path, &[]).await.expect(200).json()
    };
    let at = start().await;
    let document = metadata(&at.proxy).await;
    assert!(
        document["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&json!(GRANT))
    );
    assert_eq!(
        document["authorization_grant_profiles_supported"],
        json!(["urn:ietf:params:oauth:grant-profile:id-jag"])
    );
    let proxy = Proxy::with(|builder| builder.static_client(client("app"))).await;
    let document = metadata(&proxy).await;
    assert!(
        !document["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&json!(GRANT))
    );
    assert!(
        document
            .get("authorization_grant_profiles_supported")
            .is_none()
    );
    let fields = [("grant_type", GRANT), ("assertion", "x")];
    let reply = send(&proxy.wire, &fields, Some("app")).await;
    reply.refused(400, "unsupported_grant_type");
}

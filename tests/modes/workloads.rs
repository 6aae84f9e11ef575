//! Workloads get tokens with those of their platform (SEP-1933, a proposal).

use serde_json::{Map, Value, json};
use tower_oauth_proxy::{Reason, Step, TokenSource, TrustedIssuer, Veto, Workload};

use crate::{
    assertions::{GRANT, Setup, start_with},
    inside::{payload, session},
};
use testkit::{Reply, proxy::BASE};

const MAIN: &str = "repo:acme/x:ref:refs/heads/main";

async fn start() -> Setup {
    start_with(
        |trusted| {
            let deploys = Workload::subject(MAIN)
                .scopes(["write"])
                .roles(["deployer"]);
            let agents = Workload::subject("system:serviceaccount:agents:*").scopes(["read"]);
            let pinned = Workload::subject("repo:acme/y:*").claim("repository_id", ["74"]);
            trusted.workload(deploys).workload(agents).workload(pinned)
        },
        // What is asked of people is not asked of workloads.
        |builder| {
            builder
                .allowed_emails(["ada@acme.example"])
                .insecure_trust_unverified_emails()
                .on_login(async |_| Err(Veto::new("nobody")))
        },
    )
    .await
}

fn of(at: &Setup, subject: &str, changes: &Value) -> String {
    let mut all = json!({
        "sub": subject, "client_id": null, "email": null, "roles": ["admin"],
    });
    let more: Map<_, _> = changes.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    at.typed("JWT", &all)
}

async fn bring(at: &Setup, assertion: &str, more: &[(&str, &str)]) -> Reply {
    let fields = [&[("grant_type", GRANT), ("assertion", assertion)], more].concat();
    at.send(&fields, None).await
}

#[tokio::test]
async fn a_workload_gets_a_session_of_its_own_without_being_a_client() {
    let at = start().await;
    let reply = bring(&at, &of(&at, MAIN, &json!({})), &[])
        .await
        .expect(200);
    let answer = reply.json();
    assert_eq!(answer["expires_in"], 900);
    assert!(answer.get("refresh_token").is_none());
    let token = answer["access_token"].as_str().unwrap();
    let seen = session(&at.proxy, token).await;
    let name = format!("acme|{MAIN}");
    assert_eq!(seen.subject(), name);
    assert_eq!(seen.client_id(), name);
    assert_eq!(seen.source(), TokenSource::Workload);
    assert!(!seen.is_person() && !seen.has_upstream());
    // What the rule says, and not what the token says of itself.
    assert_eq!(seen.roles(), ["deployer"]);
    assert_eq!(seen.scopes().to_string(), "write");
    assert!(seen.claims().is_empty());
    assert_eq!(payload(token)["sub"], name);
    // It is listed and ended like any other, and can be denied by its name.
    let admin = at.proxy.layer.admin();
    assert_eq!(admin.grants_of_subject(&name).await.unwrap().len(), 1);
    assert_eq!(admin.revoke_subject(&name).await.unwrap(), 1);
    let app = at.proxy.client().await;
    app.call("/mcp", token).await.refused(401, "invalid_token");
    admin.deny_client(&name).await.unwrap();
    let reply = bring(&at, &of(&at, MAIN, &json!({})), &[]).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Assertion, Reason::DeniedClient);
    // Nor does it come in as a client that anyone may register.
    let reply = bring(&at, &of(&at, MAIN, &json!({})), &[("client_id", "public")]).await;
    reply.refused(400, "invalid_grant");
    at.proxy.told(Step::Assertion, Reason::DeniedClient);
}

#[tokio::test]
async fn the_token_endpoint_may_be_its_audience() {
    let at = start().await;
    for aud in [json!(format!("{BASE}/oauth/token")), json!([BASE])] {
        let assertion = of(&at, MAIN, &json!({"aud": aud}));
        bring(&at, &assertion, &[]).await.expect(200);
    }
    for aud in [
        json!("https://kubernetes.default.svc"),
        json!([BASE, "sts"]),
    ] {
        let assertion = of(&at, MAIN, &json!({"aud": aud}));
        bring(&at, &assertion, &[])
            .await
            .refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn only_workloads_that_the_operator_named_get_one() {
    let at = start().await;
    let named = of(&at, "system:serviceaccount:agents:a", &json!({}));
    assert_eq!(
        bring(&at, &named, &[]).await.expect(200).json()["scope"],
        "read"
    );
    let pinned = of(
        &at,
        "repo:acme/y:pull_request",
        &json!({"repository_id": "74"}),
    );
    assert_eq!(
        bring(&at, &pinned, &[]).await.expect(200).json()["scope"],
        ""
    );
    for (subject, claims) in [
        ("system:serviceaccount:agents:", json!({})),
        ("system:serviceaccount:agents2:a", json!({})),
        ("repo:acme/x:ref:refs/heads/dev", json!({})),
        ("repo:acme/y:pull_request", json!({})),
        ("repo:acme/y:pull_request", json!({"repository_id": "75"})),
        ("grant:1", json!({})),
    ] {
        let reply = bring(&at, &of(&at, subject, &claims), &[]).await;
        reply.refused(400, "invalid_grant");
        assert!(at.words(&reply, Reason::NotAllowed).contains("`acme`"));
    }
}

#[tokio::test]
async fn a_workloads_token_is_no_persons_assertion_and_the_other_way_round() {
    let at = start().await;
    // An identity assertion of an issuer that is trusted with workloads alone.
    let reply = at.bring(&at.assertion(json!({"sub": MAIN})), &[]).await;
    reply.refused(400, "invalid_grant");
    assert!(
        at.words(&reply, Reason::NotAllowed)
            .contains("`assertions`")
    );
    // Other tokens of the same issuer, which happen to be for us.
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt"] {
        let claims = json!({"sub": MAIN});
        let reply = bring(&at, &at.typed(typ, &claims), &[]).await;
        reply.refused(400, "invalid_grant");
    }
    // The workloads' issuer says nothing of people who may come in: the grant type is served, the profile is not.
    let path = "/.well-known/oauth-authorization-server";
    let document = at.proxy.wire.get(path, &[]).await.json();
    let served = document["grant_types_supported"].as_array().unwrap();
    assert!(served.contains(&json!(GRANT)));
    assert!(
        document
            .get("authorization_grant_profiles_supported")
            .is_none()
    );
    let people = start_with(TrustedIssuer::assertions, |builder| builder).await;
    let assertion = of(&people, MAIN, &json!({}));
    let reply = bring(&people, &assertion, &[]).await;
    reply.refused(401, "invalid_client");
    let reply = people.bring(&assertion, &[]).await;
    reply.refused(400, "invalid_grant");
}

#[tokio::test]
async fn it_is_used_once_for_what_it_asked_and_no_more() {
    let at = start().await;
    let assertion = of(&at, MAIN, &json!({}));
    let resource = format!("{BASE}/mcp");
    let wide = bring(&at, &assertion, &[("scope", "read")]).await;
    wide.refused(400, "invalid_scope");
    let away = bring(&at, &assertion, &[("resource", "https://other.example")]).await;
    away.refused(400, "invalid_target");
    let more = [("scope", "read write"), ("resource", &*resource)];
    let reply = bring(&at, &assertion, &more).await.expect(200);
    assert_eq!(reply.json()["scope"], "write");
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(payload(&token)["aud"], resource);
    bring(&at, &assertion, &more)
        .await
        .refused(400, "invalid_grant");
    at.proxy.told(Step::Assertion, Reason::Replayed);
    for missing in ["jti", "iat", "exp", "aud", "sub"] {
        let assertion = of(&at, MAIN, &json!({missing: null}));
        bring(&at, &assertion, &[])
            .await
            .refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_workload_that_names_a_client_is_that_client_and_authenticates_as_it() {
    let at = start().await;
    let reply = at.bring(&of(&at, MAIN, &json!({})), &[]).await.expect(200);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(session(&at.proxy, &token).await.client_id(), "app");
    let assertion = of(&at, MAIN, &json!({}));
    for wrong in [
        ("client_id", "app"),
        ("client_id", "nobody"),
        ("client_secret", "x"),
        ("client_assertion", "x"),
    ] {
        let reply = bring(&at, &assertion, &[wrong]).await;
        reply.refused(401, "invalid_client");
    }
    bring(&at, &assertion, &[]).await.expect(200);
}

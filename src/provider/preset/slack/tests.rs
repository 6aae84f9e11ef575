//! Slack's answers, and what this proxy makes of them.

use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::{
    oauth::ScopeSet,
    provider::{
        fake::{FakeProvider, PATIENT, Script, client, map, tokens},
        upstream_error::Finality,
    },
};

fn id_token() -> Map<String, Value> {
    map(json!({
        "iss": "https://slack.com", "sub": "U0R7MFMJM", "aud": "25259531569.1115229246291",
        "exp": 1_626_874_955, "iat": 1_626_874_655, "auth_time": 1_626_874_655, "nonce": "abcd",
        "at_hash": "tUbyWGBHe0V32FJEupkgVQ", "https://slack.com/team_id": "T0R7GR",
        "https://slack.com/user_id": "U0R7MFMJM", "email": "bront@slack-corp.example",
        "email_verified": true, "date_email_verified": 1_622_128_723, "locale": "en-US",
        "name": "brent", "given_name": "", "family_name": "",
        "https://slack.com/team_image_default": true,
    }))
}

#[test]
fn a_person_is_a_user_of_a_workspace_and_never_a_user_alone() {
    let slack = slack("id", "s");
    let person = Identity::from_claims(slack.dialect.standard_claims(id_token()));
    assert_eq!(person.subject.as_deref(), Some("T0R7GR/U0R7MFMJM"));
    assert_eq!(person.verified_email(), Some("bront@slack-corp.example"));
    for missing in [TEAM, USER] {
        let mut claims = id_token();
        claims.remove(missing);
        let person = Identity::from_claims(slack.dialect.standard_claims(claims.clone()));
        assert_eq!(person.subject, None, "{missing}");
        claims.insert(missing.to_owned(), "".into());
        let person = Identity::from_claims(slack.dialect.standard_claims(claims));
        assert_eq!(person.subject, None, "{missing}");
    }
    // What was normalised once stays.
    let once = slack.dialect.standard_claims(id_token());
    assert_eq!(slack.dialect.standard_claims(once.clone()), once);
}

#[test]
fn slacks_refusals_come_with_200_and_say_whom_they_concern() {
    let slack = slack("id", "s");
    let answer = tokens(
        &slack,
        200,
        &json!({"ok": true, "access_token": "xoxp-1234", "token_type": "Bearer", "id_token": "eyJh.e30.c2ln"}),
    )
    .unwrap();
    assert!(answer.refresh_token.is_none() && answer.expires_in.is_none());
    for (code, expected) in [
        ("invalid_code", Finality::Ends),
        ("code_already_used", Finality::Ends),
        ("invalid_refresh_token", Finality::Ends),
        ("bad_client_secret", Finality::Trouble),
        ("invalid_client_id", Finality::Trouble),
        ("ratelimited", Finality::Trouble),
        ("bad_redirect_uri", Finality::Bounded),
    ] {
        let body = json!({"ok": false, "error": code});
        let error = tokens(&slack, 200, &body).unwrap_err();
        assert_eq!(error.finality(), expected, "{code}");
    }
}

#[test]
fn a_persons_own_token_rotates_and_its_scopes_have_commas() {
    let slack = slack_user("id", "s").scopes(["chat:write"]);
    let rotated = json!({
        "ok": true, "app_id": "A0KRD7HC3", "access_token": "xoxe.xoxp-1-Mi0yLTE", "token_type": "user",
        "expires_in": 43_200, "refresh_token": "xoxe-1-My0xLTE", "scope": "channels:history,chat:write",
        "user_id": "U1234", "team": {"id": "T9TK3CUKW", "name": "Slack Softball Team"}, "enterprise": null,
    });
    let answer = tokens(&slack, 200, &rotated).unwrap();
    assert_eq!(answer.access_token.expose_secret(), "xoxe.xoxp-1-Mi0yLTE");
    assert_eq!(answer.expires_in.unwrap().as_secs(), 43_200);
    assert_eq!(
        answer.scope.unwrap().to_string(),
        "channels:history chat:write"
    );
    let offered = ScopeSet::parse("chat:write").unwrap();
    for trusts in [false, true] {
        let words = slack.vouches_for_email(&offered, trusts).unwrap_err();
        assert!(
            words.contains("no address") && words.contains("team_id"),
            "{words}"
        );
    }
}

#[test]
fn auth_test_names_the_person_as_sign_in_does_and_never_a_bot() {
    let test = json!({
        "ok": true, "url": "https://subarachnoid.slack.com/", "team": "Subarachnoid Workspace",
        "user": "brent", "team_id": "T0R7GR", "user_id": "U0R7MFMJM", "is_enterprise_install": false,
    });
    let person_of = |test: &Value| person(std::slice::from_ref(test));
    let brent = person_of(&test).unwrap();
    let signed_in = slack("id", "s").dialect.standard_claims(id_token());
    assert_eq!(brent.subject, Identity::from_claims(signed_in).subject);
    assert_eq!((brent.name.as_deref(), brent.email), (Some("brent"), None));
    let mut bot = test.clone();
    bot["bot_id"] = "B12345678".into();
    let mut nobody = test;
    nobody["user_id"] = Value::Null;
    for nobody in [bot, nobody, json!([])] {
        assert!(person_of(&nobody).is_err(), "{nobody}");
    }
}

#[tokio::test]
async fn a_token_revokes_itself_and_a_dead_one_is_as_good_as_revoked() {
    for (body, revoked) in [
        (r#"{"ok":true,"revoked":true}"#, Some(true)),
        (r#"{"ok":false,"error":"token_revoked"}"#, Some(true)),
        (r#"{"ok":false,"error":"account_inactive"}"#, Some(true)),
        (r#"{"ok":false,"error":"invalid_auth"}"#, None),
        (r#"{"ok":false,"error":"ratelimited"}"#, None),
    ] {
        let idp = FakeProvider::start(Script::json("200 OK", body)).await;
        let url = format!("http://{}/api/auth.revoke", idp.address);
        let client = client(slack("app", "hunter2").revocation_url(url), PATIENT);
        let answer = client.revoke("xoxp-1234", "access_token").await;
        assert_eq!(answer.ok(), revoked, "{body}");
        let sent = idp.request();
        assert!(
            sent.to_ascii_lowercase()
                .contains("\r\nauthorization: bearer xoxp-1234\r\n"),
            "{sent}"
        );
        assert!(sent.starts_with("POST /api/auth.revoke ") && !sent.contains("hunter2"));
        assert_eq!(client.revoke("xoxe-1", "refresh_token").await, Ok(false));
        assert_eq!(idp.requests.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn userinfo_is_about_the_same_person_as_the_login() {
    let claims = serde_json::to_string(&id_token()).unwrap();
    let idp = FakeProvider::start(Script::json("200 OK", &claims)).await;
    let slack = slack("app", "s").userinfo_url(format!("http://{}/userInfo", idp.address));
    let before = slack.dialect.standard_claims(id_token());
    let client = client(slack, PATIENT);
    let person = client
        .identity_again("xoxp", None, Some(before.clone()))
        .await
        .unwrap();
    let person = person.unwrap();
    assert_eq!(person.subject.as_deref(), Some("T0R7GR/U0R7MFMJM"));
    let mut other = before;
    other.insert("sub".to_owned(), "T9/U0R7MFMJM".into());
    assert!(
        client
            .identity_again("xoxp", None, Some(other))
            .await
            .is_err()
    );
}

//! GitHub's answers, and what this proxy makes of them.

use secrecy::ExposeSecret;

use super::*;
use crate::{
    oauth::ScopeSet,
    provider::{
        fake::{FakeProvider, PATIENT, Script, answer, client, json_answer},
        token_answer::token_answer,
    },
    time::Unix,
};

#[test]
fn a_broader_scope_stands_for_the_narrower_ones_that_github_leaves_out() {
    let github = github("id", "s");
    let granted = github.scopes_from_upstream("repo,admin:org,user:email");
    for scope in [
        "repo",
        "public_repo",
        "repo:status",
        "write:org",
        "read:org",
        "user:email",
    ] {
        assert!(granted.contains(scope), "{scope}");
    }
    for scope in ["user", "read:user", "delete_repo", "admin:org_hook"] {
        assert!(!granted.contains(scope), "{scope}");
    }
    let narrow = github.scopes_from_upstream("read:org,public_repo");
    assert_eq!(narrow.to_string(), "read:org public_repo");
}

#[test]
fn an_enterprise_server_moves_every_url() {
    let github = github("id", "s").authority("https://git.example/");
    assert_eq!(
        github.endpoints.authorize.as_deref().unwrap(),
        "https://git.example/login/oauth/authorize"
    );
    assert_eq!(
        github.endpoints.token.as_deref().unwrap(),
        "https://git.example/login/oauth/access_token"
    );
    assert_eq!(
        github.endpoints.userinfo.as_deref(),
        Some("https://git.example/api/v3/user")
    );
    assert_eq!(
        github.endpoints.revocation.as_deref(),
        Some("https://git.example/api/v3/applications/id/token")
    );
    assert_eq!(github.check(), Ok(()));
}

fn person_of(user: &Value, emails: &Value) -> Result<Identity, UpstreamError> {
    person(&[user.clone(), emails.clone()])
}

#[test]
fn a_github_person_is_a_number_with_the_primary_verified_address() {
    let user = json!({
        "id": 583_231, "login": "octocat", "name": null, "email": "public@x.example",
        "url": "https://api.github.com/users/octocat",
    });
    let emails = json!([
        {"email": "old@x.example", "primary": false, "verified": true},
        {"email": "octo@x.example", "primary": true, "verified": true},
    ]);
    let person = person_of(&user, &emails).unwrap();
    assert_eq!(person.subject.as_deref(), Some("583231"));
    assert_eq!(person.verified_email(), Some("octo@x.example"));
    assert_eq!(person.name.as_deref(), Some("octocat"));
    assert_eq!(person.claims["login"], "octocat");
    assert!(!person.claims.contains_key("url"));

    let unverified = json!([{"email": "octo@x.example", "primary": true, "verified": false}]);
    for none in [unverified, json!([]), Value::Null, json!({"message": "no"})] {
        assert_eq!(person_of(&user, &none).unwrap().email, None);
    }
    for nobody in [
        json!({"login": "octocat"}),
        json!({"id": "583231"}),
        json!({"id": -1}),
    ] {
        assert!(person_of(&nobody, &Value::Null).is_err());
    }
}

#[tokio::test]
async fn githubs_tokens_are_revoked_and_its_people_found_through_its_api() {
    let idp = FakeProvider::with(
        |line| match line.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["DELETE", "/api/v3/applications/app/token"] => {
                Script::Send(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec())
            }
            ["GET", "/api/v3/user"] => Script::json("200 OK", r#"{"id":7,"login":"octocat"}"#),
            ["GET", "/api/v3/user/emails"] => Script::json(
                "200 OK",
                r#"[{"email":"o@x.example","primary":true,"verified":true}]"#,
            ),
            ["POST", "/login/oauth/access_token"] => {
                Script::json("200 OK", r#"{"access_token":"at"}"#)
            }
            _ => Script::json("404 Not Found", "{}"),
        },
    )
    .await;
    let provider = github("app", "hunter2").authority(&format!("http://{}", idp.address));
    let client = client(provider, PATIENT);

    let answer = client
        .exchange_code("c", None, "https://p.example/cb", None, &[])
        .await
        .unwrap();
    let person = client
        .identity(&answer, Some("nonce"), Unix::EPOCH)
        .await
        .unwrap();
    assert_eq!(person.subject.as_deref(), Some("7"));
    assert_eq!(person.verified_email(), Some("o@x.example"));
    assert!(
        idp.request()
            .to_ascii_lowercase()
            .contains("\r\nauthorization: bearer at\r\n")
    );

    assert_eq!(client.revoke("at", "access_token").await, Ok(true));
    assert!(idp.request().ends_with(r#"{"access_token":"at"}"#));
    assert_eq!(client.revoke("rt", "refresh_token").await, Ok(false));
}

#[tokio::test]
async fn an_address_that_is_not_ours_to_read_is_unknown_and_a_failure_is_a_failure() {
    let limited = r#"{"message":"You have exceeded a secondary rate limit."}"#;
    for (status, said, known) in [
        ("404 Not Found", "{}", true),
        ("403 Forbidden", "{}", true),
        ("403 Forbidden", limited, false),
        ("502 Bad Gateway", "{}", false),
    ] {
        let idp = FakeProvider::with(move |line| {
            if line.starts_with("GET /api/v3/user ") {
                Script::json("200 OK", r#"{"id":7,"email":"public@x.example"}"#)
            } else {
                Script::json(status, said)
            }
        })
        .await;
        let provider = github("app", "s").authority(&format!("http://{}", idp.address));
        let asked = client(provider, PATIENT);
        let person = asked.identity_again("at", None, None).await;
        assert_eq!(
            person.map(|person| person.unwrap().email).ok(),
            known.then_some(None),
            "{status}"
        );
    }
}

#[test]
fn an_address_needs_a_scope_of_githubs_own() {
    let github = github("id", "s");
    let scopes = |text| ScopeSet::parse(text).unwrap();
    let fault = |offered| github.vouches_for_email(&scopes(offered), false).err();
    assert_eq!(fault("repo user:email"), None);
    assert_eq!(fault("user"), None);
    for narrow in ["read:user", "repo", "openid email", ""] {
        assert!(fault(narrow).unwrap().contains("user:email"), "{narrow}");
    }
    assert_eq!(github.email_scope(&scopes("repo user")), Some("user"));
    let both = scopes("user user:email");
    assert_eq!(github.email_scope(&both), Some("user:email"));
    assert_eq!(github.email_scope(&scopes("repo")), None);
}

#[test]
fn everybody_has_an_account_at_github_and_not_at_a_server_of_ones_own() {
    let github = github("id", "s");
    assert!(github.is_open_to_all());
    assert!(!github.authority("https://git.example").is_open_to_all());
}

#[test]
fn githubs_words_for_a_dead_code_or_token_end_a_grant_and_those_for_the_app_do_not() {
    for (code, expected) in [
        ("bad_verification_code", Finality::Ends),
        ("bad_refresh_token", Finality::Ends),
        ("incorrect_client_credentials", Finality::Trouble),
        ("a_word_of_tomorrow", Finality::Bounded),
    ] {
        let body = json!({ "error": code }).to_string();
        let error = token_answer(&github("id", "s"), &json_answer(200, &body)).unwrap_err();
        assert_eq!(error.finality(), expected, "{code}");
    }
}

#[test]
fn githubs_form_is_read_and_its_commas_and_implied_scopes_understood() {
    let body = b"access_token=gho_x&scope=repo%2Cuser%3Aemail&token_type=bearer";
    for content_type in [
        Some("application/x-www-form-urlencoded; charset=utf-8"),
        None,
    ] {
        let github = github("id", "s");
        let answer = token_answer(&github, &answer(200, content_type, body)).unwrap();
        assert_eq!(answer.access_token.expose_secret(), "gho_x");
        let scope = answer.scope.unwrap();
        assert!(scope.contains("public_repo") && scope.contains("user:email"));
        // Without token expiration: no end, no refresh token.
        assert_eq!(answer.expires_in, None);
        assert!(answer.refresh_token.is_none());
    }
}

#[test]
fn an_app_with_token_expiration_gives_eight_hours_and_a_refresh_token() {
    let github = github("id", "s").upstream_scopes(["offline_access"]);
    let repo = ScopeSet::parse("repo").unwrap();
    assert_eq!(github.scope_param(&repo, &repo), "repo offline_access");
    let body = json!({
        "access_token": "gho_16C7e42F292c6912E7710c838347Ae178B4a", "expires_in": 28_800,
        "refresh_token": "ghr_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B",
        "refresh_token_expires_in": 15_897_600, "scope": "repo", "token_type": "bearer",
    });
    let answer = token_answer(&github, &json_answer(200, &body.to_string())).unwrap();
    assert_eq!(answer.expires_in.unwrap().as_secs(), 28_800);
    assert!(answer.refresh_token.is_some());
}

#[tokio::test]
async fn a_token_that_github_does_not_know_is_as_good_as_revoked_and_trouble_is_not() {
    for (status, revoked) in [
        ("404 Not Found", Some(true)),
        ("422 Unprocessable Entity", Some(true)),
        ("401 Unauthorized", None),
        ("403 Forbidden", None),
        ("500 Internal Server Error", None),
    ] {
        let idp = FakeProvider::with(move |_| Script::json(status, "{}")).await;
        let provider = github("app", "s").authority(&format!("http://{}", idp.address));
        let asked = client(provider.clone(), PATIENT);
        let answer = asked.revoke("at", "access_token").await;
        assert_eq!(answer.ok(), revoked, "{status}");
        // GitHub wants the app's secret for it.
        let public = provider.without_client_secret();
        let answer = client(public, PATIENT).revoke("at", "access_token").await;
        assert_eq!(answer, Ok(false));
        assert_eq!(idp.requests.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn there_is_no_person_without_githubs_user_document() {
    use crate::provider::person::IdentityError;
    for (status, is_forbidden) in [
        ("403 Forbidden", true),
        ("404 Not Found", true),
        ("200 OK", false),
    ] {
        let idp = FakeProvider::with(move |_| Script::json(status, "[]")).await;
        let provider = github("app", "s").authority(&format!("http://{}", idp.address));
        let client = client(provider, PATIENT);
        let Err(IdentityError::Upstream(error)) = client.identity_again("at", None, None).await
        else {
            panic!("{status}")
        };
        // What it does to a grant differs: the token may not read it, or the answer is odd.
        let is_not_permitted = matches!(error, UpstreamError::NotPermitted { .. });
        assert_eq!(is_not_permitted, is_forbidden, "{error}");
    }
}

#[test]
fn an_organization_or_a_team_is_asked_about_below_the_api_and_nothing_leaves_its_segment() {
    let person = |login: &str| {
        let claims = json!({ "login": login });
        claims.as_object().unwrap().clone()
    };
    let url = |user: &str, entry: &str, login: &str| membership_url(user, entry, &person(login));
    const API: &str = "https://api.github.com/user";
    assert_eq!(
        url(API, "acme", "ada").as_deref(),
        Some("https://api.github.com/user/memberships/orgs/acme")
    );
    assert_eq!(
        url("https://git.example/api/v3/user", "acme/web", "ada_acme").as_deref(),
        Some("https://git.example/api/v3/orgs/acme/teams/web/memberships/ada_acme")
    );
    for login in ["", "..", "a/b", "a?b", "a%2fb", "é"] {
        assert_eq!(url(API, "acme/web", login), None, "{login}");
    }
    assert_eq!(url("https://proxy.example/me", "acme/web", "ada"), None);
    for (entry, known) in [
        ("Acme", Some("acme")),
        ("ACME/Web_2", Some("acme/web_2")),
        ("", None),
        ("/", None),
        ("acme/", None),
        ("/web", None),
        ("acme/web/x", None),
        ("acme/..", None),
        ("acme?x", None),
        ("@acme", None),
    ] {
        assert_eq!(organization(entry).ok().as_deref(), known, "{entry}");
    }
}

#[test]
fn the_scope_for_organizations_is_asked_for_where_they_are_named_and_by_oauth_apps_alone() {
    let scopes = |github: Provider| {
        let asked = ScopeSet::parse("read:user").unwrap();
        github.scopes_to_upstream(&asked, &asked).join(" ")
    };
    assert_eq!(scopes(github("id", "s")), "read:user");
    let named = github("id", "s").allowed_organizations(["acme"]);
    assert_eq!(scopes(named.clone()), "read:user read:org");
    let other = named.upstream_scopes(["read:org", "offline_access"]);
    assert_eq!(scopes(other), "read:user read:org offline_access");
    let app = crate::provider::github_app("Iv1", "s").allowed_organizations(["acme"]);
    assert_eq!(scopes(app), "");
}

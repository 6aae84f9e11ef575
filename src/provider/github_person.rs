//! Who a person is to GitHub, which has an API where others have ID tokens.

use serde_json::{Map, Value};

use super::{
    identity::{Identity, MAX_TEXT_BYTES, short_text},
    person::{IdentityError, bounded},
    upstream_error::UpstreamError,
};
use crate::provider::ProviderClient;

impl ProviderClient {
    /// `GET /user` and `GET /user/emails`. The second needs the scope `user:email`; without it the
    /// address is unknown.
    pub(super) async fn github_identity(
        &self,
        url: &str,
        access_token: &str,
    ) -> Result<Identity, IdentityError> {
        let user = self.get_object(url, access_token).await?;
        let emails = match self.get_json(&format!("{url}/emails"), access_token).await {
            Ok(emails) => emails,
            Err(UpstreamError::NotPermitted { .. }) => Value::Null,
            Err(error) => return Err(error.into()),
        };
        Ok(github_person(&user, &emails)?)
    }
}

/// What is kept of GitHub's user document: it has thirty members, mostly URLs of its API.
const GITHUB_CLAIMS: &[&str] = &[
    "id",
    "login",
    "name",
    "avatar_url",
    "html_url",
    "company",
    "location",
];

fn github_person(user: &Map<String, Value>, emails: &Value) -> Result<Identity, UpstreamError> {
    // The login name can be given up and taken by another person: the number cannot.
    let id = user.get("id").and_then(Value::as_u64).ok_or_else(|| {
        UpstreamError::Malformed("GitHub's user document has no numeric `id`".to_owned())
    })?;
    let primary = emails.as_array().into_iter().flatten().find_map(|entry| {
        let flag = |name| entry.get(name) == Some(&Value::Bool(true));
        let address = entry.get("email")?.as_str()?;
        (flag("primary") && flag("verified") && address.len() <= MAX_TEXT_BYTES).then_some(address)
    });
    let mut claims: Map<String, Value> = GITHUB_CLAIMS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), user.get(*name)?.clone())))
        .collect();
    claims.insert("sub".to_owned(), id.to_string().into());
    if let Some(email) = primary {
        claims.insert("email".to_owned(), email.into());
        claims.insert("email_verified".to_owned(), true.into());
    }
    let mut person = Identity::from_claims(bounded(claims)?);
    person.name = person.name.or_else(|| short_text(user, "login"));
    Ok(person)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        provider::fake::{FakeProvider, PATIENT, Script, client},
        provider::github,
    };

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_github_person_is_a_number_with_the_primary_verified_address() {
        let user = map(&json!({
            "id": 583_231, "login": "octocat", "name": null, "email": "public@x.example",
            "url": "https://api.github.com/users/octocat",
        }));
        let emails = json!([
            {"email": "old@x.example", "primary": false, "verified": true},
            {"email": "octo@x.example", "primary": true, "verified": true},
        ]);
        let person = github_person(&user, &emails).unwrap();
        assert_eq!(person.subject.as_deref(), Some("583231"));
        assert_eq!(person.verified_email(), Some("octo@x.example"));
        assert_eq!(person.name.as_deref(), Some("octocat"));
        assert_eq!(person.claims["login"], "octocat");
        assert!(!person.claims.contains_key("url"));

        let unverified = json!([{"email": "octo@x.example", "primary": true, "verified": false}]);
        for none in [unverified, json!([]), Value::Null, json!({"message": "no"})] {
            assert_eq!(github_person(&user, &none).unwrap().email, None);
        }
        for nobody in [
            json!({"login": "octocat"}),
            json!({"id": "583231"}),
            json!({"id": -1}),
        ] {
            assert!(github_person(&map(&nobody), &Value::Null).is_err());
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
        let person = client.identity(&answer, Some("nonce"), 0).await.unwrap();
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
            let url = provider.userinfo_url.clone().unwrap();
            let person = client(provider, PATIENT).github_identity(&url, "at").await;
            assert_eq!(
                person.map(|person| person.email).ok(),
                known.then_some(None),
                "{status}"
            );
        }
    }
}

//! Notion.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::provider::{
    dialect::{Body, Dialect, Document, IdentityApi, Revocation, Verb, Vouches},
    endpoints::Endpoints,
    identity::Identity,
    provider::Provider,
    upstream_error::UpstreamError,
};

/// Notion accounts, through a public integration.
///
/// Create an integration of the type "Public" at <https://www.notion.so/my-integrations>, with the
/// redirect URI `{base_url}/oauth/callback`. What it may do are its "Capabilities": for an address,
/// choose "Read user information including email addresses". Client ID and secret are under
/// "Configuration".
///
/// | | |
/// |---|---|
/// | scopes | Notion has none: permissions are the integration's capabilities and the pages that the person picks. Scopes of this layer are your own; every client gets what it asks for |
/// | the person | the id of the user who authorized, which stays; it is the claim `sub` |
/// | the address | without a word whether it was verified |
/// | refresh | newer integrations get a refresh token; a refresh replaces both tokens. Older ones have tokens without an end |
/// | revocation | the access token |
/// | what cannot be done | PKCE; a client may not ask for anything |
///
/// Anyone can open an account, and each person chooses the workspace: it is the claim `workspace_name`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let notion = provider::notion("2f8d872b-594c-8063-a0d0-0037e9b7e2c1", "secret_s3cr3t");
/// assert!(notion.check().is_ok());
/// ```
#[must_use]
pub fn notion(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "notion",
        "Notion",
        Endpoints::new(
            "https://api.notion.com/v1/oauth/authorize",
            "https://api.notion.com/v1/oauth/token",
        ),
        Arc::new(Notion),
        client_id,
        client_secret,
    )
    .revocation_url("https://api.notion.com/v1/oauth/revoke")
    .userinfo_url("https://api.notion.com/v1/users/me")
    .authorization_param("owner", "user")
    .uses_pkce(false)
}

#[derive(Debug)]
struct Notion;

impl Dialect for Notion {
    fn identity(&self) -> Option<IdentityApi> {
        Some(IdentityApi {
            documents: &[Document {
                path: "",
                is_needed: true,
            }],
            read: person,
        })
    }

    fn body(&self) -> Body {
        Body::Json
    }

    /// Every request has to name a version of the API. This one is old enough to stay.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("notion-version", "2022-06-28")]
    }

    /// The API refuses members that it does not know, `token_type_hint` among them.
    fn revoke(&self, token: &str, hint: &str) -> Revocation {
        match hint {
            "access_token" => Revocation::ByApp {
                verb: Verb::Post,
                json: json!({ "token": token }),
                unknown: &[],
            },
            _ => Revocation::Impossible,
        }
    }

    fn has_scopes(&self) -> bool {
        false
    }

    fn vouches(&self) -> Vouches {
        Vouches::Never("the claim `sub`")
    }

    fn is_open_to_all(&self) -> bool {
        true
    }
}

/// A token belongs to a bot, and the bot to the person who let it in.
fn person(documents: &[Value]) -> Result<Identity, UpstreamError> {
    let bot = documents.first().and_then(|me| me.get("bot"));
    let user = bot.and_then(|bot| bot.pointer("/owner/user"));
    let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
    let Some(id) = text(user.and_then(|user| user.get("id"))) else {
        return Err(UpstreamError::Malformed(
            "the token belongs to a workspace and not to a person: the integration has to be \
             public"
                .to_owned(),
        ));
    };
    let found = [
        ("sub", Some(id)),
        ("name", text(user.and_then(|user| user.get("name")))),
        (
            "picture",
            text(user.and_then(|user| user.get("avatar_url"))),
        ),
        (
            "email",
            text(user.and_then(|user| user.pointer("/person/email"))),
        ),
        (
            "workspace_id",
            text(bot.and_then(|bot| bot.get("workspace_id"))),
        ),
        (
            "workspace_name",
            text(bot.and_then(|bot| bot.get("workspace_name"))),
        ),
    ];
    let claims: Map<String, Value> = found
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    Identity::of_answer(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::{
            fake::{FakeProvider, PATIENT, Script, client, tokens},
            upstream_error::Finality,
        },
        time::Unix,
    };

    fn me() -> Value {
        json!({
            "object": "user", "id": "16d84278-ab0e-484c-9bdd-b35da3bd8905", "name": "pied piper",
            "avatar_url": null, "type": "bot",
            "bot": {
                "owner": {
                    "type": "user",
                    "user": {
                        "object": "user", "id": "5389a034-eb5c-47b5-8a9e-f79c99ef166c",
                        "name": "christine makenotion", "avatar_url": null, "type": "person",
                        "person": {"email": "christine@makenotion.example"},
                    },
                },
                "workspace_name": "Ada's Notion",
            },
        })
    }

    fn token_answer() -> Value {
        json!({
            "access_token": "ntn_e202e8c9", "token_type": "bearer", "refresh_token": "nrt_7a1e",
            "bot_id": "b3414d65-1224-5774-6ffc-cc9d8773d288", "duplicated_template_id": null,
            "owner": {"type": "user", "user": {"object": "user", "id": "5389a034-eb5c-47b5-8a9e-f79c99ef166c"}},
            "workspace_icon": "https://website.example/image.png", "workspace_name": "Ada's Notion",
            "workspace_id": "j565j4d7-2882-61bs-564a-9d9ui36hxfr7", "request_id": "0f7b",
        })
    }

    #[test]
    fn the_person_is_the_bots_owner_and_not_the_bot() {
        let christine = person(&[me()]).unwrap();
        assert_eq!(
            christine.subject.as_deref(),
            Some("5389a034-eb5c-47b5-8a9e-f79c99ef166c")
        );
        assert_eq!(
            christine.email.as_deref(),
            Some("christine@makenotion.example")
        );
        assert_eq!(christine.verified_email(), None);
        assert_eq!(christine.name.as_deref(), Some("christine makenotion"));
        assert_eq!(christine.claims["workspace_name"], "Ada's Notion");
        let mut internal = me();
        internal["bot"]["owner"] = json!({"type": "workspace", "workspace": true});
        for nobody in [
            internal,
            json!({"object": "user", "id": "1", "type": "person"}),
            json!(null),
        ] {
            assert!(person(std::slice::from_ref(&nobody)).is_err(), "{nobody}");
        }
    }

    #[test]
    fn no_scope_is_ever_sent_and_a_token_answer_without_an_end_is_read() {
        let notion = notion("id", "s").scopes(["read"]);
        let read = ScopeSet::parse("read").unwrap();
        assert_eq!(notion.scope_param(&read, &read), "");
        assert!(notion.authorization_url(&[], &[]).ends_with("owner=user"));
        let answer = tokens(&notion, 200, &token_answer()).unwrap();
        assert_eq!((answer.expires_in, answer.scope), (None, None));
        assert!(answer.refresh_token.is_some());
        for (status, body, expected) in [
            (
                400,
                json!({"error": "invalid_grant", "request_id": "0f7b"}),
                Finality::Ends,
            ),
            (
                401,
                json!({"error": "invalid_client", "request_id": "0f7b"}),
                Finality::Trouble,
            ),
            (
                400,
                json!({"object": "error", "status": 400, "code": "validation_error",
                    "message": "body failed validation: body.code should be defined"}),
                Finality::Bounded,
            ),
            (
                429,
                json!({"object": "error", "status": 429, "code": "rate_limited"}),
                Finality::Trouble,
            ),
        ] {
            let error = tokens(&notion, status, &body).unwrap_err();
            assert_eq!(error.finality(), expected, "{body}");
        }
    }

    #[tokio::test]
    async fn json_goes_to_the_token_endpoint_and_a_version_with_every_request() {
        let idp = FakeProvider::with(|line| match line.split(' ').nth(1) {
            Some("/me") => Script::json("200 OK", &me().to_string()),
            Some("/token") => Script::json("200 OK", &token_answer().to_string()),
            _ => Script::json("200 OK", r#"{"request_id":"0f7b"}"#),
        })
        .await;
        let at = |path: &str| format!("http://{}/{path}", idp.address);
        let mut provider = notion("app", "hunter2")
            .userinfo_url(at("me"))
            .revocation_url(at("revoke"));
        provider.endpoints.token = Endpoints::new("https://a.example", at("token")).token;
        let client = client(provider, PATIENT);
        let answer = client
            .exchange_code("c", None, "https://p.example/cb", None, &[])
            .await
            .unwrap();
        let sent = idp.request();
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("notion-version: 2022-06-28"), "{head}");
        assert!(head.contains("authorization: basic "), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            body,
            json!({"grant_type": "authorization_code", "code": "c",
                "redirect_uri": "https://p.example/cb"})
        );
        client.refresh("nrt_7a1e", None, &[]).await.unwrap();
        let sent = idp.request();
        assert!(
            sent.ends_with(r#"{"grant_type":"refresh_token","refresh_token":"nrt_7a1e"}"#),
            "{sent}"
        );
        let person = client.identity(&answer, None, Unix::EPOCH).await.unwrap();
        assert_eq!(person.name.as_deref(), Some("christine makenotion"));
        assert!(
            idp.request()
                .to_ascii_lowercase()
                .contains("notion-version")
        );
        assert_eq!(client.revoke("ntn_x", "access_token").await, Ok(true));
        let sent = idp.request();
        assert!(
            sent.starts_with("POST /revoke ") && sent.ends_with(r#"{"token":"ntn_x"}"#),
            "{sent}"
        );
        assert_eq!(client.revoke("nrt_x", "refresh_token").await, Ok(false));
    }
}

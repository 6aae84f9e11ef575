//! Discord.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::provider::{
    audience_proof::{Ask, AudienceProof, Issued},
    dialect::{Dialect, Document, IdentityApi, Vouches},
    endpoints::Endpoints,
    identity::Identity,
    prompt::Prompts,
    provider::Provider,
    upstream_error::UpstreamError,
};

/// Discord accounts.
///
/// Create an application at <https://discord.com/developers/applications>. On the page "OAuth2" add the
/// redirect `{base_url}/oauth/callback`, copy the client ID, and press "Reset Secret" for the secret.
///
/// | | |
/// |---|---|
/// | scopes unless set | `identify email`; `identify` is always asked for |
/// | the person | `id`, a number in a string that stays; it is the claim `sub`. The claim `preferred_username` can change hands |
/// | the address | the account's, with `email_verified` where Discord verified it |
/// | refresh | always: a token lives for 7 days and comes with a refresh token |
/// | revocation | one token ends the person's whole approval of your app |
///
/// Anyone can open an account, so say who may log in: by address, or in the login hook. Members of a
/// server (guild) are told apart by the scope `guilds` and a call of your own.
///
/// Because of how Discord revokes, ending one grant of a person ends what their other clients hold as
/// well, as soon as those renew. They log in again.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let discord = provider::discord("157730590492196864", "client-secret")
///     .scopes(["identify", "email", "guilds"]);
/// assert!(discord.check().is_ok());
/// ```
#[must_use]
pub fn discord(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "discord",
        "Discord",
        Endpoints::new(
            "https://discord.com/oauth2/authorize",
            "https://discord.com/api/oauth2/token",
        ),
        Arc::new(Discord),
        client_id,
        client_secret,
    )
    .revocation_url("https://discord.com/api/oauth2/token/revoke")
    .userinfo_url("https://discord.com/api/users/@me")
    .issuer("https://discord.com")
    .jwks_url("https://discord.com/api/oauth2/keys")
    .scopes(["identify", "email"])
    .upstream_scopes(["identify"])
}

#[derive(Debug)]
struct Discord;

impl Dialect for Discord {
    fn identity(&self) -> Option<IdentityApi> {
        Some(IdentityApi {
            documents: &[Document {
                path: "",
                is_needed: true,
            }],
            read: person,
        })
    }

    fn audience_proof(&self) -> Option<AudienceProof> {
        Some(AudienceProof {
            url: "https://discord.com/api/oauth2/@me".to_owned(),
            ask: Ask::AsBearer,
            unknown: &[],
            names_person: false,
            read: issued,
        })
    }

    fn prompts(&self) -> Prompts {
        Prompts::One(&["consent", "none"])
    }

    fn vouches(&self) -> Vouches {
        Vouches::ByScope(&["email"])
    }

    fn is_open_to_all(&self) -> bool {
        true
    }
}

/// `expires` is a date in words of ISO 8601, which the userinfo answers make needless to read.
fn issued(fields: &Map<String, Value>) -> Issued {
    let app = fields
        .get("application")
        .and_then(|app| app.get("id")?.as_str());
    let scopes = fields.get("scopes").and_then(Value::as_array);
    let scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
    Issued {
        app: app.map(str::to_owned),
        scopes: scopes.map(str::to_owned).collect(),
        ..Issued::default()
    }
}

/// What is kept of the user document, by Discord's name and by the standard one.
const CLAIMS: &[(&str, &str)] = &[
    ("id", "sub"),
    ("username", "preferred_username"),
    ("global_name", "name"),
    ("email", "email"),
    ("verified", "email_verified"),
    ("avatar", "avatar"),
    ("locale", "locale"),
    ("mfa_enabled", "mfa_enabled"),
];

fn person(documents: &[Value]) -> Result<Identity, UpstreamError> {
    let user = documents.first().and_then(Value::as_object);
    let known = |name: &str| user?.get(name).filter(|value| !value.is_null());
    let id = known("id").and_then(Value::as_str).unwrap_or_default();
    // A "snowflake": more than a JSON number holds.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UpstreamError::Malformed(
            "Discord's user document has no `id` of digits".to_owned(),
        ));
    }
    let claims: Map<String, Value> = CLAIMS
        .iter()
        .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), known(theirs)?.clone())))
        .collect();
    let mut person = Identity::of_answer(claims)?;
    let username = || known("username")?.as_str().map(str::to_owned);
    person.name = person.name.or_else(username);
    Ok(person)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::{
            fake::{FakeProvider, PATIENT, Script, client, tokens},
            upstream_error::Finality,
        },
        time::Unix,
    };

    fn read(user: Value) -> Result<Identity, UpstreamError> {
        person(&[user])
    }

    #[test]
    fn a_person_is_a_snowflake_and_verified_means_the_address() {
        let user = json!({
            "id": "80351110224678912", "username": "nelly", "global_name": "Nelly",
            "discriminator": "0", "avatar": "8342729096ea3675442027381ff50dfe", "verified": true,
            "email": "nelly@discord.example", "flags": 64, "banner": null, "premium_type": 1,
        });
        let person = read(user).unwrap();
        assert_eq!(person.subject.as_deref(), Some("80351110224678912"));
        assert_eq!(person.verified_email(), Some("nelly@discord.example"));
        assert_eq!(person.name.as_deref(), Some("Nelly"));
        assert_eq!(person.claims["preferred_username"], "nelly");
        assert!(!person.claims.contains_key("flags"));

        for (verified, email) in [
            (json!(false), json!("n@x.example")),
            (json!(true), json!(null)),
        ] {
            let user = json!({"id": "1", "username": "n", "global_name": null,
                "verified": verified, "email": email});
            let person = read(user).unwrap();
            assert_eq!(person.verified_email(), None);
            assert_eq!(person.name.as_deref(), Some("n"));
        }
        for nobody in [
            json!({"username": "nelly"}),
            json!({"id": 80_351_110_224_678_912_u64}),
            json!({"id": ""}),
            json!({"id": "nelly"}),
            json!(null),
        ] {
            assert!(read(nobody.clone()).is_err(), "{nobody}");
        }
    }

    #[test]
    fn discords_answers_are_the_rfcs() {
        let provider = discord("id", "s");
        let answer = tokens(
            &provider,
            200,
            &json!({
                "access_token": "6qrZcUqja7812RVdnEKjpzOL4CvHBFG", "token_type": "Bearer",
                "expires_in": 604_800, "refresh_token": "D43f5y0ahjqew82jZ4NViEr2YafMKhue",
                "scope": "identify email",
            }),
        )
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 604_800);
        assert!(answer.refresh_token.is_some());
        assert_eq!(answer.scope.unwrap().to_string(), "identify email");
        let dead = json!({"error": "invalid_grant", "error_description": "Invalid \"refresh_token\" in request."});
        let error = tokens(&provider, 400, &dead).unwrap_err();
        assert_eq!(error.finality(), Finality::Ends);
    }

    #[test]
    fn identify_is_asked_for_whatever_the_client_wants() {
        let scopes = |text: &str| ScopeSet::parse(text).unwrap();
        let discord = discord("id", "s").scopes(["guilds", "email"]);
        let asked = discord.scope_param(&scopes("guilds"), &scopes("guilds email"));
        assert_eq!(asked, "guilds identify");
        assert!(discord.vouches_for_email(&scopes("guilds"), false).is_err());
        assert_eq!(
            discord.vouches_for_email(&scopes("guilds email"), false),
            Ok(())
        );
    }

    #[tokio::test]
    async fn forms_go_to_the_token_endpoint_and_the_user_document_says_who_it_is() {
        let idp = FakeProvider::with(|line| match line {
            line if line.starts_with("GET /users/@me ") => {
                Script::json("200 OK", r#"{"id":"7","username":"nelly"}"#)
            }
            _ => Script::json("200 OK", r#"{"access_token":"at"}"#),
        })
        .await;
        let mut provider =
            discord("app", "hunter2").userinfo_url(format!("http://{}/users/@me", idp.address));
        let own = Endpoints::new("https://a.example", format!("http://{}/token", idp.address));
        provider.endpoints.token = own.token;
        let client = client(provider, PATIENT);
        let answer = client
            .exchange_code("c", Some("v"), "https://p.example/cb", None, &[])
            .await
            .unwrap();
        assert_eq!(answer.access_token.expose_secret(), "at");
        let sent = idp.request().to_ascii_lowercase();
        assert!(
            sent.contains("content-type: application/x-www-form-urlencoded"),
            "{sent}"
        );
        let person = client.identity(&answer, None, Unix::EPOCH).await.unwrap();
        assert_eq!(person.subject.as_deref(), Some("7"));
    }

    #[test]
    fn the_current_authorization_names_the_application() {
        let said = json!({
            "application": {"id": "159799960412356608", "name": "AIRHORN SOLUTIONS"},
            "scopes": ["guilds.join", "identify"], "expires": "2021-01-23T02:33:17.017000+00:00",
        });
        let issued = issued(said.as_object().unwrap());
        assert_eq!(issued.app.as_deref(), Some("159799960412356608"));
        assert_eq!(issued.scopes, ["guilds.join", "identify"]);
        assert_eq!(super::issued(&Map::new()).app, None);
    }
}

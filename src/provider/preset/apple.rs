//! Apple.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use crate::{
    jose::{Algorithm, SigningKey},
    limits::ASSERTION_BACKDATED,
    oauth::printable,
    provider::{
        client_key::signed_secret,
        credential::Credential,
        dialect::{Dialect, Nonce},
        endpoints::Endpoints,
        prompt::Prompts,
        provider::{Provider, TokenEndpointAuth},
    },
};

/// Apple Accounts, by "Sign in with Apple".
///
/// You need a membership of the Apple Developer Program. At
/// <https://developer.apple.com/account/resources>:
///
/// 1. Identifiers: an App ID with the capability "Sign in with Apple". Its prefix is the `team_id`.
/// 2. Identifiers: a Services ID. Its identifier (`com.example.mcp`) is the `services_id`. Configure "Sign in
///    with Apple": the App ID, your domain, and the return URL `{base_url}/oauth/callback`. Apple takes no
///    `localhost`, no address, and nothing but https.
/// 3. Keys: a key with "Sign in with Apple". Download it (`AuthKey_ABC123DEFG.p8`, once); its name has the
///    `key_id`.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid email`. A name would come by a form of its own, once, and is not read |
/// | the person | `sub`, which stays, and which is another one for another team |
/// | the address | with `email_verified`. With "Hide My Email" it is a relay's, and the claim `is_private_email` is true |
/// | refresh | the refresh token stays and has no end. Apple wants it used once a day at most, so a token counts as good for a day |
/// | revocation | the refresh token, and with it the person's approval of the app |
/// | what cannot be done | PKCE and asking for consent again. The token opens no API: it is for logging in |
///
/// Apple's client secret is a JWT. It is signed here, with the key, and again before it ends; so nothing has to
/// be renewed by hand. Set `secret_key`: there is no client secret that other keys could be derived from. The
/// answer comes as a posted form, which the callback takes.
///
/// Anyone can open an account, so say who may log in: with relay addresses, by `sub`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let p8 = "-----BEGIN PRIVATE KEY-----
/// MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg
/// ...";
/// let apple = provider::apple("com.example.mcp", "TEAM123456", "ABC123DEFG", p8);
/// // The example's key is cut off.
/// assert!(apple.check().unwrap_err().to_string().contains("key"));
/// ```
#[must_use]
pub fn apple(
    services_id: impl Into<String>,
    team_id: &str,
    key_id: &str,
    p8_key: impl AsRef<str>,
) -> Provider {
    let (credential, fault) = match credential(team_id, key_id, p8_key.as_ref()) {
        Ok(credential) => (credential, None),
        Err(fault) => (Credential::None, Some(fault)),
    };
    let provider = Provider::new(
        "apple",
        "Apple",
        Endpoints::new(
            "https://appleid.apple.com/auth/authorize",
            "https://appleid.apple.com/auth/token",
        ),
        Arc::new(Apple { fault }),
        services_id,
        "",
    );
    Provider {
        credential,
        ..provider
    }
    .revocation_url("https://appleid.apple.com/auth/revoke")
    .issuer(ISSUER)
    .jwks_url("https://appleid.apple.com/auth/keys")
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "email"])
    // Where `email` is asked for, Apple answers in no other way.
    .form_post(true)
    .uses_pkce(false)
}

const ISSUER: &str = "https://appleid.apple.com";

/// Apple takes six months at most.
const SECRET_LIFE: Duration = Duration::from_secs(3_600);

/// "You may verify the refresh token up to once a day".
const A_DAY: u64 = 86_400;

/// Of an identifier that is none, in characters: a file's name, and nothing of a key's own bytes.
const SHOWN_OF_AN_ID: usize = 30;

fn credential(team_id: &str, key_id: &str, p8_key: &str) -> Result<Credential, String> {
    for (what, id) in [("team's ID", team_id), ("key's ID", key_id)] {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            // Given in another order, it is the key.
            let shown = printable(id, SHOWN_OF_AN_ID);
            return Err(format!(
                "`{shown}` is not a {what}: use the ten letters and digits of it"
            ));
        }
    }
    let key = SigningKey::from_pem(p8_key, Some(key_id.to_owned()))
        .and_then(|key| key.with_algorithm(Algorithm::Es256))
        .map_err(|error| format!("the key (.p8) is not usable: {error}"))?;
    let team_id = team_id.to_owned();
    let supply = signed_secret(key, SECRET_LIFE, move |client_id, now, until| {
        [
            ("iss", json!(team_id)),
            ("iat", json!((now - ASSERTION_BACKDATED).secs())),
            ("exp", json!(until.secs())),
            ("aud", json!(ISSUER)),
            ("sub", json!(client_id)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    });
    Ok(Credential::MadeSecret(supply))
}

#[derive(Debug)]
struct Apple {
    /// What is wrong with the key.
    fault: Option<String>,
}

impl Dialect for Apple {
    /// The access token opens nothing, so its hour is not what a renewal has to keep to.
    fn tokens(&self, mut answer: Map<String, Value>) -> Map<String, Value> {
        if answer.contains_key("expires_in") {
            answer.insert("expires_in".to_owned(), A_DAY.into());
        }
        answer
    }

    /// An ID token comes with every login, whether `openid` was asked for or not.
    fn nonce(&self) -> Nonce {
        Nonce::Always
    }

    fn prompts(&self) -> Prompts {
        Prompts::List(&[])
    }

    fn is_open_to_all(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), String> {
        match &self.fault {
            None => Ok(()),
            Some(fault) => Err(fault.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jose,
        provider::{
            fake::{FakeProvider, PATIENT, Script, client, map, tokens},
            identity::Identity,
            upstream_error::Finality,
        },
    };

    const P256: &str = include_str!("../../jose/vectors/p256.pkcs8.pem");
    const RSA: &str = include_str!("../../jose/vectors/rsa.pkcs8.pem");

    fn own() -> Provider {
        apple("com.example.mcp", "TEAM123456", "ABC123DEFG", P256)
    }

    #[tokio::test]
    async fn the_client_secret_is_a_jwt_of_the_team_signed_with_its_key() {
        let body = r#"{"access_token":"at","expires_in":3600,"id_token":"eyJh.e30.c2ln","refresh_token":"rt"}"#;
        let idp = FakeProvider::start(Script::json("200 OK", body)).await;
        let mut provider = own().revocation_url(format!("http://{}/revoke", idp.address));
        provider.endpoints.token = Some(format!("http://{}/token", idp.address));
        let client = client(provider, PATIENT);
        client
            .exchange_code("c", None, "https://p.example/cb", None, &[])
            .await
            .unwrap();
        let sent = |idp: &FakeProvider, name: &str| {
            let form = idp.form();
            form.into_iter().find(|(known, _)| known == name).unwrap().1
        };
        assert_eq!(sent(&idp, "client_id"), "com.example.mcp");
        let secret = sent(&idp, "client_secret");
        let jwt = jose::decode(&secret).unwrap();
        assert_eq!(
            (&jwt.header["alg"], &jwt.header["kid"]),
            (&json!("ES256"), &json!("ABC123DEFG"))
        );
        assert_eq!(jwt.claims["iss"], "TEAM123456");
        assert_eq!(jwt.claims["sub"], "com.example.mcp");
        assert_eq!(jwt.claims["aud"], ISSUER);
        let time = |name: &str| jwt.claims[name].as_u64().unwrap();
        assert!(time("exp") - time("iat") <= 2 * SECRET_LIFE.as_secs());
        // The same one serves for a while.
        client.refresh("rt", None, &[]).await.unwrap();
        assert_eq!(sent(&idp, "client_secret"), secret);
        assert_eq!(client.revoke("rt", "refresh_token").await, Ok(true));
        assert_eq!(sent(&idp, "client_secret"), secret);
    }

    #[test]
    fn what_is_wrong_with_the_key_is_said_without_the_key() {
        assert_eq!(own().check(), Ok(()));
        for (team, key, pem) in [
            ("TEAM123456", "ABC123DEFG", "MIGHAgEAMBMGByqGSM49"),
            ("TEAM123456", "ABC123DEFG", RSA),
            ("", "ABC123DEFG", P256),
            ("TEAM123456", "AuthKey_ABC123DEFG.p8", P256),
            // In another order.
            ("TEAM123456", P256, "ABC123DEFG"),
            (P256, "TEAM123456", "ABC123DEFG"),
        ] {
            let error = apple("com.example.mcp", team, key, pem)
                .check()
                .unwrap_err();
            assert!(!error.to_string().contains("MIG"), "{error}");
        }
        let printed = format!("{:?}", own());
        assert!(
            !printed.contains("PRIVATE") && !printed.contains("MIG"),
            "{printed}"
        );
    }

    #[test]
    fn the_answer_is_posted_and_a_nonce_binds_it() {
        let url = own().authorization_url(&[("scope", "openid email")], &[]);
        assert!(
            url.contains("response_mode=form_post") && url.contains("scope=openid%20email"),
            "{url}"
        );
        assert!(own().wants_nonce("email") && !own().uses_pkce);
    }

    #[test]
    fn a_token_counts_as_good_for_a_day() {
        let answer = tokens(
            &own(),
            200,
            &json!({
                "access_token": "adg61...67Or9", "token_type": "Bearer", "expires_in": 3_600,
                "refresh_token": "rca7...lABoQ", "id_token": "eyJh.e30.c2ln",
            }),
        )
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), A_DAY);
        let renewed = json!({"access_token": "at", "token_type": "Bearer", "expires_in": 3_600});
        assert!(
            tokens(&own(), 200, &renewed)
                .unwrap()
                .refresh_token
                .is_none()
        );
        for (code, expected) in [
            ("invalid_grant", Finality::Ends),
            ("invalid_client", Finality::Trouble),
            ("invalid_request", Finality::Bounded),
        ] {
            let error = tokens(&own(), 400, &json!({ "error": code })).unwrap_err();
            assert_eq!(error.finality(), expected, "{code}");
        }
    }

    #[test]
    fn an_address_is_verified_by_a_boolean_or_a_string() {
        for (verified, expected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!("false"), false),
            (json!(false), false),
        ] {
            let person = Identity::from_claims(map(json!({
                "iss": ISSUER, "sub": "001234.5b3a3bdf9c0b4f049c1471cae1cd1d8d.0001", "aud": "com.example.mcp",
                "exp": 2, "iat": 1, "nonce": "n", "nonce_supported": true, "at_hash": "h", "auth_time": 1,
                "email": "x7q@privaterelay.appleid.com", "email_verified": verified, "is_private_email": "true",
            })));
            assert_eq!(person.verified_email().is_some(), expected, "{verified}");
        }
    }
}

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_oauth_proxy::testing;

use super::*;

const SECRET: &str = "3q2-8ZcN0yF7wTtXvJmK1bR5uHsLgPdEaYi9oQx4nMk";

fn ada() -> AuthSession {
    testing::session("auth0|ada")
        .scopes(["read", "write"])
        .roles(["analyst", "R,D"])
        .client("desk")
        .claim("email", "ada@example.com")
        .claim("email_verified", true)
        .claim("name", "Adä Lovelace")
        .claim("tid", "t1")
        .claim("level", 3)
        .build()
}

fn applied(
    identity: &Identity,
    session: Option<&AuthSession>,
    headers: &[(&str, &str)],
) -> HeaderMap {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        all.append(name, value.parse().unwrap());
    }
    identity.apply(session, &mut all).unwrap();
    all
}

fn pairs(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let pairs = headers.iter();
    let mut pairs: Vec<_> = pairs
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    pairs.sort_unstable();
    pairs
}

fn jwt_settings(header: HeaderName) -> IdentitySettings {
    let signer = Signer::new(jwt::derived(SECRET).unwrap(), &[])
        .issued("https://mcp.example.com", "reports")
        .with_claims(vec!["tid".to_owned(), "missing".to_owned()])
        .life(Duration::from_secs(30));
    IdentitySettings {
        facts: Vec::new(),
        jwt: Some((header, signer)),
        ..IdentitySettings::default()
    }
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn what_is_known_is_told_in_visible_ascii() {
    let identity = Identity::new(IdentitySettings::default());
    let told = applied(&identity, Some(&ada()), &[("accept", "*/*")]);
    assert_eq!(
        pairs(&told),
        [
            ("accept", "*/*"),
            ("x-auth-client", "desk"),
            ("x-auth-email", "ada@example.com"),
            ("x-auth-name", "Ad%C3%A4 Lovelace"),
            ("x-auth-roles", "analyst,R%2CD"),
            ("x-auth-scopes", "read write"),
            ("x-auth-subject", "auth0|ada"),
        ]
    );
}

#[test]
fn what_a_client_says_of_who_it_is_never_arrives() {
    let identity = Identity::new(IdentitySettings::default());
    let forged = [
        ("X-Auth-Subject", "root"),
        ("x-auth-subject", "admin"),
        ("x_auth_subject", "root"),
        ("x-auth-provider", "root"),
        ("x-forwarded-user", "root"),
    ];
    let told = applied(&identity, Some(&ada()), &forged);
    assert!(!format!("{told:?}").contains("root") && !format!("{told:?}").contains("admin"));
    assert_eq!(told.get_all("x-auth-subject").iter().count(), 1);
    // A public path: there is no session, and so no one is named.
    assert_eq!(applied(&identity, None, &forged), HeaderMap::new());
}

#[test]
fn a_header_that_is_not_sent_cannot_be_sent_by_a_client_either() {
    let settings = IdentitySettings {
        facts: vec![(Fact::Subject, HeaderName::from_static("remote-user"))],
        also_strip: vec![HeaderName::from_static("x-company-user")],
        ..IdentitySettings::default()
    };
    let identity = Identity::new(settings);
    let forged = [
        ("x-auth-email", "a@b"),
        ("x_company_user", "root"),
        ("Remote_User", "root"),
    ];
    let told = applied(&identity, Some(&ada()), &forged);
    assert_eq!(pairs(&told), [("remote-user", "auth0|ada")]);
}

#[test]
fn an_address_that_nobody_vouches_for_is_not_told() {
    let cases = [
        (Some(json!(true)), true),
        (Some(json!("true")), true),
        (Some(json!(false)), false),
        (Some(json!("false")), false),
        (Some(json!(1)), false),
        (None, false),
    ];
    for (verified, is_told) in cases {
        let mut session = testing::session("ada").claim("email", "ceo@example.com");
        if let Some(verified) = verified.clone() {
            session = session.claim("email_verified", verified);
        }
        let session = session.build();
        let identity = Identity::new(IdentitySettings::default());
        let told = applied(&identity, Some(&session), &[]);
        assert_eq!(told.contains_key("x-auth-email"), is_told, "{verified:?}");
        let trusting = IdentitySettings {
            trusts_any_email: true,
            ..IdentitySettings::default()
        };
        let told = applied(&Identity::new(trusting), Some(&session), &[]);
        assert_eq!(told["x-auth-email"], "ceo@example.com");
    }
}

#[test]
fn claims_are_told_where_they_are_simple() {
    let session = testing::session("ada")
        .claim("tid", "t 1\r\nx: y")
        .claim("level", 3)
        .claim("staff", false)
        .claim("teams", json!(["a,b", 1]))
        .claim("address", json!({"street": "x"}))
        .build();
    let name = |name: &'static str| (name.to_owned(), HeaderName::from_static(name));
    let settings = IdentitySettings {
        facts: Vec::new(),
        claims: vec![
            name("tid"),
            name("level"),
            name("staff"),
            name("teams"),
            name("address"),
            name("none"),
        ],
        ..IdentitySettings::default()
    };
    let told = applied(
        &Identity::new(settings),
        Some(&session),
        &[("address", "forged")],
    );
    assert_eq!(
        pairs(&told),
        [
            ("level", "3"),
            ("staff", "false"),
            ("teams", "a%2Cb,1"),
            ("tid", "t 1%0D%0Ax: y")
        ]
    );
}

#[test]
fn an_identity_that_does_not_fit_is_a_failure_and_not_somebody_else() {
    let identity = Identity::new(IdentitySettings::default());
    let session = testing::session("a".repeat(MAX_VALUE + 1)).build();
    let error = identity
        .apply(Some(&session), &mut HeaderMap::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the header x-auth-subject would have 4097 bytes: 4096 are the most"
    );
    // Encoded, a text is longer.
    let session = testing::session("é".repeat(MAX_VALUE / 4)).build();
    assert!(
        identity
            .apply(Some(&session), &mut HeaderMap::new())
            .is_err()
    );
}

#[test]
fn a_jwt_is_for_one_server_and_one_minute() {
    let identity = Identity::new(jwt_settings(HeaderName::from_static("x-auth-jwt")));
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let mut headers = HeaderMap::new();
    identity.apply_at(Some(&ada()), &mut headers, now).unwrap();
    assert!(headers["x-auth-jwt"].is_sensitive());
    let token = headers["x-auth-jwt"].to_str().unwrap();
    assert_eq!(part(token, 0)["typ"], "identity+jwt");
    assert_eq!(part(token, 0)["alg"], "EdDSA");
    assert_eq!(
        part(token, 1),
        json!({
            "iss": "https://mcp.example.com",
            "aud": "reports",
            "sub": "auth0|ada",
            "iat": 1_800_000_000,
            "exp": 1_800_000_030,
            "client_id": "desk",
            "scope": "read write",
            "roles": ["analyst", "R,D"],
            "email": "ada@example.com",
            "email_verified": true,
            "name": "Adä Lovelace",
            "idp": "test",
            "source": "login",
            "tid": "t1",
        })
    );
}

#[test]
fn the_key_set_verifies_the_jwt_and_shows_nothing_private() {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    let identity = Identity::new(jwt_settings(HeaderName::from_static("x-auth-jwt")));
    let told = applied(&identity, Some(&ada()), &[]);
    let token = told["x-auth-jwt"].to_str().unwrap();
    let set: Value = serde_json::from_str(identity.key_set().unwrap()).unwrap();
    let [key] = &set["keys"].as_array().unwrap()[..] else {
        panic!("{set}")
    };
    assert_eq!(key["kid"], part(token, 0)["kid"]);
    assert!(key.get("d").is_none());
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ED25519, bytes(key["x"].as_str().unwrap()));
    public.verify(signed.as_bytes(), &bytes(signature)).unwrap();
    assert!(public.verify(b"something else", &bytes(signature)).is_err());
}

/// A server that verifies what was signed yesterday must find the same key today: the label and the way are a format.
#[test]
fn each_instance_with_the_same_secret_has_the_same_key() {
    let key = |secret| jwt::derived(secret).unwrap().jwk();
    assert_eq!(key(SECRET), key(SECRET));
    assert_ne!(key(SECRET), key("another secret of at least 32 bytes, say"));
    assert_eq!(key(SECRET)["kid"], SAMPLE_KID);
}

const SAMPLE_KID: &str = "HbEwxvT6Ynf2cZopsNs5j8QFvENjTUS_FTkKTPF_cHw";

#[test]
fn a_token_in_the_authorization_header_is_a_bearer_token() {
    let identity = Identity::new(jwt_settings(header::AUTHORIZATION));
    let told = applied(
        &identity,
        Some(&ada()),
        &[("authorization", "Bearer of-the-client")],
    );
    let value = told["authorization"].to_str().unwrap();
    assert!(value.starts_with("Bearer ey"), "{value}");
    assert_eq!(told.len(), 1);
    // The layer has to read the client's own first.
    let mut headers = HeaderMap::new();
    headers.insert(
        header::AUTHORIZATION,
        "Bearer of-the-client".parse().unwrap(),
    );
    identity.strip(&mut headers);
    assert_eq!(headers.len(), 1);
}

#[test]
fn the_providers_token_is_told_only_where_the_operator_wants_it() {
    let session = testing::session("ada")
        .upstream_access_token("of-the-provider")
        .build();
    let plain = applied(
        &Identity::new(IdentitySettings::default()),
        Some(&session),
        &[],
    );
    assert!(!format!("{plain:?}").contains("of-the-provider"));
    let name = HeaderName::from_static("x-auth-provider-token");
    let settings = || IdentitySettings {
        provider_token: Some(name.clone()),
        ..IdentitySettings::default()
    };
    let told = applied(&Identity::new(settings()), Some(&session), &[]);
    assert_eq!(told[&name], "of-the-provider");
    assert!(
        !format!("{told:?}").contains("of-the-provider"),
        "sensitive: no log shows it"
    );
    let machine = testing::session("ada").upstream_access_token("").build();
    let none = applied(
        &Identity::new(settings()),
        Some(&machine),
        &[("x-auth-provider-token", "forged")],
    );
    assert!(!none.contains_key(&name));
}

#[test]
fn nothing_prints_a_key() {
    let identity = Identity::new(jwt_settings(HeaderName::from_static("x-auth-jwt")));
    let printed = format!("{identity:?}");
    assert!(
        !printed.contains("seed") && !printed.contains("PRIVATE"),
        "{printed}"
    );
}

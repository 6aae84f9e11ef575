//! Which of the provider's claims reach sessions and tokens, and the roles among them.

use serde_json::{Map, Value, json};
use tower_oauth_proxy::{ClaimsPassthrough, OAuthProxyConfigBuilder};

use crate::inside::{payload, session};
use testkit::{Client, Proxy, Tokens};

/// Names that belong to the proxy's own token, or decide who may use it and for what.
const PROTECTED: [&str; 24] = [
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "nbf",
    "jti",
    "client_id",
    "scope",
    "scp",
    "gid",
    "azp",
    "act",
    "may_act",
    "cnf",
    "typ",
    "token_use",
    "authorization_details",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "events",
];

struct Login {
    proxy: Proxy,
    client: Client,
    tokens: Tokens,
    /// What the service inside sees.
    session: Map<String, Value>,
    /// What stands in the token besides the proxy's own claims.
    token: Map<String, Value>,
}

/// A login with these claims in the ID token and in a JWT access token.
async fn login(claims: ClaimsPassthrough, in_id_token: Value, in_access_token: Value) -> Login {
    login_with(
        |builder| builder.custom_claims_passthrough(claims),
        in_id_token,
        in_access_token,
    )
    .await
}

async fn login_with(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    in_id_token: Value,
    in_access_token: Value,
) -> Login {
    let proxy = Proxy::with(change).await;
    let object = |value: Value| value.as_object().unwrap().clone();
    proxy.provider.configure(|settings| {
        settings.person = object(json!({ "sub": "person-1" }));
        settings.person.extend(object(in_id_token));
        settings.jwt_access = true;
        // For this app, about this person, unless a test says otherwise.
        settings.access_claims = object(json!({ "aud": "upstream-app", "sub": "person-1" }));
        settings.access_claims.extend(object(in_access_token));
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let seen = session(&proxy, &tokens.access).await.claims().clone();
    let mut token = object(payload(&tokens.access));
    for own in [
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "jti",
        "client_id",
        "scope",
        "gid",
    ] {
        assert!(token.remove(own).is_some(), "{own} is missing");
    }
    Login {
        proxy,
        client,
        tokens,
        session: seen,
        token,
    }
}

/// The claims that pass, the same in session and token.
async fn passed(claims: ClaimsPassthrough, in_id_token: Value, in_access_token: Value) -> Value {
    let login = login(claims, in_id_token, in_access_token).await;
    assert_eq!(login.session, login.token);
    Value::Object(login.session)
}

fn all() -> ClaimsPassthrough {
    ClaimsPassthrough::default()
}

#[tokio::test]
async fn simple_claims_of_both_tokens_pass_and_the_access_tokens_win() {
    let seen = passed(
        all(),
        json!({ "tenant": "id", "email": "a@b.c", "age": 7, "list": [1], "object": {}, "none": null }),
        json!({ "tenant": "access", "department": "r&d", "admin": true, "groups": ["x"] }),
    )
    .await;
    let expected = json!({ "tenant": "access", "email": "a@b.c", "age": 7,
                           "department": "r&d", "admin": true });
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn each_source_can_be_turned_off_and_both() {
    let (id, access) = (
        json!({ "i": 1, "both": "id" }),
        json!({ "a": 2, "both": "access" }),
    );
    let only_id = all().from_access_token(false);
    let seen = passed(only_id, id.clone(), access.clone()).await;
    assert_eq!(seen, json!({ "i": 1, "both": "id" }));
    let only_access = all().from_id_token(false);
    let seen = passed(only_access, id.clone(), access.clone()).await;
    assert_eq!(seen, json!({ "a": 2, "both": "access" }));
    let seen = passed(ClaimsPassthrough::disabled(), id, access).await;
    assert_eq!(seen, json!({}));
}

#[tokio::test]
async fn protected_claims_never_pass_however_they_are_asked_for() {
    let evil: Map<String, Value> = PROTECTED
        .iter()
        .filter(|name| !["exp", "iat", "nbf"].contains(name))
        .flat_map(|name| [(*name).to_owned(), name.to_uppercase()])
        .map(|name| (name, json!("evil")))
        .collect();
    let with_dates = |mut evil: Map<String, Value>| {
        evil.insert("nbf".into(), json!(1));
        evil.insert("iat".into(), json!(1));
        Value::Object(evil)
    };
    for claims in [
        all(),
        all().allowed_claims(evil.keys().cloned()),
        all().prefix("x_"),
    ] {
        let claims = claims.allow_complex(true);
        let login = login(claims, json!({}), with_dates(evil.clone())).await;
        assert_eq!(login.session, Map::new());
        assert_eq!(login.token, Map::new(), "nothing but our own");
        let own = payload(&login.tokens.access);
        assert_eq!(own["iss"], login.proxy.base);
        assert_eq!(own["sub"], "person-1");
        assert_eq!(own["aud"], format!("{}/mcp", login.proxy.base));
        assert_eq!(own["client_id"], login.client.id);
        assert_eq!(own["scope"], "openid read write");
        assert_eq!(own["iat"], login.proxy.clock.unix());
    }
    // Nor does a prefix turn another claim into one of them.
    let seen = passed(
        all().prefix("i"),
        json!({ "ss": "x", "at": 1, "d": "y" }),
        json!({}),
    )
    .await;
    assert_eq!(seen, json!({ "id": "y" }));
}

#[tokio::test]
async fn names_are_prefixed_allowed_and_blocked() {
    let id = json!({ "role": "admin", "email": "a@b.c", "secret": "s" });
    let seen = passed(all().prefix("idp_"), id.clone(), json!({})).await;
    let expected = json!({ "idp_role": "admin", "idp_email": "a@b.c", "idp_secret": "s" });
    assert_eq!(seen, expected);
    let two = all().allowed_claims(["role", "email", "missing"]);
    let seen = passed(two.clone(), id.clone(), json!({})).await;
    assert_eq!(seen, json!({ "role": "admin", "email": "a@b.c" }));
    let one = two.blocked_claims(["email"]).prefix("x-");
    let seen = passed(one, id.clone(), json!({})).await;
    assert_eq!(seen, json!({ "x-role": "admin" }));
    let blocked = all().blocked_claims(["secret"]);
    let seen = passed(blocked, id.clone(), json!({ "secret": "t" })).await;
    assert_eq!(seen, json!({ "role": "admin", "email": "a@b.c" }));
    let nothing = all().allowed_claims(Vec::<String>::new());
    assert_eq!(passed(nothing, id, json!({})).await, json!({}));
}

#[tokio::test]
async fn a_value_that_is_too_large_or_complex_stays_out() {
    let id = json!({ "fits": "12345678", "long": "123456789", "list": ["a"], "deep": { "a": 1 } });
    let small = all().max_claim_value_size(10);
    let seen = passed(small.clone(), id.clone(), json!({})).await;
    assert_eq!(seen, json!({ "fits": "12345678" }));
    let seen = passed(small.allow_complex(true), id, json!({})).await;
    let expected = json!({ "fits": "12345678", "list": ["a"], "deep": { "a": 1 } });
    assert_eq!(seen, expected);
    let edge = json!({ "a": "x".repeat(1998), "b": "x".repeat(1999) });
    let seen = passed(all(), edge, json!({})).await;
    assert_eq!(seen, json!({ "a": "x".repeat(1998) }));
}

#[tokio::test]
async fn all_claims_together_leave_a_token_that_fits_into_a_header() {
    let many: Map<String, Value> = (0..100)
        .map(|n| (format!("claim-{n}"), json!("x".repeat(50))))
        .collect();
    let login = login(all(), json!({}), Value::Object(many)).await;
    assert!(login.tokens.access.len() < 8 * 1024);
    assert!(login.session.len() > 10, "some pass");
    assert_eq!(login.session, login.token);
}

#[tokio::test]
async fn claims_come_from_userinfo_where_there_is_no_id_token_and_stay_through_a_refresh() {
    let proxy = Proxy::start().await;
    proxy.provider.configure(|settings| {
        settings.issue_id_token = false;
        settings.person.insert("team".into(), json!("blue"));
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    assert_eq!(payload(&tokens.access)["team"], "blue");
    let next = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(payload(&next.access)["team"], "blue");
    let seen = session(&proxy, &next.access).await;
    assert_eq!(seen.claims()["team"], "blue");
    assert_eq!(seen.subject(), "person-1");
}

/// The roles of a session whose claims do not pass.
async fn roles(names: Option<&'static [&'static str]>, id: Value, access: Value) -> Vec<String> {
    let change = |builder: OAuthProxyConfigBuilder| {
        let builder = builder.custom_claims_passthrough(ClaimsPassthrough::disabled());
        match names {
            None => builder,
            Some(names) => builder.role_claims(names.iter().copied()),
        }
    };
    let login = login_with(change, id, access).await;
    assert_eq!(login.session, Map::new());
    let next = Tokens::read(&login.client.refresh(login.tokens.refresh()).await);
    let seen = session(&login.proxy, &next.access).await;
    seen.roles().to_vec()
}

#[tokio::test]
async fn roles_are_read_whatever_passes_from_both_tokens_and_the_claims_that_are_named() {
    let seen = roles(None, json!({ "roles": ["a", "b"] }), json!({ "role": "c" })).await;
    assert_eq!(seen, ["a", "b", "c"]);
    let keycloak = json!({ "realm_access": { "roles": ["k"] } });
    assert_eq!(roles(None, json!({}), keycloak).await, ["k"]);
    let (groups, other) = (json!({ "groups": ["g"], "roles": ["r"] }), json!({}));
    assert_eq!(
        roles(Some(&["groups"]), groups.clone(), other.clone()).await,
        ["g"]
    );
    assert_eq!(roles(None, groups, other).await, ["r"]);
    let scopes = json!({ "scope": "admin", "groups": ["admin"] });
    assert!(roles(None, scopes, json!({})).await.is_empty());
}

#[tokio::test]
async fn what_another_apis_access_token_says_is_not_said_to_this_service() {
    let passes = ClaimsPassthrough::default;
    for elsewhere in [
        json!({ "aud": "api://payroll" }),
        json!({ "aud": ["api://payroll", "api://hr"] }),
        json!({ "aud": null }),
        json!({ "sub": "another-pairwise-name" }),
        json!({ "sub": null }),
    ] {
        let mut access = json!({ "roles": ["admin"], "level": 9 });
        let object = access.as_object_mut().unwrap();
        object.extend(elsewhere.as_object().unwrap().clone());
        assert_eq!(passed(passes(), json!({}), access.clone()).await, json!({}));
        let seen = roles(None, json!({ "roles": ["reader"] }), access).await;
        assert_eq!(seen, ["reader"], "{elsewhere}");
    }
}

#[tokio::test]
async fn an_operator_names_the_audiences_by_which_access_tokens_are_for_this_service() {
    let access = || json!({ "aud": ["account", "other"], "roles": ["k"] });
    let named = |builder: OAuthProxyConfigBuilder| builder.access_token_audiences(["account"]);
    let login = login_with(named, json!({}), access()).await;
    let seen = session(&login.proxy, &login.tokens.access).await;
    assert_eq!(seen.roles(), ["k"]);
    assert!(roles(None, json!({}), access()).await.is_empty());
    for (name, value) in [("audience", "https://api.example"), ("resource", "urn:api")] {
        let asked =
            |builder: OAuthProxyConfigBuilder| builder.extra_authorization_params([(name, value)]);
        let login = login_with(asked, json!({}), json!({ "aud": value, "role": "k" })).await;
        let seen = session(&login.proxy, &login.tokens.access).await;
        assert_eq!(seen.roles(), ["k"], "{name}");
    }
}

#[tokio::test]
async fn a_word_that_vouches_for_an_address_passes_with_that_address_alone() {
    let id = json!({ "email": "ada@example.com" });
    let access = json!({ "email_verified": true });
    let seen = passed(ClaimsPassthrough::default(), id, access).await;
    assert_eq!(seen, json!({ "email": "ada@example.com" }));
}

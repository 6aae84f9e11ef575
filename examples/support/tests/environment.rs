//! What an example reads of its environment: by which name it is set, and what a mistake says.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::Layer;
use tower_oauth_proxy::{
    OAuthProxyConfig, OAuthProxyConfigBuilder, Reason, Step,
    guard::{RequireLayer, require_role},
};

use super::super::{
    env::{Env, Refusal},
    serve::never,
};
use testkit::{
    FakeClock, Kind, Pkce, Provider, Proxy, Wire, provider::SigningKey, proxy::BASE,
    wire::query_param,
};

/// What a start needs, and these besides. A later value replaces an earlier one.
fn env(variables: &[(&str, &str)]) -> Env {
    let needed = [
        ("BASE_URL", BASE),
        ("UPSTREAM_AUTHORIZE_URL", "https://login.example/authorize"),
        ("UPSTREAM_TOKEN_URL", "https://login.example/token"),
        ("UPSTREAM_CLIENT_ID", "app"),
        ("UPSTREAM_CLIENT_SECRET", "c1f4a96e2b7d58033e9d6ab84f7520ce"),
        ("SCOPES", "openid read"),
    ];
    let all = needed.iter().chain(variables);
    Env::new(
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        never(),
    )
}

async fn builder(env: &Env) -> Result<OAuthProxyConfigBuilder, Refusal> {
    let builder = OAuthProxyConfig::builder(env.custom_provider()?, env.required("BASE_URL")?);
    env.options(builder).await
}

/// Why it does not start.
pub(super) async fn refusal(variables: &[(&str, &str)]) -> String {
    let env = env(variables);
    let config = match builder(&env).await {
        Ok(builder) => builder.build().map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    let started = config.and_then(|_| Ok((env.protected_path()?, env.number("MAX_CONNECTIONS")?)));
    let refusal = started.map(drop).err();
    refusal
        .unwrap_or_else(|| panic!("{variables:?} starts"))
        .to_string()
}

#[tokio::test]
async fn every_mistake_names_its_variable_and_shows_the_value() {
    for (name, value) in [
        ("BASE_URL", "mcp.example.com"),
        ("PROTECTED_PATH", "mcp"),
        ("PROTECTED_PATH", "/a b"),
        ("UPSTREAM_TOKEN_URL", "login.example/token"),
        ("UPSTREAM_ISSUER", "login.example"),
        ("UPSTREAM_JWKS_URL", "login.example/keys"),
        ("UPSTREAM_USERINFO_URL", "ftp://login.example"),
        ("ACCESS_TOKEN_TTL", "1h"),
        ("REFRESH_TOKEN_TTL", "-1"),
        ("SESSION_CACHE_TTL", "0.5"),
        ("UPSTREAM_TIMEOUT", "99999999999999999999"),
        ("CONSENT", "never"),
        ("CORS", "yes"),
        ("CORS", "*"),
        ("ALLOWED_DOMAINS", ","),
        ("ALLOWED_EMAILS", " , "),
        ("ALLOWED_GROUPS", ","),
        ("ALLOWED_CLAIMS", "tenant"),
        ("ALLOWED_ORGANIZATIONS", ","),
        ("GROUP_CLAIMS", ","),
        ("ROLE_CLAIMS", ",,"),
        ("ALLOWED_REDIRECT_URIS", ","),
        ("MAX_CONNECTIONS", "0"),
        ("MAX_CONNECTIONS", "many"),
        ("GRANTS_PER_PERSON", "0"),
        ("PASS_ON", "acr_values"),
        ("ACCESS_TOKEN_AUDIENCES", ","),
        ("IDENTITY_MAX_AGE", "1h"),
        ("GRANT_MAX_AGE", "soon"),
        ("REFRESH_TOKEN_GRACE", "until-use"),
    ] {
        let said = refusal(&[(name, value)]).await;
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
        assert!(said.contains(value.trim()), "{name}={value}: {said}");
    }
}

#[tokio::test]
async fn a_secret_is_never_shown() {
    for (name, value) in [
        ("SECRET_KEY", "hunter2"),
        ("SECRET_KEY_PREVIOUS", "hunter2"),
        ("STORAGE", "etcd://:hunter2@127.0.0.1"),
        ("STORAGE", "redis://:hunter2@"),
    ] {
        let said = refusal(&[(name, value)]).await;
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn an_allow_list_that_got_lost_does_not_let_everybody_in() {
    for name in [
        "ALLOWED_DOMAINS",
        "ALLOWED_EMAILS",
        "ALLOWED_GROUPS",
        "ALLOWED_CLAIMS",
        "ALLOWED_ORGANIZATIONS",
    ] {
        for value in ["", "  "] {
            let said = refusal(&[(name, value)]).await;
            assert!(said.starts_with(&format!("{name}: ")), "{said}");
        }
    }
    for (name, value) in [
        ("ALLOWED_CLAIMS", "tenant="),
        ("ALLOWED_CLAIMS", "=acme"),
        // Any server: it is not known what an organization is there.
        ("ALLOWED_ORGANIZATIONS", "acme"),
        ("GROUP_CLAIMS", "teams"),
    ] {
        let said = refusal(&[(name, value)]).await;
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
    }
    // Elsewhere, nothing is "not set".
    let quiet = [("CORS", ""), ("ROLE_CLAIMS", " "), ("CONSENT", "")];
    assert!(builder(&env(&quiet)).await.is_ok());
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_told_by_the_variables_name() {
    let said = refusal(&[("ALLOWED_REDIRECT_URIS", "javascript:x")]).await;
    assert!(said.starts_with("ALLOWED_REDIRECT_URIS: "), "{said}");
    let said = refusal(&[("BASE_URL", "http://mcp.example.com")]).await;
    assert!(said.starts_with("BASE_URL: "), "{said}");
}

/// A proxy of this environment, in front of the kit's provider.
pub(super) async fn proxy(variables: &[(&str, &str)]) -> Proxy {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let [authorize, token, userinfo] =
        ["/authorize", "/token", "/userinfo"].map(|path| provider.url(path));
    let settings = provider.settings();
    let mut all = vec![
        ("UPSTREAM_AUTHORIZE_URL", &*authorize),
        ("UPSTREAM_TOKEN_URL", &*token),
        ("UPSTREAM_USERINFO_URL", &*userinfo),
        ("UPSTREAM_CLIENT_ID", &*settings.client_id),
        ("UPSTREAM_CLIENT_SECRET", &*settings.client_secret),
    ];
    all.extend_from_slice(variables);
    let Ok(builder) = builder(&env(&all)).await else {
        panic!("{variables:?} does not start");
    };
    Proxy::built(provider, clock, BASE, builder)
}

#[tokio::test]
async fn an_issuer_is_enough_where_the_provider_has_a_document_about_itself() {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    provider.signs(&SigningKey::es256("key-1"));
    let settings = provider.settings();
    let alone = [
        ("BASE_URL", BASE),
        ("UPSTREAM_ISSUER", &*settings.issuer),
        ("UPSTREAM_CLIENT_ID", &*settings.client_id),
        ("UPSTREAM_CLIENT_SECRET", &*settings.client_secret),
        ("SCOPES", "openid read write"),
    ];
    let alone = alone.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let Ok(builder) = builder(&Env::new(alone, never())).await else {
        panic!("it does not start");
    };
    let proxy = Proxy::built(provider, clock, BASE, builder);
    proxy.journey(&proxy.client().await).await;
    assert_eq!(proxy.provider.count(Kind::Keys), 1);

    // Beside the endpoints it is what tokens are compared with.
    let beside = [("UPSTREAM_ISSUER", "https://another.example")];
    let other = self::proxy(&beside).await;
    let url = other.client().await.authorize(&Pkce::new(), "s").url();
    let back = other.approve(&mut other.browser(), &url).await.left();
    assert_eq!(query_param(&back, "error").as_deref(), Some("server_error"));
    assert_eq!(other.provider.count(Kind::Discovery), 0);
}

#[tokio::test]
async fn the_allow_lists_decide_who_logs_in() {
    for (variables, is_in) in [
        (
            &[("ALLOWED_DOMAINS", "other.example, example.com")][..],
            true,
        ),
        (&[("ALLOWED_DOMAINS", "other.example")], false),
        (
            &[("ALLOWED_EMAILS", "bob@example.com ada@example.com")],
            true,
        ),
        (&[("ALLOWED_EMAILS", "bob@example.com")], false),
        (
            &[
                ("ALLOWED_DOMAINS", "other.example"),
                ("ALLOWED_EMAILS", "ada@example.com"),
            ],
            true,
        ),
    ] {
        let proxy = proxy(variables).await;
        let client = proxy.client().await;
        let url = client.authorize(&Pkce::new(), "s").url();
        let back = proxy.approve(&mut proxy.browser(), &url).await.left();
        assert_eq!(query_param(&back, "code").is_some(), is_in, "{variables:?}");
        if !is_in {
            proxy.told(Step::Callback, Reason::NotAllowed);
        }
    }
}

#[tokio::test]
async fn groups_and_claims_decide_who_logs_in() {
    for (variables, is_in) in [
        (&[("ALLOWED_GROUPS", "ops, eng")][..], true),
        (&[("ALLOWED_GROUPS", "ops")], false),
        (
            &[("ALLOWED_GROUPS", "blue"), ("GROUP_CLAIMS", "teams")],
            true,
        ),
        (
            &[("ALLOWED_CLAIMS", "teams=red teams=blue groups=eng")],
            true,
        ),
        (&[("ALLOWED_CLAIMS", "teams=blue groups=ops")], false),
    ] {
        let proxy = proxy(variables).await;
        proxy.provider.configure(|settings| {
            for (claim, value) in [("groups", "eng"), ("teams", "blue")] {
                settings.person.insert(claim.into(), value.into());
            }
        });
        let client = proxy.client().await;
        let url = client.authorize(&Pkce::new(), "s").url();
        let back = proxy.approve(&mut proxy.browser(), &url).await.left();
        assert_eq!(query_param(&back, "code").is_some(), is_in, "{variables:?}");
    }
}

#[tokio::test]
async fn role_claims_are_those_that_the_variable_names() {
    let proxy = proxy(&[("ROLE_CLAIMS", "groups, teams")]).await;
    proxy.provider.configure(|settings| {
        settings
            .person
            .insert("teams".into(), serde_json::json!(["blue"]));
        settings
            .person
            .insert("roles".into(), serde_json::json!(["admin"]));
    });
    let client = proxy.client().await;
    let bearer = format!("Bearer {}", proxy.journey(&client).await.access);
    for (role, status) in [("blue", 200), ("admin", 403)] {
        let inner = tower::service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::<Full<Bytes>>::default())
        });
        let inner = RequireLayer::new(require_role(role)).layer(inner);
        let wire = Wire::new(BASE, proxy.layer.layer(inner));
        wire.get("/mcp", &[("authorization", &bearer)])
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn browser_clients_may_call_where_cors_is_on() {
    for (value, origin) in [("on", Some("*")), ("off", None), ("", None)] {
        let proxy = proxy(&[("CORS", value)]).await;
        let from = [("origin", "https://app.example")];
        let reply = proxy.wire.get("/mcp", &from).await.expect(401);
        assert_eq!(
            reply.header("access-control-allow-origin"),
            origin,
            "{value}"
        );
    }
}

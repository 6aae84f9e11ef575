//! A configuration that cannot work says at the start which option to change.

use std::time::Duration;

use tower_oauth_proxy::{
    ConfigError, KnownClient, OAuthProxyConfig, OAuthProxyConfigBuilder, Provider, RedirectPolicy,
    RefreshGrace, SecretKey, StaticClient,
    provider::{azure, generic, github},
};

use testkit::proxy::secret;

pub(crate) const SECRET: &str = "c1f4a96e2b7d58033e9d6ab84f7520ce";
pub(crate) const IDP: &str = "https://idp.example";

pub(crate) fn at(base: &str) -> OAuthProxyConfigBuilder {
    OAuthProxyConfig::builder(github("id", SECRET), base)
}

pub(crate) fn good() -> OAuthProxyConfigBuilder {
    at("https://proxy.example")
}

/// The option that an error is about; its words must name it too.
#[track_caller]
pub(crate) fn fault(builder: OAuthProxyConfigBuilder) -> &'static str {
    let error: ConfigError = builder.build().expect_err("a mistake that nobody saw");
    let words = error.to_string();
    assert!(words.contains(error.option()), "{words}");
    assert!(!words.contains(SECRET), "{words}");
    error.option()
}

/// The same; the words show the value too.
#[track_caller]
pub(crate) fn fault_showing(builder: OAuthProxyConfigBuilder, value: &str) -> &'static str {
    let error = builder.build().expect_err(value);
    let words = error.to_string();
    assert!(words.contains(value), "{value}: {words}");
    error.option()
}

pub(crate) fn with(provider: Provider) -> OAuthProxyConfigBuilder {
    OAuthProxyConfig::builder(provider, "https://proxy.example")
}

#[test]
fn the_configuration_that_the_mistakes_start_from_works() {
    good().build().map(drop).unwrap();
    good()
        .scopes(["read", "write"])
        .required_scopes(["read"])
        .redirect_path("/auth/done")
        .public_paths(["/health", "/", "/docs/a_b-c.html", "/a:b"])
        .cookie_prefix("__Secure-")
        .allowed_redirect_uri_patterns(["https://*.example.com/cb", "http://localhost:*/x/*"])
        .allow_client(KnownClient::Claude)
        .build()
        .map(drop)
        .unwrap();
}

#[test]
fn a_base_url_that_cannot_be_an_issuer_is_refused() {
    for base in [
        "",
        "proxy.example",
        "/mcp",
        "ftp://proxy.example",
        "http://proxy.example",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "https://proxy.example?x=y",
        "https://proxy.example/?",
        "https://proxy.example#x",
        "https://proxy.example/api#",
        "https://user@proxy.example",
        "https://user:word@proxy.example",
        "https://proxy.example//api",
        "https://proxy.example/a/../b",
        "https://proxy.example/%61pi",
        "https://proxy.example\\api",
        "https://proxy .example",
        "https://",
    ] {
        assert_eq!(fault(at(base)), "base_url", "{base}");
    }
    for base in [
        "http://localhost",
        "http://localhost:8080/api",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
        "https://proxy.example:8443/a/b/",
    ] {
        at(base).build().map(drop).unwrap();
    }
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    let option = |result: Result<SecretKey, ConfigError>| result.unwrap_err().option();
    assert_eq!(option(SecretKey::from_bytes([1; 31])), "secret_key");
    assert_eq!(option(SecretKey::from_bytes("")), "secret_key");
    assert_eq!(
        option(SecretKey::from_passphrase("short", "salt")),
        "secret_key"
    );
    assert_eq!(
        option(SecretKey::from_passphrase("long enough a phrase", "")),
        "secret_key"
    );
    for known in [
        "changemechangemechangemechangeme",
        "0123456789abcdef0123456789abcdef",
        "a-string-secret-at-least-256-bits-long",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ] {
        let error = SecretKey::from_bytes(known).unwrap_err();
        assert_eq!(error.option(), "secret_key", "{known}");
        let words = error.to_string();
        assert!(words.contains("openssl rand"), "{words}");
        assert!(!words.contains(known), "{words}");
        // Neither as the provider's, unless another stands in its place.
        assert_eq!(fault(with(github("id", known))), "secret_key", "{known}");
        let own_secret = with(github("id", known)).secret_key(secret(1));
        own_secret.build().map(drop).unwrap();
    }
    assert_eq!(option(SecretKey::from_bytes([7; 32])), "secret_key");
    let phrase = SecretKey::from_passphrase("changeme-please", "salt");
    assert_eq!(option(phrase), "secret_key");
    // The provider's own, where there is no other: too short, or none.
    assert_eq!(fault(with(github("id", "c1f4a96e2b7d580"))), "secret_key");
    let secretless = || github("id", SECRET).without_client_secret();
    assert_eq!(fault(with(secretless())), "secret_key");
    let key = SecretKey::from_bytes(SECRET).unwrap();
    with(secretless())
        .secret_key(key.clone())
        .build()
        .map(drop)
        .unwrap();
    let short = github("id", "c1f4a96e2b7d580");
    with(short).secret_key(key).build().map(drop).unwrap();
}

#[test]
fn scopes_that_are_none_or_that_nobody_could_get_are_refused() {
    for scope in [
        "",
        "two words",
        "quo\"te",
        "back\\slash",
        "ümlaut",
        "line\n",
    ] {
        assert_eq!(fault(good().scopes([scope])), "scopes", "{scope:?}");
        let required = good().scopes(["read"]).required_scopes([scope]);
        assert_eq!(fault(required), "required_scopes", "{scope:?}");
    }
    let long = "x".repeat(257);
    assert_eq!(fault(good().scopes([long])), "scopes");
    let many = (0..65).map(|n| n.to_string());
    assert_eq!(fault(good().scopes(many)), "scopes");
    let missing = good().scopes(["read"]).required_scopes(["read", "write"]);
    assert_eq!(fault_showing(missing, "`write`"), "required_scopes");
    // Never in a challenge: clients could not know.
    let offline = ["read", "offline_access"];
    let unsaid = good().scopes(offline).required_scopes(["offline_access"]);
    assert_eq!(fault_showing(unsaid, "offline_access"), "required_scopes");
    assert_eq!(
        fault_showing(good().scopes(["ok", "a b"]), "\"a b\""),
        "scopes"
    );
    let provider = github("id", SECRET).scopes(["a b"]);
    assert_eq!(fault_showing(with(provider), "\"a b\""), "provider");
}

#[test]
fn a_redirect_path_that_is_none_or_another_endpoints_is_refused() {
    for path in [
        "",
        "/",
        "callback",
        "https://proxy.example/callback",
        "//callback",
        "/a//b",
        "/a/../b",
        "/./a",
        "/call back",
        "/callback?x=y",
        "/callback#x",
        "/call%62ack",
        "/callback\\x",
        "/rückruf",
        "/oauth/token",
        "/oauth/authorize",
        "/oauth/consent",
        "/oauth/register",
        "/oauth/revoke",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let builder = good().redirect_path(path);
        let option = fault_showing(builder, &format!("{path:?}"));
        assert_eq!(option, "redirect_path", "{path}");
    }
    let at_path = at("https://proxy.example/api").redirect_path("/oauth/token");
    assert_eq!(fault(at_path), "redirect_path");
}

#[test]
fn a_public_path_that_looks_like_a_pattern_or_could_never_match_is_refused() {
    for path in [
        "",
        "health",
        "/docs/*",
        "/*",
        "*",
        "/docs/{id}",
        "/docs/**",
        "/health?x=y",
        "/health#x",
        "/%68ealth",
        "//health",
        "/a/../b",
        "/a/./b",
        "/he alth",
        "/health\n",
        "^/health",
        "/health\\",
    ] {
        let builder = good().public_paths(["/ok", path]);
        let option = fault_showing(builder, &format!("{path:?}"));
        assert_eq!(option, "public_paths", "{path:?}");
    }
}

#[test]
fn a_cookie_prefix_that_breaks_the_header_or_that_browsers_refuse_is_refused() {
    let long = "x".repeat(33);
    for prefix in ["a;", "a=", "a b", "a,b", "ä", "a\n", "\"a\"", &long] {
        let builder = good().cookie_prefix(prefix);
        let option = fault_showing(builder, &format!("{prefix:?}"));
        assert_eq!(option, "cookie_prefix", "{prefix:?}");
    }
    for prefix in ["__Host-", "__Secure-"] {
        let plain = at("http://localhost:8080").cookie_prefix(prefix);
        assert_eq!(fault(plain), "cookie_prefix");
    }
}

#[test]
fn a_lifetime_of_nothing_or_of_ages_is_refused() {
    type Set = fn(OAuthProxyConfigBuilder, Duration) -> OAuthProxyConfigBuilder;
    let options: [(&str, Set); 7] = [
        (
            "access_token_ttl",
            OAuthProxyConfigBuilder::access_token_ttl,
        ),
        (
            "refresh_token_ttl",
            OAuthProxyConfigBuilder::refresh_token_ttl,
        ),
        (
            "authorization_code_ttl",
            OAuthProxyConfigBuilder::authorization_code_ttl,
        ),
        ("transaction_ttl", OAuthProxyConfigBuilder::transaction_ttl),
        (
            "upstream_request_timeout",
            OAuthProxyConfigBuilder::upstream_request_timeout,
        ),
        (
            "session_cache_ttl",
            OAuthProxyConfigBuilder::session_cache_ttl,
        ),
        ("refresh_token_grace", |builder, time| {
            builder.refresh_token_grace(time)
        }),
    ];
    // Zero turns the cache, and the grace, off.
    let may_be_zero = ["session_cache_ttl", "refresh_token_grace"];
    for (option, set) in options {
        assert_eq!(fault(set(good(), Duration::MAX)), option);
        let century = Duration::from_secs(100 * 366 * 24 * 3600);
        assert_eq!(fault(set(good(), century)), option);
        if !may_be_zero.contains(&option) {
            assert_eq!(fault(set(good(), Duration::ZERO)), option);
            assert_eq!(fault(set(good(), Duration::from_nanos(1))), option);
        }
        set(good(), Duration::from_secs(60))
            .build()
            .map(drop)
            .unwrap();
    }
    good()
        .session_cache_ttl(Duration::ZERO)
        .build()
        .map(drop)
        .unwrap();
    let grace = |grace: Duration| good().refresh_token_grace(grace).build();
    grace(Duration::ZERO).map(drop).unwrap();
    let day = Duration::from_secs(24 * 3600);
    grace(day).map(drop).unwrap();
    grace(day + Duration::from_nanos(1)).unwrap_err();
    let until_used = good().refresh_token_grace(RefreshGrace::UntilUsed);
    until_used.build().map(drop).unwrap();
}

#[test]
fn a_provider_that_cannot_be_spoken_to_safely_is_refused() {
    let (ok, plain) = (format!("{IDP}/x"), "http://idp.example/x");
    let parts = |authorize: &str, token: &str| generic(authorize, token, "id", SECRET);
    with(parts(&ok, &ok)).build().map(drop).unwrap();
    for provider in [
        parts(plain, &ok),
        parts(&ok, plain),
        parts(&ok, &ok).userinfo_url(plain),
        parts(&ok, &ok).revocation_url(plain),
        parts("idp.example", &ok),
        parts(&ok, ""),
        parts(&ok, "https://user:word@idp.example/token"),
        parts("https://idp.example/authorize#x", &ok),
        generic(&ok, &ok, "", SECRET),
        generic(&ok, &ok, "id", ""),
        generic(&ok, &ok, "id", format!("{SECRET}\n")),
        azure("no tenant/at all", "id", SECRET),
        azure("common", "id", SECRET).forward_resource(true),
    ] {
        assert_eq!(fault(with(provider)), "provider");
    }
}

#[test]
fn a_resource_is_not_forwarded_to_a_provider_that_refuses_it() {
    let builder = with(azure("common", "id", SECRET)).forward_resource(true);
    assert_eq!(fault(builder), "forward_resource");
    with(github("id", SECRET))
        .forward_resource(true)
        .build()
        .map(drop)
        .unwrap();
}

#[test]
fn a_redirect_pattern_that_permits_too_much_or_nothing_is_refused() {
    for pattern in [
        "",
        "*",
        "https://*",
        "https://*/callback",
        "https://*.com/callback",
        "https://app.*.example.com/cb",
        "https://app*.example.com/cb",
        "https://app.example.com/*/cb",
        "http://app.example.com/cb",
        "https://user@app.example.com/cb",
        "https://app.example.com/cb#x",
        "https://app.example.com/a/../b",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
    ] {
        let builder = good().allowed_redirect_uri_patterns([pattern]);
        let option = "allowed_redirect_uri_patterns";
        assert_eq!(fault(builder), option, "{pattern}");
        let error = RedirectPolicy::none().allow(pattern).unwrap_err();
        assert_eq!(error.option(), option, "{pattern}");
    }
}

#[test]
fn static_clients_that_cannot_work_are_refused() {
    let uri = "https://app.example.com/cb";
    let public = |id: &str| StaticClient::public(id).redirect_uri(uri).unwrap();
    let confidential = |secret: &str| {
        let client = StaticClient::confidential("web", secret);
        client.redirect_uri(uri).unwrap()
    };
    good()
        .static_client(public("a"))
        .static_client(public("b"))
        .static_client(confidential(SECRET))
        .build()
        .map(drop)
        .unwrap();
    for clients in [
        vec![public("a"), public("b"), public("a")],
        vec![public("web"), confidential(SECRET)],
        vec![public("")],
        vec![public("line\nbreak")],
        vec![StaticClient::public("a")],
        vec![confidential("short")],
    ] {
        let builder = clients
            .into_iter()
            .fold(good(), OAuthProxyConfigBuilder::static_client);
        assert_eq!(fault(builder), "static_clients");
    }
    let wrong = StaticClient::public("a").redirect_uri("javascript:x");
    assert_eq!(wrong.unwrap_err().option(), "static_clients");
}

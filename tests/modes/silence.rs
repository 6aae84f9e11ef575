//! What admits nobody, or everybody, is not built in silence: it is refused, or told at start.

use std::sync::{Arc, Mutex};

use tower_oauth_proxy::{
    Consent, Event, KnownClient, LoginRequest, MetadataDocuments, OAuthProxyConfig,
    OAuthProxyConfigBuilder, Reason, RedirectPolicy, ScopeSet, StaticClient, Step, TokenVerifier,
    VerifyError, VerifyFuture, VerifyRequest,
    provider::{azure, generic, github, google},
};

use crate::mistakes::{IDP, SECRET, at, fault, fault_showing, good, with};
use testkit::proxy::secret;

/// Believes no token.
struct Nobody;

impl TokenVerifier for Nobody {
    fn verify<'a>(&'a self, _: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async { Err(VerifyError::Invalid("inactive".to_owned())) })
    }
}

#[test]
fn a_public_path_that_this_layer_answers_itself_is_refused() {
    for (base, path) in [
        ("", "/oauth/token"),
        ("", "/oauth/consent"),
        ("", "/oauth/callback"),
        ("", "/auth/done"),
        ("", "/.well-known/oauth-authorization-server"),
        ("", "/.well-known/openid-configuration"),
        ("", "/.well-known/oauth-protected-resource"),
        ("", "/.well-known/oauth-protected-resource/mcp"),
        ("/api", "/api/oauth/token"),
        ("/api", "/api/auth/done"),
        ("/api", "/.well-known/oauth-authorization-server/api"),
        ("/api", "/.well-known/oauth-authorization-server/other"),
    ] {
        let builder = at(&format!("https://proxy.example{base}")).public_paths([path]);
        let builder = match path.ends_with("/auth/done") {
            true => builder.redirect_path("/auth/done"),
            false => builder,
        };
        assert_eq!(fault_showing(builder, path), "public_paths", "{path}");
    }
    // Neither of these is ours there.
    at("https://proxy.example/api")
        .public_paths(["/oauth/token", "/api/.well-known/x", "/.well-known/x"])
        .build()
        .map(drop)
        .unwrap();
}

/// What an instance tells when it starts.
pub(crate) fn told(builder: OAuthProxyConfigBuilder) -> Vec<(Reason, String)> {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let seen = Arc::clone(&events);
    let builder = builder.on_event(move |event| seen.lock().unwrap().push(event.clone()));
    builder.build().map(drop).unwrap();
    let events = events.lock().unwrap();
    let told = events.iter().map(|event| {
        assert_eq!(event.step, Step::Configuration);
        (event.reason.unwrap(), event.detail.clone().unwrap())
    });
    told.collect()
}

/// With a provider of one's own, of which nothing is told.
pub(crate) fn own(base: &str) -> OAuthProxyConfigBuilder {
    let url = format!("{IDP}/x");
    OAuthProxyConfig::builder(generic(&url, &url, "id", SECRET), base)
}

#[test]
fn paths_that_forget_or_repeat_the_base_path_are_told_at_start() {
    let at_path = || own("https://proxy.example/api");
    let told_of = |builder, words: &str| {
        let told = told(builder);
        assert!(
            matches!(&told[..], [(Reason::OddOption, detail)] if detail.contains(words)),
            "{told:?}"
        );
    };
    assert_eq!(told(at_path().public_paths(["/api", "/api/health"])), []);
    assert_eq!(
        told(own("https://proxy.example").public_paths(["/health"])),
        []
    );
    told_of(at_path().public_paths(["/api/a", "/health"]), "/health");
    told_of(at_path().public_paths(["/apical"]), "/apical");
    told_of(
        at_path().redirect_path("/api/done"),
        "https://proxy.example/api/api/done",
    );
    assert_eq!(told(own("https://proxy.example/oauth")), []);
}

#[test]
fn extra_parameters_that_are_dropped_are_told_at_start() {
    let extra = own("https://proxy.example")
        .extra_authorization_params([("audience", "api"), ("scope", "all")])
        .extra_token_params([("audience", "api"), ("grant_type", "x")]);
    let told = told(extra);
    let [(Reason::OddOption, scope), (Reason::OddOption, grant_type)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        scope.contains("extra_authorization_params: `scope`"),
        "{scope}"
    );
    assert!(
        grant_type.contains("extra_token_params: `grant_type`"),
        "{grant_type}"
    );
}

#[test]
fn each_option_that_weakens_security_is_told_once() {
    type Set = fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder;
    let options: [(&str, Set); 9] = [
        ("cookie_prefix", |b| b.cookie_prefix("__Secure-")),
        ("audience_by_path", |b| b.audience_by_path(false)),
        ("upstream_pkce", |b| b.upstream_pkce(false)),
        ("consent", |b| b.consent(Consent::Disabled)),
        ("allow_plain_pkce", |b| b.allow_plain_pkce(true)),
        (
            "insecure_without_storage_encryption",
            OAuthProxyConfigBuilder::insecure_without_storage_encryption,
        ),
        ("insecure_trust_unverified_emails", |b| {
            let b = b.scopes(["openid", "email"]);
            b.allowed_domains(["example.com"])
                .insecure_trust_unverified_emails()
        }),
        ("passthrough", |b| b.passthrough(Nobody)),
        ("keep_authorization_header", |b| {
            b.keep_authorization_header(true)
        }),
    ];
    assert_eq!(told(own("https://proxy.example")), []);
    for (option, set) in options {
        let told = told(set(own("https://proxy.example")));
        assert!(
            matches!(&told[..], [(Reason::WeakOption, detail)] if detail.contains(option)),
            "{option}: {told:?}"
        );
    }
}

#[test]
fn that_anybody_can_log_in_is_told_where_everybody_has_an_account() {
    for provider in [
        google("id", SECRET),
        github("id", SECRET),
        azure("common", "id", SECRET),
    ] {
        let name = format!("{provider:?}");
        let told = told(with(provider.clone()));
        assert!(
            matches!(&told[..], [(Reason::WeakOption, detail)] if detail.contains("anyone")),
            "{name}: {told:?}"
        );
        let judged = with(provider).on_login(async |_: LoginRequest| Ok(()));
        assert_eq!(self::told(judged), []);
    }
    let listed = with(google("id", SECRET)).allowed_domains(["example.com"]);
    assert_eq!(told(listed), []);
    let grouped = with(azure("common", "id", SECRET)).allowed_groups(["eng"]);
    assert_eq!(told(grouped), []);
    let claimed = with(azure("common", "id", SECRET)).allowed_claim("oid", ["7"]);
    assert_eq!(told(claimed), []);
    for of_its_own in [
        google("id", SECRET).allowed_organizations(["example.com"]),
        google("id", SECRET).allowed_claim("hd", ["example.com"]),
    ] {
        assert_eq!(told(with(of_its_own)), []);
    }
}

#[test]
fn a_list_that_its_provider_can_never_vouch_for_is_refused() {
    let url = format!("{IDP}/x");
    let plain = || generic(&url, &url, "id", SECRET);
    type Set = fn(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder;
    let lists: [(&str, Set); 2] = [
        ("allowed_emails", |b| b.allowed_emails(["ada@example.com"])),
        ("allowed_domains", |b| b.allowed_domains(["example.com"])),
    ];
    for (option, list) in lists {
        for (provider, advice) in [
            (plain(), "`email`"),
            (plain().scopes(["openid"]), "`email`"),
            (plain().scopes(["email"]), "`openid`"),
            (google("id", SECRET).scopes(["openid"]), "`email`"),
            (github("id", SECRET).scopes(["read:user"]), "user:email"),
            (azure("contoso.example", "id", SECRET), "insecure_trust_"),
        ] {
            let shown = format!("{provider:?}");
            let builder = list(with(provider));
            assert_eq!(fault_showing(builder, advice), option, "{shown}");
        }
        for provider in [
            plain().userinfo_url(&url),
            plain().scopes(["openid", "email"]),
            plain().upstream_scopes(["openid", "email"]),
            google("id", SECRET),
            github("id", SECRET),
            github("id", SECRET).scopes(["user"]),
        ] {
            list(with(provider)).build().map(drop).unwrap();
        }
        // The provider's own scopes are asked for besides those that clients are offered.
        list(with(github("id", SECRET)).scopes(["repo"]))
            .build()
            .map(drop)
            .unwrap();
        let entra = || with(azure("contoso.example", "id", SECRET));
        let trusting = list(entra()).insecure_trust_unverified_emails();
        trusting.build().map(drop).unwrap();
    }
}

#[test]
fn a_list_entry_that_could_never_match_is_refused() {
    for entry in ["*.example.com", "https://example.com", "@example.com", ""] {
        let builder = good().allowed_domains(["example.org", entry]);
        let option = fault_showing(builder, &format!("{entry:?}"));
        assert_eq!(option, "allowed_domains", "{entry}");
    }
    for entry in ["example.com", "*@example.com", "Ada <ada@example.com>", ""] {
        let builder = good().allowed_emails(["ada@example.org", entry]);
        let option = fault_showing(builder, &format!("{entry:?}"));
        assert_eq!(option, "allowed_emails", "{entry}");
    }
    let nobody: [&str; 0] = [];
    assert_eq!(fault(good().allowed_domains(nobody)), "allowed_domains");
    assert_eq!(fault(good().allowed_emails(nobody)), "allowed_emails");
    for entry in ["", " "] {
        let claims = good().role_claims(["roles", entry]);
        assert_eq!(fault(claims), "role_claims", "{entry:?}");
        let audiences = good().access_token_audiences([entry]);
        assert_eq!(fault(audiences), "access_token_audiences", "{entry:?}");
    }
    // Without a list it would let everybody in.
    let trusting = good().insecure_trust_unverified_emails();
    assert_eq!(fault(trusting), "insecure_trust_unverified_emails");
}

#[test]
fn a_name_that_people_could_not_read_is_refused() {
    let long = "x".repeat(101);
    for name in [
        "",
        "  ",
        "line\nbreak",
        "nul\0",
        "\u{202e}evil",
        "zero\u{200b}width",
        "\u{2028}",
        "\u{e000}",
        "\u{2800}",
        "Hangul\u{3164}filler",
        "short\u{1bca0}hand",
        &long,
    ] {
        let option = fault(good().service_name(name));
        assert_eq!(option, "service_name", "{name:?}");
        let option = fault(with(github("id", SECRET).name(name)));
        assert_eq!(option, "provider", "{name:?}");
        let client = StaticClient::public("web").redirect_uri("https://app.example.com/cb");
        let option = fault(good().static_client(client.unwrap().name(name)));
        assert_eq!(option, "static_clients", "{name:?}");
    }
    for name in ["Wetter für Köln", "天気", &long[1..], "A & B's <service>"] {
        good().service_name(name).build().map(drop).unwrap();
    }
}

#[test]
fn options_that_take_each_others_effect_away_are_refused() {
    let clear = || good().insecure_without_storage_encryption();
    assert_eq!(fault(clear().encryption_key(secret(1))), "encryption_key");
    let replaced = clear().previous_encryption_keys([secret(1)]);
    assert_eq!(fault(replaced), "encryption_key");
    let passed_on = || good().passthrough(Nobody);
    assert_eq!(
        fault(passed_on().jwt_signing_key(secret(1))),
        "jwt_signing_key"
    );
    let replaced = passed_on().previous_jwt_signing_keys([secret(1)]);
    assert_eq!(fault(replaced), "jwt_signing_key");

    let closed = || {
        good()
            .redirect_policy(RedirectPolicy::none())
            .metadata_documents(MetadataDocuments::off())
    };
    assert_eq!(fault(closed()), "redirect_policy");
    // The origin of a document vouches for itself.
    closed()
        .metadata_documents(MetadataDocuments::on())
        .build()
        .map(drop)
        .unwrap();
    closed()
        .allow_client(KnownClient::Claude)
        .build()
        .map(drop)
        .unwrap();
    closed()
        .allowed_redirect_uri_patterns(["https://app.example.com/cb"])
        .build()
        .map(drop)
        .unwrap();
    let client = || {
        let client = StaticClient::public("web");
        client.redirect_uri("https://app.example.com/cb").unwrap()
    };
    closed().static_client(client()).build().map(drop).unwrap();
    let scope = |scope| {
        good()
            .scopes(["read"])
            .static_client(client().default_scope(ScopeSet::parse(scope).unwrap()))
    };
    scope("read offline_access").build().map(drop).unwrap();
    assert_eq!(
        fault_showing(scope("read write"), "`write`"),
        "static_clients"
    );
}

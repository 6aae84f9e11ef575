//! Each rule on a document, and the refusal next to it.

use serde_json::{Value, json};

use super::*;
use crate::provider::{azure, generic, oidc};

const ISSUER: &str = "https://idp.example";

fn document(mut changes: Value) -> Metadata {
    let mut document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://api.example/token",
        "revocation_endpoint": "https://api.example/revoke",
        "userinfo_endpoint": "https://api.example/userinfo",
        "introspection_endpoint": "https://api.example/introspect",
        "jwks_uri": "https://keys.example/keys",
    });
    let members = document.as_object_mut().unwrap();
    members.append(changes.as_object_mut().unwrap());
    members.retain(|_, value| !value.is_null());
    Metadata::parse(document.to_string().as_bytes()).unwrap()
}

fn fill(provider: &Provider, changes: Value) -> Result<Provider, DiscoveryError> {
    let discovery = provider.discovery.as_ref().unwrap();
    filled(provider, discovery, &document(changes))
}

fn idp() -> Provider {
    oidc(ISSUER, "app", "secret")
}

#[track_caller]
fn refused(provider: &Provider, changes: Value, words: &[&str]) {
    let error = fill(provider, changes).unwrap_err();
    let text = error.to_string();
    assert!(!error.is_passing(), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
}

#[test]
fn the_document_is_below_the_issuer_or_its_path_is_behind_the_well_known_one() {
    for (issuer, openid, oauth) in [
        (
            "https://idp.example",
            "https://idp.example/.well-known/openid-configuration",
            "https://idp.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://idp.example/",
            "https://idp.example/.well-known/openid-configuration",
            "https://idp.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://idp.example:8443/realms/acme",
            "https://idp.example:8443/realms/acme/.well-known/openid-configuration",
            "https://idp.example:8443/.well-known/oauth-authorization-server/realms/acme",
        ),
        (
            "http://[::1]:1/o/slug/",
            "http://[::1]:1/o/slug/.well-known/openid-configuration",
            "http://[::1]:1/.well-known/oauth-authorization-server/o/slug",
        ),
    ] {
        assert_eq!(places(issuer), [openid, oauth], "{issuer}");
    }
}

#[test]
fn the_document_fills_what_is_not_stated() {
    let filled = fill(&idp(), json!({})).unwrap();
    let all: Vec<_> = filled.endpoints.all().map(|(_, url)| url).collect();
    assert_eq!(
        all,
        [
            "https://idp.example/authorize",
            "https://api.example/token",
            "https://api.example/revoke",
            "https://api.example/userinfo",
            "https://api.example/introspect",
            "https://keys.example/keys",
        ]
    );
    assert!(!filled.names_issuer);
    let named = json!({"authorization_response_iss_parameter_supported": true});
    assert!(fill(&idp(), named).unwrap().names_issuer);
}

#[test]
fn what_the_operator_states_wins_and_what_it_replaces_is_not_judged() {
    let own = idp()
        .userinfo_url("https://own.example/userinfo")
        .revocation_url("https://own.example/revoke")
        .jwks_url("https://own.example/keys");
    let changes = json!({"userinfo_endpoint": "http://idp.example/userinfo"});
    let filled = fill(&own, changes).unwrap().endpoints;
    assert_eq!(
        filled.userinfo.as_deref(),
        Some("https://own.example/userinfo")
    );
    assert_eq!(
        filled.revocation.as_deref(),
        Some("https://own.example/revoke")
    );
    assert_eq!(filled.jwks.as_deref(), Some("https://own.example/keys"));
    assert_eq!(filled.token.as_deref(), Some("https://api.example/token"));
}

#[test]
fn the_issuer_is_the_configured_one_to_the_byte_and_the_error_names_both() {
    let with_slash = oidc("https://idp.example/", "app", "secret");
    assert!(fill(&with_slash, json!({"issuer": "https://idp.example/"})).is_ok());
    refused(
        &with_slash,
        json!({}),
        &["\"https://idp.example\"", "\"https://idp.example/\""],
    );
    for other in [
        "https://idp.example/",
        "https://IDP.example",
        "https://evil.example",
        "idp.example",
        "",
    ] {
        refused(&idp(), json!({"issuer": other}), &[other, ISSUER]);
    }
    // Where it stands and what it is named may differ, when the operator says so.
    let inside = idp().issuer("https://sso.example");
    assert!(fill(&inside, json!({"issuer": "https://sso.example"})).is_ok());
    refused(&inside, json!({}), &["https://sso.example"]);
}

#[test]
fn an_endpoint_is_at_any_host_by_https_without_a_password_or_a_fragment() {
    let long = format!("https://idp.example/{}", "x".repeat(MAX_DOCUMENT_URL));
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "introspection_endpoint",
        "jwks_uri",
    ] {
        for url in [
            "http://idp.example/x",
            "http://127.0.0.1/x",
            "http://localhost/x",
            "https://user:hunter2@idp.example/x",
            "https://idp.example/x#f",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "/x",
            "",
            &long,
        ] {
            let error = fill(&idp(), json!({ member: url }))
                .unwrap_err()
                .to_string();
            assert!(error.contains(member), "{url}: {error}");
            assert!(!error.contains("hunter2") && error.len() < 400, "{error}");
        }
    }
    refused(
        &idp(),
        json!({"token_endpoint": "http://localhost/x?key=hunter2"}),
        &["must be https, as the issuer is", "\"http://localhost/x\""],
    );
}

#[test]
fn a_loopback_issuer_may_have_its_endpoints_on_loopback() {
    let issuer = "http://127.0.0.1:8080";
    let local = oidc(issuer, "app", "secret");
    let at = |token: &str| fill(&local, json!({"issuer": issuer, "token_endpoint": token}));
    assert!(at("http://127.0.0.1:8080/token").is_ok());
    assert!(at("http://localhost/token").is_ok());
    assert!(at("http://idp.example/token").is_err());
}

#[test]
fn a_missing_endpoint_is_named() {
    for member in ["authorization_endpoint", "token_endpoint"] {
        refused(&idp(), json!({ member: null }), &[member]);
    }
    // Where nothing asks for them, nothing is missing.
    let changes = json!({"jwks_uri": null, "userinfo_endpoint": null});
    assert_eq!(fill(&idp(), changes).unwrap().endpoints.jwks, None);
}

#[test]
fn the_way_to_authenticate_is_basic_unless_the_document_lists_only_another_that_fits() {
    let chosen = |provider: &Provider, listed: Value| {
        let filled = fill(
            provider,
            json!({ "token_endpoint_auth_methods_supported": listed }),
        );
        filled.map(|provider| provider.token_endpoint_auth)
    };
    let (basic, post) = (TokenEndpointAuth::Basic, TokenEndpointAuth::Post);
    for (listed, expected) in [
        (Value::Null, basic),
        (json!(["client_secret_post", "client_secret_basic"]), basic),
        (json!(["private_key_jwt", "client_secret_post"]), post),
    ] {
        assert_eq!(chosen(&idp(), listed), Ok(expected));
    }
    let none = json!(["private_key_jwt", "none"]);
    refused(
        &idp(),
        json!({"token_endpoint_auth_methods_supported": none}),
        &["private_key_jwt, none", "token_endpoint_auth_method"],
    );
    // The operator's word, and an app that has no secret.
    let said = idp().token_endpoint_auth_method(post);
    assert_eq!(chosen(&said, json!(["client_secret_basic"])), Ok(post));
    assert!(chosen(&idp().without_client_secret(), none).is_ok());
}

#[test]
fn offline_access_is_asked_for_where_the_document_lists_it_and_the_operator_says_nothing() {
    let asked = |provider: &Provider, listed: Value| {
        fill(provider, json!({ "scopes_supported": listed }))
            .unwrap()
            .upstream_scopes
    };
    let listed = json!(["openid", "offline_access"]);
    assert_eq!(asked(&idp(), listed.clone()), ["offline_access"]);
    assert!(asked(&idp(), json!(["openid"])).is_empty());
    assert!(asked(&idp(), Value::Null).is_empty());
    let none: [&str; 0] = [];
    assert!(asked(&idp().upstream_scopes(none), listed).is_empty());
}

#[test]
fn a_provider_that_signs_id_tokens_by_no_published_key_is_refused_before_a_login() {
    let name = "id_token_signing_alg_values_supported";
    for listed in [
        json!(["RS256", "HS256"]),
        json!(["ES256"]),
        json!([]),
        Value::Null,
    ] {
        assert!(fill(&idp(), json!({ name: listed })).is_ok());
    }
    for listed in [json!(["HS256"]), json!(["none", "HS512"])] {
        refused(&idp(), json!({ name: listed }), &["HS", "RS256"]);
    }
    let keyed = idp().jwks_url("https://keys.example/k");
    assert!(fill(&keyed, json!({name: ["HS256"]})).is_ok());
}

#[test]
fn a_preset_that_states_its_urls_takes_the_keys_alone() {
    let stated = generic("https://a.example/a", "https://a.example/t", "app", "s");
    let filled = fill(
        &stated.clone().keys_discovered(ISSUER),
        json!({
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["offline_access"],
            "token_endpoint": "http://evil.example",
        }),
    )
    .unwrap();
    let expected = Endpoints {
        jwks: Some("https://keys.example/keys".to_owned()),
        ..stated.endpoints
    };
    assert_eq!(filled.endpoints, expected);
    assert!(!filled.names_issuer && filled.upstream_scopes.is_empty());
}

#[test]
fn the_document_of_a_tenant_names_its_id_and_that_of_all_tenants_a_template() {
    const TID: &str = "11111111-2222-3333-4444-555555555555";
    const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let at = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let admits = |tenant: &str, named: &str| {
        fill(&azure(tenant, "app", "s"), json!({ "issuer": named })).is_ok()
    };
    let template = at("{tenantid}");
    for (tenant, own) in [
        (TID, &*at(TID)),
        ("contoso.example", &*at(TID)),
        ("common", &*template),
        ("organizations", &*template),
        ("consumers", &*template),
        ("consumers", &*at(PERSONAL)),
    ] {
        assert!(admits(tenant, own), "{tenant}: {own}");
        for foreign in [
            "https://login.microsoftonline.us/{tenantid}/v2.0",
            "https://evil.example/{tenantid}/v2.0",
            &at("common"),
            &at("{tid}"),
            &at("99999999-2222-3333-4444-555555555555"),
        ] {
            // A domain's id is known by its document alone.
            let is_some_tenant = tenant == "contoso.example" && foreign.contains("99999999");
            assert_eq!(
                admits(tenant, foreign),
                is_some_tenant,
                "{tenant}: {foreign}"
            );
        }
    }
    assert!(!admits(TID, &template) && !admits("contoso.example", &template));
    let gov = azure(TID, "app", "s").authority("https://login.microsoftonline.us");
    let discovery = gov.discovery.as_ref().unwrap();
    assert_eq!(
        discovery.issuer,
        format!("https://login.microsoftonline.us/{TID}/v2.0")
    );
    let named = discovery.issuer.clone();
    assert!(fill(&gov, json!({ "issuer": named })).is_ok());
    let external = gov.issuer(at(TID));
    assert!(fill(&external, json!({"issuer": at(TID)})).is_ok());
}

use proptest::prelude::*;

use super::*;
use crate::client::KnownClient;

const NOW: Unix = Unix::at(1_795_000_000);

/// The answer of a server that serves every grant type.
fn registration_answer(metadata: &ClientMetadata, id: &str, secret: Option<&str>) -> Value {
    super::registration_answer(metadata, id, secret, &GrantType::ALL)
}

fn everything() -> RedirectPolicy {
    KnownClient::all()
        .iter()
        .fold(RedirectPolicy::default(), |policy, client| {
            policy.allow_client(*client)
        })
}

fn parse_with(body: &Value, policy: &RedirectPolicy) -> Result<ClientMetadata, OAuthError> {
    let scopes = ScopeSet::parse("read write openid").unwrap();
    ClientMetadata::parse(body.to_string().as_bytes(), policy, &scopes, NOW)
}

fn parse(body: &Value) -> Result<ClientMetadata, OAuthError> {
    parse_with(body, &RedirectPolicy::default())
}

/// A registration that is accepted, with one member changed.
fn with(name: &str, value: Value) -> Value {
    let mut body = json!({ "redirect_uris": ["http://localhost:1/cb"] });
    body.as_object_mut().unwrap().insert(name.to_owned(), value);
    body
}

fn refusal(body: &Value) -> OAuthError {
    match parse(body) {
        Err(error) => error,
        Ok(accepted) => panic!("{body} is accepted as {accepted:?}"),
    }
}

/// What real clients send, and whether loopback alone is enough for them.
fn real_registrations() -> Vec<(Value, bool)> {
    vec![
        (
            json!({
                "client_name": "Claude",
                "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
                "scope": "claudeai read"
            }),
            false,
        ),
        (
            json!({
                "client_name": "ChatGPT",
                "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none"
            }),
            false,
        ),
        (
            json!({
                "client_name": "Cursor",
                "redirect_uris": [
                    "cursor://anysphere.cursor-mcp/oauth/callback",
                    "https://www.cursor.com/agents/mcp/oauth/callback",
                    "http://localhost:8787/callback"
                ],
                "token_endpoint_auth_method": "none"
            }),
            false,
        ),
        (
            json!({
                "client_name": "Visual Studio Code",
                "client_uri": "https://code.visualstudio.com",
                "grant_types": [
                    "authorization_code", "refresh_token",
                    "urn:ietf:params:oauth:grant-type:device_code"
                ],
                "response_types": ["code"],
                "redirect_uris": [
                    "https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
                    "http://127.0.0.1/", "http://127.0.0.1:33418/"
                ],
                "token_endpoint_auth_method": "none",
                "application_type": "native"
            }),
            false,
        ),
        (
            json!({
                "client_name": "Copilot Studio",
                "redirect_uris": ["https://global.consent.azure-apim.net/redirect/cr1-tool"],
            }),
            false,
        ),
        (
            json!({
                "client_name": "MCP CLI Proxy",
                "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
                "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
                "redirect_uris": ["http://localhost:3334/oauth/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "client_secret_post",
                "scope": "openid email profile"
            }),
            true,
        ),
        (
            json!({
                "client_name": "MCP Inspector",
                "client_uri": "https://github.com/modelcontextprotocol/inspector",
                "redirect_uris": [
                    "http://localhost:6274/oauth/callback",
                    "http://localhost:6274/oauth/callback/debug"
                ],
                "logo_uri": null,
                "token_endpoint_auth_method": "none",
                "scope": ""
            }),
            true,
        ),
    ]
}

#[test]
fn registrations_of_real_clients_are_accepted_with_the_presets() {
    for (body, _) in real_registrations() {
        let metadata = parse_with(&body, &everything()).unwrap_or_else(|e| panic!("{body}: {e}"));
        let answer = registration_answer(&metadata, "id", None);
        for kept in ["client_name", "redirect_uris", "client_uri", "software_id"] {
            if !body[kept].is_null() {
                assert_eq!(answer[kept], body[kept]);
            }
        }
    }
}

#[test]
fn without_a_preset_only_clients_on_loopback_are_accepted_and_the_refusal_says_why() {
    for (body, loopback) in real_registrations() {
        match parse(&body) {
            Ok(_) => assert!(loopback, "{body}"),
            Err(error) => {
                assert!(!loopback, "{body}: {error}");
                assert_eq!(error.code, OAuthErrorCode::InvalidRedirectUri);
                assert!(error.detail.unwrap().contains("KnownClient::"));
            }
        }
    }
}

#[test]
fn one_refused_uri_among_permitted_ones_refuses_the_whole_and_is_named() {
    let error = refusal(&with(
        "redirect_uris",
        json!([
            "http://127.0.0.1/",
            "https://vscode.dev/redirect",
            "http://127.0.0.1:33418/"
        ]),
    ));
    assert_eq!(error.code, OAuthErrorCode::InvalidRedirectUri);
    assert!(error.description.contains("https://vscode.dev/redirect"));
    let detail = error.detail.unwrap();
    assert!(detail.contains("KnownClient::VsCode"), "{detail}");
    assert!(detail.contains("allowed_redirect_uri_patterns"), "{detail}");
}

#[test]
fn a_description_quotes_a_redirect_uri_safely() {
    let error = refusal(&with(
        "redirect_uris",
        json!([format!("http://evil\"\r\n\u{202e}\\{}", "x".repeat(5_000))]),
    ));
    assert!(
        error
            .description
            .bytes()
            .all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\')
    );
    assert!(error.description.len() < 400);
}

#[test]
fn redirect_uris_must_be_there_be_strings_and_be_few() {
    let many: Vec<String> = (0..11).map(|i| format!("http://localhost/{i}")).collect();
    for value in [
        json!(null),
        json!([]),
        json!("http://localhost/"),
        json!([1]),
        json!({}),
        json!(many),
        json!(["http://localhost/", null]),
        json!(["javascript:alert(1)"]),
        json!(["http://localhost:80@evil.example/"]),
        json!(["http://localhost/#"]),
        json!(["http://localhost/\n"]),
        json!([""]),
    ] {
        let error = refusal(&with("redirect_uris", value));
        assert_eq!(error.code, OAuthErrorCode::InvalidRedirectUri);
    }
    let ten = with("redirect_uris", json!(many[..10]));
    assert_eq!(parse(&ten).unwrap().registration.redirect_uris.len(), 10);
    let twice = with(
        "redirect_uris",
        json!(["http://localhost/", "http://localhost/"]),
    );
    assert_eq!(parse(&twice).unwrap().registration.redirect_uris.len(), 1);
}

#[test]
fn what_is_not_a_json_object_is_invalid_metadata() {
    let deep = "[".repeat(10_000);
    for body in [
        "",
        "[]",
        "null",
        "\"x\"",
        "{",
        "{}x",
        &deep,
        "\u{feff}",
        "\u{feff}\u{feff}{}",
        "{}\u{feff}",
    ] {
        let policy = RedirectPolicy::default();
        let parsed = ClientMetadata::parse(body.as_bytes(), &policy, &ScopeSet::default(), NOW);
        assert_eq!(
            parsed.unwrap_err().code,
            OAuthErrorCode::InvalidClientMetadata
        );
    }
}

#[test]
fn a_byte_order_mark_before_the_body_is_ignored() {
    let body = format!("\u{feff}{}", with("client_name", json!("x")));
    let policy = RedirectPolicy::default();
    ClientMetadata::parse(body.as_bytes(), &policy, &ScopeSet::default(), NOW).unwrap();
}

#[test]
fn what_decides_and_cannot_be_honoured_is_invalid_metadata() {
    for (name, value) in [
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!("NONE")),
        ("token_endpoint_auth_method", json!(["none"])),
        ("token_endpoint_auth_method", json!(0)),
        ("token_endpoint_auth_method", json!(false)),
        ("grant_types", json!(["client_credentials"])),
        ("grant_types", json!(["AUTHORIZATION_CODE"])),
        ("grant_types", json!("authorization_code")),
        ("grant_types", json!(["authorization_code", 1])),
        ("response_types", json!(["token"])),
        ("response_types", json!("code")),
    ] {
        let error = refusal(&with(name, value.clone()));
        assert_eq!(
            error.code,
            OAuthErrorCode::InvalidClientMetadata,
            "{name} {value}"
        );
    }
}

#[test]
fn what_is_for_show_and_of_no_use_is_left_out() {
    let long = format!("https://b.example/{}", "x".repeat(MAX_ECHOED_URI));
    for (name, value) in [
        ("application_type", json!("desktop")),
        ("application_type", json!(1)),
        ("client_name", json!({})),
        ("client_name", json!(["a", "b"])),
        ("client_name", json!(true)),
        ("client_name", json!("")),
        ("client_name#de", json!([])),
        ("scope", json!({})),
        ("scope", json!(["read", 1])),
        ("scope", json!(7)),
        ("scope", json!("re\"ad")),
        ("contacts", json!("a@b.example")),
        ("contacts", json!([1])),
        ("software_id", json!({})),
        ("software_version", json!(false)),
        ("logo_uri", json!("data:image/png;base64,iVBORw0KGgo=")),
        ("logo_uri", json!("javascript:alert(1)")),
        ("logo_uri", json!("java\nscript:alert(1)")),
        ("logo_uri", json!(" https://b.example/")),
        ("logo_uri", json!("/logo.png")),
        ("logo_uri", json!(long)),
        ("logo_uri", json!(1)),
        ("logo_uri", json!(["https://b.example/logo.png"])),
        ("client_uri", json!("data:text/html,x")),
        ("policy_uri#de", json!("javascript:alert(1)")),
        ("tos_uri", json!("not a url")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks", json!([])),
        ("jwks", json!("{}")),
    ] {
        let metadata = parse(&with(name, value.clone()));
        let metadata = metadata.unwrap_or_else(|error| panic!("{name} {value}: {error}"));
        let answer = registration_answer(&metadata, "id", None);
        assert_eq!(answer.get(name), None, "{name} {value}");
    }
}

#[test]
fn a_number_where_a_string_belongs_is_read_as_its_digits() {
    for (name, value, kept) in [
        ("client_name", json!(42), "42"),
        ("client_name#ja", json!(42), "42"),
        ("software_id", json!(7), "7"),
        ("software_version", json!(1.25), "1.25"),
    ] {
        let metadata = parse(&with(name, value)).unwrap();
        assert_eq!(registration_answer(&metadata, "id", None)[name], kept);
    }
}

#[test]
fn without_a_method_the_client_is_told_basic_and_may_use_any() {
    for absent in [json!(null), json!("")] {
        let metadata = parse(&with("token_endpoint_auth_method", absent)).unwrap();
        assert_eq!(metadata.registration.auth, AuthRule::AnySecret);
        let answer = registration_answer(&metadata, "id", None);
        assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
    }
    for named in &ClientAuthMethod::ALL[..3] {
        let named = *named;
        let body = with("token_endpoint_auth_method", json!(named.as_str()));
        let registration = parse(&body).unwrap().registration;
        assert_eq!(registration.auth, AuthRule::Exactly(named));
    }
}

#[test]
fn an_application_type_is_kept_and_forbids_no_redirect_uri_that_the_policy_permits() {
    let policy = everything().allow("https://localhost/cb").unwrap();
    for uri in [
        "https://claude.ai/api/mcp/auth_callback",
        "http://localhost/cb",
        "https://localhost/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ] {
        for kind in ["web", "native"] {
            let mut body = with("application_type", json!(kind));
            body["redirect_uris"] = json!([uri]);
            let metadata = parse_with(&body, &policy).unwrap();
            let answer = registration_answer(&metadata, "id", None);
            assert_eq!(answer["application_type"], kind, "{uri}");
        }
    }
    let mut body = with("application_type", json!("web"));
    body["redirect_uris"] = json!(["cursor://anysphere.cursor-mcp/oauth/callback"]);
    assert_eq!(refusal(&body).code, OAuthErrorCode::InvalidRedirectUri);
}

#[test]
fn unknown_scopes_are_dropped_and_offline_access_is_always_kept() {
    let scope = |scope: &str| {
        parse(&with("scope", json!(scope)))
            .unwrap()
            .registration
            .scope
    };
    assert_eq!(
        scope("claudeai write offline_access read")
            .unwrap()
            .to_string(),
        "write offline_access read"
    );
    assert_eq!(
        scope("read\twrite re\"ad \u{e9}").unwrap().to_string(),
        "read write"
    );
    assert_eq!(scope("claudeai profile"), None);
    assert_eq!(scope(""), None);
    let listed = parse(&with("scope", json!(["read", "claudeai openid"]))).unwrap();
    assert_eq!(
        listed.registration.scope.unwrap().to_string(),
        "read openid"
    );
}

#[test]
fn a_name_is_made_printable_and_cut() {
    let name = |name: &str| {
        parse(&with("client_name", json!(name)))
            .unwrap()
            .registration
            .name
    };
    assert_eq!(name(" My\u{202e}\nApp ").unwrap(), "My\u{fffd}\u{fffd}App");
    assert_eq!(name(&"é".repeat(9_000)).unwrap().chars().count(), 100);
    assert_eq!(name("  "), None);
}

#[test]
fn what_is_not_kept_is_echoed_and_nothing_of_ours_can_be_made_up() {
    let body = json!({
        "redirect_uris": ["http://localhost:1/cb"],
        "contacts": ["a@b.example"],
        "logo_uri": "https://b.example/logo.png",
        "tos_uri": "",
        "client_name#ja": "クライアント",
        "jwks": { "keys": [] },
        "software_version": "1.2",
        "client_id": "mine", "client_secret": "mine", "client_secret_expires_at": 9,
        "client_id_issued_at": 9, "registration_access_token": "mine",
        "registration_client_uri": "https://evil.example/", "issuer": "https://evil.example",
        "made_up": true
    });
    let metadata = parse(&body).unwrap();
    let answer = registration_answer(&metadata, "ours", None);
    assert_eq!(
        answer,
        json!({
            "client_id": "ours",
            "client_id_issued_at": NOW,
            "redirect_uris": ["http://localhost:1/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "contacts": ["a@b.example"],
            "logo_uri": "https://b.example/logo.png",
            "client_name#ja": "クライアント",
            "jwks": { "keys": [] },
            "software_version": "1.2",
        })
    );
}

#[test]
fn a_secret_comes_with_an_expiry_of_never() {
    let mut body = with("application_type", json!("native"));
    body["scope"] = json!("read");
    let metadata = parse(&body).unwrap();
    let answer = registration_answer(&metadata, "ours", Some("s3cret"));
    assert_eq!(answer["client_secret"], "s3cret");
    assert_eq!(answer["client_secret_expires_at"], 0);
    assert_eq!(
        (&answer["application_type"], &answer["scope"]),
        (&json!("native"), &json!("read"))
    );
}

proptest! {
    #[test]
    fn nothing_panics(body in any::<Vec<u8>>(), uri in any::<String>(), name in any::<String>()) {
        let policy = RedirectPolicy::default();
        let _ = ClientMetadata::parse(&body, &policy, &ScopeSet::default(), NOW);
        let _ = parse(&with("redirect_uris", json!([uri])));
        let _ = parse(&with("client_name", json!(name.clone())));
        let _ = parse(&with(&name, json!(name.clone())));
    }
}

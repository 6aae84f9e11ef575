use serde_json::{Map, json};

use super::*;

const URL: &str = "https://client.example/app.json";

/// A good document with some members changed, and those that are null left out.
fn with(changes: &Value) -> Result<Published, String> {
    let mut document = json!({
        "client_id": URL,
        "client_name": "Kit",
        "redirect_uris": ["https://client.example/cb", "http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "logo_uri": "javascript:alert(1)",
    });
    let members: &mut Map<String, Value> = document.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    Published::parse(URL, document.to_string().as_bytes())
}

fn method(published: &Published) -> &'static str {
    published.auth.registered().as_str()
}

#[test]
fn what_a_login_needs_is_read_and_the_rest_is_left_alone() {
    let read = with(&json!({"scope": "read write", "client_secret": null})).unwrap();
    assert_eq!(&*read.name, "Kit");
    let uris = read.redirect_uris();
    let uris: Vec<_> = uris.iter().map(RedirectUri::as_str).collect();
    assert_eq!(uris, ["https://client.example/cb", "http://127.0.0.1/cb"]);
    assert_eq!((method(&read), read.keys), ("none", None));
    assert_eq!(read.scope, Some(ScopeSet::parse("read write").unwrap()));
    let marked = format!(
        "\u{feff}{}",
        json!({"client_id": URL, "client_name": "K", "redirect_uris": ["a:/b"]})
    );
    assert!(Published::parse(URL, marked.as_bytes()).is_ok());
    let named = with(&json!({"client_name": " a\u{202e}b\n "})).unwrap();
    assert_eq!(&*named.name, "a\u{fffd}b");
}

#[test]
fn the_document_names_its_own_url_to_the_byte() {
    for other in [
        json!("https://client.example/app.json?"),
        json!("https://client.example/app.json/"),
        json!("https://client.example:443/app.json"),
        json!("https://CLIENT.example/app.json"),
        json!("https://other.example/app.json"),
        json!("http://client.example/app.json"),
        json!(""),
        json!([URL]),
        json!(7),
        json!(null),
    ] {
        let error = with(&json!({ "client_id": other })).unwrap_err();
        assert!(error.contains("client_id"), "{other}: {error}");
    }
}

#[test]
fn no_secret_is_taken_from_what_all_can_read() {
    for (member, value) in [
        ("client_secret", json!("a secret that everyone has")),
        ("client_secret", json!("")),
        ("client_secret_expires_at", json!(0)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
    ] {
        let error = with(&json!({ member: value })).unwrap_err();
        assert!(error.contains("is no secret"), "{member}: {error}");
    }
    let secret = json!({
        "token_endpoint_auth_method": "client_secret_basic",
        "token_endpoint_auth_methods_supported": ["none"],
    });
    assert!(with(&secret).is_err());
}

#[test]
fn the_method_that_the_document_names_counts_and_of_a_list_the_strongest() {
    let key = "https://client.example/keys.json";
    let both = ["none", "private_key_jwt"];
    for (named, listed, is) in [
        (json!("none"), json!(null), "none"),
        (json!(null), json!(null), "none"),
        (json!("private_key_jwt"), json!(null), "private_key_jwt"),
        // As ChatGPT's: held to its key.
        (json!("private_key_jwt"), json!(both), "private_key_jwt"),
        (json!("none"), json!(both), "none"),
        (json!(null), json!(both), "private_key_jwt"),
        (json!(null), json!(["none"]), "none"),
        (json!("tls_client_auth"), json!(both), "private_key_jwt"),
        (
            json!("tls_client_auth"),
            json!(["tls_client_auth", "none"]),
            "none",
        ),
        (json!(null), json!(["client_secret_basic", "none"]), "none"),
    ] {
        let members = json!({
            "token_endpoint_auth_method": named,
            "token_endpoint_auth_methods_supported": listed,
            "jwks_uri": key,
        });
        let read = with(&members).unwrap();
        assert_eq!(method(&read), is, "{members}");
        let keys = (is != "none").then(|| ClientKeys::At(key.to_owned()));
        assert_eq!(read.keys, keys, "{members}");
    }
    for (named, listed) in [
        (json!("tls_client_auth"), json!(null)),
        (
            json!("tls_client_auth"),
            json!(["self_signed_tls_client_auth"]),
        ),
        (json!(""), json!(null)),
        (json!(7), json!(null)),
        (json!(null), json!(["client_secret_basic"])),
    ] {
        let members = json!({
            "token_endpoint_auth_method": named,
            "token_endpoint_auth_methods_supported": listed,
        });
        assert!(with(&members).is_err(), "{members}");
    }
}

#[test]
fn a_key_needs_keys_that_are_public_and_one_way_to_them() {
    let keyed = |jwks: Value, uri: Value| {
        let members = json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, "jwks_uri": uri,
        });
        with(&members)
    };
    let uri = json!("https://client.example/keys.json");
    assert!(keyed(json!(null), uri.clone()).is_ok());
    for (jwks, uri) in [
        (json!(null), json!(null)),
        (json!({"keys": []}), json!(null)),
        (json!({"keys": []}), uri),
        (json!(null), json!("http://client.example/keys.json")),
        (json!(null), json!("https://me@client.example/keys.json")),
        (
            json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
            json!(null),
        ),
        (
            json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}]}),
            json!(null),
        ),
    ] {
        assert!(keyed(jwks.clone(), uri.clone()).is_err(), "{jwks} {uri}");
    }
}

#[test]
fn a_redirect_uri_that_can_be_none_here_is_passed_over_and_one_has_to_be_left() {
    let mixed = json!({"redirect_uris": ["javascript:alert(1)", "urn:ietf:wg:oauth:2.0:oob", "app://cb/", "x"]});
    let uris = with(&mixed).unwrap().redirect_uris();
    assert_eq!(
        uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        ["app://cb/"]
    );
    let many = |count: usize| {
        let uris: Vec<_> = (0..count)
            .map(|n| format!("https://client.example/{n}"))
            .collect();
        with(&json!({ "redirect_uris": uris }))
    };
    let most = many(MAX_DOCUMENT_REDIRECT_URIS).unwrap();
    assert_eq!(most.redirect_uris().len(), MAX_DOCUMENT_REDIRECT_URIS);
    assert!(many(MAX_DOCUMENT_REDIRECT_URIS + 1).is_err());
    for bad in [
        json!(null),
        json!([]),
        json!("https://client.example/cb"),
        json!([7]),
        json!(["javascript:x"]),
    ] {
        assert!(with(&json!({ "redirect_uris": bad })).is_err(), "{bad}");
    }
}

#[test]
fn what_mcp_requires_is_there_and_what_a_client_cannot_do_here_is_said() {
    for bad in [
        json!({"client_name": null}),
        json!({"client_name": " \u{2800} "}),
        json!({"client_name": ["Kit"]}),
        json!({"grant_types": ["client_credentials"]}),
        json!({"grant_types": "authorization_code"}),
        json!({"response_types": ["token"]}),
    ] {
        assert!(with(&bad).is_err(), "{bad}");
    }
    for good in [
        json!({"grant_types": null, "response_types": null}),
        json!({"grant_types": [], "response_types": []}),
        json!({"scope": ""}),
        json!({"scope": ["read"]}),
        json!({"scope": "a\"b"}),
    ] {
        assert!(with(&good).is_ok(), "{good}");
    }
    for body in ["", "[]", "null", "\"x\"", "<html>", "{", "{}"] {
        assert!(Published::parse(URL, body.as_bytes()).is_err(), "{body}");
    }
    let deep = "[".repeat(10_000);
    assert!(Published::parse(URL, deep.as_bytes()).is_err());
}

//! Keys, issuers, documents and signing keys by their variables.

use serde_json::json;
use testkit::{Auth, Tokens};
use tower_oauth_proxy::ApiKey;

use super::{
    environment::{proxy, refusal},
    files::{File, client, hash},
};

const SECRET: &str = "JcD6vTq0Zb1kYw8mXn3sRf5hUo7aPe2g";
/// Keys of these tests alone.
const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIGQy39VxPubVsP7StaR9wZ+iJkxZX9mc17q0KeeN6GdQ
-----END PRIVATE KEY-----";
const ANOTHER: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFLVfy7fB7bZr2tAMjUkxlvL2E4szH6JRiLJb2iOtUud
-----END PRIVATE KEY-----";
const METADATA: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn a_key_of_the_file_opens_the_service_with_its_scopes() {
    let new = ApiKey::generate();
    let line = format!(
        r#"{{"name": "nightly", "hash": "{}", "scopes": ["read"]}}"#,
        new.hash()
    );
    let file = File::of(&format!("# the team's programs\n{line}\n"));
    let proxy = proxy(&[("API_KEYS_FILE", file.path())]).await;
    let key = format!("Bearer {}", new.reveal());
    let reply = proxy.wire.get("/mcp", &[("authorization", &key)]).await;
    let session = &reply.expect(200).json()["session"];
    assert_eq!(session["subject"], "key|nightly");
    assert_eq!(session["scopes"], json!(["read"]));
}

#[tokio::test]
async fn a_machine_of_the_file_gets_its_own_tokens() {
    let file = File::of(&format!(
        r#"[{{ "id": "nightly", "machine": true, "secret_sha256": "sha256:{}",
               "scopes": ["read"], "roles": ["batch"] }}]"#,
        hash(SECRET)
    ));
    let proxy = proxy(&[("CLIENTS_FILE", file.path())]).await;
    let nightly = client(&proxy, "nightly", Auth::Basic, "");
    let asked = [("grant_type", "client_credentials")];
    let tokens = Tokens::read(&nightly.token(&asked).await);
    assert_eq!(tokens.scope, "read");
    let session = proxy.session(&nightly, &tokens.access).await;
    assert_eq!(session["subject"], "nightly");
}

#[tokio::test]
async fn the_first_key_signs_and_all_are_published() {
    let files = [ED25519, ANOTHER].map(File::of);
    let both = format!("{}, {}", files[0].path(), files[1].path());
    let proxy = proxy(&[("SIGNING_KEY_FILE", &both)]).await;
    let keys = proxy.wire.get("/oauth/jwks", &[]).await.expect(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "{keys}");
    let metadata = proxy.wire.get(METADATA, &[]).await.expect(200).json();
    assert_eq!(metadata["jwks_uri"], "https://proxy.example/oauth/jwks");
    proxy.journey(&proxy.client().await).await;
}

#[tokio::test]
async fn documents_and_registration_are_switched_by_their_variables() {
    const MEMBER: &str = "client_id_metadata_document_supported";
    for (value, is_on) in [
        ("on", true),
        ("off", false),
        ("claude.ai, chatgpt.com", true),
        ("", true),
    ] {
        let proxy = proxy(&[("METADATA_DOCUMENTS", value)]).await;
        let metadata = proxy.wire.get(METADATA, &[]).await.expect(200).json();
        assert_eq!(metadata.get(MEMBER).is_some(), is_on, "{value}");
    }
    for (value, is_on) in [("on", true), ("off", false)] {
        let proxy = proxy(&[("REGISTRATION", value)]).await;
        let metadata = proxy.wire.get(METADATA, &[]).await.expect(200).json();
        assert_eq!(metadata.get("registration_endpoint").is_some(), is_on);
    }
}

#[tokio::test]
async fn issuers_stand_in_the_variable_or_in_a_file() {
    let list = r#"[
        { "id": "acme", "issuer": "https://acme.example", "jwks_url": "https://acme.example/keys",
          "access_tokens": ["api://mcp"], "assertions": ["client"] },
        { "id": "ci", "issuer": "https://ci.example",
          "workloads": [ { "subject": "repo:acme/app:ref:refs/heads/main", "scopes": ["read"],
                           "roles": ["deployer"], "claims": { "repository_id": ["74"] } } ] }
    ]"#;
    let file = File::of(list);
    for value in [list, file.path()] {
        proxy(&[("TRUSTED_ISSUERS", value)]).await;
    }
}

#[tokio::test]
async fn a_mistake_names_the_variable_and_the_line_or_the_entry() {
    let issuer =
        |members: &str| format!(r#"[{{"id": "acme", "issuer": "https://acme.example"{members}}}]"#);
    for (value, says) in [
        ("[", "line 1"),
        ("[{}]", "`id`"),
        (&*issuer(r#", "aud": ["x"]"#), "unknown field `aud`"),
        (&issuer(r#", "assertions": "all""#), "`assertions` is"),
        (
            &issuer(r#", "assertions": []"#),
            "(`acme`): `assertions` names no client",
        ),
        (
            &issuer(r#", "assertions": true, "people_of": "nowhere""#),
            "nowhere",
        ),
        (&issuer(r#", "workloads": [{"subject": "*"}]"#), "`*`"),
        (
            r#"[{"id": "acme", "issuer": "acme.example", "assertions": true}]"#,
            "acme.example",
        ),
        ("/nowhere/issuers.json", "/nowhere/issuers.json"),
    ] {
        let said = refusal(&[("TRUSTED_ISSUERS", value)]).await;
        assert!(said.starts_with("TRUSTED_ISSUERS: "), "{said}");
        assert!(said.contains(says), "{value}: {said}");
    }
    let keys = [
        (r#"{"name": "a", "hash": "hunter2"}"#, ""),
        ("\n{\"name\": \"a\"}", "line 2"),
        (
            "[\n{\"name\": \"a\", \"hash\": \"sha256:00\", \"expire\": \"2027-01-01\"}]",
            "expire",
        ),
    ];
    for (text, says) in keys {
        let file = File::of(text);
        let said = refusal(&[("API_KEYS_FILE", file.path())]).await;
        assert!(said.starts_with("API_KEYS_FILE: "), "{said}");
        assert!(said.contains(says), "{text}: {said}");
    }
    let broken = File::of("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----");
    let said = refusal(&[("SIGNING_KEY_FILE", broken.path())]).await;
    assert!(said.starts_with("SIGNING_KEY_FILE: "), "{said}");
    assert!(
        said.contains(broken.path()) && !said.contains("hunter2"),
        "{said}"
    );
    for (name, value) in [
        ("SIGNING_KEY_FILE", "/nowhere/key.pem"),
        ("METADATA_DOCUMENTS", ","),
        ("METADATA_DOCUMENTS", "https://claude.ai/"),
        ("REGISTRATION", "never"),
    ] {
        let said = refusal(&[(name, value)]).await;
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
        assert!(said.contains(value), "{said}");
    }
}

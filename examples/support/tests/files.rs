//! The files that variables name: what each entry becomes, and what a mistake says.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use sha2::{Digest, Sha256};
use testkit::{Auth, Client, Proxy};

use super::environment::{proxy, refusal};

const SECRET: &str = "JcD6vTq0Zb1kYw8mXn3sRf5hUo7aPe2g";

/// A file that is gone when the test is.
pub(super) struct File(PathBuf);

impl File {
    pub(super) fn of(text: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("top-example-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

pub(super) fn hash(secret: &str) -> String {
    let hash = Sha256::digest(secret);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client of the file, as it comes to the token endpoint.
pub(super) fn client(proxy: &Proxy, id: &str, auth: Auth, redirect_uri: &str) -> Client {
    Client {
        wire: proxy.wire.clone(),
        base_path: proxy.base_path().to_owned(),
        id: id.to_owned(),
        secret: (auth != Auth::None).then(|| SECRET.to_owned()),
        auth,
        redirect_uri: redirect_uri.to_owned(),
    }
}

#[tokio::test]
async fn the_clients_of_the_file_log_people_in_and_ask_about_tokens() {
    let file = File::of(&format!(
        r#"[
          {{ "id": "intranet", "name": "Intranet", "secret_sha256": "{hash}",
             "auth_method": "client_secret_basic", "scopes": ["read"],
             "redirect_uris": ["https://intranet.example/callback"] }},
          {{ "id": "desk", "redirect_uris": ["http://127.0.0.1/cb"] }},
          {{ "id": "api", "secret": "{SECRET}", "introspects": ["https://proxy.example/other"] }},
          {{ "id": "gateway", "secret_sha256": "{hash}", "introspects": ["https://proxy.example"] }}
        ]"#,
        hash = hash(SECRET).to_uppercase(),
    ));
    let proxy = proxy(&[("CLIENTS_FILE", file.path())]).await;
    let intranet = "https://intranet.example/callback";
    let intranet = client(&proxy, "intranet", Auth::Basic, intranet);
    let tokens = proxy.journey(&intranet).await;
    assert_eq!(tokens.scope, "read");
    let by_hash = Client {
        secret: Some(hash(SECRET)),
        ..intranet
    };
    by_hash.revoke(&tokens.access).await.expect(401);
    let desk = client(&proxy, "desk", Auth::None, "http://127.0.0.1:4711/cb");
    let tokens = proxy.journey(&desk).await;
    for (id, is_active) in [("gateway", true), ("api", false)] {
        let service = client(&proxy, id, Auth::Basic, "");
        let fields = [("token", &*tokens.access)];
        let reply = service.authenticated("/oauth/introspect", &fields).await;
        assert_eq!(reply.expect(200).json()["active"], is_active, "{id}");
    }
}

#[tokio::test]
async fn a_mistake_in_the_clients_names_the_file_and_the_line_or_the_client() {
    for (text, says) in [
        ("", "line 1"),
        ("{}", "line 1"),
        (r#"[{"id": "a",}]"#, "line 1"),
        ("[\n{\"name\": \"x\"}]", "line 2"),
        ("[\n{\"id\": 5}]", "line 2"),
        (
            "[{\"id\": \"a\",\n\"scope\": [\"read\"]}]",
            "unknown field `scope`",
        ),
        (r#"[{"id": "a", "id": "b"}]"#, "duplicate field"),
        (r#"[{"id": "a", "auth_method": "tls"}]"#, "`tls`"),
        (r#"[{"id": "web"}]"#, "`web`"),
        (r#"[{"id": "web", "jwks": {"keys": []}}]"#, "`web`"),
        (
            r#"[{"id": "web", "jwks_uri": "ftp://web.example"}]"#,
            "`web`",
        ),
        (
            r#"[{"id": "web", "jwks_uri": "https://web.example", "secret": "JcD6vTq0Zb1kYw8mXn3s"}]"#,
            "give one of",
        ),
        (
            r#"[{"id": "web", "redirect_uris": ["javascript:x"]}]"#,
            "entry 1 (`web`)",
        ),
        (
            r#"[{"id": "a", "redirect_uris": ["app://cb/"]}, {"id": "b", "scopes": ["a b"]}]"#,
            "entry 2 (`b`)",
        ),
        (
            r#"[{"id": "a", "redirect_uris": ["app://cb/"], "scopes": ["admin"]}]"#,
            "`admin`",
        ),
        (
            r#"[{"id": "a", "introspects": ["https://proxy.example"]}]"#,
            "secret",
        ),
        (
            r#"[{"id": "a", "secret": "JcD6vTq0Zb1kYw8m", "introspects": ["https://x.example"]}]"#,
            "`https://x.example`",
        ),
        (
            r#"[{"id": "a", "redirect_uris": ["app://cb/"]}, {"id": "a", "redirect_uris": ["app://cb/"]}]"#,
            "two clients",
        ),
    ] {
        let file = File::of(text);
        let said = refusal(&[("CLIENTS_FILE", file.path())]).await;
        assert!(said.starts_with("CLIENTS_FILE: "), "{said}");
        assert!(said.contains(says), "{text}: {said}");
    }
    let said = refusal(&[("CLIENTS_FILE", "/nowhere/clients.json")]).await;
    assert!(
        said.starts_with("CLIENTS_FILE: /nowhere/clients.json: "),
        "{said}"
    );
}

#[tokio::test]
async fn a_secret_in_a_file_is_never_shown() {
    for member in [
        r#""secret_sha256": "hunter2""#,
        r#""secret_sha256": "hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2h""#,
        r#""secret": ["hunter2"]"#,
        r#""secret": "hunter2""#,
        r#""secret": "hunter2hunter2hunter2", "secret_sha256": "00""#,
    ] {
        let text = format!(r#"[{{"id": "a", "redirect_uris": ["app://cb/"], {member}}}]"#);
        let file = File::of(&text);
        let said = refusal(&[("CLIENTS_FILE", file.path())]).await;
        assert!(said.starts_with("CLIENTS_FILE: "), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn the_way_out_is_told_by_its_variables() {
    let broken = File::of("not a certificate");
    for (name, value, says) in [
        ("ROOT_CERTIFICATES_FILE", broken.path(), ""),
        (
            "ROOT_CERTIFICATES_FILE",
            "/nowhere/ca.pem",
            "/nowhere/ca.pem",
        ),
        ("PRIVATE_NETWORKS", "10.0.0.0/99", "10.0.0.0/99"),
        ("PRIVATE_NETWORKS", ",", ","),
    ] {
        let said = refusal(&[(name, value)]).await;
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let root = File::of(testkit::https::ROOT);
    let two = format!("{}, {}", root.path(), root.path());
    proxy(&[
        ("ROOT_CERTIFICATES_FILE", &two),
        ("PRIVATE_NETWORKS", "127.0.0.0/8 ::1"),
    ])
    .await;
}

//! What somebody finds who steals the store.

use std::fs;

use crate::world::{Backend, World};
use testkit::{Client, Pkce, Tokens, client::native_metadata, provider::MARK, wire::query_param};

const CLIENT_NAME: &str = "Zanzibar Notes";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_file_holds_nothing_readable() {
    let world = World::start(2, Backend::sqlite(), &[]).await;
    let secrets = secrets(&world).await;
    let found = steal(&world);
    assert_unreadable(&found, &secrets);
    world.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_dump_holds_nothing_readable() {
    let world = World::start(2, Backend::redis(), &[]).await;
    let secrets = secrets(&world).await;
    let Backend::Redis(server) = &world.backend else {
        unreachable!()
    };
    assert_eq!(server.cli(&["SAVE"]), "OK");
    let keys = server.cli(&["KEYS", "*"]);
    let found = [steal(&world), keys.into_bytes()].concat();
    assert_unreadable(&found, &secrets);
    world.close();
}

/// A pending code, a grant that has been used and refreshed, and one that was revoked; everything
/// that a thief would like to read of them.
async fn secrets(world: &World) -> Vec<String> {
    let mut metadata = native_metadata("http://127.0.0.1:9000/callback");
    metadata["client_name"] = CLIENT_NAME.into();
    metadata["token_endpoint_auth_method"] = "client_secret_post".into();
    let mut secrets = vec![CLIENT_NAME.to_owned(), MARK.to_owned()];
    secrets.extend(["ada@example.com", "Ada Example", "person-1"].map(str::to_owned));
    for what in ["pending", "used", "revoked"] {
        let client = Client::register(&world.fleet.wire(), "", &metadata).await;
        let pkce = Pkce::new();
        let callback = world.login(&client, &pkce).await;
        secrets.push(query_param(&callback, "code").unwrap());
        secrets.extend([
            pkce.challenge.clone(),
            pkce.verifier.clone(),
            client.id.clone(),
        ]);
        secrets.extend(client.secret.clone());
        if what == "pending" {
            continue;
        }
        let first = Tokens::read(&client.redeem(&callback, &pkce).await);
        client.call("/mcp", &first.access).await.expect(200);
        let second = Tokens::read(&client.refresh(first.refresh()).await);
        secrets.extend([first.access.clone(), second.access.clone()]);
        secrets.extend([first.refresh().to_owned(), second.refresh().to_owned()]);
        if what == "revoked" {
            client.revoke(second.refresh()).await.expect(200);
        }
    }
    secrets
}

/// Every byte of the store's directory.
fn steal(world: &World) -> Vec<u8> {
    fn all(dir: &std::path::Path) -> Vec<u8> {
        let entries = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let read = |path: std::path::PathBuf| match path.is_dir() {
            true => all(&path),
            false => fs::read(&path).unwrap(),
        };
        entries.flat_map(read).collect()
    }
    all(world.backend.dir())
}

fn assert_unreadable(found: &[u8], secrets: &[String]) {
    let holds = |text: &str| {
        found
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    // The right place: records are there, under their names.
    assert!(holds("grant:"), "no grants in {} bytes", found.len());
    for secret in secrets {
        assert!(!holds(secret), "{secret} is readable");
        // A shorter part would do to recognise it.
        if secret.len() > 40 {
            assert!(!holds(&secret[8..32]), "a part of {secret} is readable");
        }
    }
}

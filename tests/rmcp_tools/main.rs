//! The example `rmcp_tools`, over sockets: a person logs in, and is asked for more when a tool needs it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[allow(dead_code, reason = "its main")]
#[path = "../../examples/rmcp_tools.rs"]
mod example;

use serde_json::{Value, json};
use testkit::{
    Browser, Client, FakeClock, Pkce, Reply, Tokens, Wire,
    client::{CALLBACK, native_metadata},
};
use tokio::net::TcpListener;

/// What the examples share looks for itself here.
use self::example::support;
use self::support::{
    idp::IdentityProvider,
    serve::{self, Limits},
};

/// The example, running, and a client of it.
struct World {
    idp: Wire,
    client: Client,
}

impl World {
    async fn start() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", server.local_addr().unwrap());
        let idp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idp = IdentityProvider::start(idp, format!("{base_url}/oauth/callback")).unwrap();
        let (app, _) = example::build(&base_url, &idp).unwrap();
        tokio::spawn(serve::serve(server, app, Limits::small(), serve::never()));
        let wire = Wire::to(&base_url);
        Self {
            idp: Wire::to(&idp.issuer),
            client: Client::register(&wire, "", &native_metadata(CALLBACK)).await,
        }
    }

    /// A login for these scopes.
    async fn log_in(&self, person: &str, scope: &str) -> Tokens {
        let pkce = Pkce::new();
        let asked = self.client.authorize(&pkce, "s").with("scope", scope);
        let mut browser = Browser::new(&FakeClock::default())
            .knowing(self.client.wire.clone())
            .knowing(self.idp.clone());
        browser.open(&asked.url()).await.page().reply.expect(200);
        browser.press("approve").await.page().reply.expect(200);
        let callback = browser.press(person).await.left();
        Tokens::read(&self.client.redeem(&callback, &pkce).await)
    }

    async fn call(&self, token: &str, tool: &str, arguments: Value) -> Reply {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments },
        });
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept", "application/json, text/event-stream"),
        ];
        self.client.wire.json("/mcp", &body, &headers).await
    }

    /// The tool's answer.
    async fn answer(&self, token: &str, tool: &str, arguments: Value) -> String {
        let reply = self.call(token, tool, arguments).await.expect(200).json();
        assert_ne!(reply["result"]["isError"], true, "{reply}");
        let text = reply["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// The scopes that a refusal names.
    async fn needed(&self, token: &str, tool: &str) -> String {
        let reply = self.call(token, tool, json!({"text": "x"})).await;
        reply.refused(403, "insufficient_scope");
        let challenge = reply.header("www-authenticate").unwrap();
        let (_, scope) = challenge.split_once(", scope=\"").expect(challenge);
        scope.trim_end_matches('"').to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_asked_for_more_when_a_tool_needs_it_and_never_twice() {
    let world = World::start().await;
    let reply = world.call("none", "whoami", json!({})).await;
    reply.refused(401, "invalid_token");

    let first = world.log_in("bob", "openid").await.access;
    assert_eq!(
        world.answer(&first, "whoami", json!({})).await,
        "bob, openid"
    );
    assert_eq!(
        world.needed(&first, "list_notes").await,
        "openid notes:read"
    );
    assert_eq!(
        world.needed(&first, "write_note").await,
        "openid notes:write"
    );

    let writes = world.log_in("bob", "openid notes:write").await.access;
    world
        .answer(&writes, "write_note", json!({"text": "buy milk"}))
        .await;
    let notes = world.answer(&writes, "list_notes", json!({})).await;
    assert!(
        notes.contains("buy milk") && notes.contains("bob"),
        "{notes}"
    );
    assert_eq!(
        world.needed(&writes, "delete_notes").await,
        "openid notes:admin"
    );

    let all = world
        .log_in("bob", "openid notes:write notes:admin")
        .await
        .access;
    assert_eq!(
        world.answer(&all, "delete_notes", json!({})).await,
        "1 notes are gone"
    );
    world.answer(&all, "list_notes", json!({})).await;

    // A role is not to be had by a scope.
    let reply = world.call(&all, "list_people", json!({})).await;
    reply.refused(403, "access_denied");
    assert_eq!(
        reply.header("www-authenticate"),
        None,
        "no one is sent into a login"
    );
    let admin = world.log_in("ada", "openid").await.access;
    let people = world.answer(&admin, "list_people", json!({})).await;
    assert_eq!(people, "Ada Lovelace, Bob Miner");
}

//! The example of two instances on one Redis, as people copy it: a login whose every step may reach the other one.

#[path = "../../examples/redis/app.rs"]
mod app;

use std::collections::BTreeSet;

use testkit::{Port, Tokens, proxy::secret, redis::Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_on_one_redis_are_one_server_to_everybody() {
    let redis = Server::start();
    let (port, listener, upstream) = Port::open("").await;
    let (redis_url, secret) = (redis.url(), secret(7));
    let two = app::two_instances(&port.base, &redis_url, &secret, &upstream);
    let (service, [first, second]) = two.await.unwrap();
    tokio::spawn(async { axum::serve(listener, service).await.unwrap() });

    port.wire.get("/mcp", &[]).await.expect(401);
    let client = port.client().await;
    let mcp = format!("{}/mcp", port.base);
    let mut tokens = port.login(&client, &mcp, "openid").await;
    let mut answered = BTreeSet::new();
    for _ in 0..4 {
        let answer = client.call("/mcp", &tokens.access).await.expect(200).json();
        assert_eq!(answer["subject"], "person-1");
        answered.insert(answer["instance"].as_str().unwrap().to_owned());
    }
    assert_eq!(Vec::from_iter(answered), ["one", "two"]);
    // A refresh at one, and the next at the other.
    for _ in 0..2 {
        tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
        port.wire.get("/mcp", &[]).await.expect(401);
    }
    // What the operator sees at one is there at the other; what ends at one has ended at both.
    for admin in [&first, &second] {
        assert_eq!(admin.grants_of_subject("person-1").await.unwrap().len(), 1);
    }
    assert_eq!(first.revoke_subject("person-1").await.unwrap(), 1);
    for _ in 0..2 {
        let refused = client.refresh(tokens.refresh()).await;
        refused.refused(400, "invalid_grant");
    }
    assert_eq!(second.grants_of_subject("person-1").await.unwrap().len(), 0);
}

//! A client's assertion is used once, whichever process it is sent to.

use serde_json::{Map, Value, json};

use crate::{
    fleet::BASE,
    world::{Backend, World, public_client, unix_now},
};
use testkit::{
    Client, Pkce, Reply, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    provider::SigningKey,
    wire::query_param,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_used_once_over_three_processes_on_sqlite() {
    used_once(Backend::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_used_once_over_three_processes_on_redis() {
    used_once(Backend::redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_used_once_over_three_processes_on_postgres() {
    used_once(Backend::postgres()).await;
}

const ROUNDS: usize = 3;

async fn used_once(backend: Backend) {
    let world = World::start(3, backend, &[]).await;
    let wires = [0, 1, 2].map(|slot| world.fleet.wire_to(slot));
    let key = SigningKey::es256("one");
    let mut metadata = native_metadata(CALLBACK);
    metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
    metadata["jwks"] = json!({"keys": [key.jwk()]});
    let answer = Client::try_register(&wires[0], "", &metadata).await;
    let answer = answer.expect(201).json();
    let client = public_client(&world.fleet.wire(), answer["client_id"].as_str().unwrap());
    let signed = |jti: &str| key.sign(&claims(&client.id, jti));

    // A grant for each process, so that nothing but the assertion is in the way of the others.
    let mut tokens = Vec::new();
    for (slot, wire) in wires.iter().enumerate() {
        let pkce = Pkce::new();
        let callback = world.login(&client, &pkce).await;
        let code = query_param(&callback, "code").unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &pkce.verifier),
        ];
        let assertion = signed(&format!("login-{slot}"));
        tokens.push(Tokens::read(&ask(wire, &fields, &assertion).await));
    }
    for round in 0..ROUNDS {
        let assertion = signed(&format!("round-{round}"));
        let [a, b, c] = [0, 1, 2].map(|slot| refresh(&wires[slot], &tokens[slot], &assertion));
        let replies: [Reply; 3] = tokio::join!(a, b, c).into();
        let answered: Vec<_> = (0..3).filter(|slot| replies[*slot].status == 200).collect();
        assert_eq!(answered.len(), 1, "{replies:#?}");
        for (slot, reply) in replies.iter().enumerate() {
            match reply.status.as_u16() {
                200 => tokens[slot] = Tokens::read(reply),
                _ => {
                    reply.refused(401, "invalid_client");
                }
            }
        }
        // It stays used, at each process and after a restart.
        world.fleet.restart(round % 3).await;
        for (wire, tokens) in wires.iter().zip(&tokens) {
            let reply = refresh(wire, tokens, &assertion).await;
            reply.refused(401, "invalid_client");
        }
    }
    // None of the refusals has ended anything.
    for (slot, wire) in wires.iter().enumerate() {
        let reply = refresh(wire, &tokens[slot], &signed(&format!("last-{slot}"))).await;
        Tokens::read(&reply);
    }
    world.close();
}

fn claims(client_id: &str, jti: &str) -> Map<String, Value> {
    let now = unix_now();
    let claims = json!({
        "iss": client_id, "sub": client_id, "aud": BASE, "jti": jti, "iat": now, "exp": now + 300,
    });
    claims.as_object().unwrap().clone()
}

async fn refresh(wire: &Wire, tokens: &Tokens, assertion: &str) -> Reply {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
    ];
    ask(wire, &fields, assertion).await
}

async fn ask(wire: &Wire, fields: &[(&str, &str)], assertion: &str) -> Reply {
    let proof = [
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ];
    let fields = [fields, &proof[..]].concat();
    wire.form("/oauth/token", &fields, &[]).await
}

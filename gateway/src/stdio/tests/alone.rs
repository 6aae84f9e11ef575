//! 2026-07-28: requests that stand alone, and one process for each person and client.

use super::*;

const VERSION: &str = "2026-07-28";

fn alone(id: impl Into<Value>, method: &str) -> Value {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": VERSION, "progressToken": "p"});
    message(id, method, json!({"_meta": meta}))
}

async fn post(server: &StdioBehind, who: &AuthSession, body: &Value) -> Answer {
    let method = body["method"].as_str().unwrap_or_default();
    let headers = [
        BOTH,
        JSON,
        ("mcp-protocol-version", VERSION),
        ("mcp-method", method),
    ];
    send(server, who, Method::POST, &headers, body.to_string()).await
}

fn server() -> StdioBehind {
    behind(settings(&["modern"]))
}

async fn pid(server: &StdioBehind, who: &AuthSession) -> Value {
    let mut answer = post(server, who, &alone(1, "tell")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("mcp-session-id"), None);
    answer.next().await.unwrap()["result"]["pid"].clone()
}

#[tokio::test]
async fn requests_of_one_person_share_a_process_and_no_other_does() {
    let server = server();
    let (first, second) = (pid(&server, &ada()).await, pid(&server, &ada()).await);
    assert_eq!(first, second);
    let others = [
        person("eve").scopes(["read"]).build(),
        person("ada").client("another").scopes(["read"]).build(),
        person("ada").build(),
    ];
    for other in others {
        assert_ne!(pid(&server, &other).await, first);
    }
    server.stop().await;
}

#[tokio::test]
async fn first_requests_at_once_start_one_process() {
    let server = server();
    let who = ada();
    let pids = tokio::join!(
        pid(&server, &who),
        pid(&server, &who),
        pid(&server, &who),
        pid(&server, &who)
    );
    assert_eq!(server.processes(), 1, "{pids:?}");
    server.stop().await;
}

#[tokio::test]
async fn two_clients_with_one_id_and_one_token_get_their_own() {
    let server = server();
    let (who, call) = (ada(), alone(1, "progress"));
    let (mut first, mut second) =
        tokio::join!(post(&server, &who, &call), post(&server, &who, &call));
    for answer in [&mut first, &mut second] {
        for step in 0..3 {
            assert_eq!(
                answer.next().await.unwrap()["params"],
                json!({"progressToken": "p", "progress": step})
            );
        }
        assert_eq!(answer.next().await.unwrap()["id"], 1);
        assert_eq!(answer.next().await, None);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_lost_connection_cancels_the_request() {
    let server = server();
    drop(post(&server, &ada(), &alone(1, "slow")).await);
    let mut waiting = post(&server, &ada(), &alone(2, "waiting")).await;
    let mut told = waiting.next().await.unwrap();
    while told.get("result").is_none() {
        told = waiting.next().await.unwrap();
    }
    assert_eq!(told["result"]["waiting"], 0);
    server.stop().await;
}

#[tokio::test]
async fn a_subscription_gets_its_own_and_nobody_elses() {
    let server = server();
    let who = ada();
    let (mut first, mut second) = (
        post(&server, &who, &alone("a", "subscriptions/listen")).await,
        post(&server, &who, &alone("b", "subscriptions/listen")).await,
    );
    let mark =
        |value: &Value| value["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].clone();
    post(&server, &who, &alone(1, "update")).await;
    for (stream, name) in [(&mut first, "a"), (&mut second, "b")] {
        for method in [
            "notifications/subscriptions/acknowledged",
            "notifications/resources/updated",
        ] {
            let told = stream.next().await.unwrap();
            assert_eq!(
                (&told["method"], mark(&told)),
                (&json!(method), json!(name))
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn some_errors_have_a_status() {
    let server = server();
    let mut answer = post(&server, &ada(), &alone(1, "nothing/such")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.next().await.unwrap()["error"]["code"], -32601);
    server.stop().await;
}

#[tokio::test]
async fn headers_that_disagree_with_the_body_reach_no_process() {
    let server = server();
    let headers = [
        BOTH,
        JSON,
        ("mcp-protocol-version", VERSION),
        ("mcp-method", "tools/list"),
    ];
    let mut answer = send(
        &server,
        &ada(),
        Method::POST,
        &headers,
        alone(1, "tell").to_string(),
    )
    .await;
    assert_eq!(answer.status, 400);
    let told = answer.next().await.unwrap();
    assert_eq!(
        (&told["error"]["code"], &told["id"]),
        (&json!(-32020), &json!(1))
    );
    let answer = send(
        &server,
        &ada(),
        Method::POST,
        &[BOTH, JSON],
        alone(1, "tell").to_string(),
    )
    .await;
    assert_eq!(answer.status, 400);
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(post(&server, &ada(), &response).await.status, 400);
    for method in [Method::GET, Method::DELETE] {
        let headers = [
            ("accept", "text/event-stream"),
            ("mcp-protocol-version", VERSION),
        ];
        let answer = send(&server, &ada(), method, &headers, "").await;
        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").is_some());
    }
    assert_eq!(server.processes(), 0);
}

#[tokio::test]
async fn a_server_of_the_old_kind_sends_clients_to_initialize() {
    let server = behind(settings(&[]));
    let mut answer = post(&server, &ada(), &alone(1, "tools/list")).await;
    assert_eq!(answer.status, 400);
    let code = answer.next().await.unwrap()["error"]["code"]
        .as_i64()
        .unwrap();
    assert!(
        !(-32022..=-32020).contains(&code) && code != -32601,
        "no sign of the new kind: {code}"
    );
    until("the process that was asked ends", || {
        server.processes() == 0
    })
    .await;
    let answer = post(&server, &ada(), &alone(1, "tools/list")).await;
    assert_eq!(
        (answer.status.as_u16(), server.processes()),
        (400, 0),
        "it is not asked again"
    );
    Session::begin(&server, ada()).await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_silent_is_of_the_old_kind() {
    let mut settings = settings(&["silent"]);
    settings.limits.start = Duration::from_millis(300);
    let server = behind(settings);
    assert_eq!(
        post(&server, &ada(), &alone(1, "tools/list")).await.status,
        400
    );
    server.stop().await;
}

#[tokio::test]
async fn after_a_crash_the_next_request_starts_another() {
    let server = server();
    let first = pid(&server, &ada()).await;
    assert_eq!(post(&server, &ada(), &alone(1, "die")).await.status, 502);
    until("it is reaped", || {
        !lives(first.as_i64().unwrap().try_into().unwrap())
    })
    .await;
    assert_ne!(pid(&server, &ada()).await, first);
    server.stop().await;
}

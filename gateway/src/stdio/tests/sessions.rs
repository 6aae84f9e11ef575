//! 2025-03-26 to 2025-11-25: sessions, each with a process of its own.

use super::*;

#[tokio::test]
async fn each_session_has_a_process_and_a_random_id() {
    let server = server();
    let (first, second) = (
        Session::begin(&server, ada()).await,
        Session::begin(&server, ada()).await,
    );
    assert_ne!(first.pid, second.pid);
    assert_ne!(first.id, second.id);
    assert!(first.id.len() >= 32 && first.id.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(server.processes(), 2);
    server.stop().await;
}

#[tokio::test]
async fn the_client_sees_its_own_id_and_the_process_another() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    for id in [json!(7), json!("seven"), json!(-1)] {
        let mut answer = session.post(message(id.clone(), "tell", json!({}))).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let told = answer.next().await.unwrap();
        assert_eq!(told["id"], id);
        assert_ne!(told["result"]["seen"], id);
    }
    server.stop().await;
}

#[tokio::test]
async fn another_persons_session_is_unknown() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let others = [
        person("eve").scopes(["read"]).build(),
        person("ada").client("another").scopes(["read"]).build(),
        person("ada").build(),
    ];
    for other in others {
        let mut answer = session.post_as(&other, message(1, "tell", json!({}))).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.next().await.unwrap()["error"]["code"], -32001);
        let headers = [
            ("accept", "text/event-stream"),
            ("mcp-session-id", &*session.id),
        ];
        let answer = send(&server, &other, Method::GET, &headers, "").await;
        assert_eq!(answer.status, 404);
    }
    let eve = person("eve").build();
    let answer = send(
        &server,
        &eve,
        Method::DELETE,
        &[("mcp-session-id", &session.id)],
        "",
    )
    .await;
    assert_eq!(answer.status, 404);
    assert!(lives(session.pid));
    let more = person("ada").scopes(["read", "write"]).build();
    assert_eq!(
        session
            .post_as(&more, message(1, "tell", json!({})))
            .await
            .status,
        200,
        "after a step-up it goes on"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_process_is_told_for_whom_it_works_and_no_secret() {
    let mut settings = settings(&[]);
    settings
        .variables
        .insert("MODE".to_owned(), "test".to_owned());
    let server = behind(settings);
    let who = person("ada")
        .client("c-1")
        .scopes(["read", "write"])
        .roles(["staff"])
        .build();
    let session = Session::begin(&server, who).await;
    let told = session.call("tell", json!({})).await;
    let environment = told["result"]["environment"].as_object().unwrap();
    let is = |name: &str, value: &str| assert_eq!(environment[name], value, "{name}");
    is("MCP_AUTH_SUBJECT", "ada");
    is("MCP_AUTH_CLIENT", "c-1");
    is("MCP_AUTH_SCOPES", "read write");
    is("MCP_AUTH_ROLES", r#"["staff"]"#);
    is("MODE", "test");
    // Cargo sets it for this very process: what is not named does not pass.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!environment.contains_key("CARGO_MANIFEST_DIR"));
    server.stop().await;
}

#[tokio::test]
async fn progress_streams_before_the_answer_with_the_clients_token() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let mut answer = session
        .post(message(
            1,
            "progress",
            json!({"_meta": {"progressToken": "mine"}}),
        ))
        .await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    for step in 0..3 {
        let progress = answer.next().await.unwrap();
        assert_eq!(
            progress["params"],
            json!({"progressToken": "mine", "progress": step})
        );
    }
    assert_eq!(
        answer.next().await.unwrap()["result"],
        json!({"done": true})
    );
    assert_eq!(answer.next().await, None);
    server.stop().await;
}

#[tokio::test]
async fn a_request_of_the_server_reaches_the_client_and_its_answer_comes_back() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let mut call = session.post(message(1, "ask", json!({}))).await;
    let asked = call.next().await.unwrap();
    assert_eq!(asked["method"], "sampling/createMessage");
    let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"text": "hello"}});
    assert_eq!(session.post(reply.clone()).await.status, 202);
    assert_eq!(
        call.next().await.unwrap()["result"]["client"]["text"],
        "hello"
    );
    assert_eq!(
        session.post(reply).await.status,
        400,
        "nothing asks for it any more"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_cancelled_request_ends_its_stream_and_is_cancelled_at_the_server() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let mut call = session.post(message("x", "slow", json!({}))).await;
    assert_eq!(call.status, 200);
    assert_eq!(
        session.call("waiting", json!({})).await["result"]["waiting"],
        1
    );
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "x"}});
    assert_eq!(session.post(cancel).await.status, 202);
    assert_eq!(call.next().await, None);
    assert_eq!(
        session.call("waiting", json!({})).await["result"]["waiting"],
        0
    );
    server.stop().await;
}

#[tokio::test]
async fn a_lost_connection_cancels_nothing() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    drop(session.post(message(1, "slow", json!({}))).await);
    assert_eq!(
        session.call("waiting", json!({})).await["result"]["waiting"],
        1
    );
    server.stop().await;
}

#[tokio::test]
async fn what_belongs_to_no_request_comes_by_the_stream_beside_even_later() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let mut first = session.with(Method::GET).await;
    assert_eq!(first.header("content-type"), Some("text/event-stream"));
    session.call("changed", json!({})).await;
    assert_eq!(
        first.next().await.unwrap()["method"],
        "notifications/tools/list_changed"
    );
    let mut second = session.with(Method::GET).await;
    assert_eq!(first.next().await, None, "the newer stream takes its place");
    session.call("changed", json!({})).await;
    assert_eq!(
        second.next().await.unwrap()["method"],
        "notifications/tools/list_changed"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_was_ended_is_unknown_and_nothing_is_left_of_it() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let child = session.call("fork", json!({})).await["result"]["pid"]
        .as_i64()
        .unwrap();
    assert_eq!(session.with(Method::DELETE).await.status, 204);
    assert_eq!(
        session.post(message(1, "tell", json!({}))).await.status,
        404
    );
    assert_eq!(session.with(Method::DELETE).await.status, 404);
    until("the process ends and is reaped", || !lives(session.pid)).await;
    until("what it started ends", || !is_running(child)).await;
    until("it does not count", || server.processes() == 0).await;
}

#[tokio::test]
async fn a_crash_answers_those_who_wait_and_the_session_is_unknown_afterwards() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let mut slow = session.post(message("s", "slow", json!({}))).await;
    let mut beside = session.with(Method::GET).await;
    let mut dying = session.post(message("d", "die", json!({}))).await;
    assert_eq!(dying.status, 502);
    let told = dying.next().await.unwrap();
    assert_eq!(
        (&told["id"], &told["error"]["code"]),
        (&json!("d"), &json!(-32603))
    );
    assert_eq!(slow.next().await.unwrap()["id"], "s");
    assert_eq!(slow.next().await, None);
    assert_eq!(beside.next().await, None);
    until("it is reaped", || !lives(session.pid)).await;
    assert_eq!(
        session.post(message(1, "tell", json!({}))).await.status,
        404
    );
    let again = Session::begin(&server, ada()).await;
    assert_ne!(again.pid, session.pid);
    server.stop().await;
}

#[tokio::test]
async fn what_refuses_initialize_is_no_session() {
    let server = behind(settings(&["refuse"]));
    let mut answer = send(
        &server,
        &ada(),
        Method::POST,
        &[BOTH, JSON],
        initialize().to_string(),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("mcp-session-id"), None);
    assert_eq!(answer.next().await.unwrap()["error"]["code"], -32602);
    until("the process ends", || server.processes() == 0).await;
}

#[tokio::test]
async fn a_command_that_does_not_start_is_a_bad_gateway() {
    let nowhere = StdioSettings::new(vec!["/nowhere/at/all".into()]);
    let fault = StdioBehind::new(nowhere, running()).unwrap_err();
    assert!(fault.contains("/nowhere/at/all"), "{fault}");
    for command in [&["sh", "-c", "exit 1"], &["sh", "-c", "kill -9 $$"]] {
        let command = command.iter().map(std::ffi::OsString::from).collect();
        let server = behind(StdioSettings::new(command));
        let mut answer = send(
            &server,
            &ada(),
            Method::POST,
            &[BOTH, JSON],
            initialize().to_string(),
        )
        .await;
        assert_eq!(answer.status, 502);
        let told = answer.next().await.unwrap();
        assert_eq!(told["id"], 0);
        assert!(
            told["error"]["message"]
                .as_str()
                .unwrap()
                .contains("could not be started"),
            "{told}"
        );
        until("it does not count", || server.processes() == 0).await;
    }
}

#[tokio::test]
async fn a_batch_is_answered_message_by_message() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let batch = json!([message(1, "tell", json!({})), {"jsonrpc": "2.0", "method": "x"}, message(2, "waiting", json!({}))]);
    let mut answer = session.post(batch.clone()).await;
    let (first, second) = (answer.next().await.unwrap(), answer.next().await.unwrap());
    assert_eq!((&first["id"], &second["id"]), (&json!(1), &json!(2)));
    assert_eq!(answer.next().await, None);
    let only_notifications = json!([{"jsonrpc": "2.0", "method": "x"}]);
    assert_eq!(session.post(only_notifications).await.status, 202);
    assert_eq!(session.post(json!([initialize()])).await.status, 400);
    assert_eq!(session.post(json!([])).await.status, 400);
    let headers = [
        BOTH,
        JSON,
        ("mcp-session-id", &*session.id),
        ("mcp-protocol-version", "2025-06-18"),
    ];
    assert_eq!(
        send(&server, &ada(), Method::POST, &headers, batch.to_string())
            .await
            .status,
        400,
        "it was removed"
    );
    server.stop().await;
}

#[tokio::test]
async fn requests_that_are_no_mcp_reach_no_process() {
    let server = server();
    let status = async |method: Method, headers: &[(&str, &str)], body: &str| {
        send(&server, &ada(), method, headers, body.to_owned())
            .await
            .status
            .as_u16()
    };
    let call = message(1, "tell", json!({})).to_string();
    assert_eq!(
        status(Method::POST, &[BOTH, JSON], &call).await,
        400,
        "no session"
    );
    assert_eq!(
        status(Method::POST, &[BOTH, JSON, ("mcp-session-id", "x")], &call).await,
        404
    );
    assert_eq!(
        status(
            Method::POST,
            &[BOTH, JSON, ("mcp-session-id", "x")],
            &initialize().to_string()
        )
        .await,
        400
    );
    assert_eq!(status(Method::POST, &[BOTH, JSON], "{").await, 400);
    assert_eq!(
        status(Method::POST, &[BOTH, ("content-type", "text/plain")], &call).await,
        415
    );
    assert_eq!(status(Method::POST, &[JSON], &call).await, 406);
    assert_eq!(
        status(Method::GET, &[("accept", "text/event-stream")], "").await,
        400
    );
    assert_eq!(status(Method::DELETE, &[], "").await, 400);
    assert_eq!(status(Method::PUT, &[BOTH, JSON], &call).await, 405);
    let twice = [BOTH, JSON, ("mcp-session-id", "x"), ("mcp-session-id", "y")];
    assert_eq!(status(Method::POST, &twice, &call).await, 400);
    assert_eq!(server.processes(), 0);
}

#[tokio::test]
async fn lines_that_are_no_messages_harm_nothing() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    assert_eq!(
        session.call("garbage", json!({})).await["result"],
        json!({})
    );
    server.stop().await;
}

#[tokio::test]
async fn the_gateway_stops_and_nothing_is_left() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    let mut slow = session.post(message(1, "slow", json!({}))).await;
    drop(session.post(message(2, "stubborn", json!({}))).await);
    timeout(LONG, server.stop()).await.unwrap();
    assert!(!lives(session.pid));
    assert_eq!(slow.next().await.unwrap()["error"]["code"], -32603);
    let answer = send(
        &server,
        &ada(),
        Method::POST,
        &[BOTH, JSON],
        initialize().to_string(),
    )
    .await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
}

/// Whether it still does something: whoever adopted it may not have reaped it yet.
fn is_running(pid: i64) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

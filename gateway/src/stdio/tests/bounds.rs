//! What one person can take, and how long things wait.

use super::*;

fn limited(change: impl FnOnce(&mut super::super::settings::StdioLimits)) -> StdioBehind {
    let mut settings = settings(&[]);
    change(&mut settings.limits);
    behind(settings)
}

#[tokio::test]
async fn one_more_session_than_allowed_ends_the_one_that_rested_longest() {
    let server = limited(|limits| limits.processes_of_one = 2);
    let first = Session::begin(&server, ada()).await;
    let second = Session::begin(&server, ada()).await;
    first.call("waiting", json!({})).await;
    let third = Session::begin(&server, ada()).await;
    assert_eq!(
        second.post(message(1, "waiting", json!({}))).await.status,
        404
    );
    assert!(!lives(second.pid), "it has ended before the next one began");
    first.call("waiting", json!({})).await;
    third.call("waiting", json!({})).await;
    server.stop().await;
}

#[tokio::test]
async fn sessions_in_use_are_not_ended_for_another() {
    let server = limited(|limits| limits.processes_of_one = 1);
    let session = Session::begin(&server, ada()).await;
    let stream = session.with(Method::GET).await;
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
    Session::begin(&server, person("bob").build()).await;
    drop(stream);
    Session::begin(&server, ada()).await;
    server.stop().await;
}

#[tokio::test]
async fn so_many_processes_and_no_more() {
    let server = limited(|limits| limits.processes = 2);
    let ada = Session::begin(&server, ada()).await;
    let bob = Session::begin(&server, person("bob").build()).await;
    let _streams = (ada.with(Method::GET).await, bob.with(Method::GET).await);
    let cyd = person("cyd").build();
    let answer = send(
        &server,
        &cyd,
        Method::POST,
        &[BOTH, JSON],
        initialize().to_string(),
    )
    .await;
    assert_eq!(answer.status, 503);
    assert_eq!(server.processes(), 2);
    server.stop().await;
}

#[tokio::test]
async fn sessions_begun_at_once_keep_the_bound() {
    let server = limited(|limits| limits.processes_of_one = 2);
    let begin = || async {
        let answer = send(
            &server,
            &ada(),
            Method::POST,
            &[BOTH, JSON],
            initialize().to_string(),
        )
        .await;
        answer.status.as_u16()
    };
    let (a, b, c, d) = tokio::join!(begin(), begin(), begin(), begin());
    let begun = [a, b, c, d].iter().filter(|status| **status == 200).count();
    assert!(begun >= 2, "{a} {b} {c} {d}");
    assert!(server.processes() <= 2);
    server.stop().await;
}

#[tokio::test]
async fn a_process_that_nobody_uses_ends() {
    let server = limited(|limits| limits.idle = Duration::from_millis(200));
    let session = Session::begin(&server, ada()).await;
    let stream = session.with(Method::GET).await;
    sleep(Duration::from_millis(500)).await;
    assert!(lives(session.pid), "somebody listens");
    drop(stream);
    until("it ends", || !lives(session.pid)).await;
    assert_eq!(
        session.post(message(1, "waiting", json!({}))).await.status,
        404
    );
}

#[tokio::test]
async fn a_process_that_does_not_answer_initialize_in_time_ends() {
    let command = ["sleep", "1000"].map(std::ffi::OsString::from).to_vec();
    let mut settings = StdioSettings::new(command);
    settings.limits.start = Duration::from_millis(200);
    settings.limits.grace = Duration::from_millis(50);
    let server = behind(settings);
    let answer = send(
        &server,
        &ada(),
        Method::POST,
        &[BOTH, JSON],
        initialize().to_string(),
    )
    .await;
    assert_eq!(answer.status, 504);
    until("it ends", || server.processes() == 0).await;
}

#[tokio::test]
async fn a_request_that_is_not_answered_in_time_is_given_up() {
    let server = limited(|limits| limits.answer = Duration::from_millis(100));
    let session = Session::begin(&server, ada()).await;
    let mut slow = session.post(message("s", "slow", json!({}))).await;
    let told = slow.next().await.unwrap();
    assert_eq!(
        (&told["id"], &told["error"]["code"]),
        (&json!("s"), &json!(-32001))
    );
    assert_eq!(
        session.call("waiting", json!({})).await["result"]["waiting"],
        0,
        "the server was told"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_body_and_a_message_have_a_bound() {
    let server = limited(|limits| {
        limits.request_bytes = 1000;
        limits.message_bytes = 20_000;
    });
    let session = Session::begin(&server, ada()).await;
    let long = message(1, "waiting", json!({"x": "y".repeat(2000)}));
    assert_eq!(session.post(long).await.status, 413);
    assert_eq!(
        session.call("big", json!({"bytes": 15_000})).await["id"],
        "c"
    );
    let answer = session
        .post(message(1, "big", json!({"bytes": 30_000})))
        .await;
    assert_eq!(answer.status, 502);
    until("the process ends", || !lives(session.pid)).await;
    assert_eq!(
        session.post(message(1, "waiting", json!({}))).await.status,
        404
    );
}

#[tokio::test]
async fn so_many_requests_wait_for_one_process() {
    let server = limited(|limits| limits.pending = 2);
    let session = Session::begin(&server, ada()).await;
    let _first = session.post(message(1, "slow", json!({}))).await;
    let _second = session.post(message(2, "slow", json!({}))).await;
    let answer = session.post(message(3, "waiting", json!({}))).await;
    assert_eq!(answer.status, 503);
    server.stop().await;
}

#[tokio::test]
async fn what_ignores_every_signal_but_one_ends_all_the_same() {
    let server = server();
    let session = Session::begin(&server, ada()).await;
    drop(session.post(message(1, "stubborn", json!({}))).await);
    assert_eq!(session.with(Method::DELETE).await.status, 204);
    until("it ends", || !lives(session.pid)).await;
}

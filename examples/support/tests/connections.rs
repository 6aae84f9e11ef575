//! Connections that ask nothing, ask slowly, or only stay.

use std::io::{Error, ErrorKind};

use super::{
    super::serve::{Limits, is_of_one_connection},
    server::{NEVER, SHORT, Server, patient},
};

/// A client's part of an HTTP/2 connection before its first request: the preface and no settings.
const HTTP2: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
const HALF_A_HEADER: &str = "GET / HTTP/1.1\r\nhost: loc";

#[tokio::test]
async fn who_asks_nothing_in_time_is_left() {
    let limits = Limits {
        first_request: SHORT,
        ..patient()
    };
    let server = Server::start(limits).await;
    for beginning in ["", "G", HALF_A_HEADER, &HTTP2[..10], HTTP2] {
        let mut stranger = server.connect().await;
        stranger.says(beginning).await;
        stranger.sees_the_end().await;
    }
}

#[tokio::test]
async fn who_has_asked_in_time_is_not_left_in_the_middle_of_the_answer() {
    let limits = Limits {
        first_request: SHORT,
        age: SHORT,
        idle: SHORT,
        ..patient()
    };
    let mut server = Server::start(limits).await;
    let mut busy = server.busy().await;
    // All deadlines pass meanwhile.
    server.connect().await.sees_the_end().await;
    server.let_go();
    busy.hears("done").await;
}

#[tokio::test]
async fn who_has_asked_in_time_may_ask_again_later() {
    let limits = Limits {
        first_request: SHORT,
        ..patient()
    };
    let server = Server::start(limits).await;
    let mut person = server.connect().await;
    person.asks("/").await;
    person.hears("hello").await;
    // Younger, and left for its silence: the time has passed for both.
    server.connect().await.sees_the_end().await;
    person.asks("/").await;
    person.hears("hello").await;
}

#[tokio::test]
async fn who_asks_no_more_or_too_slowly_is_left() {
    let limits = Limits {
        idle: SHORT,
        ..patient()
    };
    let server = Server::start(limits).await;
    for next in ["", HALF_A_HEADER] {
        let mut stranger = server.connect().await;
        stranger.asks("/").await;
        stranger.hears("hello").await;
        stranger.says(next).await;
        stranger.sees_the_end().await;
    }
}

#[tokio::test]
async fn who_asks_and_never_takes_the_answer_is_left() {
    let limits = Limits {
        idle: SHORT,
        ..patient()
    };
    let server = Server::start(limits).await;
    server.connect().await.asks_until_the_end().await;
}

/// In it, a stream whose client takes nothing looks like one of events that has nothing to tell.
#[tokio::test]
async fn who_speaks_http2_is_left_at_once() {
    let server = Server::start(patient()).await;
    let mut stranger = server.connect().await;
    stranger.says(HTTP2).await;
    stranger.sees_the_end().await;
}

#[tokio::test]
async fn an_old_connection_ends_with_an_answer() {
    let limits = Limits {
        age: SHORT,
        ..patient()
    };
    let mut server = Server::start(limits).await;
    let mut quiet = server.connect().await;
    quiet.asks("/").await;
    quiet.hears("hello").await;
    quiet.sees_the_end().await;

    let mut busy = server.busy().await;
    // As old as the busy one, or younger.
    let mut other = server.connect().await;
    other.asks("/").await;
    other.hears("hello").await;
    other.sees_the_end().await;
    server.let_go();
    let answer = busy.hears("done").await;
    assert!(answer.contains("connection: close"), "{answer}");
    busy.sees_the_end().await;
}

#[tokio::test]
async fn strangers_who_take_every_connection_keep_nobody_out() {
    let limits = Limits {
        connections: 8,
        ..patient()
    };
    assert_eq!(limits.first_request, NEVER);
    let server = Server::start(limits).await;
    let mut strangers = Vec::new();
    for n in 0..50 {
        let mut stranger = server.connect().await;
        match n % 4 {
            0 => {}
            1 => stranger.says(HALF_A_HEADER).await,
            2 => stranger.says(HTTP2).await,
            _ => stranger.asks("/").await,
        }
        strangers.push(stranger);
    }
    let mut person = server.connect().await;
    person.asks("/").await;
    person.hears("hello").await;
}

#[tokio::test]
async fn who_comes_to_a_full_server_has_a_moment_to_ask() {
    let limits = Limits {
        connections: 1,
        ..patient()
    };
    let server = Server::start(limits).await;
    let silent = server.connect().await;
    let mut person = server.connect().await;
    // Wants the person's place at once.
    let _next = server.connect().await;
    silent.sees_the_end().await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    person.asks("/").await;
    person.hears("hello").await;
}

#[tokio::test]
async fn a_full_server_cuts_no_request_that_is_at_work() {
    let limits = Limits {
        connections: 2,
        ..patient()
    };
    let mut server = Server::start(limits).await;
    let mut busy = [server.busy().await, server.busy().await];
    // Waits for one of them, and is served.
    let mut next = server.connect().await;
    next.asks("/").await;
    server.let_go();
    for busy in &mut busy {
        busy.hears("done").await;
    }
    next.hears("hello").await;
}

#[test]
fn a_stranger_who_hangs_up_before_being_accepted_makes_nobody_leave() {
    for gone in [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset] {
        assert!(is_of_one_connection(&gone.into()), "{gone}");
    }
    // EMFILE: no descriptors are left.
    assert!(!is_of_one_connection(&Error::from_raw_os_error(24)));
}

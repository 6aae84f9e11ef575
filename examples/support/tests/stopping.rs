//! How a server ends that is told to stop.

use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    super::serve::Limits,
    server::{SHORT, SOON, Server, patient},
};

#[tokio::test]
async fn requests_at_work_are_answered_and_nobody_else_is_waited_for() {
    let mut server = Server::start(patient()).await;
    let silent = server.connect().await;
    let mut half = server.connect().await;
    half.says("GET / HTTP/1.1\r\nhos").await;
    let mut idle = server.connect().await;
    idle.asks("/").await;
    idle.hears("hello").await;
    let mut again = server.connect().await;
    again.asks("/").await;
    again.hears("hello").await;
    again.says("GET / HTTP/1.1\r\nhos").await;
    let mut busy = server.busy().await;

    server.stop();
    for stranger in [silent, half, idle, again] {
        stranger.sees_the_end().await;
    }
    // A server that does not wait has ended by then.
    sleep(SHORT).await;
    assert!(!server.running.is_finished(), "a request is at work");
    server.let_go();
    busy.hears("done").await;
    let address = server.address;
    server.ends().await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it still listens"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_holds_the_exit_for_a_bounded_time() {
    let limits = Limits {
        finish: SHORT,
        ..patient()
    };
    let mut server = Server::start(limits).await;
    let _busy = server.busy().await;
    server.stop();
    server.ends().await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(patient()).await;
    let busy = server.busy().await;
    let idle = server.connect().await;
    server.stop();
    // It has understood.
    idle.sees_the_end().await;
    assert!(!server.running.is_finished());
    server.stop();
    server.ends().await;
    drop(busy);
}

#[tokio::test]
async fn a_server_that_was_told_before_it_listened_ends() {
    let server = Server::start(patient()).await;
    server.stop();
    server.ends().await;
}

#[tokio::test]
async fn a_full_server_stops_too() {
    let limits = Limits {
        connections: 1,
        finish: SHORT,
        ..patient()
    };
    let mut server = Server::start(limits).await;
    let _busy = server.busy().await;
    let waiting = server.connect().await;
    server.stop();
    timeout(SOON, waiting.sees_the_end()).await.unwrap();
    server.ends().await;
}

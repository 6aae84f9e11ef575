use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full};
use tokio::sync::{mpsc, watch};

use crate::{
    behind::{self, Behind, Frames, whole},
    kit::{Client, Gateway, Reply, soon, until},
};

type Sender = mpsc::UnboundedSender<Frame<Bytes>>;

/// A server whose answers are streams of events, each of them in a test's hand.
async fn events() -> (
    Behind,
    mpsc::UnboundedReceiver<(Sender, watch::Receiver<bool>)>,
) {
    let (hand, taken) = mpsc::unbounded_channel();
    let behind = Behind::answering(move |request| {
        let hand = hand.clone();
        async move {
            let (sender, frames): (_, Frames) = behind::streamed();
            hand.send((sender, frames.gone())).unwrap();
            // The body is read while the answer is sent.
            tokio::spawn(request.into_body().collect());
            frames.answer("text/event-stream")
        }
    })
    .await;
    (behind, taken)
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

async fn next(body: &mut hyper::body::Incoming) -> Bytes {
    let frame = soon(body.frame()).await.unwrap().unwrap();
    frame.into_data().unwrap()
}

#[tokio::test]
async fn events_arrive_one_by_one_over_each_version() {
    let (behind, mut taken) = events().await;
    for (two, behind_two) in [(false, false), (true, false), (false, true), (true, true)] {
        let settings: &[_] = if behind_two {
            &[("upstream.http2_without_tls", "true")]
        } else {
            &[]
        };
        let gateway = Gateway::before(&behind.url(), settings).await;
        let mut client = if two {
            gateway.connect_two().await
        } else {
            gateway.connect().await
        };
        let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
        let mut answer = client.send(request).await;
        let (sender, _) = soon(taken.recv()).await.unwrap();
        for event in ["data: 1\n\n", "data: 2\n\n"] {
            sender.send(data(event)).unwrap();
            assert_eq!(next(answer.body_mut()).await, event);
        }
        drop(sender);
        let rest = soon(answer.into_body().collect()).await.unwrap();
        assert!(rest.to_bytes().is_empty());
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_silent_stream_is_noticed_by_the_server_behind() {
    let (behind, mut taken) = events().await;
    for (two, behind_two) in [(false, false), (true, false), (false, true), (true, true)] {
        let settings: &[_] = if behind_two {
            &[("upstream.http2_without_tls", "true")]
        } else {
            &[]
        };
        let gateway = Gateway::before(&behind.url(), settings).await;
        let mut client = if two {
            gateway.connect_two().await
        } else {
            gateway.connect().await
        };
        let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
        let mut answer = client.send(request).await;
        let (sender, mut gone) = soon(taken.recv()).await.unwrap();
        sender.send(data("data: 1\n\n")).unwrap();
        next(answer.body_mut()).await;
        assert!(!*gone.borrow());
        drop((answer, client));
        // Nothing more is sent.
        soon(gone.wait_for(|gone| *gone)).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_noticed_too() {
    let (came, mut coming) = mpsc::unbounded_channel();
    let behind = Behind::answering(move |_| {
        let (gone, held) = tokio::sync::oneshot::channel::<()>();
        came.send(held).unwrap();
        async move {
            let _gone = gone;
            std::future::pending().await
        }
    })
    .await;
    for two in [false, true] {
        let gateway = Gateway::before(&behind.url(), &[]).await;
        let mut client = if two {
            gateway.connect_two().await
        } else {
            gateway.connect().await
        };
        let request = gateway
            .request("GET", "/mcp")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let asking = tokio::spawn(async move { client.send(request).await });
        let held = soon(coming.recv()).await.unwrap();
        asking.abort();
        // The server's side of the channel is dropped with its work.
        assert!(soon(held).await.is_err());
    }
}

#[tokio::test]
async fn an_upload_streams_and_is_never_held_whole() {
    let (parts, mut seen) = mpsc::unbounded_channel();
    let behind = Behind::answering(move |request| {
        let parts = parts.clone();
        async move {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                parts.send(frame.into_data().unwrap()).unwrap();
            }
            whole("done")
        }
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = gateway.connect().await;
    let (sender, body) = behind::streamed();
    let request = gateway.request("POST", "/mcp").body(body).unwrap();
    let asking = tokio::spawn(async move { Reply::of(client.send(request).await).await });
    for part in ["first", "second"] {
        sender.send(data(part)).unwrap();
        assert_eq!(soon(seen.recv()).await.unwrap(), part);
    }
    drop(sender);
    assert_eq!(asking.await.unwrap().text(), "done");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_said_or_unsaid() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[("limits.body", "1000")]).await;
    let request = gateway
        .request("POST", "/mcp")
        .body(vec![b'x'; 1000])
        .unwrap();
    assert_eq!(gateway.ask(request).await.status, 200);
    let request = gateway
        .request("POST", "/mcp")
        .body(vec![b'x'; 1001])
        .unwrap();
    assert_eq!(gateway.ask(request).await.status, 413);

    let mut client = gateway.connect().await;
    let (sender, body) = behind::streamed();
    let request = gateway.request("POST", "/mcp").body(body).unwrap();
    sender.send(Frame::data(vec![b'x'; 999].into())).unwrap();
    sender.send(Frame::data(vec![b'x'; 2].into())).unwrap();
    let reply = Reply::of(client.send(request).await).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.headers["connection"], "close");
    // What came in part was no request for the server behind.
    assert_eq!(behind.count(), 1);
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_of_an_answer_breaks_it() {
    let (behind, mut taken) = events().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = gateway.connect().await;
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    let mut answer = client.send(request).await;
    let (sender, _) = soon(taken.recv()).await.unwrap();
    sender.send(data("data: 1\n\n")).unwrap();
    next(answer.body_mut()).await;
    drop(behind);
    // Not an end: the client has to know that something is missing.
    assert!(soon(answer.body_mut().frame()).await.unwrap().is_err());
    until("the log says so", || gateway.log().contains("broke off")).await;
}

#[tokio::test]
async fn a_stream_has_an_age() {
    let (behind, mut taken) = events().await;
    let gateway = Gateway::before(&behind.url(), &[("limits.stream", "1")]).await;
    let mut client = gateway.connect().await;
    let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
    let mut answer = client.send(request).await;
    let (_sender, mut gone) = soon(taken.recv()).await.unwrap();
    assert!(
        soon(answer.body_mut().frame()).await.is_none(),
        "events end in silence"
    );
    soon(gone.wait_for(|gone| *gone)).await.unwrap();
}

#[tokio::test]
async fn many_streams_run_at_once_on_few_connections() {
    let (behind, mut taken) = events().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        let mut client = gateway.connect_two().await;
        for _ in 0..50 {
            let request = gateway.request("GET", "/mcp").body(Empty::new()).unwrap();
            let answer = client.send(request).await;
            let (sender, _) = soon(taken.recv()).await.unwrap();
            all.push((answer, sender));
        }
    }
    for (_, sender) in &all {
        sender.send(data("data: x\n\n")).unwrap();
    }
    for (answer, _) in &mut all {
        assert_eq!(next(answer.body_mut()).await, "data: x\n\n");
    }
}

#[tokio::test]
async fn an_expected_continue_is_said_when_the_body_is_read() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut raw = crate::raw::Raw::to(&gateway).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\n\
         content-length: 2\r\n\r\n",
        gateway.key
    );
    raw.send(head).await;
    raw.until("100 Continue\r\n\r\n").await;
    raw.send("{}").await;
    raw.until("{}").await;
    assert_eq!(behind.came().header("expect"), None);
    // A refusal comes without it.
    let mut raw = crate::raw::Raw::to(&gateway).await;
    raw.send("POST /mcp HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        .await;
    let answer = raw.until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_request_is_not_sent_twice_when_the_server_closes_between_two() {
    // A server that answers once on each connection, and closes without saying so.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heads);
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut part = vec![0; 4096];
            let Ok(length @ 1..) = stream.read(&mut part).await else {
                continue;
            };
            assert!(length > 0);
            *count.lock().unwrap() += 1;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let gateway = Gateway::before(&format!("http://{address}"), &[]).await;
    for done in 1..=20 {
        let request = gateway.request("POST", "/mcp").body("{}").unwrap();
        let reply = gateway.ask(request).await;
        // Either it was answered, or it was lost on a connection that had just closed: never sent again.
        assert!([200, 502].contains(&reply.status.as_u16()), "{reply:?}");
        assert!(*heads.lock().unwrap() <= done);
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client: Client = gateway.connect().await;
    for number in 0..20 {
        let body = Full::from(format!("{number}"));
        let request = gateway.request("POST", "/mcp").body(body).unwrap();
        let reply = Reply::of(client.send(request).await).await;
        assert_eq!(reply.text(), number.to_string());
    }
}

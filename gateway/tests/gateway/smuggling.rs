//! Headers and framing that mean one thing here and another behind.

use http_body_util::Empty;

use crate::{
    behind::Behind,
    kit::{Gateway, KEY_SUBJECT, Reply, soon},
    raw::{Raw, exchange, status},
};

/// Spellings of a header that only the gateway may send.
const SPELLINGS: [&str; 9] = [
    "x-auth-subject",
    "X-Auth-Subject",
    "X-AUTH-SUBJECT",
    "x_auth_subject",
    "X_Auth-Subject",
    "x-auth_subject",
    "x.auth.subject",
    "X~Auth~Subject",
    "x-auth-subject_",
];

/// A request with the key and these lines, that ends its connection.
fn request(gateway: &Gateway, lines: &str) -> String {
    let key = &gateway.key;
    format!(
        "GET /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\nconnection: close\r\n{lines}\r\n"
    )
}

#[tokio::test]
async fn no_identity_of_a_client_ever_arrives() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let said = |count: usize| {
        SPELLINGS
            .map(|name| format!("{name}: root\r\n").repeat(count))
            .concat()
    };
    let each = SPELLINGS.map(|name| format!("{name}: root\r\n"));
    let mut tried: Vec<String> = each.to_vec();
    tried.extend([
        said(1),
        said(2),
        "Connection: x-auth-subject\r\nx-auth-subject: root\r\n".to_owned(),
        "x-auth-subject:root\r\n".to_owned(),
        "x-auth-subject:\troot \r\n".to_owned(),
        "X-Forwarded-User: root\r\nRemote-User: root\r\nremote_user: root\r\n".to_owned(),
    ]);
    for lines in tried {
        let answer = exchange(&gateway, &request(&gateway, &lines)).await;
        assert_eq!(status(&answer), 200, "{lines}: {answer}");
        let came = behind.came();
        let told: Vec<_> = came
            .parts
            .headers
            .iter()
            .filter(|(name, _)| {
                let plain = name.as_str().replace(|c: char| !c.is_alphanumeric(), "-");
                plain.trim_end_matches('-') == "x-auth-subject"
            })
            .collect();
        assert_eq!(told.len(), 1, "{lines}: {told:?}");
        assert_eq!(told[0].1, KEY_SUBJECT);
        assert!(
            !came.parts.headers.values().any(|value| value == "root") || lines.contains("User")
        );
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    for lines in [
        // Space before the colon, a folded line, a line without a name, a bare carriage return, a NUL.
        "x-auth-subject : root\r\n",
        "x-other: a\r\n x-auth-subject: root\r\n",
        ": root\r\n",
        "x-other: a\rx-auth-subject: root\r\n",
        "x-other: a\0b\r\n",
        "x-auth\u{ad}subject: root\r\n",
        "x-auth subject: root\r\n",
    ] {
        let answer = exchange(&gateway, &request(&gateway, lines)).await;
        assert_eq!(status(&answer), 400, "{lines:?}: {answer}");
        assert_eq!(behind.count(), 0, "{lines:?}");
    }
}

#[tokio::test]
async fn in_http_2_names_cannot_be_smuggled_either() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = gateway.connect_two().await;
    for name in ["x-auth-subject", "x_auth_subject", "x.auth-subject"] {
        let ask = gateway
            .request("GET", "/mcp")
            .header(name, "root")
            .header(name, "root");
        let reply = Reply::of(client.send(ask.body(Empty::new()).unwrap()).await).await;
        assert_eq!(reply.status, 200);
        let came = behind.came();
        assert_eq!(came.header("x-auth-subject"), Some(KEY_SUBJECT));
        assert!(!came.parts.headers.values().any(|value| value == "root"));
    }
}

#[tokio::test]
async fn two_ways_to_say_the_length_do_not_make_two_requests() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let key = gateway.key.clone();
    let inner = format!("GET /smuggled HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n\r\n");
    let head = format!("POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n");
    let chunked = format!("0\r\n\r\n{inner}");
    for framing in [
        format!(
            "content-length: {}\r\ntransfer-encoding: chunked\r\n",
            chunked.len()
        ),
        format!(
            "transfer-encoding: chunked\r\ncontent-length: {}\r\n",
            chunked.len()
        ),
        "transfer-encoding: gzip, chunked\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding:\u{b}chunked\r\n".to_owned(),
        "transfer_encoding: chunked\r\n".to_owned(),
        "content-length: 0\r\ncontent-length: 5\r\n".to_owned(),
        "content-length: 0, 5\r\n".to_owned(),
        "content-length: +0\r\n".to_owned(),
        "content-length: 0x0\r\n".to_owned(),
        "content-length: -0\r\n".to_owned(),
    ] {
        let mut raw = Raw::to(&gateway).await;
        raw.send(format!("{head}{framing}\r\n{chunked}")).await;
        // The client's end closes too.
        tokio::io::AsyncWriteExt::shutdown(&mut raw.0)
            .await
            .unwrap();
        let answers = raw.rest().await;
        let first = status(&answers);
        // Where both are said, chunked counts (RFC 9112, 6.1), and what follows is the next request for everybody.
        let took_chunked = first == 200 && framing.contains("chunked");
        assert!([200, 400, 501].contains(&first), "{framing}: {answers}");
        let came = behind.all();
        let paths: Vec<_> = came
            .iter()
            .map(|came| came.parts.uri.path().to_owned())
            .collect();
        // Never a part of it as the body of the first.
        assert!(
            came.iter().all(|came| came.body.is_empty()),
            "{framing}: {came:?}"
        );
        if first == 200 {
            assert!(
                took_chunked || framing.starts_with("transfer_"),
                "{framing}: {answers}"
            );
            assert_eq!(paths.first().map(String::as_str), Some("/mcp"), "{framing}");
        } else {
            assert_eq!(paths, Vec::<String>::new(), "{framing}: {answers}");
        }
    }
}

#[tokio::test]
async fn what_the_server_behind_gets_is_framed_anew() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let key = &gateway.key;
    // Chunk extensions, upper case, leading zeros: one body, in this gateway's own framing.
    let answer = exchange(
        &gateway,
        &format!(
            "POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
             Transfer-Encoding: Chunked\r\n\r\n003;ext=\"x\"\r\nabc\r\n0\r\nx-auth-subject: root\r\n\r\n"
        ),
    )
    .await;
    assert_eq!(status(&answer), 200, "{answer}");
    let came = behind.came();
    assert_eq!(came.body, "abc");
    assert_eq!(came.header("transfer-encoding"), Some("chunked"));
    assert_eq!(came.header("x-auth-subject"), Some(KEY_SUBJECT));
    assert!(came.trailers.is_none_or(|trailers| trailers.is_empty()));
}

#[tokio::test]
async fn a_target_or_host_of_elsewhere_goes_nowhere_else() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let key = &gateway.key;
    let own = behind.address.to_string();
    let lines = format!("authorization: Bearer {key}\r\nconnection: close\r\n\r\n");
    let ask = format!("GET http://evil.example:1/mcp HTTP/1.1\r\nhost: mcp.example.com\r\n{lines}");
    assert_eq!(status(&exchange(&gateway, &ask).await), 200);
    let came = behind.came();
    assert_eq!(
        (came.header("host"), came.parts.uri.path()),
        (Some(&*own), "/mcp")
    );

    for (target, hosts, expected) in [
        ("/mcp", "", 400),
        ("/mcp", "host: a\r\nhost: b\r\n", 400),
        ("/mcp", "host: a\r\nHost: a\r\n", 400),
        ("/mcp", "host: a@b\r\n", 400),
        ("/../mcp", "host: a\r\n", 400),
        ("/%2e%2e/mcp", "host: a\r\n", 400),
        ("/mcp/..%2fadmin", "host: a\r\n", 400),
        ("/mcp\\..\\admin", "host: a\r\n", 400),
        ("mcp", "host: a\r\n", 400),
    ] {
        let answer = exchange(
            &gateway,
            &format!("GET {target} HTTP/1.1\r\n{hosts}{lines}"),
        )
        .await;
        assert_eq!(status(&answer), expected, "{target} {hosts}: {answer}");
    }
    let connect = format!("CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n{lines}");
    assert_eq!(status(&exchange(&gateway, &connect).await), 405);
    let trace = format!("TRACE /mcp HTTP/1.1\r\nhost: a\r\n{lines}");
    assert_eq!(status(&exchange(&gateway, &trace).await), 405);
    assert_eq!(behind.count(), 0);
}

#[tokio::test]
async fn in_http_2_authority_and_host_agree() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let stream = tokio::net::TcpStream::connect(gateway.address())
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    for (host, expected) in [("mcp.example.com", 200), ("evil.example", 400)] {
        let ask = http::Request::get("http://mcp.example.com/mcp")
            .header("host", host)
            .header("authorization", format!("Bearer {}", gateway.key));
        let answer =
            soon(sender.send_request(ask.body(Empty::<bytes::Bytes>::new()).unwrap())).await;
        assert_eq!(answer.unwrap().status().as_u16(), expected, "{host}");
    }
}

#[tokio::test]
async fn no_upgrade_but_websocket_is_passed_on() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    for lines in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
    ] {
        let mut raw = Raw::to(&gateway).await;
        raw.send(request(&gateway, lines)).await;
        let answer = raw.rest().await;
        assert_eq!(status(&answer), 200, "{answer}");
        let came = behind.came();
        for gone in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(came.header(gone), None, "{lines}");
        }
    }
}

//! Client, gateway and server agree where each request and each answer ends, and what is the gateway's alone to say.

use crate::{
    kit::{Gateway, KEY_SUBJECT},
    raw::{Raw, status},
    recorder::{Recorded, Recorder, own},
};

/// So that a request whose end never comes is over soon.
const SHORT: [(&str, &str); 3] = [
    ("limits.idle", "1"),
    ("limits.stall", "1"),
    ("limits.header_time", "1"),
];

/// What the gateway answers to these bytes on one connection.
async fn answers(gateway: &Gateway, bytes: impl AsRef<[u8]>) -> String {
    let mut raw = Raw::to(gateway).await;
    // A connection that is closed on the way takes no more.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut raw.0, bytes.as_ref()).await;
    raw.rest().await
}

/// What came, whose fields are all as they have to be.
#[track_caller]
fn clean(recorder: &Recorder, gateway: &Gateway, what: &str) -> Vec<Recorded> {
    let came = recorder.all();
    for request in &came {
        assert_eq!(request.values("x-auth-subject"), [KEY_SUBJECT], "{what:?}");
        for (name, value) in request.fields.iter().chain(&request.trailers) {
            assert!(!value.contains("root"), "{what:?}: {name}: {value}");
            assert!(!value.contains(&gateway.key), "{what:?}: {name}");
            let lower = name.to_ascii_lowercase();
            let gone = ["authorization", "proxy-authorization", "connection", "te"];
            assert!(
                !gone.contains(&&*lower) || value == "upgrade",
                "{what:?}: {name}"
            );
        }
        let of_own = |(name, _): &(String, String)| name.to_ascii_lowercase().contains("auth");
        assert!(!request.trailers.iter().any(of_own), "{what:?}");
    }
    came
}

fn targets(came: &[Recorded]) -> Vec<&str> {
    came.iter().map(|came| &*came.target).collect()
}

/// A request with the key.
fn get(gateway: &Gateway, target: &str, lines: &str) -> String {
    let key = &gateway.key;
    format!("GET {target} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n{lines}\r\n")
}

fn last(gateway: &Gateway) -> String {
    get(gateway, "/last", "connection: close\r\n")
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_never_read_as_a_request() {
    let recorder = Recorder::new().await;
    let gateway = Gateway::before(&recorder.url(), &SHORT).await;
    let smuggled = get(&gateway, "/smuggled", "");
    let long = smuggled.repeat(4000);
    let key = &gateway.key;
    for (line, fields) in [
        ("POST /mcp", "host: a\r\n".to_owned()),
        (
            "POST /mcp",
            "host: a\r\nauthorization: Bearer wrong\r\n".to_owned(),
        ),
        (
            "POST /mcp",
            "host: a\r\nexpect: 100-continue\r\n".to_owned(),
        ),
        (
            "POST /mcp",
            format!("host: a\r\nauthorization: Bearer {key}\r\nexpect: 200-ok\r\n"),
        ),
        ("POST /mcp", format!("authorization: Bearer {key}\r\n")),
        (
            "POST /../mcp",
            format!("host: a\r\nauthorization: Bearer {key}\r\n"),
        ),
        (
            "TRACE /mcp",
            format!("host: a\r\nauthorization: Bearer {key}\r\n"),
        ),
        (
            "POST /oauth/nothing",
            "host: a\r\nexpect: 100-continue\r\n".to_owned(),
        ),
        ("GET /oauth/authorize", "host: a\r\n".to_owned()),
        ("OPTIONS *", "host: a\r\n".to_owned()),
    ] {
        for body in [&smuggled, &long] {
            let length = body.len();
            for framed in [
                format!("content-length: {length}\r\n\r\n{body}"),
                format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
            ] {
                let what = format!("{line} {fields}");
                let sent = format!("{line} HTTP/1.1\r\n{fields}{framed}{}", last(&gateway));
                let told = answers(&gateway, sent).await;
                assert!(told.is_empty() || status(&told) >= 400, "{what}: {told}");
                let came = clean(&recorder, &gateway, &what);
                let came = targets(&came);
                assert!(came.is_empty() || came == ["/last"], "{what}: {came:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_ends_where_it_says_and_the_next_request_gets_its_own_answer() {
    let recorder = Recorder::new().await;
    let gateway = Gateway::before(&recorder.url(), &SHORT).await;
    let smuggled = get(&gateway, "/smuggled", "");
    let (key, length) = (&gateway.key, smuggled.len());
    let half = length / 2;
    let (one, two) = smuggled.split_at(half);
    let rest = length - half;
    for method in ["POST", "GET", "DELETE", "PUT", "OPTIONS", "FOO", "HEAD"] {
        for framed in [
            format!("content-length: {length}\r\n\r\n{smuggled}"),
            format!("Transfer-Encoding: CHUNKED\r\n\r\n{length:X}\r\n{smuggled}\r\n0\r\n\r\n"),
            format!(
                "transfer-encoding: \t chunked \r\n\r\n00{half:x};a=\"b\"\r\n{one}\r\n{rest:x} \r\n{two}\r\n000\r\n\
                 x-auth-subject: root\r\nAuthorization: Bearer {key}\r\nx_auth_subject: root\r\n\r\n"
            ),
            format!(
                "trailer: x-auth-subject\r\nconnection: x-sum\r\ntransfer-encoding: chunked\r\n\r\n\
                 {length:x}\r\n{smuggled}\r\n0\r\nx-auth-subject: root\r\nx-sum: root\r\n\r\n"
            ),
        ] {
            let head =
                format!("{method} /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n");
            let sent = format!("{head}{framed}{}", last(&gateway));
            let told = answers(&gateway, sent).await;
            let came = clean(&recorder, &gateway, &framed);
            assert_eq!(
                targets(&came),
                ["/mcp", "/last"],
                "{method} {framed}: {told}"
            );
            let body = String::from_utf8_lossy(&came[0].body);
            assert_eq!(body, smuggled, "{method} {framed}");
            assert!(came[1].body.is_empty());
            assert_eq!(told.matches("HTTP/1.1 200 ").count(), 2, "{told}");
            assert!(told.ends_with("/last"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_body_whose_end_is_uncertain_reaches_no_server_whole() {
    let recorder = Recorder::new().await;
    let gateway = Gateway::before(&recorder.url(), &SHORT).await;
    let smuggled = get(&gateway, "/smuggled", "");
    let key = &gateway.key;
    let head = format!("POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n");
    for chunks in [
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "3 3\r\nabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3;a\rb\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        ";\r\nabc\r\n0\r\n\r\n",
        "g\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\n\n",
        "3\r\nabc\r\n0\r\nx : y\r\n\r\n",
        "3\r\nabc\r\n0\r\nx\r\n\r\n",
        "3\r\nabc\r\n0\r\nx: \0\r\n\r\n",
    ] {
        let sent = format!("{head}transfer-encoding: chunked\r\n\r\n{chunks}{smuggled}");
        let told = answers(&gateway, sent).await;
        let came = clean(&recorder, &gateway, chunks);
        assert!(came.is_empty(), "{chunks:?}: {came:?}, {told}");
        assert!(
            told.is_empty() || status(&told) >= 400,
            "{chunks:?}: {told}"
        );
    }
    // hyper reads trailers up to an empty line of CR and LF: what follows here is a part of them, and no request.
    for end in ["0\r\n\n", "0\r\nx: y\n\n"] {
        let sent = format!("{head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n{end}{smuggled}");
        let told = answers(&gateway, sent).await;
        let came = clean(&recorder, &gateway, end);
        assert!(
            came.is_empty() || targets(&came) == ["/mcp"],
            "{end:?}: {came:?}, {told}"
        );
        assert!(
            came.iter().all(|came| came.body == b"abc"),
            "{end:?}: {came:?}"
        );
    }
    for version in ["1.0", "1.2", "0.9", "2.0", "1.1 ", "1.1x", "01.1"] {
        let sent = format!(
            "POST /mcp HTTP/{version}\r\nhost: a\r\nauthorization: Bearer {key}\r\nconnection: keep-alive\r\n\
             transfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let told = answers(&gateway, sent).await;
        let came = clean(&recorder, &gateway, version);
        assert!(came.is_empty(), "{version}: {came:?}, {told}");
    }
}

#[tokio::test]
async fn a_request_without_a_body_says_nothing_of_one() {
    let recorder = Recorder::new().await;
    let [idle, stall, header] = SHORT;
    let tools = ("tools", r#"{ "report" = {} }"#);
    for settings in [&SHORT[..], &[idle, stall, header, tools]] {
        let gateway = Gateway::before(&recorder.url(), settings).await;
        answers(&gateway, last(&gateway)).await;
        let mut two = gateway.connect_two().await;
        let request = gateway.request("GET", "/two");
        let request = request.body(http_body_util::Empty::new()).unwrap();
        crate::kit::Reply::of(two.send(request).await).await;
        let came = clean(&recorder, &gateway, "no body");
        assert_eq!(targets(&came), ["/last", "/two"]);
        for request in came {
            assert!(request.values("transfer-encoding").is_empty());
            assert!(request.values("content-length").is_empty());
        }
    }
}

#[tokio::test]
async fn what_is_asked_in_a_row_is_answered_in_a_row() {
    let recorder = Recorder::new().await;
    let gateway = Gateway::before(&recorder.url(), &SHORT).await;
    let mut sent: String = (0..20)
        .map(|number| get(&gateway, &format!("/row-{number:02}."), ""))
        .collect();
    sent.push_str(&last(&gateway));
    let told = answers(&gateway, sent).await;
    let came = clean(&recorder, &gateway, "in a row");
    assert_eq!(came.len(), 21, "{told}");
    let places = (0..20).map(|number| told.find(&format!("/row-{number:02}.")));
    let places: Vec<_> = places.map(Option::unwrap).collect();
    assert!(places.is_sorted(), "{told}");
    assert!(told.ends_with("/last"));
}

#[tokio::test]
async fn no_spelling_of_a_credential_or_identity_arrives_in_bytes() {
    let recorder = Recorder::new().await;
    let gateway = Gateway::before(&recorder.url(), &SHORT).await;
    let key = &gateway.key;
    let socket = "connection: upgrade, x-auth-subject, x-auth-email\r\nupgrade: websocket\r\n\
                  sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let many = "x-auth-subject: root\r\n".repeat(40);
    let cookies = "cookie: a=1; __Host-oauth-login=root; __Host-oauth-request =root;b=2\r\ncookie: __Host-oauth-x=root\r\n";
    for lines in [
        format!("authorization: Bearer {key}\r\n"),
        format!("Proxy-Authorization: Bearer {key}\r\n"),
        format!("proxy_authorization: Bearer {key}\r\nauthorization_: Bearer {key}\r\n"),
        format!("connection: proxy-authorization, cookie\r\nproxy-authorization: Bearer {key}\r\n"),
        cookies.to_owned(),
        many.clone(),
        format!("{socket}{many}X_Auth_Subject: root\r\nx-auth-email: root\r\n"),
        "connection: close, host, content-length, x-forwarded-for, via\r\nx-forwarded-for: root\r\n".to_owned(),
        "x-a: b\nx-auth-subject: root\r\n".to_owned(),
        "x-a: b\n\tx-auth-subject: root\r\n".to_owned(),
        "x-auth-subject\t: root\r\n".to_owned(),
        "x-auth-subject:\r\n root\r\n".to_owned(),
        "x-auth-subject: \u{e9}root\r\n".to_owned(),
        "x-auth-subject-\u{2010}: root\r\n".to_owned(),
        "forwarded: for=root\r\nx-real-ip: root\r\nvia: 1.1 b\r\nx-original-url: /root\r\n".to_owned(),
        "x-auth-tomorrow: root\r\nremote-user: root\r\nx-forwarded-user: root\r\n".to_owned(),
        "host: root\r\n".to_owned(),
        "te: trailers, root\r\nkeep-alive: root\r\nproxy-connection: root\r\nproxy: root\r\n".to_owned(),
    ] {
        let sent = format!("{}{}", get(&gateway, "/mcp", &lines), last(&gateway));
        let told = answers(&gateway, sent).await;
        let came = recorder.all();
        for request in &came {
            let via = request.values("via");
            assert!(via.last().is_some_and(|via| via.contains("gateway")), "{via:?}");
            assert!(request.values("cookie").iter().all(|cookie| *cookie == "a=1; b=2"));
            assert_eq!(request.values("x-auth-subject"), [KEY_SUBJECT], "{lines}");
            for (name, value) in &request.fields {
                let is_told_on = name.eq_ignore_ascii_case("te") && value == "trailers";
                let is_upgrade = name.eq_ignore_ascii_case("connection") && value == "upgrade";
                let of_hop = ["te", "connection", "keep-alive", "proxy-connection", "proxy"];
                let of_hop = of_hop.iter().any(|hop| name.eq_ignore_ascii_case(hop));
                assert!(!of_hop || is_told_on || is_upgrade, "{lines}: {name}: {value}");
                assert!(!value.contains("root"), "{lines}: {name}: {value}");
                assert!(!value.contains(key), "{lines}: {name}");
            }
        }
        let count = told.matches("HTTP/1.1 200 ").count();
        assert_eq!(count, came.len(), "{lines}: {told}");
    }
    let crowd = "x-auth-subject: root\r\n".repeat(5000);
    let told = answers(&gateway, get(&gateway, "/mcp", &crowd)).await;
    assert!(told.is_empty() || status(&told) == 431, "{told}");
    assert!(recorder.all().is_empty());
}

#[tokio::test]
async fn no_spelling_of_a_path_is_public_but_the_one_that_the_operator_wrote() {
    let recorder = Recorder::new().await;
    let [idle, stall, header] = SHORT;
    let settings = [idle, stall, header, ("paths.public", "/health")];
    let gateway = Gateway::before(&recorder.url(), &settings).await;
    for (target, arrives) in [
        ("/health", Some("/health")),
        ("/health?next=/mcp", Some("/health?next=/mcp")),
        ("http://evil.example/health", Some("/health")),
        ("/health/../mcp", None),
        ("/health/..%2fmcp", None),
        ("/health%2f..%2fmcp", None),
        ("/health/%2e%2e/mcp", None),
        ("/health/.%2E/mcp", None),
        ("/health;/../mcp", None),
        ("/health/..;/mcp", None),
        ("/health\\..\\mcp", None),
        ("/health%5c..%5cmcp", None),
        ("//health", None),
        ("/health/", None),
        ("/health;x", None),
        ("/%68ealth", None),
        ("/HEALTH", None),
        ("/health%00", None),
        ("/health%3f", None),
        ("/health%23", None),
        ("/health%20", None),
        ("/health%0d%0ax:y", None),
        ("/mcp?/health", None),
        ("/mcp#/health", None),
        ("/./health", None),
        ("*", None),
        ("health", None),
        ("//oauth/token", None),
        ("/%6fauth/token", None),
        ("/oauth/../mcp", None),
        ("/oauth//token", None),
        ("/oauth/token/", None),
        ("/OAuth/token", None),
        ("/oauth/token;x", None),
        ("/.well-known/../mcp", None),
        ("/.well-known/oauth-protected-resource/..%2f..%2fmcp", None),
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let sent = format!(
                "{method} {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
            let told = answers(&gateway, sent).await;
            let came = recorder.all();
            assert_eq!(
                targets(&came),
                arrives.into_iter().collect::<Vec<_>>(),
                "{method} {target}: {told}"
            );
            for request in came {
                assert!(request.values("x-auth-subject").is_empty());
            }
        }
    }
}

#[tokio::test]
async fn an_answer_in_excess_is_no_answer_to_the_next_client() {
    const POISON: &str = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned";
    let recorder = Recorder::answering(|request| {
        let answer = match &*request.target {
            "/twice" => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "/empty" => "HTTP/1.1 204 No Content\r\n\r\n",
            "/unchanged" => "HTTP/1.1 304 Not Modified\r\ncontent-length: 8\r\n\r\n",
            "/chunked" => {
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            }
            "/both" => {
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
            }
            "/two" => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
            "/early" => "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "/head" => "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n",
            _ => return own(request),
        };
        format!("{answer}{POISON}").into_bytes()
    })
    .await;
    let gateway = Gateway::before(&recorder.url(), &SHORT).await;
    for (method, target) in [
        ("GET", "/twice"),
        ("GET", "/empty"),
        ("GET", "/unchanged"),
        ("GET", "/chunked"),
        ("GET", "/both"),
        ("GET", "/two"),
        ("GET", "/early"),
        ("HEAD", "/head"),
    ] {
        for _ in 0..5 {
            let sent = get(&gateway, target, "connection: close\r\n");
            let sent = sent.replacen("GET", method, 1);
            let told = answers(&gateway, sent).await;
            // It may be broken, but has one answer's bytes.
            assert!(!told.contains("poisoned"), "{target}: {told}");
            for _ in 0..3 {
                let told = answers(&gateway, last(&gateway)).await;
                assert!(!told.contains("poisoned"), "{target}: {told}");
                assert!(
                    status(&told) == 502 || told.ends_with("/last"),
                    "{target}: {told}"
                );
            }
        }
    }
}

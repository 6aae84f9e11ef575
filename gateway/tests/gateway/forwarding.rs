use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty};

use crate::{
    behind::{self, Behind, whole},
    kit::{Folder, Gateway, KEY_SUBJECT, Reply, until},
};

#[tokio::test]
async fn a_request_with_a_session_reaches_the_server_behind() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let request = gateway
        .request("POST", "/mcp?a=%20b")
        .header("content-type", "application/json")
        .header("x-mine", "1")
        .header("cookie", "a=1; __Host-oauth-login-x-y=z; b=2");
    let reply = gateway.ask(request.body("{}").unwrap()).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "{}"));

    let came = behind.came();
    assert_eq!(came.parts.method, "POST");
    assert_eq!(came.parts.uri, "/mcp?a=%20b");
    assert_eq!(came.body, "{}");
    assert_eq!(came.header("host"), Some(&*behind.address.to_string()));
    assert_eq!(came.header("content-length"), Some("2"));
    assert_eq!(came.header("x-mine"), Some("1"));
    assert_eq!(came.header("authorization"), None);
    assert_eq!(came.header("cookie"), Some("a=1; b=2"));
    assert_eq!(came.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(came.header("x-forwarded-host"), Some("mcp.example.com"));
    assert_eq!(came.header("x-forwarded-proto"), Some("https"));
    assert_eq!(came.header("via"), Some("1.1 tower-oauth-gateway"));
    assert_eq!(came.header("x-auth-subject"), Some(KEY_SUBJECT));
}

#[tokio::test]
async fn a_request_without_a_session_does_not() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let stranger = Request::get("/mcp").header("host", "mcp.example.com");
    let reply = gateway.ask(stranger.body("").unwrap()).await;
    assert_eq!(reply.status, 401);
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("resource_metadata="), "{challenge}");
    assert_eq!(behind.count(), 0);
}

#[tokio::test]
async fn a_public_path_carries_no_credentials_and_no_identity() {
    let behind = Behind::echo().await;
    let settings = [("paths.public", "/health")];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    for authorization in ["Bearer anything", "Basic YTpi"] {
        let request = Request::get("/health")
            .header("host", "mcp.example.com")
            .header("authorization", authorization)
            .header("x-auth-subject", "root");
        let reply = gateway.ask(request.body("").unwrap()).await;
        assert_eq!(reply.status, 200);
        let came = behind.came();
        assert_eq!(came.header("authorization"), None);
        assert_eq!(came.header("x-auth-subject"), None);
    }
}

#[tokio::test]
async fn both_sides_speak_http_2() {
    let behind = Behind::echo().await;
    let settings = [("upstream.http2_without_tls", "true")];
    let gateway = Gateway::before(&behind.url(), &settings).await;
    let mut client = gateway.connect_two().await;
    let (sender, trailing) = behind::streamed();
    sender
        .send(Frame::data(Bytes::from_static(b"abc")))
        .unwrap();
    let trailers = [
        ("x-sum", "3"),
        ("x_auth_subject", "root"),
        ("x-auth-subject", "root"),
        ("authorization", "Bearer x"),
    ];
    sender.send(Frame::trailers(fields(&trailers))).unwrap();
    drop(sender);
    let request = gateway.request("POST", "/mcp").body(trailing).unwrap();
    let reply = Reply::of(client.send(request).await).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "abc"));
    let came = behind.came();
    assert_eq!(came.parts.version, http::Version::HTTP_2);
    assert_eq!(
        came.parts.uri.authority().unwrap(),
        &behind.address.to_string()
    );
    let trailers = came.trailers.unwrap();
    assert_eq!(trailers.len(), 1, "{trailers:?}");
    assert_eq!(trailers["x-sum"], "3");
    assert_eq!(came.parts.headers["via"], "2.0 tower-oauth-gateway");
}

fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let fields = fields.iter().map(|(name, value)| {
        let name = http::HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    });
    fields.collect()
}

#[tokio::test]
async fn trailers_of_an_answer_pass() {
    let behind = Behind::answering(async |_| {
        let (sender, frames) = behind::streamed();
        sender
            .send(Frame::data(Bytes::from_static(b"abc")))
            .unwrap();
        sender
            .send(Frame::trailers(fields(&[("grpc-status", "0")])))
            .unwrap();
        frames.answer("application/grpc")
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[("upstream.http2_without_tls", "true")]).await;
    let mut client = gateway.connect_two().await;
    let request = gateway.request("POST", "/mcp").header("te", "trailers");
    let reply = Reply::of(client.send(request.body(Empty::new()).unwrap()).await).await;
    assert_eq!(reply.trailers.unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn what_is_of_one_hop_stays_there_on_the_way_back_too() {
    let behind = Behind::answering(async |_| {
        let mut answer = whole("x");
        *answer.headers_mut() = fields(&[
            ("connection", "x-internal"),
            ("x-internal", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-authenticate", "Basic"),
            ("mcp-session-id", "s1"),
        ]);
        answer
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.headers["mcp-session-id"], "s1");
    for gone in ["x-internal", "keep-alive", "proxy-authenticate"] {
        assert!(!reply.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn the_server_behind_may_be_a_socket() {
    let folder = Folder::new();
    let path = folder.0.join("mcp.sock");
    let task = behind::at_socket(&path);
    let gateway = Gateway::before(&format!("unix:{}", path.display()), &[]).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp?x").body("").unwrap())
        .await;
    assert_eq!(reply.text(), "/mcp?x at localhost");
    task.abort();
}

#[tokio::test]
async fn the_server_behind_may_speak_tls() {
    let https = testkit::https::Https::start(async |head: String| {
        testkit::https::json("200 OK", "", &format!("{:?}", head.lines().next()))
    })
    .await;
    let folder = Folder::new();
    let roots = folder.0.join("roots.pem");
    std::fs::write(&roots, testkit::https::ROOT).unwrap();
    let url = https.url("localhost", "/app");
    let settings = [("upstream.root_certificate_file", roots.to_str().unwrap())];
    let gateway = Gateway::before(&url, &settings).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.text(), "Some(\"GET /app/mcp HTTP/1.1\")");

    // The system's roots do not know that one.
    let gateway = Gateway::before(&url, &[]).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 502);
    assert!(!reply.text().contains("localhost"), "{}", reply.text());
    until("the log says why", || gateway.log().contains("ertificate")).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_502_and_named_to_the_operator_alone() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let gateway = Gateway::before(&format!("http://{address}"), &[]).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 502);
    assert!(
        reply.text().contains("cannot be reached"),
        "{}",
        reply.text()
    );
    assert!(!reply.text().contains(&address.port().to_string()));
    until("the log says why", || gateway.log().contains("not_reached")).await;
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains("not_reached"));
    let line = line.unwrap_or_default();
    for said in [
        "refused",
        "`upstream.url`",
        &format!("http://{address}"),
        "GET",
        "/mcp",
    ] {
        assert!(line.contains(said), "the line does not say {said}: {line}");
    }
    let ready = gateway.page("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("refused"), "{}", ready.text());

    // It comes, and all is well.
    let behind = Behind::at(address, async |_| whole("back")).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.text().as_str()),
        (200, "back")
    );
    assert_eq!(gateway.page("/readyz").await.status, 200);
    drop(behind);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_504() {
    let behind = Behind::answering(async |_| std::future::pending().await).await;
    let gateway = Gateway::before(&behind.url(), &[("limits.answer", "1")]).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 504);
}

#[tokio::test]
async fn more_requests_than_allowed_are_503_and_come_again() {
    let (sender, frames) = behind::streamed();
    let frames = std::sync::Arc::new(std::sync::Mutex::new(Some(frames)));
    let behind = Behind::answering(move |_| {
        let frames = frames.lock().unwrap().take();
        async move { frames.map_or_else(|| whole("quick"), |frames| frames.answer("text/plain")) }
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[("limits.requests", "1")]).await;
    let mut client = gateway.connect().await;
    let first = client
        .send(gateway.request("GET", "/mcp").body(Empty::new()).unwrap())
        .await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.headers["retry-after"], "1");
    drop(sender);
    assert_eq!(Reply::of(first).await.status, 200);
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.text(), "quick");
    let numbers = gateway.page("/metrics").await.text();
    let counted = "oauth_gateway_failures_total{reason=\"full\"} 1";
    assert!(numbers.contains(counted), "{numbers}");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_its_client_was() {
    let behind = Behind::echo().await;
    for (trusted, chain) in [
        ("127.0.0.0/8", "192.0.2.7, 127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
    ] {
        let gateway = Gateway::before(&behind.url(), &[("trusted_proxies", trusted)]).await;
        let request = gateway
            .request("GET", "/mcp")
            .header("x-forwarded-for", "192.0.2.7");
        gateway.ask(request.body("").unwrap()).await;
        assert_eq!(behind.came().header("x-forwarded-for"), Some(chain));
    }
}

#[tokio::test]
async fn the_host_is_the_operators_choice() {
    let behind = Behind::echo().await;
    for (host, seen) in [
        ("public", "mcp.example.com"),
        ("behind.internal:81", "behind.internal:81"),
    ] {
        let gateway = Gateway::before(&behind.url(), &[("upstream.host", host)]).await;
        gateway
            .ask(gateway.request("GET", "/mcp").body("").unwrap())
            .await;
        assert_eq!(behind.came().header("host"), Some(seen));
    }
}

#[tokio::test]
async fn the_gateway_itself_may_listen_at_a_socket() {
    let behind = Behind::echo().await;
    let folder = Folder::new();
    let path = folder.0.join("gateway.sock");
    let listen = format!("unix:{}", path.display());
    let mut gateway = Gateway::before(&behind.url(), &[("listen", &listen)]).await;
    assert_eq!(gateway.place, listen);
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = gateway
        .request("GET", "/mcp")
        .header("x-forwarded-for", "192.0.2.7");
    let answer = sender
        .send_request(request.body(Empty::<Bytes>::new()).unwrap())
        .await;
    assert_eq!(answer.unwrap().status(), 200);
    // What comes that way comes from a proxy in front.
    assert_eq!(behind.came().header("x-forwarded-for"), Some("192.0.2.7"));
    drop(sender);
    gateway.stop();
    gateway.ended().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_and_its_length() {
    let behind = Behind::answering(async |_| {
        Response::builder()
            .header("content-length", "5")
            .body(Empty::new().map_err(|never| match never {}).boxed_unsync())
            .unwrap()
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let reply = gateway
        .ask(gateway.request("HEAD", "/mcp").body("").unwrap())
        .await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(reply.headers["content-length"], "5");
}

#[tokio::test]
async fn the_operators_pages_are_three() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    assert_eq!(gateway.page("/healthz").await.text(), "ok\n");
    assert_eq!(gateway.page("/").await.status, 404);
    let reply = gateway
        .ask(gateway.request("GET", "/healthz").body("").unwrap())
        .await;
    // To clients that is a path like any other.
    assert_eq!(reply.status, 200);
    assert_eq!(behind.came().parts.uri, "/healthz");
}

#[tokio::test]
async fn where_the_server_behind_sends_clients_is_a_public_place() {
    let behind = Behind::answering(async |request: Request<hyper::body::Incoming>| {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        let mut answer = whole("");
        *answer.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
        let headers = answer.headers_mut();
        let place = format!("http://{host}/mcp/");
        headers.insert("location", place.parse().unwrap());
        headers.append(
            "set-cookie",
            HeaderValue::from_static("__Host-oauth-login-a-b=x"),
        );
        headers.append("set-cookie", HeaderValue::from_static("mine=1"));
        answer
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let reply = gateway
        .ask(gateway.request("GET", "/mcp").body("").unwrap())
        .await;
    assert_eq!(reply.status, 307);
    assert_eq!(reply.headers["location"], "https://mcp.example.com/mcp/");
    let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["mine=1"]);
}

#[tokio::test]
async fn what_is_at_work_is_counted_for_the_operator() {
    let (sender, frames) = behind::streamed();
    let frames = std::sync::Mutex::new(Some(frames));
    let frames = std::sync::Arc::new(frames);
    let behind = Behind::answering(move |_| {
        let frames = frames.lock().unwrap().take().unwrap();
        async move { frames.answer("text/event-stream") }
    })
    .await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let mut client = gateway.connect().await;
    let answer = client
        .send(gateway.request("GET", "/mcp").body(Empty::new()).unwrap())
        .await;
    let numbers = gateway.page("/metrics").await.text();
    for line in [
        "oauth_gateway_connections 1",
        "oauth_gateway_requests 1",
        "oauth_gateway_answers_total{status=\"2xx\"} 1",
        "oauth_gateway_answer_seconds_count 1",
    ] {
        assert!(numbers.contains(line), "{line}: {numbers}");
    }
    drop((answer, client, sender));
    let mut numbers = String::new();
    for _ in 0..1000 {
        numbers = gateway.page("/metrics").await.text();
        if numbers.contains("oauth_gateway_connections 0")
            && numbers.contains("oauth_gateway_requests 0")
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{numbers}");
}

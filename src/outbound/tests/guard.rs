//! Where requests go, and where none arrives.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use reqwest::Proxy;
use testkit::https::{Https, json};

use super::{Inside, Names, outbound, way_out};
use crate::{
    limits::MAX_STRANGERS_LOOKUPS,
    outbound::{
        NamedBy::{self, Operator, Stranger},
        Networks, Outbound, OutboundError, Reply, WayOut,
        destination::Refusal,
        lookup::{Found, Lookup},
    },
};

const LOOPBACK: &str = "127.0.0.0/8";

async fn get(outbound: &Outbound, url: &str, named_by: NamedBy) -> Result<Reply, OutboundError> {
    outbound.get(url, named_by, 1000, "application/json").await
}

async fn refusal(outbound: &Outbound, url: &str, named_by: NamedBy) -> Refusal {
    match get(outbound, url, named_by).await {
        Err(OutboundError::Refused(refusal)) => refusal,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn a_document_is_fetched_where_its_network_is_open_and_asks_for_its_type() {
    let server = Https::start(|head| async move { json("200 OK", "", &head) }).await;
    let names = Names::default().leads("client.example", &[&["127.0.0.1"]]);
    let outbound = outbound(&names, &[LOOPBACK]);
    let url = server.url("client.example", "/client.json?v=1");
    let reply = get(&outbound, &url, Stranger).await.unwrap();
    assert_eq!(reply.status, 200);
    let head = String::from_utf8(reply.body.to_vec())
        .unwrap()
        .to_lowercase();
    assert!(
        head.starts_with("get /client.json?v=1 http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("accept: application/json\r\n"), "{head}");
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    for secret in ["authorization", "cookie", "referer"] {
        assert!(!head.contains(secret), "{head}");
    }
    // By its address too, whose certificate it has.
    let url = server.url("127.0.0.1", "/");
    assert!(get(&outbound, &url, Stranger).await.is_ok());
}

#[tokio::test]
async fn an_address_inside_is_not_connected_to_in_any_spelling() {
    let inside = Inside::at("127.0.0.1:0");
    let outbound = outbound(&Names::default(), &[]);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "0.0.0.0",
    ] {
        let url = format!("https://{host}:{}/", inside.port());
        let refused = refusal(&outbound, &url, Stranger).await;
        assert!(
            matches!(refused, Refusal::Literal { .. }),
            "{host}: {refused}"
        );
        // Each time, also after a refusal.
        refusal(&outbound, &url, Stranger).await;
    }
    inside.heard_nothing();
}

#[tokio::test]
async fn a_name_of_which_one_address_is_inside_is_refused_whole() {
    let inside = Inside::at("127.0.0.1:0");
    for addresses in [
        &["127.0.0.1"][..],
        &["93.184.216.34", "127.0.0.1"],
        &["127.0.0.1", "93.184.216.34"],
        &["93.184.216.34", "::ffff:127.0.0.1"],
        &["2606:4700::1111", "::1"],
        &["93.184.216.34", "10.0.0.1"],
        &["93.184.216.34", "169.254.169.254"],
        &["93.184.216.34", "100.64.0.1"],
        &["93.184.216.34", "fe80::1"],
        &["93.184.216.34", "fd00::1"],
        &["93.184.216.34", "2002:7f00:1::"],
        &["93.184.216.34", "2001:0:7f00:1::"],
        &["93.184.216.34", "64:ff9b::7f00:1"],
    ] {
        let names = Names::default().leads("evil.example", &[addresses]);
        let url = format!("https://evil.example:{}/", inside.port());
        let refused = refusal(&outbound(&names, &[]), &url, Stranger).await;
        let Refusal::Leads { name, .. } = &refused else {
            panic!("{addresses:?}: {refused}");
        };
        assert_eq!(name, "evil.example");
        assert_eq!(names.asked("evil.example"), 1);
    }
    inside.heard_nothing();
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_each_request_and_goes_where_that_answer_says() {
    let server = Https::at([127, 0, 0, 2].into(), |_| async {
        json("200 OK", "", "{}")
    })
    .await;
    let inside = Inside::at(&format!("127.0.0.1:{}", server.address.port()));
    let names = Names::default().leads("client.example", &[&["127.0.0.2"], &["127.0.0.1"]]);
    // Only the first answer is in an open network.
    let outbound = outbound(&names, &["127.0.0.2"]);
    let url = server.url("client.example", "/");
    assert_eq!(get(&outbound, &url, Stranger).await.unwrap().status, 200);
    assert_eq!(names.asked("client.example"), 1);
    // Rebound: the second request has its own lookup, and refuses.
    let refused = refusal(&outbound, &url, Stranger).await;
    assert!(matches!(refused, Refusal::Leads { .. }), "{refused}");
    assert_eq!(names.asked("client.example"), 2);
    assert_eq!(server.requests().len(), 1);
    inside.heard_nothing();
}

#[tokio::test]
async fn of_the_many_addresses_of_a_strangers_name_the_first_few_are_tried() {
    let server = Https::start(|_| async { json("200 OK", "", "{}") }).await;
    let url = server.url("client.example", "/");
    // Nobody listens at the others.
    let dead: Vec<String> = (10..30).map(|n| format!("127.0.0.{n}")).collect();
    for (before, named_by, reached) in [
        (7, Stranger, true),
        (8, Stranger, false),
        (8, Operator, true),
    ] {
        let mut addresses: Vec<&str> = dead.iter().take(before).map(String::as_str).collect();
        addresses.push("127.0.0.1");
        let names = Names::default().leads("client.example", &[&addresses]);
        let got = get(&outbound(&names, &[LOOPBACK]), &url, named_by).await;
        assert_eq!(got.is_ok(), reached, "{before} {named_by:?}: {got:?}");
    }
    // One behind the first few is judged all the same.
    let mut addresses: Vec<&str> = dead.iter().map(String::as_str).collect();
    addresses.push("10.0.0.1");
    let names = Names::default().leads("client.example", &[&addresses]);
    let refused = refusal(&outbound(&names, &[LOOPBACK]), &url, Stranger).await;
    assert!(matches!(refused, Refusal::Leads { .. }), "{refused}");
}

#[tokio::test]
async fn no_connection_of_a_stranger_is_kept_and_none_of_the_operator_is_used() {
    // It would serve a second request on the same connection.
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let server = Https::start(move |_| async move { answer.to_owned() }).await;
    let names = Names::default().leads("client.example", &[&["127.0.0.1"]]);
    let open = outbound(&names, &[LOOPBACK]);
    let url = server.url("client.example", "/");
    for asked in 1..=3 {
        get(&open, &url, Stranger).await.unwrap();
        assert_eq!(names.asked("client.example"), asked);
    }
    // The operator's has been there; the stranger's door is closed all the same.
    let closed = outbound(&names, &[]);
    get(&closed, &url, Operator).await.unwrap();
    let refused = refusal(&closed, &url, Stranger).await;
    assert!(matches!(refused, Refusal::Leads { .. }), "{refused}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let inside = Inside::at("127.0.0.1:0");
    let to = format!("https://127.0.0.1:{}/", inside.port());
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = format!("location: {to}\r\n");
        let server = Https::start(move |_| {
            let answer = json(status, &location, "{}");
            async move { answer }
        })
        .await;
        let names = Names::default().leads("client.example", &[&["127.0.0.1"]]);
        let outbound = outbound(&names, &[LOOPBACK]);
        for named_by in [Stranger, Operator] {
            let url = server.url("client.example", "/");
            let reply = get(&outbound, &url, named_by).await.unwrap();
            assert!(reply.status.is_redirection());
        }
    }
    inside.heard_nothing();
}

#[tokio::test]
async fn the_operator_may_be_inside_and_no_name_leads_to_a_metadata_service() {
    let server = Https::start(|_| async { json("200 OK", "", "{}") }).await;
    let names = Names::default()
        .leads("idp.internal", &[&["127.0.0.1"]])
        .leads("lying.example", &[&["93.184.216.34", "169.254.169.254"]])
        .leads("six.example", &[&["fd00:ec2::254"]]);
    let everything = ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"];
    for open in [&[][..], &everything] {
        let outbound = outbound(&names, open);
        let url = server.url("idp.internal", "/");
        assert_eq!(get(&outbound, &url, Operator).await.unwrap().status, 200);
        for named_by in [Stranger, Operator] {
            for url in ["https://lying.example/", "https://six.example/"] {
                let refused = refusal(&outbound, url, named_by).await;
                assert!(refused.to_string().contains("metadata"), "{refused}");
            }
            let url = "https://169.254.169.254/";
            refusal(&outbound, url, named_by).await;
        }
    }
}

#[tokio::test]
async fn size_time_and_trust_are_bounded() {
    let names = Names::default()
        .leads("client.example", &[&["127.0.0.1"]])
        .leads("other.example", &[&["127.0.0.1"]]);
    let large = Https::start(|_| async { json("200 OK", "", &"x".repeat(1001)) }).await;
    let open = outbound(&names, &[LOOPBACK]);
    let error = get(&open, &large.url("client.example", "/"), Stranger).await;
    assert!(matches!(error, Err(OutboundError::TooLarge(1000))));
    // The certificate is for another name.
    let error = get(&open, &large.url("other.example", "/"), Stranger).await;
    assert!(
        matches!(error, Err(OutboundError::Transport(_))),
        "{error:?}"
    );
    // Nobody signed it whom we know.
    let unknown = WayOut {
        customize: None,
        ..way_out(&names, &[LOOPBACK])
    };
    let error = get(
        &Outbound::new(&unknown).unwrap(),
        &large.url("client.example", "/"),
        Stranger,
    )
    .await;
    assert!(
        matches!(error, Err(OutboundError::Transport(_))),
        "{error:?}"
    );
    // A name that is not known is trouble, and no refusal.
    let error = get(&open, "https://unknown.example/", Stranger).await;
    assert!(
        matches!(error, Err(OutboundError::Transport(_))),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_looked_up_for_ever_holds_nobody_for_ever() {
    /// How many lookups have begun.
    #[derive(Clone, Default)]
    struct Never(Arc<AtomicUsize>);
    impl Lookup for Never {
        fn lookup(&self, _: &str) -> Found {
            let begun = Arc::clone(&self.0);
            Box::pin(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            })
        }
    }
    let never = Never::default();
    let way = WayOut {
        lookup: Arc::new(never.clone()),
        ..WayOut::default()
    };
    let outbound = Outbound::new(&way).unwrap();
    // More than there are lookups at once: the places stay taken, and the next ones wait their time.
    for _ in 0..MAX_STRANGERS_LOOKUPS + 2 {
        let error = get(&outbound, "https://client.example/", Stranger).await;
        assert!(matches!(error, Err(OutboundError::Timeout)), "{error:?}");
    }
    assert_eq!(never.0.load(Ordering::Relaxed), MAX_STRANGERS_LOOKUPS);
    // The operator's are not among them, and not counted.
    for asked in 1..=MAX_STRANGERS_LOOKUPS + 2 {
        let error = get(&outbound, "https://client.example/", Operator).await;
        assert!(matches!(error, Err(OutboundError::Timeout)), "{error:?}");
        assert_eq!(
            never.0.load(Ordering::Relaxed),
            MAX_STRANGERS_LOOKUPS + asked
        );
    }
}

/// A proxy that says no to every tunnel, and what it was asked.
fn proxy() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    (format!("http://proxy.internal:{}", address.port()), asked)
}

#[tokio::test]
async fn with_a_proxy_the_proxy_looks_names_up_and_addresses_inside_stay_refused() {
    let inside = Inside::at("127.0.0.1:0");
    let (url, asked) = proxy();
    let names = Names::default().leads("proxy.internal", &[&["127.0.0.1"]]);
    let way = WayOut {
        proxy: Some(Proxy::all(&url).unwrap()),
        open: Networks::parse(["10.0.0.0/8"]).unwrap(),
        ..way_out(&names, &[])
    };
    let outbound = Outbound::new(&way).unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "a.internal",
        "[::1]",
        "169.254.169.254",
    ] {
        refusal(
            &outbound,
            &format!("https://{host}:{}/", inside.port()),
            Stranger,
        )
        .await;
    }
    let error = get(&outbound, "https://client.example/", Stranger).await;
    assert!(
        matches!(error, Err(OutboundError::Transport(_))),
        "{error:?}"
    );
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("CONNECT client.example:443 HTTP/1.1"),
        "{asked}"
    );
    assert_eq!(names.asked("client.example"), 0);
    inside.heard_nothing();
}

/// The environment is that of the whole process: these tests run in one of their own.
#[test]
fn a_proxy_of_the_environment_is_for_the_operators_urls_alone() {
    let (url, asked) = proxy();
    let url = url.replace("proxy.internal", "127.0.0.1");
    let test = "outbound::tests::guard::in_an_environment_with_a_proxy";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored"])
        .env("HTTPS_PROXY", url)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("CONNECT idp.example:443 HTTP/1.1"),
        "{asked}"
    );
}

#[tokio::test]
#[ignore = "another test runs it, with a proxy in the environment"]
async fn in_an_environment_with_a_proxy() {
    let server = Https::start(|_| async { json("200 OK", "", "{}") }).await;
    let names = Names::default().leads("client.example", &[&["127.0.0.1"]]);
    let outbound = outbound(&names, &[LOOPBACK]);
    let url = server.url("client.example", "/");
    assert_eq!(get(&outbound, &url, Stranger).await.unwrap().status, 200);
    let error = get(&outbound, "https://idp.example/", Operator).await;
    assert!(
        matches!(error, Err(OutboundError::Transport(_))),
        "{error:?}"
    );
}

//! The example `metrics`, over real sockets: people log in, tokens are checked, the provider and the tokens fail,
//! and the page that Prometheus reads says so.
//!
//! With `PROMETHEUS` set to its program, a real one reads that page: every query of the dashboard has to have an
//! answer there, and every alert rule is loaded.
//!
//! ```sh
//! PROMETHEUS=/usr/bin/prometheus cargo test --all-features --test metrics
//! ```

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

#[allow(dead_code, reason = "its main")]
#[path = "../../examples/metrics.rs"]
mod example;
mod page;
mod prometheus;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use testkit::{
    Answer, Browser, Client, FakeClock, Kind, Pkce, Provider, Reply, Tokens, Wire,
    client::{CALLBACK, native_metadata},
};

/// What the examples share looks for itself here.
use self::example::support;
use self::{
    page::Page,
    support::{env::Env, serve::never},
};

/// The example, running, and the provider behind it.
struct World {
    provider: Arc<Provider>,
    clock: FakeClock,
    wire: Wire,
    numbers: Wire,
    numbers_at: String,
}

impl World {
    /// The recorder is the process's: one test starts one world.
    async fn start() -> Self {
        let clock = FakeClock::default();
        // That of the example, which is the machine's.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        clock.set_unix(now.as_secs());
        let provider = Arc::new(Provider::start(clock.clone()).await);
        let settings = provider.settings();
        let [here, numbers_at] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        let base = format!("http://{here}");
        let variables = [
            ("LISTEN", here),
            ("METRICS_LISTEN", numbers_at.clone()),
            ("BASE_URL", base.clone()),
            ("UPSTREAM_AUTHORIZE_URL", provider.url("/authorize")),
            ("UPSTREAM_TOKEN_URL", provider.url("/token")),
            ("UPSTREAM_USERINFO_URL", provider.url("/userinfo")),
            ("UPSTREAM_CLIENT_ID", settings.client_id),
            ("UPSTREAM_CLIENT_SECRET", settings.client_secret),
            ("SCOPES", "openid read write".to_owned()),
            ("SESSION_CACHE_TTL", "300".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let env = Env::new(variables, never());
        tokio::spawn(async move {
            if let Err(refusal) = example::start(env).await {
                panic!("{refusal}");
            }
        });
        let world = Self {
            provider,
            clock,
            wire: Wire::to(&base),
            numbers: Wire::to(&format!("http://{numbers_at}")),
            numbers_at,
        };
        for port in [&base, &format!("http://{}", world.numbers_at)] {
            listening(port).await;
        }
        world
    }

    async fn client(&self) -> Client {
        Client::register(&self.wire, "", &native_metadata(CALLBACK)).await
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.clock)
            .knowing(self.wire.clone())
            .knowing(self.provider.wire())
    }

    /// A login up to the callback that the client receives.
    async fn login(&self, client: &Client, pkce: &Pkce) -> String {
        let mut browser = self.browser();
        let url = client.authorize(pkce, "client-state").url();
        browser.open(&url).await.page().reply.expect(200);
        browser.press("approve").await.left()
    }

    async fn page(&self) -> Page {
        let reply = self.numbers.get("/metrics", &[]).await.expect(200);
        let kind = reply.header("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
        Page::read(&reply.text())
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

async fn listening(origin: &str) {
    for _ in 0..600 {
        let host = origin.strip_prefix("http://").unwrap();
        if tokio::net::TcpStream::connect(host).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing listens at {origin}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_is_what_prometheus_reads() {
    let world = World::start().await;
    let client = world.client().await;
    let checks = |source: &str, verdict: &str| {
        format!("oauth_proxy_bearer_checks_total{{source=\"{source}\",verdict=\"{verdict}\"}}")
    };

    // A client begins without a token.
    let reply: Reply = world.wire.get("/mcp", &[]).await;
    reply.expect(401);
    // A person logs in, and the token is seen for the first time, and twice again.
    let pkce = Pkce::new();
    let callback = world.login(&client, &pkce).await;
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    for _ in 0..3 {
        client.call("/mcp", &tokens.access).await.expect(200);
    }
    // Garbage, and a token of ours that was changed.
    client.call("/mcp", "garbage").await.expect(401);
    let expired = format!("{}A", tokens.access);
    client.call("/mcp", &expired).await.expect(401);
    let page = world.page().await;
    let expected = [
        (checks("none", "absent"), 1.0),
        (checks("login", "first_sight"), 1.0),
        (checks("login", "cached"), 2.0),
        (checks("none", "refused"), 2.0),
        (logins("done"), 1.0),
        (steps("register", "done", "none"), 1.0),
        (steps("callback", "done", "none"), 1.0),
        (steps("redeem", "done", "none"), 1.0),
        (steps("bearer", "refused", "no_credentials"), 1.0),
        ("oauth_proxy_sessions_cached".to_owned(), 1.0),
        ("oauth_proxy_logins_at_work".to_owned(), 0.0),
        ("oauth_proxy_tasks".to_owned(), 0.0),
    ];
    for (series, value) in expected {
        assert_eq!(page.value(&series), Some(value), "{series} in {page}");
    }
    assert_eq!(page.value(&steps("callback", "refused", "busy")), None);
    for (series, at_least) in [
        (endpoint("callback", "3xx"), 1.0),
        (endpoint("token", "2xx"), 1.0),
        (outbound("ok"), 1.0),
        (store("get", "ok"), 2.0),
    ] {
        let found = page.value(&series).unwrap_or_default();
        assert!(found >= at_least, "{series} {found} in {page}");
    }
    // Not one word of the person or of the client.
    let said = page.to_string();
    for secret in [&*client.id, &*tokens.access, CALLBACK] {
        assert!(!said.contains(secret), "{said}");
    }

    // The provider breaks: the login fails, and both sides of it are seen.
    world.provider.next(Kind::Token, Answer::Status(500));
    let callback = world.login(&client, &Pkce::new()).await;
    assert!(callback.contains("error="), "{callback}");
    let page = world.page().await;
    assert_eq!(
        page.value(&logins("provider_unavailable")),
        Some(1.0),
        "{page}"
    );
    assert_eq!(page.value(&outbound("failed")), Some(1.0), "{page}");

    prometheus::answers_the_dashboard(&world.numbers_at, || async {
        client.call("/mcp", &tokens.access).await.expect(200);
    })
    .await;
}

fn logins(outcome: &str) -> String {
    format!(
        "oauth_proxy_logins_total{{provider=\"oauth\",client=\"registered\",outcome=\"{outcome}\"}}"
    )
}

fn steps(step: &str, outcome: &str, reason: &str) -> String {
    format!("oauth_proxy_steps_total{{step=\"{step}\",outcome=\"{outcome}\",reason=\"{reason}\"}}")
}

fn endpoint(endpoint: &str, status: &str) -> String {
    format!("oauth_proxy_endpoint_seconds_count{{endpoint=\"{endpoint}\",status=\"{status}\"}}")
}

fn outbound(outcome: &str) -> String {
    format!(
        "oauth_proxy_outbound_seconds_count{{kind=\"provider\",provider=\"oauth\",outcome=\"{outcome}\"}}"
    )
}

fn store(verb: &str, outcome: &str) -> String {
    format!("oauth_proxy_store_seconds_count{{verb=\"{verb}\",outcome=\"{outcome}\"}}")
}

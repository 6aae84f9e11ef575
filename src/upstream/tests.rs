//! The client against a provider that does exactly what each test wants, byte for byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    error::UpstreamError,
    provider::{Provider, TokenEndpointAuth, generic, github},
};

const GOOD: &str = r#"{"access_token":"at","token_type":"Bearer","expires_in":60}"#;
/// Long enough for a loaded machine, short enough to wait for in a test.
const TIMEOUT: Duration = Duration::from_millis(400);
const PATIENT: Duration = Duration::from_secs(20);

/// What the provider does with a connection once the request is in.
#[derive(Clone)]
enum Script {
    Send(Vec<u8>),
    Hang,
    /// Headers, then one byte of the body every few milliseconds.
    Drip,
    /// Headers without a length, then a body without an end.
    Endless,
    /// Closes without a word.
    Close,
}

fn response(status: &str, content_type: &str, body: &str) -> Script {
    Script::Send(
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

fn json(status: &str, body: &str) -> Script {
    response(status, "application/json", body)
}

struct FakeProvider {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeProvider {
    async fn start(script: Script) -> Self {
        Self::with(move |_| script.clone()).await
    }

    /// `answer` is given the request's first line.
    async fn with(answer: impl Fn(&str) -> Script + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &seen, &*answer).await;
                });
            }
        });
        Self { address, requests }
    }

    fn provider(&self) -> Provider {
        generic(
            "https://idp.example/authorize",
            &format!("http://{}/token", self.address),
            "app:1",
            "hunter2:+%/ ~",
        )
        .revocation_url(format!("http://{}/revoke", self.address))
    }

    fn client(&self) -> UpstreamClient {
        client(self.provider(), PATIENT)
    }

    fn request(&self) -> String {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    fn form(&self) -> Vec<(String, String)> {
        let request = self.request();
        let body = request.split_once("\r\n\r\n").unwrap().1;
        url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Script + Send + Sync),
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let complete = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        (body.len() >= length.unwrap_or(0)).then_some(text)
    };
    let request = loop {
        if let Some(text) = complete(&request) {
            break text;
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let script = answer(request.lines().next().unwrap_or_default());
    seen.lock().unwrap().push(request);
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    match script {
        Script::Send(bytes) => stream.write_all(&bytes).await?,
        Script::Hang => tokio::time::sleep(PATIENT).await,
        Script::Close => {}
        Script::Drip => {
            stream.write_all(head).await?;
            stream.write_all(b"content-length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Script::Endless => {
            stream.write_all(head).await?;
            stream.write_all(b"\r\n").await?;
            loop {
                stream.write_all(&[b' '; 8192]).await?;
            }
        }
    }
    Ok(())
}

fn client(provider: Provider, timeout: Duration) -> UpstreamClient {
    let direct: Customize = Box::new(reqwest::ClientBuilder::no_proxy);
    let http = http_client(Some(direct), timeout).unwrap();
    UpstreamClient::new(Arc::new(provider), http, timeout)
}

async fn exchange(client: &UpstreamClient) -> Result<TokenAnswer, UpstreamError> {
    client
        .exchange_code(
            "hunter-code",
            Some("hunter-verifier"),
            "https://p.example/cb",
            None,
            &[],
        )
        .await
}

/// What a refusal says, after a look that it says nothing secret.
async fn refusal(script: Script, timeout: Duration) -> UpstreamError {
    let idp = FakeProvider::start(script).await;
    let error = exchange(&client(idp.provider(), timeout))
        .await
        .unwrap_err();
    // Client secret, code and verifier all contain it.
    assert!(
        !format!("{error:?} {error}").contains("hunter"),
        "{error:?}"
    );
    error
}

#[tokio::test]
async fn a_code_is_exchanged_with_everything_the_protocol_asks_for() {
    let idp = FakeProvider::start(json("200 OK", GOOD)).await;
    let extra = [
        ("audience".to_owned(), "api".to_owned()),
        ("code".to_owned(), "evil".to_owned()),
    ];
    let answer = idp
        .client()
        .exchange_code(
            "c d",
            Some("v"),
            "https://p.example/cb?x=1",
            Some("https://r.example"),
            &extra,
        )
        .await
        .unwrap();
    assert_eq!(answer.access_token.expose_secret(), "at");
    assert_eq!(
        idp.form(),
        [
            ("grant_type", "authorization_code"),
            ("code", "c d"),
            ("redirect_uri", "https://p.example/cb?x=1"),
            ("code_verifier", "v"),
            ("resource", "https://r.example"),
            ("audience", "api"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let head = idp.request().to_ascii_lowercase();
    assert!(head.starts_with("post /token http/1.1"), "{head}");
    assert!(head.contains("\r\naccept: application/json"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    assert!(
        head.contains("\r\nuser-agent: tower-oauth-proxy/"),
        "{head}"
    );
}

#[tokio::test]
async fn odd_credentials_arrive_whole_by_header_and_by_body() {
    let idp = FakeProvider::start(json("200 OK", GOOD)).await;
    exchange(&idp.client()).await.unwrap();
    let request = idp.request();
    let header = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    let encoded = header.unwrap().split_once("Basic ").unwrap().1;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).unwrap()).unwrap();
    assert_eq!(pair, "app%3A1:hunter2%3A%2B%25%2F+%7E");
    assert!(
        !idp.form()
            .iter()
            .any(|(name, _)| name.starts_with("client_"))
    );

    let post = idp
        .provider()
        .token_endpoint_auth_method(TokenEndpointAuth::Post);
    exchange(&client(post, PATIENT)).await.unwrap();
    assert!(
        !idp.request()
            .to_ascii_lowercase()
            .contains("authorization:")
    );
    assert!(
        idp.form()
            .contains(&("client_id".to_owned(), "app:1".to_owned()))
    );
    assert!(
        idp.form()
            .contains(&("client_secret".to_owned(), "hunter2:+%/ ~".to_owned()))
    );
}

#[tokio::test]
async fn a_refresh_names_scopes_only_to_a_provider_that_wants_them() {
    let idp = FakeProvider::start(json("200 OK", GOOD)).await;
    let provider = idp
        .provider()
        .refresh_param("audience", "api")
        .token_param("only", "code");
    client(provider.clone(), PATIENT)
        .refresh("rt", Some("openid"), &[])
        .await
        .unwrap();
    assert_eq!(
        idp.form(),
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", "rt"),
            ("audience", "api")
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let entra = provider.sends_scope_on_refresh(true);
    client(entra, PATIENT)
        .refresh("rt", Some("openid"), &[])
        .await
        .unwrap();
    assert!(
        idp.form()
            .contains(&("scope".to_owned(), "openid".to_owned()))
    );
}

#[tokio::test]
async fn a_form_answer_is_read() {
    let idp = FakeProvider::start(response(
        "200 OK",
        "application/x-www-form-urlencoded",
        "access_token=gho_1&token_type=bearer&scope=",
    ))
    .await;
    let answer = exchange(&idp.client()).await.unwrap();
    assert_eq!(answer.access_token.expose_secret(), "gho_1");
}

#[tokio::test]
async fn refusals_are_told_from_failures() {
    let rejected = |error: UpstreamError| matches!(error, UpstreamError::Rejected { code, .. } if code == "invalid_grant");
    let failed = |error: UpstreamError| matches!(error, UpstreamError::Failed { .. });
    let dead = r#"{"error":"invalid_grant","error_description":"dead"}"#;
    assert!(rejected(refusal(json("200 OK", dead), PATIENT).await));
    assert!(rejected(
        refusal(json("400 Bad Request", dead), PATIENT).await
    ));
    assert!(failed(
        refusal(json("500 Internal Server Error", dead), PATIENT).await
    ));
    assert!(failed(
        refusal(json("429 Too Many Requests", dead), PATIENT).await
    ));
    let page = response("403 Forbidden", "text/html", "<h1>Forbidden</h1>");
    assert!(failed(refusal(page, PATIENT).await));
}

#[tokio::test]
async fn an_answer_that_is_no_token_answer_is_malformed() {
    for body in ["{\"access_token\":", "{}", "null", "<html>", ""] {
        let error = refusal(json("200 OK", body), PATIENT).await;
        assert!(
            matches!(error, UpstreamError::Malformed(_)),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_hangs_or_drips_is_given_up_in_time() {
    for script in [Script::Hang, Script::Drip] {
        let started = Instant::now();
        let error = refusal(script, TIMEOUT).await;
        assert_eq!(error, UpstreamError::Timeout);
        assert!(started.elapsed() < TIMEOUT * 10);
    }
}

#[tokio::test]
async fn a_refused_or_broken_connection_is_a_transport_error() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{closed}/token?key=hunter3");
    let provider = generic("https://idp.example/authorize", &url, "app", "hunter2");
    let error = exchange(&client(provider, PATIENT)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Transport(_)), "{error:?}");
    assert!(
        !format!("{error:?} {error}").contains("hunter"),
        "{error:?}"
    );

    let error = refusal(Script::Close, PATIENT).await;
    assert!(matches!(error, UpstreamError::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn an_oversized_body_is_given_up_announced_or_not() {
    let announced = Script::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1048577\r\n\r\n{"
            .to_vec(),
    );
    for script in [announced, Script::Endless] {
        let error = refusal(script, PATIENT).await;
        assert!(
            matches!(&error, UpstreamError::Malformed(why) if why.contains("larger")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_even_if_the_operator_wants_it() {
    let thief = FakeProvider::start(json("200 OK", GOOD)).await;
    for status in [
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let idp = FakeProvider::start(Script::Send(
            format!(
                "HTTP/1.1 {status}\r\nlocation: http://{}/token\r\ncontent-length: 0\r\n\r\n",
                thief.address
            )
            .into_bytes(),
        ))
        .await;
        let follow: Customize = Box::new(|builder| {
            builder
                .no_proxy()
                .redirect(reqwest::redirect::Policy::limited(5))
        });
        let http = http_client(Some(follow), PATIENT).unwrap();
        let client = UpstreamClient::new(Arc::new(idp.provider()), http, PATIENT);
        let error = exchange(&client).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Failed { .. }), "{error:?}");
    }
    assert!(thief.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn revocation_by_form_is_told_from_its_refusal() {
    let idp = FakeProvider::start(json("200 OK", "")).await;
    assert_eq!(idp.client().revoke("rt", "refresh_token").await, Ok(true));
    assert_eq!(
        idp.form(),
        [("token", "rt"), ("token_type_hint", "refresh_token")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    // Google, about a token that is dead already.
    let idp = FakeProvider::start(json("400 Bad Request", r#"{"error":"invalid_token"}"#)).await;
    assert_eq!(idp.client().revoke("rt", "refresh_token").await, Ok(true));
    let body = r#"{"error":"unsupported_token_type"}"#;
    let idp = FakeProvider::start(json("400 Bad Request", body)).await;
    let error = idp
        .client()
        .revoke("rt", "refresh_token")
        .await
        .unwrap_err();
    assert!(
        matches!(error, UpstreamError::Rejected { code, .. } if code == "unsupported_token_type")
    );
    let idp = FakeProvider::start(json("503 Service Unavailable", "")).await;
    assert!(
        idp.client()
            .revoke("rt", "refresh_token")
            .await
            .unwrap_err()
            .is_transient()
    );

    let none = generic("https://idp.example/a", "https://idp.example/t", "app", "s");
    assert_eq!(
        client(none, PATIENT).revoke("rt", "refresh_token").await,
        Ok(false)
    );
}

#[tokio::test]
async fn githubs_tokens_are_revoked_and_its_people_found_through_its_api() {
    let idp = FakeProvider::with(
        |line| match line.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["DELETE", "/api/v3/applications/app/token"] => {
                Script::Send(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec())
            }
            ["GET", "/api/v3/user"] => json("200 OK", r#"{"id":7,"login":"octocat"}"#),
            ["GET", "/api/v3/user/emails"] => json(
                "200 OK",
                r#"[{"email":"o@x.example","primary":true,"verified":true}]"#,
            ),
            ["POST", "/login/oauth/access_token"] => json("200 OK", GOOD),
            _ => json("404 Not Found", "{}"),
        },
    )
    .await;
    let provider = github("app", "hunter2").authority(&format!("http://{}", idp.address));
    let client = client(provider, PATIENT);

    let answer = exchange(&client).await.unwrap();
    let person = client.identity(&answer, Some("nonce"), 0).await.unwrap();
    assert_eq!(person.subject.as_deref(), Some("7"));
    assert_eq!(person.verified_email(), Some("o@x.example"));
    assert!(
        idp.request()
            .to_ascii_lowercase()
            .contains("\r\nauthorization: bearer at\r\n")
    );

    assert_eq!(client.revoke("at", "access_token").await, Ok(true));
    assert!(idp.request().ends_with(r#"{"access_token":"at"}"#));
    assert_eq!(client.revoke("rt", "refresh_token").await, Ok(false));
}

#[tokio::test]
async fn userinfo_is_asked_when_there_is_no_id_token_and_its_failure_is_an_error() {
    let idp = FakeProvider::start(json("200 OK", r#"{"sub":"u1","email":"a@b.example"}"#)).await;
    let userinfo = |idp: &FakeProvider| {
        let url = format!("http://{}/userinfo", idp.address);
        client(idp.provider().userinfo_url(url), PATIENT)
    };
    let mut answer = plain_answer();
    let person = userinfo(&idp).identity(&answer, None, 0).await.unwrap();
    assert_eq!(person.subject.as_deref(), Some("u1"));
    assert!(idp.request().starts_with("GET /userinfo HTTP/1.1"));

    // With an ID token it stays unasked, and the ID token's rules hold.
    answer.id_token = Some("no.jwt".into());
    let asked = idp.requests.lock().unwrap().len();
    assert!(userinfo(&idp).identity(&answer, None, 0).await.is_err());
    assert_eq!(idp.requests.lock().unwrap().len(), asked);

    answer.id_token = None;
    for script in [
        json("401 Unauthorized", "{}"),
        json("200 OK", "[]"),
        json("200 OK", "{}"),
    ] {
        let idp = FakeProvider::start(script).await;
        assert!(userinfo(&idp).identity(&answer, None, 0).await.is_err());
    }
}

fn plain_answer() -> TokenAnswer {
    TokenAnswer {
        access_token: "at".into(),
        token_type: "Bearer".to_owned(),
        expires_in: None,
        refresh_token: None,
        scope: None,
        id_token: None,
    }
}

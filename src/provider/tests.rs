//! The client, against a provider that does exactly what each test wants.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::{
    fake::{FakeProvider, PATIENT, Script, client, client_by, outbound},
    *,
};
use crate::outbound::Customize;
use crate::provider::{TokenEndpointAuth, generic};

const GOOD: &str = r#"{"access_token":"at","token_type":"Bearer","expires_in":60}"#;
/// Long enough for a loaded machine, short enough to wait for in a test.
const TIMEOUT: Duration = Duration::from_millis(400);

async fn exchange(client: &ProviderClient) -> Result<TokenAnswer, UpstreamError> {
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
    let error = exchange(&client(idp.about(), timeout)).await.unwrap_err();
    // Client secret, code and verifier all contain it.
    assert!(
        !format!("{error:?} {error}").contains("hunter"),
        "{error:?}"
    );
    error
}

#[tokio::test]
async fn a_code_is_exchanged_with_everything_the_protocol_asks_for() {
    let idp = FakeProvider::start(Script::json("200 OK", GOOD)).await;
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
    let idp = FakeProvider::start(Script::json("200 OK", GOOD)).await;
    exchange(&idp.client()).await.unwrap();
    let request = idp.request();
    let header = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    let encoded = header.unwrap().split_once("Basic ").unwrap().1;
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).unwrap()).unwrap();
    assert_eq!(pair, "app%3A1:hunter2%3A%2B%25%2F%20%7E");
    assert!(
        !idp.form()
            .iter()
            .any(|(name, _)| name.starts_with("client_"))
    );

    let post = idp
        .about()
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
    let idp = FakeProvider::start(Script::json("200 OK", GOOD)).await;
    let provider = idp
        .about()
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
    let idp = FakeProvider::start(Script::response(
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
    assert!(rejected(
        refusal(Script::json("200 OK", dead), PATIENT).await
    ));
    assert!(rejected(
        refusal(Script::json("400 Bad Request", dead), PATIENT).await
    ));
    assert!(failed(
        refusal(Script::json("500 Internal Server Error", dead), PATIENT).await
    ));
    assert!(failed(
        refusal(Script::json("429 Too Many Requests", dead), PATIENT).await
    ));
    let page = Script::response("403 Forbidden", "text/html", "<h1>Forbidden</h1>");
    assert!(failed(refusal(page, PATIENT).await));
}

#[tokio::test]
async fn an_answer_that_is_no_token_answer_is_malformed() {
    for body in ["{\"access_token\":", "{}", "null", "<html>", ""] {
        let error = refusal(Script::json("200 OK", body), PATIENT).await;
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
    let thief = FakeProvider::start(Script::json("200 OK", GOOD)).await;
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
        let client = client_by(idp.about(), &outbound(follow, PATIENT), PATIENT);
        let error = exchange(&client).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Failed { .. }), "{error:?}");
    }
    assert!(thief.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn revocation_by_form_is_told_from_its_refusal() {
    let idp = FakeProvider::start(Script::json("200 OK", "")).await;
    assert_eq!(idp.client().revoke("rt", "refresh_token").await, Ok(true));
    assert_eq!(
        idp.form(),
        [("token", "rt"), ("token_type_hint", "refresh_token")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    // Google, about a token that is dead already.
    let idp = FakeProvider::start(Script::json(
        "400 Bad Request",
        r#"{"error":"invalid_token"}"#,
    ))
    .await;
    assert_eq!(idp.client().revoke("rt", "refresh_token").await, Ok(true));
    let body = r#"{"error":"unsupported_token_type"}"#;
    let idp = FakeProvider::start(Script::json("400 Bad Request", body)).await;
    let error = idp
        .client()
        .revoke("rt", "refresh_token")
        .await
        .unwrap_err();
    assert!(
        matches!(error, UpstreamError::Rejected { code, .. } if code == "unsupported_token_type")
    );
    let idp = FakeProvider::start(Script::json("503 Service Unavailable", "")).await;
    let error = idp.client().revoke("rt", "refresh_token").await;
    assert_eq!(error.unwrap_err().finality(), Finality::Trouble);

    let none = generic("https://idp.example/a", "https://idp.example/t", "app", "s");
    assert_eq!(
        client(none, PATIENT).revoke("rt", "refresh_token").await,
        Ok(false)
    );
}

/// An answer with headers of its own.
fn headed(status: &str, headers: &str, body: &[u8]) -> Script {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    Script::Send([head.as_bytes(), body].concat())
}

/// RFC 9110 section 12.5.3: who sends no `Accept-Encoding` accepts any content coding.
#[tokio::test]
async fn no_content_coding_is_accepted_and_one_that_comes_is_named() {
    let idp = FakeProvider::start(Script::json("200 OK", GOOD)).await;
    exchange(&idp.client()).await.unwrap();
    let request = idp.request().to_ascii_lowercase();
    assert!(
        request.contains("\r\naccept-encoding: identity\r\n"),
        "{request}"
    );
    let packed = headed("200 OK", "content-encoding: gzip\r\n", b"\x1f\x8b\x08");
    let error = refusal(packed, PATIENT).await;
    assert!(
        matches!(&error, UpstreamError::Malformed(why) if why.contains("content coding gzip")),
        "{error:?}"
    );
    let packed = headed("400 Bad Request", "content-encoding: br\r\n", b"\x1f");
    let error = refusal(packed, PATIENT).await;
    assert!(
        matches!(&error, UpstreamError::Failed { status: 400, said: Some(why) } if why.contains("coding br")),
        "{error:?}"
    );
    for plain in ["identity", "IDENTITY", ""] {
        let header = format!("content-encoding: {plain}\r\n");
        let idp = FakeProvider::start(headed("200 OK", &header, GOOD.as_bytes())).await;
        exchange(&idp.client()).await.unwrap();
    }
}

#[tokio::test]
async fn an_api_is_heard_by_its_headers_too() {
    let body: &[u8] = b"{\"message\":\"no\"}";
    for (status, headers, expected) in [
        ("403 Forbidden", "", "not permitted"),
        (
            "403 Forbidden",
            "x-ratelimit-remaining: 12\r\n",
            "not permitted",
        ),
        ("403 Forbidden", "x-ratelimit-remaining: 0\r\n", "failed"),
        ("403 Forbidden", "retry-after: 60\r\n", "failed"),
        (
            "403 Forbidden",
            "www-authenticate: Bearer realm=\"x\"\r\n",
            "not permitted",
        ),
        (
            "403 Forbidden",
            "www-authenticate: Basic\r\nwww-authenticate: Bearer error=\"invalid_token\"\r\n",
            "token refused",
        ),
        ("401 Unauthorized", "", "token refused"),
        (
            "401 Unauthorized",
            "www-authenticate: OAuth realm=\"basic\"\r\n",
            "token refused",
        ),
        (
            "401 Unauthorized",
            "www-authenticate: Negotiate\r\nwww-authenticate: Basic realm=\"proxy\"\r\n",
            "not permitted",
        ),
        ("503 Service Unavailable", "", "failed"),
    ] {
        let idp = FakeProvider::start(headed(status, headers, body)).await;
        let url = format!("http://{}/userinfo", idp.address);
        let error = idp
            .client()
            .get_json(&url, "hunter2-hunter2")
            .await
            .unwrap_err();
        let told = match error {
            UpstreamError::TokenRefused { .. } => "token refused",
            UpstreamError::NotPermitted { .. } => "not permitted",
            UpstreamError::Failed { .. } => "failed",
            other => panic!("{other}"),
        };
        assert_eq!(told, expected, "{status} {headers}");
    }
}

#[tokio::test]
async fn a_document_is_json_in_utf_8_with_or_without_a_mark() {
    for (what, body, is_read) in [
        ("a mark", &b"\xef\xbb\xbf{\"sub\":\"u\"}"[..], true),
        ("a list", b"[1]", true),
        // Two people whose names differ in this byte would be one.
        ("Latin-1", b"{\"sub\":\"Ren\xe9\"}", false),
        ("a signed document", b"e30.e30.c2ln", false),
        ("a page", b"<html>", false),
        ("nothing", b"", false),
    ] {
        let idp =
            FakeProvider::start(headed("200 OK", "content-type: application/jwt\r\n", body)).await;
        let url = format!("http://{}/userinfo", idp.address);
        match idp.client().get_json(&url, "at").await {
            Ok(_) => assert!(is_read, "{what}"),
            Err(UpstreamError::Malformed(why)) => {
                assert!(!is_read, "{what}");
                assert!(why.contains("application/jwt"), "{why}");
            }
            Err(other) => panic!("{what}: {other}"),
        }
    }
}

/// Spring says "Invalid refresh token: " and the token.
#[tokio::test]
async fn what_a_provider_echoes_of_our_secrets_is_in_no_error() {
    for (echo, status) in [
        ("hunter-code", "400 Bad Request"),
        ("hunter-verifier", "200 OK"),
        ("hunter2:+%/ ~", "401 Unauthorized"),
    ] {
        let body = serde_json::json!({
            "error": "invalid_grant",
            "error_description": format!("no: {echo}"),
        });
        let error = refusal(Script::json(status, &body.to_string()), PATIENT).await;
        assert!(
            error.to_string().contains("invalid_grant: no: [redacted]"),
            "{error}"
        );
    }
    let body = r#"{"message":"no such token: hunter2-hunter2"}"#;
    let idp = FakeProvider::start(Script::json("401 Unauthorized", body)).await;
    let url = format!("http://{}/userinfo", idp.address);
    let error = idp
        .client()
        .get_json(&url, "hunter2-hunter2")
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("hunter"), "{error}");
    let error = idp
        .client()
        .revoke("hunter2-hunter2", "access_token")
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("hunter"), "{error}");
}

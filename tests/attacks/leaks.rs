//! What is secret stays inside: not in any answer, any event, any log line at any level, any
//! `Debug` output; and the store holds none of it in the clear.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, Identity, MemoryStorage, OAuthProxyConfigBuilder, OAuthProxyLayer, SecretKey,
    StaticClient, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyRequest,
    provider::{azure, generic, github, google},
};

use crate::support::{at, before_callback, code};
use testkit::{
    Answer, AuthorizeAnswer, Kind, Pkce, Proxy, Reply, Store, Tokens, Wire,
    client::native_metadata,
    html,
    provider::MARK,
    proxy::{BASE, SECRET, builder_from, upstream},
    store::Health,
    wire::query_param,
};

/// Everything that one proxy says, to anybody.
struct Witness {
    proxy: Proxy,
    store: Store,
    replies: Arc<Mutex<Vec<Reply>>>,
    log: Arc<Mutex<Vec<u8>>>,
    _subscriber: tracing::subscriber::DefaultGuard,
}

impl Witness {
    /// On a current-thread runtime: the log is this thread's.
    async fn of(change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || Shared(kept.clone()))
            .finish();
        let subscriber = tracing::subscriber::set_default(subscriber);
        let (mut proxy, store) = Proxy::with_store(change).await;
        let replies = Arc::new(Mutex::new(Vec::new()));
        proxy.wire = recorded(&proxy.wire, &replies);
        Self {
            proxy,
            store,
            replies,
            log,
            _subscriber: subscriber,
        }
    }

    /// What only clients and browsers may hold: our codes, tokens, secrets, cookies, form tokens,
    /// and the `state` towards the provider.
    fn held_by_clients(&self) -> Vec<String> {
        let mut held = Vec::new();
        for reply in self.replies.lock().unwrap().iter() {
            if let Some(url) = reply.headers.get(header::LOCATION) {
                let url = url.to_str().unwrap();
                held.extend(query_param(url, "code"));
                if url.starts_with(&self.proxy.provider.origin) {
                    held.extend(query_param(url, "state"));
                    held.extend(query_param(url, "nonce"));
                }
            }
            for cookie in reply.headers.get_all(header::SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                held.push(pair.split_once('=').unwrap().1.to_owned());
            }
            if let Ok(Value::Object(answer)) = serde_json::from_slice(&reply.body) {
                let names = ["access_token", "refresh_token", "client_secret"];
                let values = names.iter().filter_map(|name| answer.get(*name)?.as_str());
                held.extend(values.map(str::to_owned));
            }
            if reply.text().contains("<form") {
                let hidden = html::forms(&reply.text()).remove(0).hidden;
                held.extend(
                    hidden
                        .into_iter()
                        .filter(|(k, _)| k != "login")
                        .map(|(_, v)| v),
                );
            }
        }
        held.retain(|secret| !secret.is_empty());
        held
    }

    /// The verdict. `printed` is more `Debug` output.
    fn nothing_leaked(&self, printed: &[String]) {
        // The marks were there to be found.
        let at_provider = format!("{:?}", self.proxy.provider.requests());
        assert!(at_provider.contains(MARK));

        let replies = self.replies.lock().unwrap();
        assert!(replies.len() > 3);
        for reply in replies.iter() {
            assert_clean("an answer", &reply.everything());
        }
        drop(replies);

        let log = String::from_utf8(self.log.lock().unwrap().clone()).unwrap();
        let events = format!("{:?}", self.proxy.events());
        assert!(
            log.contains("TRACE") && log.contains("tower_oauth_proxy"),
            "{log}"
        );
        let held = self.held_by_clients();
        assert!(held.len() > 5, "{held:?}");
        for (what, text) in [("the log", &log), ("the events", &events)] {
            assert_clean(what, text);
            for secret in &held {
                assert!(secret.len() >= 16, "too short to look for: {secret}");
                assert!(!text.contains(secret), "{what} holds {secret}:\n{text}");
            }
        }
        for text in printed {
            assert_clean("Debug", text);
        }
        for seen in self.store.seen() {
            assert_clean("a record's key", &seen.key);
            assert_clean("a record", &String::from_utf8_lossy(&seen.value));
            for secret in &held {
                assert!(!seen.key.contains(secret), "{}", seen.key);
                let value = &seen.value;
                let found = value.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!found, "a record holds {secret}");
            }
        }
    }
}

/// Neither a secret of the provider nor the operator's, in any of the usual encodings.
#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in [MARK.as_bytes(), &SECRET[..]] {
        for form in encodings(secret) {
            assert!(!text.contains(&form), "{what} holds {form}:\n{text}");
        }
    }
}

/// As it is, percent-encoded, in hex, and in base64 at each of the three alignments.
fn encodings(secret: &[u8]) -> Vec<String> {
    let mut forms = vec![
        String::from_utf8(secret.to_vec()).unwrap(),
        url::form_urlencoded::byte_serialize(secret).collect(),
        secret.iter().map(|byte| format!("{byte:02x}")).collect(),
        secret.iter().map(|byte| format!("{byte:02X}")).collect(),
        format!("{secret:?}"),
    ];
    for shift in 0..3 {
        let padded = [&vec![b' '; shift][..], secret].concat();
        // Without the characters that depend on the neighbours.
        let inner = |text: String| text[(shift * 8).div_ceil(6)..text.len() - 2].to_owned();
        forms.push(inner(BASE64_STANDARD_NO_PAD.encode(&padded)));
        forms.push(inner(BASE64_URL_SAFE_NO_PAD.encode(&padded)));
    }
    forms
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same server, and a copy of all that it says.
fn recorded(wire: &Wire, replies: &Arc<Mutex<Vec<Reply>>>) -> Wire {
    let (inner, replies) = (wire.clone(), replies.clone());
    let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let (inner, replies) = (inner.clone(), replies.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let reply = inner.send(Request::from_parts(parts, body)).await;
            replies.lock().unwrap().push(reply.clone());
            let mut response = Response::new(Full::new(reply.body));
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers;
            Ok::<_, Infallible>(response)
        }
    });
    Wire::new(wire.origin.clone(), service)
}

#[test]
fn the_search_finds_what_is_hidden() {
    let hidden = "before the UPSTREAM-ACCESS-1 and after";
    for (text, found) in [
        (hidden.to_owned(), true),
        (BASE64_URL_SAFE_NO_PAD.encode(hidden), true),
        (BASE64_STANDARD_NO_PAD.encode(&hidden[1..]), true),
        (BASE64_STANDARD_NO_PAD.encode(&hidden[2..]), true),
        (format!("{:?}", hidden.as_bytes()[11..20].to_vec()), true),
        ("DOWNSTREAM-ACCESS-1".to_owned(), false),
    ] {
        let forms = encodings(MARK.as_bytes());
        assert_eq!(
            forms.iter().any(|form| text.contains(form)),
            found,
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_whole_journey_tells_nobody_a_secret() {
    let witness = Witness::of(|builder| {
        builder
            .access_token_ttl(Duration::from_secs(86_400))
            .allowed_redirect_uri_patterns(["https://app.example/callback"])
    })
    .await;
    let proxy = &witness.proxy;
    proxy
        .provider
        .configure(|provider| provider.jwt_access = true);
    let mut confidential = native_metadata("https://app.example/callback");
    confidential["token_endpoint_auth_method"] = "client_secret_basic".into();
    let mut posting = confidential.clone();
    posting["token_endpoint_auth_method"] = "client_secret_post".into();
    for metadata in [
        native_metadata("http://127.0.0.1:9000/callback"),
        confidential,
        posting,
    ] {
        let client = proxy.register(&metadata).await;
        let tokens = proxy.journey(&client).await;
        proxy.session(&client, &tokens.access).await;
        proxy.clock.advance_secs(3600);
        proxy.session(&client, &tokens.access).await;
        let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
        Tokens::read(&client.refresh(tokens.refresh()).await);
        client.revoke(&renewed.access).await.expect(200);
        client.call("/mcp", &renewed.access).await.expect(401);
        client.refresh(renewed.refresh()).await.expect(400);
    }
    witness.nothing_leaked(&[]);
}

#[tokio::test]
async fn refusals_tell_nobody_a_secret() {
    let witness = Witness::of(|builder| builder).await;
    let proxy = &witness.proxy;
    let client = proxy.client().await;
    let stranger = proxy
        .register(&native_metadata("http://127.0.0.1:9000/other"))
        .await;
    let tokens = proxy.journey(&client).await;
    // Tokens in the wrong places, the wrong hands, a second time, one character off.
    for token in [
        tokens.refresh(),
        "UPSTREAM-ACCESS-2",
        &tokens.access[..tokens.access.len() - 1],
        &format!("{}A", tokens.access),
    ] {
        client.call("/mcp", token).await.expect(401);
        client.refresh(token).await;
        client.revoke(token).await;
    }
    let tokens = proxy.journey(&client).await;
    stranger.refresh(tokens.refresh()).await.expect(400);
    stranger.revoke(tokens.refresh()).await.expect(200);
    client.call("/other", &tokens.access).await.expect(401);
    let wide = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("scope", "admin"),
    ];
    client.token(&wide).await.expect(400);
    let (code, pkce) = code(proxy, &client).await;
    stranger.redeem_code(&code, &pkce).await.expect(400);
    client.redeem_code(&code, &Pkce::new()).await.expect(400);
    client.redeem_code(&code[1..], &pkce).await.expect(400);
    client.redeem_code(&code, &pkce).await.expect(200);
    client.redeem_code(&code, &pkce).await.expect(400);
    for value in ["Basic UPSTREAM-", "Bearer", "Basic Og=="] {
        let fields = [("grant_type", "authorization_code"), ("code", &*code)];
        let headers = [("authorization", value)];
        proxy.wire.form("/oauth/token", &fields, &headers).await;
    }
    // Reuse of an old refresh token.
    let one = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.clock.advance_secs(61);
    client.refresh(tokens.refresh()).await.expect(400);
    client.refresh(one.refresh()).await.expect(400);
    // Logins that go wrong in the browser.
    let (mut browser, callback, _) = before_callback(proxy, &client).await;
    proxy.browser().open(&callback).await.page();
    browser.open(&callback).await.left();
    browser.open(&callback).await.page();
    let mut browser = proxy.browser();
    let url = client.authorize(&Pkce::new(), "client-state").url();
    browser.open(&url).await.page();
    let form = browser.form();
    let forged: Vec<_> = form.hidden.iter().map(|(k, v)| (&**k, &**v)).collect();
    let action = format!("{BASE}/oauth/consent");
    browser
        .forged_post("https://evil.example", &action, &forged)
        .await;
    browser.open(&url).await.page();
    browser.press("deny").await.left();
    witness.nothing_leaked(&[]);
}

/// The provider's answers hold its secrets where no one would expect them: in error descriptions,
/// in error pages, in redirects.
fn talkative() -> Vec<Answer> {
    let raw = |status, kind, body: &str| Answer::Raw(status, kind, body.to_owned());
    let json = "application/json";
    let refused = |code: &str| {
        let words = "the token UPSTREAM-REFRESH-0123456789abcdef of the key \
                     UPSTREAM-SECRET-0123456789abcdef0123456789 is not good";
        json!({ "error": code, "error_description": words, "error_uri": words }).to_string()
    };
    vec![
        raw(400, json, &refused("invalid_grant")),
        raw(401, json, &refused("invalid_client")),
        raw(200, json, &refused("server_error")),
        raw(200, json, &refused("bad_refresh_token")),
        raw(500, json, &refused("server_error")),
        raw(500, "text/html", "<pre>stack trace: UPSTREAM-SECRET</pre>"),
        raw(200, "text/plain", "UPSTREAM-ACCESS-1"),
        raw(200, json, "{\"access_token\": \"UPSTREAM-ACCESS-1\""),
        raw(200, json, "{\"access_token\": {\"UPSTREAM-ACCESS-1\": 1}}"),
        raw(
            200,
            json,
            "{\"access_token\":\"UPSTREAM-ACCESS-1\\n\",\"token_type\":\"Bearer\"}",
        ),
        raw(
            200,
            json,
            "{\"access_token\":\"UPSTREAM-ACCESS-1\",\"expires_in\":\"UPSTREAM-\"}",
        ),
        raw(
            200,
            json,
            "{\"access_token\":\"UPSTREAM-ACCESS-1\",\"token_type\":\"UPSTREAM-\"}",
        ),
        Answer::Redirect("https://evil.example/?token=UPSTREAM-ACCESS-1".into()),
        Answer::With(json!({ "id_token": "UPSTREAM-.UPSTREAM-.UPSTREAM-" })),
        Answer::Without(&["access_token"]),
        Answer::Padded(3 << 20),
        Answer::Lost,
        Answer::Hang,
    ]
}

#[tokio::test]
async fn a_provider_in_trouble_tells_nobody_its_secrets() {
    let witness = Witness::of(|builder| {
        builder
            .access_token_ttl(Duration::from_secs(86_400))
            .upstream_request_timeout(Duration::from_millis(300))
    })
    .await;
    let proxy = &witness.proxy;
    let client = proxy.client().await;
    for answer in talkative() {
        let say = |answer: &Answer| {
            proxy.provider.always(Kind::Token, answer.clone());
        };
        let url = client.authorize(&Pkce::new(), "client-state").url();
        say(&answer);
        proxy.approve(&mut proxy.browser(), &url).await.left();

        for by_refresh in [false, true] {
            say(&Answer::Normal);
            let tokens = proxy.journey(&client).await;
            proxy.clock.advance_secs(3600);
            say(&answer);
            match by_refresh {
                true => client.refresh(tokens.refresh()).await,
                false => client.call("/mcp", &tokens.access).await,
            };
        }
        say(&Answer::Normal);

        let tokens = proxy.journey(&client).await;
        proxy.provider.next(Kind::Revoke, answer.clone());
        client.revoke(tokens.refresh()).await.expect(200);

        proxy
            .provider
            .configure(|provider| provider.issue_id_token = false);
        proxy.provider.next(Kind::UserInfo, answer);
        proxy.approve(&mut proxy.browser(), &url).await.left();
        proxy
            .provider
            .configure(|provider| provider.issue_id_token = true);
        proxy.provider.always(Kind::Token, Answer::Normal);
    }
    proxy
        .provider
        .next_authorize(AuthorizeAnswer::Deny("access_denied"));
    let url = client.authorize(&Pkce::new(), "client-state").url();
    proxy.approve(&mut proxy.browser(), &url).await.left();
    witness.nothing_leaked(&[]);
}

#[tokio::test]
async fn a_store_in_trouble_tells_nobody_what_it_holds() {
    let witness = Witness::of(|builder| builder.session_cache_ttl(Duration::ZERO)).await;
    let proxy = &witness.proxy;
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    for verbs in 0..4 {
        let (code, pkce) = code(proxy, &client).await;
        let (mut browser, callback, _) = before_callback(proxy, &client).await;
        witness.store.be(Health::UpFor(verbs));
        browser.open(&callback).await;
        witness.store.be(Health::UpFor(verbs));
        client.redeem_code(&code, &pkce).await;
        witness.store.be(Health::UpFor(verbs));
        client.refresh(tokens.refresh()).await;
        witness.store.be(Health::Down);
        client.call("/mcp", &tokens.access).await.expect(503);
        client.revoke(tokens.refresh()).await.expect(503);
        witness.store.be(Health::Up);
    }
    witness.nothing_leaked(&[]);

    // Without encryption the store holds the secrets, and the event about a record that cannot be
    // read quotes none of it.
    let proxy = proxy.sibling(|builder| {
        builder
            .token_storage(witness.store.clone())
            .session_cache_ttl(Duration::ZERO)
            .insecure_without_storage_encryption()
    });
    witness.store.forget();
    let client = at(&client, &proxy);
    let tokens = proxy.journey(&client).await;
    let records = witness.store.seen();
    let grant = records.iter().rfind(|seen| seen.verb == "compare_and_swap");
    let (key, value) = (&grant.unwrap().key, &grant.unwrap().value);
    let mut bytes = value.windows(MARK.len());
    let is_clear = bytes.any(|bytes| bytes == MARK.as_bytes());
    assert!(is_clear, "in the clear, as configured");
    use tower_oauth_proxy::storage::TokenStorage as _;
    // Cut anywhere, or with something put in: what the parser stumbles over is a token, a claim, a name.
    let cut = (9..value.len())
        .step_by(17)
        .map(|end| value[..end].to_vec());
    for corrupt in cut.chain([
        b"UPSTREAM-".to_vec(),
        [&value[..1], b"UPSTREAM-"].concat(),
        [&value[..1], b"UPSTREAM-", &value[1..]].concat(),
        [&value[..], b"UPSTREAM-"].concat(),
        value[..value.len() - 1].to_owned(),
    ]) {
        let day = Duration::from_secs(86_400);
        witness.store.set(key, corrupt, day).await.unwrap();
        let reply = client.call("/mcp", &tokens.access).await;
        assert_clean("an answer", &reply.everything());
        let reply = client.refresh(tokens.refresh()).await;
        assert_clean("an answer", &reply.everything());
    }
    assert_clean("the events", &format!("{:?}", proxy.events()));
}

/// Accepts what the provider accepts.
struct AtProvider(Arc<testkit::Provider>);

impl TokenVerifier for AtProvider {
    fn verify<'a>(&'a self, request: VerifyRequest<'a>) -> VerifyFuture<'a> {
        Box::pin(async move {
            match self.0.accepts(request.token()) {
                true => Ok(VerifiedToken::new("person-1")),
                false => Err(VerifyError::Invalid("unknown".to_owned())),
            }
        })
    }
}

/// In passthrough mode the client holds the provider's access token. All else stays inside.
#[tokio::test]
async fn in_passthrough_mode_only_the_access_token_goes_out() {
    let first = Proxy::start().await;
    let verifier = AtProvider(first.provider.clone());
    let mut proxy = first.sibling(|builder| builder.passthrough(verifier));
    let replies = Arc::default();
    proxy.wire = recorded(&proxy.wire, &replies);
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    assert!(tokens.access.contains(MARK));
    proxy.session(&client, &tokens.access).await;
    let renewed = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.revoke(renewed.refresh()).await.expect(200);
    let events = format!("{:?}", proxy.events());
    assert_clean("the events", &events);
    for reply in replies.lock().unwrap().iter() {
        let text = reply.everything();
        let text = text
            .replace(&tokens.access, "")
            .replace(&renewed.access, "");
        assert_clean("an answer", &text);
    }
    for token in [tokens.refresh(), renewed.refresh()] {
        assert!(!events.contains(token));
        let raw = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        assert_clean("the sealed refresh token", &String::from_utf8_lossy(&raw));
    }
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let identity = Arc::new(Mutex::new(None::<Identity>));
    let session = Arc::new(Mutex::new(None::<AuthSession>));
    let met = identity.clone();
    let proxy = Proxy::with(move |builder| {
        builder.on_login(move |request| {
            *met.lock().unwrap() = Some(request.person);
            async { Ok(()) }
        })
    })
    .await;
    let claims = json!({ "sub": "person-1", "email": "ada@example.com", "key": "UPSTREAM-CLAIM" });
    let Value::Object(claims) = claims else {
        unreachable!()
    };
    proxy.provider.configure(|provider| {
        provider.person = claims;
        provider.jwt_access = true;
    });
    let client = proxy.client().await;
    let tokens = proxy.journey(&client).await;
    let seen = session.clone();
    let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
        *seen.lock().unwrap() = AuthSession::from_extensions(request.extensions()).cloned();
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    });
    let bearer = format!("Bearer {}", tokens.access);
    let request = Request::get("/mcp").header("authorization", bearer);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let future = tower::ServiceExt::oneshot(proxy.layer.layer(inner), request);
    future.await.unwrap();
    let session = session.lock().unwrap().clone().expect("a session");
    assert!(session.upstream().access_token().contains(MARK));
    assert!(session.upstream().id_token().unwrap().contains(MARK));

    let secret = || SecretKey::from_bytes(SECRET).unwrap();
    let confidential =
        StaticClient::confidential("static", "UPSTREAM-STATIC-SECRET-0123456789abcd")
            .redirect_uri("https://app.example/callback")
            .unwrap();
    let builder = || {
        builder_from(upstream(&proxy.provider), BASE)
            .static_client(confidential.clone())
            .previous_secret_keys([secret()])
            .jwt_signing_key(secret())
            .encryption_key(secret())
            .extra_token_params([("assertion", "UPSTREAM-ASSERTION")])
            .token_storage(MemoryStorage::new())
    };
    let config = builder().build().unwrap();
    let config_printed = format!("{config:?} {config:#?}");
    let layer = OAuthProxyLayer::new(config);
    let service = layer.layer("inner");
    let passphrase = SecretKey::from_passphrase("UPSTREAM-PASSPHRASE", "UPSTREAM-SALT");
    let mut printed = vec![
        format!("{:?} {:#?}", builder(), builder()),
        config_printed,
        format!("{layer:?} {layer:#?} {service:?} {:?}", layer.admin()),
        format!("{session:?} {session:#?} {:?}", session.upstream()),
        format!("{:?}", identity.lock().unwrap().clone().expect("a person")),
        format!("{:?} {confidential:#?}", confidential),
        format!("{passphrase:?} {:?}", secret()),
        format!("{:?}", SecretKey::from_bytes("UPSTREAM-")),
        format!("{:?}", SecretKey::from_passphrase("UPSTREAM-", "salt")),
    ];
    let key = "UPSTREAM-CLIENT-SECRET";
    for provider in [
        google("id", key),
        github("id", key),
        azure("common", "id", key),
        generic("https://p.example/a", "https://p.example/t", "id", key),
        // Built and refused: the words of the refusal.
        generic("not a URL", "https://p.example/t", "id", key),
        generic(
            "https://p.example/a",
            "https://p.example/t",
            "id",
            format!("{key}\n"),
        ),
    ] {
        printed.push(format!("{provider:?} {provider:#?}"));
        let built = builder_from(provider, BASE).build();
        printed.push(format!("{:?}", built.map(|_| ())));
    }
    for text in &printed {
        assert!(!text.is_empty());
        assert_clean("Debug", text);
    }
}

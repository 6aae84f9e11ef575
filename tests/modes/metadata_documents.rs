//! Clients that are known by the URL of a document about themselves
//! (draft-ietf-oauth-client-id-metadata-document, MCP authorization 2026-07-28).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use testkit::{
    Auth, Client, Kind, Pkce, Proxy, Reply, Store, Tokens,
    https::{Https, ROOT, json as answer},
    provider::SigningKey,
    proxy::BASE,
};
use tokio::sync::watch;
use tower_oauth_proxy::{
    Consent, Event, MetadataDocuments, OAuthProxyConfigBuilder, Reason, Step, Veto,
};

const LOOPBACK: &str = "http://127.0.0.1:9000/callback";

/// Where clients have their documents. It says what it is told to, once it is let.
struct Host {
    server: Https,
    says: Arc<Mutex<String>>,
    answers: watch::Sender<bool>,
}

impl Host {
    async fn start() -> Self {
        let says = Arc::new(Mutex::new(String::new()));
        let (answers, may) = watch::channel(true);
        let said = Arc::clone(&says);
        let server = Https::start(move |_| {
            let (said, mut may) = (Arc::clone(&said), may.clone());
            async move {
                let _ = may.wait_for(|may| *may).await;
                let said = said.lock().unwrap();
                said.clone()
            }
        });
        let host = Self {
            server: server.await,
            says,
            answers,
        };
        host.publish(&json!({}));
        host
    }

    fn url(&self, path: &str) -> String {
        self.server.url("127.0.0.1", path)
    }

    fn id(&self) -> String {
        self.url("/app.json")
    }

    fn name(&self) -> String {
        format!("127.0.0.1:{}", self.server.address.port())
    }

    /// The document, with some members changed.
    fn document(&self, changes: &Value) -> Value {
        let mut document = json!({
            "client_id": self.id(),
            "client_name": "Kit of the web",
            "redirect_uris": [LOOPBACK, self.url("/cb"), "https://elsewhere.example/cb"],
            "token_endpoint_auth_method": "none",
        });
        let members = document.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        document
    }

    fn publish(&self, changes: &Value) {
        let document = self.document(changes).to_string();
        self.say(&answer(
            "200 OK",
            "cache-control: max-age=60\r\n",
            &document,
        ));
    }

    fn say(&self, response: &str) {
        response.clone_into(&mut self.says.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }

    /// A public client with the document here.
    fn client(&self, proxy: &Proxy) -> Client {
        self.client_at(proxy, LOOPBACK)
    }

    fn client_at(&self, proxy: &Proxy, redirect_uri: &str) -> Client {
        Client {
            wire: proxy.wire.clone(),
            base_path: proxy.base_path().to_owned(),
            id: self.id(),
            secret: None,
            auth: Auth::None,
            redirect_uri: redirect_uri.to_owned(),
        }
    }
}

/// Documents on loopback can be fetched.
fn inside(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    builder
        .outbound_private_networks(["127.0.0.0/8"])
        .outbound_root_certificates([ROOT])
}

async fn start() -> (Proxy, Host) {
    start_with(|builder| builder).await
}

async fn start_with(
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> (Proxy, Host) {
    let host = Host::start().await;
    (Proxy::with(|builder| change(inside(builder))).await, host)
}

/// What a browser that comes by itself is answered at authorize.
async fn authorize(proxy: &Proxy, client: &Client) -> Reply {
    let url = client.authorize(&Pkce::new(), "state").url();
    proxy.browser().open_once(&url).await
}

fn last_refusal(proxy: &Proxy) -> Event {
    let events = proxy.events();
    let last = events.into_iter().rfind(|event| event.reason.is_some());
    last.expect("a refusal")
}

/// The login was refused with a page, and the operator heard why.
#[track_caller]
fn page_refused(proxy: &Proxy, reply: &Reply, status: u16, reason: Reason) -> String {
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(reply.header("location").is_none(), "{reply:?}");
    let last = last_refusal(proxy);
    assert_eq!(
        (last.step, last.reason),
        (Step::Authorize, Some(reason)),
        "{last:?}"
    );
    last.detail.unwrap_or_default()
}

#[tokio::test]
async fn a_client_with_a_document_makes_the_whole_journey_and_is_asked_for_once() {
    let (proxy, store) = Proxy::with_store(inside).await;
    let host = Host::start().await;
    let client = host.client(&proxy);
    store.forget();
    let mut browser = proxy.browser();
    let pkce = Pkce::new();
    let page = browser
        .open(&client.authorize(&pkce, "client-state").url())
        .await;
    let html = page.page().reply.text();
    assert!(html.contains("<bdi>Kit of the web</bdi>"), "{html}");
    let (_, described) = html.split_once("<dt>Described by</dt>").unwrap();
    let checked = format!("</svg><bdi>{}</bdi></dd></div>", host.name());
    assert!(described.contains(&checked), "{html}");
    assert_eq!(store.writes(), 0, "a login in progress takes no room");
    let callback = browser.press("approve").await.left();
    let tokens = Tokens::read(&client.redeem(&callback, &pkce).await);
    let session = proxy.session(&client, &tokens.access).await;
    assert_eq!(session["client_id"], client.id);
    let next = Tokens::read(&client.refresh(tokens.refresh()).await);
    let listed = proxy
        .layer
        .admin()
        .grants_of_client(&client.id)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    client.revoke(&next.access).await.expect(200);
    client.call("/mcp", &next.access).await.expect(401);
    assert_eq!(host.asked(), 1);
    // It authenticates as what it is and in no other way.
    let posed = Client {
        auth: Auth::Post,
        secret: Some("a secret of its own".into()),
        ..client
    };
    posed
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
}

#[tokio::test]
async fn it_is_advertised_beside_none_and_each_way_in_can_be_switched_off() {
    let metadata = "/.well-known/oauth-authorization-server";
    let host = Host::start().await;
    let (proxy, store) = Proxy::with_store(inside).await;
    let said = proxy.wire.get(metadata, &[]).await.expect(200).json();
    assert_eq!(said["client_id_metadata_document_supported"], true);
    let methods = said["token_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    assert!(methods.contains(&json!("none")));
    assert!(said["registration_endpoint"].is_string());
    let registered = proxy.client().await;
    let held = proxy.journey(&registered).await;

    let off = proxy.sibling(|builder| {
        inside(builder)
            .metadata_documents(MetadataDocuments::off())
            .token_storage(store.clone())
    });
    let said = off.wire.get(metadata, &[]).await.expect(200).json();
    assert_eq!(said.get("client_id_metadata_document_supported"), None);
    let client = host.client(&off);
    let reply = authorize(&off, &client).await;
    let why = page_refused(&off, &reply, 400, Reason::UnknownClient);
    assert!(why.contains("metadata_documents are off"), "{why}");
    client.refresh("x").await.refused(401, "invalid_client");
    client
        .redeem_code("x", &Pkce::new())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(host.asked(), 0);

    let closed = proxy.sibling(|builder| {
        inside(builder)
            .dynamic_registration(false)
            .token_storage(store.clone())
    });
    let said = closed.wire.get(metadata, &[]).await.expect(200).json();
    assert_eq!(said.get("registration_endpoint"), None);
    assert_eq!(said["client_id_metadata_document_supported"], true);
    // As any path that is the inner service's.
    let reply = closed.wire.json("/oauth/register", &json!({}), &[]).await;
    assert_eq!(reply.status, 401);
    assert!(reply.header("www-authenticate").is_some());
    // No more logins of one that registered; what it holds goes on.
    let there = |client: &Client| Client {
        wire: closed.wire.clone(),
        ..client.clone()
    };
    let reply = authorize(&closed, &there(&registered)).await;
    let why = page_refused(&closed, &reply, 400, Reason::UnknownClient);
    assert!(why.contains("dynamic_registration"), "{why}");
    Tokens::read(&there(&registered).refresh(held.refresh()).await);
    closed.journey(&host.client(&closed)).await;
}

#[tokio::test]
async fn a_documents_own_origin_vouches_loopback_is_as_always_and_the_policy_says_the_rest() {
    let (proxy, host) = start().await;
    let own = host.url("/cb");
    for (redirect_uri, goes_on) in [
        (LOOPBACK, true),
        // The port of loopback is the system's.
        ("http://127.0.0.1:51234/callback", true),
        (&*own, true),
        // In the document, and permitted by nobody.
        ("https://elsewhere.example/cb", false),
        // Its own, and not in the document.
        (&*host.url("/other"), false),
        (&*format!("{own}?x=1"), false),
        ("http://127.0.0.1:9000/other", false),
    ] {
        let reply = authorize(&proxy, &host.client_at(&proxy, redirect_uri)).await;
        match goes_on {
            true => assert!(
                reply.location().contains("/oauth/consent"),
                "{redirect_uri}"
            ),
            false => drop(page_refused(&proxy, &reply, 400, Reason::RedirectUri)),
        }
    }
    let open = proxy.sibling(|builder| {
        inside(builder).allowed_redirect_uri_patterns(["https://elsewhere.example/cb"])
    });
    open.journey(&host.client_at(&open, "https://elsewhere.example/cb"))
        .await;
    let mut browser = open.browser();
    let client = host.client_at(&open, "https://elsewhere.example/cb");
    let page = browser
        .open(&client.authorize(&Pkce::new(), "s").url())
        .await
        .page();
    assert!(page.reply.text().contains("goes to another one"));
}

#[tokio::test]
async fn where_no_page_names_the_host_its_origin_vouches_only_for_hosts_that_the_operator_named() {
    let host = Host::start().await;
    let own = host.url("/cb");
    for consent in [Consent::External, Consent::Disabled] {
        for (documents, goes_on) in [
            (MetadataDocuments::on(), false),
            (MetadataDocuments::except_hosts(["evil.example"]), false),
            (MetadataDocuments::only_hosts(["127.0.0.1"]), true),
        ] {
            let proxy = Proxy::with(|builder| {
                inside(builder)
                    .consent(consent)
                    .metadata_documents(documents)
            })
            .await;
            let reply = authorize(&proxy, &host.client_at(&proxy, &own)).await;
            match goes_on {
                true => assert!(
                    reply
                        .location()
                        .starts_with(&proxy.provider.url("/authorize"))
                ),
                false => drop(page_refused(&proxy, &reply, 400, Reason::RedirectUri)),
            }
            let loopback = authorize(&proxy, &host.client(&proxy)).await;
            assert_eq!(loopback.status, 302);
        }
    }
}

#[tokio::test]
async fn hosts_that_the_operator_does_not_let_in_are_not_asked() {
    for documents in [
        MetadataDocuments::only_hosts(["claude.ai", "*.example.com"]),
        MetadataDocuments::except_hosts(["127.0.0.1"]),
    ] {
        let (proxy, host) = start_with(|builder| builder.metadata_documents(documents)).await;
        let client = host.client(&proxy);
        let reply = authorize(&proxy, &client).await;
        let why = page_refused(&proxy, &reply, 400, Reason::DeniedClient);
        assert!(
            why.contains("metadata_documents") && why.contains(&host.name()),
            "{why}"
        );
        client.refresh("x").await.refused(401, "invalid_client");
        assert_eq!(host.asked(), 0);
    }
}

#[tokio::test]
async fn a_denied_client_is_not_asked_for_its_document() {
    let (proxy, host) = start().await;
    let client = host.client(&proxy);
    let tokens = proxy.journey(&client).await;
    let (code, pkce) = proxy.code(&client).await;
    proxy.clock.advance(Duration::from_secs(70));
    let asked = host.asked();
    proxy.layer.admin().deny_client(&client.id).await.unwrap();
    let reply = authorize(&proxy, &client).await;
    page_refused(&proxy, &reply, 400, Reason::DeniedClient);
    client
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    client
        .redeem_code(&code, &pkce)
        .await
        .refused(401, "invalid_client");
    assert_eq!(host.asked(), asked);
}

#[tokio::test]
async fn a_document_that_cannot_be_fetched_is_a_page_to_try_again_from_and_503_at_the_token_endpoint()
 {
    let (proxy, host) = start().await;
    let client = host.client(&proxy);
    let tokens = proxy.journey(&client).await;
    let fresh = Host::start().await;
    let down = answer("503 Service Unavailable", "", "{}");
    for host in [&host, &fresh] {
        host.say(&down);
    }
    let newcomer = fresh.client(&proxy);
    let url = newcomer
        .authorize(&Pkce::new(), "state")
        .and("x", "\"><b>")
        .url();
    let mut browser = proxy.browser();
    let page = browser.open(&url).await.page();
    let html = page.reply.text();
    assert!(page.reply.header("retry-after").is_some());
    let why = page_refused(&proxy, &page.reply, 503, Reason::ClientDocument);
    assert!(why.contains("127.0.0.1") && why.contains("503"), "{why}");
    let id = last_refusal(&proxy).login.expect("a name");
    assert!(html.contains(&id), "{html}");
    assert!(!html.contains("\"><b>"), "{html}");
    // The link leads to where the browser is, and repeats nothing of it.
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
    assert!(html.contains(" href=\"\">Try again</a>"), "{html}");
    // A login that another site began gets no link: what follows one of ours is the person's own step.
    let page = proxy
        .browser()
        .click_on("https://evil.example", &url)
        .await
        .page();
    assert_eq!(page.reply.status, 503);
    assert!(!page.reply.text().contains("<a "), "{page:?}");
    // Nothing of a refresh is lost.
    newcomer
        .refresh(tokens.refresh())
        .await
        .refused(503, "temporarily_unavailable");
    proxy.told(Step::Refresh, Reason::ClientDocument);
    // What was fetched before stands in.
    proxy.clock.advance(Duration::from_secs(70));
    let next = Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(authorize(&proxy, &client).await.status, 302);
    // And so it goes on.
    for host in [&host, &fresh] {
        host.publish(&json!({}));
    }
    proxy.clock.advance(Duration::from_secs(6));
    proxy.journey(&newcomer).await;
    Tokens::read(&client.refresh(next.refresh()).await);
}

#[tokio::test]
async fn what_is_no_document_is_a_page_that_says_so_and_no_client_at_the_token_endpoint() {
    let (proxy, host) = start().await;
    let client = host.client(&proxy);
    let tokens = proxy.journey(&client).await;
    let document = |changes: Value| answer("200 OK", "", &host.document(&changes).to_string());
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let elsewhere = format!("location: {}\r\n", host.url("/moved.json"));
    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(20_000));
    for (says, why) in [
        (
            document(json!({"client_id": host.url("/other.json")})),
            "client_id",
        ),
        (document(json!({"redirect_uris": null})), "redirect_uris"),
        (document(json!({"client_name": null})), "client_name"),
        (document(json!({"client_secret": "s"})), "client_secret"),
        (
            document(json!({"token_endpoint_auth_method": "client_secret_post"})),
            "secret",
        ),
        (answer("200 OK", "", "[]"), "JSON object"),
        (answer("200 OK", "", &large), "larger"),
        (answer("404 Not Found", "", "{}"), "404"),
        (
            answer("302 Found", &elsewhere, ""),
            "redirects are not followed",
        ),
        (html.to_owned(), "media type"),
    ] {
        host.say(&says);
        // Its life has ended, and so has the memory of a failure.
        proxy.clock.advance(Duration::from_secs(601));
        let before = host.asked();
        let reply = authorize(&proxy, &client).await;
        let detail = page_refused(&proxy, &reply, 400, Reason::ClientMetadata);
        assert!(detail.contains(why), "{why}: {detail}");
        assert!(
            !reply.text().contains("<a "),
            "there is nothing to try again"
        );
        assert_eq!(host.asked(), before + 1);
        client
            .refresh(tokens.refresh())
            .await
            .refused(401, "invalid_client");
    }
    // The one who takes a document away by mistake ends nothing.
    host.publish(&json!({}));
    proxy.clock.advance(Duration::from_secs(6));
    Tokens::read(&client.refresh(tokens.refresh()).await);
}

#[tokio::test]
async fn a_host_that_leads_inside_is_not_asked() {
    let host = Host::start().await;
    let proxy = Proxy::with(|builder| builder.outbound_root_certificates([ROOT])).await;
    let port = host.server.address.port();
    for url in [
        host.id(),
        format!("https://localhost:{port}/app.json"),
        format!("https://[::ffff:7f00:1]:{port}/app.json"),
        format!("https://[::1]:{port}/app.json"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://metadata.internal/app.json".to_owned(),
        "https://intranet/app.json".to_owned(),
        format!("https://127.0.0.1:{}/app.json", 22),
    ] {
        let client = Client {
            id: url.clone(),
            ..host.client(&proxy)
        };
        let reply = authorize(&proxy, &client).await;
        page_refused(&proxy, &reply, 400, Reason::ClientMetadata);
        client.refresh("x").await.refused(401, "invalid_client");
    }
    assert_eq!(host.asked(), 0);
}

/// Else strangers could ask us which names there are in our network.
#[tokio::test]
async fn a_name_that_leads_inside_looks_to_strangers_like_one_that_there_is_not() {
    let host = Host::start().await;
    let change = |builder: OAuthProxyConfigBuilder| {
        // Some network is open, so that names are looked up.
        builder.outbound_private_networks(["10.99.0.0/16"])
    };
    let proxy = Proxy::with(change).await;
    let port = host.server.address.port();
    let mut said = Vec::new();
    for name in ["localhost", "no-such-name.invalid"] {
        let client = Client {
            id: format!("https://{name}:{port}/app.json"),
            ..host.client(&proxy)
        };
        let reply = authorize(&proxy, &client).await;
        said.push(page_refused(&proxy, &reply, 503, Reason::ClientDocument));
        client
            .refresh("x")
            .await
            .refused(503, "temporarily_unavailable");
    }
    // The operator hears the difference.
    assert!(said[0].contains("leads to"), "{said:?}");
    assert!(!said[1].contains("leads to"), "{said:?}");
    assert_eq!(host.asked(), 0);
}

#[tokio::test]
async fn a_url_that_can_be_no_clients_id_is_unknown_and_nothing_is_fetched() {
    let (proxy, host) = start().await;
    for path in [
        "",
        "?app.json",
        "/a/../app.json",
        "/a/%2e%2e/app.json",
        "/./app.json",
        "/app.json#x",
    ] {
        let client = Client {
            id: host.url(path),
            ..host.client(&proxy)
        };
        let reply = authorize(&proxy, &client).await;
        let why = page_refused(&proxy, &reply, 400, Reason::UnknownClient);
        assert!(why.contains("can be no client's"), "{path}: {why}");
        client.refresh("x").await.refused(401, "invalid_client");
    }
    for id in [
        host.id().replace("https", "http"),
        host.id().replace("://", "://me:pass@"),
    ] {
        let client = Client {
            id,
            ..host.client(&proxy)
        };
        let reply = authorize(&proxy, &client).await;
        page_refused(&proxy, &reply, 400, Reason::UnknownClient);
    }
    assert_eq!(host.asked(), 0);
}

#[tokio::test]
async fn logins_at_once_fetch_the_document_once() {
    let (proxy, host) = start().await;
    let proxy = Arc::new(proxy);
    host.answers.send_replace(false);
    let logins: Vec<_> = (0..20)
        .map(|_| {
            let (proxy, client) = (Arc::clone(&proxy), host.client(&proxy));
            tokio::spawn(async move { authorize(&proxy, &client).await.status })
        })
        .collect();
    while host.asked() == 0 {
        tokio::task::yield_now().await;
    }
    host.answers.send_replace(true);
    for login in logins {
        assert_eq!(login.await.unwrap(), 302);
    }
    assert_eq!(host.asked(), 1);
}

#[tokio::test]
async fn the_document_as_it_was_at_authorize_counts_for_the_page_and_the_code() {
    let (proxy, store) = Proxy::with_store(inside).await;
    let host = Host::start().await;
    let client = host.client(&proxy);
    let (mut browser, pkce) = (proxy.browser(), Pkce::new());
    let url = client.authorize(&pkce, "client-state").url();
    browser.open(&url).await.page();
    // It changes in each way, and goes; also where another instance never saw it.
    host.publish(&json!({
        "client_name": "Another",
        "redirect_uris": ["http://127.0.0.1/other"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": host.url("/keys.json"),
    }));
    proxy.clock.advance(Duration::from_secs(70));
    let asked = host.asked();
    let page = browser.open(&browser.page().url.to_string()).await.page();
    assert!(page.reply.text().contains("Kit of the web"));
    let callback = browser.press("approve").await.left();
    let elsewhere = proxy.sibling(|builder| builder.token_storage(store.clone()));
    let there = Client {
        wire: elsewhere.wire.clone(),
        ..client.clone()
    };
    let tokens = Tokens::read(&there.redeem(&callback, &pkce).await);
    // A replay is known as one there, and ends what it gave.
    there
        .redeem(&callback, &pkce)
        .await
        .refused(400, "invalid_grant");
    client.call("/mcp", &tokens.access).await.expect(401);
    assert_eq!(host.asked(), asked, "nothing was fetched for a code");
    // A code of another client, and none at all, fetch nothing either.
    let registered = proxy.client().await;
    let (code, pkce) = proxy.code(&registered).await;
    for code in [&*code, "garbage"] {
        client
            .redeem_code(code, &pkce)
            .await
            .refused(400, "invalid_grant");
    }
    client
        .token(&[("grant_type", "authorization_code")])
        .await
        .refused(400, "invalid_request");
    assert_eq!(host.asked(), asked);
    Tokens::read(&registered.redeem_code(&code, &pkce).await);
}

#[tokio::test]
async fn a_refresh_goes_by_the_document_of_now() {
    let (proxy, host) = start().await;
    let client = host.client(&proxy);
    let tokens = proxy.journey(&client).await;
    host.publish(&json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": host.url("/keys.json"),
    }));
    // Within its life it is as it was.
    let next = Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.clock.advance(Duration::from_secs(70));
    client
        .refresh(next.refresh())
        .await
        .refused(401, "invalid_client");
    host.publish(&json!({}));
    proxy.clock.advance(Duration::from_secs(70));
    Tokens::read(&client.refresh(next.refresh()).await);
}

/// Every installation of an app has the same `client_id` (a peer ended the others' grants).
#[tokio::test]
async fn a_login_with_a_shared_client_id_ends_no_other_grant() {
    let (proxy, host) = start().await;
    let client = host.client(&proxy);
    let mut held = Vec::new();
    for person in ["ada", "ada", "grace", "ada"] {
        proxy.provider.configure(|settings| {
            settings.person.insert("sub".into(), person.into());
        });
        held.push(proxy.journey(&client).await);
    }
    for tokens in &held {
        client.call("/mcp", &tokens.access).await.expect(200);
        Tokens::read(&client.refresh(tokens.refresh()).await);
    }
    let grants = proxy
        .layer
        .admin()
        .grants_of_client(&client.id)
        .await
        .unwrap();
    assert_eq!(grants.len(), held.len());
}

#[tokio::test]
async fn the_operators_hook_is_asked_about_each_login_by_a_document() {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let (proxy, host) = start_with(|builder| {
        builder.on_register(move |request| {
            kept.lock().unwrap().push(request.document.clone());
            let is_known = request.client_name.as_deref() == Some("Kit of the web");
            async move {
                match is_known {
                    true => Ok(()),
                    false => Err(Veto::new("not this one")),
                }
            }
        })
    })
    .await;
    let client = host.client(&proxy);
    proxy.journey(&client).await;
    host.publish(&json!({"client_name": "Another"}));
    proxy.clock.advance(Duration::from_secs(70));
    let reply = authorize(&proxy, &client).await;
    let why = page_refused(&proxy, &reply, 400, Reason::HookDenied);
    assert!(why.contains("not this one"), "{why}");
    assert_eq!(*seen.lock().unwrap(), [Some(host.id()), Some(host.id())]);
}

#[tokio::test]
async fn in_passthrough_mode_a_client_with_a_document_is_one_too() {
    let host = Host::start().await;
    let proxy = crate::passthrough::proxy_with(inside).await;
    let client = host.client(&proxy);
    let tokens = proxy.journey(&client).await;
    client.call("/mcp", &tokens.access).await.expect(200);
    let next = Tokens::read(&client.refresh(tokens.refresh()).await);
    client.call("/mcp", &next.access).await.expect(200);
    assert_eq!(host.asked(), 1);
    // What is revoked is the provider's token, and not the text that the client keeps of it.
    client.revoke(next.refresh()).await.expect(200);
    let revoked = proxy.provider.last(Kind::Revoke);
    assert_eq!(revoked.param("token_type_hint"), Some("refresh_token"));
    let sent = revoked.param("token").unwrap();
    assert!(sent.starts_with("UPSTREAM-"), "{sent}");
    client
        .refresh(next.refresh())
        .await
        .refused(400, "invalid_grant");
}

/// Different URLs by strangers, on hosts that answer, hosts that do not and hosts that may not be asked.
#[tokio::test]
async fn strangers_with_any_number_of_urls_write_nothing_and_are_answered_in_bounds() {
    let (proxy, store): (Proxy, Store) = Proxy::with_store(inside).await;
    let host = Host::start().await;
    store.forget();
    let mut refused = 0;
    for n in 0..300 {
        let client = Client {
            id: host.url(&format!("/{n}.json")),
            ..host.client(&proxy)
        };
        let url = client.authorize(&Pkce::new(), "state").url();
        let path = url.strip_prefix(&proxy.wire.origin).unwrap();
        let reply = proxy.wire.get(path, &[]).await;
        match reply.status.as_u16() {
            400 => {}
            503 => refused += 1,
            other => panic!("{other}: {reply:?}"),
        }
    }
    // As often as one host is asked within a minute.
    assert_eq!((host.asked(), refused), (60, 240));
    assert_eq!(store.writes(), 0);
    assert_eq!(store.records(), 0);
    let why = last_refusal(&proxy);
    assert_eq!(why.reason, Some(Reason::ClientDocument));
    // The next minute is another, and a document that is there goes on meanwhile.
    proxy.clock.advance(Duration::from_secs(60));
    proxy.journey(&host.client(&proxy)).await;
}

/// One who asks for a document at that host each second keeps no one out who has a login, not even from a
/// process that has just started.
#[tokio::test]
async fn strangers_keep_out_no_client_that_has_a_login_here() {
    let (first, store): (Proxy, Store) = Proxy::with_store(inside).await;
    let host = Host::start().await;
    let tokens = first.journey(&host.client(&first)).await;
    let proxy = first.sibling(|builder| inside(builder).token_storage(store));
    let client = host.client(&proxy);
    for n in 0..60 {
        let stranger = Client {
            id: host.url(&format!("/{n}.json")),
            ..client.clone()
        };
        stranger.refresh("x").await.refused(401, "invalid_client");
    }
    let asked = host.asked();
    client
        .refresh("x")
        .await
        .refused(503, "temporarily_unavailable");
    // Nor does what another client was given speak for this one.
    let other = Client {
        id: host.url("/other.json"),
        ..client.clone()
    };
    other
        .refresh(tokens.refresh())
        .await
        .refused(503, "temporarily_unavailable");
    assert_eq!(host.asked(), asked);
    Tokens::read(&client.refresh(tokens.refresh()).await);
    assert_eq!(host.asked(), asked + 1);
    // And with that for everyone.
    assert_eq!(authorize(&proxy, &client).await.status, 302);
}

/// A request at the token endpoint with this proof of a key.
async fn with_key(
    proxy: &Proxy,
    client: &Client,
    key: &SigningKey,
    fields: &[(&str, &str)],
) -> Reply {
    let now = proxy.clock.unix();
    let claims = json!({
        "iss": client.id, "sub": client.id, "aud": BASE, "iat": now, "exp": now + 60,
        "jti": format!("{:x}", rand::random::<u128>()),
    });
    let assertion = key.sign(claims.as_object().unwrap());
    let mut fields = fields.to_vec();
    fields.extend([
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", &*assertion),
    ]);
    proxy.wire.form("/oauth/token", &fields, &[]).await
}

fn keyed(key: &SigningKey) -> Value {
    json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "jwks": {"keys": [key.jwk()]},
    })
}

#[tokio::test]
async fn a_code_that_was_asked_for_with_a_key_is_redeemed_with_that_key_alone() {
    let (proxy, host) = start().await;
    let (key, another) = (SigningKey::es256("a"), SigningKey::es256("b"));
    host.publish(&keyed(&key));
    let client = host.client(&proxy);
    let (code, pkce) = proxy.code(&client).await;
    // Who can change the document for a moment can do nothing with a code.
    for changed in [keyed(&another), json!({})] {
        host.publish(&changed);
        proxy.clock.advance(Duration::from_secs(70));
        assert_eq!(
            authorize(&proxy, &client).await.status,
            302,
            "the new document is known"
        );
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", LOOPBACK),
            ("code_verifier", &*pkce.verifier),
        ];
        client.token(&fields).await.refused(401, "invalid_client");
        with_key(&proxy, &client, &another, &fields)
            .await
            .refused(401, "invalid_client");
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", &*pkce.verifier),
    ];
    Tokens::read(&with_key(&proxy, &client, &key, &fields).await);
}

#[tokio::test]
async fn a_login_with_a_key_is_refreshed_with_a_key_of_now_and_never_without_one() {
    let (proxy, host) = start().await;
    let (key, next_key) = (SigningKey::es256("a"), SigningKey::es256("b"));
    host.publish(&keyed(&key));
    let client = host.client(&proxy);
    let (code, pkce) = proxy.code(&client).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("code_verifier", &*pkce.verifier),
    ];
    let tokens = Tokens::read(&with_key(&proxy, &client, &key, &fields).await);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
    ];
    // A key that was replaced counts no more.
    host.publish(&keyed(&next_key));
    proxy.clock.advance(Duration::from_secs(70));
    with_key(&proxy, &client, &key, &refresh)
        .await
        .refused(401, "invalid_client");
    client
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    let tokens = Tokens::read(&with_key(&proxy, &client, &next_key, &refresh).await);
    // The document asks for no key any more: what was given to the holder of one is for no one else.
    host.publish(&json!({}));
    proxy.clock.advance(Duration::from_secs(70));
    client
        .refresh(tokens.refresh())
        .await
        .refused(401, "invalid_client");
    let why = last_refusal(&proxy).detail.unwrap_or_default();
    assert!(why.contains("has to refresh in the same way"), "{why}");
    // It did not end for that.
    host.publish(&keyed(&next_key));
    proxy.clock.advance(Duration::from_secs(70));
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
    ];
    Tokens::read(&with_key(&proxy, &client, &next_key, &refresh).await);
}

/// Strangers: URLs that may not be asked, those of one host that answers, and each on a host of its own that is down.
/// How many there were.
async fn urls(proxy: &Proxy, host: &Host, from: u32, count: u32) -> u32 {
    let mut asked = 0;
    for n in from..from + count {
        let [_, _, c, d] = n.to_be_bytes();
        let inside = (0..20).map(|m| format!("https://10.{c}.{d}.{m}/app.json"));
        let others = [
            host.url(&format!("/{n}.json")),
            format!("https://127.1.{c}.{d}:9/app.json"),
            format!("https://127.1.{c}.{d}:65001/app.json"),
        ];
        for url in inside.chain(others) {
            let query = serde_urlencoded::to_string([
                ("client_id", &*url),
                ("redirect_uri", LOOPBACK),
                ("response_type", "code"),
            ]);
            let path = format!("/oauth/authorize?{}", query.unwrap());
            let reply = proxy.wire.get(&path, &[]).await;
            assert!(
                matches!(reply.status.as_u16(), 400 | 503),
                "{url}: {reply:?}"
            );
            asked += 1;
        }
        // The kit remembers; the proxy must not.
        proxy.forget_events();
    }
    asked
}

/// Run by the test below, alone in its process.
#[tokio::test]
#[ignore = "measures its process's memory: run by another test, alone"]
async fn alone_urls_of_strangers_leave_memory_and_store_as_they_were() {
    const COUNT: u32 = 150;
    let (proxy, store) = Proxy::with_store(inside).await;
    let host = Host::start().await;
    urls(&proxy, &host, 0, COUNT).await;
    store.forget();
    let (before, mut asked) = (resident(), 0);
    for round in 1..4 {
        asked += urls(&proxy, &host, round * COUNT, COUNT).await;
        assert_eq!((store.writes(), store.records()), (0, 0));
        store.forget();
        proxy.clock.advance(Duration::from_secs(61));
    }
    let grown = resident().saturating_sub(before);
    println!("grew by {grown} bytes in {asked} URLs");
    // A KiB for each would be ten times this. Failures are remembered, some hundred bytes each, up to a thousand.
    assert!(grown < 1 << 20, "grew by {grown} bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn any_number_of_urls_of_strangers_leaves_memory_and_store_as_they_were() {
    let alone = "metadata_documents::alone_urls_of_strangers_leave_memory_and_store_as_they_were";
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            alone,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

/// The process's resident memory in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

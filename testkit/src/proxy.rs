//! The proxy under test, with everything around it: provider, clock, events, a service inside.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, Event, OAuthProxyConfig, OAuthProxyConfigBuilder, OAuthProxyLayer, Reason,
    SecretKey, Step, provider::generic,
};

use super::{
    Browser, Client, FakeClock, Landing, Pkce, Provider, Store, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

/// The base URL unless a test says otherwise.
pub const BASE: &str = "https://proxy.example";

/// The operator's secret in tests.
pub const SECRET: [u8; 32] = *b"Vq3tY8sLr1ZpK6wXb0NfUe7JmGh2Dc5A";

/// Another secret for each number; its bytes pass for random.
pub fn secret(number: u8) -> SecretKey {
    let bytes: [u8; 32] = std::array::from_fn(|at| {
        let at = u8::try_from(at).unwrap();
        number ^ at.wrapping_mul(at).wrapping_mul(151).wrapping_add(43)
    });
    SecretKey::from_bytes(bytes).unwrap()
}

/// What the service inside says in a header, to see that it was reached.
pub const INSIDE: &str = "x-inside";

/// A proxy in front of a service that reports what it sees.
pub struct Proxy {
    pub provider: Arc<Provider>,
    pub clock: FakeClock,
    pub base: String,
    pub wire: Wire,
    pub layer: OAuthProxyLayer,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Proxy {
    /// At [`BASE`], with defaults.
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    /// At [`BASE`], configured.
    pub async fn with(
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Self {
        Self::at(BASE, change).await
    }

    /// At another base URL, configured.
    pub async fn at(
        base: &str,
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Self {
        let clock = FakeClock::default();
        let provider = Arc::new(Provider::start(clock.clone()).await);
        Self::before(provider, clock, base, change)
    }

    /// At [`BASE`], configured, with a store that can be shared, broken and looked into.
    pub async fn with_store(
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> (Self, Store) {
        let clock = FakeClock::default();
        let provider = Arc::new(Provider::start(clock.clone()).await);
        let store = Store::new(&clock);
        let kept = store.clone();
        let change = |builder| change(builder).token_storage(kept);
        (Self::before(provider, clock, BASE, change), store)
    }

    /// Another instance before the same provider, with the same clock, base URL and secret. Hand
    /// both the same store to make them one deployment.
    pub fn sibling(
        &self,
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Self {
        Self::before(
            self.provider.clone(),
            self.clock.clone(),
            &self.base,
            change,
        )
    }

    /// In front of a provider that runs already.
    pub fn before(
        provider: Arc<Provider>,
        clock: FakeClock,
        base: &str,
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Self {
        let builder = builder_from(upstream(&provider), base);
        Self::built(provider, clock, base, change(builder))
    }

    /// From a builder that was made elsewhere; clock and events are added.
    pub fn built(
        provider: Arc<Provider>,
        clock: FakeClock,
        base: &str,
        builder: OAuthProxyConfigBuilder,
    ) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = events.clone();
        let config = builder
            .clock(clock.clone())
            .on_event(move |event| kept.lock().unwrap().push(event.clone()))
            .build()
            .expect("a configuration that works");
        let layer = OAuthProxyLayer::new(config);
        let origin = super::browser::origin_of(&base.parse().unwrap());
        let inner = tower::service_fn(async |request| Ok::<_, Infallible>(report(&request)));
        Self {
            wire: Wire::new(origin, layer.layer(inner)),
            provider,
            clock,
            base: base.trim_end_matches('/').to_owned(),
            layer,
            events,
        }
    }

    /// Path of the base URL: `""` or `/api`.
    pub fn base_path(&self) -> &str {
        &self.base[self.wire.origin.len()..]
    }

    /// A path below the base URL, as it stands in a request.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base_path())
    }

    /// A public client with a loopback callback.
    pub async fn client(&self) -> Client {
        self.register(&native_metadata(CALLBACK)).await
    }

    /// A client with this metadata.
    pub async fn register(&self, metadata: &Value) -> Client {
        Client::register(&self.wire, self.base_path(), metadata).await
    }

    /// A fresh browser profile that knows proxy and provider.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.clock)
            .knowing(self.wire.clone())
            .knowing(self.provider.wire())
    }

    /// Register nothing, do the rest: authorize, consent, login, redeem.
    pub async fn journey(&self, client: &Client) -> Tokens {
        self.journey_in(&mut self.browser(), client).await
    }

    /// The same in a given browser.
    pub async fn journey_in(&self, browser: &mut Browser, client: &Client) -> Tokens {
        let pkce = Pkce::new();
        let callback = self.login(browser, client, &pkce).await;
        Tokens::read(&client.redeem(&callback, &pkce).await)
    }

    /// Authorize, consent, login, and the account page where it is shown; the callback URL that the client
    /// receives.
    pub async fn login(&self, browser: &mut Browser, client: &Client, pkce: &Pkce) -> String {
        let url = client.authorize(pkce, "client-state").url();
        let callback = match self.approve(browser, &url).await {
            Landing::Page(page) if page.url.contains("/oauth/account") => {
                browser.press("approve").await.left()
            }
            landing => landing.left(),
        };
        assert_eq!(query_param(&callback, "error"), None, "{callback}");
        let state = query_param(&callback, "state");
        assert_eq!(state.as_deref(), Some("client-state"), "{callback}");
        let issuer = query_param(&callback, "iss");
        assert_eq!(issuer.as_deref(), Some(&*self.base), "{callback}");
        callback
    }

    /// A login up to the code, and the pair that it needs.
    pub async fn code(&self, client: &Client) -> (String, Pkce) {
        let pkce = Pkce::new();
        let callback = self.login(&mut self.browser(), client, &pkce).await;
        let code = query_param(&callback, "code").expect("a code");
        (code, pkce)
    }

    /// Opens an authorization URL and approves on the consent page.
    pub async fn approve(&self, browser: &mut Browser, authorize_url: &str) -> Landing {
        let page = browser.open(authorize_url).await.page();
        assert_eq!(page.reply.status, 200, "{page:?}");
        browser.press("approve").await
    }

    /// What the service inside says to a request with this token; panics on a refusal.
    pub async fn session(&self, client: &Client, token: &str) -> Value {
        let reply = client.call(&self.path("/mcp"), token).await;
        reply.expect(200).json()["session"].clone()
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Forgets the events so far.
    pub fn forget_events(&self) {
        self.events.lock().unwrap().clear();
    }

    /// The refusals so far.
    pub fn refusals(&self) -> Vec<(Step, Reason)> {
        self.events()
            .iter()
            .filter_map(|event| Some((event.step, event.reason?)))
            .collect()
    }

    /// Asserts that the last refusal was this one.
    #[track_caller]
    pub fn told(&self, step: Step, reason: Reason) {
        let events = self.events();
        let last = events.iter().rfind(|event| event.reason.is_some());
        let last = last.map(|event| (event.step, event.reason));
        assert_eq!(last, Some((step, Some(reason))), "{events:#?}");
    }
}

/// The provider, as the proxy is configured with it.
pub fn upstream(provider: &Provider) -> tower_oauth_proxy::Provider {
    let settings = provider.settings();
    generic(
        provider.url("/authorize"),
        provider.url("/token"),
        settings.client_id,
        settings.client_secret,
    )
    .userinfo_url(provider.url("/userinfo"))
    .revocation_url(provider.url("/revoke"))
}

/// A configuration that works.
pub fn builder_from(upstream: tower_oauth_proxy::Provider, base: &str) -> OAuthProxyConfigBuilder {
    OAuthProxyConfig::builder(upstream, base)
        .secret_key(SecretKey::from_bytes(SECRET).expect("a long secret"))
        .scopes(["openid", "read", "write"])
}

/// The service inside: what it sees of request and session.
pub(super) fn report(request: &Request<Full<Bytes>>) -> Response<Full<Bytes>> {
    let session = AuthSession::from_extensions(request.extensions()).map(|session| {
        json!({
            "source": session.source().as_str(),
            "is_person": session.is_person(),
            "grant_id": session.grant_id(),
            "roles": session.roles(),
            "subject": session.subject(),
            "provider": session.provider(),
            "provider_subject": session.provider_subject(),
            "client_id": session.client_id(),
            "scopes": session.scopes().iter().collect::<Vec<_>>(),
            "claims": session.claims(),
            "resource": session.resource(),
            "upstream_access_token_present": !session.upstream().access_token().is_empty(),
        })
    });
    let seen = json!({
        "session": session,
        "path": request.uri().path(),
        "authorization_header_present": request.headers().contains_key(header::AUTHORIZATION),
    });
    Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(INSIDE, "yes")
        .body(Full::from(seen.to_string()))
        .expect("a response")
}

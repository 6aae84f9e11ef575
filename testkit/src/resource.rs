//! A resource server under test, for a provider that registers its clients itself.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tower::Layer;
use tower_oauth_proxy::{
    Event, OAuthProxyConfig, OAuthProxyLayer, Reason, ResourceServerBuilder, Step, TokenVerifier,
};

use super::{
    FakeClock, Pkce, Provider, Reply, Wire,
    browser::origin_of,
    client::{CALLBACK, basic},
    proxy::{BASE, report},
    wire::query_param,
};

/// A resource server in front of a service that reports what it sees.
pub struct Resource {
    pub provider: Arc<Provider>,
    pub clock: FakeClock,
    pub wire: Wire,
    pub layer: OAuthProxyLayer,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Resource {
    /// At [`BASE`], with this verifier.
    pub async fn with<V: TokenVerifier>(verifier: impl FnOnce(&Arc<Provider>) -> V) -> Self {
        Self::at(BASE, verifier, |builder| builder).await
    }

    /// At another base URL, configured.
    pub async fn at<V: TokenVerifier>(
        base: &str,
        verifier: impl FnOnce(&Arc<Provider>) -> V,
        change: impl FnOnce(ResourceServerBuilder) -> ResourceServerBuilder,
    ) -> Self {
        let clock = FakeClock::default();
        let provider = Arc::new(Provider::start(clock.clone()).await);
        let builder = OAuthProxyConfig::resource_server(base, verifier(&provider))
            .authorization_server(provider.settings().issuer);
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = events.clone();
        let config = change(builder)
            .clock(clock.clone())
            .on_event(move |event| kept.lock().unwrap().push(event.clone()))
            .build()
            .expect("a configuration that works");
        let layer = OAuthProxyLayer::new(config);
        let inner = tower::service_fn(async |request| Ok::<_, Infallible>(report(&request)));
        Self {
            wire: Wire::new(origin_of(&base.parse().unwrap()), layer.layer(inner)),
            provider,
            clock,
            layer,
            events,
        }
    }

    /// A client's own login at the provider, for this resource.
    pub async fn token(&self, resource: &str, scope: &str) -> String {
        let pkce = Pkce::new();
        let settings = self.provider.settings();
        let query = serde_urlencoded::to_string([
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
            ("scope", scope),
            ("resource", resource),
        ])
        .unwrap();
        let provider = self.provider.wire();
        let back = provider.get(&format!("/authorize?{query}"), &[]).await;
        let code = query_param(back.location(), "code").expect("a code");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &pkce.verifier),
        ];
        let client = basic(&settings.client_id, &settings.client_secret);
        let headers = [("authorization", client.as_str())];
        let tokens = provider.form("/token", &form, &headers).await.expect(200);
        tokens.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// `GET path` with a bearer token.
    pub async fn call(&self, path: &str, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.wire.get(path, &[("authorization", &bearer)]).await
    }

    /// What the service inside says to a request with this token; panics on a refusal.
    pub async fn session(&self, token: &str) -> Value {
        self.call("/mcp", token).await.expect(200).json()["session"].clone()
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Asserts that the last refusal was this one; the operator's words.
    #[track_caller]
    pub fn told(&self, step: Step, reason: Reason) -> String {
        let events = self.events();
        let last = events.iter().rfind(|event| event.reason.is_some());
        let found = last.map(|event| (event.step, event.reason));
        assert_eq!(found, Some((step, Some(reason))), "{events:#?}");
        last.and_then(|event| event.detail.clone())
            .unwrap_or_default()
    }
}

//! Bearer tokens beside the proxy's own and the provider's: API keys, tokens of trusted issuers, introspection; and
//! the order in which they are tried.

mod api_keys;
mod implied_scopes;
mod introspected;
mod issuers;
mod order;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use tower::Layer;
use tower_oauth_proxy::{
    AuthSession, IntrospectionVerifier, OAuthProxyConfigBuilder, OAuthProxyLayer, Reason, Step,
    TrustedIssuer,
};

use testkit::{
    Answer, FakeClock, Kind, Provider, Proxy, Reply, Wire, provider::SigningKey, proxy::BASE,
};

/// An issuer beside the provider; it keeps its keys where the provider does.
const CORP: &str = "https://corp.example";
const AUDIENCE: &str = "https://proxy.example/mcp";

/// A proxy before a provider with a key, and what tests have of both.
struct At {
    proxy: Proxy,
    key: SigningKey,
}

/// `change` gets the builder and the provider.
async fn start(
    change: impl FnOnce(OAuthProxyConfigBuilder, &Arc<Provider>) -> OAuthProxyConfigBuilder,
) -> At {
    let clock = FakeClock::default();
    let provider = Arc::new(Provider::start(clock.clone()).await);
    let key = SigningKey::es256("corp-1");
    provider.signs(&key);
    let idp = provider.clone();
    let proxy = Proxy::before(provider, clock, BASE, |builder| change(builder, &idp));
    At { proxy, key }
}

fn corp(provider: &Arc<Provider>) -> TrustedIssuer {
    TrustedIssuer::new("corp", CORP)
        .jwks_url(provider.url("/keys"))
        .access_tokens([AUDIENCE])
}

fn introspection(provider: &Arc<Provider>) -> IntrospectionVerifier {
    let settings = provider.settings();
    let endpoint = provider.url("/introspect");
    IntrospectionVerifier::new(endpoint, settings.client_id, settings.client_secret)
}

impl At {
    /// A token of the issuer with these claims changed; `null` removes one.
    fn token(&self, changes: Value) -> String {
        self.key.sign(&self.claims(changes))
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "`json!` is written in its place"
    )]
    fn claims(&self, changes: Value) -> Map<String, Value> {
        let now = self.proxy.clock.unix();
        let mut claims = json!({
            "iss": CORP, "aud": AUDIENCE, "sub": "7", "exp": now + 300, "iat": now,
            "client_id": "corp-app", "scope": "openid read", "roles": ["admin"],
            "email": "ada@example.com", "email_verified": true,
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        members.clone()
    }

    /// What the introspection endpoint says from now on.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "`json!` is written in its place"
    )]
    fn introspects(&self, said: Value) {
        let said = Answer::Raw(200, "application/json", said.to_string());
        self.proxy.provider.always(Kind::Introspect, said);
    }

    async fn call(&self, token: &str) -> Reply {
        call(&self.proxy, "/mcp", token).await
    }

    async fn session(&self, token: &str) -> AuthSession {
        crate::inside::session(&self.proxy, token).await
    }

    /// The operator's words about the refusal.
    async fn refused(&self, token: &str, reason: Reason) -> String {
        self.proxy.forget_events();
        let reply = self.call(token).await;
        reply.refused(401, "invalid_token");
        words(&self.proxy, &reply, token, reason)
    }

    async fn unavailable(&self, token: &str, reason: Reason) -> String {
        self.proxy.forget_events();
        let reply = self.call(token).await.expect(503);
        assert!(reply.header("retry-after").is_some());
        words(&self.proxy, &reply, token, reason)
    }

    fn asked(&self, kind: Kind) -> usize {
        self.proxy.provider.count(kind)
    }
}

async fn call(proxy: &Proxy, path: &str, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    proxy.wire.get(path, &[("authorization", &bearer)]).await
}

/// They are for the operator alone, and have no token.
fn words(proxy: &Proxy, reply: &Reply, token: &str, reason: Reason) -> String {
    proxy.told(Step::Bearer, reason);
    let events = proxy.events();
    let words = events.last().unwrap().detail.clone().unwrap_or_default();
    assert!(
        words.is_empty() || !reply.everything().contains(&words),
        "{words}"
    );
    assert!(!format!("{events:?}").contains(token), "{events:?}");
    words
}

/// The session that a service inside gets from any layer.
async fn seen_by(layer: &OAuthProxyLayer, token: &str) -> AuthSession {
    let seen = Arc::new(Mutex::new(None));
    let keep = seen.clone();
    let inner = tower::service_fn(move |request: Request<Full<_>>| {
        let session = AuthSession::from_extensions(request.extensions());
        *keep.lock().unwrap() = session.cloned();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::default())))
    });
    let wire = Wire::new(BASE, layer.layer(inner));
    let bearer = format!("Bearer {token}");
    let reply = wire.get("/mcp", &[("authorization", &bearer)]).await;
    reply.expect(200);
    let session = seen.lock().unwrap().take();
    session.expect("a session")
}

/// All at once, in one task.
async fn at_once<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        running.retain_mut(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        match running.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

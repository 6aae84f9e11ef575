//! Several providers in one layer.

mod choice;
mod journeys;
mod mistakes;
mod mix_up;
mod remembered;
mod restarts;
mod subjects;

use std::sync::Arc;

use tower_oauth_proxy::OAuthProxyConfigBuilder;

use testkit::{
    Browser, Client, FakeClock, Pkce, Provider, Proxy, Store, Tokens, proxy::BASE, proxy::upstream,
};

/// A proxy with two providers: an OpenID provider whose id is `oauth`, and `b`, called Second, which gives no
/// ID token and no refresh token and is asked who the person is. Both call their one person `person-1`.
struct World {
    proxy: Proxy,
    second: Arc<Provider>,
    store: Store,
}

/// `b`, as the proxy is configured with it.
fn about(second: &Provider) -> tower_oauth_proxy::Provider {
    upstream(second)
        .id("b")
        .name("Second")
        .scopes(["openid", "read", "repo"])
}

impl World {
    async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder) -> Self {
        let clock = FakeClock::default();
        let first = Arc::new(Provider::start(clock.clone()).await);
        let second = Arc::new(Provider::start(clock.clone()).await);
        second.configure(|settings| {
            settings.client_id = "second-app".into();
            settings.client_secret = "UPSTREAM-SECRET-OF-SECOND-5a80c3be9174".into();
            settings.issue_id_token = false;
            settings.issue_refresh = false;
            settings.expires_in = Some(30 * 24 * 3600);
        });
        let store = Store::new(&clock);
        let (kept, also) = (store.clone(), about(&second));
        let change = |builder: OAuthProxyConfigBuilder| {
            change(builder.token_storage(kept).also_provider(also))
        };
        let proxy = Proxy::before(first, clock, BASE, change);
        Self {
            proxy,
            second,
            store,
        }
    }

    /// The same deployment after a restart with this configuration, whose first provider is the same.
    fn again(
        &self,
        change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
    ) -> Proxy {
        let kept = self.store.clone();
        let change = |builder: OAuthProxyConfigBuilder| change(builder.token_storage(kept));
        self.proxy.sibling(change)
    }

    fn browser(&self) -> Browser {
        self.proxy.browser().knowing(self.second.wire())
    }

    /// A browser that shows the consent page of a new login, with the state `s`.
    async fn at_consent(&self, client: &Client, pkce: &Pkce) -> Browser {
        let mut browser = self.browser();
        let authorize = client.authorize(pkce, "s").url();
        browser.open(&authorize).await.page();
        browser
    }

    /// A whole login at the provider of this id.
    async fn journey(&self, client: &Client, provider: &str) -> Tokens {
        let (callback, pkce) = self.login(client, provider).await;
        Tokens::read(&client.redeem(&callback, &pkce).await)
    }

    async fn login(&self, client: &Client, provider: &str) -> (String, Pkce) {
        let (mut browser, pkce) = (self.browser(), Pkce::new());
        let url = client.authorize(&pkce, "s").url();
        browser.open(&url).await.page();
        (browser.choose(provider, "approve").await.left(), pkce)
    }
}

//! What every public type promises without saying so.

use std::fmt::Debug;

use axum::{body::Body, http::Request};
use bytes::Bytes;
use http_body_util::Full;
use tower_oauth_proxy::{
    AuthSession, ClaimsPassthrough, ClientAuthMethod, ConfigError, Consent, Event, ExchangedToken,
    GrantInfo, GrantPage, Identity, IntrospectionVerifier, InvalidScope, JwksVerifier, KnownClient,
    LoginRequest, MemoryStorage, OAuthProxyAdmin, OAuthProxyConfig, OAuthProxyConfigBuilder,
    OAuthProxyLayer, OAuthProxyService, Occasion, PassOn, Provider, PublicKeys, Reason,
    RedirectPolicy, RefreshGrace, RegistrationRequest, ResourceServerBuilder, ResponseBody,
    ResponseFuture, ScopeSet, SecretKey, StaticClient, Step, StorageError, SystemClock,
    TokenForError, TokenTarget, UpstreamTokenError, UpstreamTokens, UserInfoVerifier,
    VerifiedToken, VerifierContext, VerifyError, VerifyRequest, Veto,
    guard::{
        Denied, Guard, RequireFuture, RequireLayer, RequireService,
        mcp::{McpBody, McpError, McpRules, McpRulesFuture, McpRulesLayer, McpRulesService},
    },
    provider::{ClientCredential, ClientKey, CredentialRequest, TokenEndpointAuth},
    storage::ListPage,
};

/// Goes between threads, may be shared by them, may be moved, and can be printed.
fn is_plain<T: Send + Sync + Unpin + Debug>() {}

/// As the futures of a service: one thread at a time.
fn is_sent<T: Send + Debug>() {}

macro_rules! all {
    ($check:ident: $($public:ty),+ $(,)?) => { $($check::<$public>();)+ };
}

#[test]
fn public_types_go_between_threads_and_can_be_printed() {
    all!(is_plain:
        // The layer and what it makes.
        OAuthProxyLayer, OAuthProxyService<()>, ResponseBody<Full<Bytes>>,
        AuthSession, UpstreamTokens, UpstreamTokenError, TokenTarget, ExchangedToken, TokenForError,
        Guard, Denied, RequireLayer, RequireService<()>,
        McpRules, McpError, McpRulesLayer, McpRulesService<()>, McpBody<Full<Bytes>>,
        VerifyRequest<'static>, VerifiedToken, VerifyError,
        IntrospectionVerifier, JwksVerifier, UserInfoVerifier, VerifierContext,
        // Configuration.
        OAuthProxyConfig, ConfigError, Consent, SecretKey, SystemClock, PassOn, RefreshGrace,
        Provider, TokenEndpointAuth, ClientCredential, ClientKey, CredentialRequest, Identity, ClaimsPassthrough, ScopeSet, InvalidScope,
        StaticClient, PublicKeys, KnownClient, ClientAuthMethod, RedirectPolicy,
        LoginRequest, Occasion, RegistrationRequest, Veto,
        // Running it.
        OAuthProxyAdmin, GrantInfo, GrantPage, Event, Step, Reason,
        MemoryStorage, ListPage, StorageError,
    );
    all!(is_sent:
        OAuthProxyConfigBuilder, ResourceServerBuilder,
        ResponseFuture<axum::Router, Request<Body>>,
        RequireFuture<axum::Router, Request<Body>>,
        McpRulesFuture<axum::Router, Body>,
    );
    #[cfg(feature = "axum")]
    all!(is_sent: tower_oauth_proxy::NoSession);
    #[cfg(feature = "sqlite")]
    all!(is_plain: tower_oauth_proxy::storage::SqliteStorage);
    #[cfg(feature = "postgres")]
    all!(is_plain: tower_oauth_proxy::storage::PostgresStorage);
    #[cfg(feature = "redis")]
    all!(is_plain: tower_oauth_proxy::storage::RedisStorage);
}

/// Nothing that this crate exports may stand in the way of a user's own dependencies: a module
/// `axum` once did.
mod globs {
    #[allow(
        unused_imports,
        reason = "what counts is that they may stand side by side"
    )]
    use axum::*;
    #[allow(
        unused_imports,
        reason = "what counts is that they may stand side by side"
    )]
    use tower_oauth_proxy::*;

    use axum::routing::any;
    use tower::Layer as _;

    #[test]
    fn importing_everything_of_this_crate_and_of_axum_leaves_both_usable() {
        async fn subject(Extension(session): Extension<AuthSession>) -> String {
            session.subject().to_owned()
        }
        let github = provider::github("id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
        let config = OAuthProxyConfig::builder(github, "https://proxy.example").build();
        let routes: Router = Router::new().route("/mcp", any(subject));
        let _ = OAuthProxyLayer::new(config.unwrap()).layer(routes);
    }
}

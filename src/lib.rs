//! One Tower layer that makes any HTTP service an OAuth 2.1 protected resource **and** its
//! authorization server, in front of an identity provider that does not know dynamic clients.
//!
//! MCP clients register themselves, send a person through a login, and come back with a bearer
//! token. Google, GitHub, Entra ID and most OAuth servers offer one pre-registered app and no
//! dynamic registration. This layer stands between: it registers clients, asks the person for
//! consent, logs them in at the provider with that one app, keeps the provider's tokens on the server,
//! and gives the client a token of its own. On every later request that token becomes an
//! [`AuthSession`] in the request's extensions.
//!
//! # Quick start
//!
//! ```
//! use axum::{Extension, Router, routing::any};
//! use tower_oauth_proxy::{AuthSession, OAuthProxyConfig, OAuthProxyLayer, provider};
//!
//! async fn mcp(Extension(session): Extension<AuthSession>) -> String {
//!     format!("hello {}", session.subject())
//! }
//!
//! let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
//! let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com").build()?;
//! let app: Router = Router::new()
//!     .route("/mcp", any(mcp))
//!     .layer(OAuthProxyLayer::new(config));
//!
//! // A request without a token is answered with where to log in.
//! # use axum::{body::Body, http::{Request, StatusCode}};
//! # use tower::ServiceExt;
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! let request = Request::get("/mcp").body(Body::empty()).unwrap();
//! # let answer = runtime.block_on(app.oneshot(request)).unwrap();
//! # /*
//! let answer = app.oneshot(request).await.unwrap();
//! # */
//! assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(
//!     answer.headers()["www-authenticate"],
//!     "Bearer resource_metadata=\
//!      \"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"",
//! );
//! # Ok::<(), tower_oauth_proxy::ConfigError>(())
//! ```
//!
//! Register the app at the provider with the callback `{base_url}/oauth/callback`; the functions in
//! [`provider`] say where. `cargo run --example quickstart` in the repository runs the whole journey
//! on one machine.
//!
//! # The way of a request
//!
//! 1. **An endpoint of the proxy** is answered here and never reaches your service:
//!    `{base}/oauth/register`, `authorize`, `consent`, `callback`, `token`, `revoke`, where they are configured
//!    `introspect` and `jwks`, and the
//!    well-known documents of RFC 8414 (also at `openid-configuration`) and RFC 9728.
//! 2. **A public path** ([`public_paths`](OAuthProxyConfigBuilder::public_paths), compared exactly)
//!    goes to your service without a session.
//! 3. **Anything else is protected.** With a good bearer token your service sees the request with an
//!    [`AuthSession`] and without the `Authorization` header. Without one the client gets 401 and a
//!    challenge that names the metadata of this very path; with too few scopes 403
//!    `insufficient_scope`. When the store or the provider cannot be asked, the answer is 503 with
//!    `Retry-After`, never 401: a client must not throw away a token that may be good.
//!
//! Paths are compared byte for byte. `//oauth/token` or `/oauth/../mcp` is not an endpoint, so it is
//! protected like anything else. With [`optional_auth`](OAuthProxyConfigBuilder::optional_auth) a
//! request without a token passes without a session; one with a bad token is still refused.
//!
//! # Where the layer stands
//!
//! - **Outermost.** Inside `Router::nest` or as `Router::route_layer` it never sees the well-known
//!   documents, which are then 404. In axum, add all routes and the fallback *before*
//!   `.layer(..)`: what is added later is outside, unprotected.
//! - **A `CorsLayer` goes outside of this one**, or it sees no preflight: those carry no token.
//!   Without one, [`cors_on_protected_paths`](OAuthProxyConfigBuilder::cors_on_protected_paths)
//!   answers preflights for browser clients. The proxy's own endpoints need neither.
//! - **tonic** serves the documents only with `Server::builder().accept_http1(true)`.
//! - **rmcp** accepts only loopback `Host` headers until you name yours with
//!   `StreamableHttpServerConfig::with_allowed_hosts`.
//! - **A base URL with a path** (`https://host/api`) needs requests that still have that path, and a
//!   reverse proxy that also sends `/.well-known/*` here: the documents' URLs have the path inserted
//!   behind the well-known name.
//!
//! # Reading the session
//!
//! In any handler: [`AuthSession::from_extensions`]. In axum: `Extension<AuthSession>`, or with
//! feature `axum` the extractors `AuthSession` (401 with the challenge when there is none) and
//! `Option<AuthSession>`. In an rmcp tool the HTTP request's parts are in the request context:
//!
//! ```
//! use rmcp::{RoleServer, service::RequestContext};
//! use tower_oauth_proxy::AuthSession;
//!
//! fn caller(context: &RequestContext<RoleServer>) -> Option<&AuthSession> {
//!     let parts = context.extensions.get::<http::request::Parts>()?;
//!     AuthSession::from_extensions(&parts.extensions)
//! }
//! ```
//!
//! It holds the [subject](AuthSession::subject), [client](AuthSession::client_id),
//! [scopes](AuthSession::scopes), [roles](AuthSession::roles), [claims](AuthSession::claims),
//! [resource](AuthSession::resource), [expiry](AuthSession::expires_at), and the provider's
//! [tokens](AuthSession::upstream), renewed before they run out. Cloning is one reference count, and
//! it prints no secret.
//!
//! # Guards
//!
//! A [`guard::Guard`] is a rule on a session, checked inside a tool or put before routes with
//! [`guard::RequireLayer`], inside this layer:
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_oauth_proxy::guard::{RequireLayer, require_all, require_role, require_scopes};
//!
//! let rule = require_all([require_scopes(["reports:read"])?, require_role("analyst")]);
//! let reports: Router = Router::new()
//!     .route("/reports", get(async || "the report"))
//!     .route_layer(RequireLayer::new(rule));
//! # Ok::<(), tower_oauth_proxy::InvalidScope>(())
//! ```
//!
//! [`required_scopes`](OAuthProxyConfigBuilder::required_scopes) is the rule for every protected
//! path. Who may log in at all is for
//! [`allowed_emails`](OAuthProxyConfigBuilder::allowed_emails),
//! [`allowed_domains`](OAuthProxyConfigBuilder::allowed_domains),
//! [`allowed_groups`](OAuthProxyConfigBuilder::allowed_groups),
//! [`allowed_claim`](OAuthProxyConfigBuilder::allowed_claim),
//! [`Provider::allowed_organizations`] (GitHub organizations and teams, Google Workspaces, Entra tenants) and
//! [`on_login`](OAuthProxyConfigBuilder::on_login), which [combine](docs::people): **without them, everyone whom the provider lets
//! in.**
//!
//! # What clients need
//!
//! A registration names redirect URIs, and the operator decides which are permitted. By default only
//! loopback (`http://localhost:…`, `127.0.0.0/8`, `[::1]`): enough for clients that run on the
//! person's computer. Hosted clients and apps with a scheme of their own are one line each,
//! [`allow_client`](OAuthProxyConfigBuilder::allow_client) with a [`KnownClient`]; others are a
//! pattern of [`RedirectPolicy`]. A client may also be the URL of a document about itself
//! ([`metadata_documents`](OAuthProxyConfigBuilder::metadata_documents)); others that do not register are a
//! [`StaticClient`].
//! [`docs::clients`] has a table of known ones; programs without a person are in [`docs::machines`], services
//! behind this one in [`docs::services`].
//!
//! ```
//! use tower_oauth_proxy::{KnownClient, OAuthProxyConfig, provider};
//!
//! let provider = provider::google("id.apps.googleusercontent.com", "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");
//! let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
//!     .allow_client(KnownClient::Claude)
//!     .allow_client(KnownClient::ChatGpt)
//!     .allowed_redirect_uri_patterns(["https://*.corp.example/oauth/callback"])
//!     .build()?;
//! # let _ = config;
//! # Ok::<(), tower_oauth_proxy::ConfigError>(())
//! ```
//!
//! # Whose tokens
//!
//! By default clients hold tokens of this proxy: access tokens are JWTs (RFC 9068, HS256, audience
//! bound to the resource), refresh tokens are opaque and rotate. With a [`TokenKey`] other services verify the
//! access tokens by a key set: see [`docs::services`]. **Passthrough mode**,
//! [`passthrough`](OAuthProxyConfigBuilder::passthrough), hands out the provider's access token
//! instead, and its refresh token sealed for the one client. A [`TokenVerifier`] checks those access
//! tokens; nothing is stored after the code is redeemed. Where the provider registers clients itself, this layer is
//! a **resource server** alone: [`OAuthProxyConfig::resource_server`] publishes metadata that names the provider,
//! and has no endpoints, secret or store. Verifiers are [`JwksVerifier`], [`IntrospectionVerifier`],
//! [`UserInfoVerifier`] and your own. [`docs::modes`] says which to take.
//!
//! Programs bring other tokens: an [`ApiKey`], a token that they got in their own name
//! ([`StaticClient::machine`]), or what a [`TrustedIssuer`] signed. [`AuthSession::source`] says which, and
//! [`docs::machines`] which to choose.
//!
//! # Storage and keys
//!
//! Registrations and logins in progress are stored nowhere: the first are signed into the
//! `client_id`, the second into cookies. What a login creates goes to a [`TokenStorage`]: by default
//! [`MemoryStorage`], for one process, bounded, gone at restart; `SqliteStorage` (feature `sqlite`) is
//! one file, durable, for the processes of one host; `RedisStorage` (feature `redis`) and
//! `PostgresStorage` (feature `postgres`) are for many hosts. Records are encrypted before they get there. To write a store, implement the trait and run
//! `storage::contract` (feature `storage-contract`) against it.
//!
//! Every key is derived from one secret,
//! [`secret_key`](OAuthProxyConfigBuilder::secret_key); unset, from the provider's client secret.
//! Replaced secrets go to
//! [`previous_secret_keys`](OAuthProxyConfigBuilder::previous_secret_keys), so that a rotation
//! logs no one out.
//!
//! # What was true at login
//!
//! A person leaves, a role is taken away, an app is disconnected. Each renewal of the provider's token
//! updates claims and roles, and asks the allow lists and
//! [`on_login`](OAuthProxyConfigBuilder::on_login) again; where nothing is renewed, userinfo is asked once
//! [`identity_max_age`](OAuthProxyConfigBuilder::identity_max_age) has passed. A no ends the grant; trouble
//! is not an answer. [`docs::lifecycle`] has a table of what takes effect within which time,
//! [`docs::providers`] what a provider's refusal does to a grant, [`docs::on_behalf`] how a handler calls other
//! APIs in the person's name.
//!
//! With one secret and one store, any instance serves any step, and a process may be killed at any
//! moment. [`docs::stores`] says how to choose and size a store, how to rotate the secret, and what
//! users notice in each outage; [`docs::cost`], what a request, a login and a grant cost.
//!
//! # Events
//!
//! Each step and each refusal is one [`Event`] with a [`Step`], a finite [`Reason`] when it was
//! refused, and the login's or grant's id; never a token, code or secret. Events go to `tracing`
//! under the target `tower_oauth_proxy` (`info` when done, `warn` when refused) and to
//! [`on_event`](OAuthProxyConfigBuilder::on_event). [`OAuthProxyLayer::admin`] administers the
//! running proxy: list and revoke grants by person, client or name, revoke a session, deny
//! a client, and wait at shutdown for what is at the provider ([`drain`](OAuthProxyAdmin::drain)).
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `rustls` | yes | TLS towards the provider with rustls |
//! | `native-tls` | | TLS towards the provider with the operating system's library |
//! | `axum` | | `AuthSession` as an axum extractor |
//! | `metrics` | | counters, gauges and histograms for dashboards, by the facade of that name: see [`docs::metrics`] |
//! | `sqlite` | | `storage::SqliteStorage`, one file for the processes of one host (SQLite is built in) |
//! | `redis` | | `storage::RedisStorage`, Redis 7 or Valkey for many hosts (TLS with `rustls`) |
//! | `postgres` | | `storage::PostgresStorage`, for many hosts that have a PostgreSQL already (TLS with `rustls`) |
//! | `storage-contract` | | the suite that a `TokenStorage` has to pass |
//! | `testing` | | `testing`: for tests of your service, sessions without a login and whether it is protected |
//!
//! Without a TLS feature only a provider on loopback http can be reached.
//!
//! # Map
//!
//! [`OAuthProxyConfig`] → [`OAuthProxyLayer`] → [`AuthSession`] is the whole way. Around it:
//! [`provider`] (presets and the generic one), [`guard`], [`storage`], [`OAuthProxyAdmin`] and
//! [`ConfigError`].
//!
//! **[`docs`] is the guide**: [how a login works](docs::how_it_works), [every option](docs::options),
//! [who may log in](docs::people), [what they may do](docs::guards), [running it](docs::deployment),
//! [when something is wrong](docs::troubleshooting), [coming from FastMCP](docs::migration), and more.
//!
//! `ARCHITECTURE.md` in the repository shows the rooms of the source and what may import what;
//! `SECURITY.md` says what is promised, against whom, and what is not.

mod admin;
mod api_key;
mod assertion;
mod bearer;
mod body;
mod challenge;
mod client;
mod clock;
mod config;
mod cors;
pub mod docs;
mod documents;
mod endpoint;
mod error;
mod event;
#[cfg(feature = "axum")]
mod extractor;
mod formats;
mod future;
mod generations;
mod grant;
pub mod guard;
mod inner;
mod jose;
mod key;
mod layer;
mod limits;
mod login;
#[cfg(not(feature = "metrics"))]
mod metrics;
#[cfg(feature = "metrics")]
pub mod metrics;
mod mode;
mod oauth;
mod outbound;
mod page;
mod prehashed;
mod probe;
pub mod provider;
mod proxy;
mod quota;
mod random;
mod report;
mod resource_server;
mod route;
mod session;
pub mod storage;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod token;
mod vault;

pub use admin::{GrantInfo, GrantPage, OAuthProxyAdmin};
pub use api_key::{ApiKey, NewApiKey};
pub use body::ResponseBody;
pub use client::{
    ClientAuthMethod, KnownClient, MetadataDocuments, PublicKeys, RedirectPolicy, StaticClient,
};
pub use clock::{Clock, SystemClock};
pub use config::{
    AccountPage, Consent, LoginRequest, OAuthProxyConfig, OAuthProxyConfigBuilder, Occasion,
    PassOn, ProviderChoice, ProviderRequest, RegistrationRequest, ResourceServerBuilder,
    TrustedIssuer, Veto, Workload,
};
pub use error::{BoxError, ConfigError, StorageError};
pub use event::{Detail, Event, Fault, Reason, Step};
#[cfg(feature = "axum")]
pub use extractor::NoSession;
pub use future::ResponseFuture;
pub use grant::{ExchangedToken, RefreshGrace, Subjects, TokenForError};
pub use key::SecretKey;
pub use layer::{OAuthProxyLayer, OAuthProxyService};
pub use oauth::{InvalidScope, ScopeSet};
pub use page::{PageAccount, PageClient, PageContext, PageKind, PageScope, Words};
pub use probe::{OAuthProxyHandle, Probe, ProbeCheck, ProbedPart};
pub use provider::{Identity, Provider, TokenTarget};
pub use report::{
    Finding, FindingLevel, Report, ReportedClients, ReportedImplication, ReportedLimit,
    ReportedMode, ReportedProvider, ReportedSource, ReportedStore, ReportedTime, ReportedUrl,
};
pub use session::{AuthSession, TokenSource, UpstreamTokenError, UpstreamTokens};
pub use storage::{MemoryStorage, TokenStorage};
pub use token::{
    ClaimsPassthrough, IntrospectionVerifier, JwksVerifier, TokenKey, TokenVerifier,
    UserInfoVerifier, VerifiedToken, VerifierContext, VerifyError, VerifyFuture, VerifyRequest,
};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

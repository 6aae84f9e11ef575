//! For tests of *your* service (feature `testing`).
//!
//! Three things that such tests need and cannot get from outside of the crate:
//!
//! - a session without a login: [`session`],
//! - proof that the layer stands where it has to: [`assert_protected`], [`assert_public`],
//!   [`assert_cors`], and the same as a `Result` in [`check_protected`], [`check_public`],
//!   [`check_cors`],
//! - time that passes when the test says so: [`ManualClock`].
//!
//! Enable the feature for tests only:
//!
//! ```toml
//! [dev-dependencies]
//! tower-oauth-proxy = { version = "0.1", features = ["testing"] }
//! ```
//!
//! # A handler and its guards
//!
//! Put a session on a request and send it to the routes, **without** the layer around them: the
//! layer removes every session that it did not make.
//!
//! ```
//! use axum::{Extension, Router, body::Body, http::{Request, StatusCode}, routing::get};
//! use tower::ServiceExt;
//! use tower_oauth_proxy::{
//!     AuthSession,
//!     guard::{RequireLayer, require_role},
//!     testing,
//! };
//!
//! async fn report(Extension(session): Extension<AuthSession>) -> String {
//!     format!("the report for {}", session.subject())
//! }
//!
//! fn routes() -> Router {
//!     let analysts = RequireLayer::new(require_role("analyst"));
//!     Router::new().route("/report", get(report)).route_layer(analysts)
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let request = || Request::get("/report").body(Body::empty()).unwrap();
//!
//! let ada = testing::session("ada").roles(["analyst"]);
//! let answer = routes().oneshot(ada.on(request())).await.unwrap();
//! assert_eq!(answer.status(), StatusCode::OK);
//!
//! let bob = testing::session("bob");
//! let answer = routes().oneshot(bob.on(request())).await.unwrap();
//! assert_eq!(answer.status(), StatusCode::FORBIDDEN);
//!
//! let answer = routes().oneshot(request()).await.unwrap();
//! assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
//! # });
//! ```
//!
//! # The finished app
//!
//! Inside `Router::nest`, as a `route_layer`, or before the last route was added, the layer compiles
//! and protects less than it seems to. Ask the app that you serve, with the URL that people type:
//!
//! ```
//! use axum::{Router, routing::{any, get}};
//! use tower_oauth_proxy::{OAuthProxyConfig, OAuthProxyLayer, provider, testing};
//!
//! fn app() -> Result<Router, tower_oauth_proxy::ConfigError> {
//!     let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
//!     let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
//!         .public_paths(["/health"])
//!         .cors_on_protected_paths(true)
//!         .build()?;
//!     Ok(Router::new()
//!         .route("/mcp", any(async || "inside"))
//!         .route("/health", get(async || "ok"))
//!         .layer(OAuthProxyLayer::new(config)))
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let app = app()?;
//! testing::assert_protected(&app, "https://mcp.example.com/mcp").await;
//! testing::assert_public(&app, "https://mcp.example.com/health").await;
//! // Only if web clients are to reach it.
//! testing::assert_cors(&app, "https://mcp.example.com/mcp", "https://inspector.example").await;
//!
//! let mistake = testing::check_public(&app, "https://mcp.example.com/mcp").await.unwrap_err();
//! assert!(mistake.to_string().contains("public_paths"));
//! # Ok::<(), tower_oauth_proxy::ConfigError>(())
//! # }).unwrap();
//! ```

mod app;
mod made_session;
mod manual_clock;
mod mistake;
mod placement;
mod rules;
mod typed;

pub use app::{App, NoBody};
pub use made_session::{SessionBuilder, session};
pub use manual_clock::ManualClock;
pub use mistake::Mistake;
pub use placement::{
    assert_cors, assert_protected, assert_public, check_cors, check_protected, check_public,
};

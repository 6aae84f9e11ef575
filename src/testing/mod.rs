//! Tests of *your* service (feature `testing`).
//!
//! What such tests need and cannot get from outside the crate:
//!
//! - a session without a login: [`session`],
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

mod made_session;
mod manual_clock;

pub use made_session::{SessionBuilder, session};
pub use manual_clock::ManualClock;

//! The test kit: a scriptable identity provider, browsers with cookie jars, an MCP-like client and
//! the clock that a test moves.
//!
//! ```
//! # use testkit::Proxy;
//! # let runtime = tokio::runtime::Runtime::new().unwrap();
//! # runtime.block_on(async {
//! let proxy = Proxy::start().await;
//! let client = proxy.client().await;          // registered
//! let tokens = proxy.journey(&client).await;  // authorize, consent, login, redeem
//! assert_eq!(client.call("/mcp", &tokens.access).await.status, 200);
//! # });
//! ```
//!
//! What the kit itself enforces, by panicking: the cookie rules of browsers (RFC 6265bis), bounded
//! redirect chains, and that no page forbids its own form's redirects (CSP `form-action`).

#![allow(
    missing_debug_implementations,
    missing_docs,
    clippy::unwrap_used,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::new_without_default,
    clippy::print_stdout,
    reason = "a kit for tests: it fails by panicking"
)]

pub mod authority;
pub mod between;
pub mod browser;
pub mod client;
pub mod html;
pub mod https;
pub mod jar;
pub mod measure;
pub mod meddler;
pub mod port;
pub mod postgres;
pub mod provider;
pub mod proxy;
pub mod redis;
pub mod resource;
pub mod store;
pub mod trouble;
pub mod wire;
pub mod workers;

pub use browser::{Browser, Landing};
pub use client::{Auth, Client, Pkce, Tokens};
pub use port::Port;
pub use provider::{Answer, AuthorizeAnswer, Kind, Provider};
pub use proxy::Proxy;
pub use resource::Resource;
pub use store::Store;
pub use tower_oauth_proxy::testing::ManualClock as FakeClock;
pub use wire::{Reply, Wire};

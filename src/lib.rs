//! Stub front page.

#[cfg(feature = "axum")]
pub mod axum;
mod bearer;
mod body;
mod client;
mod clock;
mod config;
mod endpoint;
mod error;
mod event;
mod future;
mod grant;
pub mod guard;
mod handle;
mod key;
mod layer;
mod login;
mod oauth;
mod page;
pub mod provider;
mod proxy;
mod random;
mod route;
mod session;
pub mod storage;
mod token;
mod upstream;

pub use body::ResponseBody;
pub use client::{
    ApplicationType, ClientAuthMethod, InvalidRedirectUri, KnownClient, RedirectPolicy,
    RedirectUri, StaticClient,
};
pub use clock::{Clock, SystemClock};
pub use config::{
    Consent, OAuthProxyConfig, OAuthProxyConfigBuilder, Refusal, RegistrationRequest,
};
pub use error::{BoxError, ConfigError, OAuthError, OAuthErrorCode, StorageError, UpstreamError};
pub use event::{Event, Reason, Step};
pub use future::ResponseFuture;
pub use handle::OAuthProxyHandle;
pub use key::SecretKey;
pub use layer::{OAuthProxyLayer, OAuthProxyService};
pub use login::Identity;
pub use oauth::{InvalidScope, ScopeSet};
pub use provider::Provider;
pub use session::{AuthSession, UpstreamTokens};
pub use storage::{MemoryStorage, TokenStorage};
pub use token::{ClaimsPassthrough, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture};

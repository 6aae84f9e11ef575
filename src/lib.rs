//! Stub front page.

mod bearer;
mod client;
mod clock;
mod config;
mod endpoint;
mod error;
mod event;
mod grant;
mod guard;
mod key;
mod login;
mod oauth;
mod page;
pub mod provider;
mod random;
pub mod storage;
mod token;
mod upstream;

pub use clock::{Clock, SystemClock};
pub use error::{BoxError, ConfigError, OAuthError, OAuthErrorCode, StorageError, UpstreamError};
pub use event::{Event, Reason, Step};
pub use key::SecretKey;

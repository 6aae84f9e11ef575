//! What the operator says: the builder, its rules, and what it becomes.
//!
//! `builder` collects, `build` checks and assembles, `limits` holds every bound and lifetime with
//! its reason, `hooks` the operator's own code.

mod build;
mod builder;
pub(crate) mod hooks;
pub(crate) mod limits;
mod settings;

pub use builder::{Consent, OAuthProxyConfig, OAuthProxyConfigBuilder};
pub use hooks::{Refusal, RegistrationRequest};
pub(crate) use settings::Settings;

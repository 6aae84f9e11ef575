//! What the operator says: `builder` collects it, `settings` is what the running proxy reads,
//! `hooks` the operator's own code. Checks and assembly stand in the proxy's own room.

mod builder;
pub(crate) mod hooks;
mod settings;

pub use builder::{Consent, OAuthProxyConfigBuilder};
pub use hooks::{LoginRequest, Occasion, Refusal, RegistrationRequest};
pub(crate) use settings::Settings;

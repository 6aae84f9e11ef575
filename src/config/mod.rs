//! What the operator says: `builder` collects it, `settings` is what the running proxy reads,
//! `hooks` the operator's own code, `allow_list` the people. Checks and assembly stand in the proxy's own room.

pub(crate) mod allow_list;
mod builder;
pub(crate) mod hooks;
mod options;

pub use builder::{Consent, OAuthProxyConfigBuilder};
pub use hooks::{LoginRequest, Occasion, Refusal, RegistrationRequest};
pub(crate) use options::Options;

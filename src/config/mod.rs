//! What the operator says: `builder` collects it, `settings` is what the running proxy reads,
//! `hooks` the operator's own code, `allow_list` the people; `build` checks and resolves what was said.

pub(crate) mod allow_list;
mod build;
mod builder;
mod check;
mod choices;
pub(crate) mod hooks;
mod options;
mod paths;
mod secrets;
mod weak;

pub use builder::OAuthProxyConfigBuilder;
pub use choices::{Consent, PassOn};
pub use hooks::{LoginRequest, Occasion, Refusal, RegistrationRequest};
pub(crate) use options::Options;

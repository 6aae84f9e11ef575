//! Where answers may go: redirect URIs, the operator's policy, and the callbacks of known clients.

mod known;
mod policy;
mod uri;

pub use known::KnownClient;
pub use policy::RedirectPolicy;
pub(crate) use uri::RedirectUri;

//! Who is asking: registrations, redirect URIs and authentication of clients.
//!
//! A dynamic registration is stored nowhere but in the `client_id` itself, which is sealed with a
//! MAC; [`Clients`] reads it back and finds configured clients beside it.

mod credentials;
mod denied;
mod known_clients;
mod metadata;
mod redirect_policy;
mod redirect_uri;
mod registration;
mod registry;
mod sealed;
mod static_client;

pub(crate) use credentials::{Presented, is_basic};
pub(crate) use denied::Denied;
pub use known_clients::KnownClient;
pub(crate) use metadata::{ClientMetadata, registration_answer};
pub use redirect_policy::RedirectPolicy;
pub use redirect_uri::{InvalidRedirectUri, RedirectUri};
pub use registration::{ApplicationType, ClientAuthMethod};
pub(crate) use registration::{AuthRule, Registration};
pub(crate) use registry::{Client, ClientOrigin, Clients, Identified};
pub(crate) use sealed::{TooLarge, derive_secret, open, seal, verify_secret};
pub use static_client::StaticClient;

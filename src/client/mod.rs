//! Who is asking: registrations, redirect URIs and authentication of clients.
//!
//! A dynamic registration is stored nowhere but in the `client_id` itself, which is sealed with a
//! MAC; [`Clients`] reads it back and finds configured clients beside it.

mod auth;
mod client_metadata;
mod clients;
mod denied;
mod kind;
mod redirect;
mod registration;

pub use auth::ClientAuthMethod;
pub(crate) use auth::{AuthRule, Presented, is_basic};
pub(crate) use client_metadata::{ClientMetadata, registration_answer};
pub(crate) use clients::{Client, ClientOrigin, Clients, Identified};
pub(crate) use denied::Denied;
pub use kind::StaticClient;
pub(crate) use kind::{TooLarge, derive_secret, open, seal, verify_secret};
pub(crate) use redirect::RedirectUri;
pub use redirect::{KnownClient, RedirectPolicy};
pub(crate) use registration::{ApplicationType, Registration};

//! Who is asking: [`Clients::identify`] is the one door to a client, of whatever kind.
//!
//! - `kind`: where clients come from, one file each: those that registered themselves, whose
//!   registration is signed into their `client_id`, those whose `client_id` is the URL of a document about
//!   them, and those that the operator configured
//! - `auth`: how a client proves that it is the one
//! - `redirect`: where its answers may go

mod auth;
mod client_metadata;
mod clients;
mod denied;
mod identified;
mod kind;
mod redirect;
mod registration;
mod seen;

#[cfg(test)]
pub(crate) use auth::AuthRule;
pub use auth::{ClientAuthMethod, PublicKeys};
pub(crate) use auth::{KeyProofs, Presented, is_basic};
pub(crate) use client_metadata::{ClientMetadata, registration_answer};
pub(crate) use clients::{Clients, Unproven};
pub(crate) use denied::DeniedClients;
pub(crate) use identified::{Client, ClientKind, Identified};
pub(crate) use kind::{DocumentClients, Machine};
pub use kind::{MetadataDocuments, StaticClient};
pub(crate) use redirect::RedirectUri;
pub use redirect::{KnownClient, RedirectPolicy};
pub(crate) use seen::{SeenClient, SeenDocument};

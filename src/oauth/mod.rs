//! Pure types of the protocol that cannot hold a bad value, and the rules on them.
//!
//! Nothing here does I/O or knows a clock. [`uri`] is the one place that takes a URI of a stranger
//! apart; every other type that holds one stands on it.

mod base_url;
mod description;
mod grant_type;
mod params;
mod pkce;
mod printable;
mod quality;
mod resource;
mod scope;
mod scope_implications;
mod shared_text;
mod text;
mod uri;

pub(crate) use base_url::BaseUrl;
pub(crate) use description::{describable, description};
pub(crate) use grant_type::GrantType;
pub(crate) use params::{Params, ParamsError, form_decode};
pub(crate) use pkce::{CodeChallenge, CodeVerifier, PkceError};
pub(crate) use printable::{is_blank, printable};
pub(crate) use quality::quality;
pub(crate) use resource::{InvalidTarget, Resource};
pub use scope::{InvalidScope, ScopeSet};
pub(crate) use scope_implications::{HeldScopes, ScopeCircle, ScopeImplications};
pub(crate) use shared_text::SharedText;
pub(crate) use uri::{StrictUri, UriFault, hex_pair};

//! The identity provider, as data: where it is, how it wants to be spoken to, what its answers mean.
//!
//! A preset fills a [`Provider`] in; every field can be changed afterwards. [`generic()`] takes any
//! OAuth 2.0 or OpenID Connect server. To add a preset, add a small file like `google.rs`.
//!
//! ```
//! use tower_oauth_proxy::provider;
//!
//! let google = provider::google("client-id.apps.googleusercontent.com", "client-secret")
//!     .scopes(["openid", "email"]);
//! assert!(google.check().is_ok());
//!
//! let auth0 = provider::generic(
//!     "https://tenant.auth0.com/authorize",
//!     "https://tenant.auth0.com/oauth/token",
//!     "client-id",
//!     "client-secret",
//! )
//! .issuer("https://tenant.auth0.com/")
//! .scopes(["openid", "email", "offline_access"])
//! .authorization_param("audience", "https://api.example")
//! .token_param("audience", "https://api.example")
//! .refresh_param("audience", "https://api.example");
//! assert!(auth0.check().is_ok());
//! ```

mod answer;
mod authorize;
mod azure;
mod body;
mod check;
mod credentials;
mod email;
#[cfg(test)]
pub(crate) mod fake;
mod generic;
mod github;
mod github_person;
mod google;
mod id_token;
mod identity;
mod issuer;
mod person;
mod prompt;
#[allow(
    clippy::module_inception,
    reason = "the room is named after its one noun"
)]
mod provider;
mod refusal;
mod requests;
mod scopes;
#[cfg(test)]
mod tests;
mod transport;
mod verdict;

pub(crate) use answer::TokenAnswer;
pub(crate) use authorize::RESERVED as RESERVED_AT_AUTHORIZE;
pub use azure::azure;
pub(crate) use credentials::RESERVED as RESERVED_AT_TOKEN;
pub use generic::generic;
pub use github::github;
pub use google::google;
pub(crate) use id_token::{Expected, IdTokenError, check as check_id_token, subject as subject_of};
pub use identity::Identity;
pub(crate) use identity::domain_of;
pub(crate) use issuer::IssuerRule;
pub(crate) use person::IdentityError;
pub use provider::{Provider, TokenEndpointAuth};
pub(crate) use provider::{Revocation, Who};
pub(crate) use requests::ProviderClient;
pub(crate) use transport::{Customize, http_client};

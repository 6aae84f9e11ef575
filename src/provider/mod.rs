//! The identity provider: where it is, how to ask it, and what its answers mean.
//!
//! A preset fills in a [`Provider`], and every setting can be changed afterwards. [`oidc()`] takes any
//! OpenID Connect server by its issuer, [`generic()`] any OAuth 2.0 server by its URLs. The chapter
//! [`docs::providers`](crate::docs::providers) has a table of the presets, and how to register an app.
//!
//! ```
//! use tower_oauth_proxy::provider;
//!
//! let google = provider::google("client-id.apps.googleusercontent.com", "client-secret")
//!     .scopes(["openid", "email"]);
//! assert!(google.check().is_ok());
//!
//! let auth0 = provider::auth0("acme.eu.auth0.com", "client-id", "client-secret")
//!     .audience("https://api.acme.example")
//!     .scopes(["openid", "email", "read:reports"]);
//! assert!(auth0.check().is_ok());
//! ```

// Inside the room, from the bottom up:
//
// - What comes back: `answer`, `content`, `upstream_error`, `redaction`; the person: `identity`, `merge`.
// - Where it is: `endpoints`, `discovery_error`, `discovery_document`.
// - `origin`: a host as operators write it. `dialect`: what may differ between providers. `credential`,
//   `client_key`, `supply`: what proves that we are its app. `provider`: one of them, and its one app;
//   `params`: what else is sent for it; `client_authentication`: how the app proves itself.
// - `claim_path`, `claim_rule`: a condition on a person; `allowed`: those of one provider.
// - Rules on a provider: `fault`, `discovery`, `issuer`, `id_token`, `email`, `prompt`, `scope_names`.
// - What is sent: `authorization_url`, `form`. What the answer means: `token_answer`, `rejection`,
//   `finality`.
// - `key_sets` and `discovery_lookup` fetch documents; `requests`, `revocation`, `on_behalf`, `verified`,
//   `memberships` and `person` do the sending, and nothing else here does; `providers` are all of them, and `client_document`
//   is what they read about us.
// - `preset`: a file for each provider. To add one: that file, and its name in `preset/mod.rs`.

mod allowed;
mod answer;
mod audience_proof;
mod authorization_url;
mod claim_path;
mod claim_rule;
mod client_authentication;
mod client_document;
mod client_key;
mod content;
mod credential;
mod dialect;
mod discovery;
mod discovery_document;
mod discovery_error;
mod discovery_lookup;
mod email;
mod endpoints;
#[cfg(test)]
pub(crate) mod fake;
mod fault;
mod finality;
mod form;
mod id_token;
mod identity;
mod issued;
mod issuer;
mod issuer_keys;
mod key_sets;
mod memberships;
mod merge;
mod on_behalf;
mod origin;
mod params;
mod person;
mod preset;
mod prompt;
#[allow(
    clippy::module_inception,
    reason = "the room is named after its one noun"
)]
mod provider;
mod providers;
mod reached;
mod redaction;
mod rejection;
mod requests;
mod revocation;
mod scope_names;
mod supply;
mod target;
mod terms;
#[cfg(test)]
mod tests;
mod token_answer;
mod upstream_error;
mod verified;

pub(crate) use allowed::ORGANIZATIONS;
pub(crate) use audience_proof::{Ask, Issued};
pub(crate) use authorization_url::RESERVED as RESERVED_AT_AUTHORIZE;
pub(crate) use claim_path::{claim_at, first_of};
pub(crate) use claim_rule::ClaimRule;
pub(crate) use client_document::{AboutUs, client_document};
pub use client_key::ClientKey;
pub(crate) use client_key::assertions_by;
pub use credential::{ClientCredential, CredentialRequest};
pub(crate) use discovery_lookup::Lookups;
pub(crate) use fault::{check_url, has_control, is_id, shown_url};
pub(crate) use form::{ASSERTION_TYPE, RESERVED as RESERVED_AT_TOKEN, basic, bearer};
pub(crate) use id_token::IdTokenError;
#[cfg(test)]
pub(crate) use id_token::{Expected, check as check_id_token};
pub use identity::Identity;
pub(crate) use identity::{domain_of, is_subject, subject as subject_of};
pub(crate) use issuer_keys::{IssuerKeys, KeysError};
pub(crate) use merge::may_vouch;
pub(crate) use on_behalf::OnBehalfError;
pub(crate) use person::IdentityError;
pub use preset::*;
pub use provider::{Provider, TokenEndpointAuth};
pub(crate) use providers::Providers;
pub(crate) use reached::Reached;
pub(crate) use requests::ProviderClient;
pub(crate) use scope_names::IDENTITY_SCOPES;
pub(crate) use supply::{Supply, Wanted};
pub use target::TokenTarget;
pub(crate) use terms::Terms;
pub(crate) use token_answer::TokenAnswer;
pub(crate) use upstream_error::{Finality, UpstreamError};

//! What the operator says: the builder collects it in plain options, and `build` checks it as a whole.
//! Nothing here runs; [`ResourceServer`](crate::resource_server::ResourceServer) is put together from what
//! comes out.

pub(crate) mod allow_list;
mod authorization_servers;
mod bearer_sources;
mod build;
mod builder;
mod choices;
mod choose_provider;
mod configuration;
mod faults;
mod for_resource_bearers;
mod for_resource_pages;
mod for_resource_server;
mod grant_types;
pub(crate) mod hooks;
mod introspection;
mod issuer_tokens;
mod machine_faults;
mod odd;
mod options;
#[cfg(test)]
mod options_chapter;
mod outbound;
mod page_languages;
mod page_options;
mod path_faults;
mod people_rules;
mod provider_terms;
mod remarks;
mod scope_option;
mod scope_rules;
mod secrets;
mod shown_text;
mod trusted_issuer;
mod trusted_issuers;
mod weak;
mod workload;

pub(crate) use bearer_sources::{BearerSources, Vouches};
pub use builder::OAuthProxyConfigBuilder;
pub use choices::{AccountPage, Consent, PassOn};
pub use choose_provider::{ProviderChoice, ProviderRequest};
pub use configuration::OAuthProxyConfig;
pub(crate) use configuration::ServerConfig;
pub use for_resource_server::ResourceServerBuilder;
pub use hooks::{LoginRequest, Occasion, RegistrationRequest, Veto};
pub(crate) use options::Options;
pub(crate) use trusted_issuer::Assertions;
pub use trusted_issuer::TrustedIssuer;
pub(crate) use trusted_issuers::{Trusted, TrustedIssuers};
pub use workload::Workload;

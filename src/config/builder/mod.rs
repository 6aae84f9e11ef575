//! The builder: one method for each option, none of which can fail before `build`. A file for each group
//! of options.

mod for_bearers;
mod for_clients;
mod for_keys;
mod for_limits;
mod for_operation;
mod for_pages;
mod for_people;
mod for_provider;
mod for_resources;
mod for_tokens;
mod said;

pub use said::OAuthProxyConfigBuilder;

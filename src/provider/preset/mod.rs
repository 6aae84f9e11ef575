//! One provider a file: where it is, how it wants to be asked, and what only it does.
//!
//! To add one, write a file like these and name it here. A preset fills in a
//! [`Provider`](super::Provider); what data cannot say, its `Dialect` does.

mod apple;
mod atlassian;
mod auth0;
mod authentik;
mod azure_b2c;
mod azure_external;
mod cognito;
mod discord;
mod entra;
mod generic;
mod github;
mod github_app;
mod gitlab;
mod google;
mod hugging_face;
mod keycloak;
mod linkedin;
mod notion;
mod oidc;
mod okta;
mod salesforce;
mod slack;
mod workos;

pub use apple::apple;
pub use atlassian::atlassian;
pub use auth0::auth0;
pub use authentik::authentik;
pub use azure_b2c::azure_b2c;
pub use azure_external::azure_external;
pub use cognito::cognito;
pub use discord::discord;
pub use entra::azure;
pub use generic::generic;
pub use github::github;
pub use github_app::github_app;
pub use gitlab::gitlab;
pub use google::google;
pub use hugging_face::hugging_face;
pub use keycloak::keycloak;
pub use linkedin::linkedin;
pub use notion::notion;
pub use oidc::oidc;
pub use okta::okta;
pub use salesforce::salesforce;
pub use slack::{slack, slack_user};
pub use workos::workos;

#[cfg(test)]
mod tests;

//! One provider a file: where it is, how it wants to be asked, and what only it does.
//!
//! To add one, write a file like these and name it here. A preset fills in a
//! [`Provider`](super::Provider); what data cannot say, its `Dialect` does.

mod atlassian;
mod discord;
mod entra;
mod generic;
mod github;
mod github_app;
mod google;
mod linkedin;
mod notion;
mod oidc;
mod salesforce;
mod slack;

pub use atlassian::atlassian;
pub use discord::discord;
pub use entra::azure;
pub use generic::generic;
pub use github::github;
pub use github_app::github_app;
pub use google::google;
pub use linkedin::linkedin;
pub use notion::notion;
pub use oidc::oidc;
pub use salesforce::salesforce;
pub use slack::{slack, slack_user};

#[cfg(test)]
mod tests;

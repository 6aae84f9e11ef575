//! One provider a file: where it is, how it wants to be asked, and what only it does.
//!
//! To add one, write a file like these and name it here. A preset fills in a
//! [`Provider`](super::Provider); what data cannot say, its `Dialect` does.

mod entra;
mod generic;
mod github;
mod google;
mod oidc;

pub use entra::azure;
pub use generic::generic;
pub use github::github;
pub use google::google;
pub use oidc::oidc;

#[cfg(test)]
mod tests;

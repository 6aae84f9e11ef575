//! The provider seen as an HTTP peer: exchange, refresh, revoke, and what its answers mean.
//!
//! Knows no grant and no person. Every answer is bounded in size and time, no redirect is followed,
//! and no error holds a token, a code or a secret.

mod answer;
mod body;
mod client;
mod credentials;
#[cfg(test)]
pub(crate) mod fake;
mod refusal;
#[cfg(test)]
mod tests;
mod transport;
mod verdict;

pub(crate) use answer::TokenAnswer;
pub(crate) use client::UpstreamClient;
pub(crate) use credentials::RESERVED as RESERVED_AT_TOKEN;
pub(crate) use transport::{Customize, http_client};

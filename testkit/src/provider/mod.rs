//! An identity provider that follows a script.
//!
//! By default it behaves well: it logs its one person in without asking, checks client, redirect
//! URI and PKCE, lets a code be redeemed once, rotates refresh tokens and takes the reuse of one as
//! theft. [`Settings`] changes what kind of provider it is, an [`Answer`] what it says next.
//!
//! It says where it is in a document below its issuer, and publishes keys. Until a test gives it one
//! ([`Provider::signs`]) it signs nothing.
//!
//! Every secret that it issues contains `UPSTREAM-`, so that a test can look for leaks.

mod bodies;
mod client;
mod exchange;
mod ledger;
mod metadata;
mod script;
mod server;
mod signing;

pub use script::{Answer, AuthorizeAnswer, ClientAuth, Gate, Kind, MetadataAt, Recorded, Settings};
pub use server::Provider;
pub use signing::{Signing, SigningKey};

/// What every secret of the provider contains, its client secret included.
pub const MARK: &str = "UPSTREAM-";

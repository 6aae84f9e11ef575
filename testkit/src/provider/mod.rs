//! An identity provider that follows a script.
//!
//! By default it behaves well: it logs its one person in without asking, checks client, redirect
//! URI and PKCE, lets a code be redeemed once, rotates refresh tokens and takes the reuse of one as
//! theft. [`Settings`] changes what kind of provider it is, an [`Answer`] what it says next.
//!
//! Every secret that it issues contains `UPSTREAM-`, so that a test can look for leaks.

mod ledger;
mod script;
mod server;

pub use script::{Answer, AuthorizeAnswer, ClientAuth, Gate, Kind, Recorded, Settings};
pub use server::Provider;

/// What every secret of the provider contains, its client secret included.
pub const MARK: &str = "UPSTREAM-";

//! Whether the live parts work: the store, the providers, the clock. For a readiness endpoint.
//!
//! - `handle`: what the operator holds; `flight`: one probe for all who ask; `outcome`: what was found.
//! - `parts`: asks them all, and tells what changed; `of_store`: what a store is asked; `of_clock`: a rule.

mod flight;
mod handle;
mod of_clock;
mod of_store;
mod outcome;
mod parts;

pub use handle::OAuthProxyHandle;
pub use outcome::{Probe, ProbeCheck, ProbedPart};

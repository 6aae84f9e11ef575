//! One typed event for each step and refusal.
//!
//! Events go to `tracing` under the target `tower_oauth_proxy` and to the operator's callback. They
//! say who it is about and why, with a finite [`Reason`], so that "never came back" and "we refused" can be
//! distinguished and counted. They never carry a token, a code, a secret or a cookie.
//!
//! `what` is the event, `who` whom it is about, `told` its words, `narrowed` what is left of it where no person may
//! be named, and `events` the one place that it leaves by. `step`, `reason` and `fault` are its stable words. `span`
//! joins to it what other code logs meanwhile.

mod events;
mod fault;
mod narrowed;
mod reason;
mod span;
mod step;
mod told;
mod what;
mod who;

pub use fault::Fault;
pub use narrowed::Detail;
pub use reason::Reason;
pub use step::Step;
pub use what::Event;
pub(crate) use {
    events::{EventCallback, Events},
    span::{mark_span, span, span_of_its_own},
    told::Told,
    who::Who,
};

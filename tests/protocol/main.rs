//! The protocol, rule by rule, over HTTP: one module for each step of the journey.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod account;
mod authorize;
mod bearer;
mod browsers;
mod callback;
mod compose;
mod consent;
mod credentials;
mod discovery;
mod finished;
mod for_people;
mod grace;
mod journey;
mod modes;
mod order;
mod overtaken;
mod pass_on;
mod paths;
mod planted;
mod posted;
mod redeem;
mod refresh;
mod register;
mod revoke;
mod sizing;
mod state;
mod verbs;

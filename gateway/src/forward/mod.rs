//! The side of the server behind: what goes to it, and what comes back.

mod connector;
mod download;
mod failure;
mod judged;
mod server;
mod service;
mod target;
mod tunnel;
mod way_back;

pub(crate) use judged::Judged;
pub(crate) use service::{Behind, Forward};

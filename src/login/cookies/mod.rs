//! The sealed cookies of logins in progress.
//!
//! `jar` sets, finds and takes them, `afterwards` those of a login that is back from the provider,
//! `room` says which have to go when one more comes, `kind` names them, `sealing` is their format, `line` how
//! they stand in headers.

mod afterwards;
mod jar;
mod kind;
mod line;
mod room;
mod sealing;

pub(crate) use jar::Cookies;
pub(crate) use sealing::CookieKeys;

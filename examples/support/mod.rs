//! What the examples share.

#![allow(dead_code, unreachable_pub, reason = "no example uses all of it")]

pub mod env;
pub mod idp;
pub mod serve;
mod upstream;

#[cfg(test)]
mod tests;

//! What the examples share.

#![allow(dead_code, unreachable_pub, reason = "no example uses all of it")]

mod clients;
pub mod env;
mod files;
pub mod idp;
mod known;
pub mod log;
mod machines;
mod outbound;
pub mod pages;
pub mod serve;
mod signing;
pub mod stage;
pub mod tool_rules;
mod upstream;

#[cfg(test)]
mod tests;

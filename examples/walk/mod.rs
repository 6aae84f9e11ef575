//! The journey of an MCP client, to be watched: with a person in a browser, or alone.

pub(crate) mod alone;
mod journey;
pub(crate) mod mcp;
pub(crate) mod page;
pub(crate) mod provider_only;
mod verdict;
pub(crate) mod web;
mod wire;

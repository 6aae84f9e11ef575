//! What a configuration comes to, for the operator at start: as text and as data.
//!
//! - `contents`: the data; `as_text`: the same for a log.
//! - `gather`: from the checked configuration; `admitted`: who may log in; `times`: the lifetimes;
//!   `reached`: clients and bearer tokens.
//! - `findings`: what will not work, and what the operator should know.

mod admitted;
mod as_text;
mod contents;
mod findings;
mod gather;
mod reached;
#[cfg(test)]
mod tests;
mod times;

pub use contents::{
    Finding, FindingLevel, Report, ReportedClients, ReportedImplication, ReportedLimit,
    ReportedMode, ReportedProvider, ReportedSource, ReportedStore, ReportedTime, ReportedUrl,
};

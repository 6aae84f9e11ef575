//! `--stdio`: a local MCP server, which speaks on its standard streams, as an endpoint of Streamable HTTP.
//!
//! Up to 2025-11-25 a session begins with `initialize` and has a process of its own; its id is good for the person and
//! the client that began it. From 2026-07-28 on there are no sessions: the requests of one person with one client share
//! a process. Towards a process every request has an id of ours (`mux`); all else goes on in the sender's words
//! (`message`).
//!
//! A process is told for whom it works when it starts (`environment`). A request whose token allows less than that does
//! not reach it (`owner`). When it ends, by itself or not, those who wait are told, its session is unknown, and nothing
//! that it started is left (`supervisor`).

mod answering;
mod asked;
mod behind;
mod body;
mod environment;
mod era;
mod framing;
mod message;
mod mux;
mod owner;
mod pool;
mod process;
mod program;
mod refusal;
mod settings;
mod supervisor;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use behind::StdioBehind;
pub(crate) use settings::StdioSettings;

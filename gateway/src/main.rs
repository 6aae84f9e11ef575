//! OAuth 2.1 login in front of any MCP server.

mod stdio;

fn main() {}

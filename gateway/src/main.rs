//! OAuth 2.1 login in front of any MCP server.

fn main() {}

//! Rules by MCP method and tool.

#[allow(dead_code, unused_imports, reason = "the rules by tool read bodies with it")]
mod reader;

//! Bounds on the JSON-RPC messages that are read for rules by tool. They are what the body costs us: what is
//! between them is not kept.

/// How deep containers may stand in each other. Readers stop at different depths (serde_json at 128, Python near
/// 1,000, JavaScript never): below the first of them, all see the same. Honest messages have some ten.
pub(crate) const MAX_JSON_DEPTH: u8 = 100;
/// Keys that a message, or its `params`, may have besides those that are read. MCP's largest has eight.
pub(crate) const MAX_JSON_KEYS: usize = 64;
/// One of those keys, in bytes. Long names are for what stands in `_meta` and `arguments`, which are not read.
pub(crate) const MAX_JSON_KEY: usize = 128;
/// Messages in one batch. MCP had batches in one version, and clients that sent more than a few are not known.
pub(crate) const MAX_BATCH: usize = 100;
/// One entry of a server's list that is filtered, in bytes: it is kept until its name is known. Schemas of large tools
/// have some 50 KiB, icons may stand in them too.
pub(crate) const MAX_LISTED: usize = 1024 * 1024;

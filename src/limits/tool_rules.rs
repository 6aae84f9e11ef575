//! The bounds of rules by tool.

// ---- guard: rules by tool

/// A pattern of a rule, in bytes: a name, or the beginning of a URI.
pub(crate) const MAX_RULE_PATTERN: usize = 1024;
/// Rules of one kind. They are looked through with each call.
pub(crate) const MAX_RULES: usize = 1_000;
/// A method or a name in a body, in bytes. A URI of a resource is the longest; header lines of servers end at 8 KiB.
pub(crate) const MAX_CALL_NAME: usize = 8 * 1024;
/// What is held back of a body until its call is known, unless the operator says otherwise. Clients write the method
/// and the name before the arguments, or after arguments of a few KiB.
pub(crate) const HELD_BACK: usize = 64 * 1024;
/// The least that the operator may choose: a message of a few names.
pub(crate) const MIN_HELD_BACK: usize = 1024;
/// The most: each request that waits may hold so much.
pub(crate) const MAX_HELD_BACK: usize = 16 * 1024 * 1024;
/// A method or a name in an event, in characters: the event says more than that.
pub(crate) const MAX_TOLD_NAME: usize = 128;

//! What a body asks for: the method of each message, and the name of what it is about.

/// A body that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    One(Call),
    /// As MCP 2025-03-26 allowed. It is known at its end, and never empty.
    Batch(Vec<Call>),
}

impl Message {
    /// Every message in the body.
    pub(crate) fn calls(&self) -> &[Call] {
        match self {
            Self::One(call) => std::slice::from_ref(call),
            Self::Batch(calls) => calls,
        }
    }
}

/// One request, notification or response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// `None`: a response to what the server asked.
    pub(crate) method: Option<Box<str>>,
    /// What [`name_key`] of the method names, where `params` has it.
    pub(crate) name: Option<Box<str>>,
}

/// The members of `params` that `Mcp-Name` repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKey {
    Name,
    Uri,
    TaskId,
}

/// Which member of `params` says what a call of this method is about. For all other methods the method says
/// all. The list of SEP-2243, and of SEP-2663 for tasks.
pub(crate) fn name_key(method: &str) -> Option<NameKey> {
    Some(match method {
        "tools/call" | "prompts/get" => NameKey::Name,
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => NameKey::Uri,
        "tasks/get" | "tasks/update" | "tasks/cancel" => NameKey::TaskId,
        _ => return None,
    })
}

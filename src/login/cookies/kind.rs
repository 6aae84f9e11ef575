//! What the cookies are called.

use crate::key::sha256;

/// Which of the cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Login,
    Account,
    Approvals,
    Finished,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Request,
        Self::Login,
        Self::Account,
        Self::Approvals,
        Self::Finished,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Login => "login",
            Self::Account => "account",
            Self::Approvals => "approved",
            Self::Finished => "finished",
        }
    }
}

const TAG_BYTES: usize = 6;

/// What a cookie's name says about the request or login that it holds: enough to find it by the id
/// or the `state`, not enough to guess the `state`.
pub(super) fn tag(of: &str) -> String {
    let hash = sha256(of.as_bytes());
    hash.iter()
        .take(TAG_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether this has the form of a tag: nothing else in a cookie's name is ours to repeat.
pub(super) fn is_tag(text: &str) -> bool {
    text.len() == 2 * TAG_BYTES && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

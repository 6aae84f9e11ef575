//! Why a body is not read: two JSON readers could understand it differently, or no reader can.

use super::key_name::Known;
use crate::limits::{MAX_BATCH, MAX_JSON_DEPTH, MAX_JSON_KEY, MAX_JSON_KEYS};

/// What is wrong with a body. Says what, and never repeats what the client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ambiguous {
    #[error("the body is empty; send one JSON-RPC message")]
    Empty,
    #[error("the body begins with a byte order mark; send UTF-8 without one")]
    ByteOrderMark,
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is not JSON as RFC 8259 defines it")]
    NotJson,
    #[error("the body ends before its JSON does")]
    Unfinished,
    #[error("something follows the JSON message; send one message in one body")]
    Trailing,
    #[error("the JSON is nested deeper than {MAX_JSON_DEPTH} levels")]
    TooDeep,
    #[error("the body is neither a JSON object nor an array of JSON objects")]
    NotAMessage,
    #[error("the batch is empty")]
    EmptyBatch,
    #[error("the batch has more than {MAX_BATCH} messages")]
    LongBatch,
    /// One of the keys that are read.
    #[error("the key `{0}` stands twice in one object")]
    TwoKeys(Known),
    /// Another key: its name is the client's.
    #[error("a key of a message or of its `params` stands twice")]
    OtherKeyTwice,
    #[error("a key is spelled almost like `{0}`, and some JSON readers take it for that")]
    AlmostKey(Known),
    #[error("a message and its `params` must not have the key `__proto__`")]
    Prototype,
    #[error("a key of a message or of its `params` has a NUL character or half a surrogate pair")]
    BadKey,
    #[error("a key of a message or of its `params` is longer than {MAX_JSON_KEY} bytes")]
    LongKey,
    #[error("a message or its `params` has more than {MAX_JSON_KEYS} keys of other names")]
    ManyKeys,
    #[error("`params` is not an object")]
    ParamsNotObject,
    #[error("`{0}` is not a string")]
    NotText(Known),
    #[error("`{0}` has a NUL character or half a surrogate pair")]
    BadText(Known),
    #[error("`{0}` is longer than a name may be")]
    LongText(Known),
    #[error("a message has both a `method` and a `result` or `error`")]
    TwoKinds,
    #[error("a message has neither `method` nor `result` nor `error`")]
    NoKind,
}

//! The text of a grant's record.

use super::super::Grant;
use crate::error::StorageError;

pub(super) fn encode(grant: &Grant) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(grant).map_err(|error| StorageError::Corrupt(error.to_string()))
}

/// The error says what is wrong and quotes nothing of the record.
pub(super) fn decode(text: &[u8]) -> Result<Box<Grant>, String> {
    serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("{:?} error at {line}:{column}", error.classify())
    })
}

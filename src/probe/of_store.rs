//! What a store is asked: to keep a record, to give it back, and to give it away.

use crate::{
    error::{StorageError, with_causes},
    limits::PROBE_RECORD_TTL,
    random,
    vault::{Vault, hashed_key},
};

/// The first byte of what is written.
const VERSION: u8 = 1;
/// What makes two probes differ.
const NONCE_BYTES: usize = 16;

/// What is wrong with it. The record's name is of this probe alone, so instances do not meet.
pub(super) async fn fault(vault: &Vault) -> Option<String> {
    match ask(vault).await {
        Ok(None) => None,
        Ok(Some(words)) => Some(words.to_owned()),
        Err(error) => Some(with_causes(&error)),
    }
}

async fn ask(vault: &Vault) -> Result<Option<&'static str>, StorageError> {
    let key = hashed_key("probe:", &random::token::<NONCE_BYTES>());
    let text = record();
    vault.set(&key, &text, PROBE_RECORD_TTL).await?;
    if vault.peek(&key).await?.as_deref() != Some(text.as_slice()) {
        return Ok(Some(
            "a record that was just written does not come back: is it a replica that is read, or is the \
             store full?",
        ));
    }
    Ok(
        match vault.take(&key).await?.as_deref() == Some(text.as_slice()) {
            true => None,
            false => Some("a record that is there cannot be removed"),
        },
    )
}

fn record() -> Vec<u8> {
    [&[VERSION], random::bytes::<NONCE_BYTES>().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is not read later: what counts is that no version of this crate takes it for something else.
    #[test]
    fn a_record_begins_with_its_version() {
        let record = record();
        assert_eq!((record.len(), record.first()), (1 + NONCE_BYTES, Some(&1)));
    }
}

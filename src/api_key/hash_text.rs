//! The hash of a key as the operator keeps it: `sha256:` and 64 hexadecimal digits.

use std::fmt::Write;

use super::key_text::{Hash, PREFIX};
use crate::oauth::hex_pair;

const KIND: &str = "sha256:";

pub(super) fn write_hash(hash: &Hash) -> String {
    hash.iter().fold(KIND.to_owned(), |mut text, byte| {
        // A string takes whatever is written.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// # Errors
///
/// What is wrong with the text, for the operator. It may be the key itself, so it is not quoted.
pub(crate) fn read_hash(text: &str) -> Result<Hash, String> {
    if text.contains(PREFIX) {
        return Err(
            "has a key where its hash belongs: keep the key out of the configuration, and take the hash that \
             ApiKey::generate gives, or `sha256:` and the output of `printf %s \"$KEY\" | sha256sum`"
                .to_owned(),
        );
    }
    let Some(digits) = text.strip_prefix(KIND) else {
        return Err(format!(
            "has a hash that does not begin with `{KIND}`: no other kind is known"
        ));
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(hex_pair).collect();
    let hash = bytes.and_then(|bytes| Hash::try_from(bytes).ok());
    hash.ok_or_else(|| {
        let length = digits.chars().count();
        format!(
            "has a hash of {length} characters behind `{KIND}`, and needs 64 hexadecimal digits"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::sha256;

    #[test]
    fn a_hash_is_read_as_it_is_written_and_as_sha256sum_writes_it() {
        let hash = sha256(b"abc");
        let text = write_hash(&hash);
        // FIPS 180-2, appendix B.1.
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(text, known);
        assert_eq!(read_hash(&text), Ok(hash));
        let upper = format!("sha256:{}", text[7..].to_uppercase());
        assert_eq!(read_hash(&upper), Ok(hash));
    }

    #[test]
    fn what_is_no_hash_is_refused_and_a_key_in_its_place_is_not_quoted() {
        let good = write_hash(&sha256(b"abc"));
        for (text, words) in [
            ("", "does not begin with `sha256:`"),
            (&good[7..], "does not begin with `sha256:`"),
            ("sha512:00", "does not begin with `sha256:`"),
            ("sha256:", "of 0 characters"),
            (&good[..70], "of 63 characters"),
            (&format!("{good}0"), "of 65 characters"),
            (&format!("{good}00"), "of 66 characters"),
            (&format!("{}g", &good[..70]), "of 64 characters"),
            (&format!(" {good}"), "does not begin with `sha256:`"),
            (&format!("{good}\n"), "of 65 characters"),
            (&good.replacen("ba", "é", 1), "of 63 characters"),
            ("topkey_SECRET", "a key where its hash belongs"),
            ("sha256:topkey_SECRET", "a key where its hash belongs"),
        ] {
            let why = read_hash(text).unwrap_err();
            assert!(why.contains(words), "{text:?}: {why}");
            assert!(!why.contains("SECRET"), "{why}");
        }
    }
}

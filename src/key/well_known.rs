//! Secrets that are not secret: repeated characters, counted ones, the words of manuals.
//!
//! A pure rule that knows nothing of entropy: it refuses what people type to try the server out, and
//! never what comes from a random generator.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Why a secret can be guessed; the words complete a sentence about it. At least a third of the
/// required bytes must be something that no manual shows.
pub(crate) fn weakness(secret: &[u8], least: usize) -> Option<&'static str> {
    judge(secret, least).or_else(|| {
        // Text in one of these alphabets says as much as the bytes behind it.
        let text = str::from_utf8(secret).ok()?.trim_end_matches('=');
        let decoded = [
            (hex(text), least / 2),
            (STANDARD_NO_PAD.decode(text).ok(), least * 3 / 4),
            (URL_SAFE_NO_PAD.decode(text).ok(), least * 3 / 4),
        ];
        decoded
            .iter()
            .find_map(|(bytes, least)| judge(bytes.as_deref()?, *least))
    })
}

fn judge(secret: &[u8], least: usize) -> Option<&'static str> {
    let unknown = unknown(secret);
    if unknown.len() < least / 3 {
        return Some("is made of well-known words");
    }
    if repeats(secret) || repeats(&unknown) {
        return Some("repeats a few characters");
    }
    (counts(secret) || counts(&unknown)).then_some("counts up or down")
}

/// At most four different bytes (fewer where there are few), or one piece again and again.
fn repeats(bytes: &[u8]) -> bool {
    let mut different: Vec<u8> = bytes.to_vec();
    different.sort_unstable();
    different.dedup();
    let is_period = |period: usize| {
        bytes
            .iter()
            .zip(bytes.iter().skip(period))
            .all(|(a, b)| a == b)
    };
    different.len() <= 4.min(bytes.len() / 3) || (1..=bytes.len() / 2).any(is_period)
}

/// Three quarters of the steps from byte to byte, or from one to the next but one, are the same.
fn counts(bytes: &[u8]) -> bool {
    const SOME: usize = 8;
    bytes.len() >= SOME
        && [1, 2].into_iter().any(|stride| {
            let mut seen = [0_usize; 256];
            let mut steps = 0;
            for (a, b) in bytes.iter().zip(bytes.iter().skip(stride)) {
                steps += 1;
                if let Some(count) = seen.get_mut(usize::from(b.wrapping_sub(*a))) {
                    *count += 1;
                }
            }
            seen.iter().any(|count| 4 * count >= 3 * steps)
        })
}

/// What is left of a text without the words below and the separators beside them. What is not text
/// stays whole.
fn unknown(secret: &[u8]) -> Vec<u8> {
    if !secret.is_ascii() {
        return secret.to_vec();
    }
    let mut known = vec![false; secret.len()];
    let text = secret.to_ascii_lowercase();
    mark_anywhere(&text, &mut known);
    mark_alone(&text, &mut known);
    let is_beside = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| known.get(at));
        before == Some(&true) || known.get(at + 1) == Some(&true)
    };
    let is_known = |at: usize, byte: u8| {
        known.get(at) == Some(&true) || (!byte.is_ascii_alphanumeric() && is_beside(at))
    };
    let left = text.iter().enumerate();
    left.filter(|(at, byte)| !is_known(*at, **byte))
        .map(|(_, byte)| *byte)
        .collect()
}

/// The long words count wherever they stand, the longest first.
fn mark_anywhere(text: &[u8], known: &mut [bool]) {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let word = LONG.iter().filter(|word| rest.starts_with(word.as_bytes()));
        let length = word.map(|word| word.len()).max().unwrap_or(0);
        known
            .iter_mut()
            .skip(at)
            .take(length)
            .for_each(|k| *k = true);
        at += length.max(1);
    }
}

/// The short ones only between separators and long words: random text is full of them.
fn mark_alone(text: &[u8], known: &mut [bool]) {
    let pieces: Vec<bool> = text
        .iter()
        .zip(known.iter())
        .map(|(byte, known)| byte.is_ascii_alphanumeric() && !known)
        .collect();
    let mut at = 0;
    for piece in pieces.chunk_by(|a, b| a == b) {
        let end = at + piece.len();
        let is_short = text
            .get(at..end)
            .is_some_and(|word| SHORT.iter().any(|short| short.as_bytes() == word));
        if is_short {
            known
                .iter_mut()
                .skip(at)
                .take(piece.len())
                .for_each(|k| *k = true);
        }
        at = end;
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?))
        .collect()
}

/// Words of manuals, templates and lists of passwords, of four letters or more.
#[rustfmt::skip]
const LONG: &[&str] = &[
    "0123456789abcdef", "0123456789", "1234567890", "123456789", "12345678", "123456", "access",
    "abcdefghijklmnopqrstuvwxyz", "abcdefgh", "abcdef", "admin", "asdfghjkl", "asdf", "base64",
    "battery", "brown", "bytes", "cafebabe", "change", "changeit", "changeme", "changethis",
    "chars", "characters", "client", "cookie", "correct", "deadbeef", "default", "demo",
    "development", "dragon", "dummy", "encryption", "enough", "example", "fill", "foobar",
    "football", "from", "generate", "generated", "hello", "here", "horse", "hunter2",
    "iloveyou", "insert", "ipsum", "jumps", "keyboard", "lazy", "least", "letmein", "local",
    "localhost", "long", "lorem", "master", "minimum", "monkey", "must", "mysecret", "oauth",
    "over", "passphrase", "passw0rd", "passwd", "password", "phrase", "placeholder", "please",
    "princess", "private", "production", "proxy", "quick", "qwerty", "qwertyuiop", "random",
    "replace", "root", "safe", "sample", "secret", "secure", "server", "session", "should",
    "signing", "some", "something", "staging", "staple", "string", "strong", "sunshine",
    "super", "supersecret", "temp", "test", "testing", "thirty", "this", "todo", "token",
    "trustno1", "unsafe", "user", "value", "very", "welcome", "with", "world", "xxxx", "your",
    "yoursecret", "zxcvbnm",
];

/// Short words, and numbers that go with them.
#[rustfmt::skip]
const SHORT: &[&str] = &[
    "an", "and", "api", "app", "at", "be", "bit", "bits", "cat", "dev", "dog", "for", "fox",
    "in", "is", "it", "jwt", "key", "keys", "mcp", "me", "my", "new", "not", "of", "old", "one",
    "only", "or", "prod", "that", "the", "to", "two", "use", "we", "12", "123", "1234", "2023",
    "2024", "2025", "2026", "2027", "256", "32", "64",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    const LEAST: usize = 32;

    #[test]
    fn what_manuals_show_and_people_type_is_refused() {
        for known in [
            "changemechangemechangemechangeme",
            "change-me-change-me-change-me-change-me",
            "CHANGE_ME_TO_A_LONG_RANDOM_STRING",
            "secretsecretsecretsecretsecretsecret",
            "your-256-bit-secret-your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "a secret of at least thirty-two bytes",
            "replace-this-with-a-random-secret!!",
            "my-super-secret-jwt-signing-key-2024",
            "qwertyuiopasdfghjklzxcvbnm123456",
            "0123456789abcdef0123456789abcdef",
            "0123456789ABCDEF0123456789ABCDEF",
            "abcdefghijklmnopqrstuvwxyz012345",
            "zyxwvutsrqponmlkjihgfedcba987654",
            "00000000000000000000000000000000",
            "01010101010101010101010101010101",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
            "deadbeefdeadbeefdeadbeefdeadbeef",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ] {
            assert!(weakness(known.as_bytes(), LEAST).is_some(), "{known}");
        }
        for bytes in [[0_u8; 32], [7; 32], std::array::from_fn(|at| at as u8)] {
            assert!(weakness(&bytes, LEAST).is_some(), "{bytes:?}");
        }
        // base64 of such.
        for plain in [
            "changemechangemechangeme",
            "my very secret key for my server",
        ] {
            for encoded in [
                STANDARD_NO_PAD.encode(plain),
                URL_SAFE_NO_PAD.encode(plain) + "=",
            ] {
                assert!(weakness(encoded.as_bytes(), LEAST).is_some(), "{encoded}");
            }
        }
        for phrase in [
            "password1234",
            "correct horse battery",
            "changeme-changeme",
            "hunter2hunter2",
        ] {
            assert!(weakness(phrase.as_bytes(), 12).is_some(), "{phrase}");
        }
    }

    #[test]
    fn an_honest_secret_is_taken() {
        for honest in [
            "550e8400-e29b-41d4-a716-446655440000",
            "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",
            "secret_live_9fK2mQ7xV4tB8nL1zR5cW3",
            "tulip gravel oxbow nineteen farrier mint",
            "31415926535897932384626433832795",
        ] {
            assert_eq!(weakness(honest.as_bytes(), LEAST), None, "{honest}");
        }
        assert_eq!(weakness(b"tulip gravel oxbow", 12), None);
    }

    #[test]
    fn no_random_secret_is_refused() {
        let digits = b"0123456789";
        let printable: Vec<u8> = (33..127).collect();
        for _ in 0..500 {
            let bytes: [u8; 32] = random::bytes();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let of = |alphabet: &[u8]| -> Vec<u8> {
                let pick = |byte: &u8| alphabet[usize::from(*byte) % alphabet.len()];
                bytes.iter().map(pick).collect()
            };
            for secret in [
                &bytes[..],
                hex.as_bytes(),
                &hex.as_bytes()[..32],
                STANDARD_NO_PAD.encode(bytes).as_bytes(),
                URL_SAFE_NO_PAD.encode(bytes).as_bytes(),
                &of(&printable),
                &of(digits),
            ] {
                assert_eq!(weakness(secret, LEAST), None, "{secret:?}");
            }
            // A client secret of 16 bytes or a passphrase of 12, as a generator makes them.
            assert_eq!(weakness(&of(&printable)[..16], 16), None, "{bytes:?}");
            assert_eq!(weakness(&of(&printable)[..12], 12), None, "{bytes:?}");
        }
    }
}

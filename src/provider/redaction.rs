//! What an error must not repeat: what we had sent, and anything that looks like a token.

use super::upstream_error::UpstreamError;
use crate::limits::SHORTEST_TOKEN;

/// Stands for what was left out.
const REDACTED: &str = "[redacted]";

/// The error without what we had sent: some providers echo it ("Invalid refresh token: …").
pub(super) fn without(mut error: UpstreamError, secrets: &[&str]) -> UpstreamError {
    let clean = |text: &mut String| {
        for secret in secrets {
            *text = cut_out(std::mem::take(text), secret);
        }
    };
    match &mut error {
        UpstreamError::Rejected {
            code, description, ..
        } => {
            clean(code);
            description.iter_mut().for_each(clean);
        }
        UpstreamError::TokenRefused { said, .. }
        | UpstreamError::NotPermitted { said, .. }
        | UpstreamError::Failed { said, .. } => said.iter_mut().for_each(clean),
        UpstreamError::Transport(_)
        | UpstreamError::Timeout
        | UpstreamError::Credential(_)
        | UpstreamError::Malformed(_)
        | UpstreamError::Discovery(_)
        | UpstreamError::Keys(_) => {}
    }
    error
}

fn cut_out(text: String, secret: &str) -> String {
    // Anything shorter is not a secret, and would tear words apart.
    const SHORTEST: usize = 8;
    if secret.len() < SHORTEST {
        return text;
    }
    let mut text = text.replace(secret, REDACTED);
    // The bound on the text may have left only the secret's beginning.
    let longest = secret.len().min(text.len());
    let left_over = (SHORTEST..=longest).rev().find(|&length| {
        let start = secret.get(..length);
        start.is_some_and(|start| text.ends_with(start))
    });
    if let Some(length) = left_over {
        text.truncate(text.len() - length);
        text.push_str(REDACTED);
    }
    text
}

/// Leaves out what looks like a token or a key: providers write the caller's, and their own, into
/// descriptions and stack traces. Trace ids, which are UUIDs, stay for the provider's support.
pub(super) fn without_tokens(text: &str) -> String {
    // RFC 9110 section 11.2, what else Microsoft's tokens have, and an escape in a URL: where a
    // word ended there, its parts would be too short to differ from words.
    let is_tokens = |c: char| c.is_ascii_alphanumeric() || "-._~+/=!*$%".contains(c);
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_tokens(c)) {
        let word = piece.trim_end_matches(|c| !is_tokens(c));
        if looks_secret(word) {
            shown.push_str(REDACTED);
            shown.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            shown.push_str(piece);
        }
    }
    shown
}

fn looks_secret(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    let parts = || word.split('-');
    let is_uuid = parts().map(str::len).eq([8, 4, 4, 4, 12])
        && parts().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    word.len() >= SHORTEST_TOKEN
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !is_uuid
}

//! Cookies as they stand in headers.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

/// A `Set-Cookie` line. Nothing here needs quoting (RFC 6265 section 4.1.1): a name is our own to the
/// last digit, and a value is base64url.
pub(super) fn line(
    name: &str,
    value: &str,
    max_age: Duration,
    is_secure: bool,
) -> Option<HeaderValue> {
    let secure = if is_secure { "Secure; " } else { "" };
    let max_age = max_age.as_secs();
    // Lax, not Strict: the provider's redirect back is a cross-site navigation.
    let line = format!("{name}={value}; HttpOnly; SameSite=Lax; {secure}Path=/; Max-Age={max_age}");
    HeaderValue::try_from(line).ok()
}

/// Names and values of all cookies of a request.
pub(super) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        // Another app's cookie in the same line may not be ASCII; ours are.
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok())
        .filter_map(|pair| pair.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_set_cookie_are_exactly_these() {
        assert_eq!(
            line("__Host-a", "a-_9", Duration::from_secs(600), true).unwrap(),
            "__Host-a=a-_9; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"
        );
        assert_eq!(
            line("a", "", Duration::ZERO, false).unwrap(),
            "a=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
    }
}

//! The `Authorization` header of a request to a protected path (RFC 6750 section 2.1).

use http::{HeaderMap, header};

use crate::limits::MAX_BEARER;

/// What the header holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// No header, or a scheme that is not ours.
    None,
    /// What stands where one bearer token should, within the limit; [`is_token68`] says whether it
    /// can be one. (A token that is found in the cache needs not be looked through.)
    Bearer(&'a [u8]),
    /// Something that claims to be a bearer token and cannot be one.
    Malformed,
}

/// Reads the header. Two of them are malformed: two readers could choose differently.
pub(crate) fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        return Credentials::None;
    };
    if lines.next().is_some() {
        return Credentials::Malformed;
    }
    let Some((scheme, token)) = line.as_bytes().split_at_checked("bearer".len()) else {
        return Credentials::None;
    };
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Credentials::None;
    }
    let Some(token) = token.strip_prefix(b" ") else {
        // `Bearer` alone, or a longer scheme such as `BearerX`.
        return if token.is_empty() {
            Credentials::Malformed
        } else {
            Credentials::None
        };
    };
    let token = token.trim_ascii();
    if token.is_empty() || token.len() > MAX_BEARER {
        return Credentials::Malformed;
    }
    Credentials::Bearer(token)
}

/// Whether every character may stand in a bearer token: the alphabet of RFC 9110 section 11.2.
pub(super) fn is_token68(token: &str) -> bool {
    let is_one = |byte: u8| {
        byte.is_ascii_alphanumeric()
            | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    // To the end of a piece, whatever is found: that is how a processor takes many bytes at once.
    let is_all = |piece: &[u8]| piece.iter().fold(true, |all, byte| all & is_one(*byte));
    token.as_bytes().chunks(64).all(is_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, line.parse().unwrap());
        }
        match credentials(&headers) {
            Credentials::Bearer(token) => match std::str::from_utf8(token) {
                Ok(token) if is_token68(token) => format!("Bearer({token:?})"),
                _ => "Malformed".to_owned(),
            },
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn exactly_one_bearer_token_is_read() {
        assert_eq!(read(&[]), "None");
        assert_eq!(read(&["Basic YTpi"]), "None");
        assert_eq!(read(&["BearerX abc"]), "None");
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(
                read(&[&format!("{scheme} a.b-c_d~e+f/g=")]),
                "Bearer(\"a.b-c_d~e+f/g=\")"
            );
        }
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer \"a\"",
            "Bearer \u{e9}",
            &format!("Bearer {},{}", "a".repeat(100), "a".repeat(100)),
        ] {
            assert_eq!(read(&[bad]), "Malformed", "{bad}");
        }
        assert_eq!(read(&["Bearer a", "Bearer b"]), "Malformed");
        assert_eq!(read(&["Bearer a", "Bearer a"]), "Malformed");
        assert_eq!(
            read(&[&format!("Bearer {}", "a".repeat(MAX_BEARER + 1))]),
            "Malformed"
        );
    }
}

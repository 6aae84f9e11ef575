//! The `Authorization` header of a request to a protected path (RFC 6750 section 2.1).

use http::{HeaderMap, header};

use crate::limits::MAX_BEARER;

/// What the header holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// No header, or a scheme that is not ours.
    None,
    /// What stands where one bearer token should, within the limit; [`as_token68`] says whether it
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

/// The token as text; `None` when it holds what no bearer token may.
pub(super) fn as_token68(token: &[u8]) -> Option<&str> {
    let token = std::str::from_utf8(token).ok()?;
    token.bytes().all(is_token68).then_some(token)
}

/// The alphabet of RFC 9110 section 11.2.
fn is_token68(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (byte as u8).is_ascii_alphanumeric()
                || matches!(byte as u8, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or(false)
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
            Credentials::Bearer(token) => match as_token68(token) {
                Some(token) => format!("Bearer({token:?})"),
                None => "Malformed".to_owned(),
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

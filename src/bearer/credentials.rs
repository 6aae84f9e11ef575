//! The `Authorization` header of a request to a protected path (RFC 6750 section 2.1).

use http::{HeaderMap, header};

use crate::limits::MAX_BEARER;

/// What the header holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// No header, or a scheme that is not ours.
    None,
    /// One bearer token, as it was sent.
    Bearer(&'a str),
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
    if token.is_empty() || token.len() > MAX_BEARER || !token.iter().all(is_token68) {
        return Credentials::Malformed;
    }
    std::str::from_utf8(token).map_or(Credentials::Malformed, Credentials::Bearer)
}

/// The alphabet of RFC 9110 section 11.2.
fn is_token68(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, line.parse().unwrap());
        }
        format!("{:?}", credentials(&headers))
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

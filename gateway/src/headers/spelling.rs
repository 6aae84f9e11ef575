//! Which field names come through.

use http::{HeaderMap, HeaderName};

/// Removes every field whose name has another character than a letter, a digit or a hyphen.
///
/// Servers behind turn names into variables (CGI, WSGI, Rack, PHP): `x_auth_subject`, `x.auth.subject` and
/// `x-auth-subject` are the same to them, and different to everyone on the way. RFC 9110, 5.1 advises such names for
/// exactly that reason, and nginx drops those with an underscore by default.
pub(crate) fn drop_odd_names(headers: &mut HeaderMap) {
    if headers.keys().all(is_plain) {
        return;
    }
    let odd: Vec<_> = headers
        .keys()
        .filter(|name| !is_plain(name))
        .cloned()
        .collect();
    for name in odd {
        headers.remove(name);
    }
}

fn is_plain(name: &HeaderName) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.as_str().bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_server_could_read_as_another_is_dropped() {
        let mut headers = HeaderMap::new();
        for name in [
            "x_auth_subject",
            "x.auth.subject",
            "x-auth_subject",
            "x~auth",
            "content_length",
            "mcp-method",
            "x-1",
        ] {
            headers.append(HeaderName::from_static(name), "v".parse().unwrap());
            headers.append(HeaderName::from_static(name), "w".parse().unwrap());
        }
        drop_odd_names(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["mcp-method", "x-1"]);
        assert_eq!(headers.len(), 4, "repeated fields stay repeated");
    }
}

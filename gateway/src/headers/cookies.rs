//! The proxy's own cookies end here.

use http::{HeaderMap, HeaderValue, header};

/// Removes the cookies whose name begins with the proxy's prefix and name, and leaves the others in one line.
///
/// RFC 9113, 8.2.3: “If there are multiple Cookie header fields after decompression, these MUST be concatenated into a
/// single octet string using the two-octet delimiter of 0x3b, 0x20 (the ASCII string "; ") before being passed into a
/// non-HTTP/2 context”.
///
/// They hold a login in progress, sealed; the server behind has no use for them, and its log no place.
pub(crate) fn drop_own_cookies(headers: &mut HeaderMap, is_own: impl Fn(&[u8]) -> bool) {
    let is_own = |crumb: &[u8]| is_own(crumb.split(|byte| *byte == b'=').next().unwrap_or(crumb));
    let crumbs = |value: &[u8]| -> Vec<Vec<u8>> {
        let crumbs = value.split(|byte| *byte == b';');
        crumbs.map(|crumb| crumb.trim_ascii().to_vec()).collect()
    };
    let lines = headers.get_all(header::COOKIE).iter();
    let all: Vec<_> = lines.flat_map(|line| crumbs(line.as_bytes())).collect();
    let is_one_line = headers.get_all(header::COOKIE).iter().nth(1).is_none();
    if is_one_line && !all.iter().any(|crumb| is_own(crumb)) {
        return;
    }
    headers.remove(header::COOKIE);
    let others: Vec<_> = all
        .into_iter()
        .filter(|crumb| !crumb.is_empty() && !is_own(crumb))
        .collect();
    if others.is_empty() {
        return;
    }
    // Bytes of field values that were accepted before, and semicolons.
    if let Ok(value) = HeaderValue::from_bytes(&others.join(&b"; "[..])) {
        headers.insert(header::COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lines: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        drop_own_cookies(&mut headers, |name| name.starts_with(b"__Host-oauth"));
        let left = headers.get_all(header::COOKIE).iter();
        left.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn own_cookies_stay_here_and_others_pass() {
        assert_eq!(left(&["a=1; __Host-oauth-login=x; b=2"]), ["a=1; b=2"]);
        assert_eq!(left(&["a=1", "__Host-oauth-login=x"]), ["a=1"]);
        assert!(left(&["__Host-oauth-login=x", "__Host-oauth-request=y;"]).is_empty());
    }

    #[test]
    fn cookies_of_others_are_not_touched() {
        assert_eq!(left(&["a=1;b=\"x y\""]), ["a=1;b=\"x y\""]);
    }

    #[test]
    fn the_crumbs_of_http_2_become_one_line() {
        assert_eq!(left(&["a=1", "b=\"x y\"", "c"]), ["a=1; b=\"x y\"; c"]);
        assert_eq!(left(&["a=1", "__Host-oauth-login=x", "b=2"]), ["a=1; b=2"]);
    }
}

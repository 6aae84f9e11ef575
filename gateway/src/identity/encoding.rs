//! Values in headers: any text in visible ASCII, so that it can neither end a line nor be read as another.

/// The most bytes of one header's value. A server refuses headers of 8 KiB or more in all, as a rule.
pub(super) const MAX_VALUE: usize = 4096;

/// A text: percent-encoded are `%`, what is no visible ASCII, and a space at either end, where readers cut it off.
pub(super) fn text(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    let last = value.len().saturating_sub(1);
    for (at, byte) in value.bytes().enumerate() {
        let is_inner_space = byte == b' ' && at != 0 && at != last;
        put(&mut encoded, byte, is_inner_space || is_plain(byte));
    }
    encoded
}

/// Texts with a separator between them, which is encoded inside of each, as spaces are.
pub(super) fn list<'a>(values: impl IntoIterator<Item = &'a str>, separator: char) -> String {
    let mut encoded = String::new();
    for value in values {
        if !encoded.is_empty() {
            encoded.push(separator);
        }
        for byte in value.bytes() {
            let is_kept = is_plain(byte) && char::from(byte) != separator;
            put(&mut encoded, byte, is_kept);
        }
    }
    encoded
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'%'
}

fn put(encoded: &mut String, byte: u8, is_kept: bool) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let digit = |half: u8| DIGITS.get(usize::from(half & 15)).copied().unwrap_or('0');
    match is_kept {
        true => encoded.push(char::from(byte)),
        false => encoded.extend(['%', digit(byte >> 4), digit(byte)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server would: the other way round.
    fn decoded(value: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = value.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let pair = [rest.next().unwrap(), rest.next().unwrap()];
                let pair = std::str::from_utf8(&pair).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&pair, 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_text_is_visible_ascii_and_comes_back_as_it_was() {
        for (value, expected) in [
            ("ada@example.com", "ada@example.com"),
            (
                "auth0|5f7c8ec7c33c6c004bbafe82",
                "auth0|5f7c8ec7c33c6c004bbafe82",
            ),
            ("Ada Lovelace", "Ada Lovelace"),
            ("Zoë", "Zo%C3%AB"),
            ("100%", "100%25"),
            (" a ", "%20a%20"),
            (" ", "%20"),
            ("a\r\nX-Auth-Roles: admin", "a%0D%0AX-Auth-Roles: admin"),
            ("a\0b\u{7f}\tc", "a%00b%7F%09c"),
            ("", ""),
        ] {
            assert_eq!(text(value), expected);
            assert_eq!(decoded(&text(value)), value);
            assert!(http::HeaderValue::from_str(&text(value)).is_ok());
        }
    }

    #[test]
    fn a_member_of_a_list_cannot_look_like_two() {
        assert_eq!(
            list(["admin", "a,b", "c d", "é"], ','),
            "admin,a%2Cb,c%20d,%C3%A9"
        );
        assert_eq!(list(["read", "write"], ' '), "read write");
        assert_eq!(list([], ','), "");
        let members = ["a,b", "%2C", "c"];
        let joined = list(members, ',');
        let back: Vec<String> = joined.split(',').map(decoded).collect();
        assert_eq!(back, members);
    }
}

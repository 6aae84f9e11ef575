//! The service's sign: the operator's picture, or the first letter of its name.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{Markup, html};

use super::theme::Theme;
use crate::limits::MAX_ICON;

/// A picture that stands in the pages themselves, as nothing on them is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Icon {
    /// A `data:` URL.
    url: String,
    /// Instead of a picture, in the header.
    letter: Option<char>,
}

/// Why some bytes are no icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidIcon {
    #[error("is empty")]
    Empty,
    #[error(
        "has {0} bytes, and every page holds it: make it at most {MAX_ICON} bytes (64 by 64 pixels are enough)"
    )]
    TooLarge(usize),
    #[error("is not a PNG, JPEG, WebP, GIF or SVG picture")]
    Unknown,
}

impl Icon {
    /// A picture of the operator's.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, InvalidIcon> {
        if bytes.is_empty() {
            return Err(InvalidIcon::Empty);
        }
        if bytes.len() > MAX_ICON {
            return Err(InvalidIcon::TooLarge(bytes.len()));
        }
        let kind = kind(bytes).ok_or(InvalidIcon::Unknown)?;
        let url = format!("data:{kind};base64,{}", STANDARD.encode(bytes));
        Ok(Self { url, letter: None })
    }

    /// The first letter of the name on the operator's colour.
    pub(crate) fn letter(name: &str, theme: &Theme) -> Self {
        let letter = name.chars().find(|c| c.is_alphanumeric());
        // One that becomes several in upper case stays as it is.
        let upper = |c: char| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) => one,
                _ => c,
            }
        };
        let letter = letter.map_or('•', upper);
        let (face, text) = theme.mark();
        let picture = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" {
                rect width="32" height="32" rx="8" fill=(face) {}
                text x="16" y="22.5" fill=(text) font-family="system-ui,sans-serif" font-size="19" font-weight="700"
                    text-anchor="middle" { (letter) }
            }
        };
        let bytes = picture.into_string();
        Self {
            url: format!("data:image/svg+xml;base64,{}", STANDARD.encode(bytes)),
            letter: Some(letter),
        }
    }

    /// For the head of the document. A page that names its icon has the browser ask for no `/favicon.ico`,
    /// which the inner service may have, or refuse.
    pub(super) fn link(&self) -> Markup {
        html! { link rel="icon" href=(self.url); }
    }

    /// As an address that an image can have.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Beside the service's name, which says it in words.
    pub(super) fn mark(&self) -> Markup {
        html! {
            @match self.letter {
                Some(letter) => span .mark aria-hidden="true" { (letter) },
                None => img .mark alt="" width="36" height="36" src=(self.url);
            }
        }
    }
}

/// What a picture says that it is.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        _ if is_webp => Some("image/webp"),
        // As an image it runs no script and loads nothing.
        _ if is_svg(bytes) => Some("image/svg+xml"),
        _ => None,
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = ["<svg", "<?xml", "<!--", "<!DOCTYPE svg"];
    begins.iter().any(|begin| text.starts_with(begin)) && text.contains("<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        for (bytes, kind) in [
            (PNG, "image/png"),
            (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
            (b"\xef\xbb\xbf\n<svg xmlns='x'/>", "image/svg+xml"),
            (b"<?xml version='1.0'?><svg/>", "image/svg+xml"),
        ] {
            let icon = Icon::of(bytes).unwrap();
            let begin = format!("data:{kind};base64,");
            assert!(icon.url().starts_with(&begin), "{kind}: {icon:?}");
        }
    }

    #[test]
    fn what_is_no_picture_or_a_large_one_is_refused() {
        assert_eq!(Icon::of(b""), Err(InvalidIcon::Empty));
        for bytes in [
            b"<html><svg></svg>".as_slice(),
            b"<?xml version='1.0'?><html/>",
            b"https://acme.example/icon.png",
            b"RIFF\x01\x02\x03\x04WAVE",
            b"\x89PNG",
        ] {
            assert_eq!(Icon::of(bytes), Err(InvalidIcon::Unknown));
        }
        let large = [PNG, &vec![0; MAX_ICON]].concat();
        assert_eq!(Icon::of(&large), Err(InvalidIcon::TooLarge(large.len())));
        assert!(Icon::of(&large[..MAX_ICON]).is_ok());
    }

    #[test]
    fn without_a_picture_the_name_gives_a_letter() {
        let theme = Theme::of(None);
        for (name, letter) in [
            ("notes.example", 'N'),
            ("  «école»", 'É'),
            ("ßharp", 'ß'),
            ("ノート", 'ノ'),
            ("…", '•'),
        ] {
            let icon = Icon::letter(name, &theme);
            let mark = format!("<span class=\"mark\" aria-hidden=\"true\">{letter}</span>");
            assert_eq!(icon.mark().into_string(), mark, "{name}");
            assert!(icon.url().starts_with("data:image/svg+xml;base64,"));
        }
        // What a name begins with is text in the picture too.
        let icon = Icon::letter("<b>", &theme);
        let picture = icon.url().strip_prefix("data:image/svg+xml;base64,");
        let picture = STANDARD.decode(picture.unwrap()).unwrap();
        let picture = String::from_utf8(picture).unwrap();
        assert!(picture.ends_with(">B</text></svg>"), "{picture}");
    }

    #[test]
    fn a_picture_is_no_word_for_a_reader() {
        let mark = Icon::of(PNG).unwrap().mark().into_string();
        assert!(mark.starts_with("<img class=\"mark\" alt=\"\""), "{mark}");
    }
}

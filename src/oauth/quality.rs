//! How much a browser wants one of several: the weight of a language or a media type.

/// In thousandths; `None` of anything else than this.
///
/// RFC 9110 section 12.4.2: `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`.
pub(crate) fn quality(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || part.len() > 3 {
        return None;
    }
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{part:0<3}").parse().ok()?;
    let quality = thousandths + if whole == "1" { 1_000 } else { 0 };
    (quality <= 1_000).then_some(quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_is_zero_to_one_in_thousandths() {
        for (text, value) in [
            ("0", 0),
            ("0.", 0),
            ("0.001", 1),
            ("0.1", 100),
            ("0.85", 850),
            ("1", 1_000),
            ("1.000", 1_000),
        ] {
            assert_eq!(quality(text), Some(value), "{text}");
        }
        for text in [
            "",
            ".5",
            "2",
            "1.001",
            "1.1",
            "0.0001",
            "-0",
            "-1",
            "+1",
            "0.+1",
            "0.-1",
            "0.!",
            "0. 1",
            "0.1.",
            "0,5",
            "0.é",
            "é",
            "00",
            "1e0",
            "0.\u{661}",
        ] {
            assert_eq!(quality(text), None, "{text:?}");
        }
    }
}

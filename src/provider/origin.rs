//! A host, as operators write it.

/// The origin of what an operator calls a provider's domain: `acme.auth0.com`, `https://acme.auth0.com`, or
/// either with a slash behind it. Nothing else is guessed: [`check`](super::Provider::check) parses it.
pub(super) fn origin(domain: &str) -> String {
    let domain = domain.trim_end_matches('/');
    match domain.contains("://") {
        true => domain.to_owned(),
        false => format!("https://{domain}"),
    }
}

/// Whether a text can stand as one segment of a path: no slash, no dots alone, nothing to encode.
pub(super) fn is_segment(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && !text.bytes().all(|byte| byte == b'.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_taken_with_and_without_its_scheme_and_slash() {
        for written in [
            "acme.example",
            "acme.example/",
            "https://acme.example",
            "https://acme.example//",
        ] {
            assert_eq!(origin(written), "https://acme.example", "{written}");
        }
        assert_eq!(origin("http://localhost:8080/"), "http://localhost:8080");
    }

    #[test]
    fn a_segment_leads_nowhere_else() {
        for good in ["acme", "B2C_1_signin", "my-app", "a.b", "v2.0"] {
            assert!(is_segment(good), "{good}");
        }
        let long = "a".repeat(129);
        for bad in [
            "", ".", "..", "a/b", "a b", "a?b", "a#b", "a%2fb", "é", "a\n", &long,
        ] {
            assert!(!is_segment(bad), "{bad}");
        }
    }
}

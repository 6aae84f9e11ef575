//! How the pages look: in the operator's name, with their sign and colour.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::{custom::CustomPages, icon::Icon, scope_words::ScopeTexts, theme::Theme};
use crate::oauth::BaseUrl;

/// What the operator says of the pages, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brand {
    pub(crate) theme: Theme,
    pub(crate) icon: Option<Icon>,
    pub(crate) links: Vec<PageLink>,
    pub(crate) contact: Option<PageLink>,
    pub(crate) scopes: ScopeTexts,
    pub(crate) custom: Option<CustomPages>,
}

/// A link of the operator's, at the foot of each page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageLink {
    pub(crate) text: String,
    pub(crate) url: String,
}

/// The same on every page.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The name that people read.
    pub(crate) service: String,
    /// Where they are, unless that is the name already.
    pub(super) host: Option<String>,
    pub(super) brand: Brand,
    pub(super) icon: Icon,
    /// The style sheet of every page.
    pub(super) style: String,
    policy: HeaderValue,
}

impl Look {
    /// The name that was given, or the host.
    pub(crate) fn new(service_name: Option<&str>, base: &BaseUrl, brand: Brand) -> Self {
        let origin = base.origin();
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        let service = service_name.unwrap_or(host).to_owned();
        let letter = || Icon::letter(&service, &brand.theme);
        let icon = brand.icon.clone().unwrap_or_else(letter);
        let style = [brand.theme.properties(), packed(STYLE)].concat();
        Self {
            host: (service != host).then(|| host.to_owned()),
            policy: policy(&style, brand.custom.is_some()),
            service,
            brand,
            icon,
            style,
        }
    }

    /// The headers of every page. It runs no script, loads nothing, and stands in no frame.
    ///
    /// No `Cross-Origin-Opener-Policy`: it would cut a web client off from the popup that it opened for
    /// the login and waits for.
    pub(crate) fn headers(&self) -> [(HeaderName, HeaderValue); 5] {
        let fixed = HeaderValue::from_static;
        [
            (header::CONTENT_TYPE, fixed("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::X_FRAME_OPTIONS, fixed("DENY")),
            (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
            // With `no-referrer` browsers post the form with `Origin: null`.
            (header::REFERRER_POLICY, fixed("same-origin")),
        ]
    }
}

const STYLE: &str = include_str!("style.css");

/// Our style and no other one: what a stranger could bring into a page cannot cover its words or its buttons
/// with a style of its own. A page that the operator wrote has styles that are not known here.
///
/// `img-src data:` is for the icon, which stands in the page. No `form-action`: browsers apply it to the whole
/// chain of redirects after the form, which ends at the client's own scheme.
fn policy(style: &str, is_custom: bool) -> HeaderValue {
    let own = match is_custom {
        true => "'unsafe-inline'".to_owned(),
        false => format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style))),
    };
    let policy = format!(
        "default-src 'none'; style-src {own}; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    );
    // All of it is ASCII that can be seen.
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    HeaderValue::try_from(policy).unwrap_or(nothing)
}

/// A style sheet without its comments, its line breaks, and the spaces beside its punctuation.
fn packed(css: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(css.len()), css);
    while let Some((before, comment)) = rest.split_once("/*") {
        append_packed(&mut out, before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    append_packed(&mut out, rest);
    out
}

fn append_packed(out: &mut String, css: &str) {
    let mut is_space = false;
    for c in css.chars() {
        if c.is_ascii_whitespace() {
            is_space = true;
            continue;
        }
        let needs_none = |c| matches!(c, '{' | '}' | ';' | ',');
        let last = out.chars().next_back();
        let after = last.is_none_or(|last| needs_none(last) || last == ':');
        if is_space && !after && !needs_none(c) {
            out.push(' ');
        }
        is_space = false;
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(brand: Brand) -> Look {
        let base = BaseUrl::parse("https://notes.example/api").unwrap();
        Look::new(None, &base, brand)
    }

    fn policy_of(look: &Look) -> String {
        let headers = look.headers();
        let found = headers
            .iter()
            .find(|(name, _)| *name == header::CONTENT_SECURITY_POLICY);
        found.unwrap().1.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_style_sheet_is_packed_and_says_the_same() {
        let css = "/* a */ a b:hover ,\n  c { margin: 0 1px ; content: \"\"; }\n@media (x: 1) { d { e: f } }";
        let packed = packed(css);
        assert_eq!(
            packed,
            "a b:hover,c{margin:0 1px;content:\"\";}@media (x:1){d{e:f}}"
        );
    }

    #[test]
    fn nothing_in_the_style_is_from_elsewhere_and_all_of_it_is_for_both_directions() {
        let style = packed(STYLE);
        for word in [
            "url(",
            "@import",
            "</",
            "-left",
            "-right",
            "left:",
            "right:",
            "!important",
        ] {
            assert!(!style.contains(word), "{word}");
        }
        assert!(style.len() < 9_000, "{}", style.len());
        assert_eq!(style.matches('{').count(), style.matches('}').count());
    }

    #[test]
    fn the_policy_lets_our_style_in_and_no_other_one() {
        let look = look(Brand::default());
        let hash = STANDARD.encode(Sha256::digest(&look.style));
        let policy = policy_of(&look);
        let expected = format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; ");
        assert!(policy.starts_with(&expected), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn with_the_operators_own_pages_the_policy_lets_their_styles_in_and_still_no_script() {
        let policy = policy_of(&look(Brand {
            custom: Some(CustomPages::new(|_| None)),
            ..Brand::default()
        }));
        assert_eq!(
            policy,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
             frame-ancestors 'none'"
        );
    }

    #[test]
    fn a_host_that_is_the_name_stands_there_once() {
        let own = look(Brand::default());
        assert_eq!((&*own.service, own.host), ("notes.example", None));
        let base = BaseUrl::parse("https://notes.example:8443").unwrap();
        let named = Look::new(Some("Notes"), &base, Brand::default());
        assert_eq!(named.service, "Notes");
        assert_eq!(named.host.as_deref(), Some("notes.example:8443"));
    }
}

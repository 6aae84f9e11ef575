//! Where a browser says that a request comes from, and what it is for (Fetch Metadata).
//!
//! A page elsewhere can make a browser open any of our URLs, in a tab, a frame or as a picture; it
//! cannot forge these headers. Programs, and browsers from before 2023, send none: that is never
//! taken as a yes.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::{answer, request::single};
use crate::{
    body::OwnResponse,
    event::{Event, Reason, Step},
    proxy::Proxy,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// What browsers have called it: the standard's name, then those of Chromium and Safari, and of
/// Firefox, before.
const PREFETCH: &[&str] = &["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Whether the person came by themselves (the address bar, an app on this computer) or from a page
/// of ours. Not from a neighbouring subdomain: that is a different site.
pub(super) fn is_by_the_person(headers: &HeaderMap) -> bool {
    matches!(
        single(headers, &SEC_FETCH_SITE),
        Some("none" | "same-origin")
    )
}

/// Whether a page of another site put this request into itself: a frame, a picture, a script.
pub(super) fn is_embedded_elsewhere(headers: &HeaderMap) -> bool {
    let dest = headers.get(SEC_FETCH_DEST);
    dest.is_some_and(|dest| dest != "document") && !is_by_the_person(headers)
}

/// The form has to come from our own page. The cookie's `SameSite` says so already; browsers that
/// know these headers say it twice more.
pub(super) fn is_own_form(proxy: &Proxy, headers: &HeaderMap) -> bool {
    let own_origin = |origin: &HeaderValue| {
        let own = proxy.options.base.origin();
        // Browsers write an origin in lower case and without a default port.
        url::Url::parse(own)
            .is_ok_and(|url| origin.as_bytes() == url.origin().ascii_serialization().as_bytes())
    };
    let origins_fit = headers.get_all(header::ORIGIN).iter().all(own_origin);
    let site = headers.get(SEC_FETCH_SITE);
    origins_fit && site.is_none_or(|site| site == "same-origin")
}

/// Whether the browser says at all which page a form comes from. All do today; what takes this off on the way must
/// not open what depends on it.
pub(super) fn says_where_from(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE)
}

/// Whether the browser only guesses that the person will want this: `prefetch`,
/// `prefetch;prerender`, `prefetch;anonymous-client-ip`, `preview`.
pub(super) fn is_prefetch(headers: &HeaderMap) -> bool {
    PREFETCH.iter().any(|name| {
        headers.get_all(*name).iter().any(|value| {
            let purpose = value.as_bytes().split(|byte| matches!(byte, b';' | b','));
            purpose.map(<[u8]>::trim_ascii).any(|purpose| {
                [&b"prefetch"[..], b"prerender", b"preview"]
                    .iter()
                    .any(|guess| purpose.eq_ignore_ascii_case(guess))
            })
        })
    })
}

/// The answer to such a guess: nothing happens (RFC 9110 section 9.2.1), and the browser asks again
/// when the person comes.
///
/// Not a status below 300, which browsers keep and show for the navigation; what is 503 they throw
/// away.
pub(super) fn not_before_it_is_wanted(proxy: &Proxy, step: Step) -> OwnResponse {
    proxy.emit(&Event::refused(step, Reason::NotServed).detail("a prefetch"));
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer::no_store(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn a_prefetch_is_known_by_every_name_that_browsers_gave_it() {
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("sec-purpose", "prefetch; anonymous-client-ip"),
            ("sec-purpose", "Prefetch"),
            ("purpose", "prefetch"),
            ("x-purpose", "preview"),
            ("x-moz", "prefetch"),
        ] {
            assert!(is_prefetch(&headers(&[(name, value)])), "{name}: {value}");
        }
        for (name, value) in [
            ("sec-purpose", ""),
            ("sec-purpose", "prefetching"),
            ("accept", "prefetch"),
        ] {
            assert!(!is_prefetch(&headers(&[(name, value)])), "{name}: {value}");
        }
    }

    #[test]
    fn only_the_person_and_our_own_pages_are_trusted() {
        let site = |site| headers(&[("sec-fetch-site", site)]);
        assert!(is_by_the_person(&site("none")) && is_by_the_person(&site("same-origin")));
        for other in ["same-site", "cross-site", "", "None"] {
            assert!(!is_by_the_person(&site(other)), "{other}");
        }
        assert!(!is_by_the_person(&headers(&[])));
    }

    #[test]
    fn what_another_site_embeds_is_told_from_a_navigation() {
        let of = |site, dest| headers(&[("sec-fetch-site", site), ("sec-fetch-dest", dest)]);
        for dest in ["image", "iframe", "empty", "script", "fencedframe"] {
            assert!(is_embedded_elsewhere(&of("cross-site", dest)), "{dest}");
            assert!(is_embedded_elsewhere(&of("same-site", dest)), "{dest}");
            assert!(!is_embedded_elsewhere(&of("same-origin", dest)), "{dest}");
        }
        assert!(!is_embedded_elsewhere(&of("cross-site", "document")));
        assert!(!is_embedded_elsewhere(&headers(&[])));
    }
}

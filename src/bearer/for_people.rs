//! A person who opens a protected path in a browser: the same refusal, and a page that says what this is.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

use crate::{
    body::OwnResponse,
    challenge::{Form, Problem},
    event::{Event, Reason, Step},
    limits::MAX_MEDIA_RANGES,
    oauth::quality,
    page::{ForApps, Page, Stage},
    random,
    resource_server::ResourceServer,
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The answer to a request without credentials: status and headers are the challenge's, for a browser with a page in
/// the place of JSON.
pub(super) fn challenge<B>(server: &ResourceServer, request: &Request<B>) -> OwnResponse {
    let path = request.uri().path();
    let event = Event::refused(Step::Bearer, Reason::NoCredentials);
    let headers = request.headers();
    let form = Form::of(request.method(), headers);
    let mut response = server
        .challenges
        .refuse_in(form, path, &Problem::NoCredentials);
    if request.method() != Method::GET || !would_read_a_page(headers) {
        server.emit(&event);
        return response;
    }
    let id = random::spoken();
    server.emit(&event.login(&*id).detail("opened in a browser"));
    let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    let stage = Stage {
        look: &server.options.look,
        language: server.options.languages.choose(None, accepted),
        id: &id,
        at: server.now(),
    };
    let address = server.challenges.address(path);
    let page = Page::ForApps(ForApps { address: &address });
    *response.body_mut() = Bytes::from(page.html(&stage));
    let language = HeaderValue::from_str(stage.language.tag()).ok();
    let language = language.map(|tag| (header::CONTENT_LANGUAGE, tag));
    for (name, value) in stage.look.headers().into_iter().chain(language) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Whether HTML is named, and liked better than anything that an app reads: browsers do that for what a person
/// opens. `*/*`, and no word about it, is what apps say.
fn would_read_a_page(headers: &HeaderMap) -> bool {
    // A page's own fetch is no person, whatever it accepts.
    if headers
        .get(SEC_FETCH_MODE)
        .is_some_and(|mode| mode != "navigate")
    {
        return false;
    }
    let (mut html, mut for_apps) = (0, 0);
    let lines = headers.get_all(header::ACCEPT).iter();
    let ranges = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    for range in ranges.take(MAX_MEDIA_RANGES) {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let is = |known: &[&[u8]]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
        let liked = match () {
            () if is(&[b"text/html", b"application/xhtml+xml"]) => &mut html,
            () if is(&[b"application/json", b"text/event-stream"]) => &mut for_apps,
            () => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix(b"q=").or(part.strip_prefix(b"Q=")));
        let weight = weight.map_or(Some(1_000), |weight| quality(str::from_utf8(weight).ok()?));
        *liked = (*liked).max(weight.unwrap_or(0));
    }
    html > for_apps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(lines: &[&str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| HeaderValue::from_str(line).unwrap());
        lines.map(|line| (header::ACCEPT, line)).collect()
    }

    #[test]
    fn browsers_read_pages_and_apps_do_not() {
        for browser in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "TEXT/HTML",
            "text/html;q=0.9, application/json;q=0.8",
            "application/json;q=0.001, text/html ; q=0.5",
        ] {
            assert!(would_read_a_page(&accepting(&[browser])), "{browser}");
        }
        assert!(would_read_a_page(&accepting(&["*/*", "text/html"])));
        for app in [
            "",
            "*/*",
            "text/*",
            "application/json, text/event-stream",
            "text/event-stream",
            "text/html;q=0",
            "text/html;q=2",
            "text/html;q=",
            "text/html;q=0.1234",
            "text/html;q=0.!",
            "text/html;q=!",
            "text/html;q=0.-1",
            "text/html;q=1.001",
            "text/html;q=0,",
            "text/html, application/json",
            "text/html, text/event-stream;q=1.000",
            "text/htmlx",
        ] {
            assert!(!would_read_a_page(&accepting(&[app])), "{app}");
        }
        assert!(!would_read_a_page(&HeaderMap::new()));
    }

    #[test]
    fn a_fetch_of_a_page_is_no_person() {
        let mut headers = accepting(&["text/html"]);
        headers.insert(SEC_FETCH_MODE, HeaderValue::from_static("navigate"));
        assert!(would_read_a_page(&headers));
        headers.insert(SEC_FETCH_MODE, HeaderValue::from_static("cors"));
        assert!(!would_read_a_page(&headers));
    }

    #[test]
    fn what_comes_late_in_a_long_header_is_not_read() {
        let many = format!("{}text/html", "a/b,".repeat(MAX_MEDIA_RANGES));
        assert!(!would_read_a_page(&accepting(&[&many])));
    }
}

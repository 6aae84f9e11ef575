//! What a request's headers say of its call: a claim (MCP 2026-07-28, Streamable HTTP, "Standard Request Headers").

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue};

use super::reader::{Call, name_key};

/// The first revision that has a server compare these headers with the body.
const FIRST_VERSION: &str = "2026-07-28";

/// The headers of a request that say what it calls and how its body is written, as they came.
#[derive(Default)]
pub(super) struct CallHeaders<'a> {
    pub(super) content_type: Field<'a>,
    /// Whether the body is said to be in a coding.
    pub(super) is_coded: bool,
    /// Whether a header of the body's is written with an underscore.
    pub(super) describes_body_oddly: bool,
    method: Field<'a>,
    name: Field<'a>,
    version: Field<'a>,
    says_call_oddly: bool,
}

impl<'a> CallHeaders<'a> {
    /// Finds them in one walk: to look each up by its name would take four times as long.
    pub(super) fn find(headers: &'a HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "content-type" => found.content_type.add(value),
                "content-encoding" => {
                    found.is_coded |= !value.as_bytes().eq_ignore_ascii_case(b"identity");
                }
                "mcp-method" => found.method.add(value),
                "mcp-name" => found.name.add(value),
                "mcp-protocol-version" => found.version.add(value),
                // Servers behind CGI, WSGI or Rack take these for the same headers.
                odd if odd.contains('_') => match &*odd.replace('_', "-") {
                    "content-type" | "content-encoding" => found.describes_body_oddly = true,
                    "mcp-method" | "mcp-name" | "mcp-protocol-version" => {
                        found.says_call_oddly = true;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        found
    }
}

/// A header that may come once.
#[derive(Default, Clone, Copy)]
pub(super) struct Field<'a> {
    first: Option<&'a HeaderValue>,
    is_repeated: bool,
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        self.is_repeated = self.first.is_some();
        self.first = self.first.or(Some(value));
    }

    /// The value, of a header that came once.
    pub(super) fn alone(self) -> Option<&'a HeaderValue> {
        self.first.filter(|_| !self.is_repeated)
    }
}

/// What the headers say of the call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim<'a> {
    pub(super) method: Option<&'a str>,
    pub(super) name: Option<Cow<'a, str>>,
}

impl<'a> Claim<'a> {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// In words, where two readers could see two claims.
    pub(super) fn read(headers: &CallHeaders<'a>) -> Result<Self, &'static str> {
        if headers.says_call_oddly {
            return Err("a header of the call is written with an underscore");
        }
        let name = single(headers.name)?.map(decoded).transpose()?;
        Ok(Self {
            method: single(headers.method)?,
            name,
        })
    }

    /// The method and the name where the headers say all, of a revision that has the server behind compare them.
    pub(super) fn whole(&self, headers: &CallHeaders<'_>) -> Option<(&'a str, Option<&str>)> {
        let method = self.method?;
        let is_named = self.name.is_some() || name_key(method).is_none();
        (is_named && is_compared(headers.version)).then_some((method, self.name.as_deref()))
    }

    /// Compares it with the call that the body makes.
    ///
    /// MCP 2026-07-28, Streamable HTTP, "Server Validation": "Servers that process the request body MUST reject
    /// requests where the values specified in the headers do not match the corresponding values in the request body."
    ///
    /// # Errors
    ///
    /// In words, which header says something else.
    pub(super) fn compare(&self, call: &Call) -> Result<(), &'static str> {
        if self.method.is_some() && self.method != call.method.as_deref() {
            return Err("the header Mcp-Method does not match the body's method");
        }
        // Of other methods nothing says which member the name would be.
        let is_naming = call.method.as_deref().and_then(name_key).is_some();
        if is_naming && self.name.is_some() && self.name.as_deref() != call.name.as_deref() {
            return Err("the header Mcp-Name does not match the body's name or URI");
        }
        Ok(())
    }

    /// Whether the headers say a call at all.
    pub(super) fn is_empty(&self) -> bool {
        self.method.is_none() && self.name.is_none()
    }
}

/// The one value; two are one too many, even where they are the same: a server may join them.
fn single(field: Field<'_>) -> Result<Option<&str>, &'static str> {
    if field.is_repeated {
        return Err("a header of the call came twice");
    }
    let Some(value) = field.first else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let is_plain =
        bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) && bytes == bytes.trim_ascii();
    let value = value.to_str().ok().filter(|_| is_plain);
    value
        .map(Some)
        .ok_or("a header of the call has a character that it may not have")
}

/// MCP 2026-07-28, Streamable HTTP, "Value Encoding": "The prefix `=?base64?` and suffix `?=` indicate that the value is
/// Base64-encoded. These markers are case-sensitive and MUST appear exactly as shown (lowercase). Servers and
/// intermediaries that need to inspect these values MUST decode them accordingly."
fn decoded(value: &str) -> Result<Cow<'_, str>, &'static str> {
    let within = value
        .strip_prefix("=?base64?")
        .and_then(|value| value.strip_suffix("?="));
    let Some(within) = within else {
        return Ok(value.into());
    };
    let bytes = BASE64_STANDARD.decode(within).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Cow::Owned)
        .ok_or("the header Mcp-Name is not encoded as it says")
}

fn is_compared(version: Field<'_>) -> bool {
    let version = single(version).ok().flatten();
    version.is_some_and(|version| {
        let has_form = version.len() == FIRST_VERSION.len()
            && version
                .bytes()
                .zip(FIRST_VERSION.bytes())
                .all(|(byte, like)| match like {
                    b'-' => byte == b'-',
                    _ => byte.is_ascii_digit(),
                });
        has_form && version >= FIRST_VERSION
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        headers
    }

    fn call(method: &str, name: Option<&str>) -> Call {
        Call {
            method: Some(method.into()),
            name: name.map(Into::into),
        }
    }

    #[test]
    fn a_claim_is_read_in_both_forms() {
        for (value, name) in [
            ("get weather", "get weather"),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
            ("=?base64??=", ""),
            // No marker: the name itself.
            ("=?BASE64?SGVsbG8=?=", "=?BASE64?SGVsbG8=?="),
            ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
            ("", ""),
        ] {
            let headers = headers(&[("Mcp-Method", "tools/call"), ("Mcp-Name", value)]);
            let headers = CallHeaders::find(&headers);
            let claim = Claim::read(&headers).unwrap();
            assert_eq!(claim.name.as_deref(), Some(name));
            assert_eq!(claim.method, Some("tools/call"));
        }
        assert!(Claim::read(&CallHeaders::default()).unwrap().is_empty());
    }

    #[test]
    fn headers_that_two_readers_could_see_differently_are_refused() {
        for lines in [
            &[("Mcp-Method", "tools/call"), ("mcp-method", "tools/list")][..],
            &[("Mcp-Name", "a"), ("Mcp-Name", "a")],
            &[("Mcp_Name", "a")],
            &[("Mcp-Protocol_Version", "2026-07-28")],
            &[("mcp_method", "tools/list"), ("Mcp-Method", "tools/call")],
            &[
                ("Mcp-Protocol_Version", "2026-07-28"),
                ("mcp_protocol_version", "1"),
            ],
            &[("Mcp-Name", "caf\u{e9}")],
            &[("Mcp-Name", "a\tb")],
            &[("Mcp-Name", "=?base64?SGVsbG8?=")],
            &[("Mcp-Name", "=?base64?SGVsbG9=?=")],
            &[("Mcp-Name", "=?base64?SGVs bG8=?=")],
            &[("Mcp-Name", "=?base64?_-8=?=")],
            &[("Mcp-Name", "=?base64?//8=?=")],
        ] {
            assert!(
                Claim::read(&CallHeaders::find(&headers(lines))).is_err(),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_claim_that_the_body_does_not_make_is_refused() {
        let claim = headers(&[("Mcp-Method", "tools/call"), ("Mcp-Name", "list")]);
        let claim = Claim::read(&CallHeaders::find(&claim)).unwrap();
        assert!(claim.compare(&call("tools/call", Some("list"))).is_ok());
        for other in [
            call("tools/call", Some("List")),
            call("tools/call", Some("delete")),
            call("tools/call", None),
            call("tools/list", None),
            call("prompts/get", Some("list")),
            Call {
                method: None,
                name: None,
            },
        ] {
            assert!(claim.compare(&other).is_err(), "{other:?}");
        }
        let lone = headers(&[("Mcp-Name", "list")]);
        let lone = Claim::read(&CallHeaders::find(&lone)).unwrap();
        assert!(lone.compare(&call("prompts/get", Some("other"))).is_err());
        assert!(lone.compare(&call("tasks/get", None)).is_err());
        assert!(lone.compare(&call("tools/list", None)).is_ok());
    }

    #[test]
    fn headers_speak_alone_only_in_a_revision_whose_servers_compare_them() {
        for (version, is_whole) in [
            (Some("2026-07-28"), true),
            (Some("2027-01-01"), true),
            (Some("2025-11-25"), false),
            (Some("2026-07-28 "), false),
            (Some("9"), false),
            (Some("zzzz-zz-zz"), false),
            (Some("2026/07/28"), false),
            (None, false),
        ] {
            let mut lines = vec![("Mcp-Method", "tools/call"), ("Mcp-Name", "a")];
            lines.extend(version.map(|version| ("MCP-Protocol-Version", version)));
            let headers = headers(&lines);
            let headers = CallHeaders::find(&headers);
            let claim = Claim::read(&headers).unwrap();
            let whole = claim.whole(&headers);
            assert_eq!(
                whole,
                is_whole.then_some(("tools/call", Some("a"))),
                "{version:?}"
            );
        }
        let version = ("MCP-Protocol-Version", "2026-07-28");
        for (lines, is_whole) in [
            (&[version, ("Mcp-Method", "tools/list")][..], true),
            (&[version, ("Mcp-Method", "tools/call")], false),
            (&[version, ("Mcp-Name", "a")], false),
            (&[version, version, ("Mcp-Method", "tools/list")], false),
        ] {
            let headers = headers(lines);
            let headers = CallHeaders::find(&headers);
            let claim = Claim::read(&headers).unwrap();
            assert_eq!(claim.whole(&headers).is_some(), is_whole, "{lines:?}");
        }
    }
}

//! The headers of a request to the endpoint, and what they and its body agree on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header};

use super::{message::Message, mux::Era, refusal::Refusal};

/// What the headers of a request say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) session: Option<&'a str>,
    version: Option<&'a str>,
    method: Option<&'a str>,
    name: Option<&'a str>,
}

/// The first revision without sessions. Its name and those of all others are dates.
const ALONE: &str = "2026-07-28";
/// The revision with batches, in which clients do not name it.
const BATCHES: &str = "2025-03-26";

impl<'a> Asked<'a> {
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let asked = Self {
            session: one(headers, "mcp-session-id")?,
            version: one(headers, "mcp-protocol-version")?,
            method: one(headers, "mcp-method")?,
            name: one(headers, "mcp-name")?,
        };
        match asked.version {
            Some(version) if !is_date(version) => Err(Refusal::bad(
                "the header MCP-Protocol-Version names no protocol version",
            )),
            _ => Ok(asked),
        }
    }

    /// By the headers alone, for requests without a body.
    pub(super) fn era(&self) -> Era {
        if self.version.is_some_and(|version| version >= ALONE) {
            Era::Alone
        } else {
            Era::Sessions
        }
    }

    /// The session that the request names.
    ///
    /// "Servers that require a session ID SHOULD respond to requests without an Mcp-Session-Id header (other than
    /// initialization) with HTTP 400 Bad Request."
    pub(super) fn session(&self) -> Result<&'a str, Refusal> {
        let missing = || Refusal::bad("Bad Request: the header Mcp-Session-Id is missing");
        self.session.ok_or_else(missing)
    }

    pub(super) fn may_batch(&self) -> bool {
        self.version.is_none_or(|version| version == BATCHES)
    }

    /// Which revisions a message belongs to. Headers and body have to agree where both say something.
    pub(super) fn era_of(&self, message: &Message<'_>) -> Result<Era, Refusal> {
        // "An `initialize` request selects legacy semantics".
        if message.method() == Some("initialize") {
            return Ok(Era::Sessions);
        }
        let said = message.version().filter(|version| &**version >= ALONE);
        if self.era() == Era::Sessions && said.is_none() {
            return Ok(Era::Sessions);
        }
        self.agrees(message)?;
        Ok(Era::Alone)
    }

    /// "Servers that process the request body MUST reject requests where the values specified in the headers do not
    /// match the corresponding values in the request body."
    fn agrees(&self, message: &Message<'_>) -> Result<(), Refusal> {
        let is_request = message.id().is_some() && message.method().is_some();
        let version = message.version();
        if is_request && version.as_deref() != self.version {
            return Err(Refusal::mismatch(
                "Header mismatch: MCP-Protocol-Version is not the version in the body's _meta",
            ));
        }
        if (is_request || self.method.is_some()) && self.method != message.method() {
            return Err(Refusal::mismatch(
                "Header mismatch: Mcp-Method is not the body's method",
            ));
        }
        let member = match message.method() {
            Some("tools/call" | "prompts/get") => "name",
            Some("resources/read") => "uri",
            _ => return Ok(()),
        };
        let name = self.name.map(decoded).transpose()?;
        if name != message.name(member) {
            return Err(Refusal::mismatch(
                "Header mismatch: Mcp-Name is not the name in the body",
            ));
        }
        Ok(())
    }
}

/// "`=?base64?{Base64EncodedValue}?=`", or the value as it is.
fn decoded(value: &str) -> Result<String, Refusal> {
    let Some(coded) = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    else {
        return Ok(value.to_owned());
    };
    let bytes = STANDARD.decode(coded).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Refusal::mismatch("Header mismatch: Mcp-Name is not well encoded"))
}

/// A header that stands once, in visible characters.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::bad(format!("the header {name} stands twice")));
    }
    let text = value
        .to_str()
        .map_err(|_| Refusal::bad(format!("the header {name} has invalid characters")))?;
    Ok(Some(text))
}

fn is_date(version: &str) -> bool {
    let is_digit = |(at, byte): (usize, u8)| {
        if matches!(at, 4 | 7) {
            byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    };
    version.len() == ALONE.len() && version.bytes().enumerate().all(is_digit)
}

/// A body that is JSON as it stands.
pub(super) fn has_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let unsupported = |words| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, -32000, words);
    let content = one(headers, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    let essence = content.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(unsupported(
            "Unsupported Media Type: Content-Type must be application/json",
        ));
    }
    let coding = one(headers, header::CONTENT_ENCODING.as_str())?;
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(unsupported(
            "Unsupported Media Type: the body must not be compressed",
        ));
    }
    Ok(())
}

/// Whether the client takes these, by name or by a wildcard.
pub(super) fn takes(headers: &HeaderMap, types: &[&str]) -> Result<(), Refusal> {
    let values = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(',')).map(|range| {
        range
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    });
    let ranges: Vec<String> = ranges.collect();
    let has = |name: &str| {
        let (kind, _) = name.split_once('/').unwrap_or_default();
        ranges
            .iter()
            .any(|range| range == name || range == "*/*" || *range == format!("{kind}/*"))
    };
    if types.iter().all(|name| has(name)) {
        return Ok(());
    }
    let words = format!(
        "Not Acceptable: the client must accept {}",
        types.join(" and ")
    );
    Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, -32000, words))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        };
        let mut map = HeaderMap::new();
        for (name, value) in lines.iter().map(pair) {
            map.append(name, value);
        }
        map
    }

    fn era(lines: &[(&str, &str)], body: &str) -> Result<Era, i64> {
        let headers = headers(lines);
        let asked = Asked::read(&headers).map_err(|refusal| refusal.code)?;
        asked
            .era_of(&Message::read(body.as_bytes()).unwrap())
            .map_err(|refusal| refusal.code)
    }

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    const OLD_CALL: &str =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#;
    const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
    const METHOD: (&str, &str) = ("mcp-method", "tools/call");
    const NAME: (&str, &str) = ("mcp-name", "=?base64?w6k=?=");

    #[test]
    fn headers_and_body_agree_or_nothing_is_passed_on() {
        assert_eq!(era(&[VERSION, METHOD, NAME], CALL), Ok(Era::Alone));
        for lines in [
            &[METHOD, NAME][..],
            &[VERSION, NAME],
            &[VERSION, METHOD],
            &[("mcp-protocol-version", "2026-08-01"), METHOD, NAME],
            &[VERSION, ("mcp-method", "tools/list"), NAME],
            &[VERSION, ("mcp-method", "Tools/Call"), NAME],
            &[VERSION, METHOD, ("mcp-name", "é")][..2],
            &[VERSION, METHOD, ("mcp-name", "x")],
            &[VERSION, METHOD, ("mcp-name", "=?base64?!?=")],
        ] {
            assert_eq!(era(lines, CALL), Err(HEADER), "{lines:?}");
        }
        assert_eq!(
            era(&[VERSION, METHOD, ("mcp-name", "x")], OLD_CALL),
            Err(HEADER),
            "the body names no version"
        );
        assert_eq!(
            era(&[VERSION, VERSION, METHOD, NAME], CALL),
            Err(-32600),
            "twice"
        );
    }

    const HEADER: i64 = super::super::refusal::HEADER_MISMATCH;

    #[test]
    fn requests_of_sessions_are_told_from_those_without() {
        assert_eq!(era(&[], OLD_CALL), Ok(Era::Sessions));
        assert_eq!(
            era(&[("mcp-protocol-version", "2025-11-25")], OLD_CALL),
            Ok(Era::Sessions)
        );
        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2026-07-28"}}"#;
        assert_eq!(era(&[VERSION], initialize), Ok(Era::Sessions));
        assert_eq!(
            era(&[("mcp-protocol-version", "latest")], OLD_CALL),
            Err(-32600)
        );
    }

    #[test]
    fn a_body_is_json_and_not_compressed() {
        let status = |lines: &[(&str, &str)]| {
            has_json(&headers(lines)).map_err(|refusal| refusal.status.as_u16())
        };
        assert_eq!(
            status(&[("content-type", "application/json; charset=utf-8")]),
            Ok(())
        );
        assert_eq!(status(&[]), Err(415));
        assert_eq!(status(&[("content-type", "text/plain")]), Err(415));
        assert_eq!(
            status(&[
                ("content-type", "application/json"),
                ("content-encoding", "gzip")
            ]),
            Err(415)
        );
        assert_eq!(
            status(&[
                ("content-type", "application/json"),
                ("content-type", "text/plain")
            ]),
            Err(400)
        );
    }

    #[test]
    fn a_client_takes_both_kinds_of_answers() {
        let takes = |accept: &str| {
            let types = &["application/json", "text/event-stream"];
            takes(&headers(&[("accept", accept)]), types).map_err(|refusal| refusal.status.as_u16())
        };
        assert_eq!(takes("application/json, text/event-stream"), Ok(()));
        assert_eq!(takes("*/*"), Ok(()));
        assert_eq!(takes("Application/*;q=0.5, text/event-stream"), Ok(()));
        assert_eq!(takes("application/json"), Err(406));
    }
}

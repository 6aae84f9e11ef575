//! Which revisions of MCP the command speaks: asked once, and remembered.

use std::time::{Duration, Instant};

use super::{
    body::{Event, What},
    mux::Era,
    settings::GUESS,
};

/// The request by which 2026-07-28 tells the two kinds of servers apart on standard streams: "probe with
/// `server/discover` and fall back on any error that is not a recognized modern error".
pub(super) const DISCOVER: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"tower-oauth-gateway","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""},"io.modelcontextprotocol/clientCapabilities":{}}}}"#
);

/// What is known of the command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) era: Era,
    /// A guess is good until then.
    until: Option<Instant>,
}

impl Known {
    /// By what came for [`DISCOVER`]; `None`: nothing in time.
    pub(super) fn by(answer: Option<&Event>, now: Instant) -> Self {
        match answer.map(|event| event.what) {
            // HeaderMismatch, MissingRequiredClientCapability, UnsupportedProtocolVersion.
            Some(What::Answer(None | Some(-32022..=-32020))) => Self {
                era: Era::Alone,
                until: None,
            },
            Some(What::Answer(Some(_))) => Self {
                era: Era::Sessions,
                until: None,
            },
            // "Or does not respond within a reasonable timeout": it may have been slow, or it died of the question.
            Some(What::Message | What::Ended) | None => Self {
                era: Era::Sessions,
                until: Some(now + GUESS),
            },
        }
    }

    pub(super) fn holds(self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// How long the answer is waited for.
pub(super) fn patience(start: Duration) -> Duration {
    start.min(super::settings::PROBE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdio::message::Message;

    fn by(what: What) -> Known {
        let event = Event {
            text: "{}".into(),
            what,
        };
        Known::by(Some(&event), Instant::now())
    }

    #[test]
    fn the_question_is_a_request_of_the_new_kind() {
        let question = Message::read(DISCOVER.as_bytes()).unwrap();
        assert_eq!(question.method(), Some("server/discover"));
        assert_eq!(question.version().as_deref(), Some("2026-07-28"));
    }

    #[test]
    fn a_server_is_known_by_its_answer() {
        assert_eq!(by(What::Answer(None)).era, Era::Alone);
        assert_eq!(by(What::Answer(Some(-32022))).era, Era::Alone);
        for code in [-32601, -32602, -32603, -32000, 0] {
            assert_eq!(by(What::Answer(Some(code))).era, Era::Sessions, "{code}");
        }
    }

    #[test]
    fn silence_is_a_guess_that_does_not_last() {
        let now = Instant::now();
        for known in [Known::by(None, now), by(What::Ended)] {
            assert_eq!(known.era, Era::Sessions);
            assert!(known.holds(now));
            assert!(!known.holds(now + GUESS * 2));
        }
        assert!(by(What::Answer(None)).holds(now + GUESS * 1000));
    }
}

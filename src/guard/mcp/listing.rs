//! Whose lists are filtered: which requests ask for one, what it shows, and in which form it comes.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{
    event_filter::EventFilter,
    list_filter::{ListFilter, ListOf},
    listed::Listed,
    refused_call::Unjudged,
    rules::McpRules,
};
use crate::{body::OwnResponse, guard::Denied, session::AuthSession};

/// The methods whose answers are lists.
const LISTS: [&str; 3] = ["tools/list", "prompts/list", "resources/list"];
/// What describes the bytes of an answer as they were.
const OF_THE_BYTES: [&str; 6] = [
    "content-length",
    "etag",
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
];

/// Who asked for a list.
pub(super) struct Listing {
    rules: McpRules,
    session: AuthSession,
    /// A stream, which may have lists in it. What else comes instead of a stream is no list.
    is_stream: bool,
}

/// How a list comes.
pub(super) enum Form {
    Json(Box<ListFilter>),
    Events(Box<EventFilter>),
}

impl Listing {
    /// For a request that makes these calls, where its answer is to be filtered.
    pub(super) fn of_calls<'a>(
        rules: &McpRules,
        mut methods: impl Iterator<Item = &'a str>,
        session: Option<&AuthSession>,
    ) -> Option<Box<Self>> {
        let is_filtered = rules.listed() != Listed::All;
        let session = session.filter(|_| is_filtered)?;
        methods
            .any(|method| LISTS.contains(&method))
            .then(|| Self::of(rules, session, false))
    }

    /// For a stream (`GET`): it may repeat an answer that was lost, and servers of older revisions send all answers
    /// there.
    pub(super) fn of_stream(
        rules: &McpRules,
        method: &Method,
        session: Option<&AuthSession>,
    ) -> Option<Box<Self>> {
        let is_filtered = rules.listed() != Listed::All && method == Method::GET;
        let session = session.filter(|_| is_filtered)?;
        Some(Self::of(rules, session, true))
    }

    fn of(rules: &McpRules, session: &AuthSession, is_stream: bool) -> Box<Self> {
        Box::new(Self {
            rules: rules.clone(),
            session: session.clone(),
            is_stream,
        })
    }

    /// Has the server answer in a form that can be read: whole, and without a coding.
    pub(super) fn ask(headers: &mut HeaderMap) {
        let identity = HeaderValue::from_static("identity");
        headers.insert(header::ACCEPT_ENCODING, identity);
        headers.remove(header::RANGE);
    }

    /// Whether the list shows this entry.
    pub(super) fn shows(&self, of: ListOf, name: &str) -> bool {
        let (rules, session) = (&self.rules, &self.session);
        let checked = match of {
            ListOf::Tools => rules.check_tool(name, session),
            ListOf::Prompts => rules.check_prompt(name, session),
            ListOf::Resources => rules.check_resource(name, session),
        };
        match checked {
            Ok(()) => true,
            Err(Denied::Scopes(_)) => rules.listed() == Listed::Reachable,
            Err(_) => false,
        }
    }

    /// How to read the answer, whose headers are made to fit; `None` where it has no list.
    ///
    /// # Errors
    ///
    /// In words, why it cannot be read.
    pub(super) fn form(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) -> Result<Option<Form>, &'static str> {
        let is_empty = matches!(status.as_u16(), 202 | 204 | 205);
        if !status.is_success() || is_empty {
            return Ok(None);
        }
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let form = if kind.eq_ignore_ascii_case("text/event-stream") {
            Form::Events(Box::new(EventFilter::new()))
        } else if self.is_stream {
            return Ok(None);
        } else if kind.eq_ignore_ascii_case("application/json") {
            Form::Json(Box::new(ListFilter::new()))
        } else {
            return Err("the server's list is neither JSON nor an event stream");
        };
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err("the server's list has a content coding, though none was asked for");
        }
        for name in OF_THE_BYTES {
            headers.remove(name);
        }
        Ok(Some(form))
    }

    /// Tells the operator that a list was not handed on, and makes the answer for where none has begun.
    pub(super) fn unlisted(&self, words: &str) -> OwnResponse {
        let unlisted = Unjudged::unlisted(words);
        unlisted.report(&self.session);
        unlisted.answer()
    }
}

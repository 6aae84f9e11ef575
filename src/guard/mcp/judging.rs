//! Judges a request by its headers or its body, and says what is still to be done for one that goes on.

use http::Request;

use super::{
    call_headers::{CallHeaders, Claim},
    held_body::{McpBody, Outcome, Unread},
    listing::Listing,
    reader::{Ambiguous, Message},
    refused_call::{Called, Unjudged, refused},
    rules::McpRules,
};
use crate::{body::OwnResponse, guard::layer::PassedBy, oauth::ScopeSet, session::AuthSession};

/// Boxed: most requests are not refused, and carry no room for it.
pub(super) type Refusal = Box<OwnResponse>;

/// What is still to be done for a request that goes on to the server.
#[derive(Default)]
pub(super) struct On {
    /// Where to look for what the rest of its body turns out to be.
    pub(super) outcome: Option<Outcome>,
    /// Whose lists are filtered in the answer.
    pub(super) listing: Option<Box<Listing>>,
}

impl On {
    /// For a request that calls nothing.
    pub(super) fn without_call<B>(rules: &McpRules, request: &Request<B>) -> Self {
        let session = AuthSession::from_extensions(request.extensions());
        Self {
            outcome: None,
            listing: Listing::of_stream(rules, request.method(), session),
        }
    }
}

/// Judges what the headers say; and by which scopes the call is allowed.
pub(super) fn judge_headers<B>(
    rules: &McpRules,
    (method, name): (&str, Option<&str>),
    request: &Request<B>,
) -> Result<(ScopeSet, On), Refusal> {
    let session = AuthSession::from_extensions(request.extensions());
    let by = rules.judge(Some(method), name, session).map_err(|no| {
        let method = Some(method);
        let call = Called { method, name };
        let path = request.uri().path();
        Box::new(refused(path, request.extensions(), call, &no))
    })?;
    let listing = Listing::of_calls(rules, [method].into_iter(), session);
    let outcome = None;
    Ok((by, On { outcome, listing }))
}

/// Judges what the body says, as far as it is read; and where to look for what the rest of it says.
pub(super) fn judge<B>(
    rules: &McpRules,
    request: &mut Request<McpBody<B>>,
    read: Result<(), Unread>,
) -> Result<On, Refusal> {
    let by = judge_body(rules, request, read)?;
    PassedBy::note(by, request.extensions_mut());
    let session = AuthSession::from_extensions(request.extensions());
    let listing = match request.body().message() {
        None => Listing::of_stream(rules, request.method(), session),
        Some(message) => {
            let calls = message.calls().iter();
            let methods = calls.filter_map(|call| call.method.as_deref());
            Listing::of_calls(rules, methods, session)
        }
    };
    let outcome = None;
    if request.body().is_read() {
        return Ok(On { outcome, listing });
    }
    let session = session.cloned();
    let report = move |ambiguous: &Ambiguous| {
        if let Some(session) = session {
            Unjudged::ambiguous(ambiguous).report(&session);
        }
    };
    let outcome = request.body_mut().outcome(report);
    Ok(On { outcome, listing })
}

fn judge_body<B>(
    rules: &McpRules,
    request: &Request<McpBody<B>>,
    read: Result<(), Unread>,
) -> Result<ScopeSet, Refusal> {
    let session = AuthSession::from_extensions(request.extensions());
    let unjudged = |unjudged: &Unjudged| {
        if let Some(session) = session {
            unjudged.report(session);
        }
        Box::new(unjudged.answer())
    };
    read.map_err(|unread| unjudged(&Unjudged::unread(&unread, rules.held_back())))?;
    if request.body().is_empty() {
        return Ok(ScopeSet::default());
    }
    // Fails closed: what is read has a message.
    let message = request.body().message();
    let message = message.ok_or_else(|| unjudged(&Unjudged::odd("the body says no call")))?;
    let claim = Claim::read(&CallHeaders::find(request.headers()));
    let claim = claim.map_err(|words| unjudged(&Unjudged::header(words)))?;
    let judge = |call| {
        let called = Called::of(call);
        let judged = rules.judge(called.method, called.name, session);
        judged.map_err(|no| (called, no))
    };
    match message {
        Message::One(call) => {
            let mismatch = |words| unjudged(&Unjudged::header(words).of(Called::of(call)));
            claim.compare(call).map_err(mismatch)?;
            let path = request.uri().path();
            let refused = |(call, no)| refused(path, request.extensions(), call, &no);
            judge(call).map_err(|denied| Box::new(refused(denied)))
        }
        Message::Batch(_) if !claim.is_empty() => {
            let words = "the headers say one call, and the body is a batch";
            Err(unjudged(&Unjudged::header(words)))
        }
        Message::Batch(_) => {
            let judged: Result<Vec<ScopeSet>, _> = message.calls().iter().map(judge).collect();
            let judged = judged.map_err(|(call, no)| unjudged(&Unjudged::batch(&no).of(call)))?;
            let unite = |all: ScopeSet, by: ScopeSet| all.union(&by);
            Ok(judged.into_iter().fold(ScopeSet::default(), unite))
        }
    }
}

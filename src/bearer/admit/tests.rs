use std::task::Waker;

use super::*;
use crate::{OAuthProxyConfig, provider, session::tests::session};

fn server() -> Arc<ResourceServer> {
    let provider = provider::github("id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    let builder = OAuthProxyConfig::builder(provider, "https://proxy.example");
    Arc::new(ResourceServer::new(builder.build().unwrap()))
}

fn named(subject: &str) -> Validated {
    Validated {
        session: session(subject, &[]),
        is_sufficient: true,
        fresh_until: Unix::NEVER,
        mark: None,
    }
}

/// Knows three tokens.
fn first(_: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    match presented.token {
        "good" => Verdict::Session(named("first")),
        "bad" => Verdict::Refused(Objection::expired()),
        "asked" => Verdict::ask(async { Verdict::Session(named("first")) }),
        "asked-bad" => Verdict::ask(async { Verdict::Refused(Objection::expired()) }),
        // An answer that is a question again, as after a redirect to another server.
        "asked-twice" => Verdict::ask(async { Verdict::ask(async { Verdict::NotMine }) }),
        "asked-not-mine" => Verdict::ask(async { Verdict::NotMine }),
        _ => Verdict::NotMine,
    }
}

/// Takes what the first does not know, and must not see what it does.
fn second(_: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    match presented.token {
        "second" | "asked-twice" | "asked-not-mine" => Verdict::Session(named("second")),
        token if token.starts_with("unknown") => Verdict::NotMine,
        token => panic!("{token} was tried at the second source"),
    }
}

/// Who let the token in, or why nobody did; and how many questions that took.
fn outcome(token: &str) -> (Result<String, Reason>, usize) {
    const SOURCES: &[NamedSource] = &[("first", first), ("second", second)];
    let (server, uri) = (server(), Uri::from_static("/mcp"));
    let presented = Presented {
        token,
        method: &Method::GET,
        uri: &uri,
        now: Unix::EPOCH,
    };
    let (mut untried, mut questions) = (SOURCES.iter(), 0);
    let mut verdict = Verdict::NotMine;
    loop {
        match follow(&server, &presented, verdict, &mut untried) {
            ControlFlow::Break(Ok(validated)) => {
                return (Ok(validated.session.scopes().to_string()), questions);
            }
            ControlFlow::Break(Err(objection)) => {
                return (Err(objection.reason), questions);
            }
            ControlFlow::Continue(mut question) => {
                questions += 1;
                let mut cx = Context::from_waker(Waker::noop());
                let Poll::Ready(answer) = question.as_mut().poll(&mut cx) else {
                    panic!("nothing is waited for")
                };
                verdict = answer;
            }
        }
    }
}

#[test]
fn the_first_source_that_knows_a_token_decides_and_no_other_is_tried() {
    for (token, by) in [("good", "first"), ("second", "second")] {
        assert_eq!(outcome(token), (Ok(by.to_owned()), 0), "{token}");
    }
    assert_eq!(outcome("asked"), (Ok("first".to_owned()), 1));
    let expired = Reason::Expired;
    assert_eq!(outcome("bad"), (Err(expired), 0));
    assert_eq!(outcome("asked-bad"), (Err(expired), 1));
}

#[test]
fn a_source_may_find_out_by_asking_that_a_token_is_not_its_own() {
    assert_eq!(outcome("asked-not-mine"), (Ok("second".to_owned()), 1));
    assert_eq!(outcome("asked-twice"), (Ok("second".to_owned()), 2));
}

#[test]
fn a_token_of_no_source_is_invalid_and_one_that_cannot_be_a_token_malformed() {
    assert_eq!(outcome("unknown"), (Err(Reason::InvalidToken), 0));
    assert_eq!(outcome("unknown\u{e9}"), (Err(Reason::Malformed), 0));
}

//! The store or the provider is down, hangs, breaks between two steps, or lies.

mod corrupt;
mod provider;
mod provider_at_callback;
mod store;

use testkit::Reply;

/// 503 `temporarily_unavailable` in JSON, with the seconds to wait.
#[track_caller]
fn is_unavailable(reply: &Reply) {
    reply.refused(503, "temporarily_unavailable");
    says_when_to_come_back(reply);
}

/// 503 on a protected path: no challenge, or the client would log in again.
#[track_caller]
fn is_503_without_a_challenge(reply: &Reply) {
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), None, "{reply:?}");
    says_when_to_come_back(reply);
}

/// A page for a person, with 503.
#[track_caller]
fn is_503_page(reply: &Reply) {
    assert_eq!(reply.status, 503, "{reply:?}");
    let kind = reply.header("content-type").unwrap();
    assert!(kind.starts_with("text/html"), "{reply:?}");
    assert_eq!(reply.header("location"), None, "{reply:?}");
    says_when_to_come_back(reply);
}

#[track_caller]
fn says_when_to_come_back(reply: &Reply) {
    let seconds = reply.header("retry-after").map(str::parse::<u64>);
    assert!(matches!(seconds, Some(Ok(1..=60))), "{reply:?}");
}

//! The pages of the example.

use maud::html;

use super::{verdict::Verdict, wire::Step};
use crate::support::pages::page;

const NAME: &str = "tower-oauth-proxy, quick start";

/// The front page, with the one button.
pub(crate) fn front(mcp_url: &str, start: &str) -> String {
    let body = html! {
        h1 { "An MCP server that wants a login" }
        p { "It is at " code { (mcp_url) } ". Give that URL to your MCP client, or press the button and be the \
             person, while a small client does what yours would do: find out where to log in, register \
             itself, send you there, redeem its code, call tools, refresh, revoke." }
        p { a.button href=(start) { "Watch the whole journey" } }
        p { "You will see a consent page, then a login page: Ada is an admin, Bob is not. Saying no is a right \
             answer too." }
    };
    page("Quick start", NAME, false, &body)
}

/// What happened: the verdict, and each step in order.
pub(crate) fn journey(steps: &[Step], verdict: &Verdict) -> String {
    let is_right = verdict.is_right();
    let body = html! {
        h1 { "The journey" }
        div.verdict.right[is_right].wrong[!is_right] role="status" {
            b { (if is_right { "Right" } else { "Wrong" }) }
            span { (verdict) "." }
        }
        p { "Every request of the client and every answer, secrets shortened." }
        @for (index, step) in steps.iter().enumerate() {
            h2 { (index + 1) ". " (step.title) }
            pre { (step.request) }
            @if !step.answer.is_empty() { pre { (step.answer) } }
            p class=(if step.right { "right" } else { "wrong" }) {
                (if step.right { "Right" } else { "Wrong" }) ": expected " (step.expected) "."
            }
        }
    };
    let title = if is_right {
        "Right: the journey"
    } else {
        "Wrong: the journey"
    };
    page(title, NAME, true, &body)
}

/// A callback that was opened twice.
pub(crate) fn ended(start: &str) -> String {
    let body = html! {
        h1 { "This journey has ended" }
        p { "Each of them is for once." }
        p { a.button href=(start) { "Begin another one" } }
    };
    page("This journey has ended", NAME, false, &body)
}

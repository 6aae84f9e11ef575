//! The pages of the example.

use maud::{DOCTYPE, Markup, html};

use super::wire::Step;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;\
    padding:0 1rem}pre{background:#8881;padding:.6rem;overflow-x:auto;font-size:.85rem}\
    a.button{display:inline-block;padding:.7rem 1.4rem;background:#14532d;color:#fff;\
    text-decoration:none;border-radius:.3rem}.wrong{color:#b91c1c}.right{color:#15803d}";

/// The front page, with the one button.
pub(crate) fn front(mcp_url: &str, start: &str) -> String {
    let body = html! {
        h1 { "tower-oauth-proxy, quick start" }
        p { "There is an MCP server at " code { (mcp_url) } ". It wants a login. Give that URL to "
            "your MCP client, or press the button and be the person while a small client does "
            "what yours would do: find out where to log in, register itself, send you there, "
            "redeem its code, call tools, refresh, revoke." }
        p { a.button href=(start) { "Watch the whole journey" } }
        p { "You will see a consent page, then a login page: Ada is an admin, Bob is not." }
    };
    layout("Quick start", &body)
}

/// What happened, in order.
pub(crate) fn journey(steps: &[Step], done: bool) -> String {
    let body = html! {
        h1 { @if done { "The whole journey" } @else { "The journey ended early" } }
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
    layout("The journey", &body)
}

fn layout(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (STYLE) }
            }
            body { (body) }
        }
    }
    .into_string()
}

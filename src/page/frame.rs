//! What all pages share, and the page that only says something.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Kept small and readable without a stylesheet; follows the person's light or dark setting.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;place-items:center}\
main{max-width:30rem;padding:2rem;margin:1rem;border:1px solid #8884;border-radius:12px}\
h1{font-size:1.25rem;margin:0 0 1rem}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.4rem 1rem;margin:1rem 0}\
dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere;font-weight:600}\
ul{margin:0;padding-left:1.2rem}\
.caution{border-left:4px solid #d97706;padding:.5rem .75rem;background:#d9770622}\
form{display:flex;gap:.75rem;margin-top:1.5rem}\
button{font:inherit;padding:.6rem 1.2rem;border-radius:8px;border:1px solid #8888;cursor:pointer}\
button[value=approve]{background:#1d4ed8;color:#fff;border-color:#1d4ed8;font-weight:600}\
small{opacity:.7}";

/// Where there is a mouse, the button that grants access takes a click only after the pointer has
/// been on the page for a moment. A page that lured a person into clicking fast, and put this one
/// under the pointer in between, gets nothing by it. Keyboards and touch are as before.
const UNHURRIED: &str = "\
@media(hover:hover) and (pointer:fine){\
button[value=approve]{pointer-events:none}\
body:hover button[value=approve]{animation:ready 0s .8s forwards}\
}\
@keyframes ready{to{pointer-events:auto}}";

/// A page around some content.
pub(super) fn frame(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(UNHURRIED)) }
            }
            body { main { (content) } }
        }
    };
    page.into_string()
}

/// Says what happened and what to do.
pub(crate) fn message(service: &str, title: &str, words: &str) -> String {
    let content = html! {
        h1 { (title) }
        p { (words) }
        small { (service) }
    };
    frame(title, &content)
}

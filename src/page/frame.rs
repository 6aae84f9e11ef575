//! What all pages share: the document around the content, its style, and the headers that guard it.

use http::{HeaderName, HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::stage::Stage;

/// The headers of every page. It runs no script, loads nothing, and stands in no frame.
///
/// No `Cross-Origin-Opener-Policy`: it would cut a web client off from the popup that it opened for
/// the login and waits for.
pub(crate) fn headers() -> [(HeaderName, HeaderValue); 5] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer` browsers post the form with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
}

/// No `form-action`: browsers apply it to the whole chain of redirects after the form, which ends at
/// the client's own scheme.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// Kept small and readable without a stylesheet; follows the person's light or dark setting.
///
/// Nothing is wider than its card, at any width: every column may shrink to nothing
/// (`minmax(0,1fr)`), every word may break. A client's name has a box of its own height, which
/// scrolls: it pushes nothing out of view. The buttons stay at the screen's lower edge.
const STYLE: &str = "\
:root{color-scheme:light dark}\
*{box-sizing:border-box}\
body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;\
grid-template-columns:minmax(0,1fr);place-items:center}\
main{width:calc(100% - 2rem);max-width:34rem;padding:2rem;margin:1rem;border:1px solid #8884;\
border-radius:12px;overflow-wrap:anywhere}\
h1{font-size:1.25rem;margin:0 0 1rem}\
dl{display:grid;grid-template-columns:minmax(0,auto) minmax(0,1fr);gap:.4rem 1rem;margin:1rem 0}\
dt{opacity:.7}dd{margin:0;font-weight:600}\
.claim{font-weight:400;max-height:4.7em;overflow:auto;padding:0 .5rem;border:1px dashed #8888;\
border-radius:6px}\
ul{margin:0;padding-left:1.2rem}\
.caution{border-left:4px solid #d97706;padding:.5rem .75rem;background:#d9770622}\
form{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1rem;padding:.5rem 0;position:sticky;bottom:0;\
background:Canvas}\
button{font:inherit;padding:.6rem 1.2rem;border-radius:8px;border:1px solid #8888;cursor:pointer}\
button[value=approve]{background:#1d4ed8;color:#fff;border-color:#1d4ed8;font-weight:600}\
small{opacity:.7}\
@media(max-width:30rem){main{width:100%;margin:0;padding:1rem;border:0}\
dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.4rem}}";

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
pub(super) fn frame(stage: &Stage<'_>, title: &str, content: &Markup) -> String {
    frame_with(stage, title, "", content)
}

/// The same with more style.
pub(super) fn frame_with(stage: &Stage<'_>, title: &str, style: &str, content: &Markup) -> String {
    let language = stage.language;
    let page = html! {
        (DOCTYPE)
        html lang=(language.tag()) dir=(language.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(UNHURRIED)) (PreEscaped(style)) }
            }
            body { main { (content) (footer(stage)) } }
        }
    };
    page.into_string()
}

/// How the operator finds this visit again.
fn footer(stage: &Stage<'_>) -> Markup {
    let at = stage.at.rfc3339();
    let shown = at.replace('T', " ").replace('Z', " UTC");
    html! {
        footer {
            small {
                bdi { (stage.look.service) } " · " (stage.words().id) " " bdi { (stage.id) } " · "
                time datetime=(at) { bdi { (shown) } }
            }
        }
    }
}

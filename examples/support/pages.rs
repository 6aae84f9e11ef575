//! How the pages of the examples look: as those of the product, in light and dark.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

/// They run no script, load nothing, and stand in no frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
);

/// A key on blue: without a link, browsers ask for `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect \
width='16' height='16' rx='4' fill='%232456e6'/%3E%3Cpath d='M5 8a2 2 0 1 1 4 0 2 2 0 0 1-4 0zm4 0h4v2' \
fill='none' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E";

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#16181d;--soft:#565d6b;--line:#d5dae3;--card:#fff;--ground:#f4f6f9;\
--accent:#2456e6;--on-accent:#fff;--right:#166534;--wrong:#b91c1c}\
@media(prefers-color-scheme:dark){:root{--ink:#eceef2;--soft:#a3abba;--line:#3a424f;--card:#1b1f27;\
--ground:#111419;--accent:#7ea2ff;--on-accent:#0c1222;--right:#86efac;--wrong:#fca5a5}}\
*{box-sizing:border-box;min-width:0}\
body{margin:0;min-height:100vh;display:grid;grid-template-columns:minmax(0,1fr);place-items:center;\
padding:clamp(0px,4vw,32px);background:var(--ground);color:var(--ink);\
font:16px/1.5 system-ui,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif;overflow-wrap:anywhere}\
main{width:min(100%,30rem);background:var(--card);border:1px solid var(--line);border-radius:16px;\
padding:1.25rem 1.5rem 1.5rem}\
main.wide{width:min(100%,56rem)}\
main>small{color:var(--soft)}\
h1{font-size:1.35rem;line-height:1.3;margin:.2rem 0 .8rem;text-wrap:balance}\
h2{font-size:1rem;margin:1.6rem 0 .4rem}\
p{margin:.6rem 0}a{color:var(--accent)}\
pre,code{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}\
pre{background:var(--ground);border:1px solid var(--line);border-radius:10px;padding:.6rem .8rem;margin:.4rem 0;\
white-space:pre-wrap}\
form{display:grid;gap:.6rem;margin:1.1rem 0}\
button,a.button{font:inherit;font-weight:600;padding:.7rem 1rem;min-block-size:2.9rem;border-radius:10px;\
border:1px solid var(--line);background:transparent;color:var(--ink);cursor:pointer;text-align:start;\
display:flex;justify-content:space-between;align-items:center;gap:1rem;flex-wrap:wrap}\
button small{color:var(--soft);font-weight:400}\
button.yes,a.button{background:var(--accent);border-color:var(--accent);color:var(--on-accent);\
text-decoration:none}button.yes small{color:inherit}a.button{display:inline-flex}\
button:hover,a.button:hover{border-color:var(--ink)}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
summary{cursor:pointer;padding:.25rem 0;color:var(--soft)}\
.verdict{border:1px solid var(--line);border-inline-start:6px solid;border-radius:10px;padding:.7rem 1rem}\
.verdict b{display:block;font-size:1.1rem}.verdict span{color:var(--ink)}\
.right{color:var(--right)}.wrong{color:var(--wrong)}\
@media(max-width:26rem){main{border:0;border-radius:0;min-height:100vh}}";

/// A page around some content. `above` says whose page it is.
pub fn page(title: &str, above: &str, is_wide: bool, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href=(ICON);
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main.wide[is_wide] { small { (above) } (body) } }
        }
    };
    page.into_string()
}

/// A page as an answer.
pub fn answer(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (status, headers, Html(page)).into_response()
}

//! The page of an address that is for apps, to a person who opened it in a browser.

use maud::html;

use super::{
    custom::PageKind,
    frame::Sheet,
    parts,
    signs::Sign,
    stage::Stage,
    words::{fill, fill_title},
};

/// Everything on the page.
pub(crate) struct ForApps<'a> {
    /// What an app has to be given: a URL of this server's, with a path that was asked for.
    pub(crate) address: &'a str,
}

pub(super) fn html(page: &ForApps<'_>, stage: &Stage<'_>) -> String {
    let (words, service) = (stage.words(), stage.service());
    let more = html! {
        dl .box {
            div {
                dt { (words.for_apps_address) }
                dd { code { bdi { (page.address) } } }
            }
        }
        p { (words.for_apps_steps) }
    };
    let content = parts::message(
        Sign::Plug,
        &fill(&words.for_apps_title, &service),
        &fill(&words.for_apps_text, &service),
        &more,
    );
    let title = fill_title(&words.for_apps_title, &service);
    Sheet::plain(PageKind::ForApps, &title, content).html(stage)
}

#[cfg(test)]
mod tests {
    use super::{super::stage::staged, *};

    #[test]
    fn the_address_is_text() {
        let address = "https://notes.example/mcp<script>\"";
        let html = staged("Notes", |stage| html(&ForApps { address }, stage));
        let shown = "<bdi>https://notes.example/mcp&lt;script&gt;&quot;</bdi>";
        assert!(html.contains(shown), "{html}");
    }
}

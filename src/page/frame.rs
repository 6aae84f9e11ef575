//! What all pages share: the document around the content, whose it is, and whom to ask.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    custom::{PageAccount, PageClient, PageContext, PageKind, PageScope},
    look::PageLink,
    stage::Stage,
};

/// One page, before anything is around it.
pub(super) struct Sheet<'a> {
    pub(super) kind: PageKind,
    pub(super) title: &'a str,
    /// All that is in `main`.
    pub(super) content: Markup,
    /// The form of it by itself, where there is one.
    pub(super) form: Option<Markup>,
    pub(super) about: About<'a>,
}

/// What a page is about, for those who write it themselves.
#[derive(Default)]
pub(super) struct About<'a> {
    pub(super) client: Option<PageClient<'a>>,
    pub(super) account: Option<PageAccount<'a>>,
    pub(super) scopes: Vec<PageScope<'a>>,
    pub(super) resource: Option<&'a str>,
    pub(super) caution: Option<&'a str>,
}

impl<'a> Sheet<'a> {
    /// A page without a form.
    pub(super) fn plain(kind: PageKind, title: &'a str, content: Markup) -> Self {
        Self {
            kind,
            title,
            content,
            form: None,
            about: About::default(),
        }
    }

    /// The page as HTML: the operator's, or ours.
    pub(super) fn html(self, stage: &Stage<'_>) -> String {
        match &stage.look.brand.custom {
            None => self.ours(stage),
            Some(custom) => {
                let (content, time) = (self.content.0.clone(), stage.at.rfc3339());
                let form = self.form.as_ref().map(|form| form.0.clone());
                let context = PageContext {
                    kind: self.kind,
                    language: stage.language.tag(),
                    direction: stage.language.direction(),
                    service: &stage.look.service,
                    icon: stage.look.icon.url(),
                    title: self.title,
                    content: &content,
                    style: &stage.look.style,
                    form: form.as_deref(),
                    client: self.about.client.clone(),
                    account: self.about.account,
                    scopes: self.about.scopes.clone(),
                    resource: self.about.resource,
                    caution: self.about.caution,
                    id: stage.id,
                    time: &time,
                };
                custom.page(&context).unwrap_or_else(|| self.ours(stage))
            }
        }
    }

    fn ours(&self, stage: &Stage<'_>) -> String {
        let language = stage.language;
        let page = html! {
            (DOCTYPE)
            html lang=(language.tag()) dir=(language.direction()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    (stage.look.icon.link())
                    style { (PreEscaped(&stage.look.style)) }
                }
                body { div .card { (header(stage)) main { (self.content) } (footer(stage)) } }
            }
        };
        page.into_string()
    }
}

/// Whose page it is.
fn header(stage: &Stage<'_>) -> Markup {
    let look = stage.look;
    html! {
        header .from {
            (look.icon.mark())
            div {
                b { bdi { (look.service) } }
                @if let Some(host) = &look.host { small { bdi { (host) } } }
            }
        }
    }
}

/// Whom to ask, and how the operator finds this visit again.
fn footer(stage: &Stage<'_>) -> Markup {
    let (brand, words) = (&stage.look.brand, stage.words());
    let at = stage.at.rfc3339();
    let shown = at.replace('T', " ").replace('Z', " UTC");
    html! {
        footer {
            @if let Some(contact) = &brand.contact {
                p { span { (words.help) " " (link(contact)) } }
            }
            @if !brand.links.is_empty() {
                p { @for of in &brand.links { (link(of)) } }
            }
            p .id {
                span { (words.id) " " bdi { (stage.id) } }
                time datetime=(at) { bdi { (shown) } }
            }
        }
    }
}

/// In a window of its own: what a person was asked stays where it is.
fn link(link: &PageLink) -> Markup {
    let target = link.url.starts_with("http").then_some("_blank");
    html! { a href=(link.url) target=[target] rel="noopener noreferrer" { bdi { (link.text) } } }
}

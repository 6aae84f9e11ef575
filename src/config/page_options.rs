//! What the operator says of the pages, and what of it can be wrong.

use std::collections::BTreeSet;

use crate::{
    config::shown_text::check_text,
    error::ConfigError,
    limits::{
        MAX_MAIL_ADDRESS, MAX_NAME, MAX_PAGE_LINKS, MAX_PAGE_URL, MAX_SCOPE_TEXT, MAX_SCOPE_TEXTS,
    },
    oauth::{ScopeSet, StrictUri},
    page::{Brand, Color, CustomPages, Icon, PageLink, ScopeText, ScopeTexts, Theme, is_tag},
};

/// As it was said.
#[derive(Default)]
pub(crate) struct SaidPages {
    pub(crate) icon: Option<Vec<u8>>,
    pub(crate) color: Option<String>,
    /// Text and URL.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) contact: Option<String>,
    pub(crate) scopes: Vec<ScopeText>,
    pub(crate) custom: Option<CustomPages>,
}

impl SaidPages {
    pub(crate) fn describe(&mut self, scope: String, language: Option<String>, text: String) {
        self.scopes.push(ScopeText {
            scope,
            language,
            text,
        });
    }

    pub(super) fn checked(&self) -> Result<Brand, ConfigError> {
        let color = self.color.as_deref().map(color).transpose()?;
        let icon = self.icon.as_deref().map(|bytes| {
            let refused = |why| ConfigError::new("page_icon", format!("the picture {why}"));
            Icon::of(bytes).map_err(refused)
        });
        if self.links.len() > MAX_PAGE_LINKS {
            let why = format!(
                "{} links: at most {MAX_PAGE_LINKS} have room",
                self.links.len()
            );
            return Err(ConfigError::new("page_link", why));
        }
        check_scope_texts(&self.scopes)?;
        Ok(Brand {
            theme: Theme::of(color),
            icon: icon.transpose()?,
            links: self.links.iter().map(link).collect::<Result<_, _>>()?,
            contact: self.contact.as_deref().map(contact).transpose()?,
            scopes: ScopeTexts(self.scopes.clone()),
            custom: self.custom.clone(),
        })
    }

    /// What no page will show, or not as it was said.
    pub(super) fn odd(&self, brand: &Brand, scopes: &ScopeSet) -> Vec<String> {
        let is_shown = |scope: &str| scope == "offline_access" || scopes.contains(scope);
        let texts = self.scopes.iter().map(|text| text.scope.as_str());
        let unknown: BTreeSet<_> = texts.filter(|scope| !is_shown(scope)).collect();
        let unknown = unknown.into_iter().map(|scope| {
            format!("scope_description: `{scope}` is not one of `scopes`, so no page shows what it means")
        });
        brand.theme.odd().into_iter().chain(unknown).collect()
    }
}

fn color(text: &str) -> Result<Color, ConfigError> {
    let shown: String = text.chars().take(MAX_NAME).collect();
    Color::parse(text).map_err(|why| ConfigError::new("page_color", format!("{shown:?} {why}")))
}

fn link((text, url): &(String, String)) -> Result<PageLink, ConfigError> {
    const OPTION: &str = "page_link";
    check_text(OPTION, text, MAX_NAME)?;
    check_url(OPTION, url)?;
    Ok(PageLink {
        text: text.clone(),
        url: url.clone(),
    })
}

/// An address for mail, or a page with more ways to ask.
fn contact(said: &str) -> Result<PageLink, ConfigError> {
    const OPTION: &str = "page_contact";
    if said.contains("://") {
        check_url(OPTION, said)?;
        let text = said.split_once("://").map_or(said, |(_, rest)| rest);
        return Ok(PageLink {
            text: text.trim_end_matches('/').to_owned(),
            url: said.to_owned(),
        });
    }
    if !is_mail_address(said) {
        let shown: String = said.chars().take(MAX_NAME).collect();
        let why = format!("{shown:?} is neither an e-mail address nor an https URL");
        return Err(ConfigError::new(OPTION, why));
    }
    Ok(PageLink {
        text: said.to_owned(),
        url: format!("mailto:{said}"),
    })
}

/// What every mail program reads in a `mailto:` URL as it stands (RFC 6068 section 2 has the rest encoded).
fn is_mail_address(said: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_+".contains(&b);
    let fits = |part: &str| !part.is_empty() && part.bytes().all(is_plain);
    let parts = said.split_once('@');
    said.len() <= MAX_MAIL_ADDRESS && parts.is_some_and(|(name, host)| fits(name) && fits(host))
}

fn check_url(option: &'static str, url: &str) -> Result<(), ConfigError> {
    let refuse = |why: String| Err(ConfigError::new(option, why));
    let shown: String = url.chars().take(MAX_NAME).collect();
    let uri = match StrictUri::parse(url, MAX_PAGE_URL) {
        Ok(uri) => uri,
        Err(fault) => return refuse(format!("{shown:?} {fault}")),
    };
    match uri.scheme() {
        "https" => Ok(()),
        "http" if uri.is_loopback() => Ok(()),
        _ => refuse(format!(
            "{shown:?} must be https: people follow it from a page of yours"
        )),
    }
}

fn check_scope_texts(texts: &[ScopeText]) -> Result<(), ConfigError> {
    const OPTION: &str = "scope_description";
    let refuse = |why: String| Err(ConfigError::new(OPTION, why));
    if texts.len() > MAX_SCOPE_TEXTS {
        return refuse(format!(
            "{} texts: at most {MAX_SCOPE_TEXTS} are kept",
            texts.len()
        ));
    }
    let mut seen = BTreeSet::new();
    for ScopeText {
        scope,
        language,
        text,
    } in texts
    {
        if let Err(error) = ScopeSet::new([scope]) {
            let shown: String = scope.chars().take(MAX_NAME).collect();
            return refuse(format!("{shown:?}: {error}"));
        }
        let tag = language.as_deref();
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            let shown: String = tag.chars().take(MAX_NAME).collect();
            return refuse(format!(
                "{shown:?} is no language tag, such as `de` or `pt-BR`"
            ));
        }
        check_text(OPTION, text, MAX_SCOPE_TEXT)?;
        if !seen.insert((scope, tag.map(str::to_ascii_lowercase))) {
            let of = tag.map(|tag| format!(" in `{tag}`")).unwrap_or_default();
            return refuse(format!(
                "`{scope}` has two texts{of}: which one do you mean?"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

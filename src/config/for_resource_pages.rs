//! What a resource server's pages say: the few that it has.

use super::for_resource_server::ResourceServerBuilder;
use crate::page::Words;

/// # Pages
impl ResourceServerBuilder {
    /// As [`OAuthProxyConfigBuilder::page_words`](crate::OAuthProxyConfigBuilder::page_words).
    pub fn page_words(mut self, language: impl Into<String>, words: Words) -> Self {
        self.languages.words.push((language.into(), words));
        self
    }

    /// As [`OAuthProxyConfigBuilder::page_languages`](crate::OAuthProxyConfigBuilder::page_languages).
    pub fn page_languages<I: IntoIterator<Item: Into<String>>>(mut self, languages: I) -> Self {
        let languages = languages.into_iter().map(Into::into);
        self.languages.only = Some(languages.collect());
        self
    }

    /// As [`OAuthProxyConfigBuilder::page_icon`](crate::OAuthProxyConfigBuilder::page_icon).
    pub fn page_icon(mut self, picture: impl Into<Vec<u8>>) -> Self {
        self.plain.pages.icon = Some(picture.into());
        self
    }

    /// As [`OAuthProxyConfigBuilder::page_color`](crate::OAuthProxyConfigBuilder::page_color).
    pub fn page_color(mut self, color: impl Into<String>) -> Self {
        self.plain.pages.color = Some(color.into());
        self
    }

    /// As [`OAuthProxyConfigBuilder::page_contact`](crate::OAuthProxyConfigBuilder::page_contact).
    pub fn page_contact(mut self, contact: impl Into<String>) -> Self {
        self.plain.pages.contact = Some(contact.into());
        self
    }

    /// As [`OAuthProxyConfigBuilder::page_link`](crate::OAuthProxyConfigBuilder::page_link).
    pub fn page_link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.plain.pages.links.push((text.into(), url.into()));
        self
    }
}

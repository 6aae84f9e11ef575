//! What a resource server's pages say: the few that it has.

use super::for_resource_server::ResourceServerBuilder;
use crate::page::Words;

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
}

//! How a resource server's pages look: those that a browser gets at an address for apps.

use super::for_resource_server::ResourceServerBuilder;

/// # Pages
impl ResourceServerBuilder {
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

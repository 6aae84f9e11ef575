//! Pages and consent: what a person sees, and the cookies of a login.

use std::time::Duration;

use super::said::OAuthProxyConfigBuilder;
use crate::{
    config::choices::{AccountPage, Consent},
    page::Words,
};

/// # Pages and consent
impl OAuthProxyConfigBuilder {
    /// Whether a person is asked before a client gets access. Default: [`Consent::Always`].
    pub fn consent(mut self, consent: Consent) -> Self {
        self.plain.consent = consent;
        self
    }

    /// Whether a person who is back from the provider is shown the account that they are logged in to, before the
    /// client gets access. Default: [`AccountPage::WhereCookiesCanBePlanted`].
    ///
    /// Where it is shown, a login has to leave a little more room in a cookie: a client's `state` may be some 480
    /// characters shorter.
    pub fn account_page(mut self, page: AccountPage) -> Self {
        self.plain.account_page = page;
        self
    }

    /// The name that the consent page and the resource metadata give this service: 1 to 100 visible
    /// characters. Default: the host of the base URL on pages, and no name in metadata.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.plain.service_name = Some(name.into());
        self
    }

    /// How long a person may take to decide on the consent page, and then again at the provider: one
    /// second to one hour each. Default: 10 minutes.
    #[doc(alias = "login_ttl")]
    pub fn transaction_ttl(mut self, ttl: Duration) -> Self {
        self.plain.transaction_ttl = ttl;
        self
    }

    /// The prefix of the cookies' names, for platforms that rewrite cookies and so break `__Host-`: at most
    /// 32 letters, digits, `-`, `_` and `.`. Default: `__Host-` on https, empty on loopback http.
    ///
    /// Weak: without `__Host-`, an attacker who controls a neighbouring subdomain can plant cookies here.
    /// They cannot forge one, but they can plant a whole login that they began and approved themselves: the
    /// promise that the browser which consents is the browser which returns no longer holds. An app of the
    /// attacker's could get access in the name of a person who is logged in at the provider, or a person's app be
    /// logged in to the attacker's account. So each person then sees the [account page](Self::account_page) before
    /// the client gets anything, and that cannot be turned off. It stops what goes unnoticed; it does not stop a
    /// person who continues with an account or an app that is not theirs.
    ///
    /// On loopback http cookies do not distinguish ports: any web page that a program on this computer serves can do
    /// the same. `__Secure-` is no better in this.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie_prefix = Some(prefix.into());
        self
    }

    /// The words of the pages in a language (RFC 5646): another one, or instead of those that are shipped for
    /// it. Give each language once.
    ///
    /// English, German, French, Spanish, Japanese and Arabic are shipped. A page is in the language that the
    /// client names (`ui_locales`), else in one that the browser names (`Accept-Language`), else in the first
    /// of [`page_languages`](Self::page_languages). Languages that are written from right to left are known by
    /// their tag. See [the chapter](crate::docs::pages#languages).
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, Words, provider};
    ///
    /// let mut words = Words::english();
    /// words.allow = "Ydw, a mewngofnodi".into();
    /// words.deny = "Nac ydw".into();
    /// words.log_in_to = "Mewngofnodi i {service}".into();
    /// // … and the other texts.
    ///
    /// let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
    ///     .page_words("cy", words)
    ///     .build()?;
    /// # let _ = config;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn page_words(mut self, language: impl Into<String>, words: Words) -> Self {
        self.languages.words.push((language.into(), words));
        self
    }

    /// The languages that pages are there in, of those that are shipped and those of
    /// [`page_words`](Self::page_words). People who read none of them get the first. Default: all, English
    /// first.
    pub fn page_languages<I: IntoIterator<Item: Into<String>>>(mut self, languages: I) -> Self {
        let languages = languages.into_iter().map(Into::into);
        self.languages.only = Some(languages.collect());
        self
    }
}

//! Pages and consent: what a person sees, and the cookies of a login.

use std::time::Duration;

use super::said::OAuthProxyConfigBuilder;
use crate::{
    config::choices::{AccountPage, Consent},
    page::{CustomPages, PageContext, Words},
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

    /// The service's sign on each page and in the browser's tab: the bytes of a PNG, JPEG, WebP, GIF or SVG
    /// picture of at most 16 KiB; square, 64 by 64 pixels are enough. It stands in the pages themselves, which load
    /// nothing. Default: the first letter of the service's name on [`page_color`](Self::page_color).
    ///
    /// ```no_run
    /// # use tower_oauth_proxy::{ConfigError, OAuthProxyConfig, OAuthProxyConfigBuilder, provider};
    /// # fn example(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// // With `include_bytes!("icon.svg")` the picture is a part of the program.
    /// builder
    ///     .service_name("Acme Notes")
    ///     .page_icon(std::fs::read("icon.svg").unwrap_or_default())
    ///     .page_color("#0a7d4f")
    ///     .page_contact("help@acme.example")
    ///     .page_link("Privacy", "https://acme.example/privacy")
    ///     .scope_description("notes:read", "read your notes")
    ///     .scope_description_in("de", "notes:read", "Notizen lesen")
    /// # }
    /// ```
    pub fn page_icon(mut self, picture: impl Into<Vec<u8>>) -> Self {
        self.plain.pages.icon = Some(picture.into());
        self
    }

    /// The colour of buttons, links and signs, as `#2456e6` or `#25e`. Default: a blue.
    ///
    /// It is used as it is wherever it can be read, in a light and in a dark page, by the contrasts of WCAG 2.2
    /// (1.4.3 and 1.4.11). Where it cannot, text and borders get the nearest shade of it that can, and the text on a
    /// button is white or black. A colour that cannot be told from a white page at all is reported at start, as an
    /// event of [`Reason::OddOption`](crate::Reason::OddOption).
    #[doc(alias = "page_colour")]
    pub fn page_color(mut self, color: impl Into<String>) -> Self {
        self.plain.pages.color = Some(color.into());
        self
    }

    /// Whom a person asks when something is wrong, at the foot of each page: an e-mail address or an https URL.
    /// Default: none. The id beside it is the one that the events have.
    pub fn page_contact(mut self, contact: impl Into<String>) -> Self {
        self.plain.pages.contact = Some(contact.into());
        self
    }

    /// A link at the foot of each page, such as to a privacy policy: its text of 1 to 100 visible characters, and an
    /// https URL. At most 4; each call adds one.
    pub fn page_link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.plain.pages.links.push((text.into(), url.into()));
        self
    }

    /// What a scope lets an app do, in words for the person who decides: 1 to 200 visible characters that end the
    /// sentence "If you allow it, it can …", without a full stop. Default: the consent page shows the scope's name;
    /// `openid`, `profile`, `email`, `address`, `phone` and `offline_access` have words in each language, which this
    /// replaces.
    ///
    /// It is for each language that has no text of [its own](Self::scope_description_in).
    pub fn scope_description(mut self, scope: impl Into<String>, text: impl Into<String>) -> Self {
        let pages = &mut self.plain.pages;
        pages.describe(scope.into(), None, text.into());
        self
    }

    /// The same for pages in one language, by its tag (RFC 5646): `de`, `pt-BR`.
    pub fn scope_description_in(
        mut self,
        language: impl Into<String>,
        scope: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let pages = &mut self.plain.pages;
        pages.describe(scope.into(), Some(language.into()), text.into());
        self
    }

    /// Writes pages in the place of ours: HTML from `<!DOCTYPE html>` on, at most 256 KiB. `None` leaves a page as it
    /// is. Default: none.
    ///
    /// A page that asks for a decision must hold [`PageContext::form`] or [`PageContext::content`], once and byte for
    /// byte: the fields in it bind the decision to this browser and this login. A page without it is not shown, and
    /// ours stands in; so it does where the function panics. A warning of `tracing` says why.
    ///
    /// The headers stay ours: no script runs, nothing is loaded, images are `data:` URLs, and no frame holds the
    /// page. Styles are free, so this page's protection against clicks that another page lured out is in your
    /// hands: keep [`PageContext::style`]. What the person has to see is too: who asks and that it is only a claim,
    /// where access goes, what for, and the caution.
    ///
    /// ```
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, PageContext};
    /// # fn example(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.custom_pages(|page| {
    ///     let (title, service) = (PageContext::escape(page.title), PageContext::escape(page.service));
    ///     Some(format!(
    ///         "<!DOCTYPE html><html lang=\"{}\" dir=\"{}\"><meta charset=\"utf-8\"><title>{title}</title>\
    ///          <style>{} main {{ margin: auto; max-width: 40rem }}</style>\
    ///          <header>{service}</header><main>{}</main><footer>{}</footer></html>",
    ///         page.language, page.direction, page.style, page.content, page.id,
    ///     ))
    /// })
    /// # }
    /// ```
    pub fn custom_pages(
        mut self,
        write: impl Fn(&PageContext<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.plain.pages.custom = Some(CustomPages::new(write));
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

//! A page that the operator writes, around what stays ours.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use maud::Escaper;

use crate::limits::MAX_CUSTOM_PAGE;

/// The operator's function.
type Write = dyn Fn(&PageContext<'_>) -> Option<String> + Send + Sync;

/// Writes pages in the place of ours.
#[derive(Clone)]
pub(crate) struct CustomPages(Arc<Write>);

impl CustomPages {
    pub(crate) fn new(
        write: impl Fn(&PageContext<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(write))
    }

    /// The operator's page; `None` where there is none, or none that a person could use: then ours is shown, and a
    /// warning says why. A panic of the operator's function costs its page, not the login.
    ///
    /// A page that asks for a decision has our form in it as it is: without its hidden fields the decision would
    /// be refused, and a form of another shape could ask for something else than it sends.
    pub(super) fn page(&self, context: &PageContext<'_>) -> Option<String> {
        // What the function may have left half done is its own: here everything is made anew for each page.
        let page = catch_unwind(AssertUnwindSafe(|| (self.0)(context)));
        let checked = match page {
            Ok(None) => return None,
            Ok(Some(html)) => usable(html, context),
            Err(_) => Err("the function panicked"),
        };
        let refused = |why| {
            let (kind, id) = (context.kind, context.id);
            tracing::warn!(page = ?kind, id, why, "`custom_pages`: our own page was shown instead");
        };
        checked.map_err(refused).ok()
    }
}

fn usable(html: String, context: &PageContext<'_>) -> Result<String, &'static str> {
    if html.len() > MAX_CUSTOM_PAGE {
        return Err("the page is longer than 256 KiB");
    }
    let Some(form) = context.form else {
        return Ok(html);
    };
    let ours = [form, context.content].into_iter();
    match ours.map(|ours| html.matches(ours).count()).sum::<usize>() {
        0 => Err("neither `form` nor `content` is on the page, byte for byte"),
        1 => Ok(html),
        _ => Err("`form` or `content` is on the page more than once"),
    }
}

impl fmt::Debug for CustomPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomPages")
    }
}

/// Which page a person is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageKind {
    /// An app asks for access.
    Consent,
    /// Where to log in.
    Provider,
    /// Who is logged in, after the provider.
    Account,
    /// What happened, and what to do; an error, mostly.
    Message,
    /// A browser is at an address for apps.
    ForApps,
    /// The login is done, or cancelled, and the app has to be opened.
    Done,
}

/// Everything on a page, for [`custom_pages`](crate::OAuthProxyConfigBuilder::custom_pages).
///
/// Texts are plain, and not escaped: put each through [`escape`](Self::escape). Some are a stranger's words,
/// and say so. What is HTML already says so too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PageContext<'a> {
    /// Which page it is.
    pub kind: PageKind,
    /// The language of the page, as a tag of RFC 5646: the value of `lang`.
    pub language: &'a str,
    /// `ltr` or `rtl`: the value of `dir`.
    pub direction: &'a str,
    /// The name of the service.
    pub service: &'a str,
    /// The service's icon, as a `data:` URL.
    pub icon: &'a str,
    /// What stands in the browser's title bar.
    pub title: &'a str,
    /// HTML: all that our own page has in its `main`, form included. For a page that only wants another frame.
    pub content: &'a str,
    /// CSS: the style of `content` and `form`. Without it the button that grants access takes any click; write
    /// `.yes-place` as it is done there.
    pub style: &'a str,
    /// HTML: the form with its hidden fields and its buttons, on a page that has one. Either this or `content`,
    /// which holds the same fields around its own text, has to be on the page, once and byte for byte.
    pub form: Option<&'a str>,
    /// The app, on a page that is about one.
    pub client: Option<PageClient<'a>>,
    /// The account that the person came back with, on the account page.
    pub account: Option<PageAccount<'a>>,
    /// What the app asks for, on the consent and the account page.
    pub scopes: Vec<PageScope<'a>>,
    /// The resource that the app wants to reach, on the consent page.
    pub resource: Option<&'a str>,
    /// What to be careful about, where there is something.
    pub caution: Option<&'a str>,
    /// Names this visit in the events.
    pub id: &'a str,
    /// When the page was made, as RFC 3339 writes it.
    pub time: &'a str,
}

impl PageContext<'_> {
    /// Text as HTML, in an element and in an attribute with double quotes.
    ///
    /// ```
    /// use tower_oauth_proxy::PageContext;
    ///
    /// assert_eq!(PageContext::escape("<b> & \"c\""), "&lt;b&gt; &amp; &quot;c&quot;");
    /// ```
    #[must_use]
    pub fn escape(text: &str) -> String {
        use fmt::Write as _;
        let mut html = String::with_capacity(text.len());
        // A string takes everything.
        let _ = Escaper::new(&mut html).write_str(text);
        html
    }
}

/// An app, as far as it is known.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PageClient<'a> {
    /// Its name: a stranger's words, unless [`is_configured`](Self::is_configured). Anything may stand there:
    /// set it apart, and say whose word it is.
    pub name: Option<&'a str>,
    /// Whether the operator configured it.
    pub is_configured: bool,
    /// The host that its description came from, which was checked.
    pub verified_host: Option<&'a str>,
    /// Where access goes, in the page's language.
    pub goes_to: String,
    /// The whole redirect URI.
    pub redirect_uri: &'a str,
    /// Whether it is a program on the person's own computer, of which nothing is known.
    pub is_on_this_computer: bool,
}

/// An account at a provider: the provider's words.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PageAccount<'a> {
    /// The name of the provider.
    pub provider: &'a str,
    /// The person's name.
    pub name: Option<&'a str>,
    /// The person's e-mail address; where the provider says none, the name that they log in with there, or else
    /// its own name for them.
    pub address: Option<&'a str>,
    /// Whether the provider vouches for the address.
    pub is_confirmed: bool,
}

/// A scope that an app asks for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PageScope<'a> {
    /// As the protocol writes it.
    pub name: &'a str,
    /// What it lets the app do, where someone has said so.
    pub description: Option<&'a str>,
}

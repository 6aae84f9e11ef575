//! A browser: one profile, one tab, no scripts.
//!
//! It knows the servers it was introduced to by origin. A redirect to any other origin (a client's
//! callback) is where it stops.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use url::Url;

use super::{
    FakeClock,
    html::{self, Form},
    jar::{Initiator, Jar},
    wire::{Reply, Wire},
};

/// Chromium and Firefox give up after twenty.
const MAX_REDIRECTS: usize = 20;

/// A browser profile.
#[derive(Clone)]
pub struct Browser {
    pub jar: Jar,
    /// What it says of the languages that the person reads (`Accept-Language`).
    pub languages: Option<String>,
    servers: HashMap<String, Wire>,
    tab: Option<Page>,
    /// Every request and reply, for assertions on what a person's browser has seen.
    pub history: Vec<Visit>,
}

/// What a step ended with.
#[derive(Debug, Clone)]
pub enum Landing {
    /// On a page (any status but a redirect).
    Page(Page),
    /// Sent away to an origin without a server here: a client's callback.
    Left(String),
}

/// A page in the tab.
#[derive(Debug, Clone)]
pub struct Page {
    pub url: String,
    pub reply: Reply,
}

/// A request and what came back.
#[derive(Debug, Clone)]
pub struct Visit {
    pub method: Method,
    pub url: String,
    pub sent_cookies: Option<String>,
    pub reply: Reply,
}

/// Who asks: decides on `Sec-Fetch-Site` and on which cookies go along.
#[derive(Debug, Clone)]
enum Asker {
    /// The address bar, or another app by way of the system.
    Person,
    /// A page at this origin.
    Origin(String),
}

struct Step {
    method: Method,
    url: Url,
    asker: Asker,
    /// `Origin`, sent with posts.
    origin: Option<String>,
    body: Bytes,
    /// Origins passed through before this one.
    chain: Vec<String>,
    /// Headers that a browser adds to this one request, or sends otherwise.
    headers: Vec<(&'static str, &'static str)>,
}

impl Browser {
    pub fn new(clock: &FakeClock) -> Self {
        Self {
            jar: Jar::new(clock.clone()),
            languages: None,
            servers: HashMap::new(),
            tab: None,
            history: Vec::new(),
        }
    }

    /// Introduces a server.
    #[must_use]
    pub fn knowing(mut self, server: Wire) -> Self {
        self.servers.insert(server.origin.clone(), server);
        self
    }

    /// Sends `Accept-Language`.
    #[must_use]
    pub fn reading(mut self, languages: &str) -> Self {
        self.languages = Some(languages.to_owned());
        self
    }

    /// Opens a URL by address bar or from an app, and follows redirects.
    pub async fn open(&mut self, url: &str) -> Landing {
        self.navigate(Step::get(url, Asker::Person)).await
    }

    /// Opens a URL by address bar; shows the redirect instead of following it.
    pub async fn open_once(&mut self, url: &str) -> Reply {
        self.step(Step::get(url, Asker::Person)).await.0
    }

    /// Fetches a URL before the person wants it, with the header that the browser says so by.
    pub async fn prefetch(&mut self, url: &str, header: (&'static str, &'static str)) -> Reply {
        let step = Step {
            headers: vec![header],
            ..Step::get(url, Asker::Person)
        };
        self.step(step).await.0
    }

    /// Loads a URL into a page of another site: `image`, `iframe`, `empty` (a fetch).
    pub async fn embed(&mut self, site: &str, url: &str, dest: &'static str) -> Reply {
        let mode = if dest == "iframe" {
            "navigate"
        } else {
            "no-cors"
        };
        let step = Step {
            headers: vec![("sec-fetch-dest", dest), ("sec-fetch-mode", mode)],
            ..Step::get(url, Asker::Origin(site.to_owned()))
        };
        // Neither sent nor kept: `SameSite=Lax` is for navigations at the top.
        let kept = std::mem::replace(&mut self.jar, Jar::new(FakeClock::default()));
        let reply = self.step(step).await.0;
        self.jar = kept;
        reply
    }

    /// Follows a link on a page of another site.
    pub async fn click_on(&mut self, site: &str, url: &str) -> Landing {
        let asker = Asker::Origin(site.to_owned());
        self.navigate(Step::get(url, asker)).await
    }

    /// Submits a form that a page of another site prepared (cross-site request forgery).
    pub async fn forged_post(&mut self, site: &str, url: &str, fields: &[(&str, &str)]) -> Landing {
        let step = Step {
            method: Method::POST,
            origin: Some(site.to_owned()),
            body: serde_urlencoded::to_string(fields).unwrap().into(),
            ..Step::get(url, Asker::Origin(site.to_owned()))
        };
        self.navigate(step).await
    }

    /// The page in the tab.
    pub fn page(&self) -> &Page {
        self.tab.as_ref().expect("a page in the tab")
    }

    /// The one form of the page in the tab.
    pub fn form(&self) -> Form {
        let mut forms = html::forms(&self.page().reply.text());
        assert_eq!(forms.len(), 1, "not one form on {:?}", self.page());
        forms.remove(0)
    }

    /// Presses a button of the form, by its value, and follows redirects.
    pub async fn press(&mut self, button: &str) -> Landing {
        let form = self.form();
        let pressed = form.buttons.iter().find(|(_, value)| value == button);
        let pressed = pressed.unwrap_or_else(|| panic!("no button {button} in {form:?}"));
        let fields = [form.hidden.clone(), vec![pressed.clone()]].concat();
        self.submit(&form, &fields).await
    }

    /// Chooses one of the form's radio buttons, by its value, and presses a button.
    pub async fn choose(&mut self, radio: &str, button: &str) -> Landing {
        let form = self.form();
        let chosen = form.radios.iter().find(|(_, value)| value == radio);
        let chosen = chosen.unwrap_or_else(|| panic!("no choice {radio} in {form:?}"));
        let pressed = form.buttons.iter().find(|(_, value)| value == button);
        let pressed = pressed.unwrap_or_else(|| panic!("no button {button} in {form:?}"));
        let fields = [form.hidden.clone(), vec![chosen.clone(), pressed.clone()]].concat();
        self.submit(&form, &fields).await
    }

    /// Submits the page's form with these fields instead, as a tampering person could.
    pub async fn submit(&mut self, form: &Form, fields: &[(String, String)]) -> Landing {
        let page = self.page().clone();
        assert_eq!(form.method, "post", "a decision needs a post");
        let policy = page.reply.header("content-security-policy");
        assert!(
            !policy.unwrap_or_default().contains("form-action"),
            "Chromium applies form-action to the whole redirect chain, a client's private scheme \
             included"
        );
        let from = Url::parse(&page.url).unwrap();
        let referrer = page.reply.header("referrer-policy").unwrap_or_default();
        let origin = match referrer {
            "no-referrer" => "null".to_owned(),
            _ => origin_of(&from),
        };
        let action = from.join(&form.action).unwrap();
        let step = Step {
            method: Method::POST,
            origin: Some(origin),
            body: serde_urlencoded::to_string(fields).unwrap().into(),
            ..Step::get(action.as_str(), Asker::Origin(origin_of(&from)))
        };
        self.navigate(step).await
    }

    async fn navigate(&mut self, mut step: Step) -> Landing {
        for _ in 0..MAX_REDIRECTS {
            let origin = origin_of(&step.url);
            if !self.servers.contains_key(&origin) {
                return Landing::Left(step.url.into());
            }
            let (reply, done) = self.step(step).await;
            if !reply.status.is_redirection() {
                let page = Page {
                    url: done.url.into(),
                    reply,
                };
                self.tab = Some(page.clone());
                return Landing::Page(page);
            }
            step = done.redirected(&reply, origin);
        }
        panic!("more than {MAX_REDIRECTS} redirects")
    }

    /// One request; hands the step back.
    async fn step(&mut self, step: Step) -> (Reply, Step) {
        let origin = origin_of(&step.url);
        let server = self.servers.get(&origin);
        let server = server
            .unwrap_or_else(|| panic!("no server at {origin}"))
            .clone();
        let site = step.fetch_site();
        let cookies = self.jar.header(&step.url, step.initiator());
        let mut request = Request::builder()
            .method(step.method.clone())
            .uri(step.url.as_str().split('#').next().unwrap())
            .header("user-agent", "Mozilla/5.0 (kit)")
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-user", "?1");
        if let Some(cookies) = &cookies {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(languages) = &self.languages {
            request = request.header(header::ACCEPT_LANGUAGE, languages);
        }
        for (name, value) in &step.headers {
            let headers = request.headers_mut().expect("a request");
            headers.insert(*name, HeaderValue::from_static(value));
        }
        if step.method == Method::POST {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request = request.header(header::CONTENT_TYPE, form);
            if let Some(origin) = &step.origin {
                request = request.header(header::ORIGIN, origin);
            }
        }
        let reply = server.send(request.body(step.body.clone()).unwrap()).await;
        for header in reply.headers.get_all(header::SET_COOKIE) {
            self.jar.store(&step.url, header.to_str().unwrap());
        }
        self.history.push(Visit {
            method: step.method.clone(),
            url: step.url.to_string(),
            sent_cookies: cookies,
            reply: reply.clone(),
        });
        (reply, step)
    }
}

impl Landing {
    /// The URL of a client's callback that the browser was sent to.
    #[track_caller]
    pub fn left(self) -> String {
        match self {
            Self::Left(url) => url,
            Self::Page(page) => panic!("still on a page: {page:?}"),
        }
    }

    /// The page that the browser stands on.
    #[track_caller]
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Left(url) => panic!("sent away to {url}"),
        }
    }
}

impl Step {
    fn get(url: &str, asker: Asker) -> Self {
        Self {
            method: Method::GET,
            url: Url::parse(url).unwrap_or_else(|e| panic!("{url} is no URL: {e}")),
            asker,
            origin: None,
            body: Bytes::new(),
            chain: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// What a browser does next: 307 and 308 keep method and body, the others turn into a GET.
    fn redirected(mut self, reply: &Reply, from: String) -> Self {
        let target = self.url.join(reply.location()).expect("a URL in Location");
        self.chain.push(from);
        let keep = [
            StatusCode::TEMPORARY_REDIRECT,
            StatusCode::PERMANENT_REDIRECT,
        ];
        if !keep.contains(&reply.status) {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.origin = None;
        }
        self.url = target;
        self
    }

    /// Fetch Metadata: the worst relation of the asker to any URL of the chain.
    fn fetch_site(&self) -> &'static str {
        let Asker::Origin(asker) = &self.asker else {
            return "none";
        };
        let here = origin_of(&self.url);
        let mut all = self.chain.iter().chain([&here]);
        if all.clone().all(|origin| origin == asker) {
            "same-origin"
        } else if all.all(|origin| site_of(origin) == site_of(asker)) {
            "same-site"
        } else {
            "cross-site"
        }
    }

    fn initiator(&self) -> Initiator {
        match &self.asker {
            Asker::Origin(asker) if site_of(asker) != site_of(&origin_of(&self.url)) => {
                if self.method.is_safe() {
                    Initiator::CrossSiteNavigation
                } else {
                    Initiator::CrossSite
                }
            }
            _ => Initiator::SameSite,
        }
    }
}

/// Scheme, host and port, as browsers write them.
pub fn origin_of(url: &Url) -> String {
    match url.origin() {
        url::Origin::Opaque(_) => format!("{}://", url.scheme()),
        tuple => tuple.ascii_serialization(),
    }
}

/// Scheme and registrable domain, which here is the last two labels; ports do not matter.
fn site_of(origin: &str) -> String {
    let Ok(url) = Url::parse(origin) else {
        return origin.to_owned();
    };
    let host = match url.host() {
        Some(url::Host::Domain(domain)) => {
            let labels: Vec<_> = domain.rsplitn(3, '.').take(2).collect();
            labels.into_iter().rev().collect::<Vec<_>>().join(".")
        }
        Some(address) => address.to_string(),
        None => String::new(),
    };
    format!("{}://{host}", url.scheme())
}

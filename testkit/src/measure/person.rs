//! A person with a browser, and the client that sent it.

use super::login::{BASE, callback, code};
use crate::{
    Client, FakeClock, Pkce, Reply, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    html::forms,
    jar::{Initiator, Jar},
};

#[derive(Debug, Clone, Copy)]
pub enum Step {
    Register,
    Authorize,
    ConsentPage,
    Consent,
    Callback,
    Redeem,
}

impl Step {
    /// A whole login, one request each.
    pub const ALL: [Self; 6] = [
        Self::Register,
        Self::Authorize,
        Self::ConsentPage,
        Self::Consent,
        Self::Callback,
        Self::Redeem,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Register => "register: `POST /oauth/register`",
            Self::Authorize => "authorize: `GET /oauth/authorize`",
            Self::ConsentPage => "consent page: `GET /oauth/consent`",
            Self::Consent => "consent: `POST /oauth/consent`",
            Self::Callback => "callback: `GET /oauth/callback`, which asks the provider",
            Self::Redeem => "redeem: `POST /oauth/token`",
        }
    }
}

/// Somewhere in a login.
#[derive(Clone)]
pub struct Person {
    pub connection: usize,
    subject: String,
    wire: Wire,
    pkce: Pkce,
    jar: Jar,
    client: Option<Client>,
    /// Where the browser goes next.
    next: String,
    /// What the consent form holds, with the button that approves.
    form: Vec<(String, String)>,
    code: String,
    refresh_token: String,
}

impl Person {
    pub fn new(subject: String, connection: usize, wire: Wire) -> Self {
        Self {
            connection,
            subject,
            wire,
            pkce: Pkce::new(),
            jar: Jar::new(FakeClock::default()),
            client: None,
            next: String::new(),
            form: Vec::new(),
            code: String::new(),
            refresh_token: String::new(),
        }
    }

    /// Only asks for as little as the server can do.
    pub async fn idle(self, requests: usize) -> Self {
        for _ in 0..requests {
            self.wire.get("/health", &[]).await.expect(200);
        }
        self
    }

    /// Has the server ask the provider, and do nothing else.
    pub async fn exchange(self) -> Self {
        self.wire.get("/exchange", &[]).await.expect(200);
        self
    }

    pub async fn log_in(mut self) -> Self {
        for step in Step::ALL {
            self = self.take(step).await;
        }
        self
    }

    pub async fn refresh(mut self) -> Self {
        let reply = self.client().refresh(&self.refresh_token).await;
        self.refresh_token = Tokens::read(&reply).refresh().to_owned();
        self
    }

    pub async fn take(mut self, step: Step) -> Self {
        match step {
            Step::Register => {
                let metadata = native_metadata(CALLBACK);
                self.client = Some(Client::register(&self.wire, "", &metadata).await);
            }
            Step::Authorize => {
                self.next = self.client().authorize(&self.pkce, "client-state").url();
                let reply = self.open(Initiator::SameSite, "none").await;
                reply.location().clone_into(&mut self.next);
            }
            Step::ConsentPage => {
                let page = self.open(Initiator::SameSite, "none").await.expect(200);
                let form = forms(&page.text()).remove(0);
                let approve = form
                    .buttons
                    .into_iter()
                    .find(|(_, value)| value == "approve");
                self.form = form.hidden;
                self.form.extend(approve);
                self.next = form.action;
            }
            Step::Consent => {
                let sent = self.submit().await;
                self.next = callback(&sent, &self.subject);
            }
            Step::Callback => {
                let returned = self
                    .open(Initiator::CrossSiteNavigation, "cross-site")
                    .await;
                self.code = code(&returned);
            }
            Step::Redeem => {
                let reply = self.client().redeem_code(&self.code, &self.pkce).await;
                self.refresh_token = Tokens::read(&reply).refresh().to_owned();
            }
        }
        self
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("registered")
    }

    /// The browser follows a link.
    async fn open(&mut self, from: Initiator, site: &str) -> Reply {
        let cookies = self.cookies(from);
        let headers = [("sec-fetch-site", site), ("cookie", &cookies)];
        // No cookie, no header.
        let headers = &headers[..2 - usize::from(cookies.is_empty())];
        let reply = self.wire.get(&self.next, headers).await;
        self.keep_cookies(&reply);
        reply
    }

    /// The browser sends the form.
    async fn submit(&mut self) -> Reply {
        let cookies = self.cookies(Initiator::SameSite);
        let headers = [
            ("origin", BASE),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookies.as_str()),
        ];
        let fields = self.form.iter();
        let fields: Vec<_> = fields.map(|(name, value)| (&**name, &**value)).collect();
        let reply = self.wire.form(&self.next, &fields, &headers).await;
        self.keep_cookies(&reply);
        reply
    }

    fn cookies(&self, from: Initiator) -> String {
        self.jar.header(&base(), from).unwrap_or_default()
    }

    fn keep_cookies(&mut self, reply: &Reply) {
        for line in reply.headers.get_all("set-cookie") {
            self.jar.store(&base(), line.to_str().unwrap());
        }
    }
}

/// Every cookie of the proxy is for all of its paths.
fn base() -> url::Url {
    BASE.parse().unwrap()
}

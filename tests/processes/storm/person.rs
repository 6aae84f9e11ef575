//! A person with a client that behaves as clients should: asks again when a connection breaks or a
//! server is not ready, and takes anything else at its word.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Logout, Record};
use crate::{
    fleet::BROKEN,
    world::{Dice, World, public_client, unix_now, url},
};
use testkit::{
    Client, Landing, Pkce, Reply, Tokens,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

/// Clients try for this long. The predecessor of a refresh token is good for a minute.
const PATIENCE: Duration = Duration::from_secs(25);

pub(crate) struct Person {
    number: usize,
    world: Arc<World>,
    record: Arc<Record>,
    dice: Dice,
}

struct Session {
    upstream_code: String,
    access: String,
    access_ends: u64,
    refresh: String,
}

/// An answer, and whether one before it was lost.
struct Heard {
    reply: Reply,
    lost: bool,
}

impl Person {
    pub(crate) fn new(number: usize, world: &Arc<World>, record: &Arc<Record>, dice: Dice) -> Self {
        Self {
            number,
            world: world.clone(),
            record: record.clone(),
            dice,
        }
    }

    pub(crate) async fn live(mut self, until: Instant) {
        let Some(client) = self.register().await else {
            return;
        };
        while Instant::now() < until {
            let Some(mut session) = self.log_in(&client).await else {
                self.record.count("login began again");
                continue;
            };
            self.record.count("login");
            if !self.use_it(&client, &mut session, until).await {
                continue;
            }
            if Instant::now() >= until {
                // Nobody is killed any more: whoever was logged in still is.
                if self.refresh(&client, &mut session).await {
                    self.call(&client, &mut session).await;
                }
            }
        }
    }

    /// Until the time is over, a new login is due (`true`), or the session has ended (`false`).
    async fn use_it(&mut self, client: &Client, session: &mut Session, until: Instant) -> bool {
        while Instant::now() < until {
            tokio::time::sleep(self.dice.millis(20, 300)).await;
            let alive = match self.dice.below(20) {
                0..=13 => self.call(client, session).await,
                14..=18 => self.refresh(client, session).await,
                _ if self.number.is_multiple_of(4) => return true,
                _ => self.call(client, session).await,
            };
            if !alive {
                return false;
            }
        }
        true
    }

    async fn persist<F: Future<Output = Reply>>(
        &mut self,
        step: &'static str,
        ask: impl Fn() -> F,
    ) -> Heard {
        let (started, mut lost) = (Instant::now(), false);
        loop {
            let reply = ask().await;
            self.record.count(step);
            match reply.status.as_u16() {
                BROKEN => {
                    lost = true;
                    self.record.count("broken connection");
                }
                503 => {
                    self.record.count("503");
                    if reply.header("retry-after").is_none() {
                        self.record
                            .violation(format!("{step}: 503 without Retry-After"));
                    }
                }
                _ => return Heard { reply, lost },
            }
            if started.elapsed() > PATIENCE {
                return Heard { reply, lost };
            }
            tokio::time::sleep(self.dice.millis(30, 200)).await;
        }
    }

    async fn register(&mut self) -> Option<Client> {
        let wire = self.world.fleet.wire();
        let metadata = native_metadata(CALLBACK);
        let ask = || Client::try_register(&wire, "", &metadata);
        let Heard { reply, .. } = self.persist("register", ask).await;
        if reply.status != 201 {
            self.record.violation(format!("register: {reply:?}"));
            return None;
        }
        let answer = reply.json();
        Some(public_client(&wire, answer["client_id"].as_str().unwrap()))
    }

    /// `None` when the login has to begin again, which only a lost answer excuses.
    async fn log_in(&mut self, client: &Client) -> Option<Session> {
        let pkce = Pkce::new();
        let (callback, upstream_code) = self.authorize(client, &pkce).await?;
        let code = query_param(&callback, "code")?;
        if self.number.is_multiple_of(5) {
            return self
                .redeem_at_once(client, &code, &pkce, upstream_code)
                .await;
        }
        let ask = || client.redeem_code(&code, &pkce);
        let Heard { reply, lost } = self.persist("redeem", ask).await;
        match reply.status.as_u16() {
            200 => Some(session(&reply, upstream_code)),
            400 if lost && reply.error() == "invalid_grant" => {
                self.record.count("redeem: the answer was lost");
                None
            }
            _ => {
                self.record.violation(format!("redeem: {reply:?}"));
                None
            }
        }
    }

    /// Five at once: one gets tokens at most, and the replay ends what it got.
    async fn redeem_at_once(
        &mut self,
        client: &Client,
        code: &str,
        pkce: &Pkce,
        upstream_code: String,
    ) -> Option<Session> {
        let asks = (0..5).map(|_| {
            let (client, code, pkce) = (client.clone(), code.to_owned(), pkce.clone());
            tokio::spawn(async move { client.redeem_code(&code, &pkce).await })
        });
        let mut got = Vec::new();
        for ask in asks.collect::<Vec<_>>() {
            let reply = ask.await.unwrap();
            self.record.count("redeem, five at once");
            match reply.status.as_u16() {
                200 => got.push(session(&reply, upstream_code.clone())),
                BROKEN | 503 => {}
                400 if reply.error() == "invalid_grant" => {}
                _ => self.record.violation(format!("redeem at once: {reply:?}")),
            }
        }
        if got.len() > 1 {
            self.record
                .violation("a code was redeemed twice".to_owned());
        }
        // Used to see what is left of it; a normal login follows.
        if let Some(session) = got.pop() {
            let reply = client.call("/mcp", &session.access).await;
            match reply.status.as_u16() {
                200 | 401 | 503 | BROKEN => {}
                _ => self.record.violation(format!("after a replay: {reply:?}")),
            }
        }
        self.number += 1;
        None
    }

    async fn authorize(&mut self, client: &Client, pkce: &Pkce) -> Option<(String, String)> {
        let started = Instant::now();
        let mut browser = self.world.browser();
        let first = client.authorize(pkce, "client-state").url();
        let mut lost_at_callback = false;
        let mut landing = browser.open(&first).await;
        self.record.count("authorize");
        let mut before = None;
        loop {
            let page = match landing {
                Landing::Page(page) => page,
                Landing::Left(callback) => {
                    if let Some(error) = query_param(&callback, "error") {
                        if !lost_at_callback {
                            self.record.violation(format!("callback: {callback}"));
                        }
                        self.record.count(match error.as_str() {
                            "server_error" => "callback: the provider's code was spent",
                            _ => "callback: another error",
                        });
                        return None;
                    }
                    let visits = browser.history.iter().rev();
                    let arrived = |url: &str| url.starts_with(&url_of_callback());
                    let mut arrivals = visits.filter(|visit| arrived(&visit.url));
                    let arrival = arrivals.next().expect("a callback");
                    let code = query_param(&arrival.url, "code").expect("a code of the provider");
                    return Some((callback, code));
                }
            };
            let status = page.reply.status.as_u16();
            let at_callback = page.url.starts_with(&url_of_callback());
            if started.elapsed() > PATIENCE {
                self.record
                    .violation(format!("login: not served for {PATIENCE:?}: {page:?}"));
                return None;
            }
            match status {
                200 if !at_callback => {
                    before = Some(browser.clone());
                    self.record.count("consent");
                    landing = browser.press("approve").await;
                }
                BROKEN | 503 => {
                    self.record.count(if status == BROKEN {
                        "broken connection"
                    } else {
                        "503"
                    });
                    tokio::time::sleep(self.dice.millis(30, 200)).await;
                    landing = if at_callback {
                        lost_at_callback |= status == BROKEN;
                        self.record.count("callback again");
                        browser.open(&page.url).await
                    } else if let Some(before) = &before {
                        // The person goes back, and presses again.
                        browser = before.clone();
                        browser.press("approve").await
                    } else {
                        browser.open(&page.url).await
                    };
                }
                400 if at_callback && lost_at_callback => {
                    // A page that says what to do, not a 500.
                    self.record.count("callback: already used");
                    return None;
                }
                _ => {
                    self.record.violation(format!("login: {page:?}"));
                    return None;
                }
            }
        }
    }

    /// `false` when the session has ended.
    async fn call(&mut self, client: &Client, session: &mut Session) -> bool {
        if unix_now() + 2 >= session.access_ends && !self.refresh(client, session).await {
            return false;
        }
        // Sometimes several at once: their processes find the provider's token over together.
        let beside = if self.dice.below(3) == 0 { 3 } else { 0 };
        let beside = (0..beside).map(|_| {
            let (client, access) = (client.clone(), session.access.clone());
            tokio::spawn(async move { client.call("/mcp", &access).await })
        });
        let beside: Vec<_> = beside.collect();
        let ask = || client.call("/mcp", &session.access);
        let Heard { mut reply, .. } = self.persist("call", ask).await;
        for other in beside {
            self.record.count("call at the same time");
            let other = other.await.unwrap();
            if !matches!(other.status.as_u16(), 200 | 503 | BROKEN) {
                reply = other;
            }
        }
        match reply.status.as_u16() {
            200 => true,
            401 if unix_now() >= session.access_ends => true,
            // Not served for so long is as good as logged out.
            401 | 503 | BROKEN => self.logged_out(session, format!("call: {reply:?}")),
            _ => {
                self.record.violation(format!("call: {reply:?}"));
                true
            }
        }
    }

    /// Sometimes two at once, as two programs that share one token file.
    async fn refresh(&mut self, client: &Client, session: &mut Session) -> bool {
        let presented = session.refresh.clone();
        let twin = (self.dice.below(3) == 0).then(|| {
            let mut twin = Self::new(self.number, &self.world, &self.record, self.dice.clone());
            let (client, presented) = (client.clone(), presented.clone());
            tokio::spawn(async move {
                let ask = || client.refresh(&presented);
                twin.persist("refresh at the same time", ask).await.reply
            })
        });
        let ask = || client.refresh(&presented);
        let Heard { reply, .. } = self.persist("refresh", ask).await;
        let mut replies = vec![reply];
        if let Some(twin) = twin {
            replies.push(twin.await.unwrap());
        }
        for reply in replies {
            match reply.status.as_u16() {
                200 => {
                    let renewed = self::session(&reply, session.upstream_code.clone());
                    self.record.succeeded(&presented, &renewed.refresh);
                    *session = renewed;
                }
                503 | BROKEN => return self.logged_out(session, format!("refresh: {reply:?}")),
                400 if reply.error() == "invalid_grant" => {
                    return self.logged_out(session, format!("refresh: {reply:?}"));
                }
                _ => self.record.violation(format!("refresh: {reply:?}")),
            }
        }
        true
    }

    fn logged_out(&self, session: &Session, what: String) -> bool {
        self.record.logouts.lock().unwrap().push(Logout {
            upstream_code: session.upstream_code.clone(),
            what,
        });
        false
    }
}

fn url_of_callback() -> String {
    url("/oauth/callback")
}

fn session(reply: &Reply, upstream_code: String) -> Session {
    let tokens = Tokens::read(reply);
    Session {
        upstream_code,
        access_ends: unix_now() + tokens.expires_in,
        refresh: tokens.refresh().to_owned(),
        access: tokens.access,
    }
}

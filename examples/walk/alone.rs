//! The whole journey without a person: this process is the client and the browser too.

use std::collections::BTreeMap;

use http::{Request, StatusCode};
use url::Url;

use super::{
    journey::{Journey, form, post_form},
    wire::{Reply, Wire, Wrong},
};

/// Where the person is sent back to; no server needs to listen there.
const CALLBACK: &str = "http://127.0.0.1:7777/callback";

/// Walks twice: as Bob, who is no admin, and as Ada, who is.
pub(crate) async fn walk(mcp_url: &str) -> Result<usize, Wrong> {
    println!("Bob logs in\n===========\n");
    let wire = Wire::new(true).map_err(|_| Wrong)?;
    let mut bob = Journey::new(wire, mcp_url, CALLBACK);
    log_in(&mut bob, "bob").await?;
    bob.whoami(Some("bob")).await?;
    bob.admin_tool(false).await?;

    println!("Ada logs in\n===========\n");
    let wire = Wire::new(true).map_err(|_| Wrong)?;
    let mut ada = Journey::new(wire, mcp_url, CALLBACK);
    log_in(&mut ada, "ada").await?;
    ada.whoami(Some("ada")).await?;
    ada.admin_tool(true).await?;
    ada.refresh().await?;
    ada.whoami(Some("ada")).await?;
    ada.revoke().await?;
    Ok(bob.wire.steps.len() + ada.wire.steps.len())
}

async fn log_in(journey: &mut Journey, person: &str) -> Result<(), Wrong> {
    let url = journey.prepare().await?;
    let callback = Browser::default()
        .log_in(&mut journey.wire, &url, person)
        .await?;
    journey.redeem(&callback).await
}

/// A browser's cookies. Everything here is on one loopback address, so names suffice.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn log_in(
        &mut self,
        wire: &mut Wire,
        authorize_url: &str,
        person: &str,
    ) -> Result<String, Wrong> {
        let title = "The browser opens the authorization endpoint";
        let consent = self.follow(wire, title, authorize_url).await?;

        let title = "The browser shows the consent page";
        let page = self.show(wire, title, &consent).await?;
        let fields = [
            ("login", hidden(&page.body, "login")),
            ("csrf", hidden(&page.body, "csrf")),
            ("decision", "approve".to_owned()),
        ];
        let title = "The person approves";
        let upstream = self.press(wire, title, &consent, &fields).await?;

        let title = "The identity provider shows its login page";
        let page = self.show(wire, title, &upstream).await?;
        let fields = [
            ("login", hidden(&page.body, "login")),
            ("person", person.to_owned()),
        ];
        let login = join(&upstream, "/login")?;
        let title = format!("The person logs in as {person}");
        let callback = self.press(wire, &title, &login, &fields).await?;

        // The browser that consents is the browser that returns.
        let request = Request::get(&callback);
        let title = "Another person opens that callback in another browser";
        let expected = "a page that refuses, status 400";
        let refused = |reply: &Reply| reply.status == StatusCode::BAD_REQUEST;
        wire.send(title, request, "", expected, refused).await?;

        let title = "The provider sends the browser back to the proxy";
        self.follow(wire, title, &callback).await
    }

    /// Opens a URL that redirects; where to.
    async fn follow(&mut self, wire: &mut Wire, title: &str, url: &str) -> Result<String, Wrong> {
        let request = self.with_cookies(Request::get(url));
        let reply = wire
            .send(title, request, "", "a redirect", redirects)
            .await?;
        self.keep_cookies(&reply);
        join(url, reply.header("location"))
    }

    /// Opens a URL that answers with a page.
    async fn show(&mut self, wire: &mut Wire, title: &str, url: &str) -> Result<Reply, Wrong> {
        let request = self.with_cookies(Request::get(url));
        let expected = "200 with a page";
        let ok = |reply: &Reply| reply.status == StatusCode::OK;
        let reply = wire.send(title, request, "", expected, ok).await?;
        self.keep_cookies(&reply);
        Ok(reply)
    }

    /// Posts a page's form; where the answer redirects to.
    async fn press(
        &mut self,
        wire: &mut Wire,
        title: &str,
        url: &str,
        fields: &[(&str, String)],
    ) -> Result<String, Wrong> {
        let action = url.split('?').next().unwrap_or(url);
        let origin = Url::parse(url).map_err(|_| Wrong)?.origin();
        let request = post_form(action)
            .header("origin", origin.ascii_serialization())
            .header("sec-fetch-site", "same-origin");
        let request = self.with_cookies(request);
        let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let body = form(&fields);
        let reply = wire
            .send(title, request, body, "a redirect", redirects)
            .await?;
        self.keep_cookies(&reply);
        join(url, reply.header("location"))
    }

    fn with_cookies(&self, request: http::request::Builder) -> http::request::Builder {
        if self.cookies.is_empty() {
            return request;
        }
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        request.header("cookie", pairs.join("; "))
    }

    fn keep_cookies(&mut self, reply: &Reply) {
        for header in reply.headers.get_all("set-cookie") {
            let pair = header.to_str().ok().and_then(|text| text.split(';').next());
            match pair.and_then(|pair| pair.split_once('=')) {
                Some((name, "")) => drop(self.cookies.remove(name)),
                Some((name, value)) => {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                None => {}
            }
        }
    }
}

fn redirects(reply: &Reply) -> bool {
    matches!(reply.status, StatusCode::FOUND | StatusCode::SEE_OTHER)
}

fn join(base: &str, target: &str) -> Result<String, Wrong> {
    let url = Url::parse(base).and_then(|base| base.join(target));
    url.map(String::from).map_err(|_| Wrong)
}

/// The value of a hidden input.
fn hidden(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\"")).nth(1);
    let value = after.and_then(|rest| rest.split("value=\"").nth(1));
    let value = value.and_then(|rest| rest.split('"').next());
    value.unwrap_or_default().to_owned()
}

//! The whole journey without a person: this process is the client and the browser too.

use std::collections::BTreeMap;

use http::{Request, StatusCode};
use url::Url;

use super::{
    journey::{Journey, Return, form, post_form},
    verdict::Verdict,
    wire::{Reply, Wire, Wrong},
};

/// Where the person is sent back to; no server needs to listen there.
const CALLBACK: &str = "http://127.0.0.1:7777/callback";

/// What a person does on the pages.
#[derive(Clone, Copy)]
enum Person {
    /// Says no on the consent page.
    Denies,
    /// Says yes there, and no at the provider.
    Cancels,
    /// Says yes, and is this one.
    Is(&'static str),
}

/// Walks four times: with people who say no, here and at the provider, as Bob, who is no admin, and as Ada, who
/// is. `Err`: a step was wrong; it was printed.
pub(crate) async fn walk(mcp_url: &str) -> Result<(), String> {
    let (mut right, mut total, mut all_right) = (0, 0, true);
    for (title, person) in [
        ("A person denies", Person::Denies),
        ("A person cancels at the provider", Person::Cancels),
        ("Bob logs in", Person::Is("bob")),
        ("Ada logs in", Person::Is("ada")),
    ] {
        println!("{title}\n{}\n", "=".repeat(title.len()));
        let wire = Wire::new(true).map_err(|error| format!("no HTTP client: {error}"))?;
        let mut journey = Journey::new(wire, mcp_url, CALLBACK);
        let ended = make(&mut journey, person).await;
        let verdict = Verdict::of(&journey.wire.steps, ended);
        println!("{title}: {verdict}\n");
        right += verdict.right;
        total += verdict.total;
        all_right &= verdict.is_right();
    }
    let verdict = format!("{right} of {total} steps right");
    match all_right {
        true => {
            println!("All four journeys: {verdict}.");
            Ok(())
        }
        false => Err(format!("{verdict}: see above which was wrong")),
    }
}

/// Whom the journey logged in, if it was to log anybody in.
async fn make(journey: &mut Journey, person: Person) -> Result<Option<String>, Wrong> {
    let url = journey.prepare().await?;
    let mut browser = Browser::default();
    let callback = browser.log_in(&mut journey.wire, &url, person).await?;
    let code = match (journey.returned(&callback)?, person) {
        (Return::Denied, Person::Denies | Person::Cancels) => return Ok(None),
        (Return::Code(code), Person::Is(_)) => code,
        (Return::Denied, Person::Is(_)) | (Return::Code(_), _) => {
            let expected = "what the person said";
            journey
                .wire
                .note("The answer is another one", &callback, expected, false)?;
            return Err(Wrong);
        }
    };
    journey.redeem(&code).await?;
    let Person::Is(person) = person else {
        return Ok(None);
    };
    journey.whoami(Some(person)).await?;
    journey.admin_tool(person == "ada").await?;
    journey.refresh().await?;
    journey.whoami(Some(person)).await?;
    journey.revoke().await?;
    Ok(Some(person.to_owned()))
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
        person: Person,
    ) -> Result<String, Wrong> {
        let title = "The browser opens the authorization endpoint";
        let consent = self.follow(wire, title, authorize_url).await?;

        let title = "The browser shows the consent page";
        let page = self.show(wire, title, &consent).await?;
        let (title, decision) = match person {
            Person::Denies => ("The person denies", "deny"),
            Person::Cancels | Person::Is(_) => ("The person approves", "approve"),
        };
        let fields = fields(&page.body, ("decision", decision));
        let upstream = self.press(wire, title, &consent, &fields).await?;
        if matches!(person, Person::Denies) {
            return Ok(upstream);
        }

        let title = "The identity provider shows its login page";
        let page = self.show(wire, title, &upstream).await?;
        let (title, button) = match person {
            Person::Is(person) => (format!("The person logs in as {person}"), person),
            Person::Denies | Person::Cancels => ("The person cancels".to_owned(), ""),
        };
        let fields = self::fields(&page.body, ("person", button));
        let login = join(&upstream, "/login")?;
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
        fields: &[(String, String)],
    ) -> Result<String, Wrong> {
        let action = url.split('?').next().unwrap_or(url);
        let origin = Url::parse(url).map_err(|_| Wrong)?.origin();
        let request = post_form(action)
            .header("origin", origin.ascii_serialization())
            .header("sec-fetch-site", "same-origin");
        let request = self.with_cookies(request);
        let fields: Vec<_> = fields
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
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

/// What a form sends: its hidden inputs, and the button that was pressed.
fn fields(page: &str, button: (&str, &str)) -> Vec<(String, String)> {
    let inputs = page.split("<input").skip(1);
    let inputs = inputs.filter_map(|rest| rest.split_once('>').map(|(input, _)| input));
    let hidden = inputs.filter(|input| attribute(input, "type") == Some("hidden"));
    let hidden = hidden.filter_map(|input| {
        Some((
            attribute(input, "name")?.to_owned(),
            attribute(input, "value")?.to_owned(),
        ))
    });
    let button = (button.0.to_owned(), button.1.to_owned());
    hidden.chain([button]).collect()
}

/// No value that is needed here has a character that HTML would write otherwise.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

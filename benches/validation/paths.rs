//! The ways that a request to a protected path can go, ready to be gone any number of times.

use std::time::Duration;

use http::{Response, StatusCode};
use tokio::runtime::Runtime;
use tower_oauth_proxy::ResponseBody;

use crate::world::{Answered, Body, Inner, Layered, Template, World, call};

/// How long a session may be served from the cache, in seconds, where each call should look anew: the
/// shortest there is.
const SHORT: u64 = 1;

type Answer = Response<ResponseBody<Body>>;

pub(crate) struct Paths {
    inner: Inner,
    cached: Layered,
    first: Layered,
    first_world: World,
    valid: Template,
    none: Template,
    forged: Template,
    garbage: Template,
    firsts: Vec<Template>,
    next: usize,
}

impl Paths {
    /// So many people take turns where a token should be seen for the first time.
    pub(crate) fn new(runtime: &Runtime, provider: &str, people: usize) -> Self {
        let hour = Duration::from_secs(3600);
        let cached = World::new(runtime, provider, 1, |it| it.session_cache_ttl(hour));
        let first_world = World::new(runtime, provider, people, |it| {
            it.session_cache_ttl(Duration::from_secs(SHORT))
        });
        let token = cached.tokens[0].as_str();
        let firsts = first_world.tokens.iter();
        let mut paths = Self {
            inner: Inner,
            cached: cached.service(),
            first: first_world.service(),
            valid: Template::new(Some(token)),
            none: Template::new(None),
            forged: Template::new(Some(&forged(token))),
            garbage: Template::new(Some(&"x".repeat(token.len()))),
            firsts: firsts.map(|token| Template::new(Some(token))).collect(),
            next: 0,
            first_world,
        };
        paths.cached();
        paths
    }

    /// The bytes of the token that is presented.
    pub(crate) fn token(&self) -> &str {
        &self.first_world.tokens[0]
    }

    pub(crate) fn inner(&mut self) -> Response<Body> {
        call(&mut self.inner, self.valid.request())
    }

    pub(crate) fn cached(&mut self) -> Answer {
        call(&mut self.cached, self.valid.request()).with(StatusCode::OK)
    }

    pub(crate) fn no_credentials(&mut self) -> Answer {
        call(&mut self.cached, self.none.request()).with(StatusCode::UNAUTHORIZED)
    }

    pub(crate) fn forged(&mut self) -> Answer {
        call(&mut self.cached, self.forged.request()).with(StatusCode::UNAUTHORIZED)
    }

    pub(crate) fn garbage(&mut self) -> Answer {
        call(&mut self.cached, self.garbage.request()).with(StatusCode::UNAUTHORIZED)
    }

    /// Somebody's token, whose session was never seen or is too old.
    pub(crate) fn first_sight(&mut self) -> Answer {
        let template = &self.firsts[self.next];
        self.next += 1;
        if self.next == self.firsts.len() {
            self.next = 0;
            self.first_world.clock.skip(2 * SHORT);
        }
        call(&mut self.first, template.request()).with(StatusCode::OK)
    }
}

/// The token with another signature.
fn forged(token: &str) -> String {
    let mut forged = token.to_owned();
    let last = forged.pop();
    forged.push(if last == Some('A') { 'E' } else { 'A' });
    forged
}

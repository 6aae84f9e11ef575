//! The ways that a request to a protected path can go, ready to be gone any number of times.

use http::{Response, StatusCode};
use tokio::runtime::Runtime;
use tower_oauth_proxy::{OAuthProxyConfigBuilder, ProviderChoice, ResponseBody, provider::generic};

use super::records::Recorder;
use super::world::{Body, Inner, LONG_LIFE, Layered, SHORT_LIFE, Visitors, World};

type Answer = Response<ResponseBody<Body>>;

pub struct Paths {
    inner: Visitors<Inner>,
    inner_with_extensions: Visitors<Inner>,
    cached: Visitors<Layered>,
    cached_with_extensions: Visitors<Layered>,
    /// Before twenty providers.
    cached_among_many: Visitors<Layered>,
    first: Visitors<Layered>,
    none: Visitors<Layered>,
    forged: Visitors<Layered>,
    garbage: Visitors<Layered>,
    recorder: Recorder,
    world: World,
}

impl Paths {
    /// `people` take turns where a token should be seen for the first time.
    pub fn new(runtime: &Runtime, provider: &str, people: usize) -> Self {
        let recorder = Recorder::default();
        let world = World::new(runtime, provider, 1, |it| {
            it.session_cache_ttl(LONG_LIFE)
                .token_storage(recorder.clone())
        });
        let firsts = World::new(runtime, provider, people, |it| {
            it.session_cache_ttl(SHORT_LIFE)
        });
        let many = World::new(runtime, provider, 1, |it| {
            among_many(it).session_cache_ttl(LONG_LIFE)
        });
        let valid = world.tokens.clone();
        let proxy = |tokens: &[String]| Visitors::new(world.service(), tokens);
        let mut paths = Self {
            inner: Visitors::new(Inner, &valid),
            inner_with_extensions: Visitors::new(Inner, &valid).with_extensions(),
            cached: proxy(&valid),
            cached_with_extensions: proxy(&valid).with_extensions(),
            cached_among_many: Visitors::new(many.service(), &many.tokens),
            first: firsts.first_sights(&firsts.tokens),
            none: proxy(&[]),
            forged: proxy(&[signed(&valid[0], 0)]),
            garbage: proxy(&["x".repeat(valid[0].len())]),
            recorder,
            world,
        };
        paths.cached();
        paths.cached_among_many();
        paths
    }

    /// The bytes of the token that is presented.
    pub fn token(&self) -> &str {
        &self.world.tokens[0]
    }

    /// Verbs that the store has seen of all but the first sights.
    pub fn verbs(&self) -> u64 {
        self.recorder.verbs()
    }

    pub fn inner(&mut self) -> Response<Body> {
        self.inner.call(StatusCode::OK)
    }

    pub fn inner_with_extensions(&mut self) -> Response<Body> {
        self.inner_with_extensions.call(StatusCode::OK)
    }

    pub fn cached(&mut self) -> Answer {
        self.cached.call(StatusCode::OK)
    }

    pub fn cached_with_extensions(&mut self) -> Answer {
        self.cached_with_extensions.call(StatusCode::OK)
    }

    pub fn cached_among_many(&mut self) -> Answer {
        self.cached_among_many.call(StatusCode::OK)
    }

    /// A good token, whose session was never seen or is too old.
    pub fn first_sight(&mut self) -> Answer {
        self.first.call(StatusCode::OK)
    }

    pub fn no_credentials(&mut self) -> Answer {
        self.none.call(StatusCode::UNAUTHORIZED)
    }

    pub fn forged(&mut self) -> Answer {
        self.forged.call(StatusCode::UNAUTHORIZED)
    }

    pub fn garbage(&mut self) -> Answer {
        self.garbage.call(StatusCode::UNAUTHORIZED)
    }

    /// `many` tokens with another signature each, and as many of garbage; all to be refused.
    pub fn strangers(&self, many: usize) -> Visitors<Layered> {
        let forged = (0..many).map(|n| signed(self.token(), n));
        let garbage = (0..many).map(|n| format!("{n:x>0$}", self.token().len()));
        let tokens: Vec<_> = forged.chain(garbage).collect();
        Visitors::new(self.world.service(), &tokens)
    }
}

/// The token with a signature that is no signature.
fn signed(token: &str, n: usize) -> String {
    let (payload, signature) = token.rsplit_once('.').unwrap();
    format!("{payload}.{n:A>0$}", signature.len())
}

/// Nineteen providers more, where nobody logs in.
fn among_many(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    let url = |n: usize, path: &str| format!("https://idp-{n}.example/{path}");
    let more = (1..20).map(|n| {
        let secret = "b7d58033e9d6ab84f7520ce1c1f4a96e";
        generic(url(n, "authorize"), url(n, "token"), "app", secret)
            .id(format!("idp-{n}"))
            .name(format!("Provider {n}"))
            .scopes(["openid", "email"])
    });
    more.fold(builder, OAuthProxyConfigBuilder::also_provider)
        .choose_provider(|_| ProviderChoice::of("oauth"))
}

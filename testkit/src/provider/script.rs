//! The provider's script, and what it remembers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::signing::{Signing, SigningKey};
use crate::FakeClock;

/// What kind of provider it is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its origin, unless a test changes it; stands in ID tokens, and its document is below it.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// How the client must authenticate at the token endpoint.
    pub client_auth: ClientAuth,
    /// With [`ClientAuth::Assertion`]: the client's public keys, as JWKs with `kid` and `alg`.
    pub client_keys: Vec<Value>,
    /// The `aud` that its assertions need; `None` is the issuer.
    pub assertion_audience: Option<String>,
    /// An assertion that is taken as it is, instead of a signed one.
    pub client_token: Option<String>,
    /// Lifetime of tokens for other APIs; `None` leaves `expires_in` out.
    pub exchanged_expires_in: Option<u64>,
    /// Claims of the one person, for ID token and userinfo. `sub` is required.
    pub person: Map<String, Value>,
    /// Whether each login is another person's: each ID token has a new `sub`.
    pub everybody_is_new: bool,
    /// Claims that replace those of the ID token; `null` removes one.
    pub id_token: Map<String, Value>,
    /// More claims of the access token, with `jwt_access`.
    pub access_claims: Map<String, Value>,
    /// Lifetime of access tokens; `None` leaves `expires_in` out (they then live for an hour).
    pub expires_in: Option<u64>,
    /// Whether a code yields a refresh token.
    pub issue_refresh: bool,
    /// Whether a refresh yields a new refresh token and kills the old one.
    pub rotate: bool,
    /// Whether the old one coming back ends the whole chain.
    pub reuse_is_theft: bool,
    /// Whether answers name the scope.
    pub name_scope: bool,
    /// Whether answers hold an ID token (a refresh's too).
    pub issue_id_token: bool,
    /// Whether access tokens are JWTs.
    pub jwt_access: bool,
    /// Whether authorization without PKCE is refused.
    pub require_pkce: bool,
    /// RFC 9207: whether the redirect names the issuer.
    pub name_issuer: bool,
    /// Where its document about itself is.
    pub metadata_at: MetadataAt,
    /// Members that replace those of the document; `null` removes one.
    pub metadata: Map<String, Value>,
    /// What ID tokens, and access tokens that are JWTs, are signed with.
    pub signing: Signing,
    /// The keys that it publishes.
    pub published: Vec<SigningKey>,
    /// The time of its tokens.
    pub clock: FakeClock,
}

/// Where the document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataAt {
    /// `{issuer}/.well-known/openid-configuration` (OpenID Connect Discovery section 4).
    OpenId,
    /// `/.well-known/oauth-authorization-server`, then the issuer's path (RFC 8414 section 3.1).
    OAuth,
    Nowhere,
}

/// How a client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    Either,
    Basic,
    Post,
    /// By its id alone.
    Public,
    /// By a signed assertion (RFC 7523 section 2.2), which is read strictly.
    Assertion,
}

impl Settings {
    pub fn new(issuer: String, clock: FakeClock) -> Self {
        let person = json!({
            "sub": "person-1",
            "email": "ada@example.com",
            "email_verified": true,
            "name": "Ada Example",
        });
        let Value::Object(person) = person else {
            unreachable!()
        };
        Self {
            issuer,
            client_id: "upstream-app".to_owned(),
            client_secret: "UPSTREAM-SECRET-8f2c71d05be946a3c1780e59d4".to_owned(),
            client_auth: ClientAuth::Either,
            client_keys: Vec::new(),
            assertion_audience: None,
            client_token: None,
            exchanged_expires_in: Some(3600),
            person,
            everybody_is_new: false,
            id_token: Map::new(),
            access_claims: Map::new(),
            expires_in: Some(3600),
            issue_refresh: true,
            rotate: true,
            reuse_is_theft: true,
            name_scope: true,
            issue_id_token: true,
            jwt_access: false,
            require_pkce: false,
            name_issuer: false,
            metadata_at: MetadataAt::OpenId,
            metadata: Map::new(),
            signing: Signing::Mark,
            published: Vec::new(),
            clock,
        }
    }
}

/// What an endpoint other than `/authorize` says. Those that start from the normal answer do the
/// normal work first: codes are used up, refresh tokens rotate.
#[derive(Debug, Clone)]
pub enum Answer {
    /// What a well-behaved provider says.
    Normal,
    /// The normal answer without some fields.
    Without(&'static [&'static str]),
    /// The normal answer with other fields.
    With(Value),
    /// The normal answer, form-encoded (GitHub).
    Form,
    /// The normal answer, with this many bytes of padding.
    Padded(usize),
    /// The normal answer never arrives: the connection breaks after the work was done.
    Lost,
    /// The normal answer waits at the gate, after the work was done.
    Held(Gate),
    /// The normal answer, after this much real time.
    Slow(Duration),
    /// No work, no answer, ever.
    Hang,
    /// No work: headers, then a byte now and then, without an end.
    Drip,
    /// No work: an OAuth error with this status and code.
    Error(u16, &'static str),
    /// No work: a status with a page that is no JSON.
    Status(u16),
    /// No work: status, content type and body as given.
    Raw(u16, &'static str, String),
    /// No work: a redirect to this URL.
    Redirect(String),
}

/// What `/authorize` does with the person.
#[derive(Debug, Clone)]
pub enum AuthorizeAnswer {
    /// Sends them back with a code.
    Approve,
    /// Sends them back with this error code.
    Deny(&'static str),
    /// Sends them back with these parameters; a value `{state}` becomes the state.
    Params(Vec<(&'static str, String)>),
    /// Keeps them, on a page that shows the query.
    Show,
}

/// Holds answers back until opened.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// Lets all through, those to come too.
    pub fn open(&self) {
        self.0.close();
    }

    pub(super) async fn pass(&self) {
        let _ = self.0.acquire().await;
    }
}

/// Which endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Authorize,
    Token,
    UserInfo,
    Revoke,
    /// RFC 7662.
    Introspect,
    /// RFC 7591.
    Register,
    /// The document about itself, at either place.
    Discovery,
    /// The key set.
    Keys,
    Other,
}

impl Kind {
    pub(super) fn of(path: &str) -> Self {
        // Where presets put them that know their provider's layout.
        let below = [
            "/services/oauth2",
            "/id",
            "/login/oauth",
            "/organizations/oauth2/v2.0",
        ];
        let mut below = below
            .into_iter()
            .filter_map(|start| path.strip_prefix(start));
        match below.next().unwrap_or(path) {
            "/authorize" => Self::Authorize,
            "/token" | "/access_token" => Self::Token,
            "/userinfo" => Self::UserInfo,
            "/revoke" => Self::Revoke,
            "/introspect" => Self::Introspect,
            "/register" => Self::Register,
            "/keys" => Self::Keys,
            path if path.contains("/.well-known/") => Self::Discovery,
            _ => Self::Other,
        }
    }
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub kind: Kind,
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    /// Parameters of the query, then of a form, decoded, in order.
    pub params: Vec<(String, String)>,
    pub body: Bytes,
}

impl Recorded {
    /// One parameter; it must not stand twice.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut found = self.params.iter().filter(|(key, _)| key == name);
        let first = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands twice in {self:?}");
        first
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

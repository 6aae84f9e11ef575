//! The table: path, methods and caller of each of our URLs, and the member of the metadata that names it.

use http::Method;

/// Where the browser goes to let the person decide.
pub(crate) const CONSENT: &str = "/oauth/consent";
/// Where the person says whether the account is theirs.
pub(crate) const ACCOUNT: &str = "/oauth/account";
/// Where clients get their tokens.
pub(crate) const TOKEN: &str = "/oauth/token";
/// The callback, unless the operator chose another path.
pub(crate) const CALLBACK: &str = "/oauth/callback";
/// The callback of each provider but the first: its id follows.
///
/// Each has a URL of its own, so that an answer of one cannot pass for another's (RFC 9700 section
/// 4.4.2.2). It does not stand below [`CALLBACK`]: some providers accept any path below the registered
/// one.
pub(crate) const RETURN: &str = "/oauth/return/";

/// RFC 8414 section 3.
pub(crate) const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
/// OpenID Connect Discovery section 4.
pub(crate) const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// The document about the proxy, as a client of its provider.
pub(crate) const CLIENT_DOCUMENT: &str = "/oauth/client.json";

/// The public keys of access tokens.
const KEY_SET: &str = "/oauth/jwks";

pub(super) const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Our own URLs, by what answers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `GET /.well-known/oauth-authorization-server{base path}` (RFC 8414), the same document at
    /// `openid-configuration`, and both at the root and appended to the base URL.
    AuthorizationServerMetadata,
    /// `GET /.well-known/oauth-protected-resource{path}` (RFC 9728), for every path below the base URL.
    ProtectedResourceMetadata,
    /// `GET {base}/oauth/client.json` (draft-ietf-oauth-client-id-metadata-document section 4), where a
    /// provider knows the proxy by it.
    ClientDocument,
    /// `GET {base}/oauth/jwks` (RFC 7517 section 5), where access tokens are signed with keys that others verify
    /// them by.
    KeySet,
    /// A document below our well-known names that does not exist.
    UnknownDocument,
    /// `POST {base}/oauth/register` (RFC 7591).
    Register,
    /// `GET {base}/oauth/authorize` (RFC 6749 section 4.1.1).
    Authorize,
    /// `GET` and `POST {base}/oauth/consent`: the page, and the person's answer.
    Consent,
    /// `GET` and `POST {base}/oauth/account`: the page, and the person's answer, where it is shown.
    Account,
    /// `GET {base}/oauth/callback`: the browser returns from the provider. `POST` where the provider
    /// answers by form post.
    Callback,
    /// `POST {base}/oauth/token` (RFC 6749 section 3.2).
    Token,
    /// `POST {base}/oauth/revoke` (RFC 7009).
    Revoke,
    /// `POST {base}/oauth/introspect` (RFC 7662), where a configured client may ask.
    Introspect,
}

impl Endpoint {
    /// Its name, for metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AuthorizationServerMetadata => "authorization_server_metadata",
            Self::ProtectedResourceMetadata => "protected_resource_metadata",
            Self::ClientDocument => "client_document",
            Self::KeySet => "jwks",
            Self::UnknownDocument => "unknown_document",
            Self::Register => "register",
            Self::Authorize => "authorize",
            Self::Consent => "consent",
            Self::Callback => "callback",
            Self::Account => "account",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
        }
    }

    /// Each that has a URL.
    #[cfg(all(test, feature = "metrics"))]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.endpoint)
    }
}

/// Who calls an endpoint: that decides about CORS, and what a refusal looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Readable from any origin, without credentials; refusals are JSON.
    Machine,
    /// A server with a secret, which no page has: not readable from another origin; refusals are JSON.
    Service,
    /// Acts on a person's cookies, so never readable from another origin; refusals are pages.
    Browser,
}

/// How a row's path is found in a request's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The base URL's path, then the row's.
    Below,
    /// The base URL's path, then the operator's `redirect_path`.
    Callback,
    /// The base URL's path, the row's, and the id of one of the further providers.
    Return,
    /// A document of this issuer: at the root, with the base URL's path inserted behind the well-known
    /// name (RFC 8414 section 3), or appended to the base URL (OpenID Connect Discovery section 4).
    Issuer,
    /// A document of a resource, whose path follows the well-known name (RFC 9728 section 3.1).
    Resource,
    /// Below one of the documents.
    Nowhere,
}

/// All there is to know of one of our URLs, but how it answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) endpoint: Endpoint,
    pub(crate) path: &'static str,
    pub(super) place: Place,
    pub(crate) methods: &'static [Method],
    pub(crate) caller: Caller,
    /// The member of the RFC 8414 document that names this URL.
    pub(crate) advertised: Option<&'static str>,
}

pub(super) static TABLE: [Row; 14] = [
    Row::document(
        Endpoint::AuthorizationServerMetadata,
        AUTHORIZATION_SERVER,
        Place::Issuer,
    ),
    Row::document(
        Endpoint::AuthorizationServerMetadata,
        OPENID_CONFIGURATION,
        Place::Issuer,
    ),
    Row::document(
        Endpoint::ProtectedResourceMetadata,
        PROTECTED_RESOURCE,
        Place::Resource,
    ),
    Row::document(Endpoint::ClientDocument, CLIENT_DOCUMENT, Place::Below),
    // RFC 9068 section 4: "Authorization servers SHOULD use OAuth 2.0 Authorization Server Metadata [RFC8414]
    // to advertise to resource servers their signing keys via "jwks_uri"".
    Row {
        advertised: Some("jwks_uri"),
        ..Row::document(Endpoint::KeySet, KEY_SET, Place::Below)
    },
    Row::machine(
        Endpoint::Register,
        "/oauth/register",
        "registration_endpoint",
    ),
    Row::machine(Endpoint::Token, TOKEN, "token_endpoint"),
    Row::machine(Endpoint::Revoke, "/oauth/revoke", "revocation_endpoint"),
    Row {
        caller: Caller::Service,
        ..Row::machine(
            Endpoint::Introspect,
            "/oauth/introspect",
            "introspection_endpoint",
        )
    },
    Row {
        advertised: Some("authorization_endpoint"),
        ..Row::browser(Endpoint::Authorize, "/oauth/authorize", &[Method::GET])
    },
    Row::browser(Endpoint::Consent, CONSENT, &[Method::GET, Method::POST]),
    Row::browser(Endpoint::Account, ACCOUNT, &[Method::GET, Method::POST]),
    Row {
        place: Place::Callback,
        ..Row::browser(Endpoint::Callback, CALLBACK, &[Method::GET, Method::POST])
    },
    Row {
        place: Place::Return,
        ..Row::browser(Endpoint::Callback, RETURN, &[Method::GET, Method::POST])
    },
];

/// The document of another issuer. RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to
/// the authorization server's issuer identifier value into which the well-known URI string was inserted".
pub(super) static UNKNOWN_DOCUMENT: Row =
    Row::document(Endpoint::UnknownDocument, "", Place::Nowhere);

impl Row {
    const fn document(endpoint: Endpoint, path: &'static str, place: Place) -> Self {
        Self {
            endpoint,
            path,
            place,
            methods: &[Method::GET, Method::HEAD],
            caller: Caller::Machine,
            advertised: None,
        }
    }

    const fn machine(endpoint: Endpoint, path: &'static str, advertised: &'static str) -> Self {
        Self {
            endpoint,
            path,
            place: Place::Below,
            methods: &[Method::POST],
            caller: Caller::Machine,
            advertised: Some(advertised),
        }
    }

    const fn browser(endpoint: Endpoint, path: &'static str, methods: &'static [Method]) -> Self {
        Self {
            endpoint,
            path,
            place: Place::Below,
            methods,
            caller: Caller::Browser,
            advertised: None,
        }
    }
}

//! Any OpenID Connect server that says itself where it is.

use std::sync::Arc;

use super::generic::Generic;
use crate::provider::provider::Provider;

/// A provider by its issuer alone.
///
/// Register one confidential app there with the callback `{base_url}/oauth/callback`. The rest stands in
/// the provider's own document, `{issuer}/.well-known/openid-configuration` (OpenID Connect Discovery
/// section 4). Where there is none (404), the one of RFC 8414 is read: `/.well-known/oauth-authorization-server`
/// and then the issuer's path.
///
/// - **The issuer is compared to the byte**, with the document's and with each token's. A trailing slash is
///   part of it. Where the document stands at another URL than the issuer's, say so:
///   `oidc("https://inside.example", ..).issuer("https://sso.example")`.
/// - **When it is read**: at the first login, not at start, so a provider that is down delays nothing but its
///   own logins. Such a login goes back to its client as `temporarily_unavailable`, and an event says
///   what was asked and what came. A renewal waits and ends no grant. The document is kept for as long as its
///   headers say, between a minute and an hour, and for a day more while the provider does not answer.
/// - **What it says**: the endpoints, which must be https (http on loopback where the issuer is that too) and
///   may be at other hosts; whether the secret goes into the header or the body; whether each redirect back
///   names the issuer (RFC 9207), and then one that does not is refused. A setter of [`Provider`] wins
///   over it, and what it replaces is not looked at.
/// - **ID tokens are verified by the provider's keys** (its `jwks_uri`), at login and at each renewal: RS, PS
///   and ES with 256, 384 and 512, and EdDSA. `HS256` and its like, which are signed with the client secret,
///   are refused: choose another algorithm for the app. A key that is not known yet is asked for, once in ten
///   seconds. Without any keys a login ends with `temporarily_unavailable`.
/// - **Scopes unless set**: `openid profile email`. `offline_access` is added towards a provider whose document
///   lists it, since many give no refresh token without; [`upstream_scopes`](Provider::upstream_scopes) says
///   otherwise. Some give one only with a consent (OpenID Connect Core section 11): add
///   `.authorization_param("prompt", "consent")`.
/// - PKCE is sent whatever `code_challenge_methods_supported` says: a server ignores parameters that it does
///   not know (RFC 6749 section 3.1). For one that refuses them there is [`uses_pkce`](Provider::uses_pkce).
/// - Userinfo is read as plain JSON. One that is a JWT (`application/jwt`) is refused.
///
/// The id is `oidc`; with several such providers give each its own by [`id`](Provider::id).
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let keycloak = provider::oidc("https://sso.example/realms/acme", "client-id", "client-secret")
///     .name("Acme");
/// assert!(keycloak.check().is_ok());
/// // A slash at the end is part of the name.
/// let auth0 = provider::oidc("https://acme.eu.auth0.com/", "client-id", "client-secret");
/// assert!(auth0.check().is_ok());
/// assert!(provider::oidc("sso.example", "client-id", "client-secret").check().is_err());
/// ```
#[must_use]
pub fn oidc(
    issuer: impl Into<String>,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    Provider::discovered(
        "oidc",
        "your identity provider",
        issuer,
        Arc::new(Generic),
        client_id,
        client_secret,
    )
    .scopes(["openid", "profile", "email"])
}

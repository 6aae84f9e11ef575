//! Any OpenID Connect server that says itself where it is.

use super::generic::Generic;
use crate::provider::provider::Provider;

use std::sync::Arc;

/// A provider by its issuer alone.
///
/// Register one confidential app there with the callback `{base_url}/oauth/callback`. The rest stands in
/// the provider's own document, `{issuer}/.well-known/openid-configuration`.
///
/// Scopes unless set: `openid profile email`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let keycloak = provider::oidc("https://sso.example/realms/acme", "client-id", "client-secret");
/// assert!(keycloak.check().is_ok());
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

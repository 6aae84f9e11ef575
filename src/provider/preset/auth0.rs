//! Auth0.

use std::sync::Arc;

use crate::provider::{
    dialect::{Dialect, Organizations},
    origin::origin,
    provider::{Provider, TokenEndpointAuth},
};

/// Users of an Auth0 tenant.
///
/// In the dashboard, under Applications, create a "Regular Web Application". Add the allowed callback URL
/// `{base_url}/oauth/callback`. `domain` is the application's "Domain", `acme.eu.auth0.com`, or the
/// tenant's custom domain. Under "Advanced Settings", "Grant Types", leave "Refresh Token" on.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `offline_access` is always asked for |
/// | the person | `sub`, `{connection}\|{id}`, which stays. One human with two connections has two |
/// | the address | with `email_verified` |
/// | refresh | needs "Allow Offline Access" of the API that [`audience`](Provider::audience) names; rotation is a setting of the application. A renewal that a rule stops with `mfa_required` ends the grant |
/// | revocation | the refresh token |
///
/// Without [`audience`](Provider::audience) the access token is opaque, and good for userinfo alone. With the
/// identifier of an API (Applications, APIs) it is a JWT for that API. `resource` is ignored unless the tenant
/// turns on the "Resource Parameter Compatibility Profile". Roles are in a claim that your Action adds, with
/// a URL for a name, or in `permissions` with RBAC: name it with `role_claims`.
///
/// A new tenant lets anyone sign up: disable that in the database connection, or say who may log in. With
/// `.allowed_organizations(["org_…"])` the person has to log in by way of one of these organizations: the claim is
/// `org_id`.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let auth0 = provider::auth0("acme.eu.auth0.com", "client-id", "client-secret")
///     .audience("https://api.acme.example")
///     .scopes(["openid", "email", "read:reports"]);
/// assert!(auth0.check().is_ok());
/// ```
#[must_use]
pub fn auth0(
    domain: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    Provider::discovered(
        "auth0",
        "Auth0",
        // The slash is part of the name.
        format!("{}/", origin(domain)),
        Arc::new(Auth0),
        client_id,
        client_secret,
    )
    // What a new application is set to.
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["offline_access"])
}

#[derive(Debug)]
struct Auth0;

impl Dialect for Auth0 {
    fn organizations(&self) -> Option<Organizations> {
        Some(Organizations::in_claim("org_id"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{
        fake::{map, tokens},
        identity::Identity,
        upstream_error::Finality,
    };

    #[test]
    fn the_issuer_has_a_slash_however_the_domain_is_written() {
        for domain in [
            "acme.eu.auth0.com",
            "https://acme.eu.auth0.com/",
            "acme.eu.auth0.com/",
        ] {
            let auth0 = auth0(domain, "id", "s");
            assert!(
                auth0.admits_issuer("https://acme.eu.auth0.com/", None),
                "{domain}"
            );
            assert!(!auth0.admits_issuer("https://acme.eu.auth0.com", None));
        }
        for bad in ["", "http://acme.auth0.com", "acme auth0"] {
            assert!(auth0(bad, "id", "s").check().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_audience_goes_with_every_request() {
        let auth0 = auth0("acme.auth0.com", "id", "s").audience("https://api.example");
        let expected = [("audience".to_owned(), "https://api.example".to_owned())];
        assert_eq!(auth0.authorization_params, expected);
        assert_eq!(auth0.token_params, expected);
        assert_eq!(auth0.refresh_params, expected);
    }

    #[test]
    fn a_refusal_is_read_under_its_403() {
        let auth0 = auth0("acme.auth0.com", "id", "s");
        let answer = tokens(&auth0, 200, &json!({
            "access_token": "eyJz93a", "refresh_token": "v1.MRrrkg", "id_token": "eyJh.e30.c2ln",
            "scope": "openid profile email offline_access", "expires_in": 86_400, "token_type": "Bearer",
        }))
        .unwrap();
        assert_eq!(answer.expires_in.unwrap().as_secs(), 86_400);
        for (code, words, expected) in [
            (
                "invalid_grant",
                "Unknown or invalid refresh token.",
                Finality::Ends,
            ),
            (
                "mfa_required",
                "Multifactor authentication required",
                Finality::Ends,
            ),
            (
                "unauthorized_client",
                "Grant type 'refresh_token' not allowed for the client.",
                Finality::Bounded,
            ),
            ("too_many_requests", "Too Many Requests", Finality::Trouble),
        ] {
            let body = json!({"error": code, "error_description": words});
            let error = tokens(&auth0, 403, &body).unwrap_err();
            assert_eq!(error.finality(), expected, "{code}");
        }
    }

    #[test]
    fn a_person_is_a_connection_and_an_id() {
        let person = Identity::from_claims(map(json!({
            "iss": "https://acme.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "aud": "id",
            "iat": 1, "exp": 2, "nickname": "j+smith", "name": "j+smith@example.com",
            "picture": "https://s.gravatar.com/avatar/0f", "updated_at": "2026-03-30T15:13:40.474Z",
            "email": "j+smith@example.com", "email_verified": true, "sid": "LBsd",
            "https://acme.example/roles": ["editor"],
        })));
        assert_eq!(
            person.subject.as_deref(),
            Some("auth0|5f7c8ec7c33c6c004bbafe82")
        );
        assert_eq!(person.verified_email(), Some("j+smith@example.com"));
    }
}

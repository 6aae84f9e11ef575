//! What the provider says about itself: OpenID Connect Discovery section 3, and its keys.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Shared, page};
use crate::support::pages;

/// `GET /.well-known/openid-configuration`.
pub async fn about(State(Shared(idp)): State<Shared>) -> Json<Value> {
    let url = |path: &str| format!("{}{path}", idp.issuer);
    Json(json!({
        "issuer": idp.issuer,
        "authorization_endpoint": url("/authorize"),
        "token_endpoint": url("/token"),
        "userinfo_endpoint": url("/userinfo"),
        "revocation_endpoint": url("/revoke"),
        "jwks_uri": url("/jwks"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email"],
        "claims_supported": ["sub", "name", "email", "email_verified", "roles", "auth_time"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

/// `GET /jwks` (RFC 7517 section 5).
pub async fn jwks(State(Shared(idp)): State<Shared>) -> Json<Value> {
    Json(json!({ "keys": [idp.keys.jwk()] }))
}

/// `GET /`: for a person who opens the issuer.
pub async fn front(State(Shared(idp)): State<Shared>) -> Response {
    pages::answer(StatusCode::OK, page::front(&idp.issuer))
}

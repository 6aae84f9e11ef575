//! Tokens for other APIs, in a person's name: token exchange (RFC 8693), and the form that carries the
//! person's token as an assertion (RFC 7523 section 2.1).

use serde_json::{Value, json};

use super::{
    ledger::{Params, get},
    script::Settings,
};

pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The token that is traded. RFC 8693 section 2.1 wants it with its type; of the others one has to name
/// the API.
pub(super) fn subject(asked: &Params) -> Result<&str, &'static str> {
    let is = |name, value| get(asked, name) == Some(value);
    match get(asked, "grant_type") {
        Some(TOKEN_EXCHANGE) => {
            if !is("subject_token_type", ACCESS_TOKEN) || get(asked, "actor_token").is_some() {
                return Err("invalid_request");
            }
            if get(asked, "audience").or(get(asked, "resource")).is_none() {
                return Err("invalid_target");
            }
            get(asked, "subject_token").ok_or("invalid_request")
        }
        _ => {
            if !is("requested_token_use", "on_behalf_of") || get(asked, "scope").is_none() {
                return Err("invalid_request");
            }
            get(asked, "assertion").ok_or("invalid_request")
        }
    }
}

pub(super) fn answer(asked: &Params, token: &str, settings: &Settings) -> Value {
    let mut answer = json!({
        "access_token": token,
        "token_type": "Bearer",
        "refresh_token": "UPSTREAM-OF-ANOTHER-API",
    });
    if get(asked, "grant_type") == Some(TOKEN_EXCHANGE) {
        answer["issued_token_type"] = ACCESS_TOKEN.into();
    }
    if let Some(seconds) = settings.exchanged_expires_in {
        answer["expires_in"] = seconds.into();
    }
    if let Some(scope) = get(asked, "scope") {
        answer["scope"] = scope.into();
    }
    answer
}

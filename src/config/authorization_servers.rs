//! The issuers that clients of a resource server get their tokens from.

use crate::{
    error::ConfigError,
    limits::{MAX_AUTHORIZATION_SERVERS, MAX_BASE_URL},
    oauth::StrictUri,
};

/// RFC 8414 section 2, `issuer`: "The authorization server's issuer identifier, which is a URL that uses the
/// "https" scheme and has no query or fragment components."
pub(super) fn check_issuers(issuers: &[String]) -> Result<(), ConfigError> {
    let refuse = |why: String| Err(ConfigError::new("authorization_server", why));
    // RFC 9728 leaves it open; MCP: "MCP servers MUST implement the OAuth 2.0 Protected Resource Metadata
    // specification to indicate the locations of authorization servers."
    if issuers.is_empty() {
        return refuse("name the issuer that clients get their tokens from".to_owned());
    }
    if issuers.len() > MAX_AUTHORIZATION_SERVERS {
        return refuse(format!("more than {MAX_AUTHORIZATION_SERVERS} issuers"));
    }
    for issuer in issuers {
        // What stands before an `@` may be a password.
        let shown = if issuer.contains('@') {
            "the URL"
        } else {
            issuer
        };
        let parts = match StrictUri::parse(issuer, MAX_BASE_URL) {
            Ok(parts) => parts,
            Err(fault) => return refuse(format!("`{shown}` {fault}")),
        };
        if parts.scheme() != "https" && !(parts.scheme() == "http" && parts.is_loopback()) {
            let why = "must be https; plain http is accepted for loopback hosts only";
            return refuse(format!("`{shown}` {why}"));
        }
        if parts.query().is_some() {
            return refuse(format!("`{shown}` must not have a query"));
        }
    }
    Ok(())
}

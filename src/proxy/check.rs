//! What an option may say, checked before anything is built.

use std::time::Duration;

use crate::{config::OAuthProxyConfigBuilder, error::ConfigError, limits, oauth::BaseUrl, route};

pub(super) fn check_paths(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
    let plain = |path: &str| {
        path.starts_with('/')
            && !path.contains("//")
            && path
                .split('/')
                .all(|segment| segment != "." && segment != "..")
            && path
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#%\\\"<>".contains(&b))
    };
    if !plain(&builder.redirect_path) || builder.redirect_path == "/" {
        return Err(ConfigError::new(
            "redirect_path",
            "has to be a plain absolute path such as /oauth/callback",
        ));
    }
    let taken = [
        route::REGISTER,
        route::AUTHORIZE,
        route::CONSENT,
        route::TOKEN,
        route::REVOKE,
    ];
    let path = builder.redirect_path.as_str();
    // The documents stand first: below their names a login would end in JSON.
    if taken.contains(&path) || path.starts_with("/.well-known/") {
        return Err(ConfigError::new(
            "redirect_path",
            "is another endpoint's path",
        ));
    }
    // `/docs/*` and `/docs/{id}` could be paths, but whoever writes them means a pattern.
    let exact = |path: &str| plain(path) && !path.contains(['*', '{', '}', '^']);
    match builder.public_paths.iter().find(|path| !exact(path)) {
        Some(path) => Err(ConfigError::new(
            "public_paths",
            format!("{path:?} is not a plain absolute path; there are no patterns here"),
        )),
        None => Ok(()),
    }
}

pub(super) fn check_lifetimes(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    if builder.grants_per_person == 0 {
        return Err(ConfigError::new(
            "grants_per_person",
            "0 lets nobody log in: a login ends the grants beyond the limit; give at least 1",
        ));
    }
    let access = builder.access_token_ttl.unwrap_or(limits::ACCESS_TOKEN_TTL);
    let rules = [
        ("access_token_ttl", access, SECOND, YEAR),
        (
            "refresh_token_ttl",
            builder.refresh_token_ttl,
            SECOND,
            10 * YEAR,
        ),
        (
            "authorization_code_ttl",
            builder.authorization_code_ttl,
            SECOND,
            HOUR,
        ),
        ("transaction_ttl", builder.transaction_ttl, SECOND, HOUR),
        (
            "session_cache_ttl",
            builder.session_cache_ttl,
            Duration::ZERO,
            HOUR,
        ),
        (
            "upstream_request_timeout",
            builder.upstream_timeout,
            Duration::from_millis(10),
            HOUR,
        ),
    ];
    for (option, value, least, most) in rules {
        if value < least || value > most {
            return Err(ConfigError::new(
                option,
                format!("{value:?} is not between {least:?} and {most:?}"),
            ));
        }
    }
    Ok(())
}

pub(super) fn check_verifier(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
    match (builder.token_swap, builder.token_verifier.is_some()) {
        (false, false) => Err(ConfigError::new(
            "token_verifier",
            "token_swap(false) hands out the provider's tokens, which need a token_verifier",
        )),
        (true, true) => Err(ConfigError::new(
            "token_verifier",
            "is only asked with token_swap(false); the proxy verifies its own tokens itself",
        )),
        _ => Ok(()),
    }
}

pub(super) fn cookie_prefix(given: Option<String>, base: &BaseUrl) -> Result<String, ConfigError> {
    let Some(prefix) = given else {
        return Ok(if base.is_https() { "__Host-" } else { "" }.to_owned());
    };
    let token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if prefix.len() > 32 || !prefix.bytes().all(token) {
        return Err(ConfigError::new(
            "cookie_prefix",
            "at most 32 letters, digits, '-', '_' and '.'",
        ));
    }
    if prefix.starts_with("__") && !base.is_https() {
        return Err(ConfigError::new(
            "cookie_prefix",
            "browsers accept __Host- and __Secure- only on https",
        ));
    }
    Ok(prefix)
}

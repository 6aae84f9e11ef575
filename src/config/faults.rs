//! What an option must not say, in words for the operator.

use std::time::Duration;

use crate::{
    config::{
        builder::OAuthProxyConfigBuilder,
        choices::AccountPage,
        options::{Options, Plain},
        scope_option::scope_set,
        shown_text::check_name,
    },
    error::ConfigError,
    grant::RefreshGrace,
    limits,
    oauth::{BaseUrl, ScopeSet},
    quota::{Allowed, Limit, MOST_PER_MINUTE},
};

const NOTHING_TO_SIGN: &str =
    "passthrough hands out the provider's tokens: there is nothing to sign";

/// The scopes that every request needs: clients must be able to get them.
pub(super) fn required_scopes(
    required: &[String],
    scopes: &ScopeSet,
) -> Result<ScopeSet, ConfigError> {
    const OPTION: &str = "required_scopes";
    let required = scope_set(OPTION, required)?;
    let refuse = |scope: &str, why| Err(ConfigError::new(OPTION, format!("`{scope}` {why}")));
    if let Some(missing) = required.iter().find(|scope| !scopes.contains(scope)) {
        return refuse(
            missing,
            "is not one of `scopes`: clients could never get it",
        );
    }
    if required.contains("offline_access") {
        let why = "says that a client wants refresh tokens; no resource asks for it";
        return refuse("offline_access", why);
    }
    Ok(required)
}

/// A key that would encrypt nothing, or sign nothing.
pub(super) fn check_keys(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
    if builder.encryption_keys.is_given() && !builder.plain.storage_encryption {
        return Err(ConfigError::new(
            "encryption_key",
            "insecure_without_storage_encryption stores records in the clear: leave out one of the two",
        ));
    }
    if builder.signing_keys.is_given() && builder.passthrough.is_some() {
        return Err(ConfigError::new("jwt_signing_key", NOTHING_TO_SIGN));
    }
    if builder.token_keys.is_given() && builder.passthrough.is_some() {
        return Err(ConfigError::new("token_key", NOTHING_TO_SIGN));
    }
    builder.token_keys.check()
}

/// An empty entry, which no token could match: `split(',')` makes one of an unset variable.
pub(super) fn check_entries(options: &Plain) -> Result<(), ConfigError> {
    let lists = [
        ("role_claims", &options.role_claims),
        ("access_token_audiences", &options.access_token_audiences),
    ];
    for (option, entries) in lists {
        if let Some(empty) = entries.iter().find(|entry| entry.trim().is_empty()) {
            let why = format!("{empty:?} is an empty entry (is an environment variable unset?)");
            return Err(ConfigError::new(option, why));
        }
    }
    Ok(())
}

/// A configured client whose default scopes could never be granted, or whose name people could not read;
/// and a configuration in which no client can exist.
pub(super) fn check_static_clients(
    builder: &OAuthProxyConfigBuilder,
    scopes: &ScopeSet,
) -> Result<(), ConfigError> {
    let is_known = |scope: &str| scope == "offline_access" || scopes.contains(scope);
    for client in &builder.static_clients {
        let mut named = client.default_scopes();
        if let Some(unknown) = named.find(|scope| !is_known(scope)) {
            let why = format!(
                "client `{}` has the default scope `{unknown}`, which is not one of `scopes`",
                client.shown_id()
            );
            return Err(ConfigError::new("static_clients", why));
        }
        if let Some(name) = client.name_on_page() {
            check_name("static_clients", name)?;
        }
    }
    let plain = &builder.plain;
    let permits_nothing =
        builder.redirect_policy.permits_nothing() && builder.redirect_patterns.is_empty();
    let can_register = plain.dynamic_registration && !permits_nothing;
    // The origin of a document vouches for itself, whatever the policy permits.
    if builder.static_clients.is_empty() && !can_register && !plain.metadata_documents.is_on() {
        let (option, why) = match plain.dynamic_registration {
            true => (
                "redirect_policy",
                "RedirectPolicy::none permits no redirect URI, metadata_documents are off and there is no \
                 static client: no client could register",
            ),
            false => (
                "dynamic_registration",
                "it is off, metadata_documents are off too and there is no static client: no client could \
                 be known here",
            ),
        };
        return Err(ConfigError::new(option, why));
    }
    Ok(())
}

/// A limit that lets nothing through, or that is none.
pub(super) fn check_quotas(allowed: &Allowed) -> Result<(), ConfigError> {
    for limit in Limit::ALL {
        let highest = match limit {
            Limit::Callbacks => limits::MAX_CALLBACKS_AT_ONCE,
            _ => MOST_PER_MINUTE as usize,
        };
        let why = match allowed.most(limit) {
            Some(0) => format!(
                "0 would refuse all {}; leave it out for no limit",
                limit.of()
            ),
            Some(most) if most > highest => {
                format!("{most} is more than {highest}; leave it out for no limit")
            }
            _ => continue,
        };
        return Err(ConfigError::new(limit.option(), why));
    }
    Ok(())
}

pub(super) fn check_lifetimes(options: &Plain) -> Result<(), ConfigError> {
    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    if options.grants_per_person == 0 {
        return Err(ConfigError::new(
            "grants_per_person",
            "0 lets no one log in: a login ends the grants beyond the limit; give at least 1",
        ));
    }
    let grace = match options.refresh_token_grace {
        RefreshGrace::For(grace) => grace,
        // Not a time that could be too long.
        RefreshGrace::UntilUsed => Duration::ZERO,
    };
    let last_day = options.grant_max_age.unwrap_or(YEAR);
    let timeout = options.upstream_request_timeout;
    let rules = [
        ("access_token_ttl", options.access_token_ttl, SECOND..=YEAR),
        (
            "assertion_token_ttl",
            options.assertion_token_ttl,
            MINUTE..=HOUR,
        ),
        (
            "refresh_token_ttl",
            options.refresh_token_ttl,
            SECOND..=10 * YEAR,
        ),
        (
            "machine_token_ttl",
            options.machine_token_ttl,
            MINUTE..=HOUR,
        ),
        ("identity_max_age", options.identity_max_age, SECOND..=YEAR),
        ("grant_max_age", last_day, SECOND..=10 * YEAR),
        (
            "refresh_token_grace",
            grace,
            Duration::ZERO..=limits::MAX_REFRESH_GRACE,
        ),
        (
            "authorization_code_ttl",
            options.authorization_code_ttl,
            SECOND..=HOUR,
        ),
        ("transaction_ttl", options.transaction_ttl, SECOND..=HOUR),
        (
            "session_cache_ttl",
            options.session_cache_ttl,
            Duration::ZERO..=HOUR,
        ),
        (
            "upstream_request_timeout",
            timeout,
            Duration::from_millis(10)..=HOUR,
        ),
    ];
    for (option, value, allowed) in rules {
        if !allowed.contains(&value) {
            let (least, most) = (allowed.start(), allowed.end());
            return Err(ConfigError::new(
                option,
                format!("{value:?} is not between {least:?} and {most:?}"),
            ));
        }
    }
    Ok(())
}

/// The page that shows a planted login is the only thing that does.
pub(super) fn check_account_page(options: &Options) -> Result<(), ConfigError> {
    match options.account_page {
        AccountPage::Never if options.neighbours_can_plant_cookies() => {
            let why = format!(
                "Never, and the cookie_prefix {:?} lets neighbouring subdomains plant a login of their own: leave \
                 out one of the two",
                options.cookie_prefix
            );
            Err(ConfigError::new("account_page", why))
        }
        _ => Ok(()),
    }
}

pub(super) fn cookie_prefix(given: Option<String>, base: &BaseUrl) -> Result<String, ConfigError> {
    let Some(prefix) = given else {
        return Ok(if base.is_https() { "__Host-" } else { "" }.to_owned());
    };
    let token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if prefix.len() > limits::MAX_COOKIE_PREFIX || !prefix.bytes().all(token) {
        return Err(ConfigError::new(
            "cookie_prefix",
            format!("{prefix:?} is not made of at most 32 letters, digits, '-', '_' and '.'"),
        ));
    }
    if prefix.starts_with("__") && !base.is_https() {
        return Err(ConfigError::new(
            "cookie_prefix",
            format!(
                "{prefix:?} does not work here: browsers accept __Host- and __Secure- only on https"
            ),
        ));
    }
    Ok(prefix)
}

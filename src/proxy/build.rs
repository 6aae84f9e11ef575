//! From the builder to the running proxy: every check of the configuration, every derived key.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use secrecy::ExposeSecret;

use super::{OAuthProxyConfig, Proxy};
use crate::{
    challenge::Challenges,
    client::Clients,
    config::{Consent, OAuthProxyConfigBuilder, Settings},
    documents::Documents,
    error::ConfigError,
    event::{Event, Events, Reason, Step},
    grant::{Freshness, FreshnessSettings, Grants, RefreshTokens},
    key::{MIN_SECRET_BYTES, MacKey, Rotating, SealKey, SecretKey},
    limits,
    login::{CookieKeys, Cookies},
    oauth::{BaseUrl, ScopeSet},
    provider::Provider,
    route::Routes,
    session::SessionCache,
    storage::{MemoryStorage, SealedStorage, TokenStorage},
    token::AccessTokens,
    upstream::{UpstreamClient, http_client},
};

/// The shortest provider's client secret that keys may be stretched from, in bytes.
const MIN_CLIENT_SECRET_BYTES: usize = 16;

impl OAuthProxyConfigBuilder {
    /// Checks every option and derives every key.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the option to change.
    pub fn build(self) -> Result<OAuthProxyConfig, ConfigError> {
        assemble(self)
    }
}

fn assemble(builder: OAuthProxyConfigBuilder) -> Result<OAuthProxyConfig, ConfigError> {
    let base = BaseUrl::parse(&builder.base_url)?;
    builder.provider.check()?;
    if builder.forward_resource == Some(true) && builder.provider.refuses_resource {
        return Err(ConfigError::new(
            "forward_resource",
            format!(
                "{} refuses requests with a `resource`",
                builder.provider.name
            ),
        ));
    }
    check_paths(&builder)?;
    check_lifetimes(&builder)?;
    check_verifier(&builder)?;
    builder.allow_list.check()?;

    let secret = match &builder.secret_key {
        Some(key) => key.clone(),
        None => secret_of_provider(&builder.provider, &base)?,
    };
    let secrets = Secrets {
        current: secret,
        previous: builder.previous_secret_keys,
    };
    let mut redirect_policy = builder.redirect_policy;
    for pattern in &builder.redirect_patterns {
        redirect_policy = redirect_policy.allow(pattern)?;
    }
    let scopes = match &builder.scopes {
        Some(scopes) => scope_set("scopes", scopes)?,
        None => scope_set("scopes", &builder.provider.scopes)?,
    };
    let required_scopes = scope_set("required_scopes", &builder.required_scopes)?;
    if !required_scopes.is_subset(&scopes) {
        return Err(ConfigError::new(
            "required_scopes",
            "every required scope has to be one of `scopes`: clients could never get it",
        ));
    }
    let cookie_prefix = cookie_prefix(builder.cookie_prefix, &base)?;

    let events = Arc::new(Events::new(builder.on_event));
    let storage: Arc<dyn TokenStorage> = match builder.storage {
        Some(storage) => storage,
        None => Arc::new(MemoryStorage::new().with_clock(Arc::clone(&builder.clock))),
    };
    let storage: Arc<dyn TokenStorage> = if builder.storage_encryption {
        let keys = secrets.seal_with("storage", builder.encryption_key.as_ref());
        let names = vec![secrets.current.id(), keys.current().id()];
        Arc::new(SealedStorage::new(storage, keys, Arc::clone(&events)).announcing(names))
    } else {
        storage
    };
    let http = http_client(builder.http_client, builder.upstream_timeout)?;
    let provider = Arc::new(builder.provider);
    let upstream_pkce = builder.upstream_pkce.unwrap_or(provider.uses_pkce);
    let forward_resource = builder
        .forward_resource
        .unwrap_or(provider.forward_resource);
    if forward_resource && provider.refuses_resource {
        return Err(ConfigError::new(
            "forward_resource",
            "this provider refuses every request that names a resource",
        ));
    }
    let upstream = Arc::new(UpstreamClient::new(
        provider,
        http,
        builder.upstream_timeout,
    ));
    let grants = Arc::new(Grants::new(
        storage,
        RefreshTokens::new(secrets.mac("refresh token")),
        secrets.mac("index of grants"),
        Arc::clone(&events),
    ));
    let offered_scopes = scopes.union(&scope_set("scopes", &upstream.provider().scopes)?);
    let freshness = Freshness::new(
        Arc::clone(&grants),
        Arc::clone(&upstream),
        Arc::clone(&builder.clock),
        Arc::clone(&events),
        FreshnessSettings {
            extra_params: builder.extra_token_params.clone(),
            offered_scopes: offered_scopes.clone(),
            grant_ttl: builder.refresh_token_ttl,
            upstream_timeout: builder.upstream_timeout,
        },
    );

    let settings = Settings {
        callback_url: base.join(&builder.redirect_path),
        scopes,
        offered_scopes,
        required_scopes,
        consent: builder.consent,
        redirect_policy,
        cookie_prefix,
        allow_plain_pkce: builder.allow_plain_pkce,
        upstream_pkce,
        forward_resource,
        token_swap: builder.token_swap,
        optional_auth: builder.optional_auth,
        keep_authorization_header: builder.keep_authorization_header,
        cors_on_protected_paths: builder.cors_on_protected_paths,
        audience_by_path: builder.audience_by_path,
        access_token_ttl: builder.access_token_ttl,
        refresh_token_ttl: builder.refresh_token_ttl,
        authorization_code_ttl: builder.authorization_code_ttl,
        transaction_ttl: builder.transaction_ttl,
        session_cache_ttl: builder.session_cache_ttl,
        upstream_timeout: builder.upstream_timeout,
        extra_authorization_params: builder.extra_authorization_params,
        extra_token_params: builder.extra_token_params,
        claims: builder.claims,
        role_claims: builder.role_claims,
        allow_list: builder.allow_list,
        on_register: builder.on_register,
        on_login: builder.on_login,
        service_name: builder.service_name.map(Into::into),
        base,
    };
    let base = &settings.base;
    let proxy = Proxy {
        routes: Routes::new(base, &builder.redirect_path, builder.public_paths),
        documents: Documents::new(&settings),
        challenges: Challenges::new(base, &settings.required_scopes, Arc::clone(&events)),
        clients: Clients::new(
            secrets.mac("registration"),
            secrets.mac("client secret"),
            builder.static_clients,
        )?,
        cookies: Cookies::new(
            base,
            &settings.cookie_prefix,
            CookieKeys {
                request: secrets.seal("request cookie"),
                login: secrets.seal("login cookie"),
                approvals: secrets.seal("approvals cookie"),
            },
        ),
        grants,
        freshness: Arc::new(freshness),
        access_tokens: AccessTokens::new(
            base.as_str(),
            &secrets.mac_with("access token", builder.jwt_signing_key.as_ref()),
        ),
        sessions: SessionCache::new(settings.session_cache_ttl),
        passthrough: secrets.seal("passthrough refresh token"),
        callbacks: Cache::builder()
            .max_capacity(limits::MAX_CALLBACKS)
            .eviction_policy(moka::policy::EvictionPolicy::lru())
            .time_to_live(settings.transaction_ttl)
            .build(),
        upstream,
        verifier: builder.token_verifier,
        clock: builder.clock,
        events,
        settings,
    };
    tell_weak_options(&proxy, builder.storage_encryption);
    Ok(OAuthProxyConfig {
        proxy: Arc::new(proxy),
    })
}

struct Secrets {
    current: SecretKey,
    previous: Vec<SecretKey>,
}

impl Secrets {
    fn mac(&self, label: &str) -> Rotating<MacKey> {
        self.mac_with(label, None)
    }

    fn seal(&self, label: &str) -> Rotating<SealKey> {
        self.seal_with(label, None)
    }

    /// With an override the derived keys stay able to verify: turning the override on logs nobody
    /// out.
    fn mac_with(&self, label: &str, own: Option<&SecretKey>) -> Rotating<MacKey> {
        let mut keys = self.chain(own).map(|key| key.mac(label));
        let current = keys.next().unwrap_or_else(|| self.current.mac(label));
        Rotating::new(current, keys)
    }

    fn seal_with(&self, label: &str, own: Option<&SecretKey>) -> Rotating<SealKey> {
        let mut keys = self.chain(own).map(|key| key.seal(label));
        let current = keys.next().unwrap_or_else(|| self.current.seal(label));
        Rotating::new(current, keys)
    }

    fn chain<'a>(&'a self, own: Option<&'a SecretKey>) -> impl Iterator<Item = &'a SecretKey> {
        own.into_iter().chain([&self.current]).chain(&self.previous)
    }
}

/// Without a secret of its own, the proxy uses the one that it shares with the provider.
fn secret_of_provider(provider: &Provider, base: &BaseUrl) -> Result<SecretKey, ConfigError> {
    let Some(secret) = &provider.client_secret else {
        return Err(ConfigError::new(
            "secret_key",
            "the provider has no client secret to derive keys from: set secret_key",
        ));
    };
    let secret = secret.expose_secret();
    match secret.len() {
        MIN_SECRET_BYTES.. => SecretKey::from_bytes(secret),
        MIN_CLIENT_SECRET_BYTES.. => Ok(SecretKey::stretch(
            secret.as_bytes(),
            base.as_str().as_bytes(),
        )),
        short => Err(ConfigError::new(
            "secret_key",
            format!(
                "the provider's client secret of {short} bytes is too short to derive keys from: \
                 set secret_key"
            ),
        )),
    }
}

fn scope_set(option: &'static str, scopes: &[String]) -> Result<ScopeSet, ConfigError> {
    ScopeSet::new(scopes).map_err(|error| ConfigError::new(option, error.to_string()))
}

fn check_paths(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
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
        crate::route::REGISTER,
        crate::route::AUTHORIZE,
        crate::route::CONSENT,
        crate::route::TOKEN,
        crate::route::REVOKE,
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

fn check_lifetimes(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
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

fn check_verifier(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
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

fn cookie_prefix(given: Option<String>, base: &BaseUrl) -> Result<String, ConfigError> {
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

/// Options that weaken security are told once, at start.
fn tell_weak_options(proxy: &Proxy, storage_encryption: bool) {
    let settings = &proxy.settings;
    let host_prefix = settings.cookie_prefix.starts_with("__Host-");
    let weak = [
        (
            settings.base.is_https() && !host_prefix,
            "cookie_prefix is not __Host-: a neighbouring subdomain can plant cookies",
        ),
        (
            !settings.audience_by_path,
            "audience_by_path is off: a token for one path is good on all",
        ),
        (
            !settings.upstream_pkce,
            "upstream_pkce is off: the provider's code is not bound to this login",
        ),
        (
            settings.consent == Consent::Disabled,
            "consent is disabled: any registered client gets access through a link",
        ),
        (
            settings.allow_plain_pkce,
            "allow_plain_pkce: whoever sees the authorization request can redeem the code",
        ),
        (
            !storage_encryption,
            "insecure_without_storage_encryption: the store holds the provider's tokens in the clear",
        ),
        (
            settings.allow_list.trust_unverified,
            "insecure_trust_unverified_emails: the allow lists believe any address",
        ),
        (
            !settings.token_swap,
            "token_swap is off: clients hold the provider's access tokens",
        ),
        (
            settings.keep_authorization_header,
            "keep_authorization_header: the inner service sees bearer tokens",
        ),
    ];
    for (_, words) in weak.iter().filter(|(on, _)| *on) {
        proxy.emit(&Event::refused(Step::Configuration, Reason::WeakOption).detail(words));
    }
}

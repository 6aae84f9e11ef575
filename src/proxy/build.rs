//! From the builder to the running proxy.

use std::sync::Arc;

use super::{
    OAuthProxyConfig, Proxy,
    check::{check_lifetimes, check_paths, check_verifier, cookie_prefix},
    secrets::{Secrets, secret_of_provider},
    weak::tell_weak_options,
};
use crate::{
    challenge::Challenges,
    client::Clients,
    config::{OAuthProxyConfigBuilder, Settings},
    documents::Documents,
    error::ConfigError,
    event::Events,
    grant::{Freshness, FreshnessSettings, Grants, RefreshTokens},
    login::{Arrivals, CookieKeys, Cookies},
    oauth::{BaseUrl, ScopeSet},
    route::Routes,
    session::SessionCache,
    storage::{MemoryStorage, SealedStorage, TokenStorage},
    token::AccessTokens,
    upstream::{UpstreamClient, http_client},
};

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
    let upstream = UpstreamClient::new(provider, http, builder.upstream_timeout)?;
    let upstream = Arc::new(upstream);
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
        grants_per_person: builder.grants_per_person,
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
        freshness: Arc::new(freshness),
        access_tokens: AccessTokens::new(
            base.as_str(),
            &secrets.mac_with("access token", builder.jwt_signing_key.as_ref()),
        ),
        sessions: SessionCache::new(settings.session_cache_ttl, Arc::clone(grants.revocations())),
        grants,
        passthrough: secrets.seal("passthrough refresh token"),
        arrivals: Arrivals::new(settings.transaction_ttl),
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

fn scope_set(option: &'static str, scopes: &[String]) -> Result<ScopeSet, ConfigError> {
    ScopeSet::new(scopes).map_err(|error| ConfigError::new(option, error.to_string()))
}

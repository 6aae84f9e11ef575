//! From the builder to the running proxy.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{
    OAuthProxyConfig, Proxy,
    check::{
        check_entries, check_keys, check_lifetimes, check_name, check_provider,
        check_static_clients, check_verifier, cookie_prefix, odd_params, required_scopes,
        scope_set,
    },
    paths::{check_paths, odd_paths},
    secrets::{Own, Secrets, secret_of_provider},
    weak::{tell_odd_options, tell_weak_options},
};
use crate::{
    challenge::Challenges,
    client::{Clients, Denied},
    config::{OAuthProxyConfigBuilder, Options},
    documents::Documents,
    error::ConfigError,
    event::Events,
    grant::{
        Ending, Freshness, FreshnessParts, FreshnessSettings, Grants, ProofOfLife, RefreshTokens,
    },
    limits::MAX_REVOCATIONS_AT_WORK,
    login::admission::Admission,
    login::{Arrivals, Claims, Completion, CookieKeys, Cookies},
    oauth::BaseUrl,
    provider::{ProviderClient, http_client},
    route::Routes,
    session::SessionCache,
    storage::{MemoryStorage, SealedStorage, TokenStorage},
    tasks::Tasks,
    token::AccessTokens,
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
    check_paths(&builder, &base)?;
    check_lifetimes(&builder)?;
    check_verifier(&builder)?;
    check_keys(&builder)?;
    check_entries(&builder)?;
    check_name("provider", &builder.provider.name)?;
    if let Some(name) = &builder.service_name {
        check_name("service_name", name)?;
    }
    let scopes = match &builder.scopes {
        Some(scopes) => scope_set("scopes", scopes)?,
        None => scope_set("provider", &builder.provider.scopes)?,
    };
    let required_scopes = required_scopes(&builder.required_scopes, &scopes)?;
    let offered_scopes = scopes.union(&scope_set("provider", &builder.provider.scopes)?);
    check_provider(&builder.provider, &builder, &offered_scopes)?;
    check_static_clients(&builder, &scopes)?;
    let mut odd = odd_paths(&builder, &base);
    odd.extend(odd_params(&builder));
    let allow_list = builder.allow_list.checked()?;

    let secret = match &builder.secret_key {
        Some(key) => key.clone(),
        None => secret_of_provider(&builder.provider, &base)?,
    };
    let secrets = Secrets {
        current: secret,
        previous: builder.previous_secret_keys,
    };
    let signing = Own {
        current: builder.jwt_signing_key,
        previous: builder.previous_jwt_signing_keys,
    };
    let mut redirect_policy = builder.redirect_policy;
    for pattern in &builder.redirect_patterns {
        redirect_policy = redirect_policy.allow(pattern)?;
    }
    let cookie_prefix = cookie_prefix(builder.cookie_prefix, &base)?;

    let events = Arc::new(Events::new(builder.on_event));
    let storage: Arc<dyn TokenStorage> = match builder.storage {
        Some(storage) => storage,
        None => Arc::new(MemoryStorage::new().with_clock(Arc::clone(&builder.clock))),
    };
    let storage: Arc<dyn TokenStorage> = if builder.storage_encryption {
        let own = Own {
            current: builder.encryption_key,
            previous: builder.previous_encryption_keys,
        };
        let keys = secrets.seal_with("storage", &own);
        Arc::new(SealedStorage::new(storage, keys, Arc::clone(&events)))
    } else {
        storage
    };
    let http = http_client(builder.http_client, builder.upstream_timeout)?;
    let provider = Arc::new(builder.provider);
    let upstream_pkce = builder.upstream_pkce.unwrap_or(provider.uses_pkce);
    let forward_resource = builder
        .forward_resource
        .unwrap_or(provider.forward_resource);
    let upstream = ProviderClient::new(provider, http, builder.upstream_timeout)?;
    let upstream = Arc::new(upstream);
    let claims = Claims::new(Arc::clone(&storage), builder.transaction_ttl);
    let tasks = Tasks::default();
    let grants = Arc::new(Grants::new(
        Arc::clone(&storage),
        RefreshTokens::new(secrets.mac("refresh token")),
        secrets.mac("index of grants"),
        Arc::clone(&events),
        tasks.clone(),
    ));
    let offered_scopes = scopes.union(&scope_set("scopes", &upstream.about().scopes)?);
    let options = Arc::new(Options {
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
        pass_on: builder.pass_on,
        token_swap: builder.token_swap,
        optional_auth: builder.optional_auth,
        keep_authorization_header: builder.keep_authorization_header,
        cors_on_protected_paths: builder.cors_on_protected_paths,
        audience_by_path: builder.audience_by_path,
        access_token_ttl: builder.access_token_ttl,
        refresh_token_ttl: builder.refresh_token_ttl,
        refresh_token_grace: builder.refresh_token_grace,
        grants_per_person: builder.grants_per_person,
        authorization_code_ttl: builder.authorization_code_ttl,
        transaction_ttl: builder.transaction_ttl,
        session_cache_ttl: builder.session_cache_ttl,
        upstream_timeout: builder.upstream_timeout,
        extra_authorization_params: builder.extra_authorization_params,
        extra_token_params: builder.extra_token_params,
        claims: builder.claims,
        role_claims: builder.role_claims,
        access_token_audiences: builder.access_token_audiences,
        allow_list,
        on_register: builder.on_register,
        on_login: builder.on_login,
        service_name: builder.service_name.map(Into::into),
        base,
    });
    let admission = Arc::new(Admission::new(
        Arc::clone(&upstream),
        Arc::clone(&options),
        Arc::clone(&events),
        Arc::clone(&grants),
        Ending::new(Arc::clone(&grants), Arc::clone(&events), tasks.clone()),
    ));
    let freshness = Freshness::new(
        FreshnessParts {
            grants: Arc::clone(&grants),
            upstream: Arc::clone(&upstream),
            proof: Arc::clone(&admission) as Arc<dyn ProofOfLife>,
            clock: Arc::clone(&builder.clock),
            events: Arc::clone(&events),
            tasks: tasks.clone(),
        },
        FreshnessSettings {
            extra_params: options.extra_token_params.clone(),
            offered_scopes: options.offered_scopes.clone(),
            grant_ttl: options.refresh_token_ttl,
            upstream_timeout: options.upstream_timeout,
            identity_max_age: builder.identity_max_age,
            grant_max_age: builder.grant_max_age,
        },
    );
    let completion = Completion {
        arrivals: Arrivals::new(options.transaction_ttl),
        claims,
        admission: Arc::clone(&admission),
        provider: Arc::clone(&upstream),
        options: Arc::clone(&options),
        clock: Arc::clone(&builder.clock),
        tasks: tasks.clone(),
    };
    let base = &options.base;
    let proxy = Proxy {
        routes: Routes::new(base, &builder.redirect_path, builder.public_paths),
        documents: Documents::new(&options),
        challenges: Challenges::new(base, &options.required_scopes, Arc::clone(&events)),
        clients: Clients::new(
            secrets.mac("registration"),
            secrets.mac("client secret"),
            Denied::new(storage),
            builder.static_clients,
        )?,
        cookies: Cookies::new(
            base,
            &options.cookie_prefix,
            CookieKeys::derived(|label| secrets.seal(label)),
        ),
        freshness: Arc::new(freshness),
        access_tokens: AccessTokens::new(
            base.as_str(),
            &secrets.mac_with("access token", &signing),
        ),
        sessions: SessionCache::new(options.session_cache_ttl, Arc::clone(grants.revocations())),
        grants,
        passthrough: secrets.seal("passthrough refresh token"),
        revoking: Semaphore::new(MAX_REVOCATIONS_AT_WORK),
        completion: Arc::new(completion),
        tasks,
        provider: upstream,
        admission,
        verifier: builder.token_verifier,
        clock: builder.clock,
        events,
        options: Arc::clone(&options),
    };
    tell_weak_options(&proxy, builder.storage_encryption);
    tell_odd_options(&proxy, &odd);
    Ok(OAuthProxyConfig {
        proxy: Arc::new(proxy),
    })
}

//! What the operator has said so far.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    client::{RedirectPolicy, StaticClient},
    clock::{Clock, SystemClock},
    config::{
        allow_list::AllowList,
        choices::{Consent, PassOn},
        hooks::{LoginHook, RegistrationHook},
    },
    event::EventCallback,
    grant::RefreshGrace,
    key::SecretKey,
    limits,
    provider::{Customize, Provider},
    storage::TokenStorage,
    token::{ClaimsPassthrough, TokenVerifier},
};

/// Collects the configuration; see each method. Made by
/// [`OAuthProxyConfig::builder`](crate::OAuthProxyConfig::builder).
#[must_use = "a builder does nothing until `build`"]
pub struct OAuthProxyConfigBuilder {
    pub(crate) provider: Provider,
    pub(crate) base_url: String,
    pub(crate) secret_key: Option<SecretKey>,
    pub(crate) previous_secret_keys: Vec<SecretKey>,
    pub(crate) jwt_signing_key: Option<SecretKey>,
    pub(crate) previous_jwt_signing_keys: Vec<SecretKey>,
    pub(crate) encryption_key: Option<SecretKey>,
    pub(crate) previous_encryption_keys: Vec<SecretKey>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) consent: Consent,
    pub(crate) redirect_policy: RedirectPolicy,
    pub(crate) redirect_patterns: Vec<String>,
    pub(crate) static_clients: Vec<StaticClient>,
    pub(crate) public_paths: Vec<String>,
    pub(crate) redirect_path: String,
    pub(crate) cookie_prefix: Option<String>,
    pub(crate) allow_plain_pkce: bool,
    pub(crate) upstream_pkce: Option<bool>,
    pub(crate) forward_resource: Option<bool>,
    pub(crate) pass_on: Vec<PassOn>,
    pub(crate) token_swap: bool,
    pub(crate) token_verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) optional_auth: bool,
    pub(crate) keep_authorization_header: bool,
    pub(crate) cors_on_protected_paths: bool,
    pub(crate) audience_by_path: bool,
    pub(crate) access_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) refresh_token_grace: RefreshGrace,
    pub(crate) identity_max_age: Duration,
    pub(crate) grant_max_age: Option<Duration>,
    pub(crate) grants_per_person: usize,
    pub(crate) authorization_code_ttl: Duration,
    pub(crate) transaction_ttl: Duration,
    pub(crate) session_cache_ttl: Duration,
    pub(crate) upstream_timeout: Duration,
    pub(crate) extra_authorization_params: Vec<(String, String)>,
    pub(crate) extra_token_params: Vec<(String, String)>,
    pub(crate) claims: ClaimsPassthrough,
    pub(crate) role_claims: Vec<String>,
    pub(crate) access_token_audiences: Vec<String>,
    pub(crate) storage: Option<Arc<dyn TokenStorage>>,
    pub(crate) storage_encryption: bool,
    pub(crate) allow_list: AllowList,
    pub(crate) on_register: Option<RegistrationHook>,
    pub(crate) on_login: Option<LoginHook>,
    pub(crate) on_event: Option<EventCallback>,
    pub(crate) http_client: Option<Customize>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) service_name: Option<String>,
}

impl OAuthProxyConfigBuilder {
    pub(crate) fn new(provider: Provider, base_url: String) -> Self {
        Self {
            provider,
            base_url,
            secret_key: None,
            previous_secret_keys: Vec::new(),
            jwt_signing_key: None,
            previous_jwt_signing_keys: Vec::new(),
            encryption_key: None,
            previous_encryption_keys: Vec::new(),
            scopes: None,
            required_scopes: Vec::new(),
            consent: Consent::default(),
            redirect_policy: RedirectPolicy::default(),
            redirect_patterns: Vec::new(),
            static_clients: Vec::new(),
            public_paths: Vec::new(),
            redirect_path: crate::route::CALLBACK.to_owned(),
            cookie_prefix: None,
            allow_plain_pkce: false,
            upstream_pkce: None,
            forward_resource: None,
            pass_on: Vec::new(),
            token_swap: true,
            token_verifier: None,
            optional_auth: false,
            keep_authorization_header: false,
            cors_on_protected_paths: false,
            audience_by_path: true,
            access_token_ttl: limits::ACCESS_TOKEN_TTL,
            refresh_token_ttl: limits::REFRESH_TOKEN_TTL,
            refresh_token_grace: RefreshGrace::default(),
            identity_max_age: limits::IDENTITY_MAX_AGE,
            grant_max_age: None,
            grants_per_person: limits::GRANTS_PER_PERSON,
            authorization_code_ttl: limits::AUTHORIZATION_CODE_TTL,
            transaction_ttl: limits::TRANSACTION_TTL,
            session_cache_ttl: limits::SESSION_CACHE_TTL,
            upstream_timeout: limits::UPSTREAM_TIMEOUT,
            extra_authorization_params: Vec::new(),
            extra_token_params: Vec::new(),
            claims: ClaimsPassthrough::default(),
            role_claims: ["role", "roles", "realm_access"].map(str::to_owned).into(),
            access_token_audiences: Vec::new(),
            storage: None,
            storage_encryption: true,
            allow_list: AllowList::default(),
            on_register: None,
            on_login: None,
            on_event: None,
            http_client: None,
            clock: Arc::new(SystemClock),
            service_name: None,
        }
    }
}

impl fmt::Debug for OAuthProxyConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyConfigBuilder")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

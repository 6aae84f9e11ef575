//! The checked configuration, as the running proxy reads it.

use std::{sync::Arc, time::Duration};

use crate::{
    client::RedirectPolicy,
    config::{
        Consent,
        allow_list::AllowList,
        hooks::{LoginHook, RegistrationHook},
    },
    grant::RefreshGrace,
    login::PassOn,
    oauth::{BaseUrl, ScopeSet},
    token::ClaimsPassthrough,
};

/// Plain values; everything that does I/O stands beside it in the proxy.
pub(crate) struct Options {
    pub(crate) base: BaseUrl,
    /// What the provider is told to send the browser back to.
    pub(crate) callback_url: String,
    /// What clients may ask for.
    pub(crate) scopes: ScopeSet,
    /// What the provider may be asked for: the same, and the provider's own defaults.
    pub(crate) offered_scopes: ScopeSet,
    /// What every bearer request needs.
    pub(crate) required_scopes: ScopeSet,
    pub(crate) consent: Consent,
    pub(crate) redirect_policy: RedirectPolicy,
    pub(crate) cookie_prefix: String,
    pub(crate) allow_plain_pkce: bool,
    pub(crate) upstream_pkce: bool,
    pub(crate) forward_resource: bool,
    pub(crate) pass_on: Vec<PassOn>,
    pub(crate) optional_auth: bool,
    pub(crate) keep_authorization_header: bool,
    pub(crate) cors_on_protected_paths: bool,
    pub(crate) audience_by_path: bool,
    pub(crate) access_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) refresh_token_grace: RefreshGrace,
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
    pub(crate) allow_list: AllowList,
    pub(crate) on_register: Option<RegistrationHook>,
    pub(crate) on_login: Option<LoginHook>,
    pub(crate) service_name: Option<Arc<str>>,
}

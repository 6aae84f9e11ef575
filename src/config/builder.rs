//! The builder: one method for each option, none of which can fail before `build`.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::{
    client::{KnownClient, RedirectPolicy, StaticClient},
    clock::{Clock, SystemClock},
    config::hooks::{AllowList, LoginHook, Refusal, RegistrationHook, RegistrationRequest, hook},
    event::{Event, EventCallback},
    key::SecretKey,
    limits,
    login::Identity,
    provider::Provider,
    storage::TokenStorage,
    token::{ClaimsPassthrough, TokenVerifier},
    upstream::Customize,
};

/// Whether a person is asked before a client gets access in their name.
///
/// The page is what stands between a malicious client and a person who is already logged in at the
/// provider (the confused deputy of the MCP security best practices).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Consent {
    /// The page is always shown.
    #[default]
    Always,
    /// A browser that approved the same client, target and scopes before is not asked again for 30
    /// days, unless another site sent it here (`Sec-Fetch-Site`). A program on the person's own
    /// computer that knows an approved public client's id passes for it (RFC 8252 section 8.6).
    Remember,
    /// No page: the provider, or something in front of this server, asks for each client.
    External,
    /// No page, and nobody asks. Any registered client gets access in the name of anybody who
    /// follows its link. Told as a weak option at start.
    Disabled,
}

/// Collects the configuration; see each method. Made by
/// [`OAuthProxyConfig::builder`](crate::OAuthProxyConfig::builder).
#[must_use = "a builder does nothing until `build`"]
pub struct OAuthProxyConfigBuilder {
    pub(crate) provider: Provider,
    pub(crate) base_url: String,
    pub(crate) secret_key: Option<SecretKey>,
    pub(crate) previous_secret_keys: Vec<SecretKey>,
    pub(crate) jwt_signing_key: Option<SecretKey>,
    pub(crate) encryption_key: Option<SecretKey>,
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
    pub(crate) token_swap: bool,
    pub(crate) token_verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) optional_auth: bool,
    pub(crate) keep_authorization_header: bool,
    pub(crate) cors_on_protected_paths: bool,
    pub(crate) audience_by_path: bool,
    pub(crate) access_token_ttl: Option<Duration>,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) grants_per_person: usize,
    pub(crate) authorization_code_ttl: Duration,
    pub(crate) transaction_ttl: Duration,
    pub(crate) session_cache_ttl: Duration,
    pub(crate) upstream_timeout: Duration,
    pub(crate) extra_authorization_params: Vec<(String, String)>,
    pub(crate) extra_token_params: Vec<(String, String)>,
    pub(crate) claims: ClaimsPassthrough,
    pub(crate) role_claims: Vec<String>,
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
            encryption_key: None,
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
            token_swap: true,
            token_verifier: None,
            optional_auth: false,
            keep_authorization_header: false,
            cors_on_protected_paths: false,
            audience_by_path: true,
            access_token_ttl: None,
            refresh_token_ttl: limits::REFRESH_TOKEN_TTL,
            grants_per_person: limits::GRANTS_PER_PERSON,
            authorization_code_ttl: limits::AUTHORIZATION_CODE_TTL,
            transaction_ttl: limits::TRANSACTION_TTL,
            session_cache_ttl: limits::SESSION_CACHE_TTL,
            upstream_timeout: limits::UPSTREAM_TIMEOUT,
            extra_authorization_params: Vec::new(),
            extra_token_params: Vec::new(),
            claims: ClaimsPassthrough::default(),
            role_claims: ["role", "roles", "realm_access"].map(str::to_owned).into(),
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

    /// The secret that every key is derived from. Unset: the provider's client secret, so that
    /// restarts and replicas agree out of the box.
    pub fn secret_key(mut self, key: SecretKey) -> Self {
        self.secret_key = Some(key);
        self
    }

    /// Secrets that were replaced: they still open and verify, and no longer seal or sign.
    pub fn previous_secret_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.previous_secret_keys.extend(keys);
        self
    }

    /// A key of its own for signing access tokens.
    pub fn jwt_signing_key(mut self, key: SecretKey) -> Self {
        self.jwt_signing_key = Some(key);
        self
    }

    /// A key of its own for encrypting stored records.
    pub fn encryption_key(mut self, key: SecretKey) -> Self {
        self.encryption_key = Some(key);
        self
    }

    /// The scopes that clients may ask for. Unset: the provider's defaults.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Scopes that every request on a protected path needs; without them 403
    /// `insufficient_scope`.
    pub fn required_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a person is asked; see [`Consent`].
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// Where registered clients may have their codes sent. Default: loopback only.
    pub fn redirect_policy(mut self, policy: RedirectPolicy) -> Self {
        self.redirect_policy = policy;
        self
    }

    /// Adds patterns such as `https://*.example.com/callback/*` to the redirect policy; see
    /// [`RedirectPolicy::allow`].
    pub fn allowed_redirect_uri_patterns<I>(mut self, patterns: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.redirect_patterns
            .extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Adds a well-known client's callbacks to the redirect policy.
    pub fn allow_client(mut self, client: KnownClient) -> Self {
        self.redirect_policy = self.redirect_policy.allow_client(client);
        self
    }

    /// Adds a client that does not register itself.
    pub fn static_client(mut self, client: StaticClient) -> Self {
        self.static_clients.push(client);
        self
    }

    /// Paths that need no token, compared exactly with the request's path.
    pub fn public_paths<I: IntoIterator<Item: Into<String>>>(mut self, paths: I) -> Self {
        self.public_paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// The provider's callback below the base URL. Default: `/oauth/callback`.
    pub fn redirect_path(mut self, path: impl Into<String>) -> Self {
        self.redirect_path = path.into();
        self
    }

    /// The prefix of the cookies' names, for platforms that rewrite cookies and so break
    /// `__Host-`. Default: `__Host-` on https, empty on loopback http. Without `__Host-` a
    /// neighbouring subdomain can plant cookies; they still have to be sealed by this proxy.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie_prefix = Some(prefix.into());
        self
    }

    /// Accepts PKCE with `plain`, or without a method. Weak: whoever sees the authorization request
    /// can redeem the code. Default: off, S256 only.
    pub fn allow_plain_pkce(mut self, allow: bool) -> Self {
        self.allow_plain_pkce = allow;
        self
    }

    /// Whether the proxy uses PKCE towards the provider. Turn off only for a provider that knows no
    /// PKCE. Default: the provider's.
    pub fn upstream_pkce(mut self, on: bool) -> Self {
        self.upstream_pkce = Some(on);
        self
    }

    /// Whether the provider is told the `resource` (RFC 8707). Default: the provider's, mostly off:
    /// Entra ID rejects the parameter.
    pub fn forward_resource(mut self, on: bool) -> Self {
        self.forward_resource = Some(on);
        self
    }

    /// `true` (default): clients hold the proxy's own tokens. `false`: clients hold the provider's
    /// access token, which a [`TokenVerifier`] has to check on each first sight.
    pub fn token_swap(mut self, on: bool) -> Self {
        self.token_swap = on;
        self
    }

    /// Checks the provider's access tokens when `token_swap` is off.
    pub fn token_verifier(mut self, verifier: impl TokenVerifier) -> Self {
        self.token_verifier = Some(Arc::new(verifier));
        self
    }

    /// `true`: a request without a token reaches the inner service without a session; one with a
    /// bad token is still refused. Default: `false`.
    pub fn optional_auth(mut self, on: bool) -> Self {
        self.optional_auth = on;
        self
    }

    /// `true`: the inner service sees the `Authorization` header. Default: `false`, so that the
    /// token cannot leak further (to a proxied service, to logs).
    pub fn keep_authorization_header(mut self, on: bool) -> Self {
        self.keep_authorization_header = on;
        self
    }

    /// `true`: the layer answers CORS preflights on protected paths for any origin, without
    /// credentials, and exposes the headers that browser MCP clients read. Leave off where an outer
    /// CORS layer does this. Default: `false`.
    pub fn cors_on_protected_paths(mut self, on: bool) -> Self {
        self.cors_on_protected_paths = on;
        self
    }

    /// `true` (default): a token for `{base}/mcp` is good at `/mcp` and below it only (RFC 8707).
    /// `false`: a token for any resource of this server is good on all of its paths, as the older
    /// two-path SSE transport needs.
    pub fn audience_by_path(mut self, on: bool) -> Self {
        self.audience_by_path = on;
        self
    }

    /// An access token's life. Unset: the provider's, or one hour. Where the provider's token can
    /// be renewed, this one may outlive it; else it is cut to the provider's.
    pub fn access_token_ttl(mut self, ttl: Duration) -> Self {
        self.access_token_ttl = Some(ttl);
        self
    }

    /// How long an unused grant lives; each refresh starts it anew. Default: 30 days.
    pub fn refresh_token_ttl(mut self, ttl: Duration) -> Self {
        self.refresh_token_ttl = ttl;
        self
    }

    /// How many live grants one person has, over all clients; at least 1. A login that makes one more
    /// ends the one that was used longest ago, here and at the provider, with an event of
    /// [`Reason::TooMany`](crate::Reason::TooMany). Default: 100.
    ///
    /// A client that logs in instead of refreshing leaves a grant behind each time. Without a limit
    /// one account fills the store, and pushes other people out of one that has bounds. A login reads
    /// the names of up to so many grants, and where it ends some, the grants themselves.
    pub fn grants_per_person(mut self, limit: usize) -> Self {
        self.grants_per_person = limit;
        self
    }

    /// An authorization code's life. Default: 5 minutes.
    pub fn authorization_code_ttl(mut self, ttl: Duration) -> Self {
        self.authorization_code_ttl = ttl;
        self
    }

    /// How long a person may take to decide on the consent page, and then again at the provider.
    /// Default: 10 minutes each.
    pub fn transaction_ttl(mut self, ttl: Duration) -> Self {
        self.transaction_ttl = ttl;
        self
    }

    /// How long a validated session is served from memory: the longest time that a revocation on
    /// another instance can go unseen. Counted in whole seconds; less than one turns the cache off.
    /// Default: 10 seconds.
    pub fn session_cache_ttl(mut self, ttl: Duration) -> Self {
        self.session_cache_ttl = ttl;
        self
    }

    /// The limit on one request to the provider. Default: 10 seconds.
    pub fn upstream_request_timeout(mut self, timeout: Duration) -> Self {
        self.upstream_timeout = timeout;
        self
    }

    /// Parameters added to the provider's authorization URL. Those of the protocol itself
    /// (`client_id`, `state`, …) cannot be overridden.
    pub fn extra_authorization_params<I, K, V>(mut self, params: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        self.extra_authorization_params = pairs(params);
        self
    }

    /// Parameters added to every request at the provider's token endpoint; the protocol's own
    /// cannot be overridden.
    pub fn extra_token_params<I, K, V>(mut self, params: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        self.extra_token_params = pairs(params);
        self
    }

    /// Which of the provider's claims reach sessions and tokens.
    pub fn custom_claims_passthrough(mut self, claims: ClaimsPassthrough) -> Self {
        self.claims = claims;
        self
    }

    /// The claims that hold a person's roles, in the ID token, userinfo or a JWT access token: a
    /// string or an array of strings each. Default: `role`, `roles`, and `realm_access` (Keycloak).
    pub fn role_claims<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.role_claims = names.into_iter().map(Into::into).collect();
        self
    }

    /// Where grants live. Default: in this process's memory.
    pub fn token_storage(mut self, storage: impl TokenStorage) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Stores records in the clear. Weak: whoever reads the store holds the provider's tokens.
    pub fn insecure_without_storage_encryption(mut self) -> Self {
        self.storage_encryption = false;
        self
    }

    /// Lets only people with these verified addresses log in (besides `allowed_domains`). Asked at
    /// login: whoever is taken off the list keeps what was granted until it is revoked or unused
    /// for `refresh_token_ttl`.
    pub fn allowed_emails<I: IntoIterator<Item: Into<String>>>(mut self, emails: I) -> Self {
        self.allow_list.is_wanted = true;
        self.allow_list
            .emails
            .extend(emails.into_iter().map(Into::into));
        self
    }

    /// Lets only people with a verified address of these domains log in (besides
    /// `allowed_emails`). Subdomains are not included.
    pub fn allowed_domains<I: IntoIterator<Item: Into<String>>>(mut self, domains: I) -> Self {
        self.allow_list.is_wanted = true;
        self.allow_list
            .domains
            .extend(domains.into_iter().map(Into::into));
        self
    }

    /// Lets the allow lists accept an address that the provider does not call verified. Weak where
    /// people can choose their address, as in a multi-tenant Entra app.
    pub fn insecure_trust_unverified_emails(mut self) -> Self {
        self.allow_list.trust_unverified = true;
        self
    }

    /// Asked for each registration that passed every rule.
    pub fn on_register<F, Fut>(mut self, closure: F) -> Self
    where
        F: Fn(RegistrationRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.on_register = Some(hook(closure));
        self
    }

    /// Asked for each person that the provider let in, after the allow lists.
    pub fn on_login<F, Fut>(mut self, closure: F) -> Self
    where
        F: Fn(Identity) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.on_login = Some(hook(closure));
        self
    }

    /// Told of each step and refusal; must not block.
    pub fn on_event(mut self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(callback));
        self
    }

    /// Adjusts the HTTP client towards the provider: a corporate proxy, a private root
    /// certificate. Redirects and timeouts stay as this crate sets them.
    pub fn http_client<F>(mut self, customize: F) -> Self
    where
        F: FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    {
        self.http_client = Some(Box::new(customize));
        self
    }

    /// The source of time, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The name that the consent page and the resource metadata give this service. Default: the
    /// host of the base URL.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }
}

impl fmt::Debug for OAuthProxyConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyConfigBuilder")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

fn pairs<K: Into<String>, V: Into<String>>(
    params: impl IntoIterator<Item = (K, V)>,
) -> Vec<(String, String)> {
    params
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}
